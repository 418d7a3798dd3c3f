"""Maintenance windows by their API: what is changed, what is found by which filter, and tasks that are no commands."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.lab.aws.world import GONE, Connect, error_code, task_of, window_named

pytestmark = pytest.mark.xdist_group("local-aws")

REGION = "ap-southeast-1"
FUNCTION = f"arn:aws:lambda:{REGION}:123456789012:function:told"
WEB = [{"Key": "tag:Fleet", "Values": ["a"]}]


@pytest.fixture(scope="module")
def ssm(connect: Connect) -> Any:
    return connect("ssm", REGION)


@pytest.fixture(scope="module")
def node(launch: Callable[..., list[str]]) -> str:
    return launch(REGION)[0]


@pytest.fixture(scope="module")
def window(ssm: Any, node: str, roles: dict[str, str], advance: Callable[..., Any]) -> dict[str, str]:
    """A window with a target, a command and a function, that has opened once."""
    made = ssm.create_maintenance_window(**window_named("web"), Tags=[{"Key": "Environment", "Value": "lab"}])[
        "WindowId"
    ]
    target = ssm.register_target_with_maintenance_window(
        WindowId=made, ResourceType="INSTANCE", Targets=WEB, OwnerInformation="us"
    )["WindowTargetId"]
    command = ssm.register_task_with_maintenance_window(**task_of(made, target, roles["sender"]))["WindowTaskId"]
    function = ssm.register_task_with_maintenance_window(
        WindowId=made,
        TaskArn=FUNCTION,
        TaskType="LAMBDA",
        Targets=[{"Key": "WindowTargetIds", "Values": [target]}],
        ServiceRoleArn=roles["sender"],
        MaxConcurrency="1",
        MaxErrors="1",
        TaskInvocationParameters={"Lambda": {"Payload": b'{"node": "{{TARGET_ID}}"}', "Qualifier": "$LATEST"}},
    )["WindowTaskId"]
    advance(hours=1, minutes=20)
    ssm.update_maintenance_window(WindowId=made, Enabled=False)
    executions = ssm.describe_maintenance_window_executions(WindowId=made)["WindowExecutions"]
    execution = executions[0]["WindowExecutionId"]
    return {"id": made, "target": target, "command": command, "function": function, "execution": execution}


def tasks_of(ssm: Any, window: dict[str, str], **more: Any) -> list[dict[str, Any]]:
    reply = ssm.describe_maintenance_window_execution_tasks(WindowExecutionId=window["execution"], **more)
    found: list[dict[str, Any]] = reply["WindowExecutionTaskIdentities"]
    return found


def test_a_function_has_an_invocation_a_target_with_what_it_was_invoked_with(
    ssm: Any, window: dict[str, str], node: str
) -> None:
    (run,) = [one for one in tasks_of(ssm, window) if one["TaskType"] == "LAMBDA"]
    where = {"WindowExecutionId": window["execution"], "TaskId": run["TaskExecutionId"]}
    (listed,) = ssm.describe_maintenance_window_execution_task_invocations(**where)[
        "WindowExecutionTaskInvocationIdentities"
    ]
    told = ssm.get_maintenance_window_execution_task_invocation(**where, InvocationId=listed["InvocationId"])
    parameters = json.loads(told["Parameters"])
    assert json.loads(parameters["Payload"]) == {"node": node}
    assert (told["Status"], told["WindowTargetId"], told["OwnerInformation"]) == ("SUCCESS", window["target"], "us")
    task = ssm.get_maintenance_window_execution_task(**where)
    assert (task["Type"], task["TaskArn"], task["Status"], task["MaxErrors"]) == ("LAMBDA", FUNCTION, "SUCCESS", "1")
    assert (
        error_code(lambda: ssm.get_maintenance_window_execution_task_invocation(**where, InvocationId=GONE))
        == "DoesNotExistException"
    )


def test_a_payload_comes_back_as_it_was_given(ssm: Any, window: dict[str, str]) -> None:
    task = ssm.get_maintenance_window_task(WindowId=window["id"], WindowTaskId=window["function"])
    payload = task["TaskInvocationParameters"]["Lambda"]["Payload"]
    assert payload.read() if hasattr(payload, "read") else payload == b'{"node": "{{TARGET_ID}}"}'


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        ([], 2),
        ([{"Key": "TaskType", "Values": ["LAMBDA"]}], 1),
        ([{"Key": "TaskArn", "Values": ["AWS-RunPatchBaseline"]}], 1),
        ([{"Key": "Priority", "Values": ["1"]}], 1),
        ([{"Key": "Priority", "Values": ["0", "1"]}], 2),
        ([{"Key": "WindowTaskId", "Values": [GONE]}], 0),
    ],
)
def test_tasks_are_found_by_filters(
    ssm: Any, window: dict[str, str], filters: list[dict[str, Any]], count: int
) -> None:
    assert len(ssm.describe_maintenance_window_tasks(WindowId=window["id"], Filters=filters)["Tasks"]) == count


def test_targets_and_executions_are_found_by_filters(ssm: Any, window: dict[str, str]) -> None:
    def targets(key: str, value: str) -> int:
        wanted = [{"Key": key, "Values": [value]}]
        return len(ssm.describe_maintenance_window_targets(WindowId=window["id"], Filters=wanted)["Targets"])

    assert targets("OwnerInformation", "us") == targets("WindowTargetId", window["target"]) == 1
    assert targets("Type", "INSTANCE") == 1
    assert targets("Type", "RESOURCE_GROUP") == targets("OwnerInformation", "them") == 0

    def executions(key: str, value: str) -> int:
        wanted = [{"Key": key, "Values": [value]}]
        reply = ssm.describe_maintenance_window_executions(WindowId=window["id"], Filters=wanted)
        return len(reply["WindowExecutions"])

    assert (
        executions("ExecutedAfter", "2020-01-01T00:00:00Z") == executions("ExecutedBefore", "2030-01-01T00:00:00Z") == 1
    )
    assert (
        executions("ExecutedBefore", "2020-01-01T00:00:00Z") == executions("ExecutedAfter", "2030-01-01T00:00:00Z") == 0
    )


def test_what_ran_is_found_by_its_status(ssm: Any, window: dict[str, str]) -> None:
    assert len(tasks_of(ssm, window, Filters=[{"Key": "STATUS", "Values": ["SUCCESS"]}])) == 2
    assert tasks_of(ssm, window, Filters=[{"Key": "STATUS", "Values": ["FAILED", "TIMED_OUT"]}]) == []
    unknown = [{"Key": "STATUS", "Values": ["DONE"]}]
    assert error_code(lambda: tasks_of(ssm, window, Filters=unknown)) == "ValidationException"


def test_windows_are_found_by_whom_they_are_for(ssm: Any, window: dict[str, str], node: str) -> None:
    def found(targets: list[dict[str, Any]], kind: str = "INSTANCE") -> list[str]:
        reply = ssm.describe_maintenance_windows_for_target(Targets=targets, ResourceType=kind)
        return [one["WindowId"] for one in reply["WindowIdentities"]]

    by_id = [{"Key": "InstanceIds", "Values": [node]}]
    assert found(WEB) == found(by_id) == [window["id"]]
    assert found([{"Key": "tag:Fleet", "Values": ["b"]}]) == found(WEB, "RESOURCE_GROUP") == []


def test_a_target_keeps_what_an_update_does_not_say_unless_it_replaces(ssm: Any, window: dict[str, str]) -> None:
    made = ssm.register_target_with_maintenance_window(
        WindowId=window["id"], ResourceType="INSTANCE", Targets=WEB, Name="one", Description="of us"
    )["WindowTargetId"]
    where = {"WindowId": window["id"], "WindowTargetId": made}
    changed = ssm.update_maintenance_window_target(**where, Name="two")
    assert (changed["Name"], changed["Description"], changed["Targets"]) == ("two", "of us", WEB)
    replaced = ssm.update_maintenance_window_target(**where, Targets=WEB, Replace=True)
    assert "Name" not in replaced
    assert "Description" not in replaced
    assert error_code(lambda: ssm.update_maintenance_window_target(**where, Replace=True)) == "ValidationException"
    gone = {**where, "WindowTargetId": GONE}
    assert error_code(lambda: ssm.update_maintenance_window_target(**gone)) == "DoesNotExistException"
    ssm.deregister_target_from_maintenance_window(**where)


def test_a_task_keeps_what_an_update_does_not_say_unless_it_replaces(
    ssm: Any, window: dict[str, str], roles: dict[str, str]
) -> None:
    given = task_of(window["id"], window["target"], roles["sender"])
    made = ssm.register_task_with_maintenance_window(**given)["WindowTaskId"]
    where = {"WindowId": window["id"], "WindowTaskId": made}
    changed = ssm.update_maintenance_window_task(**where, Priority=7)
    before = ssm.get_maintenance_window_task(**where)
    assert (changed["Priority"], changed["Name"]) == (7, "scan")
    assert changed["TaskInvocationParameters"] == before["TaskInvocationParameters"]
    assert before["TaskInvocationParameters"]["RunCommand"]["OutputS3BucketName"] == "output"
    needed = {"TaskArn": given["TaskArn"], "Targets": given["Targets"], "MaxConcurrency": "1", "MaxErrors": "0"}
    more = {"TaskInvocationParameters": {"RunCommand": {"Parameters": {"Operation": ["Scan"]}}}}
    replaced = ssm.update_maintenance_window_task(**where, **needed, **more, Replace=True)
    assert replaced["Priority"] == 0
    assert "Name" not in replaced
    assert error_code(lambda: ssm.update_maintenance_window_task(**where, Replace=True)) == "ValidationException"
    gone = {**where, "WindowTaskId": GONE}
    assert error_code(lambda: ssm.update_maintenance_window_task(**gone)) == "DoesNotExistException"
    ssm.deregister_task_from_maintenance_window(**where)


def test_an_execution_that_is_over_can_be_cancelled_without_effect(ssm: Any, window: dict[str, str]) -> None:
    before = ssm.get_maintenance_window_execution(WindowExecutionId=window["execution"])["Status"]
    assert ssm.cancel_maintenance_window_execution(WindowExecutionId=window["execution"])
    assert ssm.get_maintenance_window_execution(WindowExecutionId=window["execution"])["Status"] == before
    assert (
        error_code(lambda: ssm.cancel_maintenance_window_execution(WindowExecutionId=GONE)) == "DoesNotExistException"
    )


def test_a_window_has_the_tags_that_it_was_made_with(ssm: Any, window: dict[str, str]) -> None:
    told = ssm.list_tags_for_resource(ResourceType="MaintenanceWindow", ResourceId=window["id"])["TagList"]
    assert told == [{"Key": "Environment", "Value": "lab"}]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"TaskInvocationParameters": {"RunCommand": {}}}, "ValidationException"),
        ({"LoggingInfo": {"S3BucketName": "abc", "S3Region": REGION}}, "ValidationException"),
    ],
)
def test_a_function_with_what_it_does_not_take_is_refused(
    ssm: Any, window: dict[str, str], changes: dict[str, Any], code: str
) -> None:
    arguments = {"WindowId": window["id"], "TaskArn": FUNCTION, "TaskType": "LAMBDA", **changes}
    assert error_code(lambda: ssm.register_task_with_maintenance_window(**arguments)) == code
