"""Tasks of windows that are no commands: what they are invoked with, for whom, and by whose leave."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lab.records.window import TaskInvocation, Window, WindowExecution
from patching.rate_control import RateControl
from tests.lab.simulated import SENDER, Lab, day
from tests.lab.windows.test_windows import FLEET, task, window

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:told"
MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:told"


def opened(lab: Lab, of: Window) -> WindowExecution:
    lab.clock.advance(day("2026-03-15 12:00"))
    return of.executions[-1]


def invoking(lab: Lab, of: Window, **changes: Any) -> None:
    """Have a window invoke a function for each node of the fleet."""
    payload = b'{"node": "{{TARGET_ID}}", "kind": "{{ TARGET_TYPE }}", "window": "{{WINDOW_ID}}", "{{OTHER}}": 1}'
    given = {
        "kind": "LAMBDA",
        "document": FUNCTION,
        "parameters": {},
        "invoked_with": {"Payload": payload, "Qualifier": "$LATEST"},
        "rate_control": RateControl("100%", "100%"),
        **changes,
    }
    task(lab, of, **given)


def invocations(execution: WindowExecution) -> list[TaskInvocation]:
    (run,) = execution.tasks
    return run.invocations


def test_a_function_is_invoked_once_for_each_target_with_the_pseudo_parameters_filled_in(lab: Lab) -> None:
    nodes = [lab.launch(), lab.launch()]
    lab.launch(Fleet="b")
    made = window(lab)
    invoking(lab, made)
    execution = opened(lab, made)
    found = invocations(execution)
    assert [one.target_id for one in found] == [node.id for node in nodes]
    given = [json.loads(one.parameters) for one in found]
    assert given[0]["Qualifier"] == "$LATEST"
    assert [json.loads(one["Payload"]) for one in given] == [
        {"node": node.id, "kind": "INSTANCE", "window": made.id, "{{OTHER}}": 1} for node in nodes
    ]
    assert {one.status for one in found} == {"SUCCESS"}
    assert all(one.details.startswith("[simulated]") for one in found)
    assert execution.status == "SUCCESS"
    assert execution.ended
    assert execution.ended < day("2026-03-15 02:01")


def test_a_task_without_targets_is_invoked_once(lab: Lab) -> None:
    lab.launch()
    made = window(lab)
    invoking(lab, made, direct_targets=None)
    (only,) = invocations(opened(lab, made))
    assert (only.target_id, only.status) == ("", "SUCCESS")


def test_the_ids_of_the_task_and_of_its_target_can_be_given_along(lab: Lab) -> None:
    lab.launch()
    made = window(lab)
    target = lab.engine.windows.add_target(made.id, FLEET)
    names = ("WINDOW_TASK_ID", "WINDOW_TARGET_ID", "WINDOW_EXECUTION_ID", "TASK_EXECUTION_ID", "INVOCATION_ID")
    given = {"Input": json.dumps({name: f"{{{{{name}}}}}" for name in names}), "Name": "run-{{INVOCATION_ID}}"}
    more = {"kind": "STEP_FUNCTIONS", "document": MACHINE, "direct_targets": None, "target_ids": (target.id,)}
    invoking(lab, made, invoked_with=given, **more)
    execution = opened(lab, made)
    (only,) = invocations(execution)
    parameters = json.loads(only.parameters)
    assert parameters["Name"] == f"run-{only.id}"
    expected = (execution.tasks[0].task.id, target.id, execution.id, execution.tasks[0].id, only.id)
    assert json.loads(parameters["Input"]) == dict(zip(names, expected, strict=True))
    assert only.window_target_id == target.id


@pytest.mark.parametrize(
    ("kind", "document", "action"),
    [("LAMBDA", FUNCTION, "lambda:InvokeFunction"), ("STEP_FUNCTIONS", MACHINE, "states:StartExecution")],
)
def test_a_role_that_may_not_invoke_fails_the_task_with_the_reason(
    lab: Lab, kind: str, document: str, action: str
) -> None:
    lab.launch()
    lab.cloud.forbid(SENDER, action, document)
    made = window(lab)
    invoking(lab, made, kind=kind, document=document)
    execution = opened(lab, made)
    (only,) = invocations(execution)
    assert (only.status, execution.status) == ("FAILED", "FAILED")
    assert only.details == f"{SENDER} does not allow {action} on {document}"


@pytest.mark.parametrize(
    ("role", "distrusted", "problem"),
    [("", False, "the task needs a service role"), (SENDER, True, "ssm.amazonaws.com cannot assume")],
)
def test_a_task_needs_a_role_that_can_be_assumed(lab: Lab, role: str, distrusted: bool, problem: str) -> None:
    lab.launch()
    if distrusted:
        lab.cloud.distrusted.add(SENDER)
    made = window(lab)
    invoking(lab, made, service_role=role)
    (only,) = invocations(opened(lab, made))
    assert only.status == "FAILED"
    assert problem in only.details


def test_errors_stop_the_targets_that_are_left(lab: Lab) -> None:
    for _ in range(3):
        lab.launch()
    lab.cloud.forbid(SENDER, "lambda:InvokeFunction")
    made = window(lab)
    invoking(lab, made, rate_control=RateControl(1, 1))
    assert [one.status for one in invocations(opened(lab, made))] == ["FAILED", "FAILED", "CANCELLED"]


def test_a_task_of_the_next_priority_follows(lab: Lab) -> None:
    lab.launch()
    lab.approve()
    made = window(lab)
    invoking(lab, made, priority=1)
    task(lab, made, priority=2)
    execution = opened(lab, made)
    assert [one.task.kind for one in execution.tasks] == ["LAMBDA", "RUN_COMMAND"]
    assert [one.status for one in execution.tasks] == ["SUCCESS", "SUCCESS"]
    assert execution.tasks[1].started > execution.tasks[0].started


def test_a_node_that_two_targets_name_is_invoked_for_once(lab: Lab) -> None:
    node = lab.launch()
    made = window(lab)
    targets = tuple(lab.engine.windows.add_target(made.id, FLEET).id for _ in range(2))
    invoking(lab, made, direct_targets=None, target_ids=targets)
    (only,) = invocations(opened(lab, made))
    assert (only.target_id, only.window_target_id) == (node.id, targets[0])
    assert only.ended
    assert f" for {node.id}" in lab.log


def test_what_has_no_target_has_no_type_of_target(lab: Lab) -> None:
    made = window(lab)
    invoking(lab, made, direct_targets=None)
    (only,) = invocations(opened(lab, made))
    assert json.loads(json.loads(only.parameters)["Payload"])["kind"] == ""
    assert (only.target_id, only.window_target_id) == ("", "")
