"""The clock."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from lab.world.clock import Clock
from tests.lab.simulated import day

HOUR = timedelta(hours=1)
NOON = day("2026-03-15 12:00")


@pytest.fixture
def clock() -> Clock:
    return Clock(NOON)


@pytest.fixture
def seen() -> list[str]:
    return []


@pytest.fixture
def say(clock: Clock, seen: list[str]) -> Callable[[str], Callable[[], None]]:
    return lambda what: lambda: seen.append(f"{what} at {clock.now:%H:%M}")


def test_events_happen_in_the_order_of_their_times(
    clock: Clock, seen: list[str], say: Callable[..., Callable[[], None]]
) -> None:
    clock.at(NOON + 2 * HOUR, say("second"))
    clock.at(NOON + HOUR, say("first"))
    clock.advance(NOON + 3 * HOUR)
    assert seen == ["first at 13:00", "second at 14:00"]
    assert clock.now == NOON + 3 * HOUR


def test_events_of_one_time_happen_in_the_order_in_which_they_were_planned(
    clock: Clock, seen: list[str], say: Callable[..., Callable[[], None]]
) -> None:
    for name in ("c", "a", "b"):
        clock.at(NOON + HOUR, say(name))
    clock.advance(NOON + HOUR)
    assert [one[0] for one in seen] == ["c", "a", "b"]


def test_an_event_for_a_time_that_has_passed_happens_now(
    clock: Clock, seen: list[str], say: Callable[..., Callable[[], None]]
) -> None:
    clock.at(NOON - HOUR, say("late"))
    clock.step()
    assert seen == ["late at 12:00"]


def test_advance_stops_before_events_that_are_not_due(
    clock: Clock, seen: list[str], say: Callable[..., Callable[[], None]]
) -> None:
    clock.at(NOON + HOUR, say("later"))
    clock.advance(NOON + HOUR - timedelta(seconds=1))
    assert seen == []
    assert clock.next_event() == NOON + HOUR


def test_advance_never_goes_back(clock: Clock) -> None:
    clock.advance(NOON - HOUR)
    assert clock.now == NOON


def test_an_event_planned_on_the_way_still_happens_on_the_way(
    clock: Clock, seen: list[str], say: Callable[..., Callable[[], None]]
) -> None:
    def plan() -> None:
        clock.at(NOON + 2 * HOUR, say("follow-up"))

    clock.at(NOON + HOUR, plan)
    clock.advance(NOON + 3 * HOUR)
    assert seen == ["follow-up at 14:00"]


def test_a_cancelled_event_does_not_happen(
    clock: Clock, seen: list[str], say: Callable[..., Callable[[], None]]
) -> None:
    clock.cancel(clock.at(NOON + HOUR, say("cancelled")))
    assert clock.next_event() is None
    clock.advance(NOON + 2 * HOUR)
    assert seen == []


def test_only_work_makes_the_clock_work(clock: Clock) -> None:
    clock.at(NOON + HOUR, lambda: None)
    assert not clock.working
    clock.at(NOON + HOUR, lambda: None, work=True)
    assert clock.working


def test_work_that_is_cancelled_twice_is_counted_once(clock: Clock) -> None:
    event = clock.at(NOON + HOUR, lambda: None, work=True)
    clock.at(NOON + HOUR, lambda: None, work=True)
    clock.cancel(event)
    clock.cancel(event)
    assert clock.working


def test_work_that_has_happened_cannot_be_cancelled(clock: Clock) -> None:
    done = clock.at(NOON + HOUR, lambda: None, work=True)
    clock.at(NOON + 2 * HOUR, lambda: None, work=True)
    clock.step()
    clock.cancel(done)
    assert clock.working


def test_finishing_the_work_leaves_the_calendar_alone(
    clock: Clock, seen: list[str], say: Callable[..., Callable[[], None]]
) -> None:
    clock.at(NOON + HOUR, say("work"), work=True)
    clock.at(NOON + 2 * HOUR, say("calendar"))
    clock.finish_work()
    assert seen == ["work at 13:00"]
    assert clock.now == NOON + HOUR


def test_a_step_with_nothing_to_do_moves_nothing(clock: Clock) -> None:
    clock.step()
    assert clock.now == NOON


def test_an_event_that_is_over_holds_on_to_nothing() -> None:
    clock = Clock(day("2026-03-15"))
    done = clock.at(day("2026-03-16"), lambda: None)
    dropped = clock.at(day("2026-03-17"), lambda: None)
    clock.cancel(dropped)
    clock.advance(day("2026-03-18"))
    assert done.action.__qualname__ == dropped.action.__qualname__ == "_nothing"
