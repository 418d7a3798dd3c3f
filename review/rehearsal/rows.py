"""The figures of rehearsals as rows, for tables on a page and in a terminal."""

from __future__ import annotations

from review.rehearsal.model import Rehearsals

Rows = list[tuple[str, list[str]]]


def figure_rows(found: Rehearsals) -> Rows:
    """Return a row for each figure, with a value for each plan."""
    plans = found.plans
    return [
        ("Compliant nodes, mean of all days", [f"{one.mean_compliance:.1%}" for one in plans]),
        ("Compliant nodes, last day", [f"{one.last_compliance:.1%}" for one in plans]),
        ("Installations on nodes", [f"{one.installations:,}" for one in plans]),
        ("Installations that failed", [f"{one.failed:,}" for one in plans]),
        ("Installations that did not begin", [f"{one.not_started:,}" for one in plans]),
        ("Most nodes patched at one time", [f"{one.most_patching:,}" for one in plans]),
        ("Most nodes rebooting at one time", [f"{one.most_rebooting:,}" for one in plans]),
        (
            "When that was first",
            [f"{one.most_rebooting_at:%Y-%m-%d %H:%M} UTC" if one.most_rebooting_at else "never" for one in plans],
        ),
        ("Reboots", [f"{sum(hour.reboots for hour in one.reboots):,}" for one in plans]),
        ("Nodes that never got a window", [f"{one.without_window:,}" for one in plans]),
        (
            "How windows ended",
            [", ".join(f"{count} {status}" for status, count in one.windows.items()) or "none opened" for one in plans],
        ),
    ]


def exposure_rows(found: Rehearsals) -> Rows:
    """Return a row for each severity: the median, the 95th percentile and what was never installed, for each plan."""
    severities = dict.fromkeys(one.severity for plan in found.plans for one in plan.exposure)
    rows = []
    for severity in severities:
        cells = []
        for plan in found.plans:
            one = next((entry for entry in plan.exposure if entry.severity == severity), None)
            cells += (
                ["", "", ""] if one is None else [_days(one.median), _days(one.p95), _share(one.still_open, one.pairs)]
            )
        rows.append((severity, cells))
    return rows


def _days(value: float | None) -> str:
    return "beyond the end" if value is None else f"{value:.1f}"


def _share(part: int, whole: int) -> str:
    return f"{part / max(1, whole):.0%}"
