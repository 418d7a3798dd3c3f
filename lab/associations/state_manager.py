"""State Manager: associations that run a document on a schedule.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/systems-manager-state-about.html.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import fields, replace
from datetime import timedelta
from functools import partial
from typing import Any

from lab.commands.command_targets import resolve
from lab.commands.run_command import RunCommand
from lab.nodes.fleet import Fleet
from lab.nodes.node import ManagedNode
from lab.records.association import Association, AssociationExecution
from lab.records.command import Command, Invocation
from lab.records.documents import find
from lab.records.service_events import ServiceEvents
from lab.world.change_calendar import Calendars
from lab.world.clock import Clock
from lab.world.cloud import Cloud
from lab.world.errors import ApiError
from lab.world.ids import Ids
from lab.world.stop_alarms import NO_ALARMS, StopAlarms
from patching.rate_control import RateControl
from patching.schedule import Schedule
from patching.targets import Targets

_KEPT = ("id", "created", "version", "changed", "versions", "executions", "next_event", "covered", "instance_id")
"""What stays when an association gets another version."""

MAX_ASSOCIATIONS = 2_000
MAX_VERSIONS = 1_000
_NOTICED = timedelta(seconds=30)
"""How long it takes until a node is noticed that has come to the targets of an association; AWS does not say."""


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
        fleet: Fleet,
        log: Callable[[str], None],
    ) -> None:
        self._cloud = cloud
        self._fleet = fleet
        self._looking = False
        self._clock = clock
        self._calendars = calendars
        self._ids = ids
        self._run_command = run_command
        self._events = events
        self._log = log
        self.associations: dict[str, Association] = {}

    def create(self, **given: Any) -> Association:  # noqa: ANN401 what `Association` has
        """Make an association; it runs at once unless it is to run at its interval only.

        Args:
            given: what it is, by the names of the attributes of `Association`.

        Raises:
            ApiError: interval only, without a cron expression that says when; an offset, and not interval only; a
                document or parameters that cannot be run; too many of them, or one of the old kind that is there.
        """
        association = self._new(**given)
        if len(self.associations) >= MAX_ASSOCIATIONS:
            raise ApiError("AssociationLimitExceeded", f"There are {MAX_ASSOCIATIONS} associations already.")
        if association.instance_id and self.of_instance(association.document, association.instance_id):
            raise ApiError(
                "AssociationAlreadyExists", f"{association.document} is associated with {association.instance_id}."
            )
        association.id = self._ids.uuid()
        self.associations[association.id] = association
        self._begin(association)
        return association

    def update(self, association_id: str, **given: Any) -> Association:  # noqa: ANN401 as above
        """Give an association another version, which runs at once unless it is to run at its interval only.

        What is not given goes back to its default.

        Raises:
            ApiError: as `create`, or there are too many versions.
        """
        association = self.get(association_id)
        if association.version >= MAX_VERSIONS:
            raise ApiError("AssociationVersionLimitExceeded", f"{association_id} has {MAX_VERSIONS} versions already.")
        new = self._new(**given)
        earlier = replace(association, executions=[], versions=[], next_event=None)
        for one in fields(Association):
            if one.name not in _KEPT:
                setattr(association, one.name, getattr(new, one.name))
        association.versions.append(earlier)
        association.version += 1
        association.changed = self._clock.now
        if association.next_event:
            self._clock.cancel(association.next_event)
            association.next_event = None
        self._begin(association)
        return association

    def of_instance(self, document: str, node_id: str) -> Association | None:
        """Return the association of the old kind between a document and a node, if there is one."""
        known = (one for one in self.associations.values() if one.instance_id == node_id and one.document == document)
        return next(known, None)

    def on(self, node: ManagedNode) -> list[Association]:
        """Return the associations whose targets a node is among."""
        return [one for one in self.associations.values() if any(node.id == it.id for it in self._targeted(one))]

    def _begin(self, association: Association) -> None:
        # What is there already is no news: only nodes that come from now on get it out of turn.
        association.covered = {node.id for node in self._targeted(association)}
        if not association.only_at_interval:
            self.apply(association)
        self._plan(association)

    def _targeted(self, association: Association) -> list[ManagedNode]:
        try:
            return resolve(self._cloud, self._fleet, [association.targets])
        except ApiError:
            return []

    def look(self) -> None:
        """Notice that the fleet has changed: nodes that have come to the targets of an association get it soon."""
        if self._looking or all(one.only_at_interval for one in self.associations.values()):
            return
        self._looking = True
        self._clock.at(self._clock.now + _NOTICED, self._apply_to_new, work=True)

    def _apply_to_new(self) -> None:
        """Run associations on the nodes that have come to their targets.

        Follows https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CreateAssociation.html: an
        association runs when target changes are detected, unless it is to run at its interval only.
        """
        self._looking = False
        for association in list(self.associations.values()):
            if association.only_at_interval:
                continue
            here = self._targeted(association)
            new = [node for node in here if node.id not in association.covered]
            association.covered = {node.id for node in here}
            if new:
                self._log(f"association {association.name}: {len(new)} nodes have come to its targets")
                self.apply(association, new)

    def _new(  # noqa: PLR0913 what the operation takes
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
        alarms: StopAlarms = NO_ALARMS,
        instance_id: str = "",
        sync_manually: bool = False,
    ) -> Association:
        if only_at_interval and (schedule is None or schedule.kind == "rate"):
            raise ApiError("ValidationException", "ApplyOnlyAtCronInterval needs a cron expression.")
        if schedule and schedule.offset_days and not only_at_interval:
            raise ApiError("ValidationException", "ScheduleOffset needs ApplyOnlyAtCronInterval.")
        find(self._cloud, document, document_version).check(parameters)
        return Association(
            id="",
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
            alarms=alarms,
            instance_id=instance_id,
            sync_manually=sync_manually,
        )

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

    def apply(self, association: Association, nodes: Collection[ManagedNode] = ()) -> None:
        """Run an association now, unless one of its calendars is closed.

        Args:
            association: the association.
            nodes: the nodes to run it on; all of its targets by default.
        """
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
                among=frozenset(node.id for node in nodes),
                rate_control=association.rate_control,
                bucket=association.bucket,
                prefix=association.prefix,
                sender_role=association.dispatch_role,
                comment=f"Association {association.id}",
                association_id=association.id,
                alarms=association.alarms,
            )
        except ApiError as error:
            self._record(association, None, error.message)
        else:
            association.covered.update(command.invocations)
            self._record(association, command)

    def _record(self, association: Association, command: Command | None, problem: str = "") -> None:
        execution = AssociationExecution(self._ids.uuid(), self._clock.now, command, problem, association.version)
        association.executions.append(execution)
        self._log(f"association {association.name} ran{': ' + problem if problem else ''}")
        self._events.association(association, execution)
        if command:
            command.watchers.append(partial(self._changed, association, execution))

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
            association.next_event = self._clock.at(runs[0], partial(self._fire, association))

    def _fire(self, association: Association) -> None:
        self.apply(association)
        self._plan(association)
