"""What a maintenance window has to keep to, besides its schedule.

Follows https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CreateMaintenanceWindow.html and
https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_RegisterTaskWithMaintenanceWindow.html.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

from patching.errors import InvalidValueError, is_token
from patching.form import Form
from patching.quotas import MAX_DURATION_HOURS, MAX_TARGETS_OF_TASK
from patching.schedule import FIRST_YEAR, LAST_YEAR
from patching.targets import Targets

DELIVERY_TIMEOUT_SECONDS = (30, 2_592_000)
MAX_DESCRIPTION = 128
_NAME = Form(re.compile(r"[A-Za-z0-9_.-]{3,128}"), "the name of a window: 3 to 128 letters, digits, '_', '.' or '-'")


def check_name(name: str, description: str = "") -> None:
    """Refuse a name or a description that AWS does not take; raise `InvalidValueError`."""
    _NAME.check(name)
    if len(description) > MAX_DESCRIPTION and not is_token(description):
        message = f"a description of {len(description)} characters, but AWS takes {MAX_DESCRIPTION} at most"
        raise InvalidValueError(message)


def check_duration(duration_hours: int) -> None:
    """Refuse a duration that is not 1 to 24 hours; raise `InvalidValueError`."""
    if not 1 <= duration_hours <= MAX_DURATION_HOURS:
        message = f"duration_hours {duration_hours} is not a number of hours from 1 to {MAX_DURATION_HOURS}"
        raise InvalidValueError(message)


def check_cutoff(cutoff_hours: int, duration_hours: int) -> None:
    """Refuse a cutoff that leaves no time to start anything; raise `InvalidValueError`."""
    if not 0 <= cutoff_hours < duration_hours:
        message = (
            f"{cutoff_hours} is not below duration_hours {duration_hours}; a window stops starting tasks cutoff_hours "
            "before it ends"
        )
        raise InvalidValueError(message)


def check_day(day: date | None) -> None:
    """Refuse a first or last day outside of the years that AWS's schedules know; raise `InvalidValueError`.

    Those are in https://docs.aws.amazon.com/systems-manager/latest/userguide/reference-cron-and-rate-expressions.html.
    """
    if day and not FIRST_YEAR <= day.year <= LAST_YEAR:
        message = f"{day} is not between {FIRST_YEAR} and {LAST_YEAR}; leave it out if there is no limit"
        raise InvalidValueError(message)


def check_days(start: date | None, end: date | None) -> None:
    """Refuse a last day before the first one; raise `InvalidValueError`."""
    if start and end and end < start:
        message = f"{end} is before the first day, {start}: the window would never open"
        raise InvalidValueError(message)


def check_delivery_timeout(seconds: int | None) -> None:
    """Refuse a time to take the command that is not 30 seconds to 30 days; raise `InvalidValueError`."""
    least, most = DELIVERY_TIMEOUT_SECONDS
    if seconds is not None and not least <= seconds <= most:
        message = f"delivery timeout {seconds} is not a number of seconds from {least} to {most}"
        raise InvalidValueError(message)


def check_groups(groups: Sequence[Targets]) -> None:
    """Refuse more target groups than a task takes, or one twice; raise `InvalidValueError`.

    Follows https://docs.aws.amazon.com/general/latest/gr/ssm.html.
    """
    if not 1 <= len(groups) <= MAX_TARGETS_OF_TASK:
        message = f"{len(groups)} target groups, but AWS takes 1 to {MAX_TARGETS_OF_TASK} for a task"
        raise InvalidValueError(message)
    for index, group in enumerate(groups):
        if group in groups[:index]:
            message = f"the target group {group.in_words()} is there twice; take one out"
            raise InvalidValueError(message)
