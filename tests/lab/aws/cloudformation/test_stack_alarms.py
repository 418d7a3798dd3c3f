"""Alarms and dashboards in a stack, and who is told by an alarm."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.lab.aws.stacks import REGION, Properties, Resource, Stack, gone
from tests.lab.aws.world import FLEET, SCAN, Connect

pytestmark = pytest.mark.xdist_group("local-aws")


def alarm(**changes: Any) -> Resource:
    properties = {
        "AlarmName": "successes",
        "AlarmDescription": "A command has succeeded",
        "Namespace": "AWS/SSM-RunCommand",
        "MetricName": "CommandsSucceeded",
        "Statistic": "Sum",
        "Period": 300,
        "EvaluationPeriods": 1,
        "Threshold": 1,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "TreatMissingData": "notBreaching",
        "AlarmActions": [{"Ref": "Topic"}],
    }
    return "AWS::CloudWatch::Alarm", {**properties, **changes}


TOPIC: Resource = ("AWS::SNS::Topic", {"TopicName": "alarmed"})


def test_an_alarm_comes_changes_in_place_is_replaced_and_goes(stack: Stack, connect: Connect) -> None:
    cloudwatch = connect("cloudwatch", REGION)

    def described(name: str = "successes") -> dict[str, Any]:
        (found,) = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
        return dict(found)

    outputs = {"Arn": {"Value": {"Fn::GetAtt": ["Alarm", "Arn"]}}}
    made = stack.deploy(outputs, Topic=TOPIC, Alarm=alarm(Tags=[{"Key": "Stage", "Value": "test"}]))
    assert made["Alarm"] == "successes"
    assert stack.outputs["Arn"] == f"arn:aws:cloudwatch:{REGION}:123456789012:alarm:successes"
    assert described()["AlarmActions"] == [made["Topic"]]
    assert described()["StateValue"] == "INSUFFICIENT_DATA"
    cloudwatch.set_alarm_state(AlarmName="successes", StateValue="OK", StateReason="Testing")
    stack.deploy(Topic=TOPIC, Alarm=alarm(Threshold=5, AlarmActions=[], ActionsEnabled=False))
    found = described()
    assert (found["Threshold"], found["AlarmActions"], found["ActionsEnabled"]) == (5.0, [], False)
    assert found["StateValue"] == "OK"
    stack.deploy(Topic=TOPIC, Alarm=alarm(AlarmName="renamed"))
    assert cloudwatch.describe_alarms(AlarmNames=["successes"])["MetricAlarms"] == []
    assert described("renamed")["Threshold"] == 1.0
    stack.delete()
    assert cloudwatch.describe_alarms()["MetricAlarms"] == []


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"Metrics": [{"Id": "m1", "Expression": "1+1"}]}, "does not emulate the parameter Metrics"),
        ({"Statistic": "p99"}, "does not emulate p99"),
        ({"ComparisonOperator": "LessThanLowerThreshold"}, "does not emulate Sum LessThanLowerThreshold"),
    ],
)
def test_an_alarm_that_nobody_would_look_at_is_refused(stack: Stack, changes: Properties, reason: str) -> None:
    assert stack.attempt(Topic=TOPIC, Alarm=alarm(**changes)) == "ROLLBACK_COMPLETE"
    assert reason in stack.reasons


def test_a_dashboard_comes_changes_in_place_is_replaced_and_goes(stack: Stack, connect: Connect) -> None:
    cloudwatch = connect("cloudwatch", REGION)

    def dashboard(text: str, name: str = "patching") -> Resource:
        widget = {"type": "text", "width": 6, "height": 3, "properties": {"markdown": text}}
        return "AWS::CloudWatch::Dashboard", {
            "DashboardName": name,
            "DashboardBody": json.dumps({"widgets": [widget]}),
        }

    def shown(name: str) -> str:
        body = cloudwatch.get_dashboard(DashboardName=name)["DashboardBody"]
        return str(json.loads(body)["widgets"][0]["properties"]["markdown"])

    assert stack.deploy(One=dashboard("old"))["One"] == "patching"
    stack.deploy(One=dashboard("new"))
    assert shown("patching") == "new"
    stack.deploy(One=dashboard("new", "other"))
    assert (shown("other"), gone(cloudwatch.get_dashboard, DashboardName="patching")) == ("new", True)
    stack.delete()
    assert cloudwatch.list_dashboards()["DashboardEntries"] == []


@pytest.mark.parametrize("body", ["[]", "{"])
def test_the_body_of_a_dashboard_has_to_be_json(stack: Stack, body: str) -> None:
    made = ("AWS::CloudWatch::Dashboard", {"DashboardName": "one", "DashboardBody": body})
    assert stack.attempt(One=made) == "ROLLBACK_COMPLETE"


def test_an_alarm_tells_a_topic_with_its_default_policy(
    stack: Stack, ssm: Any, connect: Connect, advance: Callable[..., Any]
) -> None:
    sqs, cloudwatch = connect("sqs", REGION), connect("cloudwatch", REGION)
    url = sqs.create_queue(QueueName="alarms")["QueueUrl"]
    statement = {"Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": "*"}
    sqs.set_queue_attributes(
        QueueUrl=url, Attributes={"Policy": json.dumps({"Statement": [{"Effect": "Allow", **statement}]})}
    )
    queue = {
        "TopicArn": {"Ref": "Topic"},
        "Protocol": "sqs",
        "Endpoint": f"arn:aws:sqs:{REGION}:123456789012:alarms",
        "RawMessageDelivery": True,
    }
    stack.deploy(Topic=TOPIC, Alarm=alarm(), Queue=("AWS::SNS::Subscription", queue))
    ssm.send_command(**SCAN, Targets=FLEET)
    advance(minutes=5)
    bodies = [json.loads(one["Body"]) for one in sqs.receive_message(QueueUrl=url).get("Messages", [])]
    assert [(one["AlarmName"], one["NewStateValue"]) for one in bodies] == [("successes", "ALARM")]
    sqs.delete_queue(QueueUrl=url)
    (metric,) = cloudwatch.list_metrics(Namespace="AWS/SSM-RunCommand", MetricName="CommandsSucceeded")["Metrics"]
    assert metric["Dimensions"] == []
    advance(minutes=10)
    (found,) = cloudwatch.describe_alarms(AlarmNames=["successes"])["MetricAlarms"]
    assert found["StateValue"] == "OK"
