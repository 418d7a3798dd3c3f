"""The account around the engine, read from moto's own backends: instances, roles, the bucket, the topic."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from functools import lru_cache
from typing import Any, SupportsBytes
from urllib.parse import unquote

from moto.cloudwatch.models import cloudwatch_backends
from moto.core import DEFAULT_ACCOUNT_ID
from moto.core.exceptions import ServiceException
from moto.core.utils import utcnow
from moto.ec2.models import ec2_backends
from moto.events.models import Rule, events_backends
from moto.iam.access_control import PermissionResult
from moto.iam.models import IAMBackend, Role, iam_backends
from moto.kms.models import kms_backends
from moto.logs.models import logs_backends
from moto.s3.models import s3_backends
from moto.sns.models import sns_backends
from moto.ssm.models import Parameter, ssm_backends
from werkzeug.exceptions import HTTPException

from lab.aws.account import output_objects
from lab.aws.account.changes import Changes
from lab.aws.account.resource_groups import members
from lab.aws.account.vpc import network_of
from lab.patches.catalogue import Catalogue
from lab.world import access
from lab.world.alarms import COMPARISONS, STATISTICS
from lab.world.clock import Clock
from lab.world.cloud import Alarm, Instance, RuleTarget, StoredDocument, Topic
from patching.operating_system import PlatformType

ACCOUNT = DEFAULT_ACCOUNT_ID
_PARTITION = "aws"
_AWS_MANAGED = "alias/aws/"
_LISTENING = ("ENABLED", "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS")


class Account:
    """What the engine needs of one Region of moto's account.

    Args:
        region: the Region.
        catalogues: the operating systems whose images are registered there.
        clock: the lab's clock.
        changes: tells whether instances, roles or networks may have changed.
    """

    def __init__(
        self,
        region: str,
        catalogues: tuple[Catalogue, ...],
        clock: Clock,
        changes: Changes,
    ) -> None:
        self.account = ACCOUNT
        self.region = region
        self._clock = clock
        self._changes = changes
        self._images = _register_images(region, catalogues)
        self._roles: dict[str, Role | None] = {}

    def changes(self) -> int:
        """Return a number that is another one whenever instances, roles or networks may have changed."""
        return self._changes.number

    def instances(self) -> Iterator[Instance]:
        """Return the instances that are not terminated, in the order of their launch."""
        backend = ec2_backends[self.account][self.region]
        roles = {one.arn: str(one.roles[0].arn) for one in self._iam.instance_profiles.values() if one.roles}
        # Subnets without anything around them, which is found out once for all of a fleet's instances.
        without: set[str] = set()
        for instance in backend.all_instances():
            if instance.state in ("terminated", "shutting-down"):
                continue
            subnet, profile = instance.subnet_id or "", (instance.iam_instance_profile or {}).get("Arn", "")
            network = None if subnet in without else network_of(backend, self.region, instance)
            if network is None:
                without.add(subnet)
            yield Instance(
                id=instance.id,
                image=self._images.get(instance.image_id, instance.image_id),
                running=instance.state == "running",
                role=roles.get(profile, ""),
                tags=backend.tags.get(instance.id, {}),
                ip=instance.private_ip or "",
                network=network,
                type=instance.instance_type,
                profile=profile,
                key_name=instance.key_name or "",
                public_ip=instance.public_ip or "",
                zone=instance.placement.zone or "",
            )

    def run(self, ids: Iterable[str], *, running: bool) -> None:
        """Start or stop instances."""
        backend = ec2_backends[self.account][self.region]
        (backend.start_instances if running else backend.stop_instances)(list(ids))

    def image_id(self, name: str) -> str:
        """Return the id of one of the lab's images by its name."""
        return next(key for key, known in self._images.items() if known == name)

    def change_state(self, instance_id: str, state: str) -> None:
        """Start, stop or terminate an instance; raise KeyError if it is not there."""
        backend = ec2_backends[self.account][self.region]
        if instance_id not in {one.id for one in backend.all_instances()}:
            raise KeyError(instance_id)
        change = {
            "running": backend.start_instances,
            "stopped": backend.stop_instances,
            "terminated": backend.terminate_instances,
        }[state]
        change([instance_id])

    def allowed(self, role: str, action: str, resource: str, context: Mapping[str, str] | None = None) -> bool:
        """Tell whether a role's policies allow an action on a resource."""
        found = self._role(role)
        return found is not None and access.allowed(_policies(found), action, resource, context)

    def trusts(self, role: str, service: str, context: Mapping[str, str] | None = None) -> bool:
        """Tell whether there is such a role and a service, which sends along this context, may assume it."""
        found = self._role(role)
        return found is not None and access.trusts(_document(found.assume_role_policy_document), service, context)

    def bucket_key(self, bucket: str) -> str | None:
        """Return the ARN of the key that encrypts a bucket's objects by default, or None if there is no such key."""
        try:
            encryption = s3_backends[self.account][_PARTITION].get_bucket(bucket).encryption
        except (ServiceException, HTTPException):
            return None
        rule = (encryption or {}).get("Rule", {})
        key = rule.get("ApplyServerSideEncryptionByDefault", {}).get("KMSMasterKeyID")
        return str(key) if key else None

    def bucket_policy(self, bucket: str) -> Mapping[str, Any] | None:
        """Return the policy of a bucket, empty if it has none, or None if there is no such bucket."""
        try:
            found = s3_backends[self.account][_PARTITION].get_bucket(bucket)
        except (ServiceException, HTTPException):
            return None
        return _document(found.policy.decode()) if found.policy else {"Statement": []}

    def topic(self, topic: str) -> Topic | None:
        """Return a topic by its ARN, or None if there is no such topic."""
        found = sns_backends[self.account][self.region].topics.get(topic)
        return Topic(_document(found.policy), self._key_arn(found.kms_master_key_id or "")) if found else None

    def key_policy(self, key: str) -> Mapping[str, Any] | None:
        """Return the policy of a key by the key's ARN, or None if there is no such key that could be used."""
        found = kms_backends[self.account][self.region].keys.get(key.rpartition("/")[2])
        return _document(found.policy) if found and found.key_state == "Enabled" else None

    def matching_targets(self, event: Mapping[str, Any]) -> Iterator[RuleTarget]:
        """Return the targets of the rules of the default event bus that match an event."""
        for rule in list(events_backends[self.account][self.region].event_buses["default"].rules.values()):
            pattern = rule.event_pattern.get_pattern() if rule.state in _LISTENING else None
            if not pattern:
                continue
            types = pattern.get("detail-type", ())
            if types and event["detail-type"] not in types and all(isinstance(one, str) for one in types):
                continue  # most rules are about a few types of events, and most events are of others
            if rule.event_pattern.matches_event(event):
                yield from _targets(rule)

    def put_object(self, bucket: str, key: str, body: SupportsBytes) -> None:
        """Write an object; raise KeyError if there is no such bucket."""
        try:
            found = s3_backends[self.account][_PARTITION].get_bucket(bucket)
        except (ServiceException, HTTPException) as error:
            raise KeyError(bucket) from error
        output_objects.put(found, key, body)

    def get_object(self, bucket: str, key: str) -> bytes:
        """Read an object; raise KeyError if there is no such bucket or object."""
        try:
            found = s3_backends[self.account][_PARTITION].get_object(bucket, key)
        except (ServiceException, HTTPException):
            raise KeyError(f"bucket {bucket}") from None
        if found is None:
            raise KeyError(f"object {key} in the bucket {bucket}")
        return bytes(found.value)

    def is_public(self, bucket: str, key: str) -> bool:
        """Tell whether the bucket's policy lets everybody read an object."""
        try:
            found = s3_backends[self.account][_PARTITION].get_bucket(bucket)
        except (ServiceException, HTTPException):
            return False
        return bool(found.get_permission("s3:GetObject", f"arn:aws:s3:::{bucket}/{key}") is PermissionResult.PERMITTED)

    def put_metric(self, namespace: str, name: str, dimensions: Mapping[str, str], value: float) -> None:
        """Put a datapoint of a metric, of now."""
        described = [{"Name": key, "Value": one} for key, one in dimensions.items()]
        datum = {
            "MetricName": name,
            "Dimensions": described,
            "Value": value,
            "Unit": "Count",
            "Timestamp": self._clock.now,
        }
        cloudwatch_backends[self.account][self.region].put_metric_data(namespace, [datum])

    def alarms(self) -> Iterator[Alarm]:
        """Return the alarms on one metric."""
        for alarm in list(cloudwatch_backends[self.account][self.region].alarms.values()):
            if alarm.metric_name and alarm.statistic in STATISTICS and alarm.comparison_operator in COMPARISONS:
                yield _alarm(alarm)

    def alarm_state(self, name: str) -> str | None:
        """Return the state of an alarm, or None if there is no such alarm."""
        found = cloudwatch_backends[self.account][self.region].alarms.get(name)
        return str(found.state_value) if found else None

    def group_members(self, name: str) -> list[str] | None:
        """Return the ids of the instances in a resource group, or None if there is no such group."""
        return members(self.account, self.region, name)

    def set_alarm_state(self, name: str, state: str, reason: str) -> None:
        """Keep the state of an alarm."""
        alarm = cloudwatch_backends[self.account][self.region].alarms[name]
        alarm.update_state(reason, "{}", str(state))
        alarm.state_updated_timestamp = self._clock.now.replace(tzinfo=None)

    def document(self, name: str, version: str) -> StoredDocument | None:
        """Return a document of the account, or None if there is none of this name."""
        known = ssm_backends[self.account][self.region]._documents.get(name)  # noqa: SLF001
        if known is None:
            return None
        default = known.get_default_version()
        found = known.find(None if version in ("", "$DEFAULT") else version, strict=False)
        if found is None:
            return StoredDocument(default.document_type, version, "")
        content = found.content if isinstance(found.content, str) else json.dumps(found.content)
        return StoredDocument(found.document_type, found.document_version, content)

    def has_log_group(self, group: str) -> bool:
        """Tell whether there is a log group of this name."""
        return group in logs_backends[self.account][self.region].groups

    def put_log_events(self, group: str, stream: str, lines: Iterable[str]) -> None:
        """Write lines to a stream of a log group; both are made where they are lacking."""
        backend = logs_backends[self.account][self.region]
        backend.ensure_log_group(group)
        streams = backend.groups[group]
        if stream not in streams.streams:
            streams.create_log_stream(stream)
        # Not by the backend, which would refuse what does not have the time of the world's clock.
        at = int(self._clock.now.timestamp() * 1000)
        streams.put_log_events(stream, [{"timestamp": at, "message": line} for line in lines])

    def publish(self, topic: str, subject: str, message: str) -> None:
        """Publish to a topic; raise KeyError if there is no such topic."""
        sns_backends[self.account][self.region].topics[topic].publish(message, subject=subject or None)

    def _key_arn(self, key: str) -> str:
        """Return a key's ARN for its id, its alias or its ARN; those that AWS manages are known by their alias."""
        backend = kms_backends[self.account][self.region]
        alias = backend.get_alias_name(key)
        if not key or alias.startswith(_AWS_MANAGED):
            return str(alias)
        found = backend.keys.get(str(backend.any_id_to_key_id(key)).rpartition("/")[2])
        return str(found.arn) if found else key

    @property
    def _iam(self) -> IAMBackend:
        return iam_backends[self.account][_PARTITION]

    def _role(self, arn: str) -> Role | None:
        roles = self._iam.roles
        known = self._roles.get(arn)
        if known is None or roles.get(known.id) is not known or known.arn != arn:
            known = next((role for role in roles.values() if role.arn == arn), None)
            self._roles[arn] = known
        return known


def _alarm(alarm: Any) -> Alarm:  # noqa: ANN401 moto's own class
    return Alarm(
        name=alarm.name,
        arn=alarm.alarm_arn,
        description=alarm.description or "",
        namespace=alarm.namespace,
        metric=alarm.metric_name,
        dimensions={one.name: one.value for one in alarm.dimensions},
        statistic=alarm.statistic,
        period=timedelta(seconds=int(alarm.period)),
        evaluation_periods=int(alarm.evaluation_periods),
        datapoints=int(alarm.datapoints_to_alarm or alarm.evaluation_periods),
        comparison=alarm.comparison_operator,
        threshold=float(alarm.threshold),
        missing_data=alarm.treat_missing_data or "missing",
        state=alarm.state_value,
        actions_enabled=str(alarm.actions_enabled).lower() == "true",
        actions={
            "ALARM": alarm.alarm_actions,
            "OK": alarm.ok_actions,
            "INSUFFICIENT_DATA": alarm.insufficient_data_actions,
        },
    )


def _targets(rule: Rule) -> Iterable[RuleTarget]:
    for target in rule.targets:
        transformer = target.get("InputTransformer") or {}
        yield RuleTarget(
            rule=rule.name,
            rule_arn=rule.arn,
            arn=target["Arn"],
            role=target.get("RoleArn") or "",
            constant=target.get("Input") or "",
            path=target.get("InputPath") or "",
            variables=transformer.get("InputPathsMap") or {},
            template=transformer.get("InputTemplate") or "",
        )


def _policies(role: Role) -> Iterator[Mapping[str, Any]]:
    for document in role.policies.values():
        yield _document(document)
    for policy in role.managed_policies.values():
        default = next(version for version in policy.versions if version.is_default)
        yield _document(default.document)


def _document(text: Any) -> Mapping[str, Any]:  # noqa: ANN401 moto keeps text, quoted text and dictionaries
    if isinstance(text, Mapping):
        return text
    return _parsed(text)


@lru_cache(maxsize=512)
def _parsed(text: str) -> Mapping[str, Any]:
    document: Mapping[str, Any] = json.loads(text if text.lstrip().startswith("{") else unquote(text))
    return document


def _register_images(region: str, catalogues: tuple[Catalogue, ...]) -> dict[str, str]:
    """Register the lab's images and the public parameters that hold their ids; return their names by their ids."""
    ec2, ssm = ec2_backends[ACCOUNT][region], ssm_backends[ACCOUNT][region]
    # moto would add images of its own, which the lab knows nothing of.
    ssm._parameters.latest_amis_loaded = ssm._parameters.latest_ecs_amis_loaded = True  # noqa: SLF001
    names = {}
    for catalogue in catalogues:
        for image in catalogue.images:
            ami = ec2.register_image(name=image.name, description="An image of the lab's made-up catalogue")
            ami.owner_id, ami.owner_alias, ami.architecture = "amazon", "amazon", "x86_64"
            ami.platform = "windows" if catalogue.system.platform_type is PlatformType.WINDOWS else None
            names[ami.id] = image.name
            for parameter in image.parameters:
                # Not by put_parameter, which refuses names under /aws.
                ssm._parameters[parameter] = [  # noqa: SLF001
                    Parameter(
                        account_id=ACCOUNT,
                        name=parameter,
                        value=ami.id,
                        parameter_type="String",
                        description="",
                        allowed_pattern=None,
                        keyid=None,
                        last_modified_date=utcnow(),
                        version=1,
                        data_type="aws:ec2:image",
                    )
                ]
    return names
