"""The operations on what maintenance windows did: their openings, the tasks in them, and the tasks' invocations."""

from __future__ import annotations

import json

from lab.aws.ssm.command_replies import alarms_to_api
from lab.aws.ssm.operation import Reply, Request, filters, operation, page, without_empty
from lab.engine import Engine
from lab.records.window import RUN_COMMAND, TaskExecution, TaskInvocation, WindowExecution
from lab.world.errors import ApiError
from patching.schedule import point_in_time

_STATUSES = ("PENDING", "IN_PROGRESS", "SUCCESS", "FAILED", "TIMED_OUT", "CANCELLING", "CANCELLED")


@operation
def describe_maintenance_window_executions(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeMaintenanceWindowExecutions.html."""
    window = engine.windows.get(request["WindowId"])
    wanted = filters(request, known=("ExecutedBefore", "ExecutedAfter"), error="ValidationException")
    before, after = ([point_in_time(one) for one in wanted.get(key, ())] for key in ("ExecutedBefore", "ExecutedAfter"))
    found = [
        _execution(one)
        for one in reversed(window.executions)
        if all(one.started < moment for moment in before) and all(one.started > moment for moment in after)
    ]
    return page(request, "WindowExecutions", found)


@operation
def get_maintenance_window_execution(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetMaintenanceWindowExecution.html."""
    execution = engine.windows.execution(request["WindowExecutionId"])
    described = {key: value for key, value in _execution(execution).items() if key != "WindowId"}
    return {**described, "TaskIds": [one.id for one in execution.tasks]}


@operation
def cancel_maintenance_window_execution(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CancelMaintenanceWindowExecution.html."""
    execution = engine.windows.execution(request["WindowExecutionId"])
    if execution.ended is None:
        engine.windows.cancel(execution)
    return {"WindowExecutionId": execution.id}


@operation
def describe_maintenance_window_execution_tasks(engine: Engine, request: Request) -> Reply:
    """Follow the operation's page.

    It is https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeMaintenanceWindowExecutionTasks.html.
    """
    execution = engine.windows.execution(request["WindowExecutionId"])
    wanted = _statuses(request)
    found = [
        without_empty(
            {
                "WindowExecutionId": execution.id,
                "TaskExecutionId": one.id,
                "Status": one.status,
                "StatusDetails": one.problem,
                "StartTime": one.started,
                "EndTime": one.ended or execution.ended,
                "TaskArn": one.task.document,
                "TaskType": one.task.kind,
                **_alarms(one),
            }
        )
        for one in execution.tasks
        if not wanted or one.status in wanted
    ]
    return page(request, "WindowExecutionTaskIdentities", found)


@operation
def get_maintenance_window_execution_task(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetMaintenanceWindowExecutionTask.html."""
    execution = engine.windows.execution(request["WindowExecutionId"])
    run = _run(execution, request)
    task = run.task
    return without_empty(
        {
            "WindowExecutionId": execution.id,
            "TaskExecutionId": run.id,
            "TaskArn": task.document,
            "ServiceRole": task.service_role,
            "Type": task.kind,
            # Of the old kind of parameters, which the lab refuses.
            "TaskParameters": [],
            "Priority": task.priority,
            "MaxConcurrency": task.rate_control.max_concurrency,
            "MaxErrors": task.rate_control.max_errors,
            "Status": run.status,
            "StatusDetails": run.problem,
            "StartTime": run.started,
            "EndTime": run.ended or execution.ended,
            **_alarms(run),
        }
    )


@operation
def describe_maintenance_window_execution_task_invocations(engine: Engine, request: Request) -> Reply:
    """Follow the operation's page.

    It is https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeMaintenanceWindowExecutionTaskInvocations.html.
    """
    execution = engine.windows.execution(request["WindowExecutionId"])
    wanted = _statuses(request)
    found = [
        told
        for run in execution.tasks
        if run.id == request["TaskId"]
        for told in _invocations(execution, run)
        if not wanted or told["Status"] in wanted
    ]
    return page(request, "WindowExecutionTaskInvocationIdentities", found)


@operation
def get_maintenance_window_execution_task_invocation(engine: Engine, request: Request) -> Reply:
    """Follow the operation's page.

    It is https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetMaintenanceWindowExecutionTaskInvocation.html.
    """
    execution = engine.windows.execution(request["WindowExecutionId"])
    for told in _invocations(execution, _run(execution, request)):
        if told["InvocationId"] == request["InvocationId"]:
            return told
    raise ApiError("DoesNotExistException", f"Task {request['TaskId']} has no invocation {request['InvocationId']}.")


def _run(execution: WindowExecution, request: Request) -> TaskExecution:
    for run in execution.tasks:
        if run.id == request["TaskId"]:
            return run
    raise ApiError("DoesNotExistException", f"Execution {execution.id} has no task {request['TaskId']}.")


def _statuses(request: Request) -> list[str]:
    wanted = filters(request, known=("STATUS",), error="ValidationException").get("STATUS", [])
    unknown = [one for one in wanted if one not in _STATUSES]
    if unknown:
        raise ApiError("ValidationException", f"{unknown[0]} is no status; one is {', '.join(_STATUSES)}.")
    return wanted


def _alarms(run: TaskExecution) -> Reply:
    return alarms_to_api(run.task.alarms, run.command.triggered if run.command else {})


def _execution(execution: WindowExecution) -> Reply:
    return without_empty(
        {
            "WindowId": execution.window_id,
            "WindowExecutionId": execution.id,
            "Status": execution.status,
            "StartTime": execution.started,
            "EndTime": execution.ended,
        }
    )


def _invocations(execution: WindowExecution, run: TaskExecution) -> list[Reply]:
    """Return the invocations of a task: a command is one with all of its nodes, anything else one a target."""
    if run.task.kind == RUN_COMMAND:
        return [_command(execution, run)]
    return [_invocation(execution, run, one) for one in run.invocations]


def _invocation(execution: WindowExecution, run: TaskExecution, invocation: TaskInvocation) -> Reply:
    return without_empty(
        {
            "WindowExecutionId": execution.id,
            "TaskExecutionId": run.id,
            "InvocationId": invocation.id,
            "ExecutionId": invocation.execution_id,
            "TaskType": run.task.kind,
            "Parameters": invocation.parameters,
            "Status": invocation.status,
            "StatusDetails": invocation.details[:250],
            "StartTime": invocation.started,
            "EndTime": invocation.ended,
            "OwnerInformation": run.owner_information,
            "WindowTargetId": invocation.window_target_id,
        }
    )


def _command(execution: WindowExecution, run: TaskExecution) -> Reply:
    command = run.command
    parameters: Reply = {"documentName": run.task.document, "parameters": run.task.parameters}
    if command:
        parameters |= {
            "instanceIds": list(command.invocations),
            "maxConcurrency": command.rate_control.max_concurrency,
            "maxErrors": command.rate_control.max_errors,
        }
    return without_empty(
        {
            "WindowExecutionId": execution.id,
            "TaskExecutionId": run.id,
            "InvocationId": run.invocation_id,
            "ExecutionId": command.id if command else "",
            "TaskType": RUN_COMMAND,
            "Parameters": json.dumps(parameters, separators=(",", ":")),
            "Status": run.status,
            "StatusDetails": run.problem,
            "StartTime": run.started,
            "EndTime": run.ended or execution.ended,
            "OwnerInformation": run.owner_information,
            "WindowTargetId": run.task.target_ids[0] if run.task.target_ids else "",
        }
    )
