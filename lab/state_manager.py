"""State Manager: associations that run a document on a schedule.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/systems-manager-state-about.html.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from lab.change_calendar import Calendars
from lab.clock import Clock, Event
from lab.cloud import Cloud
from lab.command import Command, Invocation
from lab.documents import find
from lab.errors import ApiError
from lab.ids import Ids
from lab.run_command import RunCommand
from lab.service_events import ServiceEvents
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

    sync_manually: bool = False
    """Whether its compliance is left to whoever puts it."""

    executions: list[AssociationExecution] = field(default_factory=list)
    next_event: Event | None = None


class StateManager:
    """The associations of an account and Region."""

    def __init__(
        self,
        *,
        cloud: Cloud,
        clock: Clock,
        ids: Ids,
        run_command: RunCommand,
        calendars: Calendars,
        events: ServiceEvents,
        log: Callable[[str], None],
    ) -> None:
        self._cloud = cloud
        self._clock = clock
        self._calendars = calendars
        self._ids = ids
        self._run_command = run_command
        self._events = events
        self._log = log
        self.associations: dict[str, Association] = {}

    def create(  # noqa: PLR0913 what the operation takes
        self,
        *,
        name: str,
        document: str,
        parameters: dict[str, list[str]],
        targets: Targets,
        schedule: Schedule | None,
        only_at_interval: bool,
        rate_control: RateControl,
        bucket: str = "",
        prefix: str = "",
        severity: str = "UNSPECIFIED",
        dispatch_role: str = "",
        document_version: str = "",
        calendars: tuple[str, ...] = (),
        sync_manually: bool = False,
    ) -> Association:
        """Make an association; it runs at once unless it is to run at its interval only.

        Raises:
            ApiError: interval only, without a cron expression that says when; an offset, and not interval only; a
                document or parameters that cannot be run.
        """
        if only_at_interval and (schedule is None or schedule.kind == "rate"):
            raise ApiError("ValidationException", "ApplyOnlyAtCronInterval needs a cron expression.")
        if schedule and schedule.offset_days and not only_at_interval:
            raise ApiError("ValidationException", "ScheduleOffset needs ApplyOnlyAtCronInterval.")
        find(self._cloud, document, document_version).check(parameters)
        association = Association(
            id=self._ids.uuid(),
            name=name,
            document=document,
            parameters=parameters,
            targets=targets,
            schedule=schedule.for_association() if schedule else None,
            only_at_interval=only_at_interval,
            rate_control=rate_control,
            bucket=bucket,
            prefix=prefix,
            severity=severity,
            dispatch_role=dispatch_role,
            calendars=calendars,
            created=self._clock.now,
            document_version=document_version,
            sync_manually=sync_manually,
        )
        self.associations[association.id] = association
        if not only_at_interval:
            self.apply(association)
        self._plan(association)
        return association

    def get(self, association_id: str) -> Association:
        """Return an association by its id."""
        association = self.associations.get(association_id)
        if association is None:
            raise ApiError("AssociationDoesNotExist", f"Association {association_id} does not exist.")
        return association

    def delete(self, association_id: str) -> None:
        """Delete an association; what it started goes on."""
        association = self.get(association_id)
        if association.next_event:
            self._clock.cancel(association.next_event)
        del self.associations[association_id]

    def rename(self, association_id: str, to: str) -> None:
        """Let an association take the place of another one, with its id and its history."""
        association = self.associations.pop(association_id)
        old = self.associations.get(to)
        if old:
            association.executions[:0] = old.executions
            association.created = old.created
            self.delete(to)
        association.id = to
        self.associations[to] = association

    def apply(self, association: Association) -> None:
        """Run an association now, unless one of its calendars is closed."""
        try:
            closed = self._calendars.closed(association.calendars, self._clock.now)
            if closed:
                self._log(f"association {association.name} did not run: {', '.join(closed)} closed")
                return
            command = self._run_command.send(
                document_name=association.document,
                document_version=association.document_version,
                parameters=association.parameters,
                targets=association.targets,
                rate_control=association.rate_control,
                bucket=association.bucket,
                prefix=association.prefix,
                sender_role=association.dispatch_role,
                comment=f"Association {association.id}",
                association_id=association.id,
            )
        except ApiError as error:
            self._record(association, None, error.message)
        else:
            self._record(association, command)

    def _record(self, association: Association, command: Command | None, problem: str = "") -> None:
        execution = AssociationExecution(self._ids.uuid(), self._clock.now, command, problem)
        association.executions.append(execution)
        self._log(f"association {association.name} ran{': ' + problem if problem else ''}")
        self._events.association(association, execution)
        if command:
            command.watchers.append(lambda invocation: self._changed(association, execution, invocation))

    def _changed(
        self, association: Association, execution: AssociationExecution, invocation: Invocation | None
    ) -> None:
        if invocation:
            self._events.association_target(association, invocation, self._clock.now)
        elif execution.status != "Pending":
            self._events.association(association, execution)

    def _plan(self, association: Association) -> None:
        if association.schedule is None:
            return
        runs = association.schedule.next_runs(self._clock.now, 1, anchor=association.created)
        if runs:
            association.next_event = self._clock.at(runs[0], lambda: self._fire(association))

    def _fire(self, association: Association) -> None:
        self.apply(association)
        self._plan(association)
