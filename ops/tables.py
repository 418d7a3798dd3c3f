"""The tables in which the results of operations are shown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC
from zoneinfo import ZoneInfo

from ops.compliance import NodeReport, Review
from ops.documents import DocumentDetails, DocumentSummary
from ops.nodes import Node
from ops.run import Progress
from ops.schedules import Scheduled, Window
from ops.table import Table, moment, table
from patching.compliance import NodeCompliance, PatchState
from patching.deployment import ENVIRONMENT_TAG, PATCH_GROUP_TAG, WORKLOAD_TAG

_MAX_CVES = 3


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


def nodes(found: Iterable[Node]) -> Table:
    """Show managed nodes."""
    shown = (WORKLOAD_TAG, ENVIRONMENT_TAG, PATCH_GROUP_TAG)
    return table(
        "Managed nodes",
        ("Node", "Name", "Ping", "Platform", "Agent", *shown),
        (
            (one.id, one.name, one.ping, one.platform, one.agent_version, *(one.tags.get(key, "") for key in shown))
            for one in found
        ),
    )


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


def compliance(review: Review, *, patches: bool = True) -> list[Table]:
    """Show the compliance of nodes: by severity, node by node, and what each lacks."""
    shown = [severities(review), node_compliance(review)]
    if patches:
        shown += [open_patches(report) for report in review.nodes if report.open_patches]
    return shown


def severities(review: Review) -> Table:
    """Show how many patches of each severity are open, on how many nodes."""
    total = len(review.nodes)
    title = (
        f"{review.count(NodeCompliance.COMPLIANT)} of {total} nodes compliant, "
        f"{review.count(NodeCompliance.NON_COMPLIANT)} not, {review.count(NodeCompliance.UNKNOWN)} unknown"
    )
    return table(
        title,
        ("Severity", "Open patches", "Nodes"),
        ((one.severity or "(none)", one.patches, one.nodes) for one in review.by_severity()),
    )


_SHOWN_STATES = (
    PatchState.MISSING,
    PatchState.FAILED,
    PatchState.INSTALLED_PENDING_REBOOT,
    PatchState.INSTALLED_REJECTED,
    PatchState.INSTALLED,
    PatchState.INSTALLED_OTHER,
)
_SHORT = ("Missing", "Failed", "Pending reboot", "Rejected", "Installed", "Other")


def node_compliance(review: Review) -> Table:
    """Show each node: compliant or not, the counts, when it was scanned, against which baseline."""
    return table(
        "",
        ("Node", "Compliance", "Highest", *_SHORT, "Last operation", "Baseline"),
        (
            (
                one.node.name or one.node.id,
                one.compliance,
                one.severity,
                *(one.counts.get(state, "") for state in _SHOWN_STATES),
                f"{one.operation} {moment(one.at.astimezone(UTC))}" if one.at else "never",
                one.baseline_name or one.baseline_id,
            )
            for one in review.nodes
        ),
    )


def open_patches(report: NodeReport) -> Table:
    """Show the patches that keep a node from being compliant."""
    return table(
        f"{report.node.name or report.node.id}: {len(report.open_patches)} open patches",
        ("Patch", "Classification", "Severity", "State", "CVEs"),
        (
            (
                patch.title,
                patch.classification,
                patch.severity,
                patch.state,
                [
                    *patch.cves[:_MAX_CVES],
                    *([f"+{len(patch.cves) - _MAX_CVES}"] if len(patch.cves) > _MAX_CVES else []),
                ],
            )
            for patch in report.open_patches
        ),
    )


def before_and_after(before: Review, after: Review) -> Table:
    """Show two reviews of the same nodes side by side."""
    later = {report.node.id: report for report in after.nodes}
    return table(
        "Before and after",
        ("Node", "Before", "After", "Missing before", "Missing after", "Installed before", "Installed after"),
        (
            (
                one.node.name or one.node.id,
                one.compliance,
                later[one.node.id].compliance,
                one.counts.get(PatchState.MISSING, ""),
                later[one.node.id].counts.get(PatchState.MISSING, ""),
                one.counts.get(PatchState.INSTALLED, ""),
                later[one.node.id].counts.get(PatchState.INSTALLED, ""),
            )
            for one in before.nodes
            if one.node.id in later
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
