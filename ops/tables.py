"""The tables in which the results of operations are shown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC
from zoneinfo import ZoneInfo

from ops.documents import DocumentDetails, DocumentSummary
from ops.nodes import Node
from ops.run import Progress
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


def progress(state: Progress) -> Table:
    """Show how far a command is."""
    return table(
        f"Command {state.command_id}: {state.details}, {state.completed} of {state.targets} done, "
        f"{state.errors} errors",
        ("Node", "Name", "Status", "Steps"),
        (
            (
                one.node_id,
                one.name,
                one.details,
                [f"{step.name} {'skipped' if step.skipped else step.status}" for step in one.steps],
            )
            for one in state.nodes
        ),
    )


def steps(state: Progress) -> list[Table]:
    """Show what the steps of a command did on each node, why one was skipped, and the end of the others' output."""
    overview = table(
        "Steps",
        ("Node", "Step", "Status", "Code", "Skipped because"),
        (
            (
                node.name or node.node_id,
                step.name,
                "Skipped" if step.skipped else step.status,
                step.code,
                step.output.strip() if step.skipped else "",
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
