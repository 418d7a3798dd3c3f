"""The maintenance window operations."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from lab.aws.command_replies import alarms_to_api, log_output
from lab.aws.commands_api import alarms_of, log_group_of, notification_of
from lab.aws.operation import Reply, Request, filters, operation, page, without_empty
from lab.engine import Engine
from lab.errors import ApiError
from lab.run_command import DEFAULT_DELIVERY_TIMEOUT
from lab.windows import TaskExecution, Window, WindowExecution, WindowTask
from patching.rate_control import RateControl
from patching.schedule import Schedule, point_in_time, zone
from patching.targets import Targets

_SHOWN_AHEAD = 100
_REQUIRED = ("Name", "Schedule", "Duration", "Cutoff", "AllowUnassociatedTargets")
_WINDOW_TARGETS = "WindowTargetIds"


def create(engine: Engine, request: Request) -> Window:
    """Make a window from what CreateMaintenanceWindow or CloudFormation takes."""
    _check_dates(request)
    return engine.windows.create(
        name=request["Name"],
        description=request.get("Description") or "",
        schedule=_schedule(request),
        duration_hours=int(request["Duration"]),
        cutoff_hours=int(request["Cutoff"]),
        allow_unassociated_targets=str(request["AllowUnassociatedTargets"]).lower() == "true",
        start_date=request.get("StartDate") or "",
        end_date=request.get("EndDate") or "",
    )


def change(engine: Engine, window: Window, request: Request) -> None:
    """Change a window to what is given, and plan its next opening anew; `Replace` drops what is not given."""
    _check_dates(request)
    kept = {} if request.get("Replace") else _window(window)
    new = {**kept, **{key: value for key, value in request.items() if value is not None}}
    missing = [key for key in _REQUIRED if key not in new]
    if missing:
        raise ApiError("ValidationException", f"Replace needs {', '.join(missing)} too.")
    if int(new["Cutoff"]) >= int(new["Duration"]):
        raise ApiError("ValidationException", f"Cutoff {new['Cutoff']} must be below the duration {new['Duration']}.")
    window.name = new["Name"]
    window.description = new.get("Description", "")
    window.schedule = _schedule(new)
    window.duration_hours, window.cutoff_hours = int(new["Duration"]), int(new["Cutoff"])
    window.allow_unassociated_targets = str(new["AllowUnassociatedTargets"]).lower() == "true"
    window.start_date, window.end_date = new.get("StartDate", ""), new.get("EndDate", "")
    engine.windows.enable(window, enabled=str(new.get("Enabled", window.enabled)).lower() == "true")
    engine.windows.plan(window)


def _check_dates(request: Request) -> None:
    for key in ("StartDate", "EndDate"):
        if request.get(key):
            point_in_time(request[key])


def make_task(engine: Engine, request: Request, task_id: str | None = None) -> WindowTask:
    """Make a task from what RegisterTaskWithMaintenanceWindow takes.

    Raises:
        ApiError: a kind of task that the lab does not run, or no targets.
    """
    if request.get("TaskType") != "RUN_COMMAND":
        raise ApiError("FeatureNotAvailableException", f"The local AWS does not run {request.get('TaskType')} tasks.")
    targets = request.get("Targets") or []
    if not targets:
        raise ApiError("ValidationException", "A Run Command task needs targets.")
    named = tuple(value for one in targets if one["Key"] == _WINDOW_TARGETS for value in one["Values"])
    parameters = (request.get("TaskInvocationParameters") or {}).get("RunCommand") or {}
    role = request.get("ServiceRoleArn") or ""
    if role and not engine.cloud.trusts(role, "ssm.amazonaws.com"):
        raise ApiError("ValidationException", f"ssm.amazonaws.com cannot assume {role}.")
    return WindowTask(
        id=task_id or engine.windows.new_task_id(),
        window_id=request["WindowId"],
        document=request["TaskArn"],
        target_ids=named,
        direct_targets=None if named else Targets.from_api(targets),
        rate_control=RateControl(request["MaxConcurrency"], request["MaxErrors"]),
        service_role=role,
        parameters=dict(parameters.get("Parameters") or {}),
        bucket=parameters.get("OutputS3BucketName") or "",
        prefix=parameters.get("OutputS3KeyPrefix") or "",
        notification=notification_of(parameters),
        priority=int(request.get("Priority") or 0),
        cancel_at_cutoff=request.get("CutoffBehavior") == "CANCEL_TASK",
        name=request.get("Name") or "",
        description=request.get("Description") or "",
        comment=parameters.get("Comment") or "",
        document_version=parameters.get("DocumentVersion") or "",
        delivery_timeout_seconds=int(parameters.get("TimeoutSeconds") or DEFAULT_DELIVERY_TIMEOUT),
        log_group=log_group_of(parameters, request["TaskArn"]),
        alarms=alarms_of(request),
    )


@operation
def create_maintenance_window(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CreateMaintenanceWindow.html."""
    return {"WindowId": create(engine, request).id}


@operation
def update_maintenance_window(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_UpdateMaintenanceWindow.html."""
    window = engine.windows.get(request["WindowId"])
    change(engine, window, request)
    return _window(window)


@operation
def delete_maintenance_window(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DeleteMaintenanceWindow.html."""
    engine.windows.delete(request["WindowId"])
    return {"WindowId": request["WindowId"]}


@operation
def get_maintenance_window(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetMaintenanceWindow.html."""
    window = engine.windows.get(request["WindowId"])
    return {
        **_window(window),
        "CreatedDate": window.created,
        "ModifiedDate": window.created,
        **_next_execution(engine, window),
    }


@operation
def describe_maintenance_windows(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeMaintenanceWindows.html."""
    wanted = filters(request, known=("Name", "Enabled"), error="ValidationException")
    found = [
        {
            key: value
            for key, value in {**_window(one), **_next_execution(engine, one)}.items()
            if key != "AllowUnassociatedTargets"
        }
        for one in engine.windows.windows.values()
        if ("Name" not in wanted or one.name in wanted["Name"])
        and ("Enabled" not in wanted or str(one.enabled).lower() in [value.lower() for value in wanted["Enabled"]])
    ]
    return page(request, "WindowIdentities", found)


@operation
def describe_maintenance_window_schedule(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeMaintenanceWindowSchedule.html."""
    windows = [engine.windows.get(request["WindowId"])] if request.get("WindowId") else engine.windows.windows.values()
    times = sorted(
        (moment, window.id, window)
        for window in windows
        if window.enabled
        for moment in engine.windows.upcoming(window, _SHOWN_AHEAD)
    )
    found = [
        {"WindowId": window.id, "Name": window.name, "ExecutionTime": _local(window, moment)}
        for moment, _, window in times
    ]
    return page(request, "ScheduledWindowExecutions", found)


@operation
def register_target_with_maintenance_window(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_RegisterTargetWithMaintenanceWindow.html."""
    target = engine.windows.add_target(
        request["WindowId"],
        Targets.from_api(request["Targets"]),
        name=request.get("Name") or "",
        description=request.get("Description") or "",
        owner_information=request.get("OwnerInformation") or "",
    )
    return {"WindowTargetId": target.id}


@operation
def deregister_target_from_maintenance_window(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DeregisterTargetFromMaintenanceWindow.html."""
    window = engine.windows.get(request["WindowId"])
    target_id = request["WindowTargetId"]
    if request.get("Safe") and any(target_id in task.target_ids for task in window.tasks.values()):
        raise ApiError("TargetInUseException", f"Target {target_id} is in use.")
    engine.windows.remove_target(window.id, target_id)
    return {"WindowId": window.id, "WindowTargetId": target_id}


@operation
def describe_maintenance_window_targets(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeMaintenanceWindowTargets.html."""
    window = engine.windows.get(request["WindowId"])
    found = [
        without_empty(
            {
                "WindowId": window.id,
                "WindowTargetId": one.id,
                "ResourceType": one.resource_type,
                "Targets": one.targets.to_api(),
                "Name": one.name,
                "Description": one.description,
                "OwnerInformation": one.owner_information,
            }
        )
        for one in window.targets.values()
    ]
    return page(request, "Targets", found)


@operation
def register_task_with_maintenance_window(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_RegisterTaskWithMaintenanceWindow.html."""
    return {"WindowTaskId": engine.windows.add_task(make_task(engine, request)).id}


@operation
def deregister_task_from_maintenance_window(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DeregisterTaskFromMaintenanceWindow.html."""
    engine.windows.get(request["WindowId"]).tasks.pop(request["WindowTaskId"], None)
    return {"WindowId": request["WindowId"], "WindowTaskId": request["WindowTaskId"]}


@operation
def describe_maintenance_window_tasks(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeMaintenanceWindowTasks.html."""
    window = engine.windows.get(request["WindowId"])
    return page(request, "Tasks", [_task(one) for one in window.tasks.values()])


@operation
def get_maintenance_window_task(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetMaintenanceWindowTask.html."""
    task = engine.windows.get(request["WindowId"]).tasks.get(request["WindowTaskId"])
    if task is None:
        raise ApiError("DoesNotExistException", f"Window {request['WindowId']} has no task {request['WindowTaskId']}.")
    described = _task(task)
    run_command: Reply = {
        "Parameters": task.parameters,
        "OutputS3BucketName": task.bucket,
        "OutputS3KeyPrefix": task.prefix,
        "Comment": task.comment,
        "DocumentVersion": task.document_version,
        "TimeoutSeconds": task.delivery_timeout_seconds,
    }
    if task.log_group:
        run_command["CloudWatchOutputConfig"] = log_output(task.log_group)
    if task.notification:
        run_command["ServiceRoleArn"] = task.notification.role
        run_command["NotificationConfig"] = {
            "NotificationArn": task.notification.topic,
            "NotificationEvents": list(task.notification.events),
            "NotificationType": "Invocation" if task.notification.per_invocation else "Command",
        }
    return {
        **{key: value for key, value in described.items() if key != "Type"},
        "TaskType": described["Type"],
        "TaskInvocationParameters": {"RunCommand": without_empty(run_command)},
    }


@operation
def describe_maintenance_window_executions(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeMaintenanceWindowExecutions.html."""
    window = engine.windows.get(request["WindowId"])
    return page(request, "WindowExecutions", [_execution(one) for one in reversed(window.executions)])


@operation
def get_maintenance_window_execution(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetMaintenanceWindowExecution.html."""
    execution = engine.windows.execution(request["WindowExecutionId"])
    described = {key: value for key, value in _execution(execution).items() if key != "WindowId"}
    return {**described, "TaskIds": [one.id for one in execution.tasks]}


@operation
def describe_maintenance_window_execution_tasks(engine: Engine, request: Request) -> Reply:
    """Follow the operation's page.

    It is https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeMaintenanceWindowExecutionTasks.html.
    """
    execution = engine.windows.execution(request["WindowExecutionId"])
    found = [
        without_empty(
            {
                "WindowExecutionId": execution.id,
                "TaskExecutionId": one.id,
                "Status": one.status,
                "StatusDetails": one.problem,
                "StartTime": one.started,
                "EndTime": execution.ended,
                "TaskArn": one.task.document,
                "TaskType": "RUN_COMMAND",
            }
        )
        for one in execution.tasks
    ]
    return page(request, "WindowExecutionTaskIdentities", found)


@operation
def describe_maintenance_window_execution_task_invocations(engine: Engine, request: Request) -> Reply:
    """Follow the operation's page.

    It is https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeMaintenanceWindowExecutionTaskInvocations.html.
    """
    execution = engine.windows.execution(request["WindowExecutionId"])
    found = [_task_invocation(execution, one) for one in execution.tasks if one.id == request["TaskId"]]
    return page(request, "WindowExecutionTaskInvocationIdentities", found)


def _schedule(request: Request) -> Schedule:
    return Schedule.parse(
        request["Schedule"],
        timezone=request.get("ScheduleTimezone") or "UTC",
        offset_days=int(request.get("ScheduleOffset") or 0),
    )


def _window(window: Window) -> Reply:
    return without_empty(
        {
            "WindowId": window.id,
            "Name": window.name,
            "Description": window.description,
            "Schedule": window.schedule.expression,
            "ScheduleTimezone": window.schedule.timezone,
            "ScheduleOffset": window.schedule.offset_days or None,
            "Duration": window.duration_hours,
            "Cutoff": window.cutoff_hours,
            "AllowUnassociatedTargets": window.allow_unassociated_targets,
            "Enabled": window.enabled,
            "StartDate": window.start_date,
            "EndDate": window.end_date,
        }
    )


def _local(window: Window, moment: datetime) -> str:
    """Write a time as the service does: in the window's zone."""
    local = moment.astimezone(zone(window.schedule.timezone))
    return (
        local.strftime("%Y-%m-%dT%H:%MZ")
        if local.utcoffset() == UTC.utcoffset(None)
        else local.isoformat(timespec="minutes")
    )


def _next_execution(engine: Engine, window: Window) -> Reply:
    upcoming = engine.windows.upcoming(window, 1) if window.enabled else []
    return {"NextExecutionTime": _local(window, upcoming[0])} if upcoming else {}


def _task(task: WindowTask) -> Reply:
    targets = [{"Key": _WINDOW_TARGETS, "Values": list(task.target_ids)}] if task.target_ids else []
    return without_empty(
        {
            "WindowId": task.window_id,
            "WindowTaskId": task.id,
            "TaskArn": task.document,
            "Type": "RUN_COMMAND",
            "Targets": targets or (task.direct_targets.to_api() if task.direct_targets else []),
            "Priority": task.priority,
            "ServiceRoleArn": task.service_role,
            "MaxConcurrency": task.rate_control.max_concurrency,
            "MaxErrors": task.rate_control.max_errors,
            "Name": task.name,
            "Description": task.description,
            "CutoffBehavior": "CANCEL_TASK" if task.cancel_at_cutoff else "CONTINUE_TASK",
            "AlarmConfiguration": alarms_to_api(task.alarms, {}).get("AlarmConfiguration"),
        }
    )


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


def _task_invocation(execution: WindowExecution, run: TaskExecution) -> Reply:
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
            "TaskType": "RUN_COMMAND",
            "Parameters": json.dumps(parameters, separators=(",", ":")),
            "Status": run.status,
            "StatusDetails": run.problem,
            "StartTime": run.started,
            "EndTime": execution.ended,
            "WindowTargetId": run.task.target_ids[0] if run.task.target_ids else "",
        }
    )
