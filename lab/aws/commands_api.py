"""The Run Command operations."""

from __future__ import annotations

from datetime import datetime

from lab.aws.operation import Reply, Request, filters, operation, page, refuse, without_empty
from lab.command import Command, Invocation, Notification, StepRun, iso
from lab.engine import Engine
from lab.errors import ApiError
from lab.log_output import default_group
from lab.run_command import DEFAULT_DELIVERY_TIMEOUT
from patching.rate_control import RateControl
from patching.targets import Targets

_SHOWN = 2_500
_SHOWN_STANDARD_OUTPUT = 24_000
_SHOWN_STANDARD_ERROR = 8_000
_ERRORS = ("Failed", "ExecutionTimedOut")


def targets_of(request: Request) -> Targets:
    """Return the nodes that a request names, by their ids or by targets.

    Raises:
        ApiError: both, or neither.
    """
    ids, targets = request.get("InstanceIds"), request.get("Targets")
    if bool(ids) == bool(targets):
        raise ApiError("ValidationException", "Give either InstanceIds or Targets.")
    return Targets.instances(*ids) if ids else Targets.from_api(targets or ())


def notification_of(request: Request) -> Notification | None:
    """Return who is told of a command, if anybody is."""
    config = request.get("NotificationConfig") or {}
    if not config.get("NotificationArn"):
        return None
    return Notification(
        topic=config["NotificationArn"],
        events=tuple(config.get("NotificationEvents") or ("All",)),
        per_invocation=config.get("NotificationType") == "Invocation",
        role=request.get("ServiceRoleArn") or "",
    )


def log_group_of(request: Request, document: str) -> str:
    """Return the log group that output goes to, if it goes to one."""
    config = request.get("CloudWatchOutputConfig") or {}
    if str(config.get("CloudWatchOutputEnabled", False)).lower() != "true":
        return ""
    return config.get("CloudWatchLogGroupName") or default_group(document)


def log_output(group: str) -> Reply:
    """Return how the service says where output is logged."""
    return {"CloudWatchLogGroupName": group, "CloudWatchOutputEnabled": bool(group)}


@operation
def send_command(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_SendCommand.html."""
    refuse(request, "AlarmConfiguration", "DocumentHash")
    document = request["DocumentName"].rpartition("/")[2]
    command = engine.run_command.send(
        document_name=request["DocumentName"],
        document_version=request.get("DocumentVersion") or "",
        parameters=dict(request.get("Parameters") or {}),
        targets=targets_of(request),
        rate_control=RateControl(request.get("MaxConcurrency") or "50", request.get("MaxErrors") or "0"),
        bucket=request.get("OutputS3BucketName") or "",
        prefix=request.get("OutputS3KeyPrefix") or "",
        notification=notification_of(request),
        comment=request.get("Comment") or "",
        delivery_timeout_seconds=int(request.get("TimeoutSeconds") or DEFAULT_DELIVERY_TIMEOUT),
        log_group=log_group_of(request, document),
    )
    return {"Command": _command(command)}


@operation
def list_commands(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ListCommands.html."""
    commands = [engine.run_command.get(request["CommandId"])] if request.get("CommandId") else _newest(engine)
    if request.get("InstanceId"):
        commands = [one for one in commands if request["InstanceId"] in one.invocations]
    commands = [one for one in commands if _command_passes(one, request)]
    return page(request, "Commands", [_command(one) for one in commands])


@operation
def list_command_invocations(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ListCommandInvocations.html."""
    commands = [engine.run_command.get(request["CommandId"])] if request.get("CommandId") else _newest(engine)
    found = [
        _invocation(command, invocation, details=bool(request.get("Details")))
        for command in commands
        for invocation in command.invocations.values()
        if request.get("InstanceId") in (None, invocation.node_id)
    ]
    return page(request, "CommandInvocations", found)


@operation
def get_command_invocation(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetCommandInvocation.html."""
    command = engine.run_command.get(request["CommandId"])
    invocation = command.invocations.get(request["InstanceId"])
    if invocation is None:
        raise ApiError("InvocationDoesNotExist", f"{command.id} was not sent to {request['InstanceId']}.")
    reply: Reply = {
        "CommandId": command.id,
        "InstanceId": invocation.node_id,
        "Comment": command.comment,
        "DocumentName": command.document,
        "DocumentVersion": command.document_version,
        "Status": str(invocation.status),
        "StatusDetails": invocation.details,
        "ResponseCode": _response_code(invocation),
        "StandardOutputContent": "",
        "StandardErrorContent": "",
        "CloudWatchOutputConfig": log_output(command.log_group),
    }
    # Of the output of several steps the service shows none, unless one is named.
    only = invocation.steps[0].name if len(invocation.steps) == 1 else ""
    name = request.get("PluginName") or only
    if not name:
        return reply
    step = next((one for one in invocation.steps if one.name == name), None)
    if step is None:
        raise ApiError("InvalidPluginName", f"{command.document} has no step {name}.")
    reply |= {
        "PluginName": step.name,
        "Status": str(step.status),
        "StatusDetails": str(step.status),
        "ResponseCode": step.code,
        "StandardOutputContent": step.output[:_SHOWN_STANDARD_OUTPUT],
        "StandardErrorContent": step.error[:_SHOWN_STANDARD_ERROR],
        "StandardOutputUrl": _url(engine, command, invocation, step, "stdout"),
        "StandardErrorUrl": _url(engine, command, invocation, step, "stderr"),
    }
    if step.started:
        reply["ExecutionStartDateTime"] = iso(step.started)
    if step.started and step.ended:
        reply["ExecutionEndDateTime"] = iso(step.ended)
        reply["ExecutionElapsedTime"] = f"PT{(step.ended - step.started).total_seconds():g}S"
    return reply


@operation
def cancel_command(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CancelCommand.html."""
    command = engine.run_command.get(request["CommandId"])
    if not command.status.final:
        engine.run_command.cancel(command)
    return {}


def _newest(engine: Engine) -> list[Command]:
    return sorted(engine.run_command.commands.values(), key=lambda one: one.requested, reverse=True)


def _command_passes(command: Command, request: Request) -> bool:
    wanted = filters(
        request,
        known=("InvokedAfter", "InvokedBefore", "Status", "DocumentName", "ExecutionStage"),
        error="InvalidFilterKey",
    )
    stage = "Complete" if command.status.final else "Executing"
    return all(
        {
            "InvokedAfter": lambda values: command.requested >= datetime.fromisoformat(values[0]),
            "InvokedBefore": lambda values: command.requested < datetime.fromisoformat(values[0]),
            "Status": lambda values: command.details in values or command.status in values,
            "DocumentName": lambda values: command.document in values,
            "ExecutionStage": lambda values: stage in values,
        }[key](values)
        for key, values in wanted.items()
    )


def _notification(command: Command) -> Reply:
    if command.notification is None:
        return {"NotificationArn": "", "NotificationEvents": [], "NotificationType": ""}
    return {
        "NotificationArn": command.notification.topic,
        "NotificationEvents": list(command.notification.events),
        "NotificationType": "Invocation" if command.notification.per_invocation else "Command",
    }


def _command(command: Command) -> Reply:
    by_id = [value for key, values in command.targets.keys for value in values if key == "InstanceIds"]
    return {
        "CommandId": command.id,
        "DocumentName": command.document,
        "DocumentVersion": command.document_version,
        "Comment": command.comment,
        "ExpiresAfter": command.expires,
        "Parameters": command.parameters,
        "InstanceIds": by_id,
        "Targets": [] if by_id else command.targets.to_api(),
        "RequestedDateTime": command.requested,
        "Status": str(command.status),
        "StatusDetails": command.details,
        "OutputS3BucketName": command.bucket,
        "OutputS3KeyPrefix": command.prefix,
        "MaxConcurrency": command.rate_control.max_concurrency,
        "MaxErrors": command.rate_control.max_errors,
        "TargetCount": len(command.invocations),
        "CompletedCount": sum(one.status.final for one in command.invocations.values()),
        "ErrorCount": command.count(*_ERRORS),
        "DeliveryTimedOutCount": command.count("DeliveryTimedOut"),
        "ServiceRole": command.notification.role if command.notification else "",
        "NotificationConfig": _notification(command),
        "CloudWatchOutputConfig": log_output(command.log_group),
        "TimeoutSeconds": command.delivery_timeout_seconds,
    }


def _invocation(command: Command, invocation: Invocation, *, details: bool) -> Reply:
    return {
        "CommandId": command.id,
        "InstanceId": invocation.node_id,
        "InstanceName": invocation.node_name,
        "Comment": command.comment,
        "DocumentName": command.document,
        "DocumentVersion": command.document_version,
        "RequestedDateTime": invocation.requested,
        "Status": str(invocation.status),
        "StatusDetails": invocation.details,
        "StandardOutputUrl": "",
        "StandardErrorUrl": "",
        "CommandPlugins": [_plugin(command, invocation, step) for step in invocation.steps] if details else [],
        "ServiceRole": command.notification.role if command.notification else "",
        "NotificationConfig": _notification(command),
        "CloudWatchOutputConfig": log_output(command.log_group),
    }


def _plugin(command: Command, invocation: Invocation, step: StepRun) -> Reply:
    error = f"\n----------ERROR-------\n{step.error}" if step.error else ""
    return without_empty(
        {
            "Name": step.name,
            "Status": str(step.status),
            "StatusDetails": str(step.status),
            "ResponseCode": step.code,
            "ResponseStartDateTime": step.started,
            "ResponseFinishDateTime": step.ended,
            "Output": _shortened(step.output + error),
            "OutputS3BucketName": command.bucket,
            "OutputS3KeyPrefix": f"{command.output_prefix(invocation)}/{step.action.replace(':', '')}",
        }
    )


def _shortened(text: str) -> str:
    """Return what the service shows: the beginning, up to 2,500 characters in all."""
    mark = "\n---Output truncated---"
    return text if len(text) <= _SHOWN else text[: _SHOWN - len(mark)] + mark


def _response_code(invocation: Invocation) -> int:
    codes = [step.code for step in invocation.steps]
    return next((code for code in codes if code), 0) if invocation.status.final else -1


def _url(engine: Engine, command: Command, invocation: Invocation, step: StepRun, stream: str) -> str:
    if not invocation.output_stored or step.skipped:
        return ""
    key = command.output_key(invocation, step, stream)
    return f"https://s3.{engine.cloud.region}.amazonaws.com/{command.bucket}/{key}"
