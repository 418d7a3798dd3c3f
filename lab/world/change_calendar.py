"""Change Calendar: when changes may be made, and when not.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/systems-manager-change-calendar.html. A calendar is
a document of the account with iCalendar data; `X-CALENDAR-TYPE` says whether it is open or closed outside of events.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from itertools import islice

import recurring_ical_events
from icalendar import Calendar

from lab.world.cloud import Cloud
from lab.world.errors import ApiError

DOCUMENT_TYPE = "ChangeCalendar"
_FARTHEST = 1_000
"""How many events ahead the next transition is looked for."""


class ChangeCalendar:
    """One calendar.

    Args:
        text: its iCalendar data.

    Raises:
        ValueError: it is none, or does not say whether it is open by default.
    """

    def __init__(self, text: str) -> None:
        calendar = Calendar.from_ical(text)
        if calendar.name != "VCALENDAR":
            raise ValueError(f"expected a VCALENDAR, got {calendar.name}")
        kind = str(calendar.get("X-CALENDAR-TYPE", ""))
        if kind not in ("DEFAULT_OPEN", "DEFAULT_CLOSED"):
            raise ValueError(f"X-CALENDAR-TYPE is {kind or 'missing'}; expected DEFAULT_OPEN or DEFAULT_CLOSED")
        self.open_by_default = kind == "DEFAULT_OPEN"
        self._events = recurring_ical_events.of(calendar)

    def is_open(self, at: datetime) -> bool:
        """Tell whether changes may be made at a time: outside of the events, or during them only."""
        during = any(_moment(one.start) <= at < _moment(one.end) for one in self._events.at(at))
        return during is not self.open_by_default

    def transitions(self, after: datetime) -> Iterator[datetime]:
        """Yield times after which it may have another state, roughly in order."""
        yield from (_moment(one.end) for one in self._events.at(after))
        for one in self._events.after(after):
            yield from (_moment(one.start), _moment(one.end))


class Calendars:
    """The calendars of an account and Region.

    Args:
        cloud: where they are kept.
    """

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def get(self, name: str) -> ChangeCalendar:
        """Return a calendar by its name or ARN.

        Raises:
            ApiError: there is no such document, or it is not a calendar that can be read.
        """
        found = self._cloud.document(name.rpartition("/")[2], "")
        if found is None:
            raise ApiError("InvalidDocument", f"Calendar {name} does not exist.")
        if found.type != DOCUMENT_TYPE:
            raise ApiError("InvalidDocumentType", f"Document {name} is a {found.type}, not a {DOCUMENT_TYPE}.")
        try:
            return ChangeCalendar(found.content)
        except ValueError as error:
            raise ApiError("UnsupportedCalendarException", f"Calendar {name} cannot be read: {error}") from None

    def closed(self, names: Sequence[str], at: datetime) -> list[str]:
        """Return which of these calendars are closed at a time; all have to be open for anything to run."""
        return [name for name in names if not self.get(name).is_open(at)]

    def next_transition(self, names: Sequence[str], after: datetime) -> datetime | None:
        """Return when the calendars' common state changes next, or None if it never does."""
        calendars = [self.get(name) for name in names]

        def is_open(at: datetime) -> bool:
            return all(one.is_open(at) for one in calendars)

        now = is_open(after)
        candidates = sorted(
            {moment for one in calendars for moment in islice(one.transitions(after), _FARTHEST) if moment > after}
        )
        return next((moment for moment in candidates if is_open(moment) is not now), None)


def _moment(value: date) -> datetime:
    """Return when an event starts or ends; whole days, and times without a zone, are UTC's."""
    moment = value if isinstance(value, datetime) else datetime(value.year, value.month, value.day, tzinfo=UTC)
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
