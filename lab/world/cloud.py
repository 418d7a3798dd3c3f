"""What the engine needs of the rest of AWS: instances, roles, a bucket, a topic."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Protocol, SupportsBytes

from lab.world.network import Network


@dataclass(frozen=True)
class Instance:
    """An EC2 instance, as far as Systems Manager sees it.

    Attributes:
        id: its instance id.
        image: name of its image.
        running: whether it runs; a stopped one can come back.
        role: ARN of its profile's role, or empty.
        tags: its tags.
        ip: its private address.
        network: the network around it; None for one that can reach everything.
        type: such as t3.small.
        profile: ARN of its instance profile, or empty.
        key_name: its key pair, or empty.
        public_ip: its public address, or empty.
        zone: its Availability Zone.
    """

    id: str
    image: str
    running: bool
    role: str
    tags: Mapping[str, str]
    ip: str
    network: Network | None = None
    type: str = ""
    profile: str = ""
    key_name: str = ""
    public_ip: str = ""
    zone: str = ""


@dataclass(frozen=True)
class StoredDocument:
    """A document of the account.

    Attributes:
        type: such as Command.
        version: its version.
        content: its text; empty if there is a document, but not this version of it.
    """

    type: str
    version: str
    content: str


@dataclass(frozen=True)
class Topic:
    """An SNS topic, as far as those who publish to it are concerned.

    Attributes:
        policy: its access policy.
        key: what encrypts its messages: the ARN of a key, the alias of a key that AWS manages, or nothing.
    """

    policy: Mapping[str, Any]
    key: str


@dataclass(frozen=True)
class RuleTarget:
    """A target of an EventBridge rule.

    Attributes:
        rule: the rule's name.
        rule_arn: its ARN.
        arn: what is told.
        role: the role as which it is told; empty for none.
        constant: what it is told instead of the event; empty for none.
        path: the part of the event that it is told; empty for the whole.
        variables: paths into the event, by the names that the template has for them.
        template: what it is told, with variables; empty for none.
    """

    rule: str
    rule_arn: str
    arn: str
    role: str = ""
    constant: str = ""
    path: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)
    template: str = ""


@dataclass(frozen=True)
class Alarm:
    """A CloudWatch alarm on one metric.

    Attributes:
        name: its name.
        arn: its ARN.
        description: for people.
        namespace: the metric's namespace.
        metric: the metric's name.
        dimensions: the metric's dimensions.
        statistic: what the datapoints of a period come to, such as Sum.
        period: how long a period is.
        evaluation_periods: how many periods it looks at.
        datapoints: in how many of them the threshold has to be breached.
        comparison: how, such as GreaterThanThreshold.
        threshold: the threshold.
        missing_data: what a period without data counts as: missing, breaching, notBreaching or ignore.
        state: its state.
        actions_enabled: whether a change of its state is told.
        actions: ARNs of what is told, by the new state.
    """

    name: str
    arn: str
    description: str
    namespace: str
    metric: str
    dimensions: Mapping[str, str]
    statistic: str
    period: timedelta
    evaluation_periods: int
    datapoints: int
    comparison: str
    threshold: float
    missing_data: str
    state: str
    actions_enabled: bool
    actions: Mapping[str, Iterable[str]]


class Cloud(Protocol):
    """The account and Region around the engine."""

    account: str
    region: str

    def changes(self) -> int:
        """Return a number that is another one whenever instances, roles or networks may have changed."""

    def instances(self) -> Iterable[Instance]:
        """Return the instances that are not terminated, in the order of their launch."""

    def change_state(self, instance_id: str, state: str) -> None:
        """Have an instance `running`, `stopped` or `terminated`; raise KeyError if it is not there."""

    def allowed(self, role: str, action: str, resource: str, context: Mapping[str, str] | None = None) -> bool:
        """Tell whether a role's policies allow an action on a resource."""

    def trusts(self, role: str, service: str, context: Mapping[str, str] | None = None) -> bool:
        """Tell whether there is such a role and a service, which sends along this context, may assume it."""

    def bucket_key(self, bucket: str) -> str | None:
        """Return the ARN of the key that encrypts a bucket's objects by default, or None if there is no such key."""

    def bucket_policy(self, bucket: str) -> Mapping[str, Any] | None:
        """Return the policy of a bucket, empty if it has none, or None if there is no such bucket."""

    def topic(self, topic: str) -> Topic | None:
        """Return a topic by its ARN, or None if there is no such topic."""

    def key_policy(self, key: str) -> Mapping[str, Any] | None:
        """Return the policy of a key by the key's ARN, or None if there is no such key."""

    def matching_targets(self, event: Mapping[str, Any]) -> Iterable[RuleTarget]:
        """Return the targets of the rules of the default event bus that match an event."""

    def put_metric(self, namespace: str, name: str, dimensions: Mapping[str, str], value: float) -> None:
        """Put a datapoint of a metric, of now."""

    def alarms(self) -> Iterable[Alarm]:
        """Return the alarms on one metric."""

    def alarm_state(self, name: str) -> str | None:
        """Return the state of an alarm, or None if there is no such alarm."""

    def group_members(self, name: str) -> list[str] | None:
        """Return the ids of the instances in a resource group, or None if there is no such group."""

    def set_alarm_state(self, name: str, state: str, reason: str) -> None:
        """Keep the state of an alarm."""

    def put_object(self, bucket: str, key: str, body: SupportsBytes) -> None:
        """Write an object; raise KeyError if there is no such bucket."""

    def get_object(self, bucket: str, key: str) -> bytes:
        """Read an object; raise KeyError if there is no such bucket or object."""

    def is_public(self, bucket: str, key: str) -> bool:
        """Tell whether the bucket's policy lets everybody read an object."""

    def document(self, name: str, version: str) -> StoredDocument | None:
        """Return a document of the account, or None if there is none of this name."""

    def has_log_group(self, group: str) -> bool:
        """Tell whether there is a log group of this name."""

    def put_log_events(self, group: str, stream: str, lines: Iterable[str]) -> None:
        """Write lines to a stream of a log group; both are made where they are lacking."""

    def publish(self, topic: str, subject: str, message: str) -> None:
        """Publish to a topic; raise KeyError if there is no such topic."""
