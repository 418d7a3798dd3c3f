"""Roles, managed policies and instance profiles, which moto makes in part and cannot change.

Each class here follows the resource's page in
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/. A permissions boundary is kept, and not asked.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

from moto.cloudformation.exceptions import UnformattedGetAttTemplateException
from moto.core.common_models import CloudFormationModel
from moto.iam.exceptions import DeleteConflictException
from moto.iam.models import IAMBackend, InstanceProfile, Role, iam_backends

from lab.aws.cloudformation import policy_sizes
from lab.aws.cloudformation.completed import Replaced
from lab.aws.cloudformation.resource import PARTITION, Properties, Resource

_SESSION = 3600
"""How long a session lasts at most if nothing is said, in seconds."""


class RoleResource(Replaced, CloudFormationModel):
    """A role with its managed policies, which moto leaves out, and with what a template changes of it."""

    moto_class = Role
    name_property = "RoleName"
    deleted_last = True
    replaces_on = ("Path", "RoleName")

    @classmethod
    def prepared(cls, properties: Properties) -> Properties:
        return {key: value for key, value in properties.items() if key != "Policies"}

    @classmethod
    def complete(cls, resource: Role, properties: Properties, account_id: str, region: str) -> None:  # noqa: ARG003
        backend = iam_backends[account_id][PARTITION]
        # Not by moto's operations: they refuse policies without a version, which IAM takes.
        trust = json.dumps(properties["AssumeRolePolicyDocument"])
        policy_sizes.check_trust(trust)
        resource.assume_role_policy_document = trust
        backend.update_role(
            resource.name, properties.get("Description", ""), properties.get("MaxSessionDuration", _SESSION)
        )
        boundary = properties.get("PermissionsBoundary")
        if boundary:
            backend.put_role_permissions_boundary(resource.name, boundary)
        else:
            backend.delete_role_permissions_boundary(resource.name)
        resource.tags = list(properties.get("Tags", ()))
        inline = {one["PolicyName"]: one["PolicyDocument"] for one in properties.get("Policies", ())}
        for name in set(resource.policies) - set(inline) - _policies_of_their_own(backend, resource):
            resource.delete_policy(name)
        for name, document in inline.items():
            policy = json.dumps(document)
            policy_sizes.check_inline(resource, name, policy)
            resource.put_policy(name, policy)
        _attach(backend, resource, properties.get("ManagedPolicyArns", ()))

    @classmethod
    def delete_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: dict[str, Any], account_id: str, region_name: str
    ) -> None:
        backend = iam_backends[account_id][PARTITION]
        for role in backend.roles.values():
            if role.name == resource_name:
                _attach(backend, role, ())
        Role.delete_from_cloudformation_json(resource_name, cloudformation_json, account_id, region_name)


def _policies_of_their_own(backend: IAMBackend, role: Role) -> set[str]:
    """Return the inline policies of a role that are resources by themselves, of the type AWS::IAM::Policy."""
    return {policy.policy_name for policy in backend.inline_policies.values() if role.name in policy.role_names}


def _attach(backend: IAMBackend, role: Role, wanted: Iterable[str]) -> None:
    """Have a role have just these managed policies, and those that say themselves that they are its."""
    arns = set(wanted) | {arn for arn, policy in role.managed_policies.items() if role.name in _said_by(policy)}
    for arn in set(role.managed_policies) - arns:
        backend.detach_role_policy(arn, role.name)
    for arn in sorted(arns - set(role.managed_policies)):
        backend.attach_role_policy(arn, role.name)


def _said_by(policy: Any) -> Iterable[str]:  # noqa: ANN401 moto's own class
    roles: Iterable[str] = getattr(policy, "lab_roles", ())
    return roles


class ManagedPolicyResource(Resource, CloudFormationModel):
    """A managed policy, attached to what it names. A change takes the place of its version: moto keeps five at most."""

    type_name = "AWS::IAM::ManagedPolicy"
    name_property = "ManagedPolicyName"
    replaces_on = frozenset({"Description", "ManagedPolicyName", "Path"})
    attributes = ("PolicyArn",)

    @classmethod
    def create(cls, properties: Properties, account_id: str, region: str) -> Resource:
        backend = iam_backends[account_id][PARTITION]
        policy = backend.create_policy(
            description=properties.get("Description", ""),
            path=properties.get("Path", "/"),
            policy_document=json.dumps(properties["PolicyDocument"]),
            policy_name=properties["ManagedPolicyName"],
            tags=[],
        )
        resource = cls(policy.arn, {}, account_id, region)
        resource._attach(properties)
        return resource

    def get_cfn_attribute(self, attribute_name: str) -> str:
        if attribute_name in self.attributes:
            return self._physical_id
        raise UnformattedGetAttTemplateException

    def change(self, properties: Properties) -> None:
        backend = self._backend
        old = backend.get_policy(self._physical_id).default_version_id
        backend.create_policy_version(self._physical_id, json.dumps(properties["PolicyDocument"]), set_as_default=True)
        backend.delete_policy_version(self._physical_id, old)
        self._attach(properties)

    def delete(self, account_id: str, region_name: str) -> None:  # noqa: ARG002
        """Delete it.

        Raises:
            DeleteConflictException: something has it that the template does not name.
        """
        self._attach({})
        backend = self._backend
        entities = [*backend.roles.values(), *backend.users.values(), *backend.groups.values()]
        if any(self._physical_id in one.managed_policies for one in entities):
            raise DeleteConflictException("Cannot delete a policy attached to entities.")
        backend.delete_policy(self._physical_id)

    def _attach(self, properties: Properties) -> None:
        """Attach it to what the properties name, and take it from what only the former ones named."""
        backend, arn = self._backend, self._physical_id
        policy = backend.get_policy(arn)
        policy.lab_roles = tuple(properties.get("Roles", ()))
        kinds: tuple[tuple[str, Iterable[Any], Callable[..., None], Callable[..., None]], ...] = (
            ("Roles", backend.roles.values(), backend.attach_role_policy, backend.detach_role_policy),
            ("Users", backend.users.values(), backend.attach_user_policy, backend.detach_user_policy),
            ("Groups", backend.groups.values(), backend.attach_group_policy, backend.detach_group_policy),
        )
        for key, entities, attach, detach in kinds:
            has = {one.name for one in entities if arn in one.managed_policies}
            wanted = set(properties.get(key, ()))
            for name in sorted(has & (set(self.properties.get(key, ())) - wanted)):
                detach(arn, name)
            for name in sorted(wanted - has):
                attach(arn, name)

    @property
    def _backend(self) -> IAMBackend:
        return iam_backends[self.account_id][PARTITION]


class InstanceProfileResource(Replaced, CloudFormationModel):
    """An instance profile, which moto cannot change."""

    moto_class = InstanceProfile
    name_property = "InstanceProfileName"
    deleted_last = True
    replaces_on = ("InstanceProfileName", "Path")

    @classmethod
    def complete(cls, resource: InstanceProfile, properties: Properties, account_id: str, region: str) -> None:  # noqa: ARG003
        backend = iam_backends[account_id][PARTITION]
        resource.roles = [backend.get_role(name) for name in properties["Roles"]]
