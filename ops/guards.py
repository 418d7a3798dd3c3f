"""What speaks against sending a command now: another run on the same nodes, a closed calendar, too many nodes.

Two runs of AWS-RunPatchBaseline on one node break each other, says
https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-troubleshooting.html; calendars follow
https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetCalendarState.html. Runs of associations are not
in the list of commands, and are not seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from botocore.exceptions import ClientError

from ops.errors import OperationError
from ops.nodes import Node
from ops.permissions import Need, On
from ops.session import Session
from patching.deployment import Deployment
from patching.run_patch_baseline import DOCUMENT_NAME, DOCUMENT_WITH_HOOKS

RUN_NEEDS = (Need(On.ANYTHING, "ssm:ListCommands", "ssm:ListCommandInvocations"),)
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
    """Refuse nodes on which a patching command is going on already.

    Raises:
        OperationError: there is such a node.
    """
    wanted = {node.id: node.name or node.id for node in nodes}
    for command in _going_on(session):
        if command.get("DocumentName") not in PATCHING_DOCUMENTS:
            continue
        busy = [wanted[one] for one in _nodes_of(session, command["CommandId"]) if one in wanted]
        if busy:
            more = f" and {len(busy) - _NAMED} more" if len(busy) > _NAMED else ""
            message = (
                f"the command {command['CommandId']} is patching {', '.join(sorted(busy)[:_NAMED])}{more} already, and "
                f"two runs on one node break each other; wait for it with `patchops watch {command['CommandId']}`"
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


def _calendars_of(session: Session, deployment: Deployment) -> Iterator[str]:
    pages = session.ssm.get_paginator("list_associations").paginate(PaginationConfig={"PageSize": 50})
    prefix = deployment.name("")
    for page in pages:
        for one in page["Associations"]:
            if not one.get("AssociationName", "").startswith(prefix):
                continue
            described: Any = session.ssm.describe_association(AssociationId=one["AssociationId"])
            yield from described["AssociationDescription"].get("CalendarNames") or ()
