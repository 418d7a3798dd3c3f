"""Commands and their invocations: what was asked, and how far it came.

Statuses follow https://docs.aws.amazon.com/systems-manager/latest/userguide/monitor-commands.html.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from lab.clock import Event
from patching.rate_control import RateControl
from patching.targets import Targets


class Status(StrEnum):
    """Status of a command, an invocation or a step."""

    PENDING = "Pending"
    IN_PROGRESS = "InProgress"
    SUCCESS = "Success"
    FAILED = "Failed"
    TIMED_OUT = "TimedOut"
    CANCELLED = "Cancelled"
    CANCELLING = "Cancelling"

    @property
    def final(self) -> bool:
        """Tell whether it will not change any more."""
        return self not in (Status.PENDING, Status.IN_PROGRESS, Status.CANCELLING)


@dataclass(frozen=True)
class Notification:
    """Who is told of a command, of what, and as whom."""

    topic: str
    events: tuple[str, ...]
    per_invocation: bool
    role: str

    def wants(self, status: Status) -> bool:
        """Tell whether a change to this status is told. A command that waits or is being cancelled never is."""
        return status not in (Status.PENDING, Status.CANCELLING) and ("All" in self.events or status in self.events)


@dataclass
class StepRun:
    """A step on one node.

    Attributes:
        name: the step's name.
        action: its plugin.
        folder: what the folder of its output is called in the bucket, if not like the step.
        skipped: whether it was passed over, for another platform or after the document's end.
    """

    name: str
    action: str
    folder: str = ""
    skipped: bool = False
    status: Status = Status.PENDING
    code: int = -1
    output: str = ""
    error: str = ""
    started: datetime | None = None
    ended: datetime | None = None


@dataclass
class Invocation:
    """A command on one node."""

    node_id: str
    node_name: str
    requested: datetime
    steps: list[StepRun]
    status: Status = Status.PENDING
    details: str = "Pending"
    counts_as_error: bool = False
    pending_event: Event | None = None
    output_stored: bool = False

    def to(self, status: Status, details: str | None = None) -> None:
        """Change the status."""
        self.status = status
        self.details = details or str(status)


@dataclass
class Command:
    """A command, as SendCommand made it."""

    id: str
    document: str
    document_version: str
    parameters: dict[str, list[str]]
    targets: Targets
    by_id: bool
    rate_control: RateControl
    requested: datetime
    expires: datetime
    delivery_timeout_seconds: int
    comment: str = ""
    bucket: str = ""
    prefix: str = ""
    log_group: str = ""
    notification: Notification | None = None
    sender_role: str = ""
    association_id: str = ""
    invocations: dict[str, Invocation] = field(default_factory=dict)
    status: Status = Status.PENDING
    details: str = "Pending"
    allowed_at_once: int = 1
    stopped: bool = False
    watchers: list[Callable[[Invocation | None], None]] = field(default_factory=list)
    """Called at every change of a status: with the invocation, or with None for the command itself."""

    @property
    def running(self) -> int:
        """How many invocations are under way."""
        return sum(one.status in (Status.IN_PROGRESS, Status.CANCELLING) for one in self.invocations.values())

    @property
    def errors(self) -> int:
        """How many invocations count towards the error threshold."""
        return sum(one.counts_as_error for one in self.invocations.values())

    def count(self, *details: str) -> int:
        """Return how many invocations have one of these status details."""
        return sum(one.details in details for one in self.invocations.values())

    def output_prefix(self, invocation: Invocation) -> str:
        """Return the folder of the bucket that an invocation writes to."""
        return "/".join(filter(None, (self.prefix, self.id, invocation.node_id)))

    def output_key(self, invocation: Invocation, step: StepRun, stream: str) -> str:
        """Return the key of the object that a step's output goes to."""
        parts = (step.action, step.folder or step.name)
        return "/".join((self.output_prefix(invocation), *(part.replace(":", "") for part in parts), stream))

    def log_stream(self, invocation: Invocation, step: StepRun, stream: str) -> str:
        """Return the name of the log stream that a step's output goes to."""
        # A colon, which the plugins of old documents have in their names, is not allowed in the name of a stream.
        return "/".join((self.id, invocation.node_id, step.name.replace(":", "-"), stream))

    def summary(self) -> dict[str, Any]:
        """Return what a notification of the command says."""
        return {
            "commandId": self.id,
            "documentName": self.document,
            "instanceIds": [value for key, values in self.targets.keys for value in values if key == "InstanceIds"],
            "requestedDateTime": iso(self.requested),
            "expiresAfter": iso(self.expires),
            "outputS3BucketName": self.bucket,
            "outputS3KeyPrefix": self.prefix,
            "status": str(self.status),
        }

    def invocation_summary(self, invocation: Invocation) -> dict[str, Any]:
        """Return what a notification of one of its invocations says."""
        return {
            "commandId": self.id,
            "documentName": self.document,
            "instanceId": invocation.node_id,
            "requestedDateTime": iso(invocation.requested),
            "status": str(invocation.status),
            "detailedStatus": invocation.details,
        }


def iso(moment: datetime) -> str:
    """Write a time as notifications have it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03}Z"
