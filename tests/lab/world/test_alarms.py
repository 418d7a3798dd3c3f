"""Metrics, and alarms on them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from lab.world.alarms import State
from lab.world.cloud import Alarm, RuleTarget
from patching.run_patch_baseline import RunPatchBaseline
from tests.lab.simulated import TOPIC, Lab, day, fleet

ARN = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:failures"
CLOUDWATCH = {"Service": "cloudwatch.amazonaws.com"}


def an_alarm() -> Alarm:
    """Return an alarm on commands that fail."""
    return Alarm(
        name="failures",
        arn=ARN,
        description="A command has failed",
        namespace="AWS/SSM-RunCommand",
        metric="CommandsFailed",
        dimensions={},
        statistic="Sum",
        period=timedelta(minutes=5),
        evaluation_periods=1,
        datapoints=1,
        comparison="GreaterThanOrEqualToThreshold",
        threshold=1,
        missing_data="notBreaching",
        state="OK",
        actions_enabled=True,
        actions={"ALARM": [TOPIC], "OK": [TOPIC]},
    )


def alarmed(lab: Lab, **changes: Any) -> None:
    """Have an alarm on commands that fail, which tells a topic that lets it."""
    lab.cloud.topic_policy = {
        "Statement": [{"Effect": "Allow", "Principal": CLOUDWATCH, "Action": "sns:Publish", "Resource": TOPIC}]
    }
    lab.cloud.alarmed["failures"] = replace(an_alarm(), **changes)
    lab.engine.alarms.watch("failures")


def fail(lab: Lab, times: int = 1) -> None:
    """Have commands fail now."""
    for _ in range(times):
        lab.engine.metrics.count("AWS/SSM-RunCommand", "CommandsFailed")


def states(lab: Lab) -> list[tuple[str, str]]:
    """Return the times and the states that were told."""
    return [(one["StateChangeTime"][11:16], one["NewStateValue"]) for one in lab.cloud.messages]


def state(lab: Lab) -> str:
    return lab.cloud.alarmed["failures"].state


# Metrics.


def test_the_end_of_a_command_is_counted_by_how_it_ended() -> None:
    lab = Lab()
    first, _ = fleet(lab, 2, broken=(1,))
    lab.run(RunPatchBaseline.scan())
    lab.run()
    lab.change(first, running=False)
    lab.run(delivery_timeout_seconds=60)
    counted = [(namespace, name, value) for namespace, name, _, value in lab.cloud.metrics]
    assert counted == [
        ("AWS/SSM-RunCommand", "CommandsSucceeded", 1),
        ("AWS/SSM-RunCommand", "CommandsFailed", 1),
        ("AWS/SSM-RunCommand", "CommandsFailed", 1),
    ]


def test_a_command_that_reaches_nobody_in_time_is_counted_so() -> None:
    lab = Lab()
    lab.change(lab.launch(), running=False)
    lab.run(delivery_timeout_seconds=60)
    assert [name for _, name, _, _ in lab.cloud.metrics] == ["CommandsDeliveryTimedOut"]


def test_what_a_rule_tells_is_counted_and_what_of_it_does_not_arrive() -> None:
    lab = Lab()
    lab.cloud.rules = [("One", RuleTarget("failures", "arn:rule", TOPIC))]
    lab.engine.event_bus.emit("One", [], {})
    assert lab.cloud.metrics == [
        ("AWS/Events", name, {"RuleName": "failures"}, 1) for name in ("Invocations", "FailedInvocations")
    ]


# When an alarm changes.


def test_an_alarm_goes_off_in_the_minute_after_and_is_well_again_after_its_period() -> None:
    lab = Lab()
    alarmed(lab)
    lab.clock.advance(day("2026-03-15 01:00:10"))
    fail(lab)
    lab.clock.advance(day("2026-03-15 02:00"))
    assert states(lab) == [("01:01", "ALARM"), ("01:06", "OK")]


def test_an_alarm_goes_off_by_itself_after_a_command_that_failed() -> None:
    lab = Lab()
    fleet(lab, 1, broken=(0,))
    alarmed(lab)
    lab.run()
    assert state(lab) == "ALARM"


def test_an_alarm_tells_who_it_is_and_why() -> None:
    lab = Lab()
    alarmed(lab)
    fail(lab)
    lab.clock.advance(day("2026-03-15 00:02"))
    (message,) = lab.cloud.messages
    assert (message["AlarmName"], message["AlarmArn"], message["AWSAccountId"]) == ("failures", ARN, "123456789012")
    assert (message["OldStateValue"], message["NewStateValue"]) == ("OK", "ALARM")
    assert message["NewStateReason"].startswith("1 of the last 1 datapoints (1) breach GreaterThanOrEqualToThreshold 1")
    assert message["Trigger"]["MetricName"] == "CommandsFailed"
    assert lab.cloud.subjects == ['ALARM: "failures" in us-east-1']
    assert "alarm failures: OK to ALARM" in lab.log


@pytest.mark.parametrize(
    ("comparison", "threshold", "goes_off"),
    [
        ("GreaterThanOrEqualToThreshold", 2, True),
        ("GreaterThanThreshold", 2, False),
        ("GreaterThanThreshold", 1.5, True),
        ("LessThanOrEqualToThreshold", 2, True),
        ("LessThanThreshold", 2, False),
    ],
)
def test_datapoints_are_compared_as_the_alarm_says(comparison: str, threshold: float, goes_off: bool) -> None:
    lab = Lab()
    alarmed(lab, comparison=comparison, threshold=threshold)
    fail(lab, 2)
    lab.clock.advance(day("2026-03-15 00:02"))
    assert state(lab) == ("ALARM" if goes_off else "OK")


@pytest.mark.parametrize(
    ("statistic", "value"), [("Sum", 3), ("SampleCount", 3), ("Average", 1), ("Minimum", 1), ("Maximum", 1)]
)
def test_the_datapoints_of_a_period_come_to_a_statistic(statistic: str, value: float) -> None:
    lab = Lab()
    alarmed(lab, statistic=statistic, threshold=value)
    fail(lab, 3)
    lab.clock.advance(day("2026-03-15 00:02"))
    assert state(lab) == "ALARM"
    lab.cloud.alarmed["failures"] = replace(lab.cloud.alarmed["failures"], threshold=value + 0.5)
    lab.engine.alarms.watch("failures")
    lab.clock.advance(day("2026-03-15 00:04"))
    assert state(lab) == "OK"


def test_only_so_many_datapoints_of_the_last_periods_have_to_breach() -> None:
    lab = Lab()
    alarmed(lab, evaluation_periods=3, datapoints=2)
    fail(lab)
    lab.clock.advance(day("2026-03-15 00:06:30"))
    assert state(lab) == "OK"
    fail(lab)
    lab.clock.advance(day("2026-03-15 00:08"))
    assert state(lab) == "ALARM"
    lab.clock.advance(day("2026-03-15 01:00"))
    # The first of them leaves the third period then.
    assert states(lab) == [("00:07", "ALARM"), ("00:16", "OK")]


@pytest.mark.parametrize(
    ("missing", "expected"),
    [("missing", "INSUFFICIENT_DATA"), ("breaching", "ALARM"), ("notBreaching", "OK"), ("ignore", "OK")],
)
def test_a_period_without_data_counts_as_the_alarm_says(missing: str, expected: str) -> None:
    lab = Lab()
    alarmed(lab, missing_data=missing)
    lab.clock.advance(day("2026-03-15 00:02"))
    assert state(lab) == expected


def test_an_alarm_for_what_does_not_happen_goes_off_when_it_has_not_for_long_enough() -> None:
    lab = Lab()
    alarmed(
        lab,
        metric="CommandsSucceeded",
        comparison="LessThanThreshold",
        missing_data="breaching",
        period=timedelta(days=1),
    )
    lab.engine.metrics.count("AWS/SSM-RunCommand", "CommandsSucceeded")
    lab.clock.advance(day("2026-03-15 23:00"))
    assert state(lab) == "OK"
    lab.clock.advance(day("2026-03-16 00:02"))
    assert state(lab) == "ALARM"


def test_a_metric_is_known_by_its_dimensions_too() -> None:
    lab = Lab()
    alarmed(lab, dimensions={"DocumentName": "AWS-RunPatchBaseline"})
    fail(lab)
    lab.clock.advance(day("2026-03-15 00:02"))
    assert state(lab) == "OK"
    lab.engine.metrics.count("AWS/SSM-RunCommand", "CommandsFailed", {"DocumentName": "AWS-RunPatchBaseline"})
    lab.clock.advance(day("2026-03-15 00:04"))
    assert state(lab) == "ALARM"


# Who is told.


def test_an_alarm_whose_actions_are_off_changes_and_tells_nobody() -> None:
    lab = Lab()
    alarmed(lab, actions_enabled=False)
    fail(lab)
    lab.clock.advance(day("2026-03-15 00:02"))
    assert (state(lab), lab.cloud.messages) == ("ALARM", [])


def test_a_topic_has_to_let_the_alarm_publish() -> None:
    lab = Lab()
    alarmed(lab)
    lab.cloud.topic_policy = {"Statement": []}
    fail(lab)
    lab.clock.advance(day("2026-03-15 00:02"))
    assert (state(lab), lab.cloud.messages) == ("ALARM", [])
    assert f"alarm failures: {TOPIC} not told: the topic's policy does not let cloudwatch.amazonaws.com" in lab.log


@pytest.mark.parametrize(
    "condition",
    [
        {"ArnLike": {"aws:SourceArn": "arn:aws:cloudwatch:us-east-1:123456789012:alarm:*"}},
        {"StringEquals": {"aws:SourceAccount": "123456789012"}},
        {"StringEquals": {"AWS:SourceOwner": "123456789012"}},
    ],
)
def test_an_alarm_sends_along_where_it_comes_from(condition: dict[str, Any]) -> None:
    lab = Lab()
    alarmed(lab)
    lab.cloud.topic_policy["Statement"][0]["Condition"] = condition
    fail(lab)
    lab.clock.advance(day("2026-03-15 00:02"))
    assert len(lab.cloud.messages) == 1


def test_what_is_no_topic_is_not_told_and_the_lab_says_so() -> None:
    lab = Lab()
    alarmed(lab, actions={"ALARM": ["arn:aws:ssm:us-east-1:123456789012:opsitem:1"]})
    fail(lab)
    lab.clock.advance(day("2026-03-15 00:02"))
    assert "alarm failures: arn:aws:ssm:us-east-1:123456789012:opsitem:1 not told: the local AWS tells" in lab.log


def test_the_state_that_somebody_sets_is_told_if_it_is_another_one() -> None:
    lab = Lab()
    alarmed(lab)
    for new in (State.OK, State.ALARM):
        lab.engine.alarms.set_state(lab.cloud.alarmed["failures"], new, "Testing")
    assert [(one["NewStateValue"], one["NewStateReason"]) for one in lab.cloud.messages] == [("ALARM", "Testing")]


def test_an_alarm_that_is_gone_is_not_looked_at() -> None:
    lab = Lab()
    alarmed(lab)
    fail(lab)
    lab.cloud.alarmed.clear()
    lab.clock.advance(day("2026-03-15 01:00"))
    assert lab.cloud.messages == []
