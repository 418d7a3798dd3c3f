from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from patching import maintenance_window as checks
from patching.command_events import CommandEvent, check_events
from patching.errors import InvalidValueError
from patching.targets import Targets
from tests.rows import each_row

GROUPS = [Targets.tag("Role", f"r{number}") for number in range(11)]


@each_row(
    ("check", "arguments", "message"),
    [
        (checks.check_duration, [0], "duration_hours 0 is not a number of hours from 1 to 24"),
        (checks.check_duration, [25], "duration_hours 25 is not a number of hours from 1 to 24"),
        (
            checks.check_cutoff,
            [4, 4],
            "4 is not below duration_hours 4; a window stops starting tasks cutoff_hours before",
        ),
        (checks.check_cutoff, [-1, 4], "-1 is not below duration_hours 4"),
        (checks.check_day, [date(1969, 12, 31)], "1969-12-31 is not between 1970 and 2199; leave it out"),
        (checks.check_day, [date(2200, 1, 1)], "2200-01-01 is not between 1970 and 2199"),
        (checks.check_days, [date(2026, 1, 2), date(2026, 1, 1)], "2026-01-01 is before the first day, 2026-01-02"),
        (checks.check_delivery_timeout, [29], "delivery timeout 29 is not a number of seconds from 30 to 2592000"),
        (checks.check_delivery_timeout, [2_592_001], "delivery timeout 2592001 is not a number of seconds"),
        (checks.check_groups, [[]], "0 target groups, but AWS takes 1 to 10 for a task"),
        (checks.check_groups, [GROUPS], "11 target groups, but AWS takes 1 to 10 for a task"),
        (checks.check_groups, [[*GROUPS[:2], GROUPS[0]]], "the target group Role=r0 is there twice; take one out"),
        (check_events, [[]], "no event is named; name All, InProgress"),
        (check_events, [["Done"]], "'Done' is not an event of a command; expected one of All, InProgress"),
        (check_events, [["All", "Failed"]], "All stands for every event; take it out, or take the others out"),
    ],
)
def test_what_a_window_does_not_take_is_refused(check: Callable[..., None], arguments: list[Any], message: str) -> None:
    with pytest.raises(InvalidValueError) as refused:
        check(*arguments)
    assert str(refused.value).startswith(message)


@each_row(
    ("check", "arguments"),
    [
        (checks.check_duration, [1]),
        (checks.check_duration, [24]),
        (checks.check_cutoff, [3, 4]),
        (checks.check_cutoff, [0, 1]),
        (checks.check_day, [None]),
        (checks.check_day, [date(1970, 1, 1)]),
        (checks.check_day, [date(2199, 12, 31)]),
        (checks.check_days, [date(2026, 1, 1), date(2026, 1, 1)]),
        (checks.check_days, [None, date(2026, 1, 1)]),
        (checks.check_delivery_timeout, [None]),
        (checks.check_delivery_timeout, [30]),
        (checks.check_delivery_timeout, [2_592_000]),
        (checks.check_groups, [GROUPS[:1]]),
        (checks.check_groups, [GROUPS[:10]]),
        (check_events, [["All"]]),
        (check_events, [[event for event in CommandEvent if event is not CommandEvent.ALL]]),
    ],
)
def test_what_a_window_takes_passes(check: Callable[..., None], arguments: list[Any]) -> None:
    check(*arguments)
