"""The operations on the tasks of maintenance windows."""

from __future__ import annotations

from base64 import b64decode

from lab.aws.ssm.command_replies import alarms_to_api, log_output
from lab.aws.ssm.commands_api import alarms_of, log_group_of, notification_of
from lab.aws.ssm.operation import Reply, Request, filters, operation, page, refuse, without_empty
from lab.engine import Engine
from lab.records.command import DEFAULT_DELIVERY_TIMEOUT
from lab.records.window import AUTOMATION, LAMBDA, RUN_COMMAND, STEP_FUNCTIONS, WindowTask
from lab.world.errors import ApiError
from patching.rate_control import RateControl
from patching.targets import Targets

_WINDOW_TARGETS = "WindowTargetIds"
_PARAMETERS = {RUN_COMMAND: "RunCommand", AUTOMATION: "Automation", LAMBDA: "Lambda", STEP_FUNCTIONS: "StepFunctions"}
"""Which parameters a task of a kind is invoked with."""


def make_task(engine: Engine, request: Request, task_id: str | None = None) -> WindowTask:
    """Make a task from what RegisterTaskWithMaintenanceWindow takes.

    Raises:
        ApiError: a kind of task that the lab does not run, or a Run Command task without targets.
    """
    refuse(request, "TaskParameters", "LoggingInfo")
    kind = str(request["TaskType"])
    if kind not in _PARAMETERS:
        raise ApiError("FeatureNotAvailableException", f"The local AWS does not run {kind} tasks.")
    targets = request.get("Targets") or []
    if not targets and kind == RUN_COMMAND:
        raise ApiError("ValidationException", "A Run Command task needs targets.")
    rate = {key: request.get(key) or "" for key in ("MaxConcurrency", "MaxErrors")}
    if targets and not all(rate.values()):
        raise ApiError("ValidationException", "A task with targets needs MaxConcurrency and MaxErrors.")
    given = request.get("TaskInvocationParameters") or {}
    if set(given) - {_PARAMETERS[kind]}:
        raise ApiError("ValidationException", f"A task of type {kind} takes {_PARAMETERS[kind]} parameters only.")
    invoked_with = given.get(_PARAMETERS[kind]) or {}
    parameters = invoked_with if kind == RUN_COMMAND else {}
    named = tuple(value for one in targets if one["Key"] == _WINDOW_TARGETS for value in one["Values"])
    role = request.get("ServiceRoleArn") or ""
    if role and not engine.cloud.trusts(role, "ssm.amazonaws.com"):
        raise ApiError("ValidationException", f"ssm.amazonaws.com cannot assume {role}.")
    return WindowTask(
        id=task_id or engine.windows.new_task_id(),
        window_id=request["WindowId"],
        document=request["TaskArn"],
        target_ids=named,
        direct_targets=Targets.from_api(targets) if targets and not named else None,
        rate_control=RateControl(rate["MaxConcurrency"] or "1", rate["MaxErrors"] or "1"),
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
        kind=kind,
        invoked_with={} if kind == RUN_COMMAND else _with_payload(dict(invoked_with)),
    )


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
    wanted = filters(request, known=("WindowTaskId", "TaskArn", "Priority", "TaskType"), error="ValidationException")
    fields = {"WindowTaskId": "WindowTaskId", "TaskArn": "TaskArn", "Priority": "Priority", "TaskType": "Type"}
    found = [
        told
        for told in map(_task, window.tasks.values())
        if all(str(told.get(fields[key], "")) in values for key, values in wanted.items())
    ]
    return page(request, "Tasks", found)


@operation
def get_maintenance_window_task(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetMaintenanceWindowTask.html."""
    task = engine.windows.get(request["WindowId"]).tasks.get(request["WindowTaskId"])
    if task is None:
        raise ApiError("DoesNotExistException", f"Window {request['WindowId']} has no task {request['WindowTaskId']}.")
    described = _task(task)
    return {
        **{key: value for key, value in described.items() if key != "Type"},
        "TaskType": described["Type"],
        "TaskInvocationParameters": _invocation_parameters(task),
    }


@operation
def update_maintenance_window_task(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_UpdateMaintenanceWindowTask.html."""
    window = engine.windows.get(request["WindowId"])
    task = window.tasks.get(request["WindowTaskId"])
    if task is None:
        raise ApiError("DoesNotExistException", f"Window {window.id} has no task {request['WindowTaskId']}.")
    if request.get("Replace"):
        missing = [key for key in ("TaskArn", "Targets") if not request.get(key)]
        if task.kind == RUN_COMMAND and missing:
            raise ApiError(
                "ValidationException", f"Replace needs {', '.join(missing)} too: what is not given is dropped."
            )
        kept: Reply = {"TaskArn": task.document}
    else:
        kept = {**_task(task), "TaskInvocationParameters": _invocation_parameters(task)}
    new = {**kept, **request, "WindowId": window.id, "TaskType": task.kind}
    changed = engine.windows.add_task(make_task(engine, new, task.id))
    described = {key: value for key, value in _task(changed).items() if key != "Type"}
    return {**described, "TaskInvocationParameters": _invocation_parameters(changed)}


def _invocation_parameters(task: WindowTask) -> Reply:
    if task.kind != RUN_COMMAND:
        return {_PARAMETERS[task.kind]: task.invoked_with}
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
    return {"RunCommand": without_empty(run_command)}


def _task(task: WindowTask) -> Reply:
    targets = [{"Key": _WINDOW_TARGETS, "Values": list(task.target_ids)}] if task.target_ids else []
    return without_empty(
        {
            "WindowId": task.window_id,
            "WindowTaskId": task.id,
            "TaskArn": task.document,
            "Type": task.kind,
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


def _with_payload(given: Reply) -> Reply:
    """Return what a function is invoked with, its payload as bytes."""
    payload = given.get("Payload")
    if not isinstance(payload, str):
        return given
    try:
        return {**given, "Payload": b64decode(payload, validate=True)}
    except ValueError:
        raise ApiError("SerializationException", "Payload is not in Base64.") from None
