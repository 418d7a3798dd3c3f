"""The figures of a rehearsal, from what was noted while its days went by."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from patching.baseline import Patch
from review.rehearsal.course import Course, Noted, failed
from review.rehearsal.model import ComplianceDay, Exposure, HourOfReboots, Kind, Rehearsal

_DAY = timedelta(days=1)
_LONGEST_WAIT = 45
"""Days that a patch is given to be installed, if the rehearsal is long enough: a month, and two weeks of delay."""
_SEVERITIES = ("Critical", "Important", "Moderate", "Medium", "Required", "Standard", "Low", "Optional", "None", "")
_WITHOUT_NOTICE = "no notice"
_OPEN = math.inf


def counted_days(days: int) -> int:
    """Return in how many first days a patch has to come out to be counted."""
    return max(1, days - min(_LONGEST_WAIT, days // 2))


def figures(course: Course) -> Rehearsal:
    """Return the figures of a rehearsal that was run."""
    noted = course.noted
    without = {node.id for node, _ in course.nodes if node.id not in noted.had_window}
    most_rebooting, at = _most([(up - took, up) for up, took in noted.reboots])
    hours = Counter(up.replace(minute=0, second=0, microsecond=0) for up, _ in noted.reboots)
    return Rehearsal(
        name=course.plan.name,
        compliance=tuple(
            ComplianceDay(day=day, compliant=yes, not_compliant=no, unknown=unknown)
            for day, yes, no, unknown in noted.compliant
        ),
        exposure=tuple(_exposure(course)),
        reboots=tuple(HourOfReboots(at=at, reboots=count) for at, count in sorted(hours.items())),
        most_rebooting=most_rebooting,
        most_rebooting_at=at,
        most_patching=_most(noted.patched)[0],
        installations=sum(noted.outcomes.values()),
        failed=failed(noted.outcomes),
        not_started=_not_started(noted),
        without_window=len(without),
        windows=dict(sorted(noted.windows_ended.items())),
        kinds=tuple(_kinds(course, without)),
        left_out=course.plan.left_out,
    )


def _not_started(noted: Noted) -> int:
    return sum(count for outcome, count in noted.outcomes.items() if outcome not in _BEGUN)


_BEGUN = ("Success", "Failed", "ExecutionTimedOut")


def _kinds(course: Course, without: set[str]) -> Iterable[Kind]:
    counts = Counter(shape for _, shape in course.nodes)
    left = Counter(shape for node, shape in course.nodes if node.id in without)
    for shape in dict.fromkeys(course.shapes):
        yield Kind(
            system=str(shape.system),
            tags=dict(shape.tags),
            window=shape.window,
            nodes=counts[shape],
            without_window=left[shape],
        )


def _most(stretches: Iterable[tuple[datetime, datetime]]) -> tuple[int, datetime | None]:
    """Return how many stretches of time lie over each other at most, and when first."""
    edges = sorted(edge for begin, end in stretches for edge in ((begin, 1), (end, -1)))
    now = most = 0
    at = None
    for moment, step in edges:
        now += step
        if now > most:
            most, at = now, moment
    return most, at


def _exposure(course: Course) -> Iterable[Exposure]:
    """Yield the exposure by severity. A patch that a later one took the place of is over when that is installed."""
    setting = course.setting
    until = setting.begin + counted_days(setting.days) * _DAY
    waits: dict[str, list[float]] = {}
    patches: dict[str, set[tuple[str, int, int]]] = {}
    for node, _ in course.nodes:
        got = course.noted.installed.get(node.id, ())
        for number, package in enumerate(node.catalogue.packages):
            for index, release in enumerate(package.releases):
                if setting.begin <= release.released < until:
                    at = [moment for moment, key, which in got if key == package.key and which >= index]
                    wait = (min(at) - release.released) / _DAY if at else _OPEN
                    severity = _named(release)
                    waits.setdefault(severity, []).append(wait)
                    patches.setdefault(severity, set()).add((str(node.catalogue.system), number, index))
    for severity in sorted(waits, key=_rank):
        values = sorted(waits[severity])
        yield Exposure(
            severity=severity,
            patches=len(patches[severity]),
            pairs=len(values),
            median=_percentile(values, 0.5),
            p95=_percentile(values, 0.95),
            still_open=sum(value == _OPEN for value in values),
        )


def _named(release: Patch) -> str:
    """Return a patch's severity; of what has none, its classification."""
    named = release.classification if release.severity in ("", "None") else release.severity
    return named or _WITHOUT_NOTICE


def _rank(severity: str) -> tuple[int, str]:
    return (_SEVERITIES.index(severity) if severity in _SEVERITIES else len(_SEVERITIES)), severity


def _percentile(values: Sequence[float], share: float) -> float | None:
    """Return the smallest value that so many are not above; None if that is one that is still open."""
    found = values[max(0, math.ceil(share * len(values)) - 1)]
    return None if found == _OPEN else round(found, 2)
