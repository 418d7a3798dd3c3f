"""When a maintenance window or an association runs.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/reference-cron-and-rate-expressions.html. The
arithmetic of AWS cron is `aws-croniter`'s; what Systems Manager accepts of it is here.
"""

from __future__ import annotations

import calendar
import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import islice, pairwise
from typing import TYPE_CHECKING, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from aws_croniter import AwsCroniter

from patching.errors import InvalidValueError, is_token

if TYPE_CHECKING:
    from collections.abc import Iterator

_EXPRESSION = re.compile(r"(cron|rate|at)\((.*)\)")
_RATE = re.compile(r"([0-9]{1,6}) (minute|minutes|hour|hours|day|days)")
_UNITS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}
FIRST_YEAR, LAST_YEAR = 1970, 2199
"""The years that a cron expression can name."""
_CRON_FIELDS = 6
_MAX_EXPRESSION = 256
_SECONDS = re.compile(r"[0-5]?[0-9]")
_SHORTEST_CRON_GAP = timedelta(minutes=5)
_NO_IANA_NAME = re.compile(r"(posix|right)/.*|posixrules|localtime|Factory")
"""Files of a time zone database that are no names of it."""
_WEEKDAY = re.compile(r"(SUN|MON|TUE|WED|THU|FRI|SAT|[1-7])(#[1-5]|L)?", re.IGNORECASE)
_SHORTEST_ASSOCIATION_RATE = timedelta(minutes=30)
_LONGEST_ASSOCIATION_RATE = timedelta(days=31)
_ASSOCIATION_HOURS = {"*", "0/1", "*/1", "0/2", "*/2", "0/4", "*/4", "0/8", "*/8", "0/12", "*/12"}
_FAR_AHEAD = timedelta(days=366 * 9)
"""Long enough for a 29 February across a century that has none, after which a cron that found nothing finds nothing."""


@dataclass(frozen=True)
class Schedule:
    """A schedule in AWS's notation, with its time zone.

    Make one with `Schedule.cron`, `Schedule.rate`, `Schedule.at` or, from a whole expression, `Schedule.parse`.

    Attributes:
        expression: `cron(...)`, `rate(...)` or `at(...)`.
        timezone: IANA name of the zone in which cron and at are read; UTC by default.
        offset_days: days to wait after the time that a cron expression gives, 0 to 6; 0 by default.

    Raises:
        InvalidValueError: an expression, a zone or an offset that Systems Manager would refuse.
    """

    expression: str
    timezone: str = "UTC"
    offset_days: int = 0

    def __post_init__(self) -> None:
        if is_token(self.expression) or is_token(self.timezone):
            return
        if len(self.expression) > _MAX_EXPRESSION:
            message = f"the schedule has {len(self.expression)} characters, but AWS takes {_MAX_EXPRESSION}"
            raise InvalidValueError(message)
        match = _EXPRESSION.fullmatch(self.expression)
        if not match:
            message = (
                f"schedule {self.expression!r} is none of cron(MINUTE HOUR DAY MONTH WEEKDAY YEAR), "
                "rate(NUMBER UNIT) and at(YYYY-MM-DDTHH:MM:SS)"
            )
            raise InvalidValueError(message)
        kind, body = match.groups()
        match kind:
            case "cron":
                _check_cron(body)
            case "rate":
                _parse_rate(body)
            case _:
                _parse_at(body)
        zone(self.timezone)
        if not 0 <= self.offset_days <= 6:  # noqa: PLR2004 the API's own limits
            message = f"schedule offset {self.offset_days} is not a number of days from 0 to 6"
            raise InvalidValueError(message)
        if self.offset_days and kind != "cron":
            message = f"schedule offset {self.offset_days} needs a cron expression, not {self.expression}"
            raise InvalidValueError(message)

    @classmethod
    def cron(cls, fields: str, *, timezone: str = "UTC", offset_days: int = 0) -> Self:
        """Run at the times of a cron expression, given as its six fields without `cron()`."""
        return cls(f"cron({fields})", timezone, offset_days)

    @classmethod
    def rate(cls, value: int, unit: str) -> Self:
        """Run every so many minutes, hours or days; the unit may be singular or plural."""
        unit = unit.removesuffix("s")
        return cls(f"rate({value} {unit if value == 1 else unit + 's'})")

    @classmethod
    def at(cls, moment: str, *, timezone: str = "UTC") -> Self:
        """Run once, at a local time such as 2026-01-31T02:00:00."""
        return cls(f"at({moment})", timezone)

    @classmethod
    def parse(cls, expression: str, *, timezone: str = "UTC", offset_days: int = 0) -> Self:
        """Read a whole expression."""
        return cls(expression, timezone, offset_days)

    @property
    def kind(self) -> str:
        """`cron`, `rate` or `at`."""
        return self.expression.partition("(")[0]

    @property
    def every(self) -> timedelta | None:
        """How long a rate lasts from one time to the next; None for other schedules."""
        return _parse_rate(self._body) if self.kind == "rate" and not is_token(self.expression) else None

    def for_association(self, *, run_when_made: bool | None = None) -> Self:
        """Return itself if a State Manager association takes it.

        Args:
            run_when_made: whether the association runs also when it is made or changed. Without that it is given
                ApplyOnlyAtCronInterval, which a rate does not have, and which an offset needs. Not judged by default.

        Raises:
            InvalidValueError: associations know UTC only, a rate of 30 minutes to 31 days, and of cron only every
                30 minutes, every 1, 2, 4, 8 or 12 hours, and once a day, a week or on the n-th or last weekday of a
                month, at no other second than 0.
        """
        if is_token(self.expression):
            return self
        if self.kind == "rate" and run_when_made is False:
            message = (
                f"{self.expression}: AWS runs an association with a rate when it is made, whatever is asked; write a "
                "cron expression, or run_at_deployment: true"
            )
            raise InvalidValueError(message)
        if self.offset_days and run_when_made:
            message = f"an offset of {self.offset_days} days needs run_at_deployment: false; take one of them out"
            raise InvalidValueError(message)
        body = self._body
        if self.timezone != "UTC":
            message = f"an association runs in UTC; write its schedule in UTC instead of {self.timezone}"
            raise InvalidValueError(message)
        if self.kind == "rate":
            every = _parse_rate(body)
            if not _SHORTEST_ASSOCIATION_RATE <= every < _LONGEST_ASSOCIATION_RATE:
                message = f"{self.expression}: an association's rate is 30 minutes at least and below 31 days"
                raise InvalidValueError(message)
        elif self.kind == "cron":
            _check_association_cron(self.expression, body)
        return self

    def runs(self, after: datetime, *, anchor: datetime | None = None) -> Iterator[datetime]:
        """Yield the times of the runs later than `after`, in UTC, in order; an `at` that has passed has none.

        Args:
            after: an aware time; a run at exactly this time is not yielded.
            anchor: when a rate begins to count: the creation of what it schedules. `after` itself by default.
        """
        if self.kind == "rate":
            every = _parse_rate(self._body)
            start = anchor or after
            passed = max(0, (after - start) // every)
            moment = start + every * passed
            with suppress(OverflowError):  # beyond the year 9999 there are no further runs
                while True:
                    if moment > after:
                        yield moment
                    moment += every
        elif self.kind == "at":
            moment = _localize(_parse_at(self._body), zone(self.timezone))
            if moment > after:
                yield moment
        else:
            yield from self._cron_runs(after)

    def next_runs(self, after: datetime, count: int, *, anchor: datetime | None = None) -> list[datetime]:
        """Return the next `count` runs later than `after`, in UTC; fewer if the schedule ends before."""
        return list(islice(self.runs(after, anchor=anchor), count))

    @property
    def _body(self) -> str:
        return self.expression.partition("(")[2][:-1]

    def _cron_runs(self, after: datetime) -> Iterator[datetime]:
        cron = AwsCroniter(_six_fields(self._body))
        tz = zone(self.timezone)
        offset = timedelta(days=self.offset_days)
        # The library is asked for days only: every day that it names has the same times, which need no search.
        times = [
            offset + timedelta(hours=hour, minutes=minute, seconds=_seconds(self._body))
            for hour in sorted(set(cron.hours))
            for minute in sorted(set(cron.minutes))
        ]
        # The library counts in UTC. It is handed the zone's wall clock under that name, and what it gives is then
        # placed in the zone: that is how a window at 02:00 stays at 02:00 when the clocks change. It starts a day
        # early, because a wall clock that is set back shows an earlier time than the one that has passed.
        wall = (after - offset).astimezone(tz).replace(tzinfo=UTC) - timedelta(days=1)
        limit = wall + _FAR_AHEAD
        last = after
        for day in _days(cron, wall):
            if day >= limit:
                return
            begin = day.replace(tzinfo=None)
            for moment in (_localize(begin + time, tz) for time in times):
                # In the hour that the spring change skips, several wall-clock times are one and the same moment.
                if moment > last:
                    yield moment
                    last = moment
                    limit = day + _FAR_AHEAD


def _days(cron: AwsCroniter, wall: datetime) -> Iterator[datetime]:
    """Yield the days with a run from a time on, at their beginning."""
    named = {*cron.days_of_month, *cron.days_of_week}
    while True:
        (following,) = cron.get_next(wall, 1)
        if following is None:
            return
        day = following.replace(hour=0, minute=0)
        yield day
        # The library looks the month through for each of its days. Where all are named outright, that is for once.
        days_left = calendar.monthrange(day.year, day.month)[1] - day.day
        if named.isdisjoint("L#W"):
            for later in (day + timedelta(days=one) for one in range(1, days_left + 1)):
                if (later.day if cron.days_of_month else later.isoweekday() % 7 + 1) in named:
                    yield later
            day += timedelta(days=days_left)
        wall = day.replace(hour=23, minute=59)


def zone(name: str) -> ZoneInfo:
    """Return the time zone of this IANA name; raise `InvalidValueError` if there is none."""
    with suppress(ZoneInfoNotFoundError, ValueError, OSError):
        if not _NO_IANA_NAME.fullmatch(name):
            return ZoneInfo(name)
    message = f"{name!r} is not an IANA time zone; expected a name like Asia/Seoul, Europe/Berlin or UTC"
    raise InvalidValueError(message)


def point_in_time(text: str) -> datetime:
    """Read when something becomes active or inactive, such as 2027-01-31T22:00:00+09:00; UTC if it has no offset.

    Raises:
        InvalidValueError: not a time in ISO 8601's extended form.
    """
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        message = f"{text!r} is not a time; expected one like 2027-01-31T22:00:00+09:00"
        raise InvalidValueError(message) from None


def _localize(wall: datetime, tz: ZoneInfo) -> datetime:
    """Place a wall-clock time in its zone, in UTC; one that the spring change skips moves past the gap."""
    return wall.replace(tzinfo=tz).astimezone(UTC)


def _six_fields(body: str) -> str:
    """Drop the optional field for seconds, which Systems Manager takes in front."""
    fields = body.split()
    return " ".join(fields[1:] if len(fields) == _CRON_FIELDS + 1 else fields)


def _seconds(body: str) -> int:
    fields = body.split()
    return int(fields[0]) if len(fields) == _CRON_FIELDS + 1 else 0


@lru_cache(maxsize=256)  # every copy of a schedule checks itself anew; what is refused is not kept
def _check_cron(body: str) -> None:
    fields = body.split()
    if len(fields) not in (_CRON_FIELDS, _CRON_FIELDS + 1):
        message = (
            f"cron({body}) has {len(fields)} field{'' if len(fields) == 1 else 's'}; expected 6 (minute, hour, day of "
            "month, month, day of week, year) or, in front of them, one for the second"
        )
        raise InvalidValueError(message)
    if len(fields) > _CRON_FIELDS and not _SECONDS.fullmatch(fields[0]):
        message = f"cron({body}): the first of 7 fields is the second, a number from 0 to 59, not {fields[0]!r}"
        raise InvalidValueError(message)
    try:
        (first,) = AwsCroniter(_six_fields(body)).get_next(datetime(2000, 1, 1, tzinfo=UTC), 1)
    except (ValueError, IndexError) as error:
        message = f"cron({body}) is not an AWS cron expression: {_one_line(error)}"
        raise InvalidValueError(message) from None
    if first is None:
        message = f"cron({body}) names a day that never comes"
        raise InvalidValueError(message)
    _check_gaps(body, first)


def _check_gaps(body: str, first: datetime) -> None:
    """Refuse a cron expression that runs more often than every five minutes, which Systems Manager does not support."""
    if _six_fields(body).partition(" ")[0].isdigit():
        return
    # More runs than an hour has minutes: the gap from one hour to the next is among them.
    runs = [first, *(one for one in AwsCroniter(_six_fields(body)).get_next(first, 61) if one is not None)]
    for one, following in pairwise(runs):
        if following - one < _SHORTEST_CRON_GAP:
            message = f"cron({body}) runs more often than every five minutes, which AWS does not support; try 0/5"
            raise InvalidValueError(message)


def _one_line(error: Exception) -> str:
    text = " ".join(str(error).split()).rstrip(".")
    # The library's own words for a field that its grammar takes and its reader does not, such as LW.
    return "a day field that cannot be read" if text.startswith("invalid literal") else text


def _check_association_cron(expression: str, body: str) -> None:
    if _seconds(body):
        message = f"{expression}: an association runs at second 0; write a 0, or leave the field out"
        raise InvalidValueError(message)
    minute, hour, day_of_month, month, day_of_week, year = _six_fields(body).split()
    every_half_hour = minute in ("0/30", "*/30") and hour == "*"
    every_hours = minute.isdigit() and hour in _ASSOCIATION_HOURS
    daily = minute.isdigit() and hour.isdigit()
    on_any_day = day_of_month in ("*", "?") and day_of_week in ("*", "?")
    on_weekday = day_of_month in ("*", "?") and bool(_WEEKDAY.fullmatch(day_of_week))
    fits = (
        month == "*"
        and year == "*"
        and ((on_any_day and (every_half_hour or every_hours or daily)) or (daily and on_weekday))
    )
    if not fits:
        message = (
            f"{expression} is not a schedule that an association takes; expected every 30 minutes, every 1, 2, 4, 8 or "
            "12 hours, daily, weekly, or on the n-th or last of one weekday in the month, without a month: "
            "cron(0 2 * * ? *), cron(0 2 ? * SUN *), cron(0 2 ? * TUE#3 *), or a rate"
        )
        raise InvalidValueError(message)


def _parse_rate(body: str) -> timedelta:
    match = _RATE.fullmatch(body)
    if not match or int(match[1]) == 0:
        message = f"rate({body}) is not a rate; expected one like rate(30 minutes), rate(1 hour) or rate(7 days)"
        raise InvalidValueError(message)
    number, unit = int(match[1]), match[2]
    if (number == 1) == unit.endswith("s"):
        mended = unit.removesuffix("s") if number == 1 else f"{unit}s"
        form = "singular" if number == 1 else "plural"
        message = f"rate({body}): AWS wants the unit in the {form}: rate({number} {mended})"
        raise InvalidValueError(message)
    return number * _UNITS[unit.removesuffix("s")]


def _parse_at(body: str) -> datetime:
    try:
        moment = datetime.strptime(body, "%Y-%m-%dT%H:%M:%S")  # noqa: DTZ007 a wall-clock time, in the schedule's zone
    except ValueError:
        message = f"at({body}) is not a time; expected one like at(2026-01-31T02:00:00)"
        raise InvalidValueError(message) from None
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        message = f"at({body}) is not between the years {FIRST_YEAR} and {LAST_YEAR}"
        raise InvalidValueError(message)
    return moment
