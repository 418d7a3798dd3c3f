"""What a State Manager association has to keep to, besides its schedule.

Follows https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CreateAssociation.html and
https://docs.aws.amazon.com/systems-manager/latest/userguide/systems-manager-change-calendar.html. As targets it takes
five tag keys, like Run Command: `patching.targets`.
"""

from __future__ import annotations

from patching.baseline import ComplianceLevel
from patching.errors import InvalidValueError
from patching.form import CALENDAR


def check_severity(severity: ComplianceLevel) -> None:
    """Refuse the one level that baselines have and associations have not; raise `InvalidValueError`."""
    if severity is ComplianceLevel.INFORMATIONAL:
        message = "an association's severity is CRITICAL, HIGH, MEDIUM, LOW or UNSPECIFIED, not INFORMATIONAL"
        raise InvalidValueError(message)


def check_calendar(calendar: str) -> None:
    """Refuse what is no Change Calendar's name or ARN; raise `InvalidValueError`."""
    CALENDAR.check(calendar)
