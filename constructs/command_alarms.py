"""Alarms for commands that failed and commands that no node took.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/monitoring-cloudwatch-metrics.html and
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html.
"""

from __future__ import annotations

from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from constructs import Construct
from constructs.notification_topic import NotificationTopic

METRICS = {
    "Failed": ("CommandsFailed", "commands failed"),
    "Undelivered": ("CommandsDeliveryTimedOut", "commands were not taken by a node in time"),
}
NAMESPACE = "AWS/SSM-RunCommand"


class CommandAlarms(Construct):
    """An alarm for each of the two, told to the topic, when it happens and when it is over.

    Run Command counts for the account and Region: the alarms are about every environment there.

    Args:
        scope: where it is made.
        id: its name there.
        name: beginning of the alarms' names.
        notifications: the topic; CloudWatch is allowed to publish to it.
    """

    def __init__(self, scope: Construct, id: str, *, name: str, notifications: NotificationTopic) -> None:  # noqa: A002 CDK's own name
        super().__init__(scope, id)
        stack = Stack.of(self)
        service = iam.ServicePrincipal(
            "cloudwatch.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": stack.account}}
        )
        notifications.topic.add_to_resource_policy(
            iam.PolicyStatement(actions=["sns:Publish"], resources=[notifications.arn], principals=[service])
        )
        notifications.key.add_to_resource_policy(
            iam.PolicyStatement(actions=["kms:GenerateDataKey", "kms:Decrypt"], resources=["*"], principals=[service])
        )
        self.alarms = []
        for part, (metric, what) in METRICS.items():
            alarm = cloudwatch.CfnAlarm(
                self,
                part,
                alarm_name=f"{name}-{part.lower()}",
                alarm_description=f"Run Command, in this account and Region: {what}",
                namespace=NAMESPACE,
                metric_name=metric,
                statistic="Sum",
                period=Duration.minutes(5).to_seconds(),
                evaluation_periods=1,
                threshold=1,
                comparison_operator="GreaterThanOrEqualToThreshold",
                treat_missing_data="notBreaching",
                alarm_actions=[notifications.arn],
                ok_actions=[notifications.arn],
            )
            self.alarms.append(alarm)
