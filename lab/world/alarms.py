"""Alarms on the metrics of the lab: their states, and whom a change of it is told.

Follows https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html and
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html. An alarm is looked at
in the minute after a datapoint, and when one leaves a period; AWS does not document when exactly it looks.
"""

from __future__ import annotations

import json
import operator
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import partial

from lab.world.clock import Clock
from lab.world.cloud import Alarm, Cloud
from lab.world.metrics import Key, Metrics, key_of
from lab.world.publishing import Publishing

SERVICE = "cloudwatch.amazonaws.com"
_MINUTE = timedelta(minutes=1)
_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanOrEqualToThreshold": operator.le,
    "LessThanThreshold": operator.lt,
}
_STATISTICS: dict[str, Callable[[list[float]], float]] = {
    "Sum": sum,
    "SampleCount": len,
    "Minimum": min,
    "Maximum": max,
    "Average": lambda values: sum(values) / len(values),
}
COMPARISONS = tuple(_COMPARISONS)
STATISTICS = tuple(_STATISTICS)


class State(StrEnum):
    """State of an alarm."""

    OK = "OK"
    ALARM = "ALARM"
    INSUFFICIENT_DATA = "INSUFFICIENT_DATA"


class Alarms:
    """The alarms of an account and Region.

    Args:
        cloud: where the alarms are kept.
        clock: the lab's clock.
        metrics: what they are about.
        publishing: by which topics are told.
        log: takes what happens, in words.
    """

    def __init__(
        self, cloud: Cloud, clock: Clock, metrics: Metrics, publishing: Publishing, log: Callable[[str], None]
    ) -> None:
        self._cloud = cloud
        self._clock = clock
        self._metrics = metrics
        self._publishing = publishing
        self._log = log
        metrics.watchers.append(self._look_after)

    def watch(self, name: str) -> None:
        """Look at an alarm that is new or has changed, once the minute is over."""
        self._clock.at(_next_minute(self._clock.now), partial(self._evaluate, name))

    def set_state(self, alarm: Alarm, state: State, reason: str) -> None:
        """Change the state of an alarm, and tell those whom it concerns."""
        old = State(alarm.state)
        self._cloud.set_alarm_state(alarm.name, state, reason)
        if state is old:
            return
        self._log(f"alarm {alarm.name}: {old} to {state}: {reason}")
        if alarm.actions_enabled:
            for action in alarm.actions.get(state, ()):
                self._act(alarm, action, old, state, reason)

    def _look_after(self, key: Key) -> None:
        """Look at the alarms on a metric after a datapoint, and again whenever it leaves one of their periods."""
        soon = _next_minute(self._clock.now)
        for alarm in self._cloud.alarms():
            if key_of(alarm.namespace, alarm.metric, alarm.dimensions) == key:
                for periods in range(alarm.evaluation_periods + 1):
                    self._clock.at(
                        soon + periods * alarm.period,
                        partial(self._evaluate, alarm.name),
                        # What is to be told soon is a part of what happened; that all is well again can wait.
                        work=periods == 0,
                    )

    def _evaluate(self, name: str) -> None:
        alarm = next((one for one in self._cloud.alarms() if one.name == name), None)
        if alarm is not None:
            state, reason = self._judge(alarm)
            self.set_state(alarm, state, reason)

    def _judge(self, alarm: Alarm) -> tuple[State, str]:
        """Return the state that an alarm has by its datapoints of now, and why."""
        data = self._metrics.data(key_of(alarm.namespace, alarm.metric, alarm.dimensions))
        found: list[float | None] = []
        end = self._clock.now
        for _ in range(alarm.evaluation_periods):
            values = [value for at, value in data if end - alarm.period <= at < end]
            found.append(_STATISTICS[alarm.statistic](values) if values else None)
            end -= alarm.period
        known = [value for value in found if value is not None]
        missing = len(found) - len(known)
        breaching = sum(_COMPARISONS[alarm.comparison](value, alarm.threshold) for value in known)
        if alarm.missing_data == "breaching":
            breaching += missing
        told = ", ".join("no data" if value is None else f"{value:g}" for value in found)
        reason = (
            f"{breaching} of the last {len(found)} datapoints ({told}) breach {alarm.comparison} {alarm.threshold:g}; "
            f"{alarm.datapoints} needed; missing data is {alarm.missing_data}"
        )
        if not known and alarm.missing_data == "ignore":
            return State(alarm.state), reason
        if not known and alarm.missing_data == "missing":
            return State.INSUFFICIENT_DATA, reason
        return State.ALARM if breaching >= alarm.datapoints else State.OK, reason

    def _act(self, alarm: Alarm, action: str, old: State, new: State, reason: str) -> None:
        source = f"alarm {alarm.name}"
        message = json.dumps(self._message(alarm, old, new, reason), separators=(",", ":"))
        if ":sns:" not in action:
            self._publishing.record(source, action, message, "the local AWS tells topics only")
            return
        self._publishing.publish(
            source,
            SERVICE,
            action,
            message,
            subject=f'{new}: "{alarm.name}" in {self._cloud.region}',
            context={
                "aws:SourceArn": alarm.arn,
                "aws:SourceAccount": self._cloud.account,
                "aws:SourceOwner": self._cloud.account,
            },
        )

    def _message(self, alarm: Alarm, old: State, new: State, reason: str) -> dict[str, object]:
        return {
            "AlarmName": alarm.name,
            "AlarmDescription": alarm.description,
            "AWSAccountId": self._cloud.account,
            "NewStateValue": str(new),
            "NewStateReason": reason,
            "StateChangeTime": self._clock.now.strftime("%Y-%m-%dT%H:%M:%S.000+0000"),
            "Region": self._cloud.region,
            "AlarmArn": alarm.arn,
            "OldStateValue": str(old),
            "Trigger": {
                "MetricName": alarm.metric,
                "Namespace": alarm.namespace,
                "StatisticType": "Statistic",
                "Statistic": alarm.statistic.upper(),
                "Dimensions": [{"name": name, "value": value} for name, value in alarm.dimensions.items()],
                "Period": int(alarm.period.total_seconds()),
                "EvaluationPeriods": alarm.evaluation_periods,
                "ComparisonOperator": alarm.comparison,
                "Threshold": alarm.threshold,
                "TreatMissingData": alarm.missing_data,
            },
        }


def _next_minute(moment: datetime) -> datetime:
    """Return the end of the minute that a time is in."""
    since = (moment - datetime.min.replace(tzinfo=UTC)) // _MINUTE + 1
    return datetime.min.replace(tzinfo=UTC) + since * _MINUTE
