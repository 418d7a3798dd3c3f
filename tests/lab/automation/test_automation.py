"""Automation: runbooks, their steps, and what comes after one that fails."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from lab.automation.automation import Automation
from lab.world.cloud import StoredDocument
from lab.world.errors import ApiError
from patching.rate_control import RateControl
from tests.lab.simulated import SENDER, Lab, day, fleet
from tests.lab.windows.test_windows import FLEET, task, window

ROLE = "arn:aws:iam::123456789012:role/automation"
DESCRIBE = {"Service": "ec2", "Api": "DescribeInstances", "InstanceIds": ["{{ Node }}"]}
NAME = "$.Reservations[0].Instances[0].State.Name"


def step(name: str, action: str, inputs: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return {"name": name, "action": f"aws:{action}", "inputs": inputs or {}, **more}


def sleep(name: str, duration: str = "PT1M", **more: Any) -> dict[str, Any]:
    return step(name, "sleep", {"Duration": duration}, **more)


def broken(name: str, **more: Any) -> dict[str, Any]:
    return sleep(name, "soon", **more)


def start(lab: Lab, *steps: dict[str, Any], given: dict[str, list[str]] | None = None, **content: Any) -> Automation:
    """Start a runbook of these steps, and let it come to its end."""
    text = json.dumps({"schemaVersion": "0.3", "mainSteps": list(steps), **content})
    lab.cloud.documents["own"] = StoredDocument("Automation", "1", text)
    made = lab.engine.automations.start("own", "", given or {})
    lab.clock.finish_work()
    return made


def ran(automation: Automation) -> dict[str, str]:
    return {one.step.name: one.status for one in automation.steps}


def test_steps_follow_each_other_in_time(lab: Lab) -> None:
    made = start(lab, sleep("one", "PT10M"), sleep("two", "P1DT2H3M4S"))
    assert (made.status, ran(made)) == ("Success", {"one": "Success", "two": "Success"})
    assert made.ended
    assert made.ended - made.started == timedelta(seconds=1, minutes=10) + timedelta(
        days=1, hours=2, minutes=3, seconds=4
    )


def test_a_sleep_can_end_at_a_time(lab: Lab) -> None:
    made = start(lab, step("wait", "sleep", {"Timestamp": "2026-03-15T06:00:00Z"}))
    assert made.ended == day("2026-03-15 06:00")


@pytest.mark.parametrize(
    ("more", "status", "steps"),
    [
        ({}, "Failed", {"bad": "Failed"}),
        ({"onFailure": "Abort"}, "Failed", {"bad": "Failed"}),
        ({"onFailure": "Continue"}, "Failed", {"bad": "Failed", "next": "Success", "last": "Success"}),
        (
            {"onFailure": "Continue", "isCritical": False},
            "Success",
            {"bad": "Failed", "next": "Success", "last": "Success"},
        ),
        ({"onFailure": "step:last", "isCritical": False}, "Success", {"bad": "Failed", "last": "Success"}),
    ],
)
def test_a_step_that_fails_says_what_follows(
    lab: Lab, more: dict[str, Any], status: str, steps: dict[str, str]
) -> None:
    made = start(lab, broken("bad", **more), sleep("next"), sleep("last"))
    assert (made.status, ran(made)) == (status, steps)
    if status == "Failed":
        assert made.failure == "Step bad failed: 'soon' is no duration such as PT10M."


def test_steps_can_be_passed_over_and_end_the_runbook(lab: Lab) -> None:
    made = start(lab, sleep("one", nextStep="three"), sleep("two"), sleep("three", isEnd=True), sleep("four"))
    assert ran(made) == {"one": "Success", "three": "Success"}


def test_a_step_that_takes_too_long_times_out(lab: Lab) -> None:
    made = start(lab, sleep("long", "PT10M", timeoutSeconds=60))
    assert (made.status, ran(made)) == ("TimedOut", {"long": "TimedOut"})
    assert made.ended
    assert made.ended - made.started == timedelta(seconds=61)


def test_a_command_is_sent_and_waited_for(lab: Lab) -> None:
    (node,) = fleet(lab, 1)
    inputs = {
        "DocumentName": "AWS-RunPatchBaseline",
        "InstanceIds": ["{{ Node }}"],
        "Parameters": {"Operation": "{{ What }}"},
    }
    parameters = {"Node": {"type": "String"}, "What": {"type": "String", "default": "Scan"}}
    made = start(lab, step("scan", "runCommand", inputs), given={"Node": [node.id]}, parameters=parameters)
    assert made.status == "Success"
    assert node.states
    outputs = made.steps[0].outputs
    assert (outputs["Status"], outputs["ResponseCode"]) == ("Success", "0")
    assert "Missing: tool" in outputs["Output"]
    assert lab.engine.run_command.get(outputs["CommandId"]).parameters == {"Operation": ["Scan"]}


def test_a_command_that_fails_fails_its_step_with_its_outputs(lab: Lab) -> None:
    (node,) = fleet(lab, 1, broken=(0,))
    inputs = {
        "DocumentName": "AWS-RunPatchBaseline",
        "InstanceIds": [node.id],
        "Parameters": {"Operation": ["Install"]},
    }
    made = start(lab, step("install", "runCommand", inputs))
    assert made.status == "Failed"
    assert made.steps[0].outputs["Status"] == "Failed"


def test_instances_are_stopped_and_started(lab: Lab) -> None:
    node = lab.launch()
    made = lab.engine.automations.start("AWS-RestartEC2Instance", "", {"InstanceId": [node.id]})
    lab.clock.advance(made.started + timedelta(seconds=10))
    assert lab.engine.fleet.get(node.id) is node
    assert not node.online
    lab.clock.finish_work()
    assert (made.status, ran(made)) == ("Success", {"stopInstances": "Success", "startInstances": "Success"})
    assert lab.engine.fleet.get(node.id) is node
    assert node.online


def test_an_instance_that_is_not_there_fails_the_step(lab: Lab) -> None:
    made = lab.engine.automations.start("AWS-StopEC2Instance", "", {"InstanceId": ["i-0000000f"]})
    lab.clock.finish_work()
    assert (made.status, made.failure) == ("Failed", "Step stopInstances failed: There is no instance i-0000000f.")


@pytest.mark.parametrize(("wanted", "status"), [(["running"], "Success"), (["stopped", "terminated"], "Failed")])
def test_a_property_is_asserted(lab: Lab, wanted: list[str], status: str) -> None:
    node = lab.launch()
    inputs = {**DESCRIBE, "PropertySelector": NAME, "DesiredValues": wanted}
    made = start(
        lab,
        step("check", "assertAwsResourceProperty", inputs),
        given={"Node": [node.id]},
        parameters={"Node": {"type": "String"}},
    )
    assert made.status == status


def test_a_property_is_waited_for(lab: Lab) -> None:
    node = lab.launch()
    lab.change(node, running=False)
    inputs = {
        "Service": "ssm",
        "Api": "DescribeInstanceInformation",
        "Filters": [{"Key": "InstanceIds", "Values": [node.id]}],
        "PropertySelector": "$.InstanceInformationList[0].PingStatus",
        "DesiredValues": ["Online"],
    }
    text = json.dumps({"schemaVersion": "0.3", "mainSteps": [step("wait", "waitForAwsResourceProperty", inputs)]})
    lab.cloud.documents["own"] = StoredDocument("Automation", "1", text)
    made = lab.engine.automations.start("own", "", {})
    lab.clock.advance(made.started + timedelta(minutes=10))
    assert made.status == "InProgress"
    lab.change(node, running=True)
    lab.clock.finish_work()
    assert made.status == "Success"


@pytest.mark.parametrize(
    ("choice", "chosen"),
    [
        ({"StringEquals": "running"}, "yes"),
        ({"StringEquals": "stopped"}, "no"),
        ({"EqualsIgnoreCase": "RUNNING"}, "yes"),
        ({"StartsWith": "run"}, "yes"),
        ({"EndsWith": "run"}, "no"),
        ({"Contains": "nn"}, "yes"),
        ({"NumericGreater": 1}, "no"),
    ],
)
def test_a_branch_chooses_by_what_a_step_before_it_found(lab: Lab, choice: dict[str, Any], chosen: str) -> None:
    node = lab.launch()
    outputs = [{"Name": "State", "Selector": NAME, "Type": "String"}]
    choices = {"Choices": [{"NextStep": "yes", "Variable": "{{ look.State }}", **choice}], "Default": "no"}
    made = start(
        lab,
        step("look", "executeAwsApi", DESCRIBE, outputs=outputs),
        step("choose", "branch", choices),
        sleep("yes", isEnd=True),
        sleep("no"),
        given={"Node": [node.id]},
        parameters={"Node": {"type": "String"}},
    )
    assert (made.status, list(ran(made))) == ("Success", ["look", "choose", chosen])


@pytest.mark.parametrize(
    ("choice", "holds"),
    [
        ({"And": [{"Variable": "3", "NumericGreater": 2}, {"Variable": "3", "NumericLesser": 4}]}, True),
        ({"Or": [{"Variable": "3", "NumericEquals": 2}, {"Variable": "3", "NumericEquals": 3}]}, True),
        ({"Not": {"Variable": "3", "NumericGreaterOrEquals": 3}}, False),
        ({"Variable": "true", "BooleanEquals": True}, True),
        ({"Variable": "3", "NumericLesserOrEquals": 2}, False),
    ],
)
def test_choices_are_put_together(lab: Lab, choice: dict[str, Any], holds: bool) -> None:
    choices = {"Choices": [{"NextStep": "yes", **choice}], "Default": "no"}
    made = start(lab, step("choose", "branch", choices), sleep("yes", isEnd=True), sleep("no"))
    assert ("yes" in ran(made)) is holds


@pytest.mark.parametrize(
    ("content", "given", "problem"),
    [
        (
            {"mainSteps": [step("a", "createStack")]},
            {},
            "does not emulate aws:createStack of step a; it runs aws:assert",
        ),
        ({"mainSteps": []}, {}, "own has no steps"),
        ({"mainSteps": [{"name": "a"}]}, {}, "own is no runbook"),
        ({"schemaVersion": "2.2"}, {}, "own has schema 2.2; a runbook has 0.3"),
        ({}, {"Other": ["a"]}, "own has no parameter Other"),
        ({"parameters": {"Node": {"type": "String"}}}, {}, "own needs the parameter Node"),
        ({"parameters": {"Node": {"type": "String"}}}, {"Node": ["a", "b"]}, "Node takes one value"),
        ({"parameters": {"Size": {"type": "Integer"}}}, {"Size": ["big"]}, "big is no Integer"),
        (
            {"parameters": {"Size": {"type": "String", "allowedValues": ["1"]}}},
            {"Size": ["2"]},
            "2 is no value of Size",
        ),
    ],
)
def test_a_runbook_that_cannot_be_run_is_refused(
    lab: Lab, content: dict[str, Any], given: dict[str, list[str]], problem: str
) -> None:
    text = json.dumps({"schemaVersion": "0.3", "mainSteps": [sleep("a")], **content})
    lab.cloud.documents["own"] = StoredDocument("Automation", "1", text)
    with pytest.raises(ApiError, match=problem) as error:
        lab.engine.automations.start("own", "", given)
    assert error.value.code == "InvalidAutomationExecutionParametersException"


@pytest.mark.parametrize("name", ["gone", "AWS-RunPatchBaseline"])
def test_what_is_no_runbook_is_not_found(lab: Lab, name: str) -> None:
    with pytest.raises(ApiError) as error:
        lab.engine.automations.start(name, "", {})
    assert error.value.code == "AutomationDefinitionNotFoundException"


def test_a_runbook_acts_as_its_role(lab: Lab) -> None:
    node = lab.launch()
    lab.cloud.forbid(ROLE, "ec2:StopInstances")
    given = {"InstanceId": [node.id], "AutomationAssumeRole": [ROLE]}
    made = lab.engine.automations.start("AWS-StopEC2Instance", "", given)
    lab.clock.finish_work()
    assert made.status == "Failed"
    assert f"{ROLE} is not authorized to perform ec2:StopInstances" in made.failure
    lab.cloud.distrusted.add(ROLE)
    with pytest.raises(ApiError, match="cannot assume"):
        lab.engine.automations.start("AWS-StopEC2Instance", "", given)


def test_an_automation_is_stopped_at_once_or_after_its_step(lab: Lab) -> None:
    for at_once, steps in ((True, {"one": "Cancelled"}), (False, {"one": "Success"})):
        text = json.dumps({"schemaVersion": "0.3", "mainSteps": [sleep("one", "PT1H"), sleep("two")]})
        lab.cloud.documents["own"] = StoredDocument("Automation", "1", text)
        made = lab.engine.automations.start("own", "", {})
        lab.clock.advance(made.started + timedelta(minutes=1))
        lab.engine.automations.stop(made, at_once=at_once)
        lab.clock.finish_work()
        assert (made.status, ran(made)) == ("Cancelled", steps)


# In windows.


def automating(lab: Lab, **changes: Any) -> Any:
    made = window(lab)
    given = {"Parameters": {"InstanceId": ["{{TARGET_ID}}"]}}
    more = {"kind": "AUTOMATION", "document": "AWS-RestartEC2Instance", "parameters": {}, "invoked_with": given}
    task(lab, made, **{**more, "direct_targets": FLEET, "rate_control": RateControl(1, 1), **changes})
    lab.clock.advance(day("2026-03-15 12:00"))
    return made.executions[-1]


def test_a_window_runs_a_runbook_for_each_target_as_rate_control_allows(lab: Lab) -> None:
    nodes = [lab.launch(), lab.launch()]
    execution = automating(lab)
    (run,) = execution.tasks
    assert (execution.status, run.status) == ("SUCCESS", "SUCCESS")
    assert [one.target_id for one in run.invocations] == [node.id for node in nodes]
    first, second = (lab.engine.automations.get(one.execution_id) for one in run.invocations)
    assert first.role == SENDER
    assert first.given == {"InstanceId": [nodes[0].id]}
    assert first.ended
    assert second.started >= first.ended


def test_runbooks_that_fail_stop_the_targets_that_are_left(lab: Lab) -> None:
    for _ in range(3):
        lab.launch()
    lab.cloud.forbid(SENDER, "ec2:StopInstances")
    execution = automating(lab, rate_control=RateControl(1, 0))
    assert [one.status for one in execution.tasks[0].invocations] == ["FAILED", "CANCELLED", "CANCELLED"]
    assert execution.status == "FAILED"


def test_a_runbook_that_the_lab_cannot_run_fails_its_target_by_name(lab: Lab) -> None:
    lab.launch()
    execution = automating(lab, document="AWS-PatchInstanceWithRollback")
    (only,) = execution.tasks[0].invocations
    assert only.status == "FAILED"
    assert "does not emulate aws:createStack" in only.details


def waiting(lab: Lab, **changes: Any) -> Any:
    """Open a window whose task runs, for two nodes one after the other, a runbook that waits for three hours."""
    lab.launch()
    lab.launch()
    text = json.dumps({"schemaVersion": "0.3", "mainSteps": [sleep("wait", "PT3H")]})
    lab.cloud.documents["own"] = StoredDocument("Automation", "1", text)
    made = window(lab)
    more = {"kind": "AUTOMATION", "document": "own", "parameters": {}, "invoked_with": {}}
    task(lab, made, **{**more, "direct_targets": FLEET, "rate_control": RateControl(1, 1), **changes})
    lab.clock.advance(day("2026-03-15 02:30"))
    return made.executions[-1]


def test_a_task_of_runbooks_is_under_way_until_the_last_of_them_has_ended(lab: Lab) -> None:
    execution = waiting(lab)
    (run,) = execution.tasks
    assert (execution.status, run.status, run.ended) == ("IN_PROGRESS", "IN_PROGRESS", None)
    assert [one.status for one in run.invocations] == ["IN_PROGRESS", "PENDING"]
    first, second = run.invocations
    assert (first.ended, second.ended) == (None, None)
    lab.clock.finish_work()
    assert (execution.status, run.status) == ("SUCCESS", "SUCCESS")
    assert first.ended == first.started + timedelta(hours=3, seconds=1)
    assert second.started == first.ended
    assert second.ended <= run.ended <= second.ended + timedelta(seconds=5)


def test_an_opening_that_is_cancelled_stops_its_runbooks(lab: Lab) -> None:
    execution = waiting(lab)
    (run,) = execution.tasks
    lab.engine.windows.cancel(execution)
    lab.clock.advance(day("2026-03-15 02:31"))
    assert [one.status for one in run.invocations] == ["CANCELLED", "CANCELLED"]
    assert (execution.status, run.status) == ("CANCELLED", "CANCELLED")
    assert [one.status for one in lab.engine.automations.automations.values()] == ["Cancelled"]
    assert execution.ended


def test_a_task_of_runbooks_that_is_cut_off_has_timed_out(lab: Lab) -> None:
    execution = waiting(lab, cancel_at_cutoff=True)
    lab.clock.advance(day("2026-03-15 04:30"))
    (run,) = execution.tasks
    assert run.cut_off
    assert (execution.status, run.status) == ("TIMED_OUT", "TIMED_OUT")
    assert [one.status for one in lab.engine.automations.automations.values()] == ["Cancelled"]


def test_a_task_of_runbooks_that_goes_on_at_the_cutoff_is_not_stopped(lab: Lab) -> None:
    execution = waiting(lab)
    lab.clock.advance(day("2026-03-15 08:30"))
    (run,) = execution.tasks
    assert (run.cut_off, run.status) == (False, "SUCCESS")


def test_a_runbook_that_takes_too_long_times_its_task_out(lab: Lab) -> None:
    execution = waiting(lab)
    slow = step("slow", "sleep", {"Duration": "PT3H"}, timeoutSeconds=60)
    lab.cloud.documents["slow"] = StoredDocument(
        "Automation", "1", json.dumps({"schemaVersion": "0.3", "mainSteps": [slow]})
    )
    more = {"kind": "AUTOMATION", "document": "slow", "parameters": {}, "invoked_with": {}}
    made = window(lab)
    task(lab, made, **more, direct_targets=FLEET, rate_control=RateControl(1, 0))
    lab.clock.advance(day("2026-03-16 12:00"))
    (run,) = made.executions[-1].tasks
    assert [one.status for one in run.invocations] == ["TIMED_OUT", "CANCELLED"]
    assert (run.status, made.executions[-1].status) == ("TIMED_OUT", "TIMED_OUT")
    (first,) = execution.tasks
    assert [one.status for one in first.invocations] == ["SUCCESS", "SUCCESS"]


def test_a_task_runs_the_version_of_a_runbook_that_it_names(lab: Lab) -> None:
    execution = waiting(lab, invoked_with={"DocumentVersion": "7"})
    (run,) = execution.tasks
    assert run.status == "FAILED"
    assert "7" in run.invocations[0].details
