"""The Automation operations."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from lab.automation.automation import IN_PROGRESS, Automation, AutomationStep
from lab.aws.ssm.operation import Reply, Request, filters, operation, page, refuse, without_empty
from lab.engine import Engine
from lab.world.errors import ApiError
from patching.schedule import point_in_time


@operation
def start_automation_execution(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_StartAutomationExecution.html."""
    refuse(request, "TargetParameterName", "Targets", "TargetMaps", "TargetLocations", "TargetLocationsURL")
    refuse(request, "AlarmConfiguration", "MaxConcurrency", "MaxErrors", "Tags")
    if request.get("Mode") == "Interactive":
        refuse(request, "Mode")
    started = engine.automations.start(
        request["DocumentName"], request.get("DocumentVersion") or "", request.get("Parameters") or {}
    )
    return {"AutomationExecutionId": started.id}


@operation
def get_automation_execution(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetAutomationExecution.html."""
    found = engine.automations.get(request["AutomationExecutionId"])
    described = {**_described(found), "StepExecutions": [_step(one) for one in found.steps]}
    return {
        "AutomationExecution": {**described, "StepExecutionsTruncated": False, "Parameters": found.given},
    }


@operation
def describe_automation_executions(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeAutomationExecutions.html."""
    wanted = filters(request, known=tuple(_FILTERS))
    found = [
        {**_described(one), "AutomationType": "Local"}
        for one in reversed(engine.automations.automations.values())
        if all(any(_FILTERS[key](one, value) for value in values) for key, values in wanted.items())
    ]
    return page(request, "AutomationExecutionMetadataList", found)


@operation
def describe_automation_step_executions(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeAutomationStepExecutions.html."""
    steps = engine.automations.get(request["AutomationExecutionId"]).steps
    wanted = filters(request, known=tuple(_STEP_FILTERS))
    found = [
        _step(one)
        for one in steps
        if all(any(_STEP_FILTERS[key](one, value) for value in values) for key, values in wanted.items())
    ]
    return page(request, "StepExecutions", found[::-1] if request.get("ReverseOrder") else found)


@operation
def stop_automation_execution(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_StopAutomationExecution.html."""
    found = engine.automations.get(request["AutomationExecutionId"])
    if found.ended:
        raise ApiError("InvalidAutomationStatusUpdateException", f"{found.id} has ended: {found.status}.")
    engine.automations.stop(found, at_once=request.get("Type", "Cancel") == "Cancel")
    return {}


_FILTERS: Mapping[str, Callable[[Automation, str], bool]] = {
    "DocumentNamePrefix": lambda one, value: one.runbook.name.startswith(value),
    "ExecutionStatus": lambda one, value: one.status == value,
    "ExecutionId": lambda one, value: one.id == value,
    "CurrentAction": lambda one, value: bool(one.current and one.current.step.action == value),
    "StartTimeBefore": lambda one, value: one.started < point_in_time(value),
    "StartTimeAfter": lambda one, value: one.started >= point_in_time(value),
    "AutomationType": lambda _, value: value == "Local",
}
_STEP_FILTERS: Mapping[str, Callable[[AutomationStep, str], bool]] = {
    "StartTimeBefore": lambda one, value: one.started < point_in_time(value),
    "StartTimeAfter": lambda one, value: one.started >= point_in_time(value),
    "StepExecutionStatus": lambda one, value: one.status == value,
    "StepExecutionId": lambda one, value: one.id == value,
    "StepName": lambda one, value: one.step.name == value,
    "Action": lambda one, value: one.step.action == value,
}


def _described(automation: Automation) -> Reply:
    current = automation.current
    return without_empty(
        {
            "AutomationExecutionId": automation.id,
            "DocumentName": automation.runbook.name,
            "DocumentVersion": automation.runbook.version,
            "ExecutionStartTime": automation.started,
            "ExecutionEndTime": automation.ended,
            "AutomationExecutionStatus": automation.status,
            "FailureMessage": automation.failure,
            "Mode": "Auto",
            "ExecutedBy": automation.role,
            "CurrentStepName": current.step.name if current else "",
            "CurrentAction": current.step.action if current else "",
        }
    )


def _step(run: AutomationStep) -> Reply:
    written = run.step.written
    return without_empty(
        {
            "StepName": run.step.name,
            "Action": run.step.action,
            "TimeoutSeconds": run.step.timeout,
            "OnFailure": str(written.get("onFailure") or "Abort"),
            "MaxAttempts": int(written.get("maxAttempts") or 1),
            "ExecutionStartTime": run.started,
            "ExecutionEndTime": run.ended,
            "StepStatus": run.status,
            "ResponseCode": "" if run.status == IN_PROGRESS else str(int(bool(run.failure))),
            "Inputs": {key: _text(value) for key, value in run.inputs.items()},
            "Outputs": {key: [_text(value)] for key, value in run.outputs.items()},
            "FailureMessage": run.failure,
            "StepExecutionId": run.id,
            "IsEnd": str(written.get("isEnd", False)).lower() == "true",
            "NextStep": str(written.get("nextStep") or ""),
            "IsCritical": str(written.get("isCritical", True)).lower() == "true",
        }
    )


def _text(value: Any) -> str:  # noqa: ANN401 JSON is anything
    return value if isinstance(value, str) else json.dumps(value)
