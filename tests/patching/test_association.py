from __future__ import annotations

import pytest

from patching.association import check_calendar, check_name, check_run, check_severity
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


def test_an_installation_waits_for_its_time_and_a_scan_need_not() -> None:
    check_run("AWS-RunPatchBaseline", {"Operation": ["Install"]}, run_when_made=False)
    check_run("AWS-RunPatchBaseline", {"Operation": ["Scan"]}, run_when_made=True)
    check_run("AWS-UpdateSSMAgent", {}, run_when_made=True)
    for document in ("AWS-RunPatchBaseline", "AWS-RunPatchBaselineWithHooks"):
        with pytest.raises(InvalidValueError, match="installs, and reboots, as soon as it is made or changed"):
            check_run(document, {"Operation": ["Install"]}, run_when_made=True)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"Operation": ["Scann"]}, "operation 'Scann' is not one of Scan, Install"),
        ({"Operation": ["Install"], "RebootOption": ["Never"]}, "reboot option 'Never' is not one of"),
        ({}, "needs the parameter Operation"),
    ],
)
def test_what_the_document_refuses_is_refused(parameters: dict[str, list[str]], message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        check_run("AWS-RunPatchBaseline", parameters, run_when_made=False)


def test_a_name_is_one_that_aws_takes() -> None:
    for name in ("abc", "a" * 128, "${Token[NAME.1]}"):
        check_name(name)
    for name in ("ab", "a" * 129, "a b"):
        with pytest.raises(InvalidValueError, match="is not the name of an association"):
            check_name(name)
