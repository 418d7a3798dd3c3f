"""Documents of the account in a stack."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.lab.aws.stacks import Resource, Stack, association, gone

pytestmark = pytest.mark.xdist_group("local-aws")


def content(said: str) -> dict[str, Any]:
    step = {"action": "aws:runShellScript", "name": "say", "inputs": {"runCommand": [f"echo {said}"]}}
    return {"schemaVersion": "2.2", "description": said, "mainSteps": [step]}


def document(said: str = "one", **changes: Any) -> Resource:
    properties = {
        "Name": "Say",
        "Content": content(said),
        "DocumentFormat": "JSON",
        "DocumentType": "Command",
        "TargetType": "/AWS::EC2::Instance",
        "UpdateMethod": "NewVersion",
        "Tags": [{"Key": "Stage", "Value": said}],
    }
    return "AWS::SSM::Document", {**properties, **changes}


def test_a_document_comes_and_goes(stack: Stack, ssm: Any) -> None:
    assert stack.deploy(One=document()) == {"One": "Say"}
    described = ssm.describe_document(Name="Say")["Document"]
    assert (described["DocumentType"], described["TargetType"]) == ("Command", "/AWS::EC2::Instance")
    assert described["Tags"] == [{"Key": "Stage", "Value": "one"}]
    assert json.loads(ssm.get_document(Name="Say")["Content"]) == content("one")
    stack.delete()
    assert gone(ssm.describe_document, Name="Say")


def test_a_change_makes_another_version_which_is_the_default_one_then(stack: Stack, ssm: Any) -> None:
    stack.deploy(One=document())
    assert stack.deploy(One=document("two")) == {"One": "Say"}
    described = ssm.describe_document(Name="Say")["Document"]
    assert (described["DefaultVersion"], described["LatestVersion"]) == ("2", "2")
    assert described["Tags"] == [{"Key": "Stage", "Value": "two"}]
    assert json.loads(ssm.get_document(Name="Say")["Content"]) == content("two")
    assert json.loads(ssm.get_document(Name="Say", DocumentVersion="1")["Content"]) == content("one")


def test_a_change_of_the_tags_makes_no_version(stack: Stack, ssm: Any) -> None:
    stack.deploy(One=document())
    stack.deploy(One=document(Tags=[{"Key": "Team", "Value": "a"}]))
    described = ssm.describe_document(Name="Say")["Document"]
    assert (described["DefaultVersion"], described["Tags"]) == ("1", [{"Key": "Team", "Value": "a"}])


def test_content_may_be_text_as_well(stack: Stack, ssm: Any) -> None:
    stack.deploy(One=document(Content=json.dumps(content("text"))))
    assert json.loads(ssm.get_document(Name="Say")["Content"]) == content("text")
    assert stack.deploy(One=document(Content=json.dumps(content("text")), Name="Other")) == {"One": "Other"}
    assert gone(ssm.describe_document, Name="Say")


def test_without_new_version_a_document_with_a_name_cannot_change(stack: Stack, ssm: Any) -> None:
    stack.deploy(One=document(UpdateMethod="Replace"))
    assert stack.attempt(One=document("two", UpdateMethod="Replace")) == "UPDATE_ROLLBACK_COMPLETE"
    assert "cannot update a stack when a custom-named resource requires replacing. Rename Say" in stack.reasons
    assert json.loads(ssm.get_document(Name="Say")["Content"]) == content("one")


def test_without_new_version_a_document_without_a_name_is_replaced(stack: Stack, ssm: Any) -> None:
    def nameless(said: str) -> Resource:
        return "AWS::SSM::Document", {"Content": content(said)}

    old = stack.deploy(One=nameless("one"))["One"]
    new = stack.deploy(One=nameless("two"))["One"]
    assert new != old
    assert gone(ssm.describe_document, Name=old)
    assert json.loads(ssm.get_document(Name=new)["Content"]) == content("two")


def test_a_document_that_is_none_fails_the_stack(stack: Stack, ssm: Any) -> None:
    assert stack.attempt(One=document(Content={"description": "no schema version"})) == "ROLLBACK_COMPLETE"
    assert "schemaVersion is missing" in stack.reasons
    assert gone(ssm.describe_document, Name="Say")


# Calendars.


def calendar(kind: str = "DEFAULT_OPEN", *events: str, **changes: Any) -> Resource:
    lines = ["BEGIN:VCALENDAR", "PRODID:-//AWS//Change Calendar 1.0//EN", "VERSION:2.0", f"X-CALENDAR-TYPE:{kind}"]
    properties = {
        "Name": "Freeze",
        "Content": "\r\n".join([*lines, *events, "END:VCALENDAR", ""]),
        "DocumentFormat": "TEXT",
        "DocumentType": "ChangeCalendar",
        "UpdateMethod": "NewVersion",
    }
    return "AWS::SSM::Document", {**properties, **changes}


EVENT = (
    "BEGIN:VEVENT",
    "UID:1",
    "DTSTAMP:20260101T000000Z",
    "DTSTART:20301224T000000Z",
    "DTEND:20301227T000000Z",
    "END:VEVENT",
)


def test_a_calendar_comes_changes_and_goes(stack: Stack, ssm: Any) -> None:
    def state(**at: str) -> tuple[str, str]:
        reply = ssm.get_calendar_state(CalendarNames=["Freeze"], **at)
        return reply["State"], reply.get("NextTransitionTime", "")

    stack.deploy(Calendar=calendar("DEFAULT_OPEN", *EVENT))
    described = ssm.describe_document(Name="Freeze")["Document"]
    assert (described["DocumentType"], described["DocumentFormat"]) == ("ChangeCalendar", "TEXT")
    assert "DEFAULT_OPEN" in ssm.get_document(Name="Freeze")["Content"]
    assert state() == ("OPEN", "2030-12-24T00:00:00Z")
    assert state(AtTime="2030-12-25T00:00:00+09:00") == ("CLOSED", "2030-12-27T00:00:00Z")
    stack.deploy(Calendar=calendar("DEFAULT_CLOSED", *EVENT))
    assert ssm.describe_document(Name="Freeze")["Document"]["DefaultVersion"] == "2"
    assert state() == ("CLOSED", "2030-12-24T00:00:00Z")
    stack.delete()
    assert gone(ssm.describe_document, Name="Freeze")


def test_a_calendar_that_is_none_fails_the_stack(stack: Stack) -> None:
    assert stack.attempt(Calendar=calendar("SOMETIMES")) == "ROLLBACK_COMPLETE"
    assert "The content for the document is not valid: X-CALENDAR-TYPE is SOMETIMES" in stack.reasons


def test_an_association_waits_for_its_calendars(stack: Stack, ssm: Any) -> None:
    names = [{"Fn::Sub": "arn:aws:ssm:${AWS::Region}:${AWS::AccountId}:document/${Calendar}"}]
    made = stack.deploy(Calendar=calendar("DEFAULT_CLOSED"), Scan=association(CalendarNames=names), Free=association())

    def executions(name: str) -> int:
        found = ssm.describe_association_executions(AssociationId=made[name])["AssociationExecutions"]
        return len(found)

    assert (executions("Scan"), executions("Free")) == (0, 1)
    described = ssm.describe_association(AssociationId=made["Scan"])["AssociationDescription"]
    assert described["CalendarNames"] == ["arn:aws:ssm:eu-west-1:123456789012:document/Freeze"]
    stack.deploy(Calendar=calendar("DEFAULT_OPEN"), Scan=association(CalendarNames=names), Free=association())
    ssm.start_associations_once(AssociationIds=[made["Scan"]])
    assert executions("Scan") == 1
