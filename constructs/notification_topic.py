"""The topic that tells how commands went, and the role that publishes to it.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/monitoring-sns-notifications.html and
https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html.
"""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct


class NotificationTopic(Construct):
    """An encrypted topic that refuses anything but TLS, and the role by which Run Command publishes to it.

    Args:
        scope: where it is made.
        id: its name there.
        name: the topic's name.
        key: the key that encrypts the messages.
        emails: addresses that are subscribed; each has to confirm a mail from AWS. None by default.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002 CDK's own name
        *,
        name: str,
        key: kms.IKey,
        emails: Sequence[str] = (),
    ) -> None:
        super().__init__(scope, id)
        self.topic = sns.Topic(self, "Resource", topic_name=name, master_key=key, enforce_ssl=True)
        for email in emails:
            self.topic.add_subscription(subscriptions.EmailSubscription(email))
        # No aws:SourceAccount condition here: AWS documents it for other roles of Systems Manager, not for this one,
        # and a condition on a key that the service does not send would stop every notification.
        self.publish_role = iam.Role(
            self,
            "PublishRole",
            assumed_by=iam.ServicePrincipal("ssm.amazonaws.com"),
            description="Run Command publishes to the topic as this role",
        )
        iam.Grant.add_to_principal(
            grantee=self.publish_role, actions=["sns:Publish"], resource_arns=[self.topic.topic_arn]
        )
        iam.Grant.add_to_principal(
            grantee=self.publish_role, actions=["kms:GenerateDataKey", "kms:Decrypt"], resource_arns=[key.key_arn]
        )

    def grant_pass_publish_role(self, grantee: iam.IGrantable) -> None:
        """Allow to hand the publish role to Systems Manager, as everyone has to who sends a command that notifies."""
        iam.Grant.add_to_principal(
            grantee=grantee,
            actions=["iam:PassRole"],
            resource_arns=[self.publish_role.role_arn],
            conditions={"StringEquals": {"iam:PassedToService": "ssm.amazonaws.com"}},
        )
