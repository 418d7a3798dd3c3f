"""Automation by its API."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from tests.lab.aws.world import GONE, Connect, error_code

pytestmark = pytest.mark.xdist_group("local-aws")

REGION = "ap-northeast-3"
CONTENT = """
schemaVersion: '0.3'
parameters:
  Node: {type: String}
mainSteps:
  - name: stop
    action: aws:changeInstanceState
    inputs: {InstanceIds: ['{{ Node }}'], DesiredState: stopped}
  - name: check
    action: aws:executeAwsApi
    inputs: {Service: ec2, Api: DescribeInstances, InstanceIds: ['{{ Node }}']}
    outputs: [{Name: State, Selector: '$.Reservations[0].Instances[0].State.Name', Type: String}]
  - name: rest
    action: aws:sleep
    inputs: {Duration: PT10M}
"""


@pytest.fixture(scope="module")
def ssm(connect: Connect) -> Any:
    return connect("ssm", REGION)


@pytest.fixture(scope="module")
def execution(ssm: Any, launch: Callable[..., list[str]], advance: Callable[..., Any]) -> str:
    """One that has stopped a node."""
    (node,) = launch(REGION)
    assert ssm.describe_instance_information()["InstanceInformationList"][0]["PingStatus"] == "Online"
    ssm.create_document(Name="Stop", DocumentType="Automation", DocumentFormat="YAML", Content=CONTENT)
    made: str = ssm.start_automation_execution(DocumentName="Stop", Parameters={"Node": [node]})[
        "AutomationExecutionId"
    ]
    advance(minutes=30)
    return made


def test_an_execution_tells_its_steps_and_what_they_found(ssm: Any, connect: Connect, execution: str) -> None:
    told = ssm.get_automation_execution(AutomationExecutionId=execution)["AutomationExecution"]
    assert (told["AutomationExecutionStatus"], told["DocumentName"], told["Mode"]) == ("Success", "Stop", "Auto")
    assert [(one["StepName"], one["StepStatus"]) for one in told["StepExecutions"]] == [
        ("stop", "Success"),
        ("check", "Success"),
        ("rest", "Success"),
    ]
    assert told["StepExecutions"][1]["Outputs"] == {"State": ["stopped"]}
    (node,) = told["Parameters"]["Node"]
    described = connect("ec2", REGION).describe_instances(InstanceIds=[node])["Reservations"][0]["Instances"][0]
    assert described["State"]["Name"] == "stopped"
    assert ssm.describe_instance_information()["InstanceInformationList"] == []


@pytest.mark.parametrize(
    ("key", "value", "count"),
    [
        ("DocumentNamePrefix", "St", 1),
        ("DocumentNamePrefix", "AWS-", 0),
        ("ExecutionStatus", "Success", 1),
        ("ExecutionStatus", "Failed", 0),
        ("StartTimeAfter", "2026-01-01T00:00:00Z", 1),
        ("StartTimeBefore", "2026-01-01T00:00:00Z", 0),
        ("AutomationType", "CrossAccount", 0),
    ],
)
def test_executions_are_found_by_filters(ssm: Any, execution: str, key: str, value: str, count: int) -> None:
    reply = ssm.describe_automation_executions(Filters=[{"Key": key, "Values": [value]}])
    assert len(reply["AutomationExecutionMetadataList"]) == count


def test_steps_are_found_by_filters_and_told_the_other_way_round(ssm: Any, execution: str) -> None:
    def names(**more: Any) -> list[str]:
        reply = ssm.describe_automation_step_executions(AutomationExecutionId=execution, **more)
        return [one["StepName"] for one in reply["StepExecutions"]]

    assert names(ReverseOrder=True) == ["rest", "check", "stop"]
    assert names(Filters=[{"Key": "Action", "Values": ["aws:sleep"]}]) == ["rest"]
    assert names(Filters=[{"Key": "StepExecutionStatus", "Values": ["Failed"]}]) == []


def test_an_execution_that_has_ended_cannot_be_stopped(ssm: Any, execution: str) -> None:
    code = error_code(lambda: ssm.stop_automation_execution(AutomationExecutionId=execution))
    assert code == "InvalidAutomationStatusUpdateException"


def test_an_execution_that_is_not_there_is_not_found(ssm: Any) -> None:
    for call in (ssm.get_automation_execution, ssm.stop_automation_execution, ssm.describe_automation_step_executions):
        assert error_code(partial(call, AutomationExecutionId=GONE)) == "AutomationExecutionNotFoundException"


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"Mode": "Interactive"}, "ValidationException"),
        ({"MaxConcurrency": "1"}, "ValidationException"),
        ({"DocumentName": "Gone"}, "AutomationDefinitionNotFoundException"),
        ({"DocumentVersion": "9"}, "AutomationDefinitionVersionNotFoundException"),
        ({"Parameters": {"Other": ["a"]}}, "InvalidAutomationExecutionParametersException"),
    ],
)
def test_what_cannot_be_run_is_refused(ssm: Any, execution: str, more: dict[str, Any], code: str) -> None:
    arguments = {"DocumentName": "Stop", "Parameters": {"Node": ["i-0123456789abcdef0"]}, **more}
    assert error_code(lambda: ssm.start_automation_execution(**arguments)) == code


def test_the_content_can_be_json_too(ssm: Any) -> None:
    steps = [{"name": "a", "action": "aws:pause", "inputs": {}}]
    content = json.dumps({"schemaVersion": "0.3", "mainSteps": steps})
    ssm.create_document(Name="Pause", DocumentType="Automation", Content=content)
    code = error_code(lambda: ssm.start_automation_execution(DocumentName="Pause"))
    assert code == "InvalidAutomationExecutionParametersException"
