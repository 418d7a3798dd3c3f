"""Who may do what by the policies of an assembly; where a policy is not known, the answer is yes.

Follows https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html. Conditions are taken
to hold, but for the few that a rule asks about; permission boundaries and organization policies are left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from patching.template_rules.assembly import Assembly, Resource, listed, texts
from patching.template_rules.text import PSEUDO, UNKNOWN, may_match, surely_matches

ROLE, MANAGED_POLICY = "AWS::IAM::Role", "AWS::IAM::ManagedPolicy"
_ATTACHED = ("AWS::IAM::Policy", "AWS::IAM::RolePolicy", MANAGED_POLICY)
_NODE_POLICY = "AmazonSSMManagedInstanceCore"
_ACCOUNT = PSEUDO["AWS::AccountId"]


@dataclass(frozen=True)
class Statement:
    """A statement of a policy, or, with `UNKNOWN` wherever something is asked, one of a policy that is not known."""

    content: Mapping[str, Any]

    @property
    def allows(self) -> bool:
        """Whether it allows, or is not known."""
        return self.content.get("Effect") != "Deny"

    @property
    def conditions(self) -> dict[str, dict[str, Any]]:
        """Its conditions by operator and key; none if they are not known."""
        found = self.content.get("Condition")
        if not isinstance(found, Mapping):
            return {}
        return {operator: dict(block) for operator, block in found.items() if isinstance(block, Mapping)}

    def may_concern(self, action: str, resource: str) -> bool:
        """Tell whether it can be about an action on a resource."""
        return _may_be(self.content, "Action", action) and _may_be(self.content, "Resource", resource)

    def surely_denies(self, action: str, resource: str) -> bool:
        """Tell whether it denies the action on the resource whatever the conditions and values are."""
        return (
            self.content.get("Effect") == "Deny"
            and "Condition" not in self.content
            and any(surely_matches(one.lower(), action.lower()) for one in texts(listed(self.content.get("Action"))))
            and any(surely_matches(one, resource) for one in texts(listed(self.content.get("Resource"))))
        )

    def may_name(self, kind: str, principal: str) -> bool:
        """Tell whether it is a resource policy's statement about a principal, such as ("Service", "ssm.amazonaws.com").

        Everybody (`*`) is a principal of every kind.
        """
        return "*" in self.principals("AWS") or any(may_match(one, principal) for one in self.principals(kind))

    def principals(self, kind: str) -> list[str]:
        """Return the principals of a kind that it names."""
        found = self.content.get("Principal", UNKNOWN if "NotPrincipal" in self.content else None)
        if isinstance(found, str):
            return [found]
        return list(texts(listed(found.get(kind)))) if isinstance(found, Mapping) else []


def statements(document: object) -> list[Statement]:
    """Return the statements of a policy document."""
    if document is None:
        return []
    if not isinstance(document, Mapping):
        return [Statement({"Effect": "Allow", "Action": UNKNOWN, "Resource": UNKNOWN, "Principal": UNKNOWN})]
    return [
        Statement(one) if isinstance(one, Mapping) else statements(UNKNOWN)[0]
        for one in listed(document.get("Statement"))
    ]


def _may_be(content: Mapping[str, Any], key: str, value: str) -> bool:
    fold = str.lower if key == "Action" else str
    value = fold(value)
    if f"Not{key}" in content:
        return not any(surely_matches(fold(one), value) for one in texts(listed(content[f"Not{key}"])))
    return any(may_match(fold(one), value) for one in texts(listed(content.get(key))))


@dataclass(frozen=True)
class Granted:
    """What identity policies say.

    Attributes:
        statements: all of their statements.
        complete: whether these are all; if not, anything may be allowed.
    """

    statements: tuple[Statement, ...]
    complete: bool = True

    def allowing(self, action: str, resource: str) -> Iterator[Statement]:
        """Yield the statements that can allow an action on a resource."""
        return (one for one in self.statements if one.allows and one.may_concern(action, resource))

    def may(self, action: str, resource: str) -> bool:
        """Tell whether an action on a resource can be allowed."""
        if any(one.surely_denies(action, resource) for one in self.statements):
            return False
        return not self.complete or any(True for _ in self.allowing(action, resource))


class Permissions:
    """The policies of an assembly."""

    def __init__(self, assembly: Assembly) -> None:
        self._assembly = assembly
        self._granted: dict[int, Granted] = {}

    def of(self, role: Resource) -> Granted:
        """Return what the policies of a role say."""
        if id(role) not in self._granted:
            self._granted[id(role)] = self._of(role)
        return self._granted[id(role)]

    def role(self, text: object) -> Resource | None:
        """Return the role of this name or ARN; None if it is not in the assembly."""
        return self._assembly.find(text, ROLE)

    def trusts(self, role: Resource, service: str) -> bool:
        """Tell whether a service can assume a role."""
        document = statements(role.properties.get("AssumeRolePolicyDocument"))
        return any(
            one.allows and _may_be(one.content, "Action", "sts:AssumeRole") and one.may_name("Service", service)
            for one in document
        )

    def may(self, role: Resource, action: str, resource: str, policy: Iterable[Statement] = ()) -> bool:
        """Tell whether a role can be allowed an action, by its own policies or the resource's."""
        return self.of(role).may(action, resource) or _lets(policy, "AWS", role.arn, action)

    def may_use(self, role: Resource, action: str, key: Resource) -> bool:
        """Tell whether a role can be allowed to use a key.

        The role's own policies count only where the key's policy leaves that to the account; see
        https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html.
        """
        left = self.leaves_to_account(action, key) and self.of(role).may(action, key.arn)
        return left or key_lets(key, "AWS", role.arn, action)

    def leaves_to_account(self, action: str, key: Resource) -> bool:
        """Tell whether a key's policy lets the account's own policies allow an action."""
        if "KeyPolicy" not in key.properties:
            return True
        root = f"arn:{PSEUDO['AWS::Partition']}:iam::{_ACCOUNT}:root"
        return any(key_lets(key, "AWS", account, action) for account in (root, _ACCOUNT))

    def _of(self, role: Resource) -> Granted:
        found = [one for policy in role.listed("Policies") for one in _inline(policy)]
        complete = UNKNOWN not in role.listed("Policies")
        for arn in texts(role.listed("ManagedPolicyArns")):
            policy = self._assembly.find(arn, MANAGED_POLICY)
            known = _AWS_POLICIES.get(arn.rpartition(":policy/")[2]) if ":iam::aws:" in arn else None
            if policy is not None:
                found += statements(policy.properties.get("PolicyDocument"))
            elif known is not None:
                found += known
            else:
                complete = False
        for policy in self._assembly.of(*_ATTACHED):
            roles = list(texts((*policy.listed("Roles"), *policy.listed("RoleName"))))
            if role.name in roles or UNKNOWN in roles:
                found += statements(policy.properties.get("PolicyDocument"))
        return Granted(tuple(found), complete)


def is_of_node(role: Resource) -> bool:
    """Tell whether a role is a managed node's: AWS's own policy for nodes is attached to it."""
    return any(arn.endswith(f"policy/{_NODE_POLICY}") for arn in texts(role.listed("ManagedPolicyArns")))


def key_lets(key: Resource, kind: str, principal: str, action: str) -> bool:
    """Tell whether a key's own policy can let a principal do something with it."""
    return _lets(statements(key.properties.get("KeyPolicy")), kind, principal, action)


def names_somebody(key: Resource, action: str) -> bool:
    """Tell whether a key's policy lets anybody but the account as a whole do something with it."""
    return any(
        one.allows
        and _may_be(one.content, "Action", action)
        and any(not who.endswith(":root") and who != _ACCOUNT for who in one.principals("AWS"))
        for one in statements(key.properties.get("KeyPolicy"))
    )


def lets_service(policy: Iterable[Statement], service: str, action: str) -> bool:
    """Tell whether a resource's policy can let a service do something."""
    return _lets(policy, "Service", service, action)


def _lets(policy: Iterable[Statement], kind: str, principal: str, action: str) -> bool:
    return any(
        one.allows and _may_be(one.content, "Action", action) and one.may_name(kind, principal) for one in policy
    )


def _inline(policy: object) -> list[Statement]:
    return statements(policy.get("PolicyDocument")) if isinstance(policy, Mapping) else []


_AWS_POLICIES = {
    _NODE_POLICY: (
        Statement({"Effect": "Allow", "Action": ["ssm:*", "ssmmessages:*", "ec2messages:*"], "Resource": "*"}),
    )
}
"""What policies of AWS's allow at most, as far as it decides whether a node can write its output.

Follows https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AmazonSSMManagedInstanceCore.html.
"""
