"""Run Command by its API: what is found by which filter, resource groups, alarms, cancelling, and when it is told."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from lab.aws.ssm.operation import OPERATIONS
from lab.world.errors import ApiError
from patching.rate_control import RateControl
from patching.targets import Targets
from tests.lab.aws.world import FLEET, SCAN, Connect, error_code

if TYPE_CHECKING:
    from lab.aws.server import LocalAws

pytestmark = pytest.mark.xdist_group("local-aws")

REGION = "eu-south-1"
SHELL = {"DocumentName": "AWS-RunShellScript", "Parameters": {"commands": ["exit 1"]}}


@pytest.fixture(scope="module")
def ssm(connect: Connect) -> Any:
    return connect("ssm", REGION)


@pytest.fixture(scope="module")
def nodes(launch: Callable[..., list[str]]) -> list[str]:
    return launch(REGION, 3, Name="web")


@pytest.fixture(scope="module")
def sent(ssm: Any, nodes: list[str], advance: Callable[..., Any]) -> list[str]:
    """Three commands an hour apart: one that succeeds, one that fails, one that reaches nobody."""
    made = []
    for command in ({**SCAN, "Targets": FLEET}, {**SHELL, "Targets": FLEET}, {**SCAN, "Targets": nobody()}):
        made.append(ssm.send_command(**command)["Command"]["CommandId"])
        advance(hours=1)
    return made


def nobody() -> list[dict[str, Any]]:
    return [{"Key": "tag:Fleet", "Values": ["nobody"]}]


def only(key: str, value: str) -> list[dict[str, str]]:
    return [{"key": key, "value": value}]


@pytest.mark.parametrize(
    ("key", "value", "found"),
    [
        ("Status", "Success", [0, 2]),
        ("Status", "Failed", [1]),
        ("Status", "NoInstancesInTag", [2]),
        ("Status", "TimedOut", []),
        ("DocumentName", "AWS-RunShellScript", [1]),
        ("ExecutionStage", "Complete", [0, 1, 2]),
        ("ExecutionStage", "Executing", []),
    ],
)
def test_commands_are_found_by_filters(ssm: Any, sent: list[str], key: str, value: str, found: list[int]) -> None:
    listed = [one["CommandId"] for one in ssm.list_commands(Filters=only(key, value))["Commands"]]
    assert [one for one in listed if one in sent] == [sent[number] for number in reversed(found)]


def test_commands_and_invocations_are_found_by_time(ssm: Any, sent: list[str]) -> None:
    middle = ssm.list_commands(CommandId=sent[1])["Commands"][0]["RequestedDateTime"]
    at = middle.isoformat().replace("+00:00", "Z")
    after = [one["CommandId"] for one in ssm.list_commands(Filters=only("InvokedAfter", at))["Commands"]]
    before = [one["CommandId"] for one in ssm.list_commands(Filters=only("InvokedBefore", at))["Commands"]]
    assert sent[1] in after
    assert sent[0] not in after
    assert sent[0] in before
    assert sent[1] not in before
    invoked = ssm.list_command_invocations(Filters=only("InvokedAfter", at))["CommandInvocations"]
    assert sent[1] in {one["CommandId"] for one in invoked}
    assert sent[0] not in {one["CommandId"] for one in invoked}


def test_invocations_are_found_by_their_own_status_and_by_their_node(
    ssm: Any, sent: list[str], nodes: list[str]
) -> None:
    failed = ssm.list_command_invocations(CommandId=sent[1], Filters=only("Status", "Failed"))["CommandInvocations"]
    rest = ssm.list_command_invocations(CommandId=sent[1], Filters=only("Status", "Terminated"))["CommandInvocations"]
    assert len(failed) == len(nodes)
    assert len(rest) == len(nodes) - 1
    assert {one["StatusDetails"] for one in rest} == {"Terminated"}
    one = ssm.list_command_invocations(CommandId=sent[0], InstanceId=nodes[1], Details=True)["CommandInvocations"]
    assert [(one["InstanceId"], one["InstanceName"]) for one in one] == [(nodes[1], "web")]
    assert {plugin["Name"] for plugin in one[0]["CommandPlugins"]} == {"PatchLinux", "PatchMacOS", "PatchWindows"}


@pytest.mark.parametrize(
    ("operation", "key", "value", "code"),
    [
        ("list_commands", "Status", "Undeliverable", "InvalidFilterKey"),
        ("list_commands", "ExecutionStage", "Done", "InvalidFilterKey"),
        ("list_commands", "InvokedAfter", "yesterday", "ValidationException"),
        ("list_command_invocations", "Status", "NoInstancesInTag", "InvalidFilterKey"),
        ("list_command_invocations", "ExecutionStage", "Complete", "InvalidFilterKey"),
    ],
)
def test_a_filter_that_makes_no_sense_is_refused(ssm: Any, operation: str, key: str, value: str, code: str) -> None:
    assert error_code(lambda: getattr(ssm, operation)(Filters=only(key, value))) == code


def test_an_invocation_is_not_there_right_after_sending(
    local_aws: LocalAws, ssm: Any, nodes: list[str], advance: Callable[..., Any]
) -> None:
    engine = local_aws.plane.engine
    with engine(REGION) as held:
        # While the clock stands still, no time goes by.
        command = held.run_command.send(**arguments())
        with pytest.raises(ApiError, match="was not sent to"):
            ask(held, command.id, nodes[0])
        held.clock.advance(command.requested + timedelta(seconds=1))
        assert ask(held, command.id, nodes[0])["Status"] == "Pending"
    advance(hours=1)
    invocation = ssm.get_command_invocation(CommandId=command.id, InstanceId=nodes[0], PluginName="PatchLinux")
    assert (invocation["Status"], invocation["ResponseCode"]) == ("Success", 0)
    assert len(invocation["StandardOutputContent"]) <= 24_000


def arguments() -> dict[str, Any]:
    return {
        "document_name": "AWS-RunPatchBaseline",
        "parameters": {"Operation": ["Scan"]},
        "targets": Targets.tag("Fleet", "a"),
        "rate_control": RateControl("100%", 0),
    }


def ask(engine: Any, command: str, node: str) -> Any:
    return OPERATIONS["get_command_invocation"](engine, {"CommandId": command, "InstanceId": node})


def test_a_resource_group_is_a_target(
    ssm: Any, connect: Connect, nodes: list[str], advance: Callable[..., Any]
) -> None:
    query = {"ResourceTypeFilters": ["AWS::EC2::Instance"], "TagFilters": [{"Key": "Name", "Values": ["web"]}]}
    groups = connect("resource-groups", REGION)
    groups.create_group(Name="web", ResourceQuery={"Type": "TAG_FILTERS_1_0", "Query": json.dumps(query)})
    query["ResourceTypeFilters"] = ["AWS::S3::Bucket"]
    groups.create_group(Name="buckets", ResourceQuery={"Type": "TAG_FILTERS_1_0", "Query": json.dumps(query)})
    counts = {}
    for name in ("web", "buckets"):
        sent = ssm.send_command(**SCAN, Targets=[{"Key": "resource-groups:Name", "Values": [name]}])["Command"]
        counts[name] = sent["TargetCount"]
    assert counts == {"web": 3, "buckets": 0}
    target = [{"Key": "resource-groups:Name", "Values": ["gone"]}]
    assert error_code(lambda: ssm.send_command(**SCAN, Targets=target)) == "ValidationException"
    advance(hours=1)


def test_an_alarm_stops_a_command_and_is_named(ssm: Any, connect: Connect, nodes: list[str]) -> None:
    cloudwatch = connect("cloudwatch", REGION)
    cloudwatch.put_metric_alarm(
        AlarmName="load",
        Namespace="Own",
        MetricName="Load",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="ignore",  # or the clock, if it moves meanwhile, would end the alarm for lack of data
    )
    cloudwatch.set_alarm_state(AlarmName="load", StateValue="ALARM", StateReason="test")
    config = {"Alarms": [{"Name": "load"}]}
    sent = ssm.send_command(**SCAN, Targets=FLEET, AlarmConfiguration=config)["Command"]
    for _ in range(200):
        command = ssm.list_commands(CommandId=sent["CommandId"])["Commands"][0]
        if command["Status"] not in ("Pending", "InProgress"):
            break
    assert command["Status"] == "Cancelled"
    assert command["AlarmConfiguration"] == {**config, "IgnorePollAlarmFailure": False}
    assert command["TriggeredAlarms"] == [{"Name": "load", "State": "ALARM"}]


@pytest.mark.parametrize(
    ("ids", "code"),
    [(["i-0123456789abcdef0"], "InvalidInstanceId"), (["i-00000001", "i-00000001"], "DuplicateInstanceId")],
)
def test_only_nodes_of_the_command_can_be_cancelled(ssm: Any, sent: list[str], ids: list[str], code: str) -> None:
    assert error_code(lambda: ssm.cancel_command(CommandId=sent[0], InstanceIds=ids)) == code


def test_a_node_is_named_once(ssm: Any, nodes: list[str]) -> None:
    assert error_code(lambda: ssm.send_command(**SCAN, InstanceIds=[nodes[0], nodes[0]])) == "DuplicateInstanceId"


def test_a_topic_is_named_by_its_arn(ssm: Any, nodes: list[str], roles: dict[str, str]) -> None:
    config = {"NotificationArn": "arn:aws:sqs:eu-south-1:123456789012:queue", "NotificationType": "Command"}
    arguments = {**SCAN, "InstanceIds": nodes, "ServiceRoleArn": roles["sender"], "NotificationConfig": config}
    assert error_code(lambda: ssm.send_command(**arguments)) == "InvalidNotificationConfig"
