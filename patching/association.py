"""What a State Manager association has to keep to, besides its schedule.

Follows https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CreateAssociation.html and
https://docs.aws.amazon.com/systems-manager/latest/userguide/systems-manager-change-calendar.html. As targets it takes
five tag keys, like Run Command: `patching.targets`.
"""

from __future__ import annotations

import re

from patching.baseline import ComplianceLevel
from patching.errors import InvalidValueError, is_token

CALENDAR = re.compile(r"[a-zA-Z0-9_\-.]{3,128}|arn:aws[a-z-]*:ssm:[a-z0-9-]+:[0-9]{12}:document/[a-zA-Z0-9_\-.]{3,128}")
"""The name or the ARN of a Change Calendar."""


def check_severity(severity: ComplianceLevel) -> None:
    """Refuse the one level that baselines have and associations have not; raise `InvalidValueError`."""
    if severity is ComplianceLevel.INFORMATIONAL:
        message = "an association's severity is CRITICAL, HIGH, MEDIUM, LOW or UNSPECIFIED, not INFORMATIONAL"
        raise InvalidValueError(message)


def check_calendar(calendar: str) -> None:
    """Refuse what is no Change Calendar's name or ARN; raise `InvalidValueError`."""
    if not is_token(calendar) and not CALENDAR.fullmatch(calendar):
        message = f"{calendar!r} is not the name or the ARN of a Change Calendar (3 to 128 of a-z A-Z 0-9 _ - .)"
        raise InvalidValueError(message)
