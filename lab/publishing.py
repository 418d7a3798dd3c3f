"""Services of AWS that publish to a topic: the topic has to let them, and so has the key that encrypts it.

Follows https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-use-cases.html and
https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lab import access
from lab.clock import Clock
from lab.cloud import Cloud

_KEPT = 1_000
_AWS_MANAGED = "alias/aws/"
_KEY_ACTIONS = ("kms:GenerateDataKey", "kms:Decrypt")


@dataclass(frozen=True)
class Delivery:
    """An attempt to tell somebody something.

    Attributes:
        at: when.
        source: who tells: a rule, an alarm, a topic.
        to: the ARN or the address that is told.
        message: what.
        problem: why it did not arrive; empty if it did.
    """

    at: datetime
    source: str
    to: str
    message: str
    problem: str = ""


class Publishing:
    """What services publish to the topics of an account and Region, and what of it did not arrive.

    Args:
        cloud: where the topics and keys are.
        clock: the lab's clock.
        log: takes what does not arrive, in words.
    """

    def __init__(self, cloud: Cloud, clock: Clock, log: Callable[[str], None]) -> None:
        self._cloud = cloud
        self._clock = clock
        self._log = log
        self.deliveries: deque[Delivery] = deque(maxlen=_KEPT)

    def publish(
        self,
        source: str,
        service: str,
        topic: str,
        message: str,
        *,
        subject: str = "",
        context: Mapping[str, str] | None = None,
    ) -> bool:
        """Publish to a topic as a service, and tell whether it arrived there.

        Args:
            source: who has something to tell, in words.
            service: the service's principal.
            topic: ARN of the topic.
            message: what there is to tell.
            subject: the subject of a mail.
            context: values of condition keys that the service sends along; EventBridge sends none.
        """
        try:
            problem = self._problem(service, topic, context or {})
        except ValueError as error:
            problem = str(error)
        if not problem:
            self._cloud.publish(topic, subject, message)
        self.record(source, topic, message, problem)
        return not problem

    def record(self, source: str, to: str, message: str, problem: str = "") -> None:
        """Note an attempt; the problem is empty if it arrived."""
        self.deliveries.append(Delivery(self._clock.now, source, to, message, problem))
        if problem:
            # As on AWS, whoever wanted to tell something does not learn that it did not arrive.
            self._log(f"{source}: {to} not told: {problem}")

    def _problem(self, service: str, topic: str, context: Mapping[str, str]) -> str:
        found = self._cloud.topic(topic)
        if found is None:
            return "there is no such topic"
        problem = _refusal("the topic's policy", found.policy, service, "sns:Publish", topic, context)
        if problem or not found.key:
            return problem
        if found.key.startswith(_AWS_MANAGED):
            return f"the topic is encrypted with {found.key}, which no service may use; it needs a key of yours"
        policy = self._cloud.key_policy(found.key)
        if policy is None:
            return f"there is no key {found.key}"
        encryption = {**context, "kms:EncryptionContext:aws:sns:topicArn": topic}
        refusals = (
            _refusal("the policy of the topic's key", policy, service, action, found.key, encryption)
            for action in _KEY_ACTIONS
        )
        return next(filter(None, refusals), "")


def _refusal(
    what: str, policy: Mapping[str, Any], service: str, action: str, resource: str, context: Mapping[str, str]
) -> str:
    """Say why a policy does not let a service act; empty if it does."""
    if access.permits(policy, service, action, resource, context):
        return ""
    refusal = f"{what} does not let {service} {action}"
    if access.permits(access.without_conditions(policy), service, action, resource):
        sent = ", ".join(f"{key} {value}" for key, value in context.items()) or "no value that a condition can ask for"
        refusal += f": a condition does not hold; the service sends {sent}"
    return refusal
