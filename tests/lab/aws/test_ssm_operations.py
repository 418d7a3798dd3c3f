"""Every operation that the local AWS answers, held against the service model."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from botocore import xform_name
from botocore.exceptions import ClientError

from tests.lab.aws.conftest import Connect
from tests.lab.aws.replies import Replies, problems

pytestmark = pytest.mark.xdist_group("local-aws")

SCAN = {"DocumentName": "AWS-RunPatchBaseline", "Parameters": {"Operation": ["Scan"]}}
FLEET = [{"Key": "tag:Fleet", "Values": ["a"]}]
NOBODY = [{"Key": "tag:Fleet", "Values": ["none"]}]
NODES = 11
GONE = "01234567-89ab-cdef-0123-456789abcdef"


@dataclass
class World:
    """An account with something in every corner, and more of it than fits on one page."""

    ssm: Any
    nodes: list[str]
    command: str
    baseline: str
    spare: str
    window: str
    target: str
    task: str
    execution: str
    task_execution: str
    association: str
    association_execution: str
    sender: str
    replies: Replies
    advance: Callable[..., dict[str, Any]]


def task_of(window: str, target: str, sender: str) -> dict[str, Any]:
    return {
        "WindowId": window,
        "TaskArn": "AWS-RunPatchBaseline",
        "TaskType": "RUN_COMMAND",
        "Targets": [{"Key": "WindowTargetIds", "Values": [target]}],
        "ServiceRoleArn": sender,
        "MaxConcurrency": "1",
        "MaxErrors": "0",
        "Priority": 1,
        "Name": "scan",
        "Description": "Scan nobody",
        "CutoffBehavior": "CANCEL_TASK",
        "TaskInvocationParameters": {
            "RunCommand": {
                "Parameters": {"Operation": ["Scan"]},
                "OutputS3BucketName": "output",
                "OutputS3KeyPrefix": "runs",
                "ServiceRoleArn": sender,
                "NotificationConfig": {
                    "NotificationArn": "arn:aws:sns:us-east-1:123456789012:gone",
                    "NotificationEvents": ["All"],
                    "NotificationType": "Command",
                },
            }
        },
    }


def window_named(name: str) -> dict[str, Any]:
    return {
        "Name": name,
        "Description": "A window",
        "Schedule": "rate(1 hour)",
        "ScheduleTimezone": "Europe/Berlin",
        "Duration": 2,
        "Cutoff": 1,
        "AllowUnassociatedTargets": False,
    }


@pytest.fixture(scope="session")
def world(
    connect: Connect,
    roles: dict[str, str],
    launch: Callable[..., list[str]],
    advance: Callable[..., dict[str, Any]],
) -> World:
    ssm, sender = connect("ssm"), roles["sender"]
    nodes = launch("us-east-1", NODES - 1, PatchGroup="prod", Name="web") + launch("us-east-1")
    connect("s3").create_bucket(Bucket="output")
    topic = connect("sns").create_topic(Name="told")["TopicArn"]
    rule = {
        "PatchFilterGroup": {"PatchFilters": [{"Key": "CLASSIFICATION", "Values": ["Security"]}]},
        "ApproveAfterDays": 0,
        "ComplianceLevel": "CRITICAL",
    }
    baselines = [
        ssm.create_patch_baseline(
            Name=name,
            OperatingSystem="AMAZON_LINUX_2023",
            Description="For tests",
            ApprovalRules={"PatchRules": [rule]},
            ApprovedPatches=["bash"],
            RejectedPatches=["curl*"],
            RejectedPatchesAction="BLOCK",
        )["BaselineId"]
        for name in ("prod", "spare")
    ]
    for group in ("prod", "other"):
        ssm.register_patch_baseline_for_patch_group(BaselineId=baselines[0], PatchGroup=group)
    command = ssm.send_command(
        **SCAN,
        Targets=FLEET,
        Comment="For tests",
        MaxConcurrency="100%",
        OutputS3BucketName="output",
        OutputS3KeyPrefix="runs",
        ServiceRoleArn=sender,
        NotificationConfig={"NotificationArn": topic, "NotificationEvents": ["All"], "NotificationType": "Command"},
    )["Command"]["CommandId"]
    association = ssm.create_association(
        Name="AWS-RunPatchBaseline",
        AssociationName="scan",
        Parameters={"Operation": ["Scan"]},
        Targets=FLEET,
        ScheduleExpression="rate(1 day)",
        ComplianceSeverity="HIGH",
        AssociationDispatchAssumeRole=sender,
        OutputLocation={"S3Location": {"OutputS3BucketName": "output", "OutputS3KeyPrefix": "scans"}},
    )["AssociationDescription"]["AssociationId"]
    ssm.create_association(Name="AWS-RunPatchBaseline", Parameters={"Operation": ["Scan"]}, InstanceId=nodes[0])
    window = ssm.create_maintenance_window(**window_named("main"))["WindowId"]
    for number in range(10):
        ssm.create_maintenance_window(**window_named(f"spare-{number}"))
    targets = [
        ssm.register_target_with_maintenance_window(
            WindowId=window, ResourceType="INSTANCE", Targets=NOBODY, Name=f"target-{number}", Description="Nobody"
        )["WindowTargetId"]
        for number in range(11)
    ]
    tasks = [
        ssm.register_task_with_maintenance_window(**task_of(window, targets[0], sender))["WindowTaskId"]
        for _ in range(11)
    ]
    advance(hours=11, minutes=10)
    ssm.start_associations_once(AssociationIds=[association])
    advance(minutes=10)
    for one in ssm.describe_maintenance_windows()["WindowIdentities"]:
        ssm.update_maintenance_window(WindowId=one["WindowId"], Enabled=False)
    execution = ssm.describe_maintenance_window_executions(WindowId=window)["WindowExecutions"][0]["WindowExecutionId"]
    return World(
        ssm=ssm,
        nodes=nodes,
        command=command,
        baseline=baselines[0],
        spare=baselines[1],
        window=window,
        target=targets[0],
        task=tasks[0],
        execution=execution,
        task_execution=ssm.get_maintenance_window_execution(WindowExecutionId=execution)["TaskIds"][0],
        association=association,
        association_execution=ssm.describe_association_executions(AssociationId=association)["AssociationExecutions"][
            0
        ]["ExecutionId"],
        sender=sender,
        replies=Replies(ssm),
        advance=advance,
    )


def fresh_window(world: World) -> str:
    return str(world.ssm.create_maintenance_window(**window_named("fresh"))["WindowId"])


def fresh_association(world: World) -> str:
    made = world.ssm.create_association(
        Name="AWS-RunPatchBaseline", Parameters={"Operation": ["Scan"]}, InstanceId=world.nodes[0]
    )
    return str(made["AssociationDescription"]["AssociationId"])


READS: dict[str, Callable[[World], dict[str, Any]]] = {
    "describe_association": lambda world: {"AssociationId": world.association},
    "describe_association_execution_targets": lambda world: {
        "AssociationId": world.association,
        "ExecutionId": world.association_execution,
    },
    "describe_association_executions": lambda world: {"AssociationId": world.association},
    "describe_instance_information": lambda _: {},
    "describe_instance_patch_states": lambda world: {"InstanceIds": world.nodes},
    "describe_instance_patch_states_for_patch_group": lambda _: {"PatchGroup": "prod"},
    "describe_instance_patches": lambda world: {"InstanceId": world.nodes[0]},
    "describe_maintenance_window_execution_task_invocations": lambda world: {
        "WindowExecutionId": world.execution,
        "TaskId": world.task_execution,
    },
    "describe_maintenance_window_execution_tasks": lambda world: {"WindowExecutionId": world.execution},
    "describe_maintenance_window_executions": lambda world: {"WindowId": world.window},
    "describe_maintenance_window_schedule": lambda world: {"WindowId": fresh_window(world)},
    "describe_maintenance_window_targets": lambda world: {"WindowId": world.window},
    "describe_maintenance_window_tasks": lambda world: {"WindowId": world.window},
    "describe_maintenance_windows": lambda _: {},
    "describe_patch_baselines": lambda _: {},
    "describe_patch_group_state": lambda _: {"PatchGroup": "prod"},
    "describe_patch_groups": lambda _: {},
    "get_command_invocation": lambda world: {
        "CommandId": world.command,
        "InstanceId": world.nodes[0],
        "PluginName": "PatchLinux",
    },
    "get_default_patch_baseline": lambda _: {"OperatingSystem": "AMAZON_LINUX_2023"},
    "get_maintenance_window": lambda world: {"WindowId": world.window},
    "get_maintenance_window_execution": lambda world: {"WindowExecutionId": world.execution},
    "get_maintenance_window_task": lambda world: {"WindowId": world.window, "WindowTaskId": world.task},
    "get_patch_baseline": lambda world: {"BaselineId": world.baseline},
    "get_patch_baseline_for_patch_group": lambda _: {"PatchGroup": "prod", "OperatingSystem": "AMAZON_LINUX_2023"},
    "list_associations": lambda _: {},
    "list_command_invocations": lambda world: {"CommandId": world.command, "Details": True},
    "list_commands": lambda _: {},
    "list_compliance_items": lambda world: {"ResourceIds": [world.nodes[0]], "ResourceTypes": ["ManagedInstance"]},
    "list_compliance_summaries": lambda _: {},
    "list_resource_compliance_summaries": lambda _: {},
    "describe_document": lambda _: {"Name": "AWS-RunPatchBaseline"},
    "get_document": lambda _: {"Name": "AWS-RunPatchBaseline"},
    "list_documents": lambda _: {},
}
"""What is asked of each operation that changes nothing."""

WRITES: dict[str, Callable[[World], dict[str, Any]]] = {
    "cancel_command": lambda world: {
        "CommandId": world.ssm.send_command(**SCAN, Targets=NOBODY)["Command"]["CommandId"]
    },
    "create_association": lambda world: {
        "Name": "AWS-RunPatchBaseline",
        "Parameters": {"Operation": ["Scan"]},
        "Targets": NOBODY,
    },
    "create_maintenance_window": lambda _: window_named("another"),
    "create_patch_baseline": lambda _: {"Name": "another"},
    "delete_association": lambda world: {"AssociationId": fresh_association(world)},
    "delete_maintenance_window": lambda world: {"WindowId": fresh_window(world)},
    "delete_patch_baseline": lambda world: {"BaselineId": world.ssm.create_patch_baseline(Name="fresh")["BaselineId"]},
    "deregister_patch_baseline_for_patch_group": lambda world: {"BaselineId": world.spare, "PatchGroup": "fresh"},
    "deregister_target_from_maintenance_window": lambda world: {
        "WindowId": fresh_window(world),
        "WindowTargetId": world.target,
    },
    "deregister_task_from_maintenance_window": lambda world: {
        "WindowId": fresh_window(world),
        "WindowTaskId": world.task,
    },
    "register_default_patch_baseline": lambda world: {
        "BaselineId": world.ssm.get_default_patch_baseline(OperatingSystem="DEBIAN")["BaselineId"]
    },
    "register_patch_baseline_for_patch_group": lambda world: {"BaselineId": world.spare, "PatchGroup": "fresh"},
    "register_target_with_maintenance_window": lambda world: {
        "WindowId": fresh_window(world),
        "ResourceType": "INSTANCE",
        "Targets": NOBODY,
    },
    "register_task_with_maintenance_window": lambda world: {
        **task_of(fresh_window(world), world.target, world.sender),
        "Targets": [{"Key": "InstanceIds", "Values": [world.nodes[0]]}],
    },
    "send_command": lambda world: {**SCAN, "InstanceIds": [world.nodes[0]]},
    "start_associations_once": lambda world: {"AssociationIds": [world.association]},
    "update_maintenance_window": lambda world: {"WindowId": fresh_window(world), "Duration": 3},
    "update_patch_baseline": lambda world: {"BaselineId": world.spare, "Description": "Changed"},
}
"""What is asked of each operation that changes something."""

WITHOUT_ANSWER = {"cancel_command", "delete_association", "start_associations_once"}


def operations() -> set[str]:
    from lab.aws.operation import OPERATIONS  # noqa: PLC0415 with moto out of the way of the other tests

    return set(OPERATIONS)


def test_every_operation_is_called_here(world: World) -> None:
    assert {*READS, *WRITES} == operations() | {"describe_document", "get_document", "list_documents"}


@pytest.mark.parametrize("name", [*READS, *WRITES])
def test_an_operation_answers_in_the_shape_that_the_service_model_gives_it(world: World, name: str) -> None:
    arguments = {**READS, **WRITES}[name](world)
    world.replies.problems.clear()
    reply = getattr(world.ssm, name)(**arguments)
    assert world.replies.problems == []
    del reply["ResponseMetadata"]
    assert any(reply.values()) is (name not in WITHOUT_ANSWER)


@pytest.mark.parametrize(
    ("reply", "problem"),
    [
        ({"WindowIdentities": [{"Fancy": 1}]}, ".WindowIdentities[0].Fancy is not in the model"),
        ({"WindowIdentities": [{"Duration": "2"}]}, ".WindowIdentities[0].Duration: '2' is no integer"),
        ({"WindowIdentities": {}}, ".WindowIdentities: {} is no list"),
        ({"WindowIdentities": [{"Enabled": 1}]}, ".WindowIdentities[0].Enabled: 1 is no boolean"),
        ({"WindowIdentities": [{"WindowId": "1"}]}, ".WindowIdentities[0].WindowId: '1' does not match ^mw-"),
    ],
)
def test_the_comparison_with_the_model_finds_differences(reply: dict[str, Any], problem: str) -> None:
    model = boto3.Session()._session.get_service_model("ssm")
    shape = model.operation_model("DescribeMaintenanceWindows").output_shape
    (found,) = problems(shape, reply)
    assert found.startswith(problem)


# Paging.

LONG = {
    "describe_association_execution_targets": "AssociationExecutionTargets",
    "describe_association_executions": "AssociationExecutions",
    "describe_instance_information": "InstanceInformationList",
    "describe_instance_patch_states": "InstancePatchStates",
    "describe_instance_patches": "Patches",
    "describe_maintenance_window_execution_tasks": "WindowExecutionTaskIdentities",
    "describe_maintenance_window_executions": "WindowExecutions",
    "describe_maintenance_window_schedule": "ScheduledWindowExecutions",
    "describe_maintenance_window_targets": "Targets",
    "describe_maintenance_window_tasks": "Tasks",
    "describe_maintenance_windows": "WindowIdentities",
    "describe_patch_baselines": "BaselineIdentities",
    "describe_patch_groups": "Mappings",
    "list_associations": "Associations",
    "list_command_invocations": "CommandInvocations",
    "list_compliance_items": "ComplianceItems",
    "list_resource_compliance_summaries": "ResourceComplianceSummaryItems",
    "list_documents": "DocumentIdentifiers",
}
"""Operations that have more than a page to tell, and where they tell it."""


@pytest.mark.parametrize("name", LONG)
def test_small_pages_together_are_the_whole(world: World, name: str) -> None:
    operation = next(one for one in world.ssm.meta.service_model.operation_names if xform_name(one) == name)
    size = world.ssm.meta.service_model.operation_model(operation).input_shape.members["MaxResults"].metadata["min"]
    arguments = READS[name](world)
    whole = world.ssm.get_paginator(name).paginate(**arguments).build_full_result()[LONG[name]]
    pages = list(world.ssm.get_paginator(name).paginate(**arguments, PaginationConfig={"PageSize": size}))
    assert len(pages) == -(-len(whole) // size) > 1
    assert [one for page in pages for one in page[LONG[name]]] == whole
    assert "NextToken" not in pages[-1]


def test_commands_are_paged_too(world: World) -> None:
    commands = world.ssm.get_paginator("list_commands").paginate(PaginationConfig={"PageSize": 20})
    ids = [one["CommandId"] for page in commands for one in page["Commands"]]
    assert world.command in ids
    assert len(set(ids)) == len(ids) > 20


@pytest.mark.parametrize("token", ["gone", "1000000", "-1", "²"])
def test_a_token_that_was_never_given_out_is_refused(world: World, token: str) -> None:
    assert code(lambda: world.ssm.list_commands(NextToken=token)) == "InvalidNextToken"


# Errors.


def code(call: Callable[[], Any]) -> str:
    """Return the code of the error that a call is answered with."""
    with pytest.raises(ClientError) as error:
        call()
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert error.value.response["Error"]["Message"]
    return error.value.response["Error"]["Code"]


ERRORS: dict[str, tuple[str, dict[str, Any], str]] = {
    "a command that does not exist": (
        "get_command_invocation",
        {"CommandId": GONE, "InstanceId": "i-00000001"},
        "InvalidCommandId",
    ),
    "a command to list that does not exist": ("list_commands", {"CommandId": GONE}, "InvalidCommandId"),
    "a command to cancel that does not exist": ("cancel_command", {"CommandId": GONE}, "InvalidCommandId"),
    "a node that does not exist": ("send_command", {**SCAN, "InstanceIds": ["i-00000001"]}, "InvalidInstanceId"),
    "patches of a node that does not exist": (
        "describe_instance_patches",
        {"InstanceId": "i-00000001"},
        "InvalidInstanceId",
    ),
    "a document that does not exist": ("send_command", {"DocumentName": "Gone", "Targets": FLEET}, "InvalidDocument"),
    "a document to describe that does not exist": ("describe_document", {"Name": "AWS-Gone"}, "InvalidDocument"),
    "a version that a document has not": (
        "get_document",
        {"Name": "AWS-RunPatchBaseline", "DocumentVersion": "9"},
        "InvalidDocument",
    ),
    "who a document of AWS is shared with": (
        "describe_document_permission",
        {"Name": "AWS-RunPatchBaseline", "PermissionType": "Share"},
        "InvalidDocument",
    ),
    "a parameter that a document has not": (
        "send_command",
        {**SCAN, "Parameters": {"Operation": ["Scan"], "Fancy": ["1"]}, "Targets": FLEET},
        "InvalidParameters",
    ),
    "a value that a parameter does not take": (
        "send_command",
        {**SCAN, "Parameters": {"Operation": ["Scann"]}, "Targets": FLEET},
        "InvalidParameters",
    ),
    "a role that cannot publish": (
        "send_command",
        {
            **SCAN,
            "Targets": FLEET,
            "ServiceRoleArn": "arn:aws:iam::123456789012:role/gone",
            "NotificationConfig": {"NotificationArn": "arn:aws:sns:us-east-1:123456789012:told"},
        },
        "InvalidRole",
    ),
    "neither nodes nor targets": ("send_command", SCAN, "ValidationException"),
    "nodes and targets": (
        "send_command",
        {**SCAN, "InstanceIds": ["i-00000001"], "Targets": FLEET},
        "ValidationException",
    ),
    "a rate that is none": ("send_command", {**SCAN, "Targets": FLEET, "MaxConcurrency": "0"}, "ValidationException"),
    "a filter that commands have not": (
        "list_commands",
        {"Filters": [{"key": "Fancy", "value": "1"}]},
        "InvalidFilterKey",
    ),
    "a filter that nodes have not": (
        "describe_instance_information",
        {"Filters": [{"Key": "Fancy", "Values": ["1"]}]},
        "InvalidInstanceInformationFilterValue",
    ),
    "a filter that patches have not": (
        "describe_patch_baselines",
        {"Filters": [{"Key": "Fancy", "Values": ["1"]}]},
        "InvalidFilter",
    ),
    "a baseline that does not exist": (
        "get_patch_baseline",
        {"BaselineId": "pb-0123456789abcdef0"},
        "DoesNotExistException",
    ),
    "a system that does not exist": (
        "create_patch_baseline",
        {"Name": "one", "OperatingSystem": "OS2"},
        "ValidationException",
    ),
    "a window that does not exist": (
        "get_maintenance_window",
        {"WindowId": "mw-0123456789abcdef0"},
        "DoesNotExistException",
    ),
    "a window to look into that does not exist": (
        "describe_maintenance_window_executions",
        {"WindowId": "mw-0123456789abcdef0"},
        "DoesNotExistException",
    ),
    "an execution that does not exist": (
        "get_maintenance_window_execution",
        {"WindowExecutionId": GONE},
        "DoesNotExistException",
    ),
    "a window that is cut off before it opens": (
        "create_maintenance_window",
        {**window_named("short"), "Cutoff": 2},
        "ValidationException",
    ),
    "a schedule that is none": (
        "create_maintenance_window",
        {**window_named("never"), "Schedule": "cron(bad)"},
        "ValidationException",
    ),
    "an association that does not exist": (
        "describe_association",
        {"AssociationId": GONE},
        "AssociationDoesNotExist",
    ),
    "an association that is too frequent": (
        "create_association",
        {"Name": "AWS-RunPatchBaseline", "Targets": NOBODY, "ScheduleExpression": "rate(1 minute)"},
        "ValidationException",
    ),
    "an association filter that is not there": (
        "list_associations",
        {"AssociationFilterList": [{"key": "Status", "value": "Success"}]},
        "ValidationException",
    ),
}


@pytest.mark.parametrize("what", ERRORS)
def test_a_request_that_cannot_be_answered_has_its_documented_error(world: World, what: str) -> None:
    name, arguments, expected = ERRORS[what]
    assert code(lambda: getattr(world.ssm, name)(**arguments)) == expected


def test_a_node_that_a_command_was_not_sent_to_has_no_invocation(world: World) -> None:
    assert (
        code(lambda: world.ssm.get_command_invocation(CommandId=world.command, InstanceId="i-00000001"))
        == "InvocationDoesNotExist"
    )


def test_a_step_that_a_document_has_not_is_an_invalid_plugin(world: World) -> None:
    arguments = {"CommandId": world.command, "InstanceId": world.nodes[0], "PluginName": "PatchSolaris"}
    assert code(lambda: world.ssm.get_command_invocation(**arguments)) == "InvalidPluginName"


def test_an_execution_that_an_association_has_not_is_not_found(world: World) -> None:
    arguments = {"AssociationId": world.association, "ExecutionId": GONE}
    assert (
        code(lambda: world.ssm.describe_association_execution_targets(**arguments))
        == "AssociationExecutionDoesNotExist"
    )


def test_a_target_that_a_task_names_is_in_use(world: World) -> None:
    arguments = {"WindowId": world.window, "WindowTargetId": world.target, "Safe": True}
    assert code(lambda: world.ssm.deregister_target_from_maintenance_window(**arguments)) == "TargetInUseException"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"TaskType": "LAMBDA"}, "FeatureNotAvailableException"),
        ({"Targets": []}, "ValidationException"),
        ({"Targets": [{"Key": "WindowTargetIds", "Values": [GONE]}]}, "DoesNotExistException"),
        ({"ServiceRoleArn": "arn:aws:iam::123456789012:role/gone"}, "ValidationException"),
    ],
)
def test_a_task_that_could_not_run_is_refused(world: World, changes: dict[str, Any], expected: str) -> None:
    arguments = {**task_of(world.window, world.target, world.sender), **changes}
    assert code(lambda: world.ssm.register_task_with_maintenance_window(**arguments)) == expected


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"Fancy": 1}, "ListCommands has no parameter Fancy"),
        ({"MaxResults": 0}, "MaxResults"),
        ({"MaxResults": "1"}, "MaxResults"),
        ({"Filters": [{"key": "Status"}]}, "value"),
    ],
)
def test_a_request_that_the_model_does_not_know_is_refused_by_the_server_itself(
    connect: Connect, arguments: dict[str, Any], problem: str
) -> None:
    ssm = connect("ssm", parameter_validation=False)
    send_as_is(ssm, json.dumps(arguments).encode())
    with pytest.raises(ClientError, match=problem) as error:
        ssm.list_commands()
    assert error.value.response["Error"]["Code"] == "ValidationException"


def send_as_is(client: Any, body: bytes) -> None:
    """Have a client send this body instead of its own."""

    def replace(params: dict[str, Any], **_: Any) -> None:
        params["body"] = body

    client.meta.events.register("before-call.ssm", replace)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("create_ops_item", {"Description": "a", "Source": "b", "Title": "c"}),
        ("start_automation_execution", {"DocumentName": "AWS-RestartEC2Instance"}),
        ("describe_available_patches", {}),
        ("get_inventory", {}),
    ],
)
def test_an_operation_that_is_not_emulated_says_so(world: World, name: str, arguments: dict[str, Any]) -> None:
    with pytest.raises(ClientError, match="The local AWS does not emulate ssm:") as error:
        getattr(world.ssm, name)(**arguments)
    assert error.value.response["Error"]["Code"] == "UnsupportedOperationException"
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


# What the answers say.


def test_nodes_are_described_with_the_platform_that_they_have(world: World) -> None:
    found = world.ssm.describe_instance_information(Filters=[{"Key": "InstanceIds", "Values": world.nodes[:1]}])
    (node,) = found["InstanceInformationList"]
    assert (node["PlatformType"], node["PlatformName"], node["PingStatus"]) == ("Linux", "Amazon Linux", "Online")


@pytest.mark.parametrize(
    ("key", "values", "count"),
    [
        ("tag:Name", ["web"], NODES - 1),
        ("tag-key", ["Name"], NODES - 1),
        ("PlatformTypes", ["Windows"], 0),
        ("PlatformTypes", ["Linux"], NODES),
        ("PingStatus", ["ConnectionLost"], 0),
        ("ResourceType", ["EC2Instance"], NODES),
    ],
)
def test_nodes_are_filtered(world: World, key: str, values: list[str], count: int) -> None:
    pages = world.ssm.get_paginator("describe_instance_information").paginate(Filters=[{"Key": key, "Values": values}])
    assert len(pages.build_full_result()["InstanceInformationList"]) == count


def test_the_counts_of_a_node_are_those_of_its_patches(world: World) -> None:
    (state,) = world.ssm.describe_instance_patch_states(InstanceIds=world.nodes[:1])["InstancePatchStates"]
    pages = world.ssm.get_paginator("describe_instance_patches").paginate(InstanceId=world.nodes[0])
    patches = pages.build_full_result()["Patches"]
    for name in ("Installed", "InstalledOther", "InstalledRejected", "Missing", "Failed", "InstalledPendingReboot"):
        assert state[f"{name}Count"] == sum(one["State"] == name for one in patches)
    assert state["MissingCount"] > 0
    assert state["InstalledRejectedCount"] == 1
    assert state["CriticalNonCompliantCount"] == state["SecurityNonCompliantCount"] == state["MissingCount"]
    assert state["OtherNonCompliantCount"] == 1
    assert (state["BaselineId"], state["PatchGroup"], state["Operation"]) == (world.baseline, "prod", "Scan")


def test_a_node_that_does_not_exist_has_no_state_and_is_no_error(world: World) -> None:
    assert world.ssm.describe_instance_patch_states(InstanceIds=["i-00000001"])["InstancePatchStates"] == []


def test_patches_are_filtered_by_state_in_either_spelling(world: World) -> None:
    def having(state: str) -> list[str]:
        pages = world.ssm.get_paginator("describe_instance_patches").paginate(
            InstanceId=world.nodes[0], Filters=[{"Key": "State", "Values": [state]}]
        )
        return [one["State"] for one in pages.build_full_result()["Patches"]]

    assert set(having("Missing")) == {"Missing"}
    assert having("INSTALLED_REJECTED") == having("InstalledRejected") == ["InstalledRejected"]


def test_patches_that_nothing_approves_have_no_classification(world: World) -> None:
    pages = world.ssm.get_paginator("describe_instance_patches").paginate(InstanceId=world.nodes[0])
    for patch in pages.build_full_result()["Patches"]:
        if patch["State"] == "InstalledOther":
            assert (patch["Classification"], patch["Severity"]) == ("", "")
        if patch["State"] == "Missing":
            assert patch["Classification"] == "Security"
            assert patch["CVEIds"].startswith("CVE-0000-")
            assert patch["InstalledTime"].timestamp() == 0


def test_a_group_counts_its_nodes(world: World) -> None:
    state = world.ssm.describe_patch_group_state(PatchGroup="prod")
    assert state["Instances"] == state["InstancesWithMissingPatches"] == NODES - 1
    assert state["InstancesWithCriticalNonCompliantPatches"] == NODES - 1
    assert state["InstancesWithFailedPatches"] == 0


def test_compliance_is_summed_up_by_node(world: World) -> None:
    lacking = world.ssm.list_resource_compliance_summaries(
        Filters=[
            {"Key": "ComplianceType", "Values": ["Patch"], "Type": "EQUAL"},
            {"Key": "Status", "Values": ["COMPLIANT"], "Type": "NOT_EQUAL"},
        ]
    )["ResourceComplianceSummaryItems"]
    (summary,) = world.ssm.list_compliance_summaries()["ComplianceSummaryItems"]
    assert len(lacking) == summary["NonCompliantSummary"]["NonCompliantCount"] == NODES
    assert summary["NonCompliantSummary"]["SeveritySummary"]["CriticalCount"] == NODES - 1
    assert summary["CompliantSummary"]["CompliantCount"] == 0


def test_the_output_of_a_step_is_in_the_bucket_where_the_reply_says(world: World, connect: Connect) -> None:
    node = world.nodes[0]
    reply = world.ssm.get_command_invocation(CommandId=world.command, InstanceId=node, PluginName="PatchLinux")
    _, _, key = reply["StandardOutputUrl"].partition("/output/")
    assert key == f"runs/{world.command}/{node}/awsrunShellScript/PatchLinux/stdout"
    stored = connect("s3").get_object(Bucket="output", Key=key)["Body"].read().decode()
    assert stored == reply["StandardOutputContent"]
    assert node in stored


def test_without_the_name_of_a_step_no_output_is_shown(world: World) -> None:
    reply = world.ssm.get_command_invocation(CommandId=world.command, InstanceId=world.nodes[0])
    assert (reply["Status"], reply["ResponseCode"], reply["StandardOutputContent"]) == ("Success", 0, "")


def test_invocations_have_their_steps_only_when_these_are_asked_for(world: World) -> None:
    plain = world.ssm.list_command_invocations(CommandId=world.command)["CommandInvocations"]
    detailed = world.ssm.list_command_invocations(CommandId=world.command, InstanceId=world.nodes[0], Details=True)
    assert all(one["CommandPlugins"] == [] for one in plain)
    (one,) = detailed["CommandInvocations"]
    assert [step["Name"] for step in one["CommandPlugins"]] == ["PatchWindows", "PatchLinux", "PatchMacOS"]
    assert all(len(step["Output"]) <= 2500 for step in one["CommandPlugins"])


def test_a_command_says_what_was_asked_and_how_it_ended(world: World) -> None:
    (command,) = world.ssm.list_commands(CommandId=world.command)["Commands"]
    assert (command["Status"], command["TargetCount"], command["CompletedCount"]) == ("Success", NODES, NODES)
    assert (command["ErrorCount"], command["MaxConcurrency"], command["MaxErrors"]) == (0, "100%", "0")
    assert (command["Comment"], command["InstanceIds"], command["Targets"]) == ("For tests", [], FLEET)


def test_each_run_of_an_association_counts_its_own_nodes(world: World) -> None:
    runs = world.ssm.describe_association_executions(AssociationId=world.association)["AssociationExecutions"]
    assert {run["ResourceCountByStatus"] for run in runs[1:]} == {f"{{Success={NODES}}}"}
    world.ssm.start_associations_once(AssociationIds=[world.association])
    after = world.ssm.describe_association_executions(AssociationId=world.association)["AssociationExecutions"]
    assert [run["ResourceCountByStatus"] for run in after[1:]] == [run["ResourceCountByStatus"] for run in runs]


def test_a_window_is_described_as_it_was_made(world: World) -> None:
    window = world.ssm.get_maintenance_window(WindowId=world.window)
    made = window_named("main")
    assert {key: window[key] for key in made} == made


def test_the_next_opening_is_told_in_the_zone_of_the_window(world: World) -> None:
    window = world.ssm.create_maintenance_window(
        **{**window_named("seoul"), "Schedule": "cron(0 2 * * ? *)", "ScheduleTimezone": "Asia/Seoul"}
    )["WindowId"]
    told = world.ssm.get_maintenance_window(WindowId=window)["NextExecutionTime"]
    assert told.endswith("T02:00+09:00")
    first = world.ssm.describe_maintenance_window_schedule(WindowId=window, MaxResults=1)
    assert first["ScheduledWindowExecutions"][0]["ExecutionTime"] == told
    world.ssm.update_maintenance_window(WindowId=window, Enabled=False)
    assert "NextExecutionTime" not in world.ssm.get_maintenance_window(WindowId=window)
    assert world.ssm.describe_maintenance_window_schedule(WindowId=window)["ScheduledWindowExecutions"] == []
    world.ssm.delete_maintenance_window(WindowId=window)


def test_a_target_is_described_as_it_was_registered(world: World) -> None:
    window = fresh_window(world)
    given = {"Name": "all", "Description": "All", "OwnerInformation": "Operations", "Targets": FLEET}
    world.ssm.register_target_with_maintenance_window(WindowId=window, ResourceType="INSTANCE", **given)
    (target,) = world.ssm.describe_maintenance_window_targets(WindowId=window)["Targets"]
    assert {key: target.get(key) for key in given} == given


def test_a_task_is_described_as_it_was_registered(world: World) -> None:
    task = world.ssm.get_maintenance_window_task(WindowId=world.window, WindowTaskId=world.task)
    made = task_of(world.window, world.target, world.sender)
    run_command = made["TaskInvocationParameters"]["RunCommand"]
    assert {key: task["TaskInvocationParameters"]["RunCommand"][key] for key in run_command} == run_command
    del made["TaskInvocationParameters"]
    assert {key: task[key] for key in made} == made


def test_a_baseline_is_described_as_it_was_made(world: World) -> None:
    stored = world.ssm.get_patch_baseline(BaselineId=world.baseline)
    assert (stored["Name"], stored["OperatingSystem"]) == ("prod", "AMAZON_LINUX_2023")
    assert (stored["ApprovedPatches"], stored["RejectedPatches"]) == (["bash"], ["curl*"])
    assert stored["RejectedPatchesAction"] == "BLOCK"
    assert stored["PatchGroups"] == ["prod", "other"]
    (rule,) = stored["ApprovalRules"]["PatchRules"]
    assert (rule["ApproveAfterDays"], rule["ComplianceLevel"]) == (0, "CRITICAL")


def test_an_update_keeps_what_it_does_not_name_unless_it_replaces(world: World) -> None:
    baseline = world.ssm.create_patch_baseline(Name="changing", ApprovedPatches=["KB1"], Description="Old")[
        "BaselineId"
    ]
    kept = world.ssm.update_patch_baseline(BaselineId=baseline, Description="New")
    assert (kept["Name"], kept["ApprovedPatches"], kept["Description"]) == ("changing", ["KB1"], "New")
    replaced = world.ssm.update_patch_baseline(BaselineId=baseline, Name="changed", Replace=True)
    assert (replaced["Name"], replaced["ApprovedPatches"], replaced["Description"]) == ("changed", [], "")


def test_baselines_and_groups_are_filtered(world: World) -> None:
    def names(**filters: str) -> list[str]:
        found = world.ssm.describe_patch_baselines(
            Filters=[{"Key": key, "Values": [value]} for key, value in filters.items()]
        )["BaselineIdentities"]
        return [one["BaselineName"] for one in found]

    assert names(OWNER="AWS", OPERATING_SYSTEM="SUSE") == ["AWS-SuseDefaultPatchBaseline"]
    assert names(OWNER="Self", NAME_PREFIX="pro") == ["prod"]
    groups = world.ssm.describe_patch_groups(Filters=[{"Key": "NAME_PREFIX", "Values": ["oth"]}])["Mappings"]
    assert [one["PatchGroup"] for one in groups] == ["other"]


def test_documents_of_aws_are_listed_and_read(world: World) -> None:
    names = [
        one["Name"]
        for one in world.ssm.list_documents(
            Filters=[{"Key": "Name", "Values": ["AWS-RunPatchBaseline"]}, {"Key": "Owner", "Values": ["Amazon"]}]
        )["DocumentIdentifiers"]
    ]
    assert "AWS-RunPatchBaseline" in names
    described = world.ssm.describe_document(Name="AWS-RunPatchBaseline")["Document"]
    content = json.loads(world.ssm.get_document(Name="AWS-RunPatchBaseline")["Content"])
    assert [one["Name"] for one in described["Parameters"]] == list(content["parameters"])
    assert described["Parameters"][0]["Name"] == "Operation"


def test_documents_of_the_account_stay_with_it(world: World) -> None:
    steps = [{"action": "aws:runShellScript", "name": "one", "inputs": {"runCommand": ["true"]}}]
    content = json.dumps({"schemaVersion": "2.2", "description": "Mine", "mainSteps": steps})
    world.ssm.create_document(Name="Mine", Content=content, DocumentType="Command", DocumentFormat="JSON")
    assert world.ssm.describe_document(Name="Mine")["Document"]["Name"] == "Mine"
    pages = world.ssm.get_paginator("list_documents").paginate(PaginationConfig={"PageSize": 2})
    names = [one["Name"] for one in pages.build_full_result()["DocumentIdentifiers"]]
    assert "Mine" in names
    assert names.count("AWS-RunPatchBaseline") == 1
    assert code(lambda: world.ssm.send_command(DocumentName="Mine", Targets=FLEET)) == "InvalidDocument"


def test_a_service_time_comes_with_every_reply(world: World) -> None:
    headers = world.ssm.list_commands()["ResponseMetadata"]["HTTPHeaders"]
    from patching.deployment import SERVICE_TIME_HEADER  # noqa: PLC0415

    assert headers[SERVICE_TIME_HEADER.lower()].startswith("2026-11-")
