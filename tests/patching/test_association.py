from __future__ import annotations

import pytest

from patching.association import check_calendar, check_severity
from patching.baseline import ComplianceLevel
from patching.errors import InvalidValueError


@pytest.mark.parametrize("severity", [one for one in ComplianceLevel if one is not ComplianceLevel.INFORMATIONAL])
def test_an_association_has_every_severity_but_one(severity: ComplianceLevel) -> None:
    check_severity(severity)
    with pytest.raises(InvalidValueError, match="CRITICAL, HIGH, MEDIUM, LOW or UNSPECIFIED, not INFORMATIONAL"):
        check_severity(ComplianceLevel.INFORMATIONAL)


@pytest.mark.parametrize(
    "calendar", ["abc", "a" * 128, "arn:aws:ssm:eu-west-1:123456789012:document/freeze", "${Token[CALENDAR.1]}"]
)
def test_a_calendar_has_a_name_or_an_arn(calendar: str) -> None:
    check_calendar(calendar)


@pytest.mark.parametrize("calendar", ["ab", "a" * 129, "a b", "", "arn:aws:s3:::bucket"])
def test_anything_else_is_no_calendar(calendar: str) -> None:
    with pytest.raises(InvalidValueError, match="is not the name or the ARN of a Change Calendar"):
        check_calendar(calendar)
