"""What patches in an environment, in types: windows, associations and baselines, as templates have them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from patching.baseline import PatchBaseline
from patching.errors import InvalidValueError
from patching.open_times import OpenTimes
from patching.rate_control import RateControl
from patching.run_patch_baseline import Operation, RunPatchBaseline
from patching.schedule import Schedule
from patching.targets import Targets
from patching.template_rules.assembly import Resource
from patching.template_rules.commands import Command


@dataclass(frozen=True)
class Sent:
    """A command that a window or an association sends.

    Attributes:
        command: the command, as the template has it.
        document: the document's name.
        parameters: the document's parameters for people.
        groups: the target groups; those that are not known are left out.
        targets: the targets in words.
        rate: how many nodes at one time; None if not known.
        patching: what it does where it is one of AWS's documents that patch; None if it is another.
        role: who sends it, in words; empty for nobody in particular.
        output: where its output goes, in words; empty for nowhere.
    """

    command: Command
    document: str
    parameters: Mapping[str, tuple[str, ...]]
    groups: tuple[Targets, ...]
    targets: str
    rate: RateControl | None
    patching: RunPatchBaseline | None
    role: str
    output: str

    @property
    def operation(self) -> str:
        """What it does, in a word or by its document."""
        return str(self.patching.operation) if self.patching else self.document

    @property
    def is_install(self) -> bool:
        """Whether it installs patches."""
        return self.patching is not None and self.patching.operation is Operation.INSTALL


@dataclass(frozen=True)
class Window:
    """A maintenance window with what it sends.

    Attributes:
        resource: where it is.
        name: its name without the environment's.
        schedule: when it opens; None if not known, or not one that Systems Manager takes.
        expression: the schedule as it is written, with its zone.
        duration_hours: hours that it is open; None if not known.
        cutoff_hours: hours before its end at which it stops starting.
        start: the first day; None for no limit.
        end: the last day; None for no limit.
        tasks: what it sends.
        members: its targets and tasks.
    """

    resource: Resource
    name: str
    schedule: Schedule | None
    expression: str
    duration_hours: int | None
    cutoff_hours: int
    start: date | None
    end: date | None
    tasks: tuple[Task, ...]
    members: tuple[Resource, ...]

    @cached_property
    def times(self) -> OpenTimes | None:
        """When it is open; None if that is not known."""
        if self.schedule is None or self.duration_hours is None:
            return None
        try:
            return OpenTimes(self.schedule, self.duration_hours, self.start, self.end)
        except InvalidValueError:
            return None


@dataclass(frozen=True)
class Task:
    """What a window sends."""

    resource: Resource
    sent: Sent
    cutoff_behavior: str
    notified: tuple[str, str, str]
    """Topic, events and type of the notifications, in words; empty for none."""


@dataclass(frozen=True)
class NodeAssociation:
    """A State Manager association."""

    resource: Resource
    name: str
    schedule: Schedule | None
    expression: str
    sent: Sent
    runs_when_made: bool
    severity: str
    calendars: tuple[str, ...]


@dataclass(frozen=True)
class Baseline:
    """A patch baseline with its patch groups; `content` is None if it cannot be read."""

    resource: Resource
    name: str
    content: PatchBaseline | None
    groups: tuple[str, ...]
