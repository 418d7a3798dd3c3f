"""The metrics that services of AWS put while the lab runs.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/monitoring-cloudwatch-metrics.html, which names no
dimensions for those of Run Command, and
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring-cloudwatch-metrics.html.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from lab.world.clock import Clock
from lab.world.cloud import Cloud

RUN_COMMAND = "AWS/SSM-RunCommand"
EVENTS = "AWS/Events"
KEPT = timedelta(days=63)
"""How long a datapoint is kept: what CloudWatch keeps with a period of five minutes."""

Key = tuple[str, str, frozenset[tuple[str, str]]]


def key_of(namespace: str, name: str, dimensions: Mapping[str, str]) -> Key:
    """Return what a metric is known by."""
    return namespace, name, frozenset(dimensions.items())


class Metrics:
    """The metrics of an account and Region.

    Args:
        cloud: where they can be looked at.
        clock: the lab's clock.
    """

    def __init__(self, cloud: Cloud, clock: Clock) -> None:
        self._cloud = cloud
        self._clock = clock
        self._data: dict[Key, list[tuple[datetime, float]]] = {}
        self.watchers: list[Callable[[Key], None]] = []
        """Called with what every new datapoint is of."""

    def count(self, namespace: str, name: str, dimensions: Mapping[str, str] | None = None) -> None:
        """Count one thing that has happened now."""
        key, now = key_of(namespace, name, dimensions or {}), self._clock.now
        kept = [one for one in self._data.get(key, ()) if one[0] > now - KEPT]
        self._data[key] = [*kept, (now, 1.0)]
        self._cloud.put_metric(namespace, name, dimensions or {}, 1.0)
        for watch in self.watchers:
            watch(key)

    def data(self, key: Key) -> list[tuple[datetime, float]]:
        """Return the datapoints of a metric, in order."""
        return self._data.get(key, [])
