"""The engines behind the server: one a Region, all on one clock, and the thread that lets time go by."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from lab.aws.account import Account
from lab.catalogue import Catalogue
from lab.catalogue_file import built_in
from lab.chaos import Chaos
from lab.clock import Clock
from lab.engine import Engine, LogEntry
from lab.publishing import Delivery

DEFAULT_START = datetime.fromisoformat("2026-11-16T00:00:00+00:00")
"""The first time that the clock shows: the built-in catalogue has patches of all ages around it."""

DEFAULT_SPEED = 120.0
"""Lab seconds in a second, while something runs."""


class Plane:
    """Everything that the lab adds to moto, for one account.

    Args:
        start: what the clock shows first.
        speed: lab seconds that go by in a second while something runs; the clock stands still while nothing does.
        catalogues: the operating systems with their patches; the built-in ones by default.

    Attributes:
        accounts: the account around the engine of each Region.
        chaos: how nodes differ.
        chaos_stopped: the instances that are stopped for that reason.
        changes: a number that is another one whenever instances, roles or networks may have changed.
    """

    def __init__(
        self,
        *,
        start: datetime = DEFAULT_START,
        speed: float = DEFAULT_SPEED,
        catalogues: tuple[Catalogue, ...] | None = None,
    ) -> None:
        self.speed = speed
        self._catalogues = built_in() if catalogues is None else catalogues
        self._clock = Clock(start)
        self._engines: dict[str, Engine] = {}
        self.accounts: dict[str, Account] = {}
        self.chaos = Chaos()
        self.chaos_stopped: set[str] = set()
        self._changed = threading.Condition(threading.RLock())
        self._stopping = False
        self._numbers = itertools.count(1)
        self.changes = 0
        threading.Thread(target=self._pace, name="lab-clock", daemon=True).start()

    @contextmanager
    def engine(self, region: str) -> Iterator[Engine]:
        """Hold the engine of a Region: nothing else happens in the lab meanwhile."""
        with self._changed:
            if region not in self._engines:
                catalogues = self._catalogues
                account = Account(region, catalogues, lambda: self._clock.now, lambda: self.changes)
                self.accounts[region] = account
                self._engines[region] = Engine(account, self._clock, catalogues=catalogues, seed=len(self._engines))
                self._engines[region].fleet.chaos = self.chaos
            yield self._engines[region]
            self._changed.notify_all()

    def changed(self) -> None:
        """Have everybody look anew at the account's instances, roles and networks: they may have changed."""
        # Without waiting for the lab: a clock that is being moved may hold it for minutes.
        self.changes = next(self._numbers)

    def prepare(self, region: str) -> None:
        """Have the engine of a Region, with its images, ready."""
        if region not in self._engines:
            with self.engine(region):
                pass

    def regions(self) -> list[str]:
        """Return the Regions that somebody has used."""
        with self._changed:
            return list(self._engines)

    @contextmanager
    def clock(self) -> Iterator[Clock]:
        """Hold the clock."""
        with self._changed:
            yield self._clock
            self._changed.notify_all()

    def now(self) -> datetime:
        """Return the lab's time."""
        with self._changed:
            return self._clock.now

    def entries(self) -> list[LogEntry]:
        """Return what happened in all Regions, in order."""
        with self._changed:
            return sorted(
                (entry for engine in self._engines.values() for entry in engine.entries), key=lambda entry: entry.number
            )

    def deliveries(self) -> list[tuple[str, Delivery]]:
        """Return what was told to topics and subscribers in all Regions, or was not, with the Region."""
        with self._changed:
            return [(region, one) for region, engine in self._engines.items() for one in engine.publishing.deliveries]

    def emitted(self) -> list[dict[str, Any]]:
        """Return the events of the event buses of all Regions."""
        with self._changed:
            return [event for engine in self._engines.values() for event in engine.event_bus.events]

    def stop(self) -> None:
        """Let no more time go by."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()

    def _pace(self) -> None:
        """While something runs, let time go by at the chosen speed, from one event to the next."""
        since, shown = time.monotonic(), self._clock.now
        with self._changed:
            while not self._stopping:
                if not self._clock.working:
                    self._changed.wait()
                    since, shown = time.monotonic(), self._clock.now
                    continue
                if self._clock.now != shown:
                    since, shown = time.monotonic(), self._clock.now
                due = self._clock.next_event() or shown
                # Reckoned from when the clock last moved: every request wakes this thread, and none may delay it.
                wait = since + (due - shown) / timedelta(seconds=self.speed) - time.monotonic()
                if wait > 0:
                    self._changed.wait(wait)
                else:
                    self._clock.step()
