"""The default event bus: what happens in Systems Manager, told to whoever has a rule for it.

Follows https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html,
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html and, for targets with a role,
https://docs.aws.amazon.com/eventbridge/latest/userguide/cross-service-confused-deputy-prevention.html.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from lab.world.clock import Clock
from lab.world.cloud import Cloud, RuleTarget
from lab.world.ids import Ids
from lab.world.input_transformer import TransformError, transform
from lab.world.metrics import EVENTS, Metrics
from lab.world.publishing import Publishing

SERVICE = "events.amazonaws.com"
_KEPT = 1_000


class EventBus:
    """The events of an account and Region.

    Args:
        cloud: where the rules are.
        clock: the lab's clock.
        ids: where the ids of events come from.
        publishing: by which topics are told.
        metrics: count what rules tell, and what of it does not arrive.
    """

    def __init__(self, cloud: Cloud, clock: Clock, ids: Ids, publishing: Publishing, metrics: Metrics) -> None:
        self._cloud = cloud
        self._clock = clock
        self._ids = ids
        self._publishing = publishing
        self._metrics = metrics
        self.events: deque[dict[str, Any]] = deque(maxlen=_KEPT)

    def emit(self, detail_type: str, resources: Sequence[str], detail: Mapping[str, Any]) -> None:
        """Tell the rules of the account what happened in Systems Manager."""
        event: dict[str, Any] = {
            "version": "0",
            "id": self._ids.uuid(),
            "detail-type": detail_type,
            "source": "aws.ssm",
            "account": self._cloud.account,
            "time": _seconds(self._clock.now),
            "region": self._cloud.region,
            "resources": list(resources),
            "detail": dict(detail),
        }
        self.events.append(event)
        for target in self._cloud.matching_targets(event):
            rule = {"RuleName": target.rule}
            self._metrics.count(EVENTS, "Invocations", rule)
            if not self._deliver(target, event):
                self._metrics.count(EVENTS, "FailedInvocations", rule)

    def _deliver(self, target: RuleTarget, event: Mapping[str, Any]) -> bool:
        source = f"rule {target.rule}"
        try:
            message = transform(target, event)
        except TransformError as error:
            self._publishing.record(source, target.arn, "", str(error))
            return False
        if ":sns:" not in target.arn:
            self._publishing.record(source, target.arn, message, "the local AWS tells topics only")
            return False
        # AWS documents that no condition can be asked of what EventBridge sends to a topic, or to a topic's key; for a
        # role it sends the rule and the account along.
        context = {"aws:SourceArn": target.rule_arn, "aws:SourceAccount": self._cloud.account} if target.role else {}
        return self._publishing.publish(source, SERVICE, target.arn, message, role=target.role, context=context)


@lru_cache(maxsize=256)
def _seconds(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
