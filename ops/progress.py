"""Following a command: how far it is on each node and in each step.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/monitor-commands.html.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from ops import exit_codes
from ops.errors import OperationError, in_words
from ops.permissions import Need, On
from ops.session import Session

NEEDS = (Need(On.ANYTHING, "ssm:ListCommands", "ssm:ListCommandInvocations", "ssm:GetCommandInvocation"),)
CANCEL_NEEDS = (Need(On.ANYTHING, "ssm:CancelCommand"),)

SHOWN_OUTPUT = 2_500
"""Characters of a step's output that are shown: its end, where the result is."""

FINAL = ("Success", "Failed", "TimedOut", "Cancelled")
_SKIPPED = "Step execution skipped"
_FIRST_WAIT = 0.25
_LONGEST_WAIT = 5.0
_INVOCATIONS_PAGE = 50
_MANY = 500
"""Nodes beyond which only their number is followed."""
_PATIENT_LOOKS = 30


@dataclass(frozen=True)
class StepProgress:
    """A step on one node.

    Attributes:
        name: the step's name.
        status: its status.
        skipped: whether it was passed over, for another platform for instance.
        code: its exit code; -1 as long as there is none.
        output: what it wrote, shortened.
        meaning: what the exit code means; empty if it means nothing in particular.
    """

    name: str
    status: str
    skipped: bool
    code: int
    output: str
    meaning: str = ""


@dataclass(frozen=True)
class NodeProgress:
    """A command on one node.

    Attributes:
        node_id: the node.
        name: the node's name.
        status: how far it is.
        details: the same, more exactly.
        steps: the steps of the document.
        meaning: what the details mean; empty if they say so themselves.
    """

    node_id: str
    name: str
    status: str
    details: str
    steps: tuple[StepProgress, ...]
    meaning: str = ""


@dataclass(frozen=True)
class Progress:
    """How far a command is.

    Attributes:
        command_id: the command.
        status: how far it is.
        details: the same, more exactly.
        targets: on how many nodes it runs.
        completed: on how many it has ended.
        errors: on how many it failed.
        at: when this was so.
        nodes: how far it is on each node.
    """

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
        return self.status in FINAL

    @property
    def succeeded(self) -> bool:
        """Tell whether it did what it was sent for, on every node."""
        reached = len(self.nodes) >= max(1, self.targets)
        return self.status == "Success" and reached and all(node.status == "Success" for node in self.nodes)


def progress(session: Session, command_id: str, *, whole: bool = True) -> Progress:
    """Return how far a command is.

    Args:
        session: the connection.
        command_id: the command.
        whole: whether the nodes are read as well, which for many of them takes many requests.

    Raises:
        OperationError: there is no such command.
    """
    command = find_command(session, command_id)
    return Progress(
        command_id=command_id,
        status=command.get("Status", ""),
        details=command.get("StatusDetails", ""),
        targets=command.get("TargetCount", 0),
        completed=command.get("CompletedCount", 0),
        errors=command.get("ErrorCount", 0),
        at=session.now(),
        nodes=tuple(_nodes(session, command_id)) if whole else (),
    )


def find_command(session: Session, command_id: str) -> Any:  # noqa: ANN401 botocore's own structure
    """Return a command as the service describes it.

    Raises:
        OperationError: there is no such command.
    """
    try:
        commands = session.ssm.list_commands(CommandId=command_id)["Commands"]
    except (ClientError, ParamValidationError) as error:
        code = error.response["Error"].get("Code") if isinstance(error, ClientError) else "InvalidCommandId"
        if code not in ("InvalidCommandId", "ValidationException"):
            raise
        commands = []
    if not commands:
        known = "`patchops runs` lists them, and AWS keeps them for 30 days"
        message = f"there is no command {command_id} in this Region; {known}"
        raise OperationError(message)
    return commands[0]


def cancel(session: Session, command_id: str) -> None:
    """Start no further node. What runs already may go on to its end: AWS stops it only if the agent can.

    Follows https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CancelCommand.html.
    """
    session.ssm.cancel_command(CommandId=command_id)


def watch(
    session: Session,
    command_id: str,
    on_change: Callable[[Progress], None] = lambda _: None,
    *,
    just_sent: bool = True,
    sleep: Callable[[float], None] = time.sleep,
) -> Progress:
    """Follow a command to its end, and return how it ended.

    Args:
        session: the connection.
        command_id: the command.
        on_change: called with every state that differs from the one before.
        just_sent: whether the service may not know it yet.
        sleep: waits so many seconds between two looks: a short time at first, five seconds at most.

    Raises:
        OperationError: there is no such command, or it cannot be followed any more; the command itself goes on.
    """
    wait, last, looks = _FIRST_WAIT, None, 0
    while True:
        looks += 1
        try:
            # Right after it was sent, not every part of the service knows the command yet.
            now = _look(session, command_id, patient=just_sent and looks <= _PATIENT_LOOKS)
        except (BotoCoreError, ClientError) as error:
            message = f"{in_words(error)}; the command goes on, and is followed again by: patchops watch {command_id}"
            raise OperationError(message) from None
        if now is not None and _shape(now) != last:
            on_change(now)
            last = _shape(now)
        if now is not None and now.done and (len(now.nodes) >= now.targets or looks >= _PATIENT_LOOKS):
            return now
        sleep(wait)
        wait = min(wait * 1.2, _LONGEST_WAIT)


def with_output(session: Session, ended: Progress) -> Progress:
    """Return a command with the end of the output of every step that ran."""

    def read(node: NodeProgress) -> NodeProgress:
        return replace(node, steps=tuple(_with_output(session, ended, node, step) for step in node.steps))

    return replace(ended, nodes=tuple(session.each(read, ended.nodes)))


def _nodes(session: Session, command_id: str) -> Iterator[NodeProgress]:
    pages = session.ssm.get_paginator("list_command_invocations").paginate(
        CommandId=command_id, Details=True, PaginationConfig={"PageSize": _INVOCATIONS_PAGE}
    )
    for page in pages:
        for one in page["CommandInvocations"]:
            yield NodeProgress(
                node_id=one["InstanceId"],
                name=one.get("InstanceName", ""),
                status=one.get("Status", ""),
                details=one.get("StatusDetails", ""),
                steps=tuple(_step(plugin) for plugin in one.get("CommandPlugins", [])),
                meaning=exit_codes.details_meaning(one.get("StatusDetails", "")),
            )


def _look(session: Session, command_id: str, *, patient: bool) -> Progress | None:
    """Look how far a command is; of one on very many nodes, look at the nodes only once it has ended."""
    try:
        state = progress(session, command_id, whole=False)
        if state.targets > _MANY and not state.done:
            return state
        return replace(state, nodes=tuple(_nodes(session, command_id)))
    except OperationError:
        if not patient:
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
        meaning=exit_codes.meaning(plugin["Name"], plugin.get("ResponseCode", -1), plugin.get("Status", "")),
    )


def _with_output(session: Session, command: Progress, node: NodeProgress, step: StepProgress) -> StepProgress:
    if step.skipped or not step.output:
        return step
    whole = session.ssm.get_command_invocation(
        CommandId=command.command_id, InstanceId=node.node_id, PluginName=step.name
    )
    text = whole.get("StandardOutputContent", "") + whole.get("StandardErrorContent", "")
    return replace(step, output=text[-SHOWN_OUTPUT:])
