"""The times at which windows and scans run in the days to come, as a list and as a calendar.

A calendar is written as https://www.rfc-editor.org/rfc/rfc5545 says, by the library icalendar.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import Any

from icalendar import Calendar, Event

from ops import schedules
from ops.permissions import Need, On
from ops.schedules import Association
from ops.session import Session
from patching.deployment import PRODUCT, Deployment
from patching.open_times import OpenTimes
from patching.schedule import Schedule, point_in_time, zone
from patching.targets import Targets

NEEDS = (
    Need(
        On.ANYTHING, "ssm:DescribeMaintenanceWindows", "ssm:DescribeMaintenanceWindowSchedule", "ssm:ListAssociations"
    ),
    Need(On.WINDOWS, "ssm:DescribeMaintenanceWindowTargets"),
    Need(On.ASSOCIATIONS, "ssm:DescribeAssociation"),
)
_SCAN_MINUTES = 30
"""How long an association's run is shown in a calendar; it has no end of its own."""


@dataclass(frozen=True)
class Occasion:
    """One time at which something runs.

    Attributes:
        name: the window or the association.
        kind: `window` or `association`.
        begins: when it begins, in UTC.
        ends: when a window closes, in UTC; null for an association.
        timezone: the time zone of its schedule.
        local: when it begins, in that zone.
        what: the nodes that it is for, in words.
    """

    name: str
    kind: str
    begins: datetime
    ends: datetime | None
    timezone: str
    local: datetime
    what: str


@dataclass(frozen=True)
class Occasions:
    """What runs in some days to come.

    Attributes:
        at: when it was read.
        until: the end of these days.
        occasions: what runs, in order.
    """

    at: datetime
    until: datetime
    occasions: tuple[Occasion, ...]


def occasions(session: Session, deployment: Deployment | None, days: int) -> Occasions:
    """Return what runs in so many days from now: of an environment, or of the whole Region."""
    windows, associations = list(_windows(session, deployment)), schedules.associations(session, deployment)
    # Read first: only replies say what time it is at the service.
    now = session.now()
    until = now + timedelta(days=days)
    coming = [one for window in windows for one in window.occasions(now, until)]
    coming += [one for association in associations for one in _runs(association, now, until)]
    return Occasions(now, until, tuple(sorted(coming, key=lambda one: (one.begins, one.name))))


@dataclass(frozen=True)
class _Window:
    name: str
    times: OpenTimes
    anchor: datetime | None
    targets: tuple[Targets, ...]

    def occasions(self, now: datetime, until: datetime) -> Iterator[Occasion]:
        there = zone(self.times.schedule.timezone)
        for begins in self._openings(now, until):
            yield Occasion(
                name=self.name,
                kind="window",
                begins=begins.astimezone(UTC),
                ends=begins.astimezone(UTC) + timedelta(hours=self.times.duration_hours),
                timezone=self.times.schedule.timezone,
                local=begins.astimezone(there),
                what="; ".join(one.in_words() for one in self.targets),
            )

    def _openings(self, now: datetime, until: datetime) -> Iterator[datetime]:
        if self.times.is_known:
            yield from (one.begin for one in self.times.periods(now, until))
        elif self.anchor:
            # A rate counts from a time that only the service knows, and of which it says the next.
            yield from takewhile(
                lambda one: one < until,
                self.times.schedule.runs(self.anchor - timedelta(seconds=1), anchor=self.anchor),
            )


def _runs(association: Association, now: datetime, until: datetime) -> Iterator[Occasion]:
    if association.schedule is None:
        return
    for begins in association.schedule.runs(now - timedelta(seconds=1), anchor=association.anchor):
        if begins >= until:
            return
        what = association.targets.in_words()
        yield Occasion(association.name, "association", begins, None, "UTC", begins, what)


def _windows(session: Session, deployment: Deployment | None) -> Iterator[_Window]:
    prefix = deployment.name("") if deployment else ""
    for page in session.ssm.get_paginator("describe_maintenance_windows").paginate(PaginationConfig={"PageSize": 100}):
        for one in page["WindowIdentities"]:
            if not one["Name"].startswith(prefix) or not one["Enabled"]:
                continue
            schedule = Schedule.parse(
                one["Schedule"], timezone=one.get("ScheduleTimezone", "UTC"), offset_days=one.get("ScheduleOffset", 0)
            )
            start, end = one.get("StartDate"), one.get("EndDate")
            pages: Any = session.ssm.get_paginator("describe_maintenance_window_targets").paginate(
                WindowId=one["WindowId"]
            )
            yield _Window(
                name=one["Name"],
                times=OpenTimes(
                    schedule,
                    one["Duration"],
                    point_in_time(start).astimezone(zone(schedule.timezone)).date() if start else None,
                    point_in_time(end).astimezone(zone(schedule.timezone)).date() if end else None,
                ),
                anchor=schedules.next_opening(one),
                targets=tuple(Targets.from_api(target["Targets"]) for page in pages for target in page["Targets"]),
            )


def to_ical(found: Occasions) -> bytes:
    """Return what runs as a calendar that people's programs take."""
    calendar = Calendar()
    calendar.add("prodid", f"-//{PRODUCT}//calendar//EN")
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", "Patching")
    for one in found.occasions:
        event = Event()
        # The same time of the same window has the same id, so that a calendar read anew takes the place of the old one.
        event.add("uid", f"{one.name}-{one.begins:%Y%m%dT%H%M%SZ}@{PRODUCT}")
        event.add("dtstamp", found.at.astimezone(UTC))
        event.add("dtstart", one.begins)
        event.add("dtend", one.ends or one.begins + timedelta(minutes=_SCAN_MINUTES))
        event.add("summary", f"{one.name} ({one.kind})")
        event.add("description", f"Nodes: {one.what}. {one.local:%Y-%m-%d %H:%M} in {one.timezone}.")
        event.add("transp", "TRANSPARENT")
        calendar.add_component(event)
    return bytes(calendar.to_ical())
