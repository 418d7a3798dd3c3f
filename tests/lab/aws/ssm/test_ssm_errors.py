"""What the local AWS refuses, and with which error."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.lab.aws.world import (
    FLEET,
    GONE,
    NOBODY,
    SCAN,
    Connect,
    World,
    error_code,
    task_of,
    window_named,
)

pytestmark = pytest.mark.xdist_group("local-aws")


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
        "InvalidDocumentVersion",
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
        "ValidationException",
    ),
    "a filter that nodes have not": (
        "describe_instance_information",
        {"Filters": [{"Key": "Fancy", "Values": ["1"]}]},
        "InvalidFilterKey",
    ),
    "a value that a filter of nodes has not": (
        "describe_instance_information",
        {"Filters": [{"Key": "PingStatus", "Values": ["Offline"]}]},
        "InvalidInstanceInformationFilterValue",
    ),
    "a status that an association has not": (
        "describe_instance_information",
        {"Filters": [{"Key": "AssociationStatus", "Values": ["Well"]}]},
        "InvalidInstanceInformationFilterValue",
    ),
    "a kind of source that there is not": (
        "describe_instance_information",
        {"Filters": [{"Key": "SourceTypes", "Values": ["EC2"]}]},
        "InvalidInstanceInformationFilterValue",
    ),
    "what is no id of a node": (
        "describe_instance_information",
        {"Filters": [{"Key": "InstanceIds", "Values": ["web-1"]}]},
        "InvalidInstanceInformationFilterValue",
    ),
    "the older filters beside the newer": (
        "describe_instance_information",
        {
            "Filters": [{"Key": "PingStatus", "Values": ["Online"]}],
            "InstanceInformationFilterList": [{"key": "PingStatus", "valueSet": ["Online"]}],
        },
        "ValidationException",
    ),
    "a key of the newer filters among the older": (
        "describe_instance_information",
        {"InstanceInformationFilterList": [{"key": "SourceTypes", "valueSet": ["AWS::EC2::Instance"]}]},
        "ValidationException",
    ),
    "a filter for tags beside another": (
        "describe_instance_information",
        {"Filters": [{"Key": "tag:Name", "Values": ["web"]}, {"Key": "PingStatus", "Values": ["Online"]}]},
        "InvalidFilterKey",
    ),
    "a property that nodes have not": (
        "describe_instance_properties",
        {"FiltersWithOperator": [{"Key": "Fancy", "Values": ["1"]}]},
        "InvalidFilterKey",
    ),
    "an operator that there is not": (
        "describe_instance_properties",
        {"FiltersWithOperator": [{"Key": "PingStatus", "Values": ["1"], "Operator": "Like"}]},
        "ValidationException",
    ),
    "an activation for a role that is not there": (
        "create_activation",
        {"IamRole": "gone"},
        "ValidationException",
    ),
    "an activation that lasts too long": (
        "create_activation",
        {"IamRole": "sender", "ExpirationDate": "2027-06-01T00:00:00Z"},
        "ValidationException",
    ),
    "an activation that has expired before it is made": (
        "create_activation",
        {"IamRole": "sender", "ExpirationDate": "2026-11-01T00:00:00Z"},
        "ValidationException",
    ),
    "an activation to delete that does not exist": ("delete_activation", {"ActivationId": GONE}, "InvalidActivationId"),
    "a filter that activations have not": (
        "describe_activations",
        {"Filters": [{"FilterKey": "Fancy", "FilterValues": ["1"]}]},
        "ValidationException",
    ),
    "a machine that does not exist": (
        "deregister_managed_instance",
        {"InstanceId": "mi-0123456789abcdef0"},
        "InvalidInstanceId",
    ),
    "the role of a machine that does not exist": (
        "update_managed_instance_role",
        {"InstanceId": "mi-0123456789abcdef0", "IamRole": "sender"},
        "InvalidInstanceId",
    ),
    "tags of a baseline that does not exist": (
        "list_tags_for_resource",
        {"ResourceType": "PatchBaseline", "ResourceId": "pb-0123456789abcdef0"},
        "InvalidResourceId",
    ),
    "tags of what has none": (
        "add_tags_to_resource",
        {"ResourceType": "Fancy", "ResourceId": "1", "Tags": [{"Key": "a", "Value": "b"}]},
        "ValidationException",
    ),
    "tags of what is not emulated": (
        "add_tags_to_resource",
        {"ResourceType": "OpsItem", "ResourceId": "1", "Tags": [{"Key": "a", "Value": "b"}]},
        "InvalidResourceType",
    ),
    "a filter that patches have not": (
        "describe_patch_baselines",
        {"Filters": [{"Key": "Fancy", "Values": ["1"]}]},
        "InvalidFilter",
    ),
    "a filter that available patches have not": (
        "describe_available_patches",
        {"Filters": [{"Key": "Fancy", "Values": ["1"]}]},
        "ValidationException",
    ),
    "patches of Linux without their product": (
        "describe_available_patches",
        {"Filters": [{"Key": "CVE_ID", "Values": ["CVE-2018-3615"]}]},
        "ValidationException",
    ),
    "effective patches of a baseline that does not exist": (
        "describe_effective_patches_for_patch_baseline",
        {"BaselineId": "pb-0123456789abcdef0"},
        "DoesNotExistException",
    ),
    "a property that a system has not": (
        "describe_patch_properties",
        {"OperatingSystem": "UBUNTU", "Property": "CLASSIFICATION"},
        "ValidationException",
    ),
    "a patch set of Linux": (
        "describe_patch_properties",
        {"OperatingSystem": "UBUNTU", "Property": "PRIORITY", "PatchSet": "OS"},
        "ValidationException",
    ),
    "a snapshot for a node that does not exist": (
        "get_deployable_patch_snapshot_for_instance",
        {"InstanceId": "i-00000001", "SnapshotId": GONE},
        "InvalidInstanceId",
    ),
    "a count that states have not": (
        "describe_instance_patch_states_for_patch_group",
        {"PatchGroup": "prod", "Filters": [{"Key": "Fancy", "Values": ["1"], "Type": "Equal"}]},
        "InvalidFilter",
    ),
    "a count that is no number": (
        "describe_instance_patch_states_for_patch_group",
        {"PatchGroup": "prod", "Filters": [{"Key": "MissingCount", "Values": ["-1"], "Type": "Equal"}]},
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
    "a date that is none": (
        "create_maintenance_window",
        {**window_named("never"), "StartDate": "next week"},
        "ValidationException",
    ),
    "a calendar that does not exist": ("get_calendar_state", {"CalendarNames": ["Gone"]}, "InvalidDocument"),
    "an offset without an interval": (
        "create_association",
        {
            "Name": "AWS-RunPatchBaseline",
            "Targets": NOBODY,
            "ScheduleExpression": "cron(0 2 ? * TUE#3 *)",
            "ScheduleOffset": 2,
        },
        "ValidationException",
    ),
    "an association that does not exist": (
        "describe_association",
        {"AssociationId": GONE},
        "AssociationDoesNotExist",
    ),
    "an association that is too frequent": (
        "create_association",
        {
            "Name": "AWS-RunPatchBaseline",
            "Parameters": {"Operation": ["Scan"]},
            "Targets": NOBODY,
            "ScheduleExpression": "rate(1 minute)",
        },
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
    assert error_code(lambda: getattr(world.ssm, name)(**arguments)) == expected


def test_a_node_that_a_command_was_not_sent_to_has_no_invocation(world: World) -> None:
    assert (
        error_code(lambda: world.ssm.get_command_invocation(CommandId=world.command, InstanceId="i-00000001"))
        == "InvocationDoesNotExist"
    )


def test_a_step_that_a_document_has_not_is_an_invalid_plugin(world: World) -> None:
    arguments = {"CommandId": world.command, "InstanceId": world.nodes[0], "PluginName": "PatchSolaris"}
    assert error_code(lambda: world.ssm.get_command_invocation(**arguments)) == "InvalidPluginName"


def test_an_execution_that_an_association_has_not_is_not_found(world: World) -> None:
    arguments = {"AssociationId": world.association, "ExecutionId": GONE}
    assert (
        error_code(lambda: world.ssm.describe_association_execution_targets(**arguments))
        == "AssociationExecutionDoesNotExist"
    )


def test_a_target_that_a_task_names_is_in_use(world: World) -> None:
    arguments = {"WindowId": world.window, "WindowTargetId": world.target, "Safe": True}
    assert (
        error_code(lambda: world.ssm.deregister_target_from_maintenance_window(**arguments)) == "TargetInUseException"
    )


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"TaskType": "LAMBDA"}, "ValidationException"),
        ({"TaskParameters": {"a": {"Values": ["b"]}}}, "ValidationException"),
        ({"Targets": []}, "ValidationException"),
        ({"Targets": [{"Key": "WindowTargetIds", "Values": [GONE]}]}, "DoesNotExistException"),
        ({"ServiceRoleArn": "arn:aws:iam::123456789012:role/gone"}, "ValidationException"),
    ],
)
def test_a_task_that_could_not_run_is_refused(world: World, changes: dict[str, Any], expected: str) -> None:
    arguments = {**task_of(world.window, world.target, world.sender), **changes}
    assert error_code(lambda: world.ssm.register_task_with_maintenance_window(**arguments)) == expected


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"Fancy": 1}, "ValidationException.*ListCommands has no parameter Fancy"),
        ({"Filters": [{"key": "Status", "value": "a", "more": 1}]}, "ValidationException.*has no member more"),
        ({"MaxResults": "1"}, "SerializationException.*MaxResults is a string, where integer is expected"),
        ({"MaxResults": True}, "SerializationException.*MaxResults is a boolean"),
        ({"MaxResults": 2**40}, "SerializationException.*which is no integer"),
        ({"Filters": {}}, "SerializationException.*Filters is a structure, where list is expected"),
        ({"Filters": [None]}, r"SerializationException.*Filters\[0\] is null"),
        ({"MaxResults": 0}, "ValidationException.*: 1 validation error detected: Value '0' at 'maxResults' failed to"),
        ({"MaxResults": 0}, "satisfy constraint: Member must have value greater than or equal to 1$"),
        ({"MaxResults": 51}, "Value '51' at 'maxResults' .* less than or equal to 50"),
        (
            {"Filters": [{"key": "Status"}]},
            "Value null at 'filters.1.member.value' failed to satisfy constraint: Member must not be null",
        ),
        (
            {"Filters": [{"key": "Status", "value": ""}]},
            "'filters.1.member.value' .* length greater than or equal to 1",
        ),
        ({"Filters": []}, r"Value '\[\]' at 'filters' .* length greater than or equal to 1"),
        ({"Filters": [{"key": "Color", "value": "a"}]}, "'filters.1.member.key' .* enum value set: .InvokedAfter, "),
        (
            {"CommandId": "a", "InstanceId": "b"},
            "2 validation errors detected: .*'a' at 'commandId'.*; .*'b' at 'instanceId'",
        ),
        ({"InstanceId": "i-0123456789abcdef0 "}, "at 'instanceId' .* regular expression pattern"),
    ],
)
def test_a_request_that_the_model_does_not_know_is_refused_by_the_server_itself(
    connect: Connect, arguments: dict[str, Any], problem: str
) -> None:
    ssm = connect("ssm", parameter_validation=False)
    send_as_is(ssm, json.dumps(arguments).encode())
    with pytest.raises(ClientError, match=problem) as error:
        ssm.list_commands()
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b"\xff", b'"a"', b"[" * 100_000, b'{"MaxResults": NaN}', b'{"CommandId": "\\ud800"}']
)
def test_a_body_that_is_no_json_object_is_refused(connect: Connect, body: bytes) -> None:
    ssm = connect("ssm", parameter_validation=False)
    send_as_is(ssm, body)
    with pytest.raises(ClientError, match="SerializationException"):
        ssm.list_commands()


def send_as_is(client: Any, body: bytes) -> None:
    """Have a client send this body instead of its own."""

    def replace(params: dict[str, Any], **_: Any) -> None:
        params["body"] = body

    client.meta.events.register("before-call.ssm", replace)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("create_ops_item", {"Description": "a", "Source": "b", "Title": "c"}),
        ("start_session", {"Target": "i-0123456789abcdef0"}),
        ("list_nodes", {}),
    ],
)
def test_an_operation_that_is_not_emulated_says_so(world: World, name: str, arguments: dict[str, Any]) -> None:
    with pytest.raises(ClientError, match="The local AWS does not emulate ssm:") as error:
        getattr(world.ssm, name)(**arguments)
    assert error.value.response["Error"]["Code"] == "UnsupportedOperationException"
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


@pytest.mark.parametrize("token", ["gone", "1000000", "-1", "²", "W10=", "a" * 5000])
@pytest.mark.parametrize("operation", ["list_commands", "list_documents", "describe_parameters"])
def test_a_token_that_was_never_given_out_is_refused(world: World, operation: str, token: str) -> None:
    assert error_code(lambda: getattr(world.ssm, operation)(NextToken=token)) == "InvalidNextToken"


def test_a_token_of_another_operation_is_refused(world: World) -> None:
    token = world.ssm.describe_maintenance_windows(MaxResults=10)["NextToken"]
    with pytest.raises(ClientError, match="is one of DescribeMaintenanceWindows") as error:
        world.ssm.list_documents(NextToken=token)
    assert error.value.response["Error"]["Code"] == "InvalidNextToken"


def test_a_token_expires_after_a_day(world: World) -> None:
    token = world.ssm.list_documents(MaxResults=5)["NextToken"]
    world.advance(hours=23)
    assert world.ssm.list_documents(MaxResults=5, NextToken=token)["DocumentIdentifiers"]
    world.advance(hours=2)
    with pytest.raises(ClientError, match="has expired"):
        world.ssm.list_documents(MaxResults=5, NextToken=token)
