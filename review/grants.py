"""Who may do what by an environment's templates: roles, policies that people attach, and policies of resources.

Follows https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import groupby

from patching.schedule_words import joined
from patching.template_rules.assembly import Resource, listed, texts
from patching.template_rules.permissions import MANAGED_POLICY, ROLE, Statement, statements
from review.facts import Facts, identity
from review.model import Grant

_IDENTITY_POLICIES = ("AWS::IAM::Policy", "AWS::IAM::RolePolicy", MANAGED_POLICY)
_RESOURCE_POLICIES = {
    "AWS::S3::BucketPolicy": ("PolicyDocument", "Bucket"),
    "AWS::SNS::TopicPolicy": ("PolicyDocument", "Topics"),
    "AWS::SQS::QueuePolicy": ("PolicyDocument", "Queues"),
    "AWS::KMS::Key": ("KeyPolicy", ""),
}
_ARN = re.compile(r"^arn:(?:<AWS::Partition>|aws):([a-z0-9-]*):(?:<AWS::Region>|\*)?:(<AWS::AccountId>|aws)?:(?=.)")
_OPERATORS = {
    "StringEquals": "is",
    "ArnEquals": "is",
    "StringNotEquals": "is not",
    "StringLike": "is like",
    "ArnLike": "is like",
    "Bool": "is",
    "NumericLessThan": "is below",
}


@dataclass(frozen=True, order=True)
class Atom:
    """One action on one thing, by somebody: the smallest part of a permission, by which two sets of them compare."""

    who: str
    source: str
    may: bool
    condition: str
    action: str
    on: str


def atoms(facts: Facts) -> list[Atom]:
    """Return everything that the templates allow and forbid, part by part."""
    return [*dict.fromkeys(_atoms(facts))]


def grants(before: Iterable[Atom] | None, after: Iterable[Atom]) -> tuple[Grant, ...]:
    """Put the parts together again, each with whether it is new or gone; None before is: nothing to compare with."""
    new = list(after)
    old = new if before is None else list(before)
    known, left = {_key(one) for one in old}, {_key(one) for one in new}
    marked = [("" if _key(one) in known else "added", one) for one in new]
    marked += [("removed", one) for one in old if _key(one) not in left]
    order = {who: index for index, who in enumerate(dict.fromkeys(one.who for _, one in marked))}

    def group(entry: tuple[str, Atom]) -> tuple[int, str, str, bool, str, str]:
        change, one = entry
        return order[one.who], change, one.source, one.may, one.condition, one.action

    on: dict[tuple[int, str, str, bool, str, str], list[str]] = {}
    for entry in sorted(marked, key=lambda entry: (group(entry), entry[1].on)):
        on.setdefault(group(entry), []).append(entry[1].on)
    whos = list(order)
    rows = [
        Grant(
            who=whos[number],
            resource_id=source,
            may=may,
            actions=(action,),
            on=tuple(found),
            condition=condition,
            wildcard=may and any("*" in text for text in (action, *found)),
            change=change,
        )
        for (number, change, source, may, condition, action), found in on.items()
    ]
    return tuple(_with_actions(rows))


def _key(one: Atom) -> Atom:
    """Return what of a permission counts: not which of several policies says so."""
    return replace(one, source="")


def _with_actions(rows: list[Grant]) -> Iterator[Grant]:
    """Yield one grant where several differ in their action only."""

    def same(one: Grant) -> tuple[object, ...]:
        return one.who, one.change, one.resource_id, one.may, one.condition, one.on

    positions = {same(one): index for index, one in reversed(list(enumerate(rows)))}
    for _, found in groupby(sorted(rows, key=lambda one: positions[same(one)]), key=same):
        several = list(found)
        actions = tuple(action for one in several for action in one.actions)
        yield several[0].model_copy(update={"actions": actions, "wildcard": any(one.wildcard for one in several)})


def in_words(grant: Grant) -> str:
    """Say a permission that is new or gone."""
    verb = {"added": "may now", "removed": "may no longer"}[grant.change]
    if not grant.may:
        verb = {"added": "must no longer", "removed": "is no longer forbidden to"}[grant.change]
    condition = f", if {grant.condition}" if grant.condition else ""
    return f"{grant.who} {verb} {joined(list(grant.actions))} on {joined(list(grant.on))}{condition}"


def _atoms(facts: Facts) -> Iterator[Atom]:
    for role in facts.assembly.of(ROLE):
        yield from _of_role(facts, role)
    for policy in facts.assembly.of(*_IDENTITY_POLICIES):
        holders = _holders(facts, policy) or [f"whoever has the policy {facts.label(policy)}"]
        for statement in statements(policy.properties.get("PolicyDocument")):
            for who in holders:
                yield from _of(facts, who, policy, statement)
    for kind, (document, named) in _RESOURCE_POLICIES.items():
        for policy in facts.assembly.of(kind):
            own = joined([_named(facts, one) for one in texts(policy.listed(named))]) if named else facts.label(policy)
            for statement in statements(policy.properties.get(document)):
                for principal in _principals(facts, statement):
                    yield from _of(facts, principal, policy, statement, own)
    for permission in facts.assembly.of("AWS::Lambda::Permission"):
        yield _of_function(facts, permission)


def _of_role(facts: Facts, role: Resource) -> Iterator[Atom]:
    """Yield who may be a role, and what its inline policies and those of AWS's say."""
    who = f"role {facts.label(role)}"
    for statement in statements(role.properties.get("AssumeRolePolicyDocument")):
        for principal in _principals(facts, statement):
            yield from _of(facts, principal, role, statement, f"the {who}")
    for policy in role.listed("Policies"):
        if isinstance(policy, Mapping):
            for statement in statements(policy.get("PolicyDocument")):
                yield from _of(facts, who, role, statement)
    for arn in texts(role.listed("ManagedPolicyArns")):
        if facts.assembly.find(arn, MANAGED_POLICY) is None:
            action = f"everything in the policy {_short(facts.shown(arn))}"
            yield Atom(who, identity(role), may=True, condition="", action=action, on="what that names")


def _of_function(facts: Facts, permission: Resource) -> Atom:
    properties = permission.properties
    source = facts.shown(properties.get("SourceArn") or "")
    return Atom(
        facts.shown(properties.get("Principal")),
        identity(permission),
        may=True,
        condition=f"aws:SourceArn is {_short(source)}" if source else "",
        action=facts.shown(properties.get("Action")),
        on=_short(facts.shown(properties.get("FunctionName"))),
    )


def _holders(facts: Facts, policy: Resource) -> list[str]:
    roles = [facts.assembly.find(name, ROLE) for name in texts((*policy.listed("Roles"), *policy.listed("RoleName")))]
    found = {id(role): role for role in roles if role is not None}
    if policy.type == MANAGED_POLICY:
        found |= {
            id(role): role
            for role in facts.assembly.of(ROLE)
            if any(
                facts.assembly.find(arn, MANAGED_POLICY) is policy for arn in texts(role.listed("ManagedPolicyArns"))
            )
        }
    return [f"role {facts.label(role)}" for role in found.values()]


def _of(facts: Facts, who: str, source: Resource, statement: Statement, own: str = "") -> Iterator[Atom]:
    content = statement.content
    condition = _condition(facts, statement)
    actions = _all_of(facts, content, "Action")
    resources = [own] if own and not content.get("NotResource") else _all_of(facts, content, "Resource")
    for action in actions:
        for on in resources:
            yield Atom(who, identity(source), statement.allows, condition, action, on)


def _all_of(facts: Facts, content: Mapping[str, object], key: str) -> list[str]:
    if f"Not{key}" in content:
        return [f"everything but {joined([_short(facts.shown(one)) for one in texts(listed(content[f'Not{key}']))])}"]
    return [_short(facts.shown(one)) for one in texts(listed(content.get(key)))]


def _principals(facts: Facts, statement: Statement) -> list[str]:
    found = statement.content.get("Principal")
    if "NotPrincipal" in statement.content:
        return ["everybody but some (NotPrincipal)"]
    if found == "*":
        return ["everybody (*)"]
    if not isinstance(found, Mapping):
        return ["somebody who is not known before the deployment"]
    named = [facts.shown(one) for values in found.values() for one in texts(listed(values))]
    return ["everybody (*)" if one == "*" else _principal(one) for one in named]


def _principal(text: str) -> str:
    return "the account" if text.endswith(":root") and "<AWS::AccountId>" in text else _short(text)


def _named(facts: Facts, text: str) -> str:
    found = facts.assembly.find(text, "AWS::S3::Bucket", "AWS::SNS::Topic", "AWS::SQS::Queue")
    return facts.label(found) if found else _short(facts.shown(text))


def _short(arn: str) -> str:
    """Write an ARN without what all have in common: its partition, Region and account."""
    match = _ARN.match(arn)
    if not match:
        return arn
    return f"{match[1]} {arn[match.end() :]}"


def _condition(facts: Facts, statement: Statement) -> str:
    if "Condition" in statement.content and not statement.conditions:
        return "something that is not known before the deployment"
    parts = []
    for operator, block in statement.conditions.items():
        for key, value in block.items():
            values = [_short(facts.shown(one if isinstance(one, str) else json.dumps(one))) for one in listed(value)]
            parts.append(f"{key} {_OPERATORS.get(operator, operator)} {joined(values, 'or')}")
    return joined(parts)
