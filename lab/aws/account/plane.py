"""The engines behind the server: one a Region, all on one clock, and the thread that lets time go by."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from lab.aws.account.account import Account
from lab.aws.account.changes import Changes
from lab.engine import Engine, LogEntry
from lab.nodes.chaos import Chaos
from lab.patches.catalogue import Catalogue
from lab.patches.catalogue_file import built_in
from lab.world.clock import Clock
from lab.world.publishing import Delivery

DEFAULT_START = datetime.fromisoformat("2026-11-16T00:00:00+00:00")
"""The first time that the clock shows: the built-in catalogue has patches of all ages around it."""

_STEP = 0.2
"""Seconds between two steps of a clock that runs."""

DEFAULT_SPEED = 120.0
"""Lab seconds in a second, while something runs."""


class Plane:
    """Everything that the lab adds to moto, for one account.

    Args:
        start: what the clock shows first.
        speed: lab seconds that go by in a second while something runs; the clock stands still while nothing does.
        catalogues: the operating systems with their patches; the built-in ones by default.
        running: whether time also goes by while nothing runs.

    Attributes:
        accounts: the account around the engine of each Region.
        chaos: how nodes differ.
        chaos_stopped: the instances that are stopped for that reason.
        changes: tells whether instances, roles or networks may have changed.
    """

    def __init__(
        self,
        *,
        start: datetime = DEFAULT_START,
        speed: float = DEFAULT_SPEED,
        catalogues: tuple[Catalogue, ...] | None = None,
        running: bool = False,
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
        self.running = running
        self.changes = Changes()
        threading.Thread(target=self._pace, name="lab-clock", daemon=True).start()

    @contextmanager
    def engine(self, region: str) -> Iterator[Engine]:
        """Hold the engine of a Region: nothing else happens in the lab meanwhile."""
        with self._changed:
            if region not in self._engines:
                catalogues = self._catalogues
                account = Account(region, catalogues, self._clock, self.changes)
                self.accounts[region] = account
                self._engines[region] = Engine(account, self._clock, catalogues=catalogues, seed=len(self._engines))
                self._engines[region].fleet.chaos = self.chaos
            waiting = self._clock.scheduled
            yield self._engines[region]
            if self._clock.scheduled != waiting:
                self._changed.notify_all()

    def pace(self, *, speed: float | None = None, running: bool | None = None) -> None:
        """Choose how fast time goes by, and whether it does while nothing runs."""
        with self._changed:
            self.speed = self.speed if speed is None else speed
            self.running = self.running if running is None else running
            self._changed.notify_all()

    def changed(self) -> None:
        """Have everybody look anew at the account's instances, roles and networks: they may have changed."""
        # Without waiting for the lab: a clock that is being moved may hold it for minutes.
        self.changes.note()

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
        """Return the lab's time, without waiting for a clock that is being moved."""
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

    @contextmanager
    def at_rest(self) -> Iterator[dict[str, Any]]:
        """Hold the state of everything, once nothing runs any more: the clock moves on until then."""
        with self._changed:
            self._clock.finish_work()
            yield {
                "clock": self._clock,
                "engines": self._engines,
                "accounts": self.accounts,
                "catalogues": self._catalogues,
                "changes": self.changes,
                "chaos": self.chaos,
                "chaos_stopped": self.chaos_stopped,
                "speed": self.speed,
            }

    def resume(self, state: dict[str, Any]) -> None:
        """Go on from a state that `at_rest` gave."""
        with self._changed:
            self._clock = state["clock"]
            self.speed = state["speed"]
            self._engines = state["engines"]
            self.accounts = state["accounts"]
            self._catalogues = state["catalogues"]
            self.changes = state["changes"]
            self.chaos = state["chaos"]
            self.chaos_stopped = state["chaos_stopped"]
            self.changes.note()
            self._changed.notify_all()

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
                if self.running:
                    # Time goes on whether anything runs or not, in steps that are small to whoever watches.
                    passed = timedelta(seconds=(time.monotonic() - since) * self.speed)
                    since = time.monotonic()
                    self._clock.advance(self._clock.now + passed)
                    shown = self._clock.now
                    self._changed.wait(_STEP)
                    continue
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
