from __future__ import annotations

import pytest

from tests.cdk import Resources

pytestmark = pytest.mark.xdist_group("constructs")

CLOUDWATCH = {
    "Condition": {"StringEquals": {"aws:SourceAccount": "<AWS::AccountId>"}},
    "Effect": "Allow",
    "Principal": {"Service": "cloudwatch.amazonaws.com"},
}


@pytest.mark.parametrize(
    ("alarm", "name", "metric"),
    [
        ("Failed", "demo-commands-failed", "CommandsFailed"),
        ("Undelivered", "demo-commands-undelivered", "CommandsDeliveryTimedOut"),
    ],
)
def test_one_command_is_enough_for_an_alarm_and_none_for_the_all_clear(
    watched: Resources, alarm: str, name: str, metric: str
) -> None:
    properties = watched[f"Alarms/{alarm}"].properties
    assert (properties["AlarmName"], properties["Namespace"], properties["MetricName"]) == (
        name,
        "AWS/SSM-RunCommand",
        metric,
    )
    assert (properties["Statistic"], properties["Period"], properties["EvaluationPeriods"]) == ("Sum", 300, 1)
    assert (properties["ComparisonOperator"], properties["Threshold"]) == ("GreaterThanOrEqualToThreshold", 1)
    # Run Command counts nothing while nothing runs.
    assert properties["TreatMissingData"] == "notBreaching"


@pytest.mark.parametrize("alarm", ["Failed", "Undelivered"])
def test_the_topic_is_told_when_it_happens_and_when_it_is_over(watched: Resources, alarm: str) -> None:
    properties = watched[f"Alarms/{alarm}"].properties
    assert properties["AlarmActions"] == properties["OKActions"] == ["<Notifications>"]
    assert "account and Region" in properties["AlarmDescription"]


def test_cloudwatch_of_this_account_may_publish_to_the_topic_and_encrypt_for_it(watched: Resources) -> None:
    published = [one for one in watched.statements("Notifications/Policy") if one["Effect"] == "Allow"]
    assert published == [CLOUDWATCH | {"Action": "sns:Publish", "Resource": "<Notifications>", "Sid": "1"}]
    statements = watched["Key"].properties["KeyPolicy"]["Statement"]
    assert CLOUDWATCH | {"Action": ["kms:Decrypt", "kms:GenerateDataKey"], "Resource": "*"} in statements


def test_without_alarms_cloudwatch_may_do_nothing(patching: Resources) -> None:
    assert "cloudwatch.amazonaws.com" not in str(patching.template)
