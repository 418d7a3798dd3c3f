from __future__ import annotations

from typing import Any

import pytest

from ops import guards
from ops.errors import OperationError
from ops.nodes import Node
from patching.deployment import Deployment
from tests.ops.stubbed import Stubbed

COMMAND = "01234567-89ab-cdef-0123-456789abcdef"
NODES = [Node(f"i-0000000{number}", f"web-{number}", "Online", "Linux", "", "", None) for number in (1, 2)]


def running(document: str = "AWS-RunPatchBaseline", **statuses: str) -> Stubbed:
    commands = [{"CommandId": COMMAND, "DocumentName": document, "Status": "InProgress"}]
    invocations = [{"InstanceId": f"i-{node[1:]}", "Status": status} for node, status in statuses.items()]
    replies: list[tuple[str, dict[str, Any]]] = [("list_commands", {"Commands": commands})]
    replies.append(("list_command_invocations", {"CommandInvocations": invocations}))
    replies += [("list_commands", {"Commands": []})] * 2
    return Stubbed().answers(*replies, ("list_associations", {"Associations": []}))


def test_more_nodes_than_are_allowed_are_refused() -> None:
    guards.check_number(NODES, 2)
    guards.check_number(NODES, None)
    with pytest.raises(OperationError, match="2 nodes match, and --at-most is 1; narrow the target down"):
        guards.check_number(NODES, 1)


@pytest.mark.parametrize("status", ["Pending", "InProgress", "Delayed", "Cancelling"])
def test_a_node_on_which_a_patching_run_is_going_on_is_refused(status: str) -> None:
    with pytest.raises(OperationError, match=rf"{COMMAND} is patching web-2 already.*patchops watch {COMMAND}"):
        guards.check_no_run(running(i00000002=status), NODES)


@pytest.mark.parametrize("statuses", [{"i00000002": "Success"}, {"i00000009": "InProgress"}])
def test_a_run_that_has_ended_there_or_is_on_other_nodes_is_in_nobodys_way(statuses: dict[str, str]) -> None:
    guards.check_no_run(running(**statuses), NODES)


def test_another_document_is_in_nobodys_way() -> None:
    session = Stubbed().answers(
        ("list_commands", {"Commands": [{"CommandId": COMMAND, "DocumentName": "AWS-RunShellScript"}]}),
        *[("list_commands", {"Commands": []})] * 2,
        ("list_associations", {"Associations": []}),
    )
    guards.check_no_run(session, NODES)


def scanning(status: str, node: str, document: str = "AWS-RunPatchBaseline") -> Stubbed:
    """A session of an account in which nothing but an association's run goes on, whose last one has ended."""
    name = "patchops-lab-scan"
    association = {"AssociationId": COMMAND, "AssociationName": name, "Name": document, "Overview": {"Status": status}}
    replies: list[tuple[str, dict[str, Any]]] = [("list_commands", {"Commands": []})] * 3
    replies.append(("list_associations", {"Associations": [association]}))
    if document in guards.PATCHING_DOCUMENTS and status == "Pending":
        runs = [{"ExecutionId": COMMAND, "Status": "Pending"}, {"ExecutionId": COMMAND[::-1], "Status": "Success"}]
        targets = [{"ResourceId": node, "Status": "InProgress"}, {"ResourceId": "i-00000001", "Status": "Success"}]
        replies.append(("describe_association_executions", {"AssociationExecutions": runs}))
        replies.append(("describe_association_execution_targets", {"AssociationExecutionTargets": targets}))
    return Stubbed().answers(*replies)


def test_a_node_that_an_association_patches_is_refused() -> None:
    said = f"patchops-lab-scan is patching web-2 already.*describe-association-executions --association-id {COMMAND}"
    with pytest.raises(OperationError, match=said):
        guards.check_no_run(scanning("Pending", "i-00000002"), NODES)


@pytest.mark.parametrize(
    ("status", "node", "document"),
    [
        ("Success", "i-00000002", "AWS-RunPatchBaseline"),
        ("Pending", "i-00000009", "AWS-RunPatchBaseline"),
        ("Pending", "i-00000002", "AWS-GatherSoftwareInventory"),
    ],
)
def test_an_association_that_does_not_patch_the_node_now_is_in_nobodys_way(
    status: str, node: str, document: str
) -> None:
    guards.check_no_run(scanning(status, node, document), NODES)


def test_a_calendar_that_is_closed_is_refused_with_when_it_opens() -> None:
    session = Stubbed().answers(
        ("get_calendar_state", {"State": "CLOSED", "NextTransitionTime": "2026-12-01T00:00:00Z"})
    )
    with pytest.raises(OperationError, match="Freeze is closed until 2026-12-01T00:00:00Z; wait, or say --despite"):
        guards.check_calendars(session, None, ["Freeze"])


def test_the_calendars_of_the_environments_associations_are_asked() -> None:
    mine = {"AssociationId": "0", "AssociationName": "patchops-lab-scan"}
    other = {"AssociationId": "1", "AssociationName": "patchops-corp-scan"}
    session = Stubbed().answers(
        ("list_associations", {"Associations": [mine, other]}),
        ("describe_association", {"AssociationDescription": {"CalendarNames": ["Freeze"]}}),
        ("get_calendar_state", {"State": "OPEN"}),
    )
    guards.check_calendars(session, Deployment("lab"), [])
    session.stubber.assert_no_pending_responses()


def test_a_calendar_that_is_not_there_is_said() -> None:
    session = Stubbed().answers()
    session.stubber.add_client_error("get_calendar_state", "InvalidDocument")
    with pytest.raises(OperationError, match="there is no Change Calendar Freze in this Region"):
        guards.check_calendars(session, None, ["Freze"])
