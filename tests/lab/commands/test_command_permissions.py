"""Run Command: who may send a command, and to which nodes."""

from __future__ import annotations

import pytest

from lab.world.errors import ApiError
from patching.run_patch_baseline import Hooks, RunPatchBaseline
from tests.lab.simulated import (
    PUBLISHER,
    SENDER,
    Lab,
    details,
    fleet,
    invocations,
    notification,
    shell,
)

SCAN = RunPatchBaseline.scan()


def tagged(value: str) -> list[dict[str, object]]:
    """Allow sending the document, and sending to nodes with this tag."""
    return [
        {
            "Statement": [
                {
                    "Effect": "Allow",
                    "Action": "ssm:SendCommand",
                    "Resource": "arn:aws:ssm:us-east-1::document/AWS-RunPatchBaseline",
                },
                {
                    "Effect": "Allow",
                    "Action": "ssm:SendCommand",
                    "Resource": "arn:aws:ec2:*:*:instance/*",
                    "Condition": {"StringEquals": {"ssm:resourceTag/Stage": value}},
                },
            ]
        }
    ]


def test_a_node_whose_tags_the_sender_may_not_send_to_is_denied_and_the_rest_runs(lab: Lab) -> None:
    lab.approve()
    lab.launch(Stage="prod")
    lab.launch(Stage="test")
    lab.cloud.policies[SENDER] = tagged("test")
    command = lab.run(SCAN, sender_role=SENDER)
    assert details(command) == ["AccessDenied", "Success"]
    assert invocations(command)[0].status == "Failed"
    assert command.errors == 0
    assert command.status == "Success"


def test_a_sender_that_may_send_to_no_node_fails(lab: Lab) -> None:
    fleet(lab, 2)
    lab.cloud.policies[SENDER] = tagged("test")
    command = lab.run(SCAN, sender_role=SENDER)
    assert details(command) == ["AccessDenied", "AccessDenied"]
    assert command.status == "Failed"


def test_a_sender_that_may_not_send_the_document_is_refused(lab: Lab) -> None:
    fleet(lab, 1)
    lab.cloud.forbid(SENDER, "ssm:SendCommand", "arn:aws:ssm:us-east-1::document/*")
    with pytest.raises(ApiError, match=r"not authorized to perform ssm:SendCommand on .*AWS-RunPatchBaseline"):
        lab.send(sender_role=SENDER)


def test_a_document_of_the_account_is_named_with_the_account(lab: Lab) -> None:
    lab.launch()
    lab.add_document("own", shell("only"))
    lab.cloud.forbid(SENDER, "ssm:SendCommand", "arn:aws:ssm:us-east-1::document/*")
    assert lab.run_document("own", sender_role=SENDER).status == "Success"
    lab.cloud.forbid(SENDER, "ssm:SendCommand", "arn:aws:ssm:us-east-1:123456789012:document/own")
    with pytest.raises(ApiError, match=r"not authorized to perform ssm:SendCommand on .*:123456789012:document/own"):
        lab.run_document("own", sender_role=SENDER)


def test_a_sender_that_systems_manager_cannot_assume_is_refused(lab: Lab) -> None:
    lab.launch()
    lab.cloud.distrusted.add(SENDER)
    with pytest.raises(ApiError, match=f"ssm.amazonaws.com cannot assume {SENDER}"):
        lab.send(sender_role=SENDER)


def test_a_sender_needs_the_document_with_hooks_and_not_the_hooks(lab: Lab) -> None:
    fleet(lab, 1)
    lab.add_document("before", shell("only"))
    task = RunPatchBaseline.install(hooks=Hooks(pre_install="before"))
    lab.cloud.forbid(SENDER, "ssm:SendCommand", "arn:aws:ssm:us-east-1:123456789012:document/*")
    assert lab.run(task, sender_role=SENDER).status == "Success"
    lab.cloud.forbid(SENDER, "ssm:SendCommand", "arn:aws:ssm:us-east-1::document/AWS-RunPatchBaselineWithHooks")
    with pytest.raises(ApiError, match="AWS-RunPatchBaselineWithHooks"):
        lab.run(task, sender_role=SENDER)


def test_a_sender_that_may_not_pass_the_publishing_role_is_refused(lab: Lab) -> None:
    fleet(lab, 1)
    lab.cloud.forbid(SENDER, "iam:PassRole", PUBLISHER)
    lab.send(sender_role=SENDER)
    with pytest.raises(ApiError, match=r"not authorized to perform iam:PassRole on .*publisher"):
        lab.send(sender_role=SENDER, notification=notification())


def test_the_right_to_pass_a_role_may_be_limited_to_systems_manager(lab: Lab) -> None:
    fleet(lab, 1)
    lab.cloud.policies[SENDER] = [
        {
            "Statement": [
                {"Effect": "Allow", "Action": "ssm:*", "Resource": "*"},
                {
                    "Effect": "Allow",
                    "Action": "iam:PassRole",
                    "Resource": PUBLISHER,
                    "Condition": {"StringEquals": {"iam:PassedToService": "ssm.amazonaws.com"}},
                },
            ]
        }
    ]
    assert lab.run(sender_role=SENDER, notification=notification()).status == "Success"


def test_a_caller_without_a_role_is_not_judged(lab: Lab) -> None:
    fleet(lab, 1)
    lab.cloud.policies[""] = []
    assert lab.run(SCAN).status == "Success"
