"""Who is told, and by what: topics, their policies and subscriptions, and the rules of the event bus.

Each class here follows the resource's page in
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/.
"""

from __future__ import annotations

import json
from typing import Any

from moto.cloudformation.exceptions import ValidationError
from moto.core.common_models import CloudFormationModel
from moto.events.models import EventsBackend, events_backends
from moto.sns.models import SNSBackend, Topic, sns_backends

from lab.aws.cloudformation.completed import Completed, tags_of
from lab.aws.cloudformation.resource import Properties, Resource
from lab.aws.ssm.operation import refuse
from lab.world.errors import ApiError

_FILTERS = ("FilterPolicyScope", "FilterPolicy", "DeliveryPolicy", "RedrivePolicy", "SubscriptionRoleArn")


class TopicResource(Completed, CloudFormationModel):
    """A topic, which moto makes anew at every change, and with that takes its subscriptions and its policy away."""

    moto_class = Topic
    name_property = "TopicName"
    replaces_on = ("TopicName",)
    deleted_last = True

    @classmethod
    def create_from_cloudformation_json(
        cls,
        resource_name: str,
        cloudformation_json: dict[str, Any],
        account_id: str,
        region_name: str,
        **kwargs: Any,  # noqa: ANN401 moto's own signature
    ) -> Topic:
        if any(topic.name == resource_name for topic in sns_backends[account_id][region_name].topics.values()):
            raise ValidationError(message=f"Topic {resource_name} already exists")
        topic: Topic = super().create_from_cloudformation_json(
            resource_name, cloudformation_json, account_id, region_name, **kwargs
        )
        return topic

    @classmethod
    def update_from_cloudformation_json(
        cls,
        original_resource: Topic,
        new_resource_name: str,
        cloudformation_json: dict[str, Any],
        account_id: str,
        region_name: str,
    ) -> Topic:
        name = cloudformation_json["Properties"].get("TopicName", original_resource.name)
        if name != original_resource.name:
            return cls.create_from_cloudformation_json(new_resource_name, cloudformation_json, account_id, region_name)
        topic: Topic = super().update_from_cloudformation_json(
            original_resource, new_resource_name, cloudformation_json, account_id, region_name
        )
        return topic

    @classmethod
    def prepared(cls, properties: Properties) -> Properties:
        return {key: value for key, value in properties.items() if key in ("TopicName", "FifoTopic", "Subscription")}

    @classmethod
    def complete(cls, resource: Topic, properties: Properties, account_id: str, region: str) -> None:
        resource.display_name = properties.get("DisplayName", "")
        resource.kms_master_key_id = properties.get("KmsMasterKeyId", "")
        resource._tags = tags_of(properties)  # noqa: SLF001 moto has no other way to set them
        for one in properties.get("Subscription", ()):
            sns_backends[account_id][region].subscribe(resource.arn, one["Endpoint"], one["Protocol"])


class TopicPolicyResource(Resource, CloudFormationModel):
    """A policy of topics; without it they have their default one."""

    type_name = "AWS::SNS::TopicPolicy"
    attributes = ("Id",)

    @classmethod
    def create(cls, properties: Properties, account_id: str, region: str) -> Resource:
        made = cls(f"topic-policy-{properties['Topics'][0].rpartition(':')[2]}", properties, account_id, region)
        made.change(properties)
        return made

    def change(self, properties: Properties) -> None:
        for arn in set(self.properties["Topics"]) - set(properties["Topics"]):
            self._reset(arn)
        for arn in properties["Topics"]:
            self._sns.set_topic_attribute(arn, "policy", json.dumps(properties["PolicyDocument"]))

    def delete(self, account_id: str, region_name: str) -> None:  # noqa: ARG002
        for arn in self.properties["Topics"]:
            self._reset(arn)

    def _reset(self, arn: str) -> None:
        topic = self._sns.topics.get(arn)
        if topic:
            default = topic._create_default_topic_policy(self.region, self.account_id, topic.name)  # noqa: SLF001
            topic.policy = json.dumps(default)

    @property
    def _sns(self) -> SNSBackend:
        return sns_backends[self.account_id][self.region]


class SubscriptionResource(Resource, CloudFormationModel):
    """A subscription of a topic. Nobody has to confirm it here."""

    type_name = "AWS::SNS::Subscription"
    replaces_on = frozenset({"TopicArn", "Protocol", "Endpoint"})
    attributes = ("Arn",)

    @classmethod
    def create(cls, properties: Properties, account_id: str, region: str) -> Resource:
        backend = sns_backends[account_id][region]
        made = backend.subscribe(properties["TopicArn"], properties["Endpoint"], properties["Protocol"])
        resource = cls(made.arn, properties, account_id, region)
        resource.change(properties)
        return resource

    def change(self, properties: Properties) -> None:
        backend = sns_backends[self.account_id][self.region]
        raw = str(properties.get("RawMessageDelivery", False)).lower() == "true"
        backend.set_subscription_attributes(self._physical_id, "RawMessageDelivery", raw)
        for name in _FILTERS:
            value = properties.get(name)
            text = json.dumps(value) if isinstance(value, dict) else value
            backend.set_subscription_attributes(self._physical_id, name, text)

    def delete(self, account_id: str, region_name: str) -> None:  # noqa: ARG002
        sns_backends[self.account_id][self.region].unsubscribe(self._physical_id)

    def get_cfn_attribute(self, attribute_name: str) -> Any:  # noqa: ANN401
        if attribute_name == "Arn":
            return self._physical_id
        return super().get_cfn_attribute(attribute_name)


class RuleResource(Resource, CloudFormationModel):
    """A rule of the event bus that tells topics."""

    type_name = "AWS::Events::Rule"
    name_property = "Name"
    replaces_on = frozenset({"Name", "EventBusName"})
    attributes = ("Arn", "RuleName")

    @classmethod
    def create(cls, properties: Properties, account_id: str, region: str) -> Resource:
        made = cls(properties["Name"], properties, account_id, region)
        made.change(properties)
        return made

    def change(self, properties: Properties) -> None:
        refuse(properties, "ScheduleExpression")
        targets = properties.get("Targets", [])
        for target in targets:
            if ":sns:" not in target["Arn"]:
                raise ApiError("ValidationException", f"The local AWS emulates no target but topics: {target['Arn']}")
        pattern = properties.get("EventPattern")
        rule = self._events.put_rule(
            self._physical_id,
            description=properties.get("Description"),
            event_bus_arn=self._bus,
            event_pattern=json.dumps(pattern) if isinstance(pattern, dict) else pattern,
            role_arn=properties.get("RoleArn"),
            state=properties.get("State"),
            tags=properties.get("Tags"),
        )
        rule.remove_targets([one["Id"] for one in rule.targets])
        self._events.put_targets(self._physical_id, self._bus, targets)

    def delete(self, account_id: str, region_name: str) -> None:  # noqa: ARG002
        bus = self._events.event_buses.get(self._bus.rpartition("/")[2])
        rule = bus.rules.get(self._physical_id) if bus else None
        if rule:
            rule.delete(self.account_id, self.region)

    def get_cfn_attribute(self, attribute_name: str) -> Any:  # noqa: ANN401
        if attribute_name == "Arn":
            return self._events.describe_rule(self._physical_id, self._bus).arn
        if attribute_name == "RuleName":
            return self._physical_id
        return super().get_cfn_attribute(attribute_name)

    @property
    def _bus(self) -> str:
        return str(self.properties.get("EventBusName", "default"))

    @property
    def _events(self) -> EventsBackend:
        return events_backends[self.account_id][self.region]
