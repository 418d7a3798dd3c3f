"""Commands and their invocations: what was asked, and how far it came.

Statuses follow https://docs.aws.amazon.com/systems-manager/latest/userguide/monitor-commands.html.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any

from lab.world.clock import Event
from lab.world.output import NOTHING, Output
from lab.world.stop_alarms import StopAlarms
from patching.rate_control import RateControl
from patching.targets import Targets


class Status(StrEnum):
    """Status of a command, an invocation or a step."""

    PENDING = "Pending"
    IN_PROGRESS = "InProgress"
    DELAYED = "Delayed"
    SUCCESS = "Success"
    FAILED = "Failed"
    TIMED_OUT = "TimedOut"
    CANCELLED = "Cancelled"
    CANCELLING = "Cancelling"

    @property
    def final(self) -> bool:
        """Tell whether it will not change any more."""
        return self not in (Status.PENDING, Status.IN_PROGRESS, Status.DELAYED, Status.CANCELLING)

    @property
    def waiting(self) -> bool:
        """Tell whether nothing of it has begun: it is not its turn yet, or its node does not answer."""
        return self in (Status.PENDING, Status.DELAYED)


DEFAULT_DELIVERY_TIMEOUT = 3600

UNTOLD = (Status.PENDING, Status.DELAYED, Status.CANCELLING)
"""Statuses that nobody is told of."""


@dataclass(frozen=True)
class Notification:
    """Who is told of a command, of what, and as whom."""

    topic: str
    events: tuple[str, ...]
    per_invocation: bool
    role: str

    def wants(self, status: Status) -> bool:
        """Tell whether a change to this status is told. A command that waits or is being cancelled never is."""
        return status not in UNTOLD and ("All" in self.events or status in self.events)


@dataclass(slots=True)
class StepRun:
    """A step on one node.

    Attributes:
        name: the step's name.
        action: its plugin.
        folder: what the folder of its output is called in the bucket, if not like the step.
        skipped: whether it was passed over, for another platform or after the document's end.
        printed: its standard output.
    """

    name: str
    action: str
    folder: str = ""
    skipped: bool = False
    status: Status = Status.PENDING
    code: int = -1
    printed: Output = NOTHING
    error: str = ""
    started: datetime | None = None
    ended: datetime | None = None

    @property
    def details(self) -> str:
        """Its status in detail."""
        return "ExecutionTimedOut" if self.status is Status.TIMED_OUT else str(self.status)

    @property
    def output(self) -> str:
        """Its standard output."""
        return str(self.printed)

    @output.setter
    def output(self, text: str) -> None:
        self.printed = Output(text)


@dataclass(slots=True)
class Invocation:
    """A command on one node."""

    place: int
    node_id: str
    node_name: str
    requested: datetime
    steps: list[StepRun]
    status: Status = Status.PENDING
    details: str = "Pending"
    pending_event: Event | None = None
    output_stored: bool = False

    @property
    def running(self) -> bool:
        """Tell whether it is under way."""
        return self.status in (Status.IN_PROGRESS, Status.CANCELLING)


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
    alarms: StopAlarms = field(default_factory=StopAlarms)
    triggered: dict[str, str] = field(default_factory=dict)
    """The alarms that stopped it, with their states."""

    expiry: Event | None = None
    allowed_at_once: int = 1
    stopped: bool = False
    watchers: list[Callable[[Invocation | None], None]] = field(default_factory=list)
    """Called at every change of a status: with the invocation, or with None for the command itself."""

    running: int = 0
    """How many invocations are under way."""

    finished: int = 0
    """How many invocations have a final status."""

    errors: int = 0
    """How many invocations count towards the error threshold."""

    startable: list[tuple[int, str]] = field(default_factory=list)
    """A heap of the nodes that can be started once there is room, by their places in the command."""

    starting: bool = False
    """Whether nodes are being started right now."""

    def add(self, invocations: Iterable[Invocation]) -> None:
        """Make these what the command consists of; they start in this order."""
        self.invocations = {one.node_id: one for one in invocations}
        self.startable = [(one.place, one.node_id) for one in self.invocations.values()]

    def next_startable(self) -> Invocation | None:
        """Take the next one that can be started, or None if there is none."""
        while self.startable:
            invocation = self.invocations[heapq.heappop(self.startable)[1]]
            if invocation.status.waiting and invocation.pending_event is None:
                return invocation
        return None

    def make_startable(self, invocation: Invocation) -> None:
        """Have an invocation tried once more."""
        heapq.heappush(self.startable, (invocation.place, invocation.node_id))

    def change(self, invocation: Invocation, status: Status, details: str | None = None) -> None:
        """Change the status of an invocation, and count anew: nothing goes through all of them at every change."""
        self.running -= invocation.running
        self.finished -= invocation.status.final
        invocation.status = status
        invocation.details = details or str(status)
        self.running += invocation.running
        self.finished += invocation.status.final

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


@lru_cache(maxsize=1024)
def iso(moment: datetime) -> str:
    """Write a time as notifications have it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03}Z"
