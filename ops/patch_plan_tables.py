"""The tables in which a plan is shown."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC

from ops.patch_plan import NodePlan, PlanSummary
from ops.table import Table, moment, table

COLUMNS = ("Node", "Ping", "Baseline", "Because", "To install", "Reboots", "Next window (UTC)", "Last report (UTC)")
_NOT_KNOWN = "not known"


def row(one: NodePlan) -> tuple[object, ...]:
    """Return a node as a row of `COLUMNS`."""
    window = f"{', '.join(one.windows)} {moment(one.next_window.astimezone(UTC)) if one.next_window else ''}".strip()
    return (
        one.node.name or one.node.id,
        one.ping if one.managed else f"not managed ({one.ping})",
        one.baseline,
        one.baseline_reason,
        _NOT_KNOWN if one.missing is None else one.missing,
        {True: "yes", False: "no", None: _NOT_KNOWN}[one.reboots],
        window or "none",
        one.scanned.astimezone(UTC) if one.scanned else "never",
    )


def patches(one: NodePlan) -> Table:
    """Show the patches that would be installed on a node."""
    return table(
        f"{one.node.name or one.node.id}: {len(one.patches)} patches to install",
        ("Patch", "Classification", "Severity"),
        ((patch.title, patch.classification, patch.severity) for patch in one.patches),
    )


def summary(found: PlanSummary) -> Table:
    """Show what an installation would do altogether."""
    return table(f"Plan for {found.nodes} nodes", ("", " "), _lines(found))


def in_words(found: PlanSummary) -> str:
    """Say in one line what an installation would do altogether."""
    unknown = f", and of {found.unknown} it is not known what they lack" if found.unknown else ""
    return (
        f"{found.patches} patches on {found.to_patch} of {found.nodes} nodes{unknown}; {found.reboots} reboots; "
        f"about {found.minutes:g} minutes"
    )


def _lines(found: PlanSummary) -> Iterator[tuple[str, object]]:
    yield "To install", f"{found.patches} patches on {found.to_patch} nodes"
    yield "Reboots", found.reboots
    yield "Pace", found.pace
    source = "the mean of their last installations" if found.measured else "assumed: none has reported an installation"
    yield "Takes", f"about {found.minutes:g} minutes: {found.rounds} rounds of {found.minutes_per_node:g} ({source})"
    if found.unknown:
        yield "Not known", f"what {found.unknown} nodes lack: scan them first"
    if found.offline:
        yield "Not online", found.offline
    if found.unmanaged:
        yield "Not managed", f"{found.unmanaged} instances; `patchops doctor` says why"
    if found.without_window:
        yield "In no window", found.without_window
    for name, nodes in found.windows.items():
        yield f"In {name}", nodes
