"""Associations of State Manager as an account has them, and their runs.

Follows https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_AssociationDescription.html.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from lab.records.command import Command
from lab.world.clock import Event
from lab.world.stop_alarms import NO_ALARMS, StopAlarms
from patching.rate_control import RateControl
from patching.schedule import Schedule
from patching.targets import Targets


@dataclass
class AssociationExecution:
    """One run of an association."""

    id: str
    created: datetime
    command: Command | None
    problem: str = ""
    version: int = 1
    """The version of the association that ran."""

    @property
    def status(self) -> str:
        """Its status: its command's, once that is final."""
        if self.problem or self.command is None:
            return "Failed"
        return str(self.command.status) if self.command.status.final else "Pending"


@dataclass
class Association:
    """An association as the account has it."""

    id: str
    name: str
    document: str
    parameters: dict[str, list[str]]
    targets: Targets
    schedule: Schedule | None
    only_at_interval: bool
    rate_control: RateControl
    bucket: str
    prefix: str
    severity: str
    dispatch_role: str
    created: datetime
    document_version: str = ""
    calendars: tuple[str, ...] = ()
    """Change calendars that all have to be open when it runs."""

    alarms: StopAlarms = NO_ALARMS
    instance_id: str = ""
    """The node, for an association of the old kind, which has one instead of targets."""

    version: int = 1
    changed: datetime | None = None
    """When its version was made; None for its first one."""

    versions: list[Association] = field(default_factory=list)
    """What it was in its earlier versions."""

    reported: dict[str, Any] = field(default_factory=dict)
    """The status that somebody else reported for it."""

    covered: set[str] = field(default_factory=set)
    """The nodes that it has run on, or was to run on."""
    sync_manually: bool = False
    """Whether its compliance is left to whoever puts it."""

    executions: list[AssociationExecution] = field(default_factory=list)
    next_event: Event | None = None
