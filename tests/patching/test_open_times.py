"""When windows are open, against a grid of minutes that is filled by brute force."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from patching.errors import InvalidValueError
from patching.open_times import OpenTimes, Period, common, first_begun_in, first_common, most_open, union
from patching.schedule import Schedule
from tests.rows import each_row

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
ZONES = [
    "UTC",
    "Asia/Seoul",
    "Asia/Kolkata",
    "America/New_York",
    "Europe/Berlin",
    "Australia/Lord_Howe",
    "Pacific/Apia",
]
WEEKDAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
MINUTE = timedelta(minutes=1)


def at(minutes: int) -> datetime:
    return BEGIN + minutes * MINUTE


def period(begin: int, end: int) -> Period:
    return Period(at(begin), at(end))


def minutes_of(periods: Iterable[Period]) -> set[int]:
    """Return the minutes since BEGIN that lie in any of the periods."""
    return {minute for one in periods for minute in range((one.begin - BEGIN) // MINUTE, (one.end - BEGIN) // MINUTE)}


# Periods of one window.


def wall_clock(moment: datetime, zone: str) -> datetime:
    return moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def first_minutes(zone: str, begin: datetime, end: datetime, hour: int, minute: int) -> dict[date, datetime]:
    """Return for each day of a zone the first minute at which its clock shows this time, or a later one.

    A clock is only changed at a full or half hour of UTC: in between, its minutes are counted on.
    """
    found: dict[date, datetime] = {}
    block = begin
    while block < end:
        clock = wall_clock(block, zone)
        past = max(0, hour * 60 + minute - clock.hour * 60 - clock.minute)
        if past < 30:
            found.setdefault(clock.date(), block + past * MINUTE)
        block += 30 * MINUTE
    return found


@given(
    st.sampled_from(ZONES),
    st.sampled_from(WEEKDAYS),
    st.integers(0, 23),
    st.sampled_from([0, 30, 59]),
    st.integers(1, 24),
    st.integers(0, 6),
    # Around the days on which clocks are changed, and others.
    st.sampled_from([5, 62, 84, 90, 180, 270, 273, 293, 300]),
)
def test_a_weekly_window_is_open_in_the_minutes_that_its_zones_clock_says(
    zone: str, weekday: str, hour: int, minute: int, hours: int, offset: int, from_day: int
) -> None:
    begin, end = BEGIN + timedelta(days=from_day), BEGIN + timedelta(days=from_day + 8)
    schedule = Schedule.cron(f"{minute} {hour} ? * {weekday} *", timezone=zone, offset_days=offset)
    found = list(OpenTimes(schedule, hours).periods(begin, end))

    wanted = (WEEKDAYS.index(weekday) - 1 + offset) % 7
    shown = first_minutes(zone, begin - timedelta(days=1), end + timedelta(days=1), hour, minute)
    opens = [one for day, one in shown.items() if day.weekday() == wanted and begin <= one < end]
    assert len(found) == len(opens)
    for one, moment in zip(found, opens, strict=True):
        clock = wall_clock(moment, zone)
        # A time that the change skips is moved by as much as the clock is: at most an hour.
        skipped = (clock.hour, clock.minute) != (hour, minute)
        assert one.begin == moment or (skipped and timedelta(0) < one.begin - moment < timedelta(hours=1))
        assert one.end - one.begin == timedelta(hours=hours)


@given(
    st.sampled_from(ZONES),
    st.sampled_from(["0 2 * * ? *", "30 23 ? * MON-FRI *", "0 0/8 * * ? *", "15 0 L * ? *"]),
    st.dates(date(2026, 2, 1), date(2026, 5, 31)),
    st.integers(0, 60),
)
def test_between_its_dates_a_window_opens_as_without_and_never_outside(
    zone: str, fields: str, start: date, days: int
) -> None:
    end = start + timedelta(days=days)
    schedule = Schedule.cron(fields, timezone=zone)
    until = BEGIN + timedelta(days=240)
    every = OpenTimes(schedule, 2).periods(BEGIN, until)
    dated = list(OpenTimes(schedule, 2, start, end).periods(BEGIN, until))
    assert dated == [one for one in every if start <= wall_clock(one.begin, zone).date() <= end]


@each_row(
    ("zone", "day", "expected"),
    [
        # Clocks go forward at 02:00 and at 01:00 UTC: 02:30 does not come, and the window opens an hour later.
        ("Europe/Berlin", "2026-03-28", "2026-03-28 01:30 UTC"),
        ("Europe/Berlin", "2026-03-29", "2026-03-29 01:30 UTC"),
        ("Europe/Berlin", "2026-03-30", "2026-03-30 00:30 UTC"),
        # Clocks go back at 03:00: 02:30 comes twice, and the window opens the first time only.
        ("Europe/Berlin", "2026-10-24", "2026-10-24 00:30 UTC"),
        ("Europe/Berlin", "2026-10-25", "2026-10-25 00:30 UTC"),
        ("Europe/Berlin", "2026-10-26", "2026-10-26 01:30 UTC"),
        ("America/New_York", "2026-03-08", "2026-03-08 07:30 UTC"),
        ("America/New_York", "2026-11-01", "2026-11-01 07:30 UTC"),
        ("Asia/Kolkata", "2026-03-29", "2026-03-28 21:00 UTC"),
    ],
)
def test_a_window_keeps_the_zones_clock_when_that_is_changed(zone: str, day: str, expected: str) -> None:
    on = date.fromisoformat(day)
    times = OpenTimes(Schedule.cron("30 2 * * ? *", timezone=zone), 4, on, on)
    (found,) = times.periods(BEGIN, BEGIN + timedelta(days=366))
    assert f"{found.begin:%Y-%m-%d %H:%M %Z}" == expected
    assert found.end - found.begin == timedelta(hours=4)


def test_a_window_opens_from_its_first_moment_on_and_not_at_the_end() -> None:
    daily = OpenTimes(Schedule.cron("0 2 * * ? *"), 1)
    two = BEGIN + timedelta(hours=2)
    assert [one.begin for one in daily.periods(two, two + timedelta(days=1))] == [two]
    assert list(daily.periods(two + timedelta(seconds=1), two + timedelta(days=1))) == []


def test_the_first_and_the_last_day_are_whole_days_of_the_zone() -> None:
    times = OpenTimes(Schedule.rate(1, "day"), 1, date(2026, 2, 1), date(2026, 2, 28))
    assert (times.active_from, times.active_until) == (
        datetime(2026, 2, 1, tzinfo=UTC),
        datetime(2026, 2, 28, 23, 59, 59, tzinfo=UTC),
    )
    seoul = OpenTimes(Schedule.cron("0 0 * * ? *", timezone="Asia/Seoul"), 1, date(2026, 2, 1), date(2026, 2, 1))
    assert seoul.active_from is not None
    assert seoul.active_from.isoformat() == "2026-02-01T00:00:00+09:00"
    assert [one.begin for one in seoul.periods(BEGIN, BEGIN + timedelta(days=99))] == [
        datetime(2026, 1, 31, 15, tzinfo=UTC)
    ]


def test_a_rate_is_not_known_and_a_window_without_days_has_no_limits() -> None:
    times = OpenTimes(Schedule.rate(1, "day"), 1)
    assert (times.is_known, times.active_from, times.active_until) == (False, None, None)
    assert OpenTimes(Schedule.cron("0 0 * * ? *"), 1).is_known
    assert OpenTimes(Schedule.at("2026-01-01T00:00:00"), 1).is_known


@pytest.mark.parametrize(
    ("hours", "start", "end", "message"),
    [
        (0, None, None, "duration_hours 0 is not a number of hours from 1 to 24"),
        (25, None, None, "duration_hours 25 is not a number of hours from 1 to 24"),
        (1, date(2026, 1, 2), date(2026, 1, 1), "2026-01-01 is before the first day, 2026-01-02"),
        (1, date(1, 1, 1), None, "0001-01-01 is not between 1970 and 2199"),
        (1, None, date.max, "9999-12-31 is not between 1970 and 2199"),
    ],
)
def test_times_that_no_window_has_are_refused(hours: int, start: date | None, end: date | None, message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        OpenTimes(Schedule.rate(1, "day"), hours, start, end)


@each_row("zone", ZONES)
def test_the_widest_days_are_counted_without_overflow(zone: str) -> None:
    times = OpenTimes(Schedule.cron("0 2 1 1 ? *", timezone=zone), 24, date(1970, 1, 1), date(2199, 12, 31))
    assert len(list(times.periods(BEGIN - timedelta(days=2), BEGIN + timedelta(days=363)))) == 1


# Periods of several windows.

periods = st.lists(
    st.tuples(st.integers(0, 300), st.integers(1, 60)).map(lambda one: period(one[0], one[0] + one[1])), max_size=8
)


@given(periods)
def test_a_union_has_the_same_minutes_without_overlaps(those: list[Period]) -> None:
    found = union(those)
    assert minutes_of(found) == minutes_of(those)
    assert all(one.end < other.begin for one, other in pairwise(found))


@given(periods, periods)
def test_what_is_common_are_the_minutes_of_both(these: list[Period], those: list[Period]) -> None:
    found = list(common(sorted(these), sorted(those)))
    assert minutes_of(found) == minutes_of(these) & minutes_of(those)
    assert all(one.begin < one.end for one in found)
    joined = list(common(union(these), union(those)))
    assert joined == sorted(joined)


@given(periods, periods)
def test_the_first_common_minute_is_the_first_of_all(these: list[Period], those: list[Period]) -> None:
    shared = minutes_of(these) & minutes_of(those)
    found = first_common(sorted(these), sorted(those))
    assert (found.begin if found else None) == (at(min(shared)) if shared else None)


@given(periods, periods)
@example([period(0, 9), period(60, 61)], [period(9, 60)])
def test_the_first_that_begins_within_another_is_the_first_of_all(these: list[Period], those: list[Period]) -> None:
    inside = [one for one in sorted(these) if any(other.begin <= one.begin < other.end for other in those)]
    found = first_begun_in(sorted(these), sorted(those))
    assert (found.begin if found else None) == (inside[0].begin if inside else None)


@given(st.dictionaries(st.sampled_from("abcd"), periods, max_size=4))
def test_most_are_open_in_the_first_of_the_fullest_minutes(windows: dict[str, list[Period]]) -> None:
    joined = {name: union(those) for name, those in windows.items()}
    open_in = {name: minutes_of(those) for name, those in joined.items()}
    every = sorted(set().union(*open_in.values()))
    counts = {minute: sorted(name for name, those in open_in.items() if minute in those) for minute in every}
    most = max(map(len, counts.values()), default=0)
    names, moment = most_open(joined)
    assert len(names) == most
    if moment is not None:
        first = next(minute for minute in every if len(counts[minute]) == most)
        assert (names, moment) == (counts[first], at(first))
    else:
        assert not every


def test_a_window_that_ends_when_another_one_begins_is_not_open_with_it() -> None:
    assert most_open({"a": [period(0, 60)], "b": [period(60, 120)]}) == (["a"], at(0))
    assert first_common([period(0, 60)], [period(60, 120)]) is None
    assert union([period(0, 60), period(60, 120)]) == [period(0, 120)]


def test_a_period_is_said_with_the_day_of_its_end_where_that_is_another() -> None:
    assert period(120, 240).in_words() == "2026-01-01 02:00 to 04:00 UTC"
    assert period(1380, 1500).in_words() == "2026-01-01 23:00 to 01:00 UTC"
    assert period(0, 1440).in_words() == "2026-01-01 00:00 to 2026-01-02 00:00 UTC"
    seoul = datetime.combine(date(2026, 1, 1), time(9), ZoneInfo("Asia/Seoul"))
    assert Period(seoul, seoul + timedelta(hours=1)).in_words() == "2026-01-01 00:00 to 01:00 UTC"
