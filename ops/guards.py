"""What speaks against sending a command now: another run on the same nodes, a closed calendar, too many nodes.

Two runs of AWS-RunPatchBaseline on one node break each other, says
https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-troubleshooting.html; calendars follow
https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetCalendarState.html. Whether runs of associations
are in the list of commands is not documented: they are looked for by
https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeAssociationExecutions.html.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from ops.errors import OperationError
from ops.nodes import Node
from ops.permissions import Need, On
from ops.session import Session
from patching.deployment import Deployment
from patching.run_patch_baseline import DOCUMENT_NAME, DOCUMENT_WITH_HOOKS

RUN_NEEDS = (
    Need(On.ANYTHING, "ssm:ListAssociations", "ssm:ListCommands", "ssm:ListCommandInvocations"),
    Need(On.ASSOCIATIONS, "ssm:DescribeAssociationExecutions", "ssm:DescribeAssociationExecutionTargets"),
)
CALENDAR_NEEDS = (
    Need(On.ANYTHING, "ssm:ListAssociations"),
    Need(On.ASSOCIATIONS, "ssm:DescribeAssociation"),
    Need(On.CALENDARS, "ssm:GetCalendarState"),
)

PATCHING_DOCUMENTS = (DOCUMENT_NAME, DOCUMENT_WITH_HOOKS, "AWS-RunPatchBaselineAssociation")
_GOING_ON = ("Pending", "InProgress", "Cancelling")
_ON_A_NODE = {"Pending", "InProgress", "Delayed", "Cancelling"}
_NAMED = 3


def check_number(nodes: Sequence[Node], at_most: int | None) -> None:
    """Refuse more nodes than are allowed.

    Raises:
        OperationError: there are more.
    """
    if at_most is not None and len(nodes) > at_most:
        message = (
            f"{len(nodes)} nodes match, and --at-most is {at_most}; narrow the target down with --tag, or allow more"
        )
        raise OperationError(message)


def check_no_run(session: Session, nodes: Sequence[Node]) -> None:
    """Refuse nodes on which a patching command, or an association's run, is going on already.

    Raises:
        OperationError: there is such a node.
    """
    wanted = {node.id: node.name or node.id for node in nodes}
    for command in _going_on(session):
        if command.get("DocumentName") not in PATCHING_DOCUMENTS:
            continue
        command_id = command["CommandId"]
        remedy = f"wait for it with `patchops watch {command_id}`"
        _check(f"the command {command_id}", _nodes_of(session, command_id), wanted, remedy)
    for association in _associations_going_on(session):
        association_id = association["AssociationId"]
        remedy = f"wait for it: `aws ssm describe-association-executions --association-id {association_id}`"
        name = association.get("AssociationName") or association_id
        _check(f"the association {name}", _nodes_of_association(session, association_id), wanted, remedy)


def _check(what: str, on: Iterable[str], wanted: Mapping[str, str], remedy: str) -> None:
    busy = sorted({wanted[one] for one in on if one in wanted})
    if busy:
        more = f" and {len(busy) - _NAMED} more" if len(busy) > _NAMED else ""
        message = (
            f"{what} is patching {', '.join(busy[:_NAMED])}{more} already, and two runs on one node break each other; "
            f"{remedy}"
        )
        raise OperationError(message)


def check_calendars(session: Session, deployment: Deployment | None, named: Iterable[str]) -> None:
    """Refuse to go on while a Change Calendar is closed: one that is named, or that the environment's scans heed.

    Raises:
        OperationError: one is closed, or is not there.
    """
    for name in sorted({*named, *(_calendars_of(session, deployment) if deployment else ())}):
        try:
            state = session.ssm.get_calendar_state(CalendarNames=[name])
        except ClientError as error:
            code = error.response["Error"].get("Code", "")
            if code not in ("InvalidDocument", "InvalidDocumentType", "ValidationException"):
                raise
            message = f"there is no Change Calendar {name} in this Region; name one that is there with --calendar"
            raise OperationError(message) from None
        if state["State"] == "CLOSED":
            opens = state.get("NextTransitionTime", "")
            until = f" until {opens}" if opens else ""
            message = (
                f"the Change Calendar {name} is closed{until}; wait, or say --despite-calendar if it has to be now"
            )
            raise OperationError(message)


def _going_on(session: Session) -> Iterator[Any]:
    for status in _GOING_ON:
        pages = session.ssm.get_paginator("list_commands").paginate(
            Filters=[{"key": "Status", "value": status}], PaginationConfig={"PageSize": 50}
        )
        for page in pages:
            yield from page["Commands"]


def _nodes_of(session: Session, command_id: str) -> Iterator[str]:
    """Yield the nodes on which a command has not ended."""
    pages = session.ssm.get_paginator("list_command_invocations").paginate(
        CommandId=command_id, PaginationConfig={"PageSize": 50}
    )
    for page in pages:
        for one in page["CommandInvocations"]:
            if one.get("Status") in _ON_A_NODE:
                yield one["InstanceId"]


def _associations_going_on(session: Session) -> Iterator[Any]:
    pages = session.ssm.get_paginator("list_associations").paginate(PaginationConfig={"PageSize": 50})
    for page in pages:
        for one in page["Associations"]:
            if one.get("Name") in PATCHING_DOCUMENTS and one.get("Overview", {}).get("Status") in _ON_A_NODE:
                yield one


def _nodes_of_association(session: Session, association_id: str) -> Iterator[str]:
    """Yield the nodes on which a run of an association has not ended."""
    runs = session.ssm.get_paginator("describe_association_executions").paginate(
        AssociationId=association_id, PaginationConfig={"PageSize": 50}
    )
    for run in (one for page in runs for one in page["AssociationExecutions"] if one.get("Status") in _ON_A_NODE):
        pages = session.ssm.get_paginator("describe_association_execution_targets").paginate(
            AssociationId=association_id, ExecutionId=run["ExecutionId"], PaginationConfig={"PageSize": 50}
        )
        for page in pages:
            for one in page["AssociationExecutionTargets"]:
                if one.get("Status") in _ON_A_NODE:
                    yield one["ResourceId"]


def _calendars_of(session: Session, deployment: Deployment) -> Iterator[str]:
    pages = session.ssm.get_paginator("list_associations").paginate(PaginationConfig={"PageSize": 50})
    prefix = deployment.name("")
    for page in pages:
        for one in page["Associations"]:
            if not one.get("AssociationName", "").startswith(prefix):
                continue
            described: Any = session.ssm.describe_association(AssociationId=one["AssociationId"])
            yield from described["AssociationDescription"].get("CalendarNames") or ()
