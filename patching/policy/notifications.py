"""Who is told what, what is watched, and what becomes of the output of commands."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from patching.command_events import CommandEvent, check_events
from patching.policy.part import Findings, Part, matching

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_QUEUE = re.compile(r"arn:aws[a-z-]*:sqs:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,80}")
_FUNCTION = re.compile(r"arn:aws[a-z-]*:lambda:[a-z0-9-]+:[0-9]{12}:function:[A-Za-z0-9_-]{1,64}(:[A-Za-z0-9_$-]+)?")
_URL = re.compile(r"https://[A-Za-z0-9.-]+(:[0-9]+)?(/[^\s]*)?")


class Per(StrEnum):
    """What one message of Run Command is about."""

    COMMAND = "command"
    """A command as a whole: one message, which does not name the nodes."""

    NODE = "node"
    """A command on one node."""


class Commands(Part):
    """Which changes of the commands that windows send are told."""

    events: list[Annotated[CommandEvent, Field(strict=False)]] = Field(
        default_factory=lambda: [CommandEvent.ALL],
        min_length=1,
        max_length=5,
        description="The statuses that are told: All, or some of InProgress, Success, TimedOut, Cancelled and Failed.",
    )
    per: Annotated[Per, Field(strict=False)] = Field(
        default=Per.NODE, description="A message for every node, or one for the command, which does not name the nodes."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        findings = Findings()
        findings.make(("events",), check_events, self.events)
        findings.add_repeated(("events",), self.events)
        findings.report()
        return self


class Notifications(Part):
    """Who is told what. All messages go to one encrypted topic."""

    emails: list[Annotated[str, AfterValidator(matching(_EMAIL, "an e-mail address"))]] = Field(
        default_factory=list, description="Each gets a mail from AWS that asks to confirm the subscription."
    )
    queues: list[
        Annotated[
            str,
            AfterValidator(matching(_QUEUE, "the ARN of an SQS queue (a standard one: the topic is no FIFO topic)")),
        ]
    ] = Field(
        default_factory=list,
        description="ARNs of SQS queues. The queue's own policy has to let the topic send to it.",
    )
    functions: list[Annotated[str, AfterValidator(matching(_FUNCTION, "the ARN of a Lambda function"))]] = Field(
        default_factory=list, description="ARNs of Lambda functions of this account; the topic may call them."
    )
    urls: list[Annotated[str, AfterValidator(matching(_URL, "an https:// address"))]] = Field(
        default_factory=list,
        description="https:// addresses that messages are posted to. Each has to confirm the subscription.",
    )
    commands: Commands = Field(
        default_factory=Commands, description="Which changes of the commands that windows send are told."
    )
    association_failures: bool = Field(
        default=True, description="Tell when a scan, inventory or agent update fails, on the whole or on a node."
    )
    window_executions: bool = Field(default=True, description="Tell when a window has opened, and how it ended.")
    compliance_changes: bool = Field(
        default=False,
        description="Tell when a node becomes compliant or stops being so: a message for every node that changes.",
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        findings = Findings()
        for key in ("emails", "queues", "functions", "urls"):
            findings.add_repeated((key,), getattr(self, key))
        findings.report()
        return self


class Monitoring(Part):
    """What an on-call engineer looks at. Run Command counts for the account and Region, not for an environment."""

    alarms: bool = Field(
        default=True, description="Alarms for commands that failed and commands that no node took, told to the topic."
    )
    dashboard: bool = Field(
        default=True, description="A dashboard: the alarms, the commands of the last week, and where to look further."
    )


class Retention(Part):
    """What becomes of the output of commands."""

    retention_days: int = Field(default=90, ge=1, le=3650, description="Days after which output is deleted.")
    keep_on_destroy: bool = Field(
        default=True, description="Leave the bucket and its key in the account when the stack is destroyed."
    )
