"""Events of Systems Manager that are told to the topic, all in one form.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/monitoring-systems-manager-event-examples.html and
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-identity-based.html: EventBridge publishes as a role,
because a topic's policy cannot say for which rule it may.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from aws_cdk import Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from constructs import Construct
from constructs.notification_topic import NotificationTopic

IDS_OF_RULE = 50
"""Ids that a rule's pattern has at most. With those of windows, of 20 characters, that is half of the 2,048 characters
that EventBridge takes; see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html."""


@dataclass(frozen=True)
class Told:
    """A kind of event, and what is said of it.

    Attributes:
        detail_types: names of the events.
        id_key: where the event's detail has the id of what it is about.
        ids: the ids that are told of.
        detail: what the event's detail has to hold besides.
        what: the message's first words.
        subject: where the event says what it is about.
        status: where the event says how it went.
    """

    detail_types: tuple[str, ...]
    id_key: str
    ids: Sequence[str]
    detail: Mapping[str, Sequence[str]]
    what: str
    subject: str
    status: str


def association_failures(associations: Sequence[str]) -> Told:
    """Associations, by their ids, that failed on the whole or on a node."""
    return Told(
        ("EC2 State Manager Association State Change", "EC2 State Manager Instance Association State Change"),
        "association-id",
        associations,
        {"status": ["Failed"]},
        "An association failed",
        "$.detail.association-id",
        "$.detail.status",
    )


def compliance_changes(baselines: Sequence[str]) -> Told:
    """Nodes of these baselines, by their ids, that became compliant or stopped being so."""
    return Told(
        ("Configuration Compliance State Change",),
        "patch-baseline-id",
        baselines,
        {"compliance-type": ["Patch"]},
        "The patch compliance of a node changed",
        "$.detail.resource-id",
        "$.detail.compliance-status",
    )


def window_executions(windows: Sequence[str]) -> Told:
    """Windows, by their ids, that opened, were skipped, or ended."""
    return Told(
        ("Maintenance Window Execution State-change Notification",),
        "window-id",
        windows,
        {"status": ["IN_PROGRESS", "SUCCESS", "FAILED", "TIMED_OUT", "CANCELLED", "SKIPPED_OVERLAPPING"]},
        "A maintenance window opened or ended",
        "$.detail.window-id",
        "$.detail.status",
    )


class EventNotifications(Construct):
    """EventBridge rules that publish to the topic.

    A kind of events is told by one rule, or by several where its ids are more than the pattern of one rule can hold.
    Every message is a JSON object with the same keys: `summary`, `environment`, `subject`, `status`, `time`, `account`,
    `region` and `event`.

    Args:
        scope: where it is made.
        id: its name there.
        environment: named in every message.
        told: the kinds of events by the name of their rule.
        notifications: the topic.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002 CDK's own name
        *,
        environment: str,
        told: Mapping[str, Told],
        notifications: NotificationTopic,
    ) -> None:
        super().__init__(scope, id)
        stack = Stack.of(self)
        self._arn = notifications.arn
        self.role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal(
                "events.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": stack.account}}
            ),
            description="EventBridge publishes to the topic as this role",
        )
        policy = iam.ManagedPolicy(
            self, "Policy", description="Publish to the topic, and encrypt for it", roles=[self.role]
        )
        notifications.grant_publish(policy)
        for name, kind in told.items():
            for number, ids in enumerate(_batches(kind.ids), 1):
                rule = self._rule(name if number == 1 else f"{name}-{number}", environment, kind, ids)
                rule.node.add_dependency(policy)

    def _rule(self, name: str, environment: str, kind: Told, ids: Sequence[str]) -> events.CfnRule:
        return events.CfnRule(
            self,
            name,
            description=f"{kind.what} (environment {environment})",
            event_pattern={
                "source": ["aws.ssm"],
                "detail-type": list(kind.detail_types),
                "detail": {kind.id_key: list(ids)} | {key: list(values) for key, values in kind.detail.items()},
            },
            targets=[
                events.CfnRule.TargetProperty(
                    id="Topic",
                    arn=self._arn,
                    role_arn=self.role.role_arn,
                    input_transformer=events.CfnRule.InputTransformerProperty(
                        input_paths_map={
                            "subject": kind.subject,
                            "status": kind.status,
                            "time": "$.time",
                            "account": "$.account",
                            "region": "$.region",
                            "event": "$.detail-type",
                        },
                        input_template=_message(kind.what, environment),
                    ),
                )
            ],
        )


def _batches(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for first in range(0, len(ids), IDS_OF_RULE):
        yield ids[first : first + IDS_OF_RULE]


def _message(what: str, environment: str) -> str:
    """Return the template of a message. EventBridge quotes the values that it puts in."""
    fixed = json.dumps({"summary": what, "environment": environment}).removesuffix("}")
    taken = ("subject", "status", "time", "account", "region", "event")
    return fixed + "".join(f', "{name}": <{name}>' for name in taken) + "}"
