"""What was run before: the commands of the account, and one of them with what it did.

Follows https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ListCommands.html.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from ops import progress
from ops.permissions import Need, On
from ops.progress import Progress
from ops.sending import without_mark
from ops.session import Session
from patching.deployment import ENVIRONMENT_TAG

NEEDS = (Need(On.ANYTHING, "ssm:ListCommands"),)
SHOW_NEEDS = progress.NEEDS


@dataclass(frozen=True)
class Run:
    """A command that was sent.

    Attributes:
        command_id: the command.
        document: the document that it runs.
        operation: Scan or Install; empty if the document has no operations.
        status: how far it is, more exactly.
        requested: when it was sent.
        targets: which nodes, as they were asked for.
        nodes: on how many nodes it runs.
        completed: on how many it has ended.
        errors: on how many it failed.
        comment: what its sender said of it.
        bucket: where its output is; empty if nowhere.
    """

    command_id: str
    document: str
    operation: str
    status: str
    requested: datetime | None
    targets: str
    nodes: int
    completed: int
    errors: int
    comment: str
    bucket: str


@dataclass(frozen=True)
class RunDetails:
    """A command, and what it did on each node.

    Attributes:
        run: the command.
        progress: how far it is on each node and in each step.
    """

    run: Run
    progress: Progress


def runs(
    session: Session,
    *,
    environment: str | None = None,
    bucket: str = "",
    since: datetime | None = None,
    document: str = "",
    most: int = 20,
) -> list[Run]:
    """Return the commands that were sent last, the newest first.

    Args:
        session: the connection.
        environment: only those to nodes of this environment; all by default.
        bucket: the environment's bucket, by which commands to nodes by their ids are told.
        since: only those sent since then.
        document: only those that run this document.
        most: no more than this.
    """
    filters = [{"key": "InvokedAfter", "value": since.strftime("%Y-%m-%dT%H:%M:%SZ")}] if since else []
    if document:
        filters.append({"key": "DocumentName", "value": document})
    request: dict[str, Any] = {"Filters": filters} if filters else {}
    return list(islice(_of(session, request, environment, bucket), most))


def show(session: Session, command_id: str) -> RunDetails:
    """Return a command and what it did.

    Raises:
        OperationError: there is no such command.
    """
    command = progress.find_command(session, command_id)
    state = progress.progress(session, command_id)
    return RunDetails(_run(command), progress.with_output(session, state))


def _of(session: Session, request: dict[str, Any], environment: str | None, bucket: str) -> Iterator[Run]:
    pages = session.ssm.get_paginator("list_commands").paginate(**request, PaginationConfig={"PageSize": 50})
    for page in pages:
        for command in page["Commands"]:
            if environment is None or _concerns(command, environment, bucket):
                yield _run(command)


def _concerns(command: Any, environment: str, bucket: str) -> bool:  # noqa: ANN401 botocore's own structure
    by_tag = {"Key": f"tag:{ENVIRONMENT_TAG}", "Values": [environment]}
    return by_tag in command.get("Targets", []) or bool(bucket and command.get("OutputS3BucketName") == bucket)


def _run(command: Any) -> Run:  # noqa: ANN401 botocore's own structure
    targets = [f"{one['Key'].removeprefix('tag:')}={','.join(one['Values'])}" for one in command.get("Targets", [])]
    return Run(
        command_id=command["CommandId"],
        document=command.get("DocumentName", ""),
        operation=next(iter(command.get("Parameters", {}).get("Operation", ())), ""),
        status=command.get("StatusDetails", "") or command.get("Status", ""),
        requested=command.get("RequestedDateTime"),
        targets=" and ".join(targets) or ", ".join(command.get("InstanceIds", [])),
        nodes=command.get("TargetCount", 0),
        completed=command.get("CompletedCount", 0),
        errors=command.get("ErrorCount", 0),
        comment=without_mark(command.get("Comment", "")),
        bucket=command.get("OutputS3BucketName", ""),
    )
