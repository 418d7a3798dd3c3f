"""The changes of a command's status that Run Command tells of.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/monitoring-sns-notifications.html and
https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_NotificationConfig.html.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from patching.errors import InvalidValueError


class CommandEvent(StrEnum):
    """A change of a command's status, as a notification of Run Command names it."""

    ALL = "All"
    """Every change."""

    IN_PROGRESS = "InProgress"
    """It has begun."""

    SUCCESS = "Success"
    """It has ended, and nothing failed."""

    TIMED_OUT = "TimedOut"
    """A node did not take it in time, or did not end it in time."""

    CANCELLED = "Cancelled"
    """Somebody, or a window's cutoff, has cancelled it."""

    FAILED = "Failed"
    """It has ended, and failed."""


def check_events(events: Sequence[str]) -> None:
    """Refuse events that Run Command does not know, none at all, and `All` beside others.

    Raises:
        InvalidValueError: with the first of them.
    """
    for event in events:
        if event not in set(CommandEvent):
            message = f"{event!r} is not an event of a command; expected one of {', '.join(CommandEvent)}"
            raise InvalidValueError(message)
    if not events:
        message = f"no event is named; name {', '.join(CommandEvent)}"
        raise InvalidValueError(message)
    if CommandEvent.ALL in events and len(events) > 1:
        message = "All stands for every event; take it out, or take the others out"
        raise InvalidValueError(message)
