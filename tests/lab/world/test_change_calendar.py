"""Change calendars, and the associations that they hold back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from lab.records.association import Association
from lab.world.change_calendar import ChangeCalendar
from lab.world.cloud import StoredDocument
from lab.world.errors import ApiError
from patching.rate_control import RateControl
from patching.run_patch_baseline import DOCUMENT_NAME, RunPatchBaseline
from patching.schedule import Schedule
from patching.targets import Targets
from tests.lab.simulated import Lab, day

FREEZE = ("20260315T120000Z", "20260316T120000Z")


def event(start: str, end: str, *more: str, zone: str = "") -> str:
    tz = f";TZID={zone}" if zone else ""
    tz = ";VALUE=DATE" if "T" not in start else tz
    lines = ["BEGIN:VEVENT", "UID:1", "DTSTAMP:20260101T000000Z", f"DTSTART{tz}:{start}", f"DTEND{tz}:{end}", *more]
    return "\r\n".join([*lines, "END:VEVENT"])


def calendar(*events: str, kind: str = "DEFAULT_OPEN") -> str:
    lines = ["BEGIN:VCALENDAR", "PRODID:-//AWS//Change Calendar 1.0//EN", "VERSION:2.0", f"X-CALENDAR-TYPE:{kind}"]
    return "\r\n".join([*lines, *events, "END:VCALENDAR", ""])


def open_at(text: str, *times: str) -> list[bool]:
    return [ChangeCalendar(text).is_open(day(one)) for one in times]


def test_a_calendar_that_is_open_by_default_is_closed_during_its_events() -> None:
    times = ("2026-03-15 11:59", "2026-03-15 12:00", "2026-03-16 11:59", "2026-03-16 12:00")
    assert open_at(calendar(event(*FREEZE)), *times) == [True, False, False, True]
    assert open_at(calendar(event(*FREEZE), kind="DEFAULT_CLOSED"), *times) == [False, True, True, False]


def test_a_calendar_without_events_has_its_default_state() -> None:
    todo = "BEGIN:VTODO\r\nDTSTAMP:20200320T004207Z\r\nUID:1\r\nSUMMARY:Add events to this calendar.\r\nEND:VTODO"
    assert open_at(calendar(todo), "2026-03-15") == [True]
    assert open_at(calendar(todo, kind="DEFAULT_CLOSED"), "2026-03-15") == [False]


def test_events_are_in_their_zone_and_come_again() -> None:
    text = calendar(event("20260301T010000", "20260301T030000", "RRULE:FREQ=WEEKLY", zone="Asia/Seoul"))
    assert open_at(text, "2026-03-07 15:59", "2026-03-07 16:00", "2026-03-07 18:00") == [True, False, True]
    assert open_at(text, "2026-12-26 17:00") == [False]


def test_an_event_of_whole_days_is_of_utc() -> None:
    text = calendar(event("20261224", "20261227"))
    times = ("2026-12-23 23:59", "2026-12-24 00:00", "2026-12-26 23:59", "2026-12-27 00:00")
    assert open_at(text, *times) == [True, False, False, True]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "Found no components"),
        ("hello", "could not be parsed"),
        (event(*FREEZE), "expected a VCALENDAR, got VEVENT"),
        (calendar(kind="OPEN"), "X-CALENDAR-TYPE is OPEN; expected DEFAULT_OPEN or DEFAULT_CLOSED"),
        ("BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", "X-CALENDAR-TYPE is missing"),
    ],
)
def test_what_is_no_change_calendar_is_refused(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        ChangeCalendar(text)


# Several calendars.


def keep(lab: Lab, name: str, text: str, kind: str = "ChangeCalendar") -> None:
    lab.cloud.documents[name] = StoredDocument(kind, "1", text)


def test_all_calendars_have_to_be_open() -> None:
    lab = Lab()
    keep(lab, "freeze", calendar(event(*FREEZE)))
    keep(lab, "week", calendar(event("20260315T000000Z", "20260315T180000Z"), kind="DEFAULT_CLOSED"))
    arn = "arn:aws:ssm:us-east-1:123456789012:document/freeze"

    def closed(at: str) -> list[str]:
        return lab.engine.calendars.closed([arn, "week"], day(at))

    assert closed("2026-03-15 11:00") == []
    assert closed("2026-03-15 13:00") == [arn]
    assert closed("2026-03-15 19:00") == [arn, "week"]
    following = lab.engine.calendars.next_transition
    assert following([arn, "week"], day("2026-03-14")) == day("2026-03-15 00:00")
    assert following([arn, "week"], day("2026-03-15 11:00")) == day("2026-03-15 12:00")
    assert following([arn, "week"], day("2026-03-15 13:00")) is None
    assert following([arn], day("2026-03-15 13:00")) == day("2026-03-16 12:00")


@pytest.mark.parametrize(
    ("kind", "text", "code"),
    [("Command", "", "InvalidDocumentType"), ("ChangeCalendar", "hello", "UnsupportedCalendarException")],
)
def test_a_document_that_is_no_calendar_is_refused(kind: str, text: str, code: str) -> None:
    lab = Lab()
    keep(lab, "freeze", text, kind)
    for name, expected in (("freeze", code), ("gone", "InvalidDocument")):
        with pytest.raises(ApiError) as error:
            lab.engine.calendars.get(name)
        assert error.value.code == expected


# Associations.


def associate(lab: Lab, schedule: Schedule, *calendars: str, only_at_interval: bool = True) -> Association:
    return lab.engine.state_manager.create(
        name="scan",
        document=DOCUMENT_NAME,
        parameters=RunPatchBaseline.scan().to_api(),
        targets=Targets.tag("Fleet", "a"),
        schedule=schedule,
        only_at_interval=only_at_interval,
        rate_control=RateControl("100%", "100%"),
        calendars=calendars,
    )


def ran(association: Association) -> list[str]:
    return [f"{one.created:%d %H:%M}" for one in association.executions]


NIGHTLY = Schedule.cron("0 2 * * ? *")


def test_an_association_runs_only_while_all_of_its_calendars_are_open() -> None:
    lab = Lab()
    lab.launch()
    keep(lab, "freeze", calendar(event(*FREEZE)))
    held = associate(lab, NIGHTLY, "freeze")
    free = associate(lab, NIGHTLY)
    lab.clock.advance(day("2026-03-18"))
    assert ran(free) == ["15 02:00", "16 02:00", "17 02:00"]
    assert ran(held) == ["15 02:00", "17 02:00"]
    assert "association scan did not run: freeze closed" in lab.log


def test_an_association_does_not_run_at_once_while_a_calendar_is_closed() -> None:
    lab = Lab()
    lab.launch()
    keep(lab, "closed", calendar(kind="DEFAULT_CLOSED"))
    made = associate(lab, NIGHTLY, "closed", only_at_interval=False)
    lab.engine.state_manager.apply(made)
    assert made.executions == []


def test_an_association_whose_calendar_is_gone_fails() -> None:
    lab = Lab()
    lab.launch()
    made = associate(lab, NIGHTLY, "gone", only_at_interval=False)
    (execution,) = made.executions
    assert (execution.status, execution.problem) == ("Failed", "Calendar gone does not exist.")


def test_an_association_runs_so_many_days_after_its_schedule() -> None:
    lab = Lab()
    lab.launch()
    made = associate(lab, Schedule.cron("0 2 ? * TUE#3 *", offset_days=2))
    lab.clock.advance(day("2026-04-30"))
    # The third Tuesdays are the 17th of March and the 21st of April.
    assert [f"{one.created:%m-%d %H:%M}" for one in made.executions] == ["03-19 02:00", "04-23 02:00"]


def test_an_offset_needs_an_association_that_runs_at_its_interval_only() -> None:
    fields: dict[str, Any] = {"only_at_interval": False}
    with pytest.raises(ApiError, match="ScheduleOffset needs ApplyOnlyAtCronInterval") as error:
        associate(Lab(), Schedule.cron("0 2 ? * TUE#3 *", offset_days=2), **fields)
    assert error.value.code == "ValidationException"


def test_a_calendar_that_goes_on_for_ever_has_a_next_transition_soon() -> None:
    lab = Lab()
    keep(lab, "nights", calendar(event("20260301T000000Z", "20260301T060000Z", "RRULE:FREQ=DAILY")))
    at = day("2026-03-15 12:00")
    assert lab.engine.calendars.next_transition(["nights"], at) == at + timedelta(hours=12)
