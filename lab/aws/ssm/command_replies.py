"""How the service says a command, and what became of it on a node."""

from __future__ import annotations

from collections.abc import Mapping

from lab.aws.ssm.operation import Reply, without_empty
from lab.engine import Engine
from lab.records.command import Command, Invocation, StepRun
from lab.world.stop_alarms import StopAlarms

_SHOWN = 2_500
_ERRORS = ("Failed", "ExecutionTimedOut")


def log_output(group: str) -> Reply:
    """Return how the service says where output is logged."""
    return {"CloudWatchLogGroupName": group, "CloudWatchOutputEnabled": bool(group)}


def alarms_to_api(alarms: StopAlarms, triggered: Mapping[str, str]) -> Reply:
    """Return the alarms that stop something, and those that did, as the service says them; nothing for none."""
    if not alarms.names:
        return {}
    return {
        "AlarmConfiguration": {
            "IgnorePollAlarmFailure": alarms.despite_failures,
            "Alarms": [{"Name": name} for name in alarms.names],
        },
        "TriggeredAlarms": [{"Name": name, "State": state} for name, state in triggered.items()],
    }


def _notification(command: Command) -> Reply:
    if command.notification is None:
        return {"NotificationArn": "", "NotificationEvents": [], "NotificationType": ""}
    return {
        "NotificationArn": command.notification.topic,
        "NotificationEvents": list(command.notification.events),
        "NotificationType": "Invocation" if command.notification.per_invocation else "Command",
    }


def command_reply(command: Command) -> Reply:
    """Return how the service says a command."""
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
        **alarms_to_api(command.alarms, command.triggered),
    }


def invocation_reply(command: Command, invocation: Invocation, *, details: bool) -> Reply:
    """Return how the service says what became of a command on a node, with its steps if details are asked for."""
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
            "StatusDetails": step.details,
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


def response_code(invocation: Invocation) -> int:
    """Return the first exit code that is not 0; -1 as long as the node is not done."""
    codes = [step.code for step in invocation.steps]
    return next((code for code in codes if code), 0) if invocation.status.final else -1


def url_of(engine: Engine, command: Command, invocation: Invocation, step: StepRun, stream: str) -> str:
    """Return where the output of a step is in S3; empty if it is not there."""
    if not invocation.output_stored or step.skipped:
        return ""
    key = command.output_key(invocation, step, stream)
    return f"https://s3.{engine.cloud.region}.amazonaws.com/{command.bucket}/{key}"
