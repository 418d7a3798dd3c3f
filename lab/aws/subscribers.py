"""What a topic does with a message: who may be told, and that nobody outside of the lab ever is.

Follows https://docs.aws.amazon.com/sns/latest/dg/subscribe-sqs-queue-to-sns-topic.html and
https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html. moto would send what is for https to the address that a
template names, and what is for a function to a container.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from moto.sns.models import Subscription
from moto.sqs.models import sqs_backends

from lab.aws.account.plane import Plane
from lab.aws.cloudformation import lambda_permissions
from lab.world import access

_SERVICE = "sns.amazonaws.com"


def install(plane: Plane) -> None:
    """Have the topics of moto tell their subscribers like this, for as long as the process lives."""
    Subscription.publish = _publish(plane, Subscription.publish)


def _publish(plane: Plane, original: Callable[..., None]) -> Callable[..., None]:
    def publish(
        subscription: Subscription,
        message: str,
        message_id: str,
        subject: str | None = None,
        message_attributes: dict[str, Any] | None = None,
        **more: Any,  # noqa: ANN401 moto's own signature
    ) -> None:
        matcher = subscription._filter_policy_matcher  # noqa: SLF001
        if matcher is not None and not matcher.matches(message_attributes, message):
            return
        problem = _problem(subscription)
        if not problem and subscription.protocol == "sqs":
            original(subscription, message, message_id, subject, message_attributes, **more)
        with plane.engine(subscription.topic.sns_backend.region_name) as engine:
            engine.publishing.record(f"topic {subscription.topic.name}", subscription.endpoint, message, problem)

    return publish


def _problem(subscription: Subscription) -> str:
    """Say why a subscriber cannot be told; empty if it can."""
    match subscription.protocol:
        case "sqs":
            return _problem_of_queue(subscription)
        case "lambda":
            return _problem_of_function(subscription)
        case _:
            return ""


def _problem_of_queue(subscription: Subscription) -> str:
    region, account, name = subscription.endpoint.split(":")[3:6]
    queue = sqs_backends[account][region].queues.get(name)
    if queue is None:
        return "there is no such queue"
    policy = queue.policy or {}
    document: Mapping[str, Any] = json.loads(policy) if isinstance(policy, str) else policy
    if access.permits(document, _SERVICE, "sqs:SendMessage", subscription.endpoint, _context(subscription)):
        return ""
    return f"the queue's policy does not let {_SERVICE} sqs:SendMessage for this topic"


def _problem_of_function(subscription: Subscription) -> str:
    if lambda_permissions.permits(subscription.endpoint, _SERVICE, _context(subscription)):
        return ""
    return f"the function has no permission that lets {_SERVICE} lambda:InvokeFunction for this topic"


def _context(subscription: Subscription) -> dict[str, str]:
    return {"aws:SourceArn": subscription.topic.arn, "aws:SourceAccount": subscription.topic.account_id}
