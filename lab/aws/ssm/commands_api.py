"""The Run Command operations."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from lab.aws.ssm.command_replies import command_reply, invocation_reply, log_output, response_code, url_of
from lab.aws.ssm.listing import paged
from lab.aws.ssm.operation import Reply, Request, filters, operation, page, refuse
from lab.engine import Engine
from lab.records.command import DEFAULT_DELIVERY_TIMEOUT, Command, Invocation, Notification, iso
from lab.world.errors import ApiError
from lab.world.log_output import default_group
from lab.world.stop_alarms import StopAlarms
from patching.rate_control import RateControl
from patching.schedule import point_in_time
from patching.targets import EVERY_NODE, Targets

_SHOWN_STANDARD_OUTPUT = 24_000
_SHOWN_STANDARD_ERROR = 8_000
_CONSISTENT = timedelta(seconds=1)
"""How long after sending nobody can ask for one invocation: reading is eventually consistent."""

_TIMES = ("InvokedAfter", "InvokedBefore")
_COMMAND_FILTERS = (*_TIMES, "Status", "DocumentName")
_STATUSES = ("Pending", "InProgress", "Success", "Cancelled", "Failed", "TimedOut", "AccessDenied", "DeliveryTimedOut")
_COMMAND_STATUSES = (*_STATUSES, "ExecutionTimedOut", "Incomplete", "NoInstancesInTag", "LimitExceeded", "Cancelling")
_INVOCATION_STATUSES = (
    *_STATUSES,
    *("Delayed", "ExecutionTimedOut", "Undeliverable", "InvalidPlatform", "Terminated", "Cancelling"),
)
"""Statuses that filters know: https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CommandFilter.html."""


def targets_of(request: Request) -> Targets:
    """Return the nodes that a request names, by their ids or by targets.

    Raises:
        ApiError: both, or neither.
    """
    ids, targets = request.get("InstanceIds"), request.get("Targets")
    if bool(ids) == bool(targets):
        raise ApiError("ValidationException", "Give either InstanceIds or Targets.")
    found = Targets.instances(*ids) if ids else Targets.from_api(targets or ())
    if (EVERY_NODE,) in dict(found.keys).values():
        raise ApiError("ValidationException", "Run Command does not take InstanceIds=*; name tags or a resource group.")
    return found


def notification_of(request: Request) -> Notification | None:
    """Return who is told of a command, if anybody is."""
    config = request.get("NotificationConfig") or {}
    if not config.get("NotificationArn"):
        return None
    if not config["NotificationArn"].startswith("arn:aws:sns:"):
        raise ApiError("InvalidNotificationConfig", f"{config['NotificationArn']} is no ARN of a topic.")
    return Notification(
        topic=config["NotificationArn"],
        events=tuple(config.get("NotificationEvents") or ("All",)),
        per_invocation=config.get("NotificationType") == "Invocation",
        role=request.get("ServiceRoleArn") or "",
    )


def alarms_of(request: Request) -> StopAlarms:
    """Return the alarms that stop what a request makes, if it has any."""
    config = request.get("AlarmConfiguration") or {}
    names = tuple(one["Name"] for one in config.get("Alarms") or ())
    return StopAlarms(names, bool(config.get("IgnorePollAlarmFailure")))


def log_group_of(request: Request, document: str) -> str:
    """Return the log group that output goes to, if it goes to one."""
    config = request.get("CloudWatchOutputConfig") or {}
    if str(config.get("CloudWatchOutputEnabled", False)).lower() != "true":
        return ""
    return config.get("CloudWatchLogGroupName") or default_group(document)


@operation
def send_command(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_SendCommand.html."""
    refuse(request, "DocumentHash")
    ids = request.get("InstanceIds") or []
    if len(ids) != len(set(ids)):
        raise ApiError("DuplicateInstanceId", "You can't specify a managed node ID more than once.")
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
        alarms=alarms_of(request),
    )
    return {"Command": command_reply(command)}


@operation
def list_commands(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ListCommands.html."""
    commands = _commands(engine, request)
    wanted = _filters(request, _COMMAND_STATUSES, *_COMMAND_FILTERS, "ExecutionStage")
    if request.get("InstanceId"):
        commands = [one for one in commands if request["InstanceId"] in one.invocations]
    reply = page(request, "Commands", [one for one in commands if _command_passes(one, wanted)])
    return {**reply, "Commands": [command_reply(one) for one in reply["Commands"]]}


@operation
def list_command_invocations(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ListCommandInvocations.html."""
    wanted = _filters(request, _INVOCATION_STATUSES, *_COMMAND_FILTERS)
    commands = _commands(engine, request)
    reply = paged(
        engine,
        request,
        "CommandInvocations",
        lambda: (
            (command, invocation)
            for command in commands
            for invocation in _invocations(command, request.get("InstanceId"))
            if _invocation_passes(command, invocation, wanted)
        ),
    )
    # Only those of the page are told in full: a command may have thousands.
    told = [invocation_reply(*one, details=bool(request.get("Details"))) for one in reply["CommandInvocations"]]
    return {**reply, "CommandInvocations": told}


@operation
def get_command_invocation(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetCommandInvocation.html."""
    command = engine.run_command.get(request["CommandId"])
    invocation = command.invocations.get(request["InstanceId"])
    if invocation is None or engine.clock.now < command.requested + _CONSISTENT:
        raise ApiError("InvocationDoesNotExist", f"{command.id} was not sent to {request['InstanceId']}.")
    reply: Reply = {
        "CommandId": command.id,
        "InstanceId": invocation.node_id,
        "Comment": command.comment,
        "DocumentName": command.document,
        "DocumentVersion": command.document_version,
        "Status": str(invocation.status),
        "StatusDetails": invocation.details,
        "ResponseCode": response_code(invocation),
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
        "StatusDetails": step.details,
        "ResponseCode": step.code,
        "StandardOutputContent": step.output[:_SHOWN_STANDARD_OUTPUT],
        "StandardErrorContent": step.error[:_SHOWN_STANDARD_ERROR],
        "StandardOutputUrl": url_of(engine, command, invocation, step, "stdout"),
        "StandardErrorUrl": url_of(engine, command, invocation, step, "stderr"),
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
    ids = request.get("InstanceIds") or []
    if len(ids) != len(set(ids)):
        raise ApiError("DuplicateInstanceId", "You can't specify a managed node ID more than once.")
    for node_id in ids:
        if node_id not in command.invocations:
            raise ApiError("InvalidInstanceId", f"{command.id} was not sent to {node_id}.")
    if not command.status.final:
        engine.run_command.cancel(command, ids)
    return {}


def _commands(engine: Engine, request: Request) -> list[Command]:
    return [engine.run_command.get(request["CommandId"])] if request.get("CommandId") else engine.run_command.recent()


def _invocations(command: Command, node_id: str | None) -> list[Invocation]:
    if node_id is None:
        return list(command.invocations.values())
    return [command.invocations[node_id]] if node_id in command.invocations else []


def _filters(request: Request, statuses: Collection[str], *known: str) -> dict[str, str]:
    """Return the filters of a request, once they make sense.

    Raises:
        ApiError: a key that the operation has not, a status that it does not know, or a time that is none.
    """
    wanted = {key: values[0] for key, values in filters(request, known=known).items()}
    for key in _TIMES:
        if key in wanted:
            point_in_time(wanted[key])
    stage, status = wanted.get("ExecutionStage", "Executing"), wanted.get("Status")
    if stage not in ("Executing", "Complete"):
        raise ApiError("InvalidFilterKey", f"ExecutionStage is Executing or Complete, not {stage}.")
    if status is not None and status not in statuses:
        raise ApiError("InvalidFilterKey", f"{status} is no status here; one is {', '.join(statuses)}.")
    return wanted


def _passes(moment: datetime, document: str, status: tuple[str, str], wanted: Mapping[str, str]) -> bool:
    return (
        ("InvokedAfter" not in wanted or moment >= point_in_time(wanted["InvokedAfter"]))
        and ("InvokedBefore" not in wanted or moment < point_in_time(wanted["InvokedBefore"]))
        and wanted.get("DocumentName", document) == document
        and ("Status" not in wanted or wanted["Status"] in status)
    )


def _command_passes(command: Command, wanted: Mapping[str, str]) -> bool:
    stage = "Complete" if command.status.final else "Executing"
    status = (str(command.status), command.details)
    return wanted.get("ExecutionStage", stage) == stage and _passes(command.requested, command.document, status, wanted)


def _invocation_passes(command: Command, invocation: Invocation, wanted: Mapping[str, str]) -> bool:
    status = (str(invocation.status), invocation.details)
    return not wanted or _passes(invocation.requested, command.document, status, wanted)
