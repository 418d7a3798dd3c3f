"""AWS::CloudWatch::Alarm and AWS::CloudWatch::Dashboard, and how moto's alarms are looked at.

Each class here follows the resource's page in
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from moto.cloudwatch.models import Alarm, CloudWatchBackend, cloudwatch_backends
from moto.core.common_models import CloudFormationModel

from lab.aws.account.plane import Plane
from lab.aws.cloudformation.resource import Properties, Resource
from lab.aws.ssm.operation import refuse
from lab.world.alarms import COMPARISONS, STATISTICS, State
from lab.world.errors import ApiError

_NOT_EMULATED = (
    "ActionConfiguration",
    "EvaluateLowSampleCountPercentile",
    "EvaluationCriteria",
    "EvaluationInterval",
    "EvaluationWindow",
    "ExtendedStatistic",
    "Metrics",
    "ThresholdMetricId",
    "WarmUpConfiguration",
)


def install(plane: Plane) -> None:
    """Have moto's alarms looked at, and told of, for as long as the process lives."""
    CloudWatchBackend.put_metric_alarm = _watched(plane, CloudWatchBackend.put_metric_alarm)
    CloudWatchBackend.set_alarm_state = _told(plane, CloudWatchBackend.set_alarm_state)


def _watched(plane: Plane, original: Callable[..., Alarm]) -> Callable[..., Alarm]:
    """Have an alarm keep its state when it changes, and begin without data; moto's are all well at first."""

    def put(backend: CloudWatchBackend, name: str, *arguments: Any, **more: Any) -> Alarm:  # noqa: ANN401 moto's own
        before = backend.alarms.get(name)
        alarm = original(backend, name, *arguments, **more)
        alarm.state_value = before.state_value if before else str(State.INSUFFICIENT_DATA)
        with plane.engine(backend.region_name) as engine:
            engine.alarms.watch(name)
        return alarm

    return put


def _told(plane: Plane, original: Callable[..., None]) -> Callable[..., None]:
    """Have an alarm whose state somebody sets tell of it, which is how AWS says that actions are tried out."""

    def set_state(backend: CloudWatchBackend, name: str, reason: str, data: str, state: str) -> None:
        with plane.engine(backend.region_name) as engine:
            found = next((one for one in engine.cloud.alarms() if one.name == name), None)
            original(backend, name, reason, data, state)
            if found:
                engine.alarms.set_state(found, State(state), reason)

    return set_state


class AlarmResource(Resource, CloudFormationModel):
    """An alarm on one metric."""

    type_name = "AWS::CloudWatch::Alarm"
    name_property = "AlarmName"
    replaces_on = frozenset({"AlarmName"})
    attributes = ("Arn",)

    @classmethod
    def create(cls, properties: Properties, account_id: str, region: str) -> Resource:
        if properties["AlarmName"] in cloudwatch_backends[account_id][region].alarms:
            raise ApiError("AlreadyExists", f"there is an alarm {properties['AlarmName']} already")
        made = cls(properties["AlarmName"], properties, account_id, region)
        made.change(properties)
        return made

    def change(self, properties: Properties) -> None:
        refuse(properties, *_NOT_EMULATED)
        statistic, comparison = properties.get("Statistic", ""), properties["ComparisonOperator"]
        if statistic not in STATISTICS or comparison not in COMPARISONS:
            raise ApiError("ValidationError", f"The local AWS does not emulate {statistic} {comparison}.")
        self._cloudwatch.put_metric_alarm(
            self._physical_id,
            namespace=properties["Namespace"],
            metric_name=properties["MetricName"],
            comparison_operator=comparison,
            evaluation_periods=int(properties["EvaluationPeriods"]),
            period=int(properties["Period"]),
            threshold=float(properties["Threshold"]),
            statistic=statistic,
            description=properties.get("AlarmDescription", ""),
            dimensions=properties.get("Dimensions", []),
            alarm_actions=properties.get("AlarmActions", []),
            datapoints_to_alarm=properties.get("DatapointsToAlarm"),
            ok_actions=properties.get("OKActions", []),
            insufficient_data_actions=properties.get("InsufficientDataActions", []),
            unit=properties.get("Unit"),
            actions_enabled=str(properties.get("ActionsEnabled", True)).lower() == "true",
            treat_missing_data=properties.get("TreatMissingData"),
            tags=properties.get("Tags"),
        )

    def delete(self, account_id: str, region_name: str) -> None:  # noqa: ARG002
        self._cloudwatch.delete_alarms([self._physical_id])

    def get_cfn_attribute(self, attribute_name: str) -> Any:  # noqa: ANN401
        if attribute_name == "Arn":
            return self._cloudwatch.alarms[self._physical_id].alarm_arn
        return super().get_cfn_attribute(attribute_name)

    @property
    def _cloudwatch(self) -> CloudWatchBackend:
        return cloudwatch_backends[self.account_id][self.region]


class DashboardResource(Resource, CloudFormationModel):
    """A dashboard. What it shows is not looked at, but it has to be JSON."""

    type_name = "AWS::CloudWatch::Dashboard"
    name_property = "DashboardName"
    replaces_on = frozenset({"DashboardName"})

    @classmethod
    def create(cls, properties: Properties, account_id: str, region: str) -> Resource:
        made = cls(properties["DashboardName"], properties, account_id, region)
        made.change(properties)
        return made

    def change(self, properties: Properties) -> None:
        body = properties["DashboardBody"]
        if not isinstance(json.loads(body), dict):
            raise ApiError("InvalidParameterInput", "DashboardBody is not a JSON object.")
        cloudwatch_backends[self.account_id][self.region].put_dashboard(self._physical_id, body)

    def delete(self, account_id: str, region_name: str) -> None:  # noqa: ARG002
        cloudwatch_backends[self.account_id][self.region].delete_dashboards([self._physical_id])
