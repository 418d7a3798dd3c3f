"""A command is sent once or not at all, whatever becomes of the connection."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from lab.local_aws import LocalAws
from ops import sending
from ops.errors import OperationError
from ops.session import Session

pytestmark = [pytest.mark.xdist_group("ops"), pytest.mark.usefixtures("impatient")]

REQUEST = {
    "DocumentName": "AWS-RunPatchBaseline",
    "Parameters": {"Operation": ["Scan"]},
    "Targets": [{"Key": "tag:Environment", "Values": ["lab"]}],
}


def ids(session: Session) -> list[str]:
    return [
        one["CommandId"] for page in session.ssm.get_paginator("list_commands").paginate() for one in page["Commands"]
    ]


def send(session: Session, comment: str = "") -> str:
    return sending.send_once(session, {**REQUEST, "Comment": comment}, sleep=lambda _: None)


def fault(account: LocalAws, do: str, calls: str = "ssm:SendCommand", **more: Any) -> None:
    account.set_faults([{"calls": calls, "do": do, **more}])


def test_a_command_is_sent_with_a_mark_that_its_comment_does_not_show(session: Session) -> None:
    command = send(session, "For people")
    (found,) = session.ssm.list_commands(CommandId=command)["Commands"]
    assert found["Comment"].startswith("For people patchops:")
    assert sending.without_mark(found["Comment"]) == "For people"


def test_a_comment_is_shortened_for_the_mark(session: Session) -> None:
    (found,) = session.ssm.list_commands(CommandId=send(session, "x" * 100))["Commands"]
    assert len(found["Comment"]) == 100


@pytest.mark.parametrize("do", ["cut-after", "cut-within"])
def test_a_command_whose_reply_is_lost_is_found_and_not_sent_again(
    account: LocalAws, session: Session, do: str
) -> None:
    before = ids(session)
    fault(account, do)
    command = send(session)
    assert [one for one in ids(session) if one not in before] == [command]


@pytest.mark.parametrize("do", ["cut-before", "internal-error", "unavailable"])
def test_a_command_that_was_probably_not_sent_is_not_sent_again_but_said(
    account: LocalAws, session: Session, do: str
) -> None:
    before = ids(session)
    fault(account, do, times=1)
    with pytest.raises(
        OperationError, match="probably not sent, and nothing was sent again: look with `patchops runs`"
    ):
        send(session)
    assert ids(session) == before


def test_a_command_that_shows_up_late_is_found(account: LocalAws, session: Session) -> None:
    fault(account, "cut-after")
    looks: list[float] = []
    original = sending.find

    def find(*arguments: Any) -> str:
        return original(*arguments) if len(looks) >= 2 else ""

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sending, "find", find)
        command = sending.send_once(session, REQUEST, sleep=looks.append)
    assert command in ids(session)
    assert looks == [0.5, 1.0]


def test_a_command_that_was_throttled_is_sent_again_a_while_later(account: LocalAws, session: Session) -> None:
    before = ids(session)
    fault(account, "throttle", times=3)
    waits: list[float] = []
    command = sending.send_once(session, REQUEST, sleep=waits.append)
    assert [one for one in ids(session) if one not in before] == [command]
    assert waits == [0.5, 1.0, 2.0]


@pytest.mark.parametrize(("do", "code"), [("throttle", "ThrottlingException"), ("expired-token", "ExpiredToken")])
def test_a_command_that_is_refused_for_good_is_not_sent(
    account: LocalAws, session: Session, do: str, code: str
) -> None:
    before = ids(session)
    fault(account, do)
    with pytest.raises(ClientError, match=code):
        send(session)
    assert ids(session) == before


def test_where_nobody_listens_it_is_tried_again_and_then_said(account: LocalAws) -> None:
    waits: list[float] = []
    with pytest.raises(EndpointConnectionError):
        sending.send_once(Session(endpoint_url="http://127.0.0.1:9"), REQUEST, sleep=waits.append)
    assert len(waits) == 5


def test_looking_that_fails_as_well_is_said(account: LocalAws, session: Session) -> None:
    account.set_faults([{"calls": "ssm:SendCommand", "do": "cut-after"}, {"calls": "ssm:List*", "do": "access-denied"}])
    with pytest.raises(OperationError, match="looking for it: ListCommands: no permission"):
        send(session)
