"""How long the output of commands is kept.

Follows https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-expire-general-considerations.html and
https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html.
"""

from __future__ import annotations

from patching.errors import InvalidValueError

MAX_RETENTION_DAYS = 3650

LOG_RETENTIONS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)
"""The days that CloudWatch Logs takes, and no others."""


def check_retention(days: int) -> None:
    """Refuse what is not 1 to 3,650 days; raise `InvalidValueError`."""
    if not 1 <= days <= MAX_RETENTION_DAYS:
        message = f"{days} is not a number of days from 1 to {MAX_RETENTION_DAYS:,}"
        raise InvalidValueError(message)


def log_retention(days: int) -> int:
    """Return the shortest time that CloudWatch Logs takes and that is not below this one."""
    check_retention(days)
    return next(one for one in LOG_RETENTIONS if one >= days)
