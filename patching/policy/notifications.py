"""Who is told what, what is watched, and what becomes of the output of commands."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from patching.command_events import CommandEvent, check_events
from patching.form import EMAIL, FUNCTION, QUEUE, URL
from patching.policy import pages
from patching.policy.part import Findings, Matching, Part
from patching.retention import MAX_RETENTION_DAYS


class Per(StrEnum):
    """What one message of Run Command is about."""

    COMMAND = "command"
    """A message for a command as a whole, which does not name the nodes."""

    NODE = "node"
    """A message for every node on which a command runs."""


class Commands(Part, json_schema_extra=pages.COMMAND_NOTIFICATIONS):
    """Which changes of the commands that windows send are told."""

    events: list[Annotated[CommandEvent, Field(strict=False)]] = Field(
        default_factory=lambda: [CommandEvent.ALL],
        min_length=1,
        max_length=5,
        description="The changes that are told: `All`, or some of the others.",
    )
    per: Annotated[Per, Field(strict=False)] = Field(
        default=Per.NODE,
        description="What one message is about: a node, or the command as a whole.",
        json_schema_extra=pages.NOTIFICATION_CONFIG,
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        """Find events that are told twice.

        Refused:
        - `events`: `All` beside others, as it stands for every one of them
        - `events`: one that is in the list already

        Follows https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_NotificationConfig.html.
        """
        findings = Findings()
        findings.make(("events",), check_events, self.events)
        findings.add_repeated(("events",), self.events)
        findings.report()
        return self


class Notifications(Part, json_schema_extra=pages.EVENTS):
    """Who is told what. All messages go to one encrypted topic, which is made whether anyone is subscribed or not."""

    emails: list[Annotated[str, Matching(EMAIL)]] = Field(
        default_factory=list,
        description="Addresses. Each gets a mail from AWS that asks to confirm the subscription, and nothing before "
        "it has done so.",
        json_schema_extra=pages.EMAIL_SUBSCRIPTIONS,
    )
    queues: list[Annotated[str, Matching(QUEUE)]] = Field(
        default_factory=list,
        description="ARNs of SQS queues. The queue's own policy has to let the topic send to it.",
        json_schema_extra=pages.QUEUE_SUBSCRIPTIONS,
    )
    functions: list[Annotated[str, Matching(FUNCTION)]] = Field(
        default_factory=list,
        description="ARNs of Lambda functions of this account; the topic is allowed to call them.",
        json_schema_extra=pages.FUNCTION_SUBSCRIPTIONS,
    )
    urls: list[Annotated[str, Matching(URL)]] = Field(
        default_factory=list,
        description="Addresses that messages are posted to. What is there has to confirm the subscription first.",
        json_schema_extra=pages.HTTPS_SUBSCRIPTIONS,
    )
    commands: Commands = Field(
        default_factory=Commands,
        description="Which changes of the commands that windows send are told.",
        json_schema_extra=pages.COMMAND_NOTIFICATIONS,
    )
    association_failures: bool = Field(
        default=True, description="Tell when a scan, inventory or agent update fails, on the whole or on a node."
    )
    window_executions: bool = Field(
        default=True, description="Tell when a window has opened, was skipped, and how it ended."
    )
    compliance_changes: bool = Field(
        default=False,
        description="Tell when a node becomes compliant or stops being so: a message for every node that changes.",
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        """Find who would be told twice.

        Refused:
        - `emails`, `queues`, `functions`, `urls`: one that is in the list already

        Follows https://docs.aws.amazon.com/sns/latest/api/API_Subscribe.html.
        """
        findings = Findings()
        for key in ("emails", "queues", "functions", "urls"):
            findings.add_repeated((key,), getattr(self, key))
        findings.report()
        return self


class Monitoring(Part, json_schema_extra=pages.COMMAND_METRICS):
    """What an on-call engineer looks at; `monitoring: {}` makes all of it, and without this part there is none.

    Run Command counts for the account and Region, not for an environment: alarms and dashboard show every command
    there.
    """

    alarms: bool = Field(
        default=True,
        description="Alarms for commands that failed, and for commands that a node did not take in time, told to the "
        "topic.",
    )
    dashboard: bool = Field(
        default=True,
        description="A dashboard: the alarms, the commands of the last week, and where to look further.",
        json_schema_extra=pages.DASHBOARDS,
    )


class Retention(Part, json_schema_extra=pages.EXPIRATION):
    """What becomes of the output of commands, which goes to an encrypted bucket."""

    retention_days: int = Field(
        default=90,
        ge=1,
        le=MAX_RETENTION_DAYS,
        description="Days after which output is deleted. A log group keeps it for the next longer time that "
        "CloudWatch Logs knows.",
    )
    keep_on_destroy: bool = Field(
        default=True,
        description="Leave the bucket, the log group and their key in the account when the stack is destroyed.",
        json_schema_extra=pages.DELETION_POLICY,
    )
