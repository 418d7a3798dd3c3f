"""The tables in which patch compliance is shown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC
from itertools import repeat

from ops.compliance import NodeReport, Review
from ops.compliance_summary import Counting, GroupCount, Summary, summarize
from ops.table import Table, moment, table
from patching.compliance import PatchState

_MAX_CVES = 3
_MOST_PATCHES = 20
_STATES = {
    PatchState.MISSING: "Missing",
    PatchState.FAILED: "Failed",
    PatchState.INSTALLED_PENDING_REBOOT: "Pending reboot",
    PatchState.INSTALLED_REJECTED: "Rejected",
    PatchState.INSTALLED: "Installed",
    PatchState.INSTALLED_OTHER: "Other",
}

NODE_COLUMNS = ("Node", "Compliance", "Highest", *_STATES.values(), "Last operation", "Baseline")


def compliance(review: Review, *, patches: bool = True) -> list[Table]:
    """Show the compliance of nodes: by severity, node by node, and what each lacks."""
    shown = [severities(summarize(review)), node_compliance(review)]
    if patches:
        shown += [open_patches(report) for report in review.nodes if report.open_patches]
    return shown


def summary(found: Summary, *, everything: bool) -> Iterator[Table]:
    """Show what nodes add up to: always by severity; by group, baseline and patch if everything is asked for."""
    yield severities(found)
    if everything:
        yield groups("Patch group", found.groups)
        yield groups("Baseline", found.baselines)
        if found.patches:
            yield patches(found, _MOST_PATCHES)


def totals(found: Summary) -> str:
    """Say in one line how many nodes are compliant."""
    stale = f", {found.stale} stale" if found.stale else ""
    return (
        f"{found.compliant} of {found.nodes} nodes compliant, {found.non_compliant} not, {found.unknown} unknown{stale}"
    )


def severities(found: Summary) -> Table:
    """Show how many patches of each severity are open, on how many nodes."""
    return table(
        totals(found),
        ("Severity", "Open patches", "Nodes"),
        ((one.severity or "(none)", one.patches, one.nodes) for one in found.severities),
    )


def groups(what: str, found: Sequence[GroupCount]) -> Table:
    """Show the nodes of each patch group, or of each baseline."""
    return table(
        f"By {what.lower()}",
        (what, "Compliant", "Not compliant", "Unknown", "Open patches", "Oldest report"),
        (
            (
                one.name or "(none)",
                one.compliant,
                one.non_compliant,
                one.unknown,
                one.open_patches,
                one.oldest.astimezone(UTC) if one.oldest else "never",
            )
            for one in found
        ),
    )


def patches(found: Summary, most: int | None) -> Table:
    """Show the patches that are open on most nodes."""
    shown = found.patches[:most]
    left_out = len(found.patches) - len(shown)
    return table(
        f"{len(found.patches)} open patches" + (f", the {len(shown)} on most nodes" if left_out else ""),
        ("Patch", "Nodes", "Classification", "Severity", "State", "CVEs"),
        (
            (
                one.patch.title,
                one.nodes,
                one.patch.classification,
                one.patch.severity,
                one.patch.state,
                shown_cves(one.patch.cves),
            )
            for one in shown
        ),
    )


def node_row(one: NodeReport, counting: Counting | None = None) -> tuple[object, ...]:
    """Return a node as a row of `NODE_COLUMNS`."""
    stale = " (stale)" if counting and counting.is_stale(one) else ""
    return (
        one.node.name or one.node.id,
        f"{one.compliance} ({one.why_unknown})" if one.why_unknown else one.compliance,
        one.severity or _kind(one),
        *map(one.counts.get, _STATES, repeat("")),
        f"{one.operation} {moment(one.at.astimezone(UTC))}{stale}" if one.at else f"never{stale}",
        one.baseline_name or one.baseline_id,
    )


def node_compliance(review: Review) -> Table:
    """Show each node: compliant or not, the counts, when it was scanned, against which baseline."""
    return table("", NODE_COLUMNS, (node_row(one) for one in review.nodes))


def open_patches(report: NodeReport) -> Table:
    """Show the patches that keep a node from being compliant."""
    return table(
        f"{report.node.name or report.node.id}: {len(report.open_patches)} open patches",
        ("Patch", "Classification", "Severity", "State", "CVEs"),
        (
            (patch.title, patch.classification, patch.severity, patch.state, shown_cves(patch.cves))
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


def _kind(one: NodeReport) -> str:
    """Say which of the service's kinds the most serious open patch is of, where the patches were not read."""
    return "critical" if one.critical else "security" if one.security else "other" if one.other else ""


def shown_cves(found: Sequence[str]) -> list[str]:
    """Return the first vulnerabilities, and how many there are besides."""
    left_out = len(found) - _MAX_CVES
    return [*found[:_MAX_CVES], *([f"+{left_out}"] if left_out > 0 else [])]
