"""Run Command: what a topic is told, and by which role."""

from __future__ import annotations

import pytest

from lab.world.errors import ApiError
from patching.rate_control import RateControl
from patching.run_patch_baseline import RunPatchBaseline
from patching.targets import Targets
from tests.lab.simulated import (
    KEY,
    LEAVES_IT_TO_IAM,
    PUBLISHER,
    Lab,
    fleet,
    notification,
)

SCAN = RunPatchBaseline.scan()


def told(lab: Lab, *events: str, per_invocation: bool = False, size: int = 2, broken: int = 0) -> list[str]:
    """Run a command, and return the statuses that were told."""
    fleet(lab, size, broken=tuple(range(broken)))
    lab.run(rate=RateControl(1, 0), notification=notification(*events, per_invocation=per_invocation))
    return [message["status"] for message in lab.cloud.messages]


def test_a_command_is_told_once_for_each_change(lab: Lab) -> None:
    assert told(lab) == ["InProgress", "Success"]


def test_invocations_are_told_node_by_node(lab: Lab) -> None:
    assert told(lab, per_invocation=True) == ["InProgress", "Success", "InProgress", "Success"]
    nodes = [message["instanceId"] for message in lab.cloud.messages]
    assert nodes == ["i-00000001", "i-00000001", "i-00000002", "i-00000002"]


@pytest.mark.parametrize(
    ("event", "statuses"),
    [
        ("All", ["InProgress", "Failed", "Failed"]),
        ("InProgress", ["InProgress"]),
        ("Success", []),
        ("Failed", ["Failed", "Failed"]),
        ("TimedOut", []),
        ("Cancelled", []),
    ],
)
def test_only_the_events_that_were_asked_for_are_told(lab: Lab, event: str, statuses: list[str]) -> None:
    assert told(lab, event, per_invocation=True, broken=1) == statuses


def test_several_events_can_be_asked_for(lab: Lab) -> None:
    assert told(lab, "Success", "Failed") == ["Success"]


def test_success_is_told_of_those_that_succeed(lab: Lab) -> None:
    assert told(lab, "Success", per_invocation=True) == ["Success", "Success"]


def test_a_delivery_that_times_out_is_told(lab: Lab) -> None:
    (node,) = fleet(lab, 1)
    lab.change(node, running=False)
    lab.run(notification=notification("TimedOut"))
    lab.run(notification=notification("TimedOut", per_invocation=True))
    assert [message["status"] for message in lab.cloud.messages] == ["TimedOut", "TimedOut"]


@pytest.mark.parametrize("per_invocation", [False, True])
def test_a_cancellation_is_told_and_cancelling_is_not(lab: Lab, per_invocation: bool) -> None:
    fleet(lab, 2)
    command = lab.send(SCAN, notification=notification("Cancelled", per_invocation=per_invocation))
    lab.clock.step()
    lab.engine.run_command.cancel(command)
    lab.clock.finish_work()
    assert [message["status"] for message in lab.cloud.messages] == ["Cancelled"]


def test_a_message_on_a_command_names_no_nodes_when_they_were_chosen_by_tag(lab: Lab) -> None:
    (node,) = fleet(lab, 1)
    command = lab.run(SCAN, bucket="output", prefix="runs", notification=notification("Success"))
    assert lab.cloud.messages == [
        {
            "commandId": command.id,
            "documentName": "AWS-RunPatchBaseline",
            "instanceIds": [],
            "requestedDateTime": "2026-03-15T00:00:00.000Z",
            "expiresAfter": "2026-03-15T03:00:00.000Z",
            "outputS3BucketName": "output",
            "outputS3KeyPrefix": "runs",
            "status": "Success",
            "eventTime": "2026-03-15T00:00:42.000Z",
        }
    ]
    lab.run(SCAN, targets=Targets.instances(node.id), notification=notification("Success"))
    assert lab.cloud.messages[1]["instanceIds"] == [node.id]


def test_a_message_on_an_invocation_has_its_detailed_status(lab: Lab) -> None:
    (node,) = fleet(lab, 1)
    command = lab.run(SCAN, notification=notification("Success", per_invocation=True))
    assert lab.cloud.messages == [
        {
            "commandId": command.id,
            "documentName": "AWS-RunPatchBaseline",
            "instanceId": node.id,
            "requestedDateTime": "2026-03-15T00:00:00.000Z",
            "status": "Success",
            "detailedStatus": "Success",
            "eventTime": "2026-03-15T00:00:42.000Z",
        }
    ]


@pytest.mark.parametrize("action", ["sns:Publish", "kms:GenerateDataKey", "kms:Decrypt"])
def test_a_role_that_may_not_publish_tells_nobody_and_fails_nothing(lab: Lab, action: str) -> None:
    fleet(lab, 1)
    lab.cloud.topic_keys[notification().topic] = KEY
    lab.cloud.key_policies[KEY] = LEAVES_IT_TO_IAM
    assert lab.run(SCAN, notification=notification()).status == "Success"
    assert len(lab.cloud.messages) == 2
    lab.cloud.forbid(PUBLISHER, action)
    assert lab.run(SCAN, notification=notification()).status == "Success"
    assert len(lab.cloud.messages) == 2
    assert f"{notification().topic} not told: {PUBLISHER} does not allow {action}" in lab.log


def test_a_topic_without_a_key_needs_no_right_to_one(lab: Lab) -> None:
    lab.cloud.forbid(PUBLISHER, "kms:*")
    assert told(lab) == ["InProgress", "Success"]


def test_a_topic_that_is_not_there_fails_nothing(lab: Lab) -> None:
    fleet(lab, 1)
    missing = notification()
    lab.run(SCAN, notification=type(missing)(missing.topic + "x", ("All",), False, PUBLISHER))
    assert lab.cloud.messages == []
    assert f"{missing.topic}x not told: there is no such topic" in lab.log


def test_a_role_that_systems_manager_cannot_assume_is_refused(lab: Lab) -> None:
    fleet(lab, 1)
    lab.cloud.distrusted.add(PUBLISHER)
    with pytest.raises(ApiError, match=f"cannot assume {PUBLISHER}") as error:
        lab.send(notification=notification())
    assert error.value.code == "InvalidRole"


def test_a_role_that_loses_its_trust_on_the_way_tells_nobody_and_fails_nothing(lab: Lab) -> None:
    fleet(lab, 1)
    command = lab.send(SCAN, notification=notification())
    lab.cloud.distrusted.add(PUBLISHER)
    lab.clock.finish_work()
    assert (command.status, lab.cloud.messages) == ("Success", [])
    assert {one.source for one in lab.engine.publishing.deliveries} == {f"command {command.id}"}
    assert f"ssm.amazonaws.com cannot assume {PUBLISHER}" in lab.log
