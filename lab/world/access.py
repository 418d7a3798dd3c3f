"""What IAM policies allow, as far as the lab's own actions need it.

Follows https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html: a matching Deny wins,
then a matching Allow, and what nothing allows is denied. Of resource policies, what they say of AWS's services and of
roles of their own account counts. Permission boundaries, session policies and service control policies are left out:
nothing in the lab has them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

Statement = Mapping[str, Any]
_OPERATORS = frozenset(
    {
        "ArnEquals",
        "ArnLike",
        "ArnNotEquals",
        "ArnNotLike",
        "Bool",
        "Null",
        "NumericLessThan",
        "StringEquals",
        "StringLike",
        "StringNotEquals",
        "StringNotLike",
    }
)


def allowed(
    documents: Iterable[Mapping[str, Any]], action: str, resource: str, context: Mapping[str, str] | None = None
) -> bool:
    """Tell whether identity policies together allow an action on a resource.

    Args:
        documents: the policy documents of a principal.
        action: such as `s3:PutObject`.
        resource: its ARN, or `*` for an action that has none.
        context: values of condition keys.

    Raises:
        ValueError: a condition operator that this evaluation does not know.
    """
    found = False
    for document in documents:
        for statement in _statements(document):
            if not _concerns(statement, action, resource) or not _conditions_hold(statement, context or {}):
                continue
            if statement["Effect"] == "Deny":
                return False
            found = True
    return found


def permits(
    document: Mapping[str, Any], who: str, action: str, resource: str, context: Mapping[str, str] | None = None
) -> bool:
    """Tell whether a resource's policy lets a service of AWS, or a role of the resource's account, act on it.

    Args:
        document: the policy of the resource.
        who: the service's principal, such as `events.amazonaws.com`, or the role's ARN. A statement about the role's
            account is about the role too: with it the resource leaves it to IAM.
        action: such as `sns:Publish`.
        resource: the resource's ARN.
        context: values of condition keys.

    Raises:
        ValueError: a condition operator, or a kind of principal, that this evaluation does not know.
    """
    about = [statement for statement in _statements(document) if _is_about(statement, who)]
    return allowed([{"Statement": about}], action, resource, context)


def denies(
    document: Mapping[str, Any], who: str, action: str, resource: str, context: Mapping[str, str] | None = None
) -> bool:
    """Tell whether a resource's policy keeps somebody from acting on it who may by another policy.

    It takes what `permits` takes, and raises the same.
    """
    everything = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
    return not permits({"Statement": [*_statements(document), everything]}, who, action, resource, context)


def permits_role(document: Mapping[str, Any], role: str, action: str, resource: str) -> bool:
    """Tell whether the policy of an endpoint lets a role's request through.

    Args:
        document: the endpoint's policy.
        role: ARN of the role.
        action: such as `s3:PutObject`.
        resource: its ARN, or `*` for an action that has none.

    Raises:
        ValueError: a condition operator that this evaluation does not know.
    """
    account = role.split(":")[4] if role.startswith("arn:") else ""
    known = {"*", role, account, f"arn:aws:iam::{account}:root"}
    about = [
        statement
        for statement in _statements(document)
        if statement.get("Principal", "*") == "*" or known & set(_list(_aws_principals(statement)))
    ]
    context = {"aws:PrincipalAccount": account, "aws:ResourceAccount": account, "aws:PrincipalArn": role}
    return allowed([{"Statement": about}], action, resource, context)


def _aws_principals(statement: Statement) -> Any:  # noqa: ANN401 one or several
    principal = statement.get("Principal")
    return principal.get("AWS", ()) if isinstance(principal, Mapping) else ()


def without_conditions(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a policy as it would be if all of its conditions held: for saying that one of them does not."""
    kept = [
        {key: value for key, value in statement.items() if key != "Condition"}
        for statement in _statements(document)
        if statement["Effect"] == "Allow"
    ]
    return {"Statement": kept}


def trusts(document: Mapping[str, Any], service: str, context: Mapping[str, str] | None = None) -> bool:
    """Tell whether a trust policy lets a service assume its role.

    Args:
        document: the trust policy.
        service: the service's principal.
        context: values of condition keys that the service sends along; none by default.

    Raises:
        ValueError: a condition operator, or a kind of principal, that this evaluation does not know.
    """
    # The resource of a trust policy is the role that has it, and is not written.
    about = [{**statement, "Resource": "*"} for statement in _statements(document)]
    return permits({"Statement": about}, service, "sts:AssumeRole", "*", context)


def _statements(document: Mapping[str, Any]) -> list[Statement]:
    return _list(document.get("Statement", ()))


def _is_about(statement: Statement, who: str) -> bool:
    """Tell whether a statement of a resource policy is about a service or a role; `*` is everybody, services too."""
    if "NotPrincipal" in statement:
        message = "the lab does not know what NotPrincipal means"
        raise ValueError(message)
    principal = statement.get("Principal", {})
    if principal == "*":
        return True
    names = {"*", who}
    if who.startswith("arn:"):
        partition, account = who.split(":")[1], who.split(":")[4]
        names |= {account, f"arn:{partition}:iam::{account}:root"}
        return not names.isdisjoint(_list(principal.get("AWS", ())))
    return "*" in _list(principal.get("AWS", ())) or who in _list(principal.get("Service", ()))


def _concerns(statement: Statement, action: str, resource: str) -> bool:
    if "NotAction" in statement:
        if any(_matches(pattern.lower(), action.lower()) for pattern in _list(statement["NotAction"])):
            return False
    elif not any(_matches(pattern.lower(), action.lower()) for pattern in _list(statement.get("Action", ()))):
        return False
    if "NotResource" in statement:
        return not any(_matches(pattern, resource) for pattern in _list(statement["NotResource"]))
    return any(_matches(pattern, resource) for pattern in _list(statement.get("Resource", ())))


def _conditions_hold(statement: Statement, context: Mapping[str, str]) -> bool:
    # The names of condition keys are compared without regard to case.
    known = {key.lower(): value for key, value in context.items()}
    return all(
        _condition_holds(operator, known.get(key.lower()), [str(value) for value in _list(values)])
        for operator, block in statement.get("Condition", {}).items()
        for key, values in block.items()
    )


def _condition_holds(operator: str, found: str | None, values: list[str]) -> bool:
    base = operator.removesuffix("IfExists")
    if base not in _OPERATORS:
        message = f"the lab does not know the condition operator {operator}"
        raise ValueError(message)
    if found is None:
        if base == "Null":
            return "true" in values
        return operator.endswith("IfExists") or "Not" in base
    match base:
        case "StringEquals":
            return any(found == value for value in values)
        case "StringNotEquals":
            return all(found != value for value in values)
        # ArnEquals takes wildcards as ArnLike does, says IAM.
        case "StringLike" | "ArnLike" | "ArnEquals":
            return any(_matches(value, found) for value in values)
        case "StringNotLike" | "ArnNotLike" | "ArnNotEquals":
            return not any(_matches(value, found) for value in values)
        case "Bool":
            return found.lower() in [value.lower() for value in values]
        case "Null":
            return "false" in values
        case _:
            return any(float(found) < float(value) for value in values)


@lru_cache(maxsize=4096)
def _pattern(pattern: str) -> re.Pattern[str]:
    return re.compile("".join({"*": ".*", "?": "."}.get(char, re.escape(char)) for char in pattern), re.DOTALL)


def _matches(pattern: str, value: str) -> bool:
    return _pattern(pattern).fullmatch(value) is not None


def _list(value: Any) -> list[Any]:  # noqa: ANN401 a policy has one or several of anything
    return list(value) if isinstance(value, list | tuple) else [value]
