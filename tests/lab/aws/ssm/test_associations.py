"""Associations by their API: versions, batches, filters, and what a node tells of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tests.lab.aws.world import FLEET, GONE, NOBODY, Connect, error_code

pytestmark = pytest.mark.xdist_group("local-aws")

REGION = "eu-south-2"
DOCUMENT = "AWS-RunPatchBaseline"
SCAN = {"Name": DOCUMENT, "Parameters": {"Operation": ["Scan"]}}


@pytest.fixture(scope="module")
def ssm(connect: Connect) -> Any:
    return connect("ssm", REGION)


@pytest.fixture(scope="module")
def node(launch: Callable[..., list[str]]) -> str:
    return launch(REGION)[0]


@pytest.fixture(scope="module")
def association(ssm: Any, node: str, advance: Callable[..., Any]) -> str:
    """One that has run twice, in two versions."""
    made = ssm.create_association(**SCAN, Targets=FLEET, AssociationName="first", ScheduleExpression="rate(1 day)")
    found: str = made["AssociationDescription"]["AssociationId"]
    advance(hours=1)
    ssm.update_association(AssociationId=found, Parameters={"Operation": ["Scan"]}, AssociationName="second")
    advance(hours=1)
    return found


def test_an_update_drops_what_it_does_not_say(ssm: Any, association: str) -> None:
    described = ssm.describe_association(AssociationId=association)["AssociationDescription"]
    assert (described["AssociationName"], described["AssociationVersion"]) == ("second", "2")
    assert "ScheduleExpression" not in described
    assert described["Targets"] == FLEET
    first = ssm.describe_association(AssociationId=association, AssociationVersion="1")["AssociationDescription"]
    assert (first["AssociationName"], first["ScheduleExpression"]) == ("first", "rate(1 day)")
    versions = ssm.list_association_versions(AssociationId=association)["AssociationVersions"]
    assert [(one["AssociationVersion"], one["AssociationName"]) for one in versions] == [
        ("2", "second"),
        ("1", "first"),
    ]


@pytest.mark.parametrize("operation", ["update_association", "describe_association"])
def test_a_version_that_is_not_there_is_refused(ssm: Any, association: str, operation: str) -> None:
    arguments = {"AssociationId": association, "AssociationVersion": "7"}
    assert error_code(lambda: getattr(ssm, operation)(**arguments)) == "InvalidAssociationVersion"


def test_an_association_of_the_old_kind_is_found_by_its_document_and_its_node(ssm: Any, node: str) -> None:
    made = ssm.create_association(**SCAN, InstanceId=node)["AssociationDescription"]
    assert made["InstanceId"] == node
    assert error_code(lambda: ssm.create_association(**SCAN, InstanceId=node)) == "AssociationAlreadyExists"
    by_name = {"Name": DOCUMENT, "InstanceId": node}
    assert ssm.describe_association(**by_name)["AssociationDescription"]["AssociationId"] == made["AssociationId"]
    status = {"Date": 1_795_000_000, "Name": "Failed", "Message": "No space left"}
    told = ssm.update_association_status(**by_name, AssociationStatus=status)["AssociationDescription"]["Status"]
    assert (told["Name"], told["Message"]) == ("Failed", "No space left")
    again = {**by_name, "AssociationStatus": status}
    assert error_code(lambda: ssm.update_association_status(**again)) == "StatusUnchanged"
    ssm.delete_association(**by_name)
    assert error_code(lambda: ssm.describe_association(**by_name)) == "AssociationDoesNotExist"


def test_a_batch_makes_what_it_can_and_says_why_it_cannot_make_the_rest(ssm: Any) -> None:
    entries = [{**SCAN, "Targets": NOBODY, "AssociationName": "good"}, {"Name": "Gone", "Targets": NOBODY}, {**SCAN}]
    reply = ssm.create_association_batch(Entries=entries)
    assert [one["AssociationName"] for one in reply["Successful"]] == ["good"]
    assert [one["Fault"] for one in reply["Failed"]] == ["Client", "Client"]
    assert "Document Gone does not exist" in reply["Failed"][0]["Message"]
    assert reply["Failed"][1]["Entry"]["Name"] == DOCUMENT


def test_associations_are_found_by_filters(ssm: Any, association: str, node: str) -> None:
    by_id = ssm.create_association(**SCAN, Targets=[{"Key": "InstanceIds", "Values": [node]}])
    other = by_id["AssociationDescription"]["AssociationId"]
    last = ssm.describe_association(AssociationId=association)["AssociationDescription"]["LastExecutionDate"]
    later = (last + timedelta(seconds=1)).isoformat().replace("+00:00", "Z")

    def found(key: str, value: str) -> set[str]:
        listed = ssm.list_associations(AssociationFilterList=[{"key": key, "value": value}])["Associations"]
        return {one["AssociationId"] for one in listed}

    assert found("AssociationName", "second") == {association}
    assert found("AssociationId", association) == {association}
    assert found("InstanceId", node) == {other}
    assert {association, other} <= found("Name", DOCUMENT)
    assert association in found("LastExecutedBefore", later)
    assert association not in found("LastExecutedAfter", later)
    assert association in found("AssociationStatusName", "Success")
    assert found("ResourceGroupName", "web") == set()
    ssm.delete_association(AssociationId=other)


@pytest.mark.parametrize(
    ("key", "kind", "value", "count"),
    [
        ("Status", "EQUAL", "Success", 2),
        ("Status", "EQUAL", "Failed", 0),
        ("ExecutionId", "EQUAL", "first", 1),
        ("CreatedTime", "EQUAL", "first", 1),
        ("CreatedTime", "GREATER_THAN", "first", 1),
        ("CreatedTime", "LESS_THAN", "first", 0),
    ],
)
def test_executions_are_found_by_filters(
    ssm: Any, association: str, key: str, kind: str, value: str, count: int
) -> None:
    first = ssm.describe_association_executions(AssociationId=association)["AssociationExecutions"][-1]
    if value == "first":
        value = first["ExecutionId"] if key == "ExecutionId" else first["CreatedTime"].isoformat()
    wanted = [{"Key": key, "Type": kind, "Value": value}]
    found = ssm.describe_association_executions(AssociationId=association, Filters=wanted)["AssociationExecutions"]
    assert len(found) == count


def test_a_status_is_neither_less_nor_greater(ssm: Any, association: str) -> None:
    wanted = [{"Key": "Status", "Type": "LESS_THAN", "Value": "Success"}]
    arguments = {"AssociationId": association, "Filters": wanted}
    assert error_code(lambda: ssm.describe_association_executions(**arguments)) == "ValidationException"


def test_the_targets_of_an_execution_are_found_by_filters(ssm: Any, association: str, node: str) -> None:
    executions = ssm.describe_association_executions(AssociationId=association)["AssociationExecutions"]
    assert [one["AssociationVersion"] for one in executions] == ["2", "1"]

    def found(key: str, value: str) -> list[str]:
        reply = ssm.describe_association_execution_targets(
            AssociationId=association,
            ExecutionId=executions[0]["ExecutionId"],
            Filters=[{"Key": key, "Value": value}],
        )
        return [one["ResourceId"] for one in reply["AssociationExecutionTargets"]]

    assert found("ResourceId", node) == found("Status", "Success") == found("ResourceType", "ManagedInstance") == [node]
    assert found("Status", "Failed") == found("ResourceId", "i-0123456789abcdef0") == []


def test_a_node_tells_which_associations_it_has_and_how_they_went(ssm: Any, association: str, node: str) -> None:
    effective = ssm.describe_effective_instance_associations(InstanceId=node)["Associations"]
    (mine,) = [one for one in effective if one["AssociationId"] == association]
    assert (mine["InstanceId"], mine["AssociationVersion"]) == (node, "2")
    assert '"schemaVersion": "2.2"' in mine["Content"]
    statuses = ssm.describe_instance_associations_status(InstanceId=node)["InstanceAssociationStatusInfos"]
    (mine,) = [one for one in statuses if one["AssociationId"] == association]
    assert (mine["Status"], mine["AssociationName"]) == ("Success", "second")
    assert mine["ExecutionSummary"] == "3 out of 3 plugins processed, 3 success, 0 failed."


@pytest.mark.parametrize(
    "operation", ["describe_effective_instance_associations", "describe_instance_associations_status"]
)
def test_what_is_no_node_has_no_associations(ssm: Any, operation: str) -> None:
    assert error_code(lambda: getattr(ssm, operation)(InstanceId="i-0123456789abcdef0")) == "InvalidInstanceId"


@pytest.mark.parametrize(
    "refused",
    [
        {"Duration": 2},
        {"TargetLocations": [{"Accounts": ["123456789012"], "Regions": ["us-east-1"]}]},
    ],
)
def test_what_has_no_effect_here_is_refused(ssm: Any, refused: dict[str, Any]) -> None:
    arguments = {**SCAN, "Targets": NOBODY, **refused}
    assert error_code(lambda: ssm.create_association(**arguments)) == "ValidationException"


def test_an_association_that_is_gone_has_no_versions(ssm: Any) -> None:
    assert error_code(lambda: ssm.list_association_versions(AssociationId=GONE)) == "AssociationDoesNotExist"
