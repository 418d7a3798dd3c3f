"""Rules about the roles as which Systems Manager acts: who may assume them, and what they may do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from patching.template_rules.assembly import PARTITION, listed, texts
from patching.template_rules.commands import ASSOCIATION, RUN_COMMAND, TASK, run_command, run_command_tasks
from patching.template_rules.finding import Found, Rule, Whole
from patching.template_rules.permissions import Granted, Statement
from patching.template_rules.text import PSEUDO, UNKNOWN, may_match

SSM = "ssm.amazonaws.com"
_REGION, _ACCOUNT = PSEUDO["AWS::Region"], PSEUDO["AWS::AccountId"]
_NODES = (
    f"{PARTITION}ec2:{_REGION}:{_ACCOUNT}:instance/i-{UNKNOWN}",
    f"{PARTITION}ssm:{_REGION}:{_ACCOUNT}:managed-instance/mi-{UNKNOWN}",
)


def role_not_trusting(whole: Whole) -> Iterator[Found]:
    """Find roles that Systems Manager is to act as, and may not assume.

    The role of a window's task, the role that publishes for a command, and the role as which an association dispatches
    each have to trust ssm.amazonaws.com. See
    https://docs.aws.amazon.com/systems-manager/latest/userguide/configuring-maintenance-window-permissions-cli.html.
    """
    tasks, associations = whole.assembly.of(TASK), whole.assembly.of(ASSOCIATION)
    commands = [run_command(one) or {} for one in run_command_tasks(whole.assembly)]
    uses: dict[str, list[str]] = {}
    for use, arns in (
        ("a window's task runs", [one.properties.get("ServiceRoleArn") for one in tasks]),
        ("Run Command publishes", [one.get("ServiceRoleArn") for one in commands]),
        ("an association runs", [one.properties.get("AssociationDispatchAssumeRole") for one in associations]),
    ):
        for arn in dict.fromkeys(texts(arns)):
            uses.setdefault(arn, []).append(use)
    for arn, what in uses.items():
        role = whole.permissions.role(arn)
        if role is not None and not whole.permissions.trusts(role, SSM):
            message = (
                f"{' and '.join(what)} as this role, which Systems Manager may not assume; let its trust policy allow "
                f"sts:AssumeRole to {SSM}"
            )
            yield Found(role, message, "AssumeRolePolicyDocument")


def sender_may_not_send(whole: Whole) -> Iterator[Found]:
    """Find window tasks whose role may not send the task's document, or not to any node.

    The two are asked separately: a statement that allows both on condition of a node's tag allows no document of AWS's,
    which has no tags of yours. See https://docs.aws.amazon.com/systems-manager/latest/userguide/run-command-setting-up.html.
    """
    for task in run_command_tasks(whole.assembly):
        role = whole.permissions.role(task.properties.get("ServiceRoleArn"))
        document = task.properties.get("TaskArn")
        if role is None or not isinstance(document, str):
            continue
        granted = whole.permissions.of(role)
        arn = _document_arn(whole, document)
        if not _may_send(granted, arn):
            message = (
                f"a window's task sends {document} as this role, which may not; allow it ssm:SendCommand on {arn}, in "
                "a statement without a condition on tags"
            )
            yield Found(role, message)
        if not any(granted.may("ssm:SendCommand", node) for node in _NODES):
            message = (
                "a window's task sends commands as this role, which may send to no node; allow it ssm:SendCommand on "
                f"instances too, such as {PARTITION}ec2:{_REGION}:{_ACCOUNT}:instance/*"
            )
            yield Found(role, message)


def publish_role_not_passed(whole: Whole) -> Iterator[Found]:
    """Find commands of windows that are to tell a topic how they went, and cannot.

    Run Command publishes as the role in the command's parameters, which the window's own role has to be allowed to
    pass; the service-linked role of Systems Manager is not. See
    https://docs.aws.amazon.com/systems-manager/latest/userguide/monitoring-sns-notifications.html.
    """
    for task in run_command_tasks(whole.assembly):
        sent = run_command(task) or {}
        told = sent.get("NotificationConfig")
        if not isinstance(told, Mapping) or not told.get("NotificationArn"):
            continue
        publisher, sender = sent.get("ServiceRoleArn"), task.properties.get("ServiceRoleArn")
        if not publisher:
            message = (
                "the command names a topic, but no role that publishes to it; name one in ServiceRoleArn of the "
                "command's parameters"
            )
            yield Found(task, message, f"{RUN_COMMAND}.ServiceRoleArn")
        elif not sender:
            message = (
                "the window's task has no role of its own, and the service-linked one may not pass the role that "
                "publishes; name a role in ServiceRoleArn that may"
            )
            yield Found(task, message, "ServiceRoleArn")
        else:
            role = whole.permissions.role(sender)
            if role is not None and not _may_pass(whole.permissions.of(role), str(publisher)):
                message = (
                    "a window's task sends commands as this role, which may not pass the role that publishes how they "
                    f"went: none is sent; allow it iam:PassRole on {publisher}, for {SSM}"
                )
                yield Found(role, message)


RULES: tuple[Rule, ...] = (role_not_trusting, sender_may_not_send, publish_role_not_passed)


def _document_arn(whole: Whole, document: str) -> str:
    """Return a document's ARN from its name or ARN; one of AWS's has no account in it."""
    if document.startswith("arn:") or UNKNOWN in document:
        return document
    own = whole.assembly.find(document, "AWS::SSM::Document")
    if own is not None:
        return own.arn
    account = "" if document.startswith("AWS-") else _ACCOUNT
    return f"{PARTITION}ssm:{_REGION}:{account}:document/{document}"


def _may_send(granted: Granted, arn: str) -> bool:
    if not granted.may("ssm:SendCommand", arn):
        return False
    of_aws = "::document/" in arn
    allowing = list(granted.allowing("ssm:SendCommand", arn))
    return not granted.complete or not of_aws or any(not _asks_for_a_tag(one) for one in allowing)


def _asks_for_a_tag(statement: Statement) -> bool:
    """Tell whether a statement's conditions want a tag of the resource, so that nothing without it is allowed."""
    return any(
        operator.startswith(("String", "ForAnyValue:String"))
        and "Not" not in operator
        and not operator.endswith("IfExists")
        and any(key.lower().startswith(("ssm:resourcetag/", "aws:resourcetag/")) for key in block)
        for operator, block in statement.conditions.items()
    )


def _may_pass(granted: Granted, publisher: str) -> bool:
    if not granted.may("iam:PassRole", publisher):
        return False
    return not granted.complete or any(_for_ssm(one) for one in granted.allowing("iam:PassRole", publisher))


def _for_ssm(statement: Statement) -> bool:
    """Tell whether the condition on the service that a role is passed to, if there is one, lets Systems Manager in."""
    wanted: list[Any] = [
        value
        for operator, block in statement.conditions.items()
        if operator.startswith(("StringEquals", "StringLike"))
        for key, value in block.items()
        if key.lower() == "iam:passedtoservice"
    ]
    return all(any(may_match(one, SSM) for one in texts(listed(value))) for value in wanted)
