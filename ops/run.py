"""Running AWS-RunPatchBaseline, or a document of one's own, on nodes now, and following it.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/run-command.html.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

from botocore.exceptions import ClientError

from ops.environment import Environment
from ops.errors import OperationError
from ops.nodes import Node, targeted
from ops.session import Session
from patching.rate_control import RateControl
from patching.targets import Targets

SHOWN_OUTPUT = 2_500
"""Characters of a step's output that are shown: its end, where the result is."""

_FINAL = ("Success", "Failed", "TimedOut", "Cancelled")
_SKIPPED = "Step execution skipped"
_FIRST_WAIT = 0.25
_LONGEST_WAIT = 5.0


@dataclass(frozen=True)
class StepProgress:
    """A step on one node."""

    name: str
    status: str
    skipped: bool
    code: int
    output: str


@dataclass(frozen=True)
class NodeProgress:
    """A command on one node."""

    node_id: str
    name: str
    status: str
    details: str
    steps: tuple[StepProgress, ...]


@dataclass(frozen=True)
class Progress:
    """How far a command is."""

    command_id: str
    status: str
    details: str
    targets: int
    completed: int
    errors: int
    at: datetime
    nodes: tuple[NodeProgress, ...]

    @property
    def done(self) -> bool:
        """Tell whether it will not change any more."""
        return self.status in _FINAL

    @property
    def succeeded(self) -> bool:
        """Tell whether it did what it was sent for, on every node."""
        return self.status == "Success" and all(node.status == "Success" for node in self.nodes)


class Task(Protocol):
    """What a command runs."""

    @property
    def document(self) -> str:
        """Name of the document."""

    def to_api(self) -> dict[str, list[str]]:
        """Return the document's parameters as the API takes them."""


@dataclass(frozen=True)
class RunDocument:
    """One use of a document, by its name.

    Attributes:
        document: the name.
        parameters: values by parameter.
    """

    document: str
    parameters: Mapping[str, Sequence[str]]

    def to_api(self) -> dict[str, list[str]]:
        """Return the parameters as the API takes them."""
        return {name: list(values) for name, values in self.parameters.items()}


@dataclass(frozen=True)
class Plan:
    """What is about to be sent.

    Attributes:
        task: what is run, with its options.
        targets: the nodes as they were asked for.
        nodes: the nodes as they are now.
        rate_control: how many at one time.
        environment: where output and notifications go; nowhere if None.
        comment: for people, up to 100 characters.
    """

    task: Task
    targets: Targets
    nodes: tuple[Node, ...]
    rate_control: RateControl
    environment: Environment | None
    comment: str = ""

    def request(self) -> dict[str, Any]:
        """Return the SendCommand request."""
        request: dict[str, Any] = {
            "DocumentName": self.task.document,
            "Parameters": self.task.to_api(),
            "Targets": self.targets.to_api(),
            "MaxConcurrency": self.rate_control.max_concurrency,
            "MaxErrors": self.rate_control.max_errors,
        }
        if self.comment:
            request["Comment"] = self.comment
        if self.environment:
            request |= {
                "OutputS3BucketName": self.environment.bucket,
                "OutputS3KeyPrefix": self.environment.prefix,
                "ServiceRoleArn": self.environment.publish_role,
                "NotificationConfig": {
                    "NotificationArn": self.environment.topic,
                    "NotificationEvents": ["All"],
                    "NotificationType": "Invocation",
                },
            }
        return request


def plan(
    session: Session,
    task: Task,
    targets: Targets,
    *,
    rate_control: RateControl,
    environment: Environment | None = None,
    comment: str = "",
) -> Plan:
    """Look which nodes are targeted now, and say what would be sent to them.

    Raises:
        OperationError: no node is targeted.
    """
    return Plan(task, targets, tuple(targeted(session, targets)), rate_control, environment, comment)


def send(session: Session, what: Plan) -> str:
    """Send a command, and return its id.

    Raises:
        OperationError: there is no such document, or it does not declare a parameter that would be sent, or one that
            it needs is not given.
    """
    request = what.request()
    name = what.task.document
    try:
        declared = session.ssm.describe_document(Name=name)["Document"].get("Parameters", [])
    except session.ssm.exceptions.InvalidDocument:
        message = f"there is no document {name} in this Region"
        raise OperationError(message) from None
    unknown = set(request["Parameters"]) - {parameter["Name"] for parameter in declared}
    if unknown:
        known = ", ".join(parameter["Name"] for parameter in declared) or "none"
        message = f"{name} has no parameter {', '.join(sorted(unknown))} in this Region; expected one of {known}"
        raise OperationError(message)
    missing = {parameter["Name"] for parameter in declared if "DefaultValue" not in parameter} - set(
        request["Parameters"]
    )
    if missing:
        message = f"{name} needs the parameter {', '.join(sorted(missing))}: it has no default"
        raise OperationError(message)
    return session.ssm.send_command(**request)["Command"]["CommandId"]


def progress(session: Session, command_id: str) -> Progress:
    """Return how far a command is.

    Raises:
        OperationError: there is no such command.
    """
    try:
        commands = session.ssm.list_commands(CommandId=command_id)["Commands"]
    except ClientError as error:
        if error.response["Error"].get("Code") != "InvalidCommandId":
            raise
        commands = []
    if not commands:
        message = f"there is no command {command_id} in this Region; AWS keeps commands for 30 days"
        raise OperationError(message)
    pages = session.ssm.get_paginator("list_command_invocations").paginate(CommandId=command_id, Details=True)
    (command,) = commands
    return Progress(
        command_id=command_id,
        status=command.get("Status", ""),
        details=command.get("StatusDetails", ""),
        targets=command.get("TargetCount", 0),
        completed=command.get("CompletedCount", 0),
        errors=command.get("ErrorCount", 0),
        at=session.now(),
        nodes=tuple(
            NodeProgress(
                node_id=one["InstanceId"],
                name=one.get("InstanceName", ""),
                status=one.get("Status", ""),
                details=one.get("StatusDetails", ""),
                steps=tuple(_step(plugin) for plugin in one.get("CommandPlugins", [])),
            )
            for page in pages
            for one in page["CommandInvocations"]
        ),
    )


def watch(
    session: Session,
    command_id: str,
    on_change: Callable[[Progress], None] = lambda _: None,
    *,
    sleep: Callable[[float], None] = time.sleep,
) -> Progress:
    """Follow a command to its end, and return how it ended.

    Args:
        session: the connection.
        command_id: the command.
        on_change: called with every state that differs from the one before.
        sleep: waits so many seconds between two looks: a short time at first, five seconds at most.
    """
    wait, last = _FIRST_WAIT, None
    while True:
        # Right after it was sent, not every part of the service knows the command yet.
        now = _patiently(session, command_id, first=last is None)
        if now is not None and _shape(now) != last:
            on_change(now)
            last = _shape(now)
        if now is not None and now.done:
            return now
        sleep(wait)
        wait = min(wait * 1.2, _LONGEST_WAIT)


def with_output(session: Session, ended: Progress) -> Progress:
    """Return a command with the end of the output of every step that ran."""
    nodes = [
        replace(node, steps=tuple(_with_output(session, ended, node, step) for step in node.steps))
        for node in ended.nodes
    ]
    return replace(ended, nodes=tuple(nodes))


def _patiently(session: Session, command_id: str, *, first: bool) -> Progress | None:
    try:
        return progress(session, command_id)
    except OperationError:
        if not first:
            raise
        return None


def _shape(state: Progress) -> tuple[object, ...]:
    """Return what a person would notice a change of."""
    return (state.status, state.completed, *((node.node_id, node.details) for node in state.nodes))


def _step(plugin: Any) -> StepProgress:  # noqa: ANN401 botocore's own structure
    output = plugin.get("Output", "")
    return StepProgress(
        name=plugin["Name"],
        status=plugin.get("Status", ""),
        skipped=output.startswith(_SKIPPED),
        code=plugin.get("ResponseCode", -1),
        output=output,
    )


def _with_output(session: Session, command: Progress, node: NodeProgress, step: StepProgress) -> StepProgress:
    if step.skipped or not step.output:
        return step
    whole = session.ssm.get_command_invocation(
        CommandId=command.command_id, InstanceId=node.node_id, PluginName=step.name
    )
    text = whole.get("StandardOutputContent", "") + whole.get("StandardErrorContent", "")
    return replace(step, output=text[-SHOWN_OUTPUT:])
