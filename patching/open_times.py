"""When maintenance windows are open, and when several of them are open at one time.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/maintenance-windows-schedule-options.html.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from operator import attrgetter
from typing import NamedTuple
from zoneinfo import ZoneInfo

from patching.maintenance_window import check_day, check_days, check_duration
from patching.schedule import Schedule, zone

_begin = attrgetter("begin")


@dataclass(frozen=True)
class OpenTimes:
    """When one maintenance window is open.

    Attributes:
        schedule: when it opens.
        duration_hours: hours that it stays open.
        start_date: the first day, in the schedule's zone, on which it opens; no limit by default.
        end_date: the last day, in the schedule's zone, on which it opens; no limit by default.

    Raises:
        InvalidValueError: a duration or days that AWS would refuse, or in which the window never opens.
    """

    schedule: Schedule
    duration_hours: int
    start_date: date | None = None
    end_date: date | None = None

    def __post_init__(self) -> None:
        check_duration(self.duration_hours)
        for day in (self.start_date, self.end_date):
            check_day(day)
        check_days(self.start_date, self.end_date)

    @property
    def is_known(self) -> bool:
        """Tell whether the times follow from the policy: a rate counts from the creation of the window."""
        return self.schedule.kind != "rate"

    @property
    def active_from(self) -> datetime | None:
        """The beginning of the first day on which it opens, in the schedule's zone."""
        return datetime.combine(self.start_date, time(), self._zone) if self.start_date else None

    @property
    def active_until(self) -> datetime | None:
        """The end of the last day on which it opens, in the schedule's zone."""
        return datetime.combine(self.end_date, time(23, 59, 59), self._zone) if self.end_date else None

    @property
    def _zone(self) -> ZoneInfo:
        return zone(self.schedule.timezone)

    def periods(self, begin: datetime, end: datetime) -> Iterator[Period]:
        """Yield when it is open, for every time that it opens from `begin` on and before `end` (aware times)."""
        if self.active_from:
            begin = max(begin, self.active_from)
        if self.active_until:
            end = min(end, self.active_until + timedelta(seconds=1))
        for opens in self.schedule.runs(begin - timedelta(seconds=1)):
            if opens >= end:
                return
            yield Period(opens, opens + timedelta(hours=self.duration_hours))


class Period(NamedTuple):
    """A stretch of time, in UTC, without its end."""

    begin: datetime
    end: datetime

    def in_words(self) -> str:
        """Say it for people, to the minute."""
        begin, end = self.begin.astimezone(UTC), self.end.astimezone(UTC)
        until = f"{end:%H:%M}" if end - begin < timedelta(days=1) else f"{end:%Y-%m-%d %H:%M}"
        return f"{begin:%Y-%m-%d %H:%M} to {until} UTC"


@lru_cache(maxsize=512)
def in_a_year(times: OpenTimes, begin: datetime) -> tuple[Period, ...]:
    """Return when a window is open in the year that begins then; it is asked of many windows, again and again."""
    return tuple(times.periods(begin, begin + timedelta(days=366)))


def first_common(these: Sequence[Period], those: Sequence[Period]) -> Period | None:
    """Return the first stretch that lies in periods of both; None if there is none. Both are in order."""
    return next(common(these, those), None)


def common(these: Sequence[Period], those: Sequence[Period]) -> Iterator[Period]:
    """Yield the stretches that lie in periods of both, in order. Both are in order, by their beginning."""
    first = 0
    for one in these:
        while first < len(those) and those[first].end <= one.begin:
            first += 1
        index = first
        while index < len(those) and those[index].begin < one.end:
            other = those[index]
            if other.end > one.begin:
                yield Period(max(one.begin, other.begin), min(one.end, other.end))
            index += 1


def first_begun_in(these: Sequence[Period], those: Sequence[Period]) -> Period | None:
    """Return the first of these that begins within one of those; None if there is none. Both are in order."""
    for one in those:
        index = bisect_left(these, one.begin, key=_begin)
        if index < len(these) and these[index].begin < one.end:
            return these[index]
    return None


def union(periods: Iterable[Period]) -> list[Period]:
    """Return the same stretches of time without overlaps, in order."""
    joined: list[Period] = []
    for one in sorted(periods):
        if joined and one.begin <= joined[-1].end:
            joined[-1] = Period(joined[-1].begin, max(joined[-1].end, one.end))
        else:
            joined.append(one)
    return joined


def most_open(periods: Mapping[str, Sequence[Period]]) -> tuple[list[str], datetime | None]:
    """Return the names that are open together when most are, and the first time at which that is so."""
    edges = sorted(
        edge
        for name, stretches in periods.items()
        for one in stretches
        for edge in ((one.begin, 1, name), (one.end, 0, name))
    )
    now: list[str] = []
    most: list[str] = []
    at: datetime | None = None
    for moment, opens, name in edges:
        if opens:
            now.append(name)
            if len(now) > len(most):
                most, at = sorted(now), moment
        else:
            now.remove(name)
    return most, at
