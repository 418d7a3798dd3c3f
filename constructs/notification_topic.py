"""The topic that tells what happened, who is subscribed to it, and the role by which Run Command publishes to it.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/monitoring-sns-notifications.html and
https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from constructs import Construct

from patching.errors import InvalidValueError
from patching.form import EMAIL, FUNCTION, QUEUE, URL


@dataclass(frozen=True)
class Subscribers:
    """Who gets the messages of a topic.

    Attributes:
        emails: addresses; each has to confirm a mail from AWS.
        queues: ARNs of SQS queues, whose own policies have to let the topic send.
        functions: ARNs of Lambda functions of this account; the topic is allowed to call them.
        urls: https:// addresses; each has to confirm the subscription.

    Raises:
        InvalidValueError: what is no such address or ARN, or is there twice.
    """

    emails: Sequence[str] = ()
    queues: Sequence[str] = ()
    functions: Sequence[str] = ()
    urls: Sequence[str] = ()

    def __post_init__(self) -> None:
        for form, endpoints in (
            (EMAIL, self.emails),
            (QUEUE, self.queues),
            (FUNCTION, self.functions),
            (URL, self.urls),
        ):
            for endpoint in endpoints:
                form.check(endpoint)
                if endpoints.count(endpoint) > 1:
                    message = f"{endpoint!r} is there twice; nobody can be subscribed to a topic twice"
                    raise InvalidValueError(message)


class NotificationTopic(Construct):
    """An encrypted topic that refuses anything but TLS, and the role by which Run Command publishes to it.

    Args:
        scope: where it is made.
        id: its name there.
        name: the topic's name.
        key: the key that encrypts the messages.
        subscribers: who gets the messages; nobody by default.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002 CDK's own name
        *,
        name: str,
        key: kms.IKey,
        subscribers: Subscribers = Subscribers(),
    ) -> None:
        super().__init__(scope, id)
        self.key = key
        self.topic = sns.Topic(self, "Resource", topic_name=name, master_key=key, enforce_ssl=True)
        self.arn = self.topic.topic_arn
        self._subscribe(subscribers)
        # No aws:SourceAccount condition here: AWS documents it for other roles of Systems Manager, not for this one,
        # and a condition on a key that the service does not send would stop every notification.
        self.publish_role = iam.Role(
            self,
            "PublishRole",
            assumed_by=iam.ServicePrincipal("ssm.amazonaws.com"),
            description="Run Command publishes to the topic as this role",
        )
        self.publish_role_arn = self.publish_role.role_arn
        self.grant_publish(
            iam.ManagedPolicy(
                self, "PublishPolicy", description="Publish to the topic, and encrypt for it", roles=[self.publish_role]
            )
        )

    def _subscribe(self, subscribers: Subscribers) -> None:
        for email in subscribers.emails:
            # What `EmailSubscription` makes, in a third of the time, and also for addresses that the CDK gives one id.
            kind = sns.SubscriptionProtocol.EMAIL
            sns.Subscription(self.topic, _id(email), topic=self.topic, endpoint=email, protocol=kind)
        if subscribers.functions:
            # A tenth of a second, as it brings EC2 along, for what few policies have.
            from aws_cdk import aws_lambda as lambda_  # noqa: PLC0415
        for arn in subscribers.functions:
            lambda_.CfnPermission(
                self,
                f"Permission-{_id(arn)}",
                action="lambda:InvokeFunction",
                function_name=arn,
                principal="sns.amazonaws.com",
                source_arn=self.arn,
            )
        for protocol, endpoints in (
            (sns.SubscriptionProtocol.SQS, subscribers.queues),
            (sns.SubscriptionProtocol.LAMBDA, subscribers.functions),
            (sns.SubscriptionProtocol.HTTPS, subscribers.urls),
        ):
            for endpoint in endpoints:
                sns.Subscription(
                    self, f"Subscription-{_id(endpoint)}", topic=self.topic, endpoint=endpoint, protocol=protocol
                )

    def grant_publish(self, grantee: iam.IGrantable) -> None:
        """Allow to publish to the topic: also to encrypt a message, and to read what was encrypted."""
        iam.Grant.add_to_principal(grantee=grantee, actions=["sns:Publish"], resource_arns=[self.arn])
        iam.Grant.add_to_principal(
            grantee=grantee, actions=["kms:GenerateDataKey", "kms:Decrypt"], resource_arns=[self.key.key_arn]
        )

    def grant_pass_publish_role(self, grantee: iam.IGrantable) -> None:
        """Allow to hand the publish role to Systems Manager, as everyone has to who sends a command that notifies."""
        iam.Grant.add_to_principal(
            grantee=grantee,
            actions=["iam:PassRole"],
            resource_arns=[self.publish_role_arn],
            conditions={"StringEquals": {"iam:PassedToService": "ssm.amazonaws.com"}},
        )


def _id(endpoint: str) -> str:
    """Return what tells a subscriber from the others in a construct's id, where the CDK writes `--` for `/`."""
    if "--" not in endpoint:
        return endpoint
    return f"{endpoint}-{hashlib.sha256(endpoint.encode()).hexdigest()[:8]}"
