"""Rules about the output of commands: whether the nodes, which write it as themselves, may do so.

The nodes are those instances of the assembly that a command's targets select by tags; without any, they are somebody's
who attaches the managed policies that the assembly makes for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from patching.targets import Targets
from patching.template_rules.assembly import Resource, listed, texts
from patching.template_rules.commands import Command, target_groups
from patching.template_rules.finding import Found, Rule, Whole
from patching.template_rules.permissions import (
    MANAGED_POLICY,
    ROLE,
    Granted,
    Statement,
    is_of_node,
    lets_service,
    names_somebody,
    statements,
)
from patching.template_rules.text import PSEUDO, UNKNOWN, is_known, surely_matches

BUCKET, KEY, LOG_GROUP = "AWS::S3::Bucket", "AWS::KMS::Key", "AWS::Logs::LogGroup"
_ATTACHED = "ManagedPolicyArns"
_WRITE, _LOG = "s3:PutObject", "logs:PutLogEvents"
_ENCRYPT = "kms:GenerateDataKey"
_REGION, _ACCOUNT = PSEUDO["AWS::Region"], PSEUDO["AWS::AccountId"]


def output_not_writable(whole: Whole) -> Iterator[Found]:
    """Find nodes that may not write the output of a command to the bucket it goes to, or not use the bucket's key.

    A node writes output as itself, by the role of its instance profile. See
    https://docs.aws.amazon.com/systems-manager/latest/userguide/setup-instance-permissions.html.
    """
    writers = _Writers(whole)
    for command in whole.commands:
        bucket = whole.assembly.find(command.bucket, BUCKET)
        if bucket is None or UNKNOWN in command.prefix:
            continue
        folder = f"{command.prefix.strip('/')}/" if command.prefix else ""
        of_bucket = f"{bucket.arn}/"
        place = f"{of_bucket}{folder}{UNKNOWN}"
        policy = _bucket_policy(whole, bucket)
        key = _bucket_key(whole, bucket)
        for role in writers.roles(command):
            if not whole.permissions.may(role, _WRITE, place, policy):
                yield Found(role, _may_not(f"{_WRITE} on {of_bucket}{folder}*", f"to {bucket.logical_id}"))
            elif key is not None and not whole.permissions.may_use(role, _ENCRYPT, key):
                yield Found(role, _may_not(f"{_ENCRYPT} on {key.arn}", f"to {bucket.logical_id}, which it encrypts"))
        if writers.are_elsewhere(command):
            meant = writers.policies_about(_WRITE, of_bucket)
            if meant and not writers.granted.may(_WRITE, place):
                message = _may_not(f"{_WRITE} on {of_bucket}{folder}*", f"to {bucket.logical_id}", "with this policy")
                yield Found(meant[0], message)
            elif meant and key is not None and not writers.may_use(key):
                place = f"to {bucket.logical_id}, which it encrypts"
                yield Found(meant[0], _may_not(f"{_ENCRYPT} on {key.arn}", place, "with this policy"))


def log_not_writable(whole: Whole) -> Iterator[Found]:
    """Find nodes that may not write the output of a command to the log group it goes to.

    See https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-rc-setting-up-cwlogs.html.
    """
    writers = _Writers(whole)
    prefix = f"arn:{PSEUDO['AWS::Partition']}:logs:{_REGION}:{_ACCOUNT}:log-group:"
    for command in whole.commands:
        if not command.log_group or UNKNOWN in command.log_group:
            continue
        stream = f"{prefix}{command.log_group}:log-stream:{UNKNOWN}"
        wanted = f"{_LOG} on {prefix}{command.log_group}:log-stream:*"
        for role in writers.roles(command):
            if not whole.permissions.of(role).may(_LOG, stream):
                yield Found(role, _may_not(wanted, f"to the log group {command.log_group}"))
        meant = writers.policies_about(_LOG, prefix)
        if writers.are_elsewhere(command) and meant and not writers.granted.may(_LOG, stream):
            yield Found(meant[0], _may_not(wanted, f"to the log group {command.log_group}", "with this policy"))


def log_group_not_encrypted(whole: Whole) -> Iterator[Found]:
    """Find log groups whose key does not let CloudWatch Logs use it: the group cannot be made.

    See https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html.
    """
    service = f"logs.{_REGION}.amazonaws.com"
    for group in whole.assembly.of(LOG_GROUP):
        key = whole.assembly.find(group.properties.get("KmsKeyId"), KEY)
        if key is not None and not lets_service(statements(key.properties.get("KeyPolicy")), service, "kms:Encrypt"):
            message = (
                f"the key {key.logical_id} does not let CloudWatch Logs use it; allow kms:Encrypt, kms:Decrypt, "
                f"kms:ReEncrypt*, kms:GenerateDataKey* and kms:DescribeKey to the service {service} in the key's policy"
            )
            yield Found(group, message, "KmsKeyId")


RULES: tuple[Rule, ...] = (output_not_writable, log_not_writable, log_group_not_encrypted)


@dataclass
class _Writers:
    """The nodes that write output."""

    whole: Whole

    @cached_property
    def instances(self) -> list[tuple[Resource, Resource]]:
        """The instances of the assembly, each with its role."""
        found = []
        for instance in self.whole.assembly.of("AWS::EC2::Instance"):
            profile = self.whole.assembly.find(
                instance.properties.get("IamInstanceProfile"), "AWS::IAM::InstanceProfile"
            )
            roles = list(texts(profile.listed("Roles"))) if profile else []
            role = self.whole.permissions.role(roles[0]) if roles else None
            if role is not None:
                found.append((instance, role))
        return found

    @cached_property
    def policies(self) -> list[Resource]:
        """The managed policies that the assembly makes for nodes: nothing has them but the roles of nodes."""
        assembly = self.whole.assembly
        used = {arn for role in assembly.of(ROLE) if not is_of_node(role) for arn in texts(role.listed(_ATTACHED))}
        return [
            one
            for one in assembly.of(MANAGED_POLICY)
            if one.arn not in used and not any(one.listed(key) for key in ("Roles", "Users", "Groups"))
        ]

    @cached_property
    def granted(self) -> Granted:
        """What these policies say together."""
        return Granted(tuple(one for policy in self.policies for one in _statements(policy)))

    def roles(self, command: Command) -> list[Resource]:
        """Return the roles of the instances that a command is sent to."""
        groups = target_groups(command.sender)
        found = [role for instance, role in self.instances if any(_selects(group, instance) for group in groups)]
        return list({role.name: role for role in found}.values())

    def are_elsewhere(self, command: Command) -> bool:
        """Tell whether the nodes are surely none of the assembly's, so that somebody gives them its policies."""
        groups = target_groups(command.sender)
        tags = all(
            isinstance(one, Mapping) and is_known(one.get("Key")) and str(one["Key"]).startswith("tag:")
            for group in groups
            for one in group
        )
        return bool(groups) and tags and not self.roles(command)

    def policies_about(self, action: str, place: str) -> list[Resource]:
        """Return the policies for nodes that say in so many words what may be done in a place."""
        return [one for one in self.policies if any(_names(said, action, place) for said in _statements(one))]

    def may_use(self, key: Resource) -> bool:
        """Tell whether a node with these policies can use a key."""
        left = self.whole.permissions.leaves_to_account(_ENCRYPT, key)
        return (left and self.granted.may(_ENCRYPT, key.arn)) or names_somebody(key, _ENCRYPT)


def _statements(policy: Resource) -> list[Statement]:
    return statements(policy.properties.get("PolicyDocument"))


def _may_not(what: str, where: str, who: str = "with this role") -> str:
    return f"a command writes its output {where}, and a node {who} may not; allow it {what}"


def _names(statement: Statement, action: str, place: str) -> bool:
    actions = texts(listed(statement.content.get("Action")))
    resources = texts(listed(statement.content.get("Resource")))
    return (
        statement.allows
        and any(surely_matches(one.lower(), action.lower()) for one in actions)
        and any(one.startswith(place) for one in resources)
    )


def _selects(group: list[Any], instance: Resource) -> bool:
    """Tell whether a group of targets surely selects an instance."""
    given: dict[str, tuple[str, ...]] = {
        str(one.get("Key")): tuple(texts(listed(one.get("Values")))) for one in group if isinstance(one, Mapping)
    }
    if len(given) != len(group) or not given:
        return False
    if "InstanceIds" in given:
        return instance.name in given["InstanceIds"]
    tags = [one for one in instance.listed("Tags") if isinstance(one, Mapping)]
    return Targets(tuple(given.items())).match("", {str(one.get("Key")): str(one.get("Value")) for one in tags})


def _bucket_policy(whole: Whole, bucket: Resource) -> list[Statement]:
    return [
        statement
        for policy in whole.assembly.of("AWS::S3::BucketPolicy")
        if policy.properties.get("Bucket") == bucket.name
        for statement in statements(policy.properties.get("PolicyDocument"))
    ]


def _bucket_key(whole: Whole, bucket: Resource) -> Resource | None:
    """Return the key of the assembly that encrypts a bucket's objects."""
    rules = bucket.properties.get("BucketEncryption")
    rules = rules.get("ServerSideEncryptionConfiguration") if isinstance(rules, Mapping) else None
    for rule in (one for one in listed(rules) if isinstance(one, Mapping)):
        by_default = rule.get("ServerSideEncryptionByDefault")
        if isinstance(by_default, Mapping):
            return whole.assembly.find(by_default.get("KMSMasterKeyID"), KEY)
    return None
