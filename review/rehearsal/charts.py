"""Where everything in the charts of a rehearsal is drawn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from review.rehearsal.model import Rehearsal, Rehearsals

WIDTH, HEIGHT = 1080, 240
_LEFT, _RIGHT, _TOP, _BOTTOM = 48, 12, 12, 26
_ROW, _BAND = 34, 13
_NAMES = 150


@dataclass(frozen=True)
class Mark:
    """A line of the grid with its label."""

    at: float
    label: str


@dataclass(frozen=True)
class Line:
    """The compliance of one plan."""

    name: str
    points: str
    other: bool


@dataclass(frozen=True)
class Bar:
    """A bar, with what it says."""

    x: float
    y: float
    width: float
    height: float
    text: str
    other: bool
    open_end: bool = False


@dataclass(frozen=True)
class Chart:
    """A chart: its size, its grid, and what is on it."""

    width: float
    height: float
    horizontal: tuple[Mark, ...] = ()
    vertical: tuple[Mark, ...] = ()
    lines: tuple[Line, ...] = ()
    bars: tuple[Bar, ...] = ()
    dots: tuple[tuple[float, float, bool], ...] = ()


def compliance(found: Rehearsals) -> Chart:
    """Draw the share of compliant nodes by day."""
    plain, days = WIDTH - _LEFT - _RIGHT, max(1, found.days - 1)
    tall = HEIGHT - _TOP - _BOTTOM

    def y(share: float) -> float:
        return round(_TOP + (1 - share) * tall, 1)

    lines = []
    for number, plan in enumerate(found.plans):
        points = []
        for index, one in enumerate(plan.compliance):
            share = one.compliant / max(1, one.compliant + one.not_compliant + one.unknown)
            points.append(f"{_LEFT + index / days * plain:.1f},{y(share)}")
        lines.append(Line(plan.name, " ".join(points), number > 0))
    every = max(1, found.days // 10)
    vertical = tuple(
        Mark(round(_LEFT + index / days * plain, 1), f"{one.day:%m-%d}")
        for index, one in enumerate(found.plans[0].compliance)
        if index % every == 0
    )
    horizontal = tuple(Mark(y(share / 4), f"{share * 25}%") for share in range(5))
    return Chart(WIDTH, HEIGHT, horizontal, vertical, tuple(lines))


def exposure(found: Rehearsals) -> Chart:
    """Draw how many days patches are open: the median as a dot, up to the 95th percentile as a bar."""
    severities = list(dict.fromkeys(one.severity for plan in found.plans for one in plan.exposure))
    longest = max(
        (
            value
            for plan in found.plans
            for one in plan.exposure
            for value in (one.median, one.p95)
            if value is not None
        ),
        default=1.0,
    )
    scale = (WIDTH - _NAMES - _RIGHT - 30) / max(1.0, longest)
    row = _ROW if len(found.plans) > 1 else _ROW - 8
    bars, dots = [], []
    for number, plan in enumerate(found.plans):
        for one in plan.exposure:
            y = _TOP + severities.index(one.severity) * row + number * (_BAND + 2)
            end = longest if one.p95 is None else one.p95
            text = f"{plan.name}, {one.severity}: median {_days(one.median)}, 95th percentile {_days(one.p95)}"
            bars.append(Bar(_NAMES, y, round(max(2.0, end * scale), 1), _BAND, text, number > 0, one.p95 is None))
            if one.median is not None:
                dots.append((round(_NAMES + one.median * scale, 1), y + _BAND / 2, number > 0))
    tall = _TOP + len(severities) * row
    step = next((one for one in (1, 2, 5, 7, 14, 30) if longest / one <= 10), 60)  # noqa: PLR2004 lines in the grid
    vertical = tuple(Mark(round(_NAMES + days * scale, 1), f"{days} d") for days in range(0, int(longest) + 1, step))
    horizontal = tuple(Mark(_TOP + index * row + row / 2 - 3, name) for index, name in enumerate(severities))
    return Chart(WIDTH, tall + _BOTTOM, horizontal, vertical, bars=tuple(bars), dots=tuple(dots))


def reboots(found: Rehearsals) -> Chart:
    """Draw how many reboots there were in each hour of the day, over all days."""
    counts = [by_hour(plan) for plan in found.plans]
    most = max((count for one in counts for count in one), default=0) or 1
    wide, tall = (WIDTH - _LEFT - _RIGHT) / 24, HEIGHT - _TOP - _BOTTOM
    share = wide * 0.8 / len(counts)
    bars = [
        Bar(
            round(_LEFT + hour * wide + number * share + wide * 0.1, 1),
            round(_TOP + tall * (1 - count / most), 1),
            round(share - 1, 1),
            round(tall * count / most, 1),
            f"{found.plans[number].name}, {hour:02}:00 UTC: {count} reboots",
            number > 0,
        )
        for number, one in enumerate(counts)
        for hour, count in enumerate(one)
        if count
    ]
    vertical = tuple(Mark(round(_LEFT + (hour + 0.5) * wide, 1), f"{hour:02}") for hour in range(24))
    horizontal = tuple(Mark(round(_TOP + tall * (1 - part / 2), 1), f"{most * part / 2:,.0f}") for part in range(3))
    return Chart(WIDTH, HEIGHT, horizontal, vertical, bars=tuple(bars))


def by_hour(plan: Rehearsal) -> Sequence[int]:
    """Return how many reboots there were in each hour of the day (UTC)."""
    counts: Counter[int] = Counter()
    for one in plan.reboots:
        counts[one.at.hour] += one.reboots
    return [counts[hour] for hour in range(24)]


def _days(value: float | None) -> str:
    return "beyond the end" if value is None else f"{value:.1f} days"
