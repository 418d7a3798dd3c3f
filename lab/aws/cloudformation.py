"""What the lab adds to moto's CloudFormation: the types that it lacks, and two that it makes only in part.

Each class here follows the resource's page in
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/. moto finds them because they are subclasses of
its own class.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any, ClassVar, TypeVar

from moto.cloudformation.exceptions import UnformattedGetAttTemplateException, ValidationError
from moto.core.common_models import CloudFormationModel
from moto.ec2.models import ec2_backends
from moto.iam.models import ManagedPolicy, Role, iam_backends
from moto.kms.models import Key, kms_backends
from moto.s3.cloud_formation import cfn_to_api_encryption
from moto.s3.models import FakeBucket, s3_backends
from moto.sns.models import sns_backends

from lab.aws import associations_api, windows_api
from lab.aws.plane import Plane
from lab.engine import Engine
from lab.errors import ApiError
from patching.baseline import PatchBaseline
from patching.errors import InvalidValueError
from patching.targets import Targets

T = TypeVar("T")
Properties = dict[str, Any]
_PARTITION = "aws"

plane: Plane
"""Where the resources are made; `install` sets it before the server takes a request."""


def install(to: Plane) -> None:
    """Have the resources of templates made in this plane."""
    global plane  # noqa: PLW0603 moto makes the resources from classes that it finds by itself
    plane = to


def _make(what: str, make: Callable[[], T]) -> T:
    """Make something, and say like CloudFormation why it could not be made."""
    try:
        return make()
    except (ApiError, InvalidValueError) as error:
        message = error.message if isinstance(error, ApiError) else str(error)
        raise ValidationError(message=f"Resource handler returned message: {what}: {message}") from error
    except KeyError as error:
        raise ValidationError(message=f"Resource handler returned message: {what}: {error} is required") from error


class _Resource:
    """What the resources of the lab have in common.

    It is no subclass of moto's class, or moto would take it for a resource; the resources are subclasses of both.
    """

    type_name: ClassVar[str] = ""
    replaces_on: ClassVar[frozenset[str]] = frozenset()
    """Properties whose change makes a new resource."""

    attributes: ClassVar[tuple[str, ...]] = ()

    def __init__(self, physical_id: str, properties: Properties, account_id: str, region: str) -> None:
        self._physical_id = physical_id
        self.properties = properties
        self.account_id = account_id
        self.region = region

    @staticmethod
    def cloudformation_name_type() -> str:
        return ""

    @classmethod
    def cloudformation_type(cls) -> str:
        return cls.type_name

    @classmethod
    def has_cfn_attr(cls, attr: str) -> bool:
        return attr in cls.attributes

    @property
    def physical_resource_id(self) -> str:
        return self._physical_id

    def get_cfn_attribute(self, attribute_name: str) -> Any:  # noqa: ANN401, ARG002 moto's own signature
        raise UnformattedGetAttTemplateException

    @classmethod
    def create_from_cloudformation_json(
        cls,
        resource_name: str,  # noqa: ARG003 moto's own signature
        cloudformation_json: dict[str, Any],
        account_id: str,
        region_name: str,
        **kwargs: Any,  # noqa: ANN401, ARG003
    ) -> _Resource:
        properties = cloudformation_json["Properties"]
        return _make(cls.type_name, lambda: cls.create(properties, account_id, region_name))

    @classmethod
    def update_from_cloudformation_json(
        cls,
        original_resource: _Resource,
        new_resource_name: str,  # noqa: ARG003
        cloudformation_json: dict[str, Any],
        account_id: str,
        region_name: str,
    ) -> _Resource:
        properties = cloudformation_json["Properties"]
        old = original_resource.properties
        if any(old.get(key) != properties.get(key) for key in cls.replaces_on):
            new = _make(cls.type_name, lambda: cls.create(properties, account_id, region_name))
            original_resource.delete(account_id, region_name)
            return new
        _make(cls.type_name, lambda: original_resource.change(properties))
        original_resource.properties = properties
        return original_resource

    @classmethod
    def create(cls, properties: Properties, account_id: str, region: str) -> _Resource:
        raise NotImplementedError

    def change(self, properties: Properties) -> None:
        raise NotImplementedError

    def delete(self, account_id: str, region_name: str) -> None:
        raise NotImplementedError


class PatchBaselineResource(_Resource, CloudFormationModel):
    """A patch baseline with its patch groups."""

    type_name = "AWS::SSM::PatchBaseline"
    replaces_on = frozenset({"OperatingSystem"})
    attributes = ("Id",)

    @classmethod
    def create(cls, properties: Properties, account_id: str, region: str) -> _Resource:
        with plane.engine(region) as engine:
            stored = engine.baselines.create(PatchBaseline.from_api(properties), engine.clock.now)
            for group in properties.get("PatchGroups", ()):
                engine.baselines.register(stored.id, group)
            _set_default(engine, stored.id, properties)
            return cls(stored.id, properties, account_id, region)

    def change(self, properties: Properties) -> None:
        with plane.engine(self.region) as engine:
            engine.baselines.update(self._physical_id, PatchBaseline.from_api(properties), engine.clock.now)
            wanted = properties.get("PatchGroups", [])
            for group in set(self.properties.get("PatchGroups", [])) - set(wanted):
                engine.baselines.deregister(self._physical_id, group)
            for group in wanted:
                engine.baselines.register(self._physical_id, group)
            _set_default(engine, self._physical_id, properties)

    def delete(self, account_id: str, region_name: str) -> None:  # noqa: ARG002
        with plane.engine(self.region) as engine:
            for group in engine.baselines.groups_of(self._physical_id):
                engine.baselines.deregister(self._physical_id, group)
            engine.baselines.reset_default(self._physical_id)
            engine.baselines.delete(self._physical_id)

    def get_cfn_attribute(self, attribute_name: str) -> Any:  # noqa: ANN401
        if attribute_name == "Id":
            return self._physical_id
        return super().get_cfn_attribute(attribute_name)


def _set_default(engine: Engine, baseline_id: str, properties: Properties) -> None:
    if str(properties.get("DefaultBaseline", False)).lower() == "true":
        engine.baselines.set_default(baseline_id)
    else:
        engine.baselines.reset_default(baseline_id)


class AssociationResource(_Resource, CloudFormationModel):
    """A State Manager association. A change makes it anew: the lab's associations have no versions."""

    type_name = "AWS::SSM::Association"
    attributes = ("AssociationId",)

    @classmethod
    def create(cls, properties: Properties, account_id: str, region: str) -> _Resource:
        with plane.engine(region) as engine:
            return cls(associations_api.create(engine, properties).id, properties, account_id, region)

    def change(self, properties: Properties) -> None:
        with plane.engine(self.region) as engine:
            new = associations_api.create(engine, properties)
            engine.state_manager.rename(new.id, self._physical_id)

    def delete(self, account_id: str, region_name: str) -> None:  # noqa: ARG002
        with plane.engine(self.region) as engine:
            engine.state_manager.delete(self._physical_id)

    def get_cfn_attribute(self, attribute_name: str) -> Any:  # noqa: ANN401
        if attribute_name == "AssociationId":
            return self._physical_id
        return super().get_cfn_attribute(attribute_name)


class MaintenanceWindowResource(_Resource, CloudFormationModel):
    """A maintenance window."""

    type_name = "AWS::SSM::MaintenanceWindow"

    @classmethod
    def create(cls, properties: Properties, account_id: str, region: str) -> _Resource:
        with plane.engine(region) as engine:
            return cls(windows_api.create(engine, properties).id, properties, account_id, region)

    def change(self, properties: Properties) -> None:
        with plane.engine(self.region) as engine:
            # What the template no longer says goes back to its default.
            defaults = {"Description": "", "ScheduleTimezone": "UTC", "ScheduleOffset": 0}
            windows_api.change(engine, engine.windows.get(self._physical_id), {**defaults, **properties})

    def delete(self, account_id: str, region_name: str) -> None:  # noqa: ARG002
        with plane.engine(self.region) as engine:
            engine.windows.delete(self._physical_id)


class MaintenanceWindowTargetResource(_Resource, CloudFormationModel):
    """A group of nodes that a window's tasks can name."""

    type_name = "AWS::SSM::MaintenanceWindowTarget"
    replaces_on = frozenset({"WindowId", "ResourceType"})

    @classmethod
    def create(cls, properties: Properties, account_id: str, region: str) -> _Resource:
        with plane.engine(region) as engine:
            target = engine.windows.add_target(
                properties["WindowId"],
                Targets.from_api(properties["Targets"]),
                name=properties.get("Name", ""),
                description=properties.get("Description", ""),
                owner_information=properties.get("OwnerInformation", ""),
            )
            return cls(target.id, properties, account_id, region)

    def change(self, properties: Properties) -> None:
        with plane.engine(self.region) as engine:
            target = engine.windows.get(properties["WindowId"]).targets[self._physical_id]
            target.targets = Targets.from_api(properties["Targets"])
            target.name, target.description = properties.get("Name", ""), properties.get("Description", "")
            target.owner_information = properties.get("OwnerInformation", "")

    def delete(self, account_id: str, region_name: str) -> None:  # noqa: ARG002
        with plane.engine(self.region) as engine:
            window = engine.windows.windows.get(self.properties["WindowId"])
            if window:
                window.targets.pop(self._physical_id, None)


class MaintenanceWindowTaskResource(_Resource, CloudFormationModel):
    """A task of a window."""

    type_name = "AWS::SSM::MaintenanceWindowTask"
    replaces_on = frozenset({"WindowId", "TaskType"})

    @classmethod
    def create(cls, properties: Properties, account_id: str, region: str) -> _Resource:
        with plane.engine(region) as engine:
            task = engine.windows.add_task(windows_api.make_task(engine, _as_request(properties)))
            return cls(task.id, properties, account_id, region)

    def change(self, properties: Properties) -> None:
        with plane.engine(self.region) as engine:
            engine.windows.add_task(windows_api.make_task(engine, _as_request(properties), self._physical_id))

    def delete(self, account_id: str, region_name: str) -> None:  # noqa: ARG002
        with plane.engine(self.region) as engine:
            window = engine.windows.windows.get(self.properties["WindowId"])
            if window:
                window.tasks.pop(self._physical_id, None)


def _as_request(properties: Properties) -> Properties:
    """Write a task's properties as RegisterTaskWithMaintenanceWindow takes them: one key has another name there."""
    parameters = properties.get("TaskInvocationParameters", {})
    return {
        **properties,
        "TaskInvocationParameters": {"RunCommand": parameters.get("MaintenanceWindowRunCommandParameters")},
    }


class BucketPolicyResource(_Resource, CloudFormationModel):
    """A bucket's policy."""

    type_name = "AWS::S3::BucketPolicy"
    replaces_on = frozenset({"Bucket"})

    @classmethod
    def create(cls, properties: Properties, account_id: str, region: str) -> _Resource:
        resource = cls(properties["Bucket"], properties, account_id, region)
        resource.change(properties)
        return resource

    def change(self, properties: Properties) -> None:
        document = json.dumps(properties["PolicyDocument"]).encode()
        s3_backends[self.account_id][_PARTITION].put_bucket_policy(properties["Bucket"], document)

    def delete(self, account_id: str, region_name: str) -> None:  # noqa: ARG002
        # moto deletes in no order: the bucket may be gone already.
        if self._physical_id in s3_backends[self.account_id][_PARTITION].buckets:
            s3_backends[self.account_id][_PARTITION].delete_bucket_policy(self._physical_id)


class TopicPolicyResource(_Resource, CloudFormationModel):
    """A policy of topics."""

    type_name = "AWS::SNS::TopicPolicy"
    attributes = ("Id",)

    @classmethod
    def create(cls, properties: Properties, account_id: str, region: str) -> _Resource:
        resource = cls(f"topic-policy-{properties['Topics'][0].rpartition(':')[2]}", properties, account_id, region)
        resource.change(properties)
        return resource

    def change(self, properties: Properties) -> None:
        for topic in properties["Topics"]:
            attributes = sns_backends[self.account_id][self.region]
            attributes.set_topic_attribute(topic, "policy", json.dumps(properties["PolicyDocument"]))

    def delete(self, account_id: str, region_name: str) -> None:
        """Leave the policy as it is: it goes with its topic."""


class SubscriptionResource(_Resource, CloudFormationModel):
    """A subscription of a topic."""

    type_name = "AWS::SNS::Subscription"
    replaces_on = frozenset({"TopicArn", "Protocol", "Endpoint"})

    @classmethod
    def create(cls, properties: Properties, account_id: str, region: str) -> _Resource:
        backend = sns_backends[account_id][region]
        made = backend.subscribe(properties["TopicArn"], properties["Endpoint"], properties["Protocol"])
        return cls(made.arn, properties, account_id, region)

    def change(self, properties: Properties) -> None:
        """Keep it: what the lab honours of a subscription cannot be changed."""

    def delete(self, account_id: str, region_name: str) -> None:  # noqa: ARG002
        sns_backends[self.account_id][self.region].unsubscribe(self._physical_id)


class BucketResource(_Resource, CloudFormationModel):
    """A bucket with all that our templates say of it; moto makes only its encryption and tags."""

    type_name = "AWS::S3::Bucket"

    @staticmethod
    def cloudformation_name_type() -> str:
        return "BucketName"

    @classmethod
    def create_from_cloudformation_json(
        cls,
        resource_name: str,
        cloudformation_json: dict[str, Any],
        account_id: str,
        region_name: str,
        **kwargs: Any,  # noqa: ANN401
    ) -> FakeBucket:
        bucket = FakeBucket.create_from_cloudformation_json(
            resource_name, cloudformation_json, account_id, region_name, **kwargs
        )
        _configure(account_id, resource_name, cloudformation_json["Properties"])
        return bucket

    @classmethod
    def update_from_cloudformation_json(
        cls,
        original_resource: FakeBucket,
        new_resource_name: str,
        cloudformation_json: dict[str, Any],
        account_id: str,
        region_name: str,
    ) -> FakeBucket:
        properties = cloudformation_json["Properties"]
        if properties.get("BucketName", original_resource.name) != original_resource.name:
            return FakeBucket.update_from_cloudformation_json(
                original_resource, new_resource_name, cloudformation_json, account_id, region_name
            )
        _configure(account_id, original_resource.name, properties)
        return original_resource

    @classmethod
    def delete_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: dict[str, Any], account_id: str, region_name: str
    ) -> None:
        FakeBucket.delete_from_cloudformation_json(resource_name, cloudformation_json, account_id, region_name)

    @classmethod
    def has_cfn_attr(cls, attr: str) -> bool:
        return bool(FakeBucket.has_cfn_attr(attr))


def _configure(account_id: str, name: str, properties: Properties) -> None:
    backend = s3_backends[account_id][_PARTITION]
    if "BucketEncryption" in properties:
        encryption = cfn_to_api_encryption(properties["BucketEncryption"])
        encryption["Rule"]["BucketKeyEnabled"] = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"][
            0
        ].get("BucketKeyEnabled", False)
        backend.put_bucket_encryption(name, encryption)
    if "VersioningConfiguration" in properties:
        backend.put_bucket_versioning(name, properties["VersioningConfiguration"]["Status"])
    if "PublicAccessBlockConfiguration" in properties:
        backend.put_public_access_block(name, properties["PublicAccessBlockConfiguration"])
    if "OwnershipControls" in properties:
        backend.put_bucket_ownership_controls(name, properties["OwnershipControls"]["Rules"][0]["ObjectOwnership"])
    if "LifecycleConfiguration" in properties:
        rules = [_lifecycle_rule(rule) for rule in properties["LifecycleConfiguration"]["Rules"]]
        backend.put_bucket_lifecycle_configuration(name, rules)


def _lifecycle_rule(rule: Properties) -> Properties:
    """Write a rule as PutBucketLifecycleConfiguration takes it."""
    api: Properties = {"ID": rule.get("Id"), "Status": rule["Status"], "Filter": {"Prefix": rule.get("Prefix", "")}}
    if "ExpirationInDays" in rule:
        api["Expiration"] = {"Days": rule["ExpirationInDays"]}
    if "NoncurrentVersionExpiration" in rule:
        api["NoncurrentVersionExpiration"] = dict(rule["NoncurrentVersionExpiration"])
    if "AbortIncompleteMultipartUpload" in rule:
        api["AbortIncompleteMultipartUpload"] = dict(rule["AbortIncompleteMultipartUpload"])
    return api


class RoleResource(_Resource, CloudFormationModel):
    """A role with its managed policies, which moto leaves out."""

    type_name = "AWS::IAM::Role"
    attributes = ("Arn", "RoleId")

    @staticmethod
    def cloudformation_name_type() -> str:
        return "RoleName"

    @classmethod
    def create_from_cloudformation_json(
        cls,
        resource_name: str,
        cloudformation_json: dict[str, Any],
        account_id: str,
        region_name: str,
        **kwargs: Any,  # noqa: ANN401
    ) -> Role:
        role = Role.create_from_cloudformation_json(
            resource_name, cloudformation_json, account_id, region_name, **kwargs
        )
        _attach(account_id, role, cloudformation_json["Properties"])
        return role

    @classmethod
    def update_from_cloudformation_json(
        cls,
        original_resource: Role,
        new_resource_name: str,  # noqa: ARG003
        cloudformation_json: dict[str, Any],
        account_id: str,
        region_name: str,  # noqa: ARG003
    ) -> Role:
        properties = cloudformation_json["Properties"]
        original_resource.assume_role_policy_document = json.dumps(properties["AssumeRolePolicyDocument"])
        original_resource.description = properties.get("Description", "")
        inline = {one["PolicyName"]: one["PolicyDocument"] for one in properties.get("Policies", ())}
        for name in (
            set(original_resource.policies) - set(inline) - _policies_of_their_own(account_id, original_resource)
        ):
            original_resource.delete_policy(name)
        for name, document in inline.items():
            original_resource.put_policy(name, document)
        _attach(account_id, original_resource, properties)
        return original_resource

    @classmethod
    def delete_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: dict[str, Any], account_id: str, region_name: str
    ) -> None:
        for role in iam_backends[account_id][_PARTITION].roles.values():
            if role.name == resource_name:
                _attach(account_id, role, {})
        Role.delete_from_cloudformation_json(resource_name, cloudformation_json, account_id, region_name)


def _policies_of_their_own(account_id: str, role: Role) -> set[str]:
    """Return the inline policies of a role that are resources by themselves, of the type AWS::IAM::Policy."""
    policies = iam_backends[account_id][_PARTITION].inline_policies.values()
    return {policy.policy_name for policy in policies if role.name in policy.role_names}


def _attach(account_id: str, role: Role, properties: Properties) -> None:
    """Have a role have just the managed policies that its properties name."""
    backend = iam_backends[account_id][_PARTITION]
    wanted = set(properties.get("ManagedPolicyArns", ()))
    for arn in set(role.managed_policies) - wanted:
        backend.detach_role_policy(arn, role.name)
    for arn in sorted(wanted - set(role.managed_policies)):
        backend.attach_role_policy(arn, role.name)


class ManagedPolicyResource(_Resource, CloudFormationModel):
    """A managed policy, which moto cannot change."""

    type_name = "AWS::IAM::ManagedPolicy"
    attributes = ("PolicyArn",)

    @classmethod
    def create_from_cloudformation_json(
        cls,
        resource_name: str,
        cloudformation_json: dict[str, Any],
        account_id: str,
        region_name: str,
        **kwargs: Any,  # noqa: ANN401
    ) -> ManagedPolicy:
        return ManagedPolicy.create_from_cloudformation_json(
            resource_name, cloudformation_json, account_id, region_name, **kwargs
        )

    @classmethod
    def update_from_cloudformation_json(
        cls,
        original_resource: ManagedPolicy,
        new_resource_name: str,  # noqa: ARG003
        cloudformation_json: dict[str, Any],
        account_id: str,  # noqa: ARG003
        region_name: str,  # noqa: ARG003
    ) -> ManagedPolicy:
        for version in original_resource.versions:
            if version.is_default:
                version.document = json.dumps(cloudformation_json["Properties"]["PolicyDocument"])
        return original_resource


class KeyResource(_Resource, CloudFormationModel):
    """A KMS key. moto trips over its tags, whose keys have other names in a template than in the API."""

    type_name = "AWS::KMS::Key"
    attributes = ("Arn", "KeyId")

    @classmethod
    def create_from_cloudformation_json(
        cls,
        resource_name: str,
        cloudformation_json: dict[str, Any],
        account_id: str,
        region_name: str,
        **kwargs: Any,  # noqa: ANN401
    ) -> Key:
        return Key.create_from_cloudformation_json(
            resource_name, _with_api_tags(cloudformation_json), account_id, region_name, **kwargs
        )

    @classmethod
    def update_from_cloudformation_json(
        cls,
        original_resource: Key,
        new_resource_name: str,  # noqa: ARG003
        cloudformation_json: dict[str, Any],
        account_id: str,
        region_name: str,
    ) -> Key:
        properties = _with_api_tags(cloudformation_json)["Properties"]
        original_resource.policy = properties["KeyPolicy"]
        original_resource.key_rotation_status = properties.get("EnableKeyRotation", False)
        tags = {tag["TagKey"]: tag["TagValue"] for tag in properties.get("Tags", [])}
        kms_backends[account_id][region_name].tag_resource(original_resource.id, tags)
        return original_resource


def _with_api_tags(resource: dict[str, Any]) -> dict[str, Any]:
    properties = resource["Properties"]
    tags = [{"TagKey": tag["Key"], "TagValue": tag["Value"]} for tag in properties.get("Tags", ())]
    return {**resource, "Properties": {**properties, "Tags": tags}}


class InstanceResource(_Resource, CloudFormationModel):
    """An instance with its security groups, metadata options and volumes, of which moto makes only a part."""

    type_name = "AWS::EC2::Instance"
    attributes = ("AvailabilityZone", "PrivateDnsName", "PublicDnsName", "PrivateIp", "PublicIp", "InstanceId", "VpcId")

    @classmethod
    def create_from_cloudformation_json(
        cls,
        resource_name: str,  # noqa: ARG003
        cloudformation_json: dict[str, Any],
        account_id: str,
        region_name: str,
        **kwargs: Any,  # noqa: ANN401, ARG003
    ) -> Any:  # noqa: ANN401 moto's own class
        return _launch(cloudformation_json["Properties"], account_id, region_name)

    @classmethod
    def update_from_cloudformation_json(
        cls,
        original_resource: Any,  # noqa: ANN401 moto's own class
        new_resource_name: str,  # noqa: ARG003
        cloudformation_json: dict[str, Any],
        account_id: str,
        region_name: str,
    ) -> Any:  # noqa: ANN401
        properties = cloudformation_json["Properties"]
        if original_resource.image_id != properties["ImageId"]:
            new = _launch(properties, account_id, region_name)
            original_resource.delete(account_id, region_name)
            return new
        backend = ec2_backends[account_id][region_name]
        kept = {"aws:cloudformation:stack-name", "aws:cloudformation:stack-id", "aws:cloudformation:logical-id"}
        wanted = _tags(properties)
        gone = {tag["key"]: None for tag in original_resource.get_tags() if tag["key"] not in {*wanted, *kept}}
        if gone:
            backend.delete_tags([original_resource.id], gone)
        original_resource.add_tags(wanted)
        original_resource.instance_type = properties.get("InstanceType", original_resource.instance_type)
        return original_resource

    @classmethod
    def delete_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: dict[str, Any], account_id: str, region_name: str
    ) -> None:
        """Do nothing: moto deletes an instance by its own method."""


def _tags(properties: Properties) -> dict[str, str]:
    tags: Iterable[dict[str, str]] = properties.get("Tags", ())
    return {tag["Key"]: tag["Value"] for tag in tags}


def _launch(properties: Properties, account_id: str, region: str) -> Any:  # noqa: ANN401 moto's own class
    backend = ec2_backends[account_id][region]
    tags = _tags(properties)
    volume_tags = tags if properties.get("PropagateTagsToVolumeOnCreation") else {}
    reservation = backend.run_instances(
        image_id=properties["ImageId"],
        count=1,
        user_data=properties.get("UserData"),
        security_group_names=[],
        security_group_ids=list(properties.get("SecurityGroupIds", ())),
        instance_type=properties.get("InstanceType", "m1.small"),
        is_instance_type_default="InstanceType" not in properties,
        subnet_id=properties.get("SubnetId"),
        ebs_optimized=properties.get("EbsOptimized", False),
        metadata_options=properties.get("MetadataOptions", {}),
        block_device_mappings=properties.get("BlockDeviceMappings", []),
        region_name=region,
        tags={"instance": tags, "volume": volume_tags},
    )
    instance = reservation.instances[0]
    if properties.get("IamInstanceProfile"):
        backend.associate_iam_instance_profile(instance.id, iam_instance_profile_name=properties["IamInstanceProfile"])
    return instance
