"""A maintenance window as the account has it: its targets, its tasks, and what they did.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/maintenance-windows.html.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from lab.records.command import DEFAULT_DELIVERY_TIMEOUT, Command, Notification, Status
from lab.world.clock import Event
from lab.world.stop_alarms import StopAlarms
from patching.rate_control import RateControl
from patching.schedule import Schedule
from patching.targets import Targets

RUN_COMMAND, AUTOMATION, LAMBDA, STEP_FUNCTIONS = "RUN_COMMAND", "AUTOMATION", "LAMBDA", "STEP_FUNCTIONS"
"""Kinds of task."""


@dataclass
class WindowTarget:
    """A group of nodes that a window's tasks can name."""

    id: str
    window_id: str
    targets: Targets
    resource_type: str = "INSTANCE"
    name: str = ""
    description: str = ""
    owner_information: str = ""


@dataclass
class WindowTask:
    """A task of a window."""

    id: str
    window_id: str
    document: str
    target_ids: tuple[str, ...]
    direct_targets: Targets | None
    rate_control: RateControl
    service_role: str
    parameters: dict[str, list[str]]
    bucket: str = ""
    prefix: str = ""
    notification: Notification | None = None
    priority: int = 1
    cancel_at_cutoff: bool = False
    name: str = ""
    description: str = ""
    comment: str = ""
    document_version: str = ""
    delivery_timeout_seconds: int = DEFAULT_DELIVERY_TIMEOUT
    log_group: str = ""
    alarms: StopAlarms = field(default_factory=StopAlarms)
    kind: str = RUN_COMMAND
    invoked_with: dict[str, Any] = field(default_factory=dict)
    """For a task that is no command: what it is invoked with, with pseudo parameters."""


@dataclass
class TaskInvocation:
    """A task on one of its targets; a command has all of them in one."""

    id: str
    target_id: str
    window_target_id: str
    started: datetime
    parameters: str
    """What it was invoked with, as JSON."""

    status: str = "PENDING"
    details: str = ""
    execution_id: str = ""
    """The automation that it started."""

    ended: datetime | None = None


@dataclass
class TaskExecution:
    """One run of a task."""

    id: str
    task: WindowTask
    started: datetime
    invocation_id: str
    command: Command | None = None
    problem: str = ""
    cut_off: bool = False
    owner_information: str = ""
    ended: datetime | None = None
    cancelled: bool = False
    invocations: list[TaskInvocation] = field(default_factory=list)
    """What a task that is no command did on each of its targets."""

    told: str = ""
    """The status that the last event of it told."""

    @property
    def status(self) -> str:
        """Its status, which is its command's in the words of a window."""
        if self.problem:
            return "FAILED"
        if self.command is None:
            return self._status_of_invocations()
        if not self.command.status.final:
            return "IN_PROGRESS"
        if self.cut_off:
            return "TIMED_OUT"
        return {Status.SUCCESS: "SUCCESS", Status.CANCELLED: "CANCELLED", Status.TIMED_OUT: "TIMED_OUT"}.get(
            self.command.status, "FAILED"
        )

    def _status_of_invocations(self) -> str:
        statuses = [one.status for one in self.invocations]
        if not statuses:
            return "CANCELLED" if self.cancelled else "PENDING"
        if "IN_PROGRESS" in statuses or "PENDING" in statuses:
            return "IN_PROGRESS"
        if self.cut_off:
            return "TIMED_OUT"
        return next((one for one in ("FAILED", "TIMED_OUT", "CANCELLED") if one in statuses), "SUCCESS")


@dataclass
class WindowExecution:
    """One opening of a window."""

    id: str
    window_id: str
    started: datetime
    ends: datetime
    tasks: list[TaskExecution] = field(default_factory=list)
    skipped: bool = False
    cancelled: bool = False
    ended: datetime | None = None

    @property
    def status(self) -> str:
        """Its status: the worst of its tasks'."""
        if self.skipped:
            return "SKIPPED_OVERLAPPING"
        statuses = [task.status for task in self.tasks]
        for status in ("PENDING", "IN_PROGRESS", "TIMED_OUT", "FAILED", "CANCELLED"):
            if status in statuses:
                return "IN_PROGRESS" if status == "PENDING" else status
        return "SUCCESS"


@dataclass
class Window:
    """A maintenance window as the account has it."""

    id: str
    name: str
    schedule: Schedule
    duration_hours: int
    cutoff_hours: int
    created: datetime
    modified: datetime | None = None
    description: str = ""
    start_date: str = ""
    """When it becomes active, as it was given: the schedule counts from then on."""

    end_date: str = ""
    """From when on it opens no more, as it was given."""

    enabled: bool = True
    allow_unassociated_targets: bool = False
    targets: dict[str, WindowTarget] = field(default_factory=dict)
    tasks: dict[str, WindowTask] = field(default_factory=dict)
    executions: list[WindowExecution] = field(default_factory=list)
    next_event: Event | None = None
