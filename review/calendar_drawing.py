"""Where everything in the calendar is drawn."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from review.model import Calendar, ClockChange, Lane, Opening

LABELS, DAY, LANE, HEAD = 200, 30, 40, 46
_SLIMMEST = 4.0


@dataclass(frozen=True)
class Bar:
    """An opening in the calendar."""

    x: float
    width: float
    opening: Opening


@dataclass(frozen=True)
class Row:
    """A lane in the calendar."""

    y: float
    lane: Lane
    bars: tuple[Bar, ...]
    clocks: tuple[tuple[float, ClockChange], ...]


@dataclass(frozen=True)
class Day:
    """A day in the calendar's head."""

    x: float
    weekday: str
    number: str
    month: str
    is_weekend: bool


@dataclass(frozen=True)
class CalendarDrawing:
    """The calendar, drawn."""

    width: float
    height: float
    days: tuple[Day, ...]
    rows: tuple[Row, ...]


def draw_calendar(calendar: Calendar) -> CalendarDrawing:
    """Return where everything in the calendar is; its time is UTC."""
    begin = datetime.combine(calendar.first, time(), UTC)
    width = LABELS + calendar.days * DAY

    def x(moment: datetime) -> float:
        return round(LABELS + (moment - begin) / timedelta(days=1) * DAY, 2)

    def bar(opening: Opening) -> Bar:
        left = max(float(LABELS), x(opening.begin))
        return Bar(left, round(max(_SLIMMEST, min(float(width), x(opening.end)) - left), 2), opening)

    days = []
    for number in range(calendar.days):
        day = calendar.first + timedelta(days=number)
        month = f"{day:%B %Y}" if number == 0 or day.day == 1 else ""
        days.append(Day(LABELS + number * DAY, f"{day:%a}"[:2], str(day.day), month, day.weekday() > 4))  # noqa: PLR2004 Friday
    rows = tuple(
        Row(
            HEAD + index * LANE,
            lane,
            tuple(bar(one) for one in lane.openings),
            tuple((x(one.at), one) for one in lane.clock_changes if 0 <= (one.at - begin).days < calendar.days),
        )
        for index, lane in enumerate(calendar.lanes)
    )
    return CalendarDrawing(width, HEAD + len(rows) * LANE + 2, tuple(days), rows)
