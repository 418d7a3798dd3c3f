"""The tables in which the results of operations are shown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC
from zoneinfo import ZoneInfo

from ops.documents import DocumentDetails, DocumentSummary
from ops.history import Run
from ops.nodes import Node
from ops.progress import Progress
from ops.schedules import Scheduled, Window
from ops.table import Table, table
from patching.deployment import ENVIRONMENT_TAG, PATCH_GROUP_TAG, WORKLOAD_TAG


def documents(found: Iterable[DocumentSummary]) -> Table:
    """Show a list of documents."""
    return table(
        "Documents",
        ("Name", "Owner", "Type", "Version", "Platforms"),
        ((one.name, one.owner, one.kind, one.version, one.platforms) for one in found),
    )


def document(details: DocumentDetails) -> list[Table]:
    """Show what a document is, takes and does."""
    about = table(
        details.name,
        ("", " "),
        (
            ("Description", details.description),
            ("Owner", details.owner),
            ("Who may use it", details.shared_with),
            ("Platforms", details.platforms),
            ("Type", f"{details.kind}, schema {details.schema_version}"),
            ("Default version", details.default_version),
        ),
    )
    parameters = table(
        "Parameters",
        ("Name", "Type", "Default", "Allowed", "Description"),
        (
            (
                one.name,
                one.kind,
                "(required)" if one.default is None else one.default or '""',
                one.allowed or one.pattern,
                one.description,
            )
            for one in details.parameters
        ),
    )
    steps = table(
        "Steps", ("Step", "Plugin", "Runs if"), ((one.name, one.action, one.condition) for one in details.steps)
    )
    return [about, parameters, steps]


_SHOWN_TAGS = (WORKLOAD_TAG, ENVIRONMENT_TAG, PATCH_GROUP_TAG)
NODE_COLUMNS = ("Node", "Name", "Ping", "Platform", "Agent", *_SHOWN_TAGS)


def node_row(one: Node) -> tuple[str, ...]:
    """Return a node as a row of `NODE_COLUMNS`."""
    tags = (one.tags.get(key, "") for key in _SHOWN_TAGS)
    return (one.id, one.name, one.ping, one.platform, one.agent_version, *tags)


def nodes(found: Iterable[Node]) -> Table:
    """Show managed nodes."""
    return table("Managed nodes", NODE_COLUMNS, map(node_row, found))


def progress(state: Progress, most: int | None = None) -> Table:
    """Show how far a command is; of very many nodes, those first on which something is going on or went wrong."""
    nodes = state.nodes
    if most is not None and len(nodes) > most:
        order = {"InProgress": 0, "Failed": 1, "TimedOut": 1, "Cancelled": 1, "Success": 3}
        nodes = tuple(sorted(nodes, key=lambda one: order.get(one.status, 2)))[:most]
    return table(
        f"Command {state.command_id}: {state.details}, {state.completed} of {state.targets} done, "
        f"{state.errors} errors",
        ("Node", "Name", "Status", "Steps", "Meaning"),
        (
            (
                one.node_id,
                one.name,
                one.details,
                [f"{step.name} {'skipped' if step.skipped else step.status}" for step in one.steps],
                one.meaning,
            )
            for one in nodes
        ),
    )


def steps(state: Progress) -> list[Table]:
    """Show what the steps of a command did on each node, why one was skipped, and the end of the others' output."""
    overview = table(
        "Steps",
        ("Node", "Step", "Status", "Code", "Meaning, or skipped because"),
        (
            (
                node.name or node.node_id,
                step.name,
                "Skipped" if step.skipped else step.status,
                step.code,
                step.output.strip() if step.skipped else step.meaning,
            )
            for node in state.nodes
            for step in node.steps
        ),
    )
    outputs = [
        table(
            f"{node.name or node.node_id}: output of {step.name}", ("",), ((line,) for line in step.output.splitlines())
        )
        for node in state.nodes
        for step in node.steps
        if step.output and not step.skipped
    ]
    return [overview, *outputs]


def runs(found: Iterable[Run]) -> Table:
    """Show the commands that were sent."""
    return table(
        "Commands",
        ("Command", "Sent (UTC)", "What", "Status", "Done", "Errors", "Targets", "Comment"),
        (
            (
                one.command_id,
                one.requested.astimezone(UTC) if one.requested else "",
                f"{one.document} {one.operation}".strip(),
                one.status,
                f"{one.completed}/{one.nodes}",
                one.errors,
                one.targets,
                one.comment,
            )
            for one in found
        ),
    )


def run(one: Run) -> Table:
    """Show one command."""
    return table(
        f"Command {one.command_id}",
        ("", " "),
        (
            ("What", f"{one.document} {one.operation}".strip()),
            ("Sent", one.requested.astimezone(UTC) if one.requested else ""),
            ("Targets", one.targets),
            ("Comment", one.comment),
            ("Output", f"s3://{one.bucket}" if one.bucket else "nowhere"),
        ),
    )


def schedules(found: Scheduled) -> list[Table]:
    """Show what is scheduled, with the next runs in the window's zone and in UTC, and how windows ran."""
    associations = table(
        "Associations" if found.associations else "No associations that patch",
        ("Association", "Schedule (UTC)", "Operation", "Targets", "Last run (UTC)", "Status"),
        (
            (
                one.name,
                one.schedule.expression if one.schedule else "(none)",
                one.operation,
                one.targets.in_words(),
                one.last_run.astimezone(UTC) if one.last_run else "never",
                one.status,
            )
            for one in found.associations
        ),
    )
    windows = table(
        "Maintenance windows" if found.windows else "No maintenance windows",
        ("Window", "Schedule", "Time zone", "Hours", "Cutoff", "Targets", "Task"),
        (
            (
                one.name if one.enabled else f"{one.name} (disabled)",
                one.schedule.expression,
                one.schedule.timezone,
                one.duration_hours,
                one.cutoff_hours,
                "; ".join(targets.in_words() for targets in one.targets),
                one.tasks,
            )
            for one in found.windows
        ),
    )
    runs = sorted(
        [
            *((run, one.name, "UTC") for one in found.associations for run in one.next_runs),
            *((run, one.name, one.schedule.timezone) for one in found.windows for run in one.next_runs),
        ]
    )
    upcoming = table(
        "Next runs" if runs else "No runs to come",
        ("What", "Time zone", "There", "UTC"),
        ((name, zone, run.astimezone(ZoneInfo(zone)), run.astimezone(UTC)) for run, name, zone in runs),
    )
    return [associations, windows, upcoming, executions(found.windows)]


def executions(windows: Sequence[Window]) -> Table:
    """Show how windows ran."""
    return table(
        "Executions" if any(window.executions for window in windows) else "No window has opened yet",
        ("Window", "Status", "Started (UTC)", "Ended (UTC)", "Commands"),
        (
            (
                window.name,
                one.status,
                one.started.astimezone(UTC),
                one.ended.astimezone(UTC) if one.ended else None,
                one.commands,
            )
            for window in windows
            for one in window.executions
        ),
    )
