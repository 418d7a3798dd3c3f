"""What the actions of runbooks do in the lab.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/automation-actions.html. How long an instance takes
to start or to stop is made up.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from lab.commands.run_command import RunCommand
from lab.nodes.fleet import Fleet
from lab.records.command import Command
from lab.records.runbook import selected
from lab.world.cloud import Cloud
from lab.world.errors import ApiError
from patching.rate_control import RateControl
from patching.schedule import point_in_time
from patching.targets import Targets

Outputs = dict[str, Any]
Course = Generator[timedelta, None, Outputs]
"""An action in time: it yields how long each part takes, and returns its outputs."""

_POLL = timedelta(seconds=5)
_ASK_AGAIN = timedelta(seconds=30)
_CHANGE = timedelta(seconds=40)
_SPAN = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")
_FAILED = "AutomationStepFailed"
_STATES = {"running": "ec2:StartInstances", "stopped": "ec2:StopInstances", "terminated": "ec2:TerminateInstances"}


@dataclass(frozen=True)
class Acting:
    """What actions work with.

    Attributes:
        cloud: the account.
        fleet: the managed nodes.
        run_command: sends commands.
        now: tells the lab's time.
        role: the role that the runbook is run as; empty for a caller that is trusted.
        commands: the commands that were sent.
    """

    cloud: Cloud
    fleet: Fleet
    run_command: RunCommand
    now: Callable[[], datetime]
    role: str
    commands: list[Command]

    def check(self, action: str, resource: str = "*") -> None:
        """Refuse what the role may not do."""
        if self.role and not self.cloud.allowed(self.role, action, resource):
            raise ApiError("AccessDeniedException", f"{self.role} is not authorized to perform {action} on {resource}.")


def sleep(acting: Acting, inputs: Mapping[str, Any]) -> Course:
    """Wait for a span of time, or until a time."""
    if "Timestamp" in inputs:
        yield max(point_in_time(str(inputs["Timestamp"])) - acting.now(), timedelta())
        return {}
    match = _SPAN.fullmatch(str(inputs.get("Duration", "")))
    if not match or not any(match.groups()):
        raise ApiError(_FAILED, f"{inputs.get('Duration')!r} is no duration such as PT10M.")
    days, hours, minutes, seconds = (int(one or 0) for one in match.groups())
    yield timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    return {}


def run_command(acting: Acting, inputs: Mapping[str, Any]) -> Course:
    """Send a command and wait for its end."""
    ids = _list(inputs.get("InstanceIds"))
    targets = Targets.instances(*map(str, ids)) if ids else Targets.from_api(inputs.get("Targets") or ())
    given = {name: [str(one) for one in _list(value)] for name, value in (inputs.get("Parameters") or {}).items()}
    command = acting.run_command.send(
        document_name=str(inputs["DocumentName"]),
        document_version=str(inputs.get("DocumentVersion") or ""),
        parameters=given,
        targets=targets,
        rate_control=RateControl(str(inputs.get("MaxConcurrency") or "50"), str(inputs.get("MaxErrors") or "0")),
        comment=str(inputs.get("Comment") or ""),
        bucket=str(inputs.get("OutputS3BucketName") or ""),
        prefix=str(inputs.get("OutputS3KeyPrefix") or ""),
        delivery_timeout_seconds=int(inputs.get("TimeoutSeconds") or 3600),
        sender_role=acting.role,
    )
    acting.commands.append(command)
    while not command.status.final:
        yield _POLL
    steps = [step for one in command.invocations.values() for step in one.steps if not step.skipped]
    outputs = {
        "CommandId": command.id,
        "Status": str(command.status),
        "ResponseCode": str(next((step.code for step in steps if step.code), 0)),
        "Output": "".join(step.output for step in steps)[:2500],
    }
    if str(command.status) != "Success":
        raise StepFailedError(f"Command {command.id} ended as {command.details}.", outputs)
    return outputs


def change_instance_state(acting: Acting, inputs: Mapping[str, Any]) -> Course:
    """Start, stop or terminate instances, or wait until they are as they should be."""
    wanted = str(inputs.get("DesiredState"))
    if wanted not in _STATES:
        raise ApiError(_FAILED, f"{wanted} is no state; one is {', '.join(_STATES)}.")
    ids = [str(one) for one in _list(inputs.get("InstanceIds"))]
    for instance_id in ids:
        arn = f"arn:aws:ec2:{acting.cloud.region}:{acting.cloud.account}:instance/{instance_id}"
        acting.check(_STATES[wanted], arn)
        if str(inputs.get("CheckStateOnly", False)).lower() != "true":
            try:
                acting.cloud.change_state(instance_id, wanted)
            except KeyError:
                raise ApiError(_FAILED, f"There is no instance {instance_id}.") from None
    acting.fleet.look_again()
    yield _CHANGE
    while any(_state(acting, one) != wanted for one in ids):
        yield _ASK_AGAIN
    return {"InstanceStates": [wanted for _ in ids]}


def execute_aws_api(acting: Acting, inputs: Mapping[str, Any]) -> Course:
    """Ask a service of AWS."""
    yield timedelta(seconds=1)
    return {"": _ask(acting, inputs)}


def assert_property(acting: Acting, inputs: Mapping[str, Any]) -> Course:
    """Fail unless what a service says has one of the values that are wanted."""
    yield timedelta(seconds=1)
    found, wanted = _property(acting, inputs)
    if found not in wanted:
        raise ApiError(_FAILED, f"{inputs.get('PropertySelector')} is {found}, and none of {', '.join(wanted)}.")
    return {}


def wait_for_property(acting: Acting, inputs: Mapping[str, Any]) -> Course:
    """Wait until what a service says has one of the values that are wanted."""
    yield timedelta(seconds=1)
    while True:
        found, wanted = _property(acting, inputs)
        if found in wanted:
            return {}
        yield _ASK_AGAIN


def branch(acting: Acting, inputs: Mapping[str, Any]) -> Course:  # noqa: ARG001 as every action
    """Choose the step that follows: the first choice that holds, or the default; `NextStep` of the outputs."""
    yield timedelta()
    for choice in inputs.get("Choices") or ():
        if _holds(choice):
            return {"NextStep": choice.get("NextStep")}
    return {"NextStep": inputs.get("Default")}


class StepFailedError(ApiError):
    """An action that failed with outputs."""

    def __init__(self, message: str, outputs: Outputs) -> None:
        super().__init__(_FAILED, message)
        self.outputs = outputs


ACTIONS: dict[str, Callable[[Acting, Mapping[str, Any]], Course]] = {
    "aws:assertAwsResourceProperty": assert_property,
    "aws:branch": branch,
    "aws:changeInstanceState": change_instance_state,
    "aws:executeAwsApi": execute_aws_api,
    "aws:runCommand": run_command,
    "aws:sleep": sleep,
    "aws:waitForAwsResourceProperty": wait_for_property,
}
"""The actions that the lab runs."""


def _state(acting: Acting, instance_id: str) -> str:
    known = {one.id: one for one in acting.cloud.instances()}
    if instance_id not in known:
        return "terminated"
    return "running" if known[instance_id].running else "stopped"


def _property(acting: Acting, inputs: Mapping[str, Any]) -> tuple[str, list[str]]:
    found = selected(str(inputs.get("PropertySelector", "$")), _ask(acting, inputs))
    return str(found), [str(one) for one in _list(inputs.get("DesiredValues"))]


def _ask(acting: Acting, inputs: Mapping[str, Any]) -> dict[str, Any]:
    service, api = str(inputs.get("Service")), str(inputs.get("Api"))
    answer = _APIS.get((service.lower(), api.replace("_", "").lower()))
    if answer is None:
        known = ", ".join(f"{one} {name}" for one, name in _APIS)
        raise ApiError(_FAILED, f"The local AWS does not emulate {service} {api} in a runbook; it knows {known}.")
    acting.check(f"{service.lower()}:{api}")
    return answer(acting, inputs)


def _describe_instances(acting: Acting, inputs: Mapping[str, Any]) -> dict[str, Any]:
    wanted = [str(one) for one in _list(inputs.get("InstanceIds"))]
    found = [
        {
            "InstanceId": one.id,
            "PrivateIpAddress": one.ip,
            "State": {"Name": "running" if one.running else "stopped"},
            "Tags": [{"Key": key, "Value": value} for key, value in one.tags.items()],
        }
        for one in acting.cloud.instances()
        if not wanted or one.id in wanted
    ]
    return {"Reservations": [{"Instances": [one]} for one in found]}


def _describe_instance_status(acting: Acting, inputs: Mapping[str, Any]) -> dict[str, Any]:
    found = [one["Instances"][0] for one in _describe_instances(acting, inputs)["Reservations"]]
    return {
        "InstanceStatuses": [
            {
                "InstanceId": one["InstanceId"],
                "InstanceState": one["State"],
                "InstanceStatus": {"Status": "ok"},
                "SystemStatus": {"Status": "ok"},
            }
            for one in found
            if one["State"]["Name"] == "running"
        ]
    }


def _describe_instance_information(acting: Acting, inputs: Mapping[str, Any]) -> dict[str, Any]:
    filters = _list(inputs.get("Filters")) + _list(inputs.get("InstanceInformationFilterList"))
    wanted = [str(one) for each in filters for one in _list(each.get("Values", each.get("valueSet")))]
    return {
        "InstanceInformationList": [
            {"InstanceId": node.id, "PingStatus": "Online" if node.online else "ConnectionLost"}
            for node in acting.fleet.nodes()
            if not wanted or node.id in wanted
        ]
    }


_APIS: dict[tuple[str, str], Callable[[Acting, Mapping[str, Any]], dict[str, Any]]] = {
    ("ec2", "describeinstances"): _describe_instances,
    ("ec2", "describeinstancestatus"): _describe_instance_status,
    ("ssm", "describeinstanceinformation"): _describe_instance_information,
}


def _holds(choice: Mapping[str, Any]) -> bool:
    """Tell whether a choice of a branch holds.

    Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/automation-branch-condition.html.
    """
    if "And" in choice:
        return all(_holds(one) for one in choice["And"])
    if "Or" in choice:
        return any(_holds(one) for one in choice["Or"])
    if "Not" in choice:
        return not _holds(choice["Not"])
    found = choice.get("Variable")
    for name, compare in _COMPARISONS.items():
        if name in choice:
            try:
                return compare(found, choice[name])
            except (TypeError, ValueError):
                return False
    raise ApiError(_FAILED, f"The choice {dict(choice)} compares by none of {', '.join(_COMPARISONS)}.")


_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "StringEquals": lambda found, wanted: str(found) == str(wanted),
    "EqualsIgnoreCase": lambda found, wanted: str(found).casefold() == str(wanted).casefold(),
    "StartsWith": lambda found, wanted: str(found).startswith(str(wanted)),
    "EndsWith": lambda found, wanted: str(found).endswith(str(wanted)),
    "Contains": lambda found, wanted: str(wanted) in str(found),
    "NumericEquals": lambda found, wanted: float(found) == float(wanted),
    "NumericGreater": lambda found, wanted: float(found) > float(wanted),
    "NumericLesser": lambda found, wanted: float(found) < float(wanted),
    "NumericGreaterOrEquals": lambda found, wanted: float(found) >= float(wanted),
    "NumericLesserOrEquals": lambda found, wanted: float(found) <= float(wanted),
    "BooleanEquals": lambda found, wanted: str(found).lower() == str(wanted).lower(),
}


def _list(value: Any) -> list[Any]:  # noqa: ANN401 JSON is anything
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
