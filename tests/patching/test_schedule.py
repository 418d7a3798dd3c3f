from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from aws_croniter import AwsCroniter
from hypothesis import given
from hypothesis import strategies as st

from patching.errors import InvalidValueError
from patching.schedule import Schedule
from tests.rows import each_row


def runs(schedule: Schedule, after: str, count: int = 3, *, anchor: str | None = None) -> list[str]:
    """Return the next runs, written in short."""
    moments = schedule.next_runs(at(after), count, anchor=at(anchor) if anchor else None)
    return [moment.strftime("%Y-%m-%d %H:%M") for moment in moments]


def at(moment: str) -> datetime:
    return datetime.fromisoformat(moment).replace(tzinfo=UTC)


# What an expression may be.


@each_row(
    "expression",
    [
        "cron(0 2 ? * SUN *)",
        "cron(0 2 ? * sun *)",
        "cron(0 2 ? * THU#3 *)",
        "cron(15 10 ? * 6L *)",
        "cron(0 2 L * ? *)",
        "cron(0 2 3W * ? *)",
        "cron(0 0 2 ? * SUN *)",
        "cron(24 30 9 ? * * *)",
        "cron(0/5 8-18 ? * MON-FRI *)",
        "cron(2,58 2,4 * * ? *)",
        "cron(0 2 29 2 ? *)",
        "cron(0/30 8-18 ? JAN-MAR MON,WED 2026-2030)",
        "rate(1 hour)",
        "rate(30 minutes)",
        "rate(7 days)",
        "at(2026-01-31T02:00:00)",
        "${Token[TOKEN.9]}",
    ],
)
def test_a_window_takes_all_of_cron_rate_and_at(expression: str) -> None:
    assert Schedule.parse(expression).expression == expression


@each_row(
    ("expression", "message"),
    [
        ("", "is none of cron("),
        ("0 2 ? * SUN *", "is none of cron("),
        ("every(1 day)", "is none of cron("),
        ("cron(0 2 ? * SUN *", "is none of cron("),
        ("cron(bad)", "cron(bad) has 1 field; expected 6 (minute, hour, day of month, month, day of week, year)"),
        ("cron(0 2 ? * SUN)", "has 5 fields; expected 6"),
        ("cron(60 0 2 ? * SUN *)", "the first of 7 fields is the second, a number from 0 to 59, not '60'"),
        ("cron(* 0 2 ? * SUN *)", "the first of 7 fields is the second, a number from 0 to 59, not '*'"),
        ("cron(* 2 ? * SUN *)", "runs more often than every five minutes, which AWS does not support; try 0/5"),
        ("cron(0/4 * * * ? *)", "runs more often than every five minutes"),
        ("cron(0,20,58 * * * ? *)", "runs more often than every five minutes"),
        (f"cron(0 2 ? * SUN {',2026' * 60})", "the schedule has 318 characters, but AWS takes 256"),
        ("cron(0 0 0 2 ? * SUN *)", "has 8 fields; expected 6"),
        ("cron(60 2 ? * SUN *)", "is not an AWS cron expression: Invalid minute value '60'"),
        ("cron(0 24 ? * SUN *)", "is not an AWS cron expression: Invalid hour value '24'"),
        ("cron(0 2 * * * *)", "is not an AWS cron expression: Invalid combination of day-of-month '*'"),
        ("cron(0 2 ? * ? *)", "is not an AWS cron expression: Invalid combination of day-of-month '?'"),
        ("cron(0 2 1 * MON *)", "is not an AWS cron expression: Invalid combination of day-of-month '1'"),
        ("cron(0 2 ? * 8 *)", "is not an AWS cron expression: Invalid day-of-week value '8'"),
        ("cron(0 2 ? * TUE#6 *)", "is not an AWS cron expression: Invalid day-of-week value 'TUE#6'"),
        ("cron(0 2 LW * ? *)", "is not an AWS cron expression: a day field that cannot be read"),
        ("cron(0 2 30 2 ? *)", "names a day that never comes"),
        ("cron(0 2 ? * MON 1999)", "names a day that never comes"),
        ("rate(1 hours)", "rate(1 hours): AWS wants the unit in the singular: rate(1 hour)"),
        ("rate(10 minute)", "rate(10 minute): AWS wants the unit in the plural: rate(10 minutes)"),
        ("rate(0 hours)", "is not a rate"),
        ("rate(-1 hours)", "is not a rate"),
        ("rate(1.5 hours)", "is not a rate"),
        ("rate(2 weeks)", "is not a rate"),
        ("at(2026-01-31)", "is not a time; expected one like at(2026-01-31T02:00:00)"),
        ("at(2026-02-30T02:00:00)", "is not a time"),
        ("at(9999-12-31T23:59:59)", "is not between the years 1970 and 2199"),
    ],
)
def test_any_other_expression_is_refused_with_what_is_expected(expression: str, message: str) -> None:
    with pytest.raises(InvalidValueError) as refused:
        Schedule.parse(expression)
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("number", ["99999999999", "9" * 200])
def test_a_rate_beyond_all_time_is_refused_like_any_other(number: str) -> None:
    with pytest.raises(InvalidValueError, match="is not a rate"):
        Schedule.parse(f"rate({number} days)")


@each_row("name", ["Mars/Phobos", "", "../etc/passwd", "/etc/passwd", "Berlin", "localtime", "posix/UTC", "Factory"])
def test_a_time_zone_has_an_iana_name(name: str) -> None:
    assert Schedule.cron("0 2 ? * SUN *", timezone="Europe/Berlin").timezone == "Europe/Berlin"
    with pytest.raises(InvalidValueError, match="is not an IANA time zone"):
        Schedule.cron("0 2 ? * SUN *", timezone=name)


def test_the_named_constructors_write_the_expression() -> None:
    assert Schedule.cron("0 2 ? * SUN *").expression == "cron(0 2 ? * SUN *)"
    assert Schedule.at("2026-01-31T02:00:00").expression == "at(2026-01-31T02:00:00)"
    assert [Schedule.rate(1, "hours").expression, Schedule.rate(2, "hour").expression] == [
        "rate(1 hour)",
        "rate(2 hours)",
    ]
    assert [Schedule.cron("0 2 ? * SUN *").kind, Schedule.rate(1, "day").kind] == ["cron", "rate"]


# What an association takes of it.


@each_row(
    "expression",
    [
        "cron(0/30 * * * ? *)",
        "cron(0 * * * ? *)",
        "cron(0 0/1 * * ? *)",
        "cron(0 0/2 * * ? *)",
        "cron(0 0/4 * * ? *)",
        "cron(15 */8 * * ? *)",
        "cron(0 0/12 * * ? *)",
        "cron(0 2 * * ? *)",
        "cron(0 2 ? * SUN *)",
        "cron(0 2 ? * TUE#3 *)",
        "cron(0 2 ? * 6L *)",
        "cron(0 0 2 ? * SUN *)",
        "rate(30 minutes)",
        "rate(1 hour)",
        "rate(30 days)",
        "at(2026-01-31T02:00:00)",
        "${Token[TOKEN.9]}",
    ],
)
def test_an_association_takes_a_few_rhythms(expression: str) -> None:
    schedule = Schedule.parse(expression)
    assert schedule.for_association() is schedule


@each_row(
    "expression",
    [
        "cron(0/5 * * * ? *)",
        "cron(0/15 * * * ? *)",
        "cron(0 0/3 * * ? *)",
        "cron(0 0/6 * * ? *)",
        "cron(0 2,14 * * ? *)",
        "cron(0 0/4 ? * MON *)",
        "cron(0 2 1 * ? *)",
        "cron(0 2 ? 3 SUN *)",
        "cron(0 2 ? * SUN 2027)",
        "cron(0 2 ? * MON-FRI *)",
        "cron(0 2 ? * MON,WED *)",
        "cron(0 2 L * ? *)",
    ],
)
def test_an_association_refuses_the_other_rhythms_that_a_window_takes(expression: str) -> None:
    with pytest.raises(
        InvalidValueError, match="is not a schedule that an association takes; expected every 30 minutes"
    ):
        Schedule.parse(expression).for_association()


def test_an_association_runs_at_second_0() -> None:
    with pytest.raises(InvalidValueError, match="an association runs at second 0; write a 0, or leave the field out"):
        Schedule.parse("cron(24 0 2 ? * SUN *)").for_association()


@pytest.mark.parametrize("expression", ["rate(29 minutes)", "rate(31 days)", "rate(744 hours)"])
def test_an_associations_rate_is_half_an_hour_to_a_month(expression: str) -> None:
    with pytest.raises(InvalidValueError, match="an association's rate is 30 minutes at least and below 31 days"):
        Schedule.parse(expression).for_association()


def test_an_association_knows_no_time_zone() -> None:
    with pytest.raises(InvalidValueError, match="write its schedule in UTC instead of Asia/Seoul"):
        Schedule.cron("0 2 * * ? *", timezone="Asia/Seoul").for_association()


# When it runs.


def test_a_run_at_the_very_moment_is_over() -> None:
    daily = Schedule.cron("0 2 * * ? *")
    assert runs(daily, "2026-01-01T01:59:59", 1) == ["2026-01-01 02:00"]
    assert runs(daily, "2026-01-01T02:00:00", 1) == ["2026-01-02 02:00"]


@each_row(
    ("fields", "expected"),
    [
        ("0 2 ? * SUN *", ["2026-01-04 02:00", "2026-01-11 02:00", "2026-01-18 02:00"]),
        ("0 2 ? * 1 *", ["2026-01-04 02:00", "2026-01-11 02:00", "2026-01-18 02:00"]),
        ("0 2 ? * TUE#3 *", ["2026-01-20 02:00", "2026-02-17 02:00", "2026-03-17 02:00"]),
        ("0 2 ? * 6L *", ["2026-01-30 02:00", "2026-02-27 02:00", "2026-03-27 02:00"]),
        ("0 2 L * ? *", ["2026-01-31 02:00", "2026-02-28 02:00", "2026-03-31 02:00"]),
        ("0 2 ? * MON#5 *", ["2026-03-30 02:00", "2026-06-29 02:00", "2026-08-31 02:00"]),
        ("0 2 29 2 ? *", ["2028-02-29 02:00", "2032-02-29 02:00", "2036-02-29 02:00"]),
        ("1/10 2 ? * SUN *", ["2026-01-04 02:01", "2026-01-04 02:11", "2026-01-04 02:21"]),
        ("24 30 9 ? * FRI *", ["2026-01-02 09:30", "2026-01-09 09:30", "2026-01-16 09:30"]),
        ("0 0 2 ? * SUN *", ["2026-01-04 02:00", "2026-01-11 02:00", "2026-01-18 02:00"]),
    ],
)
def test_cron_is_read_as_aws_reads_it(fields: str, expected: list[str]) -> None:
    assert runs(Schedule.cron(fields), "2026-01-01") == expected


def test_a_cron_whose_years_are_over_has_no_more_runs() -> None:
    assert runs(Schedule.cron("0 2 ? * MON 2026"), "2026-12-21T12:00", 9) == ["2026-12-28 02:00"]
    assert runs(Schedule.cron("0 2 ? * MON 2020"), "2026-01-01") == []


def test_a_zone_without_summer_time_keeps_its_distance_from_utc() -> None:
    sundays = Schedule.cron("0 2 ? * SUN *", timezone="Asia/Seoul")
    assert runs(sundays, "2026-03-20") == ["2026-03-21 17:00", "2026-03-28 17:00", "2026-04-04 17:00"]


def test_a_window_stays_at_its_local_hour_when_the_clocks_change() -> None:
    sundays = Schedule.cron("0 4 ? * SUN *", timezone="Europe/Berlin")
    assert runs(sundays, "2026-03-20") == ["2026-03-22 03:00", "2026-03-29 02:00", "2026-04-05 02:00"]
    assert runs(sundays, "2026-10-15") == ["2026-10-18 02:00", "2026-10-25 03:00", "2026-11-01 03:00"]


def test_an_hour_that_spring_skips_is_made_up_for_after_the_gap() -> None:
    daily = Schedule.cron("30 2 * * ? *", timezone="Europe/Berlin")
    assert runs(daily, "2026-03-28") == ["2026-03-28 01:30", "2026-03-29 01:30", "2026-03-30 00:30"]


def test_an_hour_that_autumn_repeats_runs_once() -> None:
    daily = Schedule.cron("30 2 * * ? *", timezone="Europe/Berlin")
    assert runs(daily, "2026-10-25") == ["2026-10-25 00:30", "2026-10-26 01:30", "2026-10-27 01:30"]
    assert runs(daily, "2026-10-25T00:30") == ["2026-10-26 01:30", "2026-10-27 01:30", "2026-10-28 01:30"]


def test_the_runs_of_a_skipped_hour_come_in_order_and_once() -> None:
    half_hourly = Schedule.cron("0/30 * * * ? *", timezone="Europe/Berlin")
    assert runs(half_hourly, "2026-03-29T00:30", 4) == [
        "2026-03-29 01:00",
        "2026-03-29 01:30",
        "2026-03-29 02:00",
        "2026-03-29 02:30",
    ]


def test_an_offset_moves_every_run_by_days() -> None:
    four_days_after_patch_tuesday = Schedule.cron("0 2 ? * TUE#2 *", offset_days=4)
    assert runs(four_days_after_patch_tuesday, "2026-01-14") == [
        "2026-01-17 02:00",
        "2026-02-14 02:00",
        "2026-03-14 02:00",
    ]


def test_an_offset_is_counted_in_local_days() -> None:
    schedule = Schedule.cron("0 2 ? * FRI *", timezone="Europe/Berlin", offset_days=2)
    assert runs(schedule, "2026-03-28", 1) == ["2026-03-29 01:00"]


@pytest.mark.parametrize("days", [-1, 7])
def test_an_offset_is_six_days_at_most(days: int) -> None:
    assert Schedule.cron("0 2 ? * TUE#2 *", offset_days=6).offset_days == 6
    with pytest.raises(InvalidValueError, match=f"schedule offset {days} is not a number of days from 0 to 6"):
        Schedule.cron("0 2 ? * TUE#2 *", offset_days=days)


@pytest.mark.parametrize("expression", ["rate(7 days)", "at(2026-01-31T02:00:00)"])
def test_an_offset_needs_a_cron_expression(expression: str) -> None:
    with pytest.raises(InvalidValueError, match="schedule offset 1 needs a cron expression, not"):
        Schedule.parse(expression, offset_days=1)


def test_a_rate_counts_from_its_anchor() -> None:
    weekly = Schedule.rate(7, "days")
    expected = ["2026-01-15 00:00", "2026-01-22 00:00", "2026-01-29 00:00"]
    assert runs(weekly, "2026-01-10", anchor="2026-01-01") == expected
    assert runs(weekly, "2026-01-08", anchor="2026-01-01") == expected
    assert runs(weekly, "2026-01-10") == ["2026-01-17 00:00", "2026-01-24 00:00", "2026-01-31 00:00"]


def test_a_window_opens_at_the_second_that_its_cron_expression_names() -> None:
    schedule = Schedule.cron("24 30 9 ? * * *", timezone="Asia/Seoul")
    for after in ("2026-01-02T00:30:00", "2026-01-02T00:30:23"):
        assert schedule.next_runs(at(after), 1) == [at("2026-01-02T00:30:24")]
    assert schedule.next_runs(at("2026-01-02T00:30:24"), 1) == [at("2026-01-03T00:30:24")]


def test_a_rate_whose_anchor_is_still_to_come_begins_there() -> None:
    assert runs(Schedule.rate(1, "hour"), "2026-01-01", 2, anchor="2026-01-03") == [
        "2026-01-03 00:00",
        "2026-01-03 01:00",
    ]


def test_the_longest_rate_runs_until_the_end_of_the_calendar() -> None:
    assert runs(Schedule.rate(999999, "days"), "2026-01-01", 9) == [
        "4763-11-28 00:00",
        "7501-10-24 00:00",
    ]


def test_at_runs_once_in_its_zone_and_never_when_it_has_passed() -> None:
    once = Schedule.at("2026-07-01T02:00:00", timezone="Europe/Berlin")
    assert runs(once, "2026-01-01") == ["2026-07-01 00:00"]
    assert runs(once, "2026-07-01T00:00") == []


minutes = st.sampled_from(["0", "30", "0/30", "5,35", "0/5"])
hours = st.sampled_from(["2", "*", "0/4", "8-18", "1,2,3"])
days = st.sampled_from(
    ["* * ?", "? * SUN", "? * MON-FRI", "? * 6L", "? * TUE#3", "L * ?", "15W * ?", "1,31 * ?", "29 2 ?", "? JAN,JUL 2"]
)
seconds = st.sampled_from(["", "0 ", "24 "])
moments = st.datetimes(datetime(2025, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 bounds are naive


@given(
    minutes, hours, days, seconds, st.sampled_from(["UTC", "Asia/Seoul", "Asia/Kolkata"]), st.integers(0, 6), moments
)
def test_runs_come_later_and_later_at_the_local_times_that_cron_names(
    minute: str, hour: str, day: str, second: str, timezone: str, offset: int, after: datetime
) -> None:
    schedule = Schedule.cron(f"{second}{minute} {hour} {day} *", timezone=timezone, offset_days=offset)
    found = schedule.next_runs(after, 4)
    assert len(found) == 4
    assert all(earlier < later for earlier, later in pairwise([after, *found]))
    assert schedule.next_runs(found[0], 3) == found[1:]


@given(minutes, hours, days, moments)
def test_in_utc_the_runs_are_those_of_the_library(minute: str, hour: str, day: str, after: datetime) -> None:
    fields = f"{minute} {hour} {day} *"
    expected = [one for one in AwsCroniter(fields).get_next(after, 40) if one]
    assert Schedule.cron(fields).next_runs(after, 40) == expected


@given(st.integers(1, 1000), st.sampled_from(["minute", "hours", "day"]), moments, moments)
def test_the_runs_of_a_rate_are_one_interval_apart_and_the_next_one_is_near(
    value: int, unit: str, after: datetime, anchor: datetime
) -> None:
    every = value * timedelta(**{unit.removesuffix("s") + "s": 1})
    first, second = Schedule.rate(value, unit).next_runs(after, 2, anchor=anchor)
    assert second - first == every
    assert after < first <= max(after, anchor) + every
    assert (first - anchor) % every == timedelta(0)


@given(st.text(max_size=40) | st.from_regex(r"(cron|rate|at)\([0-9A-Z?*/,#L -]{0,30}\)", fullmatch=True))
def test_any_text_is_a_schedule_or_refused(expression: str) -> None:
    with suppress(InvalidValueError):
        assert Schedule.parse(expression).expression == expression
