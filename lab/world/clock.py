"""The lab's clock: it stands still until it is moved, and does what is due on the way."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from datetime import datetime


class Event:
    """Something that happens at a time, unless it is cancelled before."""

    __slots__ = ("action", "at", "cancelled", "work")

    def __init__(self, at: datetime, action: Callable[[], None], *, work: bool) -> None:
        self.at = at
        self.action = action
        self.work = work
        self.cancelled = False


class Clock:
    """Virtual time and the events that wait in it.

    Two kinds of event wait: *work*, which is a part of something that already runs (an installation that will be done
    in four minutes), and the calendar (a window that opens next Sunday). Time goes by itself only while there is work,
    at the pace of whoever calls `step`; otherwise it moves only when somebody calls `advance`.

    Args:
        start: the time that it shows at first, with a time zone.
    """

    def __init__(self, start: datetime) -> None:
        self.now = start
        self.scheduled = 0
        """How many events were ever to happen: it grows with each of them."""

        self._counted = 0
        self._heap: list[tuple[datetime, int, Event]] = []
        self._work = 0

    def count(self) -> int:
        """Return how often this was asked before: numbers for what happens on this clock."""
        self._counted += 1
        return self._counted - 1

    def at(self, moment: datetime, action: Callable[[], None], *, work: bool = False) -> Event:
        """Have an action happen at a time; one that has passed is taken for now."""
        event = Event(max(moment, self.now), action, work=work)
        heapq.heappush(self._heap, (event.at, self.scheduled, event))
        self.scheduled += 1
        self._work += work
        return event

    def cancel(self, event: Event) -> None:
        """Keep an event from happening."""
        if not event.cancelled:
            event.cancelled = True
            event.action = _nothing
            self._work -= event.work

    @property
    def working(self) -> bool:
        """Tell whether anything runs."""
        return self._work > 0

    def next_event(self) -> datetime | None:
        """Return the time of the next event, or None if nothing waits."""
        while self._heap and self._heap[0][2].cancelled:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def step(self) -> None:
        """Go to the next event and let it happen."""
        at = self.next_event()
        if at is None:
            return
        _, _, event = heapq.heappop(self._heap)
        self.now = at
        # Once it happens it cannot be cancelled any more.
        event.cancelled = True
        self._work -= event.work
        # Whoever still knows the event is not to hold on to what it did.
        action, event.action = event.action, _nothing
        action()

    def advance(self, to: datetime) -> None:
        """Go to a time, letting everything on the way happen, in order."""
        while (at := self.next_event()) is not None and at <= to:
            self.step()
        self.now = max(self.now, to)

    def finish_work(self) -> None:
        """Go on until nothing runs any more."""
        while self.working:
            self.step()


def _nothing() -> None:
    """What an event does that is over."""
