"""The whole output of a command on a node: from the bucket, as Systems Manager itself keeps only the beginning.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/rc-console.html and
https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetCommandInvocation.html.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from ops import progress
from ops.errors import OperationError, in_words
from ops.permissions import Need, On
from ops.session import Session

NEEDS = (
    *progress.NEEDS,
    Need(On.BUCKET, "s3:ListBucket"),
    Need(On.OBJECTS, "s3:GetObject"),
    Need(On.KEY, "kms:Decrypt"),
)

SHOWN_BY_SERVICE = {"stdout": 24_000, "stderr": 8_000}
"""Characters that GetCommandInvocation gives of each stream at most."""
_FIELDS = {"stdout": "StandardOutputContent", "stderr": "StandardErrorContent"}
_FINAL = progress.FINAL
_WAIT = 2.0


@dataclass(frozen=True)
class StepOutput:
    """What one step wrote to one stream.

    Attributes:
        step: the step's name.
        stream: stdout or stderr.
        source: where it is from: an address in S3, or `Systems Manager`.
        whole: whether it is all of it.
        text: what was written.
    """

    step: str
    stream: str
    source: str
    whole: bool
    text: str


@dataclass(frozen=True)
class NodeLogs:
    """What a command wrote on a node.

    Attributes:
        command_id: the command.
        node_id: the node.
        status: how far it is there.
        outputs: what each step wrote; steps that were passed over wrote nothing.
        problems: what could not be read, in words.
    """

    command_id: str
    node_id: str
    status: str
    outputs: tuple[StepOutput, ...]
    problems: tuple[str, ...]


def read(session: Session, command_id: str, node_id: str, step: str = "") -> NodeLogs:
    """Read what a command wrote on a node.

    Args:
        session: the connection.
        command_id: the command.
        node_id: the node.
        step: only this step; all of them by default.

    Raises:
        OperationError: there is no such command, it does not run on this node, or has no such step.
    """
    invocation = _invocation(session, command_id, node_id)
    plugins = invocation.get("CommandPlugins", [])
    names = [one["Name"] for one in plugins]
    if step and step not in names:
        message = f"the command {command_id} has no step {step!r} on {node_id}; it has {', '.join(names) or 'none yet'}"
        raise OperationError(message)
    problems: list[str] = []
    outputs: list[StepOutput] = []
    for plugin in plugins:
        if step in ("", plugin["Name"]) and plugin.get("Status") not in ("Pending", None):
            outputs += _of_step(session, command_id, node_id, plugin, problems)
    return NodeLogs(command_id, node_id, invocation.get("StatusDetails", ""), tuple(outputs), tuple(problems))


def follow(
    session: Session,
    command_id: str,
    node_id: str,
    step: str = "",
    *,
    tell: Callable[[StepOutput], None],
    sleep: Callable[[float], None] = time.sleep,
) -> NodeLogs:
    """Follow what a command writes on a node to its end; each step is told as it ends.

    Args:
        session: the connection.
        command_id: the command.
        node_id: the node.
        step: only this step; all of them by default.
        tell: told what came new.
        sleep: waits so many seconds between two looks.

    Raises:
        OperationError: there is no such command, it does not run on this node, or has no such step.
    """
    told: set[tuple[str, str]] = set()
    while True:
        invocation = _invocation(session, command_id, node_id)
        ended = invocation.get("Status") in _FINAL
        done = {one["Name"] for one in invocation.get("CommandPlugins", []) if one.get("Status") in _FINAL}
        if done - {name for name, _ in told} or ended:
            state = read(session, command_id, node_id, step)
            for output in state.outputs:
                if output.step in done and (output.step, output.stream) not in told:
                    told.add((output.step, output.stream))
                    tell(output)
            if ended:
                return state
        sleep(_WAIT)


def _invocation(session: Session, command_id: str, node_id: str) -> Any:  # noqa: ANN401 botocore's own structure
    progress.find_command(session, command_id)
    pages = session.ssm.get_paginator("list_command_invocations").paginate(
        CommandId=command_id, InstanceId=node_id, Details=True
    )
    for page in pages:
        for one in page["CommandInvocations"]:
            return one
    message = (
        f"the command {command_id} was not sent to {node_id}; `patchops run show {command_id}` says to which it was"
    )
    raise OperationError(message)


def _of_step(
    session: Session,
    command_id: str,
    node_id: str,
    plugin: Any,  # noqa: ANN401 botocore's own structure
    problems: list[str],
) -> Iterator[StepOutput]:
    """Yield the streams of a step: from the bucket where they are there, otherwise what the service keeps."""
    name = plugin["Name"]
    bucket, prefix = plugin.get("OutputS3BucketName", ""), plugin.get("OutputS3KeyPrefix", "")
    keys: dict[str, str] = {}
    if bucket:
        try:
            keys = _keys(session, bucket, prefix, name)
        except (BotoCoreError, ClientError) as error:
            problems.append(f"output of {name} in the bucket {bucket}: {in_words(error)}")
    details: Any = None
    for stream, field in _FIELDS.items():
        if stream in keys:
            try:
                body = session.s3.get_object(Bucket=bucket, Key=keys[stream])["Body"].read()
                yield StepOutput(name, stream, f"s3://{bucket}/{keys[stream]}", True, body.decode(errors="replace"))  # noqa: FBT003
                continue
            except (BotoCoreError, ClientError) as error:
                problems.append(f"s3://{bucket}/{keys[stream]}: {in_words(error)}")
        if details is None:
            details = session.ssm.get_command_invocation(CommandId=command_id, InstanceId=node_id, PluginName=name)
        text = details.get(field, "")
        if text and not text.startswith("Step execution skipped"):
            whole = len(text) < SHOWN_BY_SERVICE[stream]
            if not whole:
                problems.append(f"{stream} of {name}: Systems Manager keeps its first {len(text)} characters only")
            yield StepOutput(name, stream, "Systems Manager", whole, text)


def _keys(session: Session, bucket: str, prefix: str, step: str) -> dict[str, str]:
    """Return the keys of a step's streams. Its folder is called like it, with its number in front or without."""
    found = {}
    for page in session.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{prefix}/"):
        for one in page.get("Contents", []):
            *_, folder, stream = one["Key"].split("/")
            if stream in _FIELDS and folder in (step, folder.partition(".")[0] + "." + step):
                found[stream] = one["Key"]
    return found
