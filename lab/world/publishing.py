"""Services of AWS that publish to a topic, as themselves or as a role.

A service that publishes as itself has to be let by the topic's policy and by that of the key that encrypts it. One that
publishes as a role has to be let by the role: to assume it, and then by its policies, which suffice within an account
where the key leaves it to IAM.

Follows https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-use-cases.html,
https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html,
https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html and
https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lab.world import access
from lab.world.clock import Clock
from lab.world.cloud import Cloud

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
        role: str = "",
        subject: str = "",
        context: Mapping[str, str] | None = None,
    ) -> bool:
        """Publish to a topic as a service, and tell whether it arrived there.

        Args:
            source: who has something to tell, in words.
            service: the service's principal.
            topic: ARN of the topic.
            message: what there is to tell.
            role: ARN of the role as which the service publishes; as itself by default.
            subject: the subject of a mail.
            context: values of condition keys that the service sends along: to the role if there is one, or else to the
                topic and its key; none by default.
        """
        try:
            problem = self._problem(service, role, topic, context or {})
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

    def _problem(self, service: str, role: str, topic: str, context: Mapping[str, str]) -> str:
        """Say why a service cannot publish to a topic; empty if it can."""
        found = self._cloud.topic(topic)
        if found is None:
            return "there is no such topic"
        about = {"kms:EncryptionContext:aws:sns:topicArn": topic}
        if not role:
            problem = _refusal("the topic's policy", found.policy, service, "sns:Publish", topic, context)
            return problem or self._problem_of_key(service, found.key, {**context, **about})
        # A call that SNS makes of KMS for a role says so; for a service AWS documents nothing of the kind.
        about["kms:ViaService"] = f"sns.{self._cloud.region}.amazonaws.com"
        return self._problem_of_role(service, role, topic, found.policy, context) or self._problem_of_key_for_role(
            role, found.key, about
        )

    def _problem_of_key(self, service: str, key: str, context: Mapping[str, str]) -> str:
        if not key:
            return ""
        if key.startswith(_AWS_MANAGED):
            return f"the topic is encrypted with {key}, which no service may use; it needs a key of yours"
        policy = self._cloud.key_policy(key)
        if policy is None:
            return f"there is no key {key}"
        refusals = (
            _refusal("the policy of the topic's key", policy, service, action, key, context) for action in _KEY_ACTIONS
        )
        return next(filter(None, refusals), "")

    def _problem_of_role(
        self, service: str, role: str, topic: str, policy: Mapping[str, Any], context: Mapping[str, str]
    ) -> str:
        if not self._cloud.trusts(role, service, context):
            return f"{service} cannot assume {role}; the service sends {_sent(context)}"
        if not self._cloud.allowed(role, "sns:Publish", topic):
            return f"{role} does not allow sns:Publish on {topic}"
        if access.denies(policy, role, "sns:Publish", topic):
            return f"the topic's policy denies {role} sns:Publish"
        return ""

    def _problem_of_key_for_role(self, role: str, key: str, context: Mapping[str, str]) -> str:
        # The keys that AWS manages let all of the account use them by way of their service.
        if not key or key.startswith(_AWS_MANAGED):
            return ""
        policy = self._cloud.key_policy(key)
        if policy is None:
            return f"there is no key {key}"
        for action in _KEY_ACTIONS:
            if not self._cloud.allowed(role, action, key, context):
                return f"{role} does not allow {action} on {key}"
            if not access.permits(policy, role, action, key, context):
                return f"the policy of the topic's key neither lets {role} {action} nor leaves it to IAM"
        return ""


def _sent(context: Mapping[str, str]) -> str:
    return ", ".join(f"{key} {value}" for key, value in context.items()) or "no value that a condition can ask for"


def _refusal(
    what: str, policy: Mapping[str, Any], service: str, action: str, resource: str, context: Mapping[str, str]
) -> str:
    """Say why a policy does not let a service act; empty if it does."""
    if access.permits(policy, service, action, resource, context):
        return ""
    refusal = f"{what} does not let {service} {action}"
    if access.permits(access.without_conditions(policy), service, action, resource):
        refusal += f": a condition does not hold; the service sends {_sent(context)}"
    return refusal
