"""Maintenance windows: when they open, what they run, and when they stop starting.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/maintenance-windows.html.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from itertools import islice, takewhile

from lab.automation.automation import Automations
from lab.commands.run_command import RunCommand
from lab.nodes.fleet import Fleet
from lab.records.command import Command, Invocation
from lab.records.service_events import ServiceEvents
from lab.records.window import RUN_COMMAND, TaskExecution, Window, WindowExecution, WindowTarget, WindowTask
from lab.windows.window_invocations import WindowInvocations, groups_of
from lab.world.clock import Clock
from lab.world.cloud import Cloud
from lab.world.errors import ApiError
from lab.world.ids import Ids
from patching.errors import InvalidValueError
from patching.quotas import MAX_WINDOWS
from patching.schedule import Schedule, point_in_time
from patching.targets import Targets


class MaintenanceWindows:
    """The maintenance windows of an account and Region."""

    def __init__(
        self,
        *,
        automations: Automations,
        cloud: Cloud,
        clock: Clock,
        ids: Ids,
        fleet: Fleet,
        run_command: RunCommand,
        events: ServiceEvents,
        log: Callable[[str], None],
    ) -> None:
        self._invocations = WindowInvocations(automations, cloud, clock, ids, fleet, log)
        self._clock = clock
        self._ids = ids
        self._run_command = run_command
        self._events = events
        self._log = log
        self.windows: dict[str, Window] = {}

    def create(
        self,
        *,
        name: str,
        schedule: Schedule,
        duration_hours: int,
        cutoff_hours: int,
        allow_unassociated_targets: bool,
        description: str = "",
        start_date: str = "",
        end_date: str = "",
    ) -> Window:
        """Make a window and plan its first opening.

        Raises:
            ApiError: a cutoff that is not below the duration, or too many windows.
        """
        if cutoff_hours >= duration_hours:
            raise ApiError("ValidationException", f"Cutoff {cutoff_hours} must be below the duration {duration_hours}.")
        if len(self.windows) >= MAX_WINDOWS:
            raise ApiError("ResourceLimitExceededException", f"There are {MAX_WINDOWS} maintenance windows already.")
        window = Window(
            id=self._ids.resource("mw"),
            name=name,
            schedule=schedule,
            duration_hours=duration_hours,
            cutoff_hours=cutoff_hours,
            created=self._clock.now,
            description=description,
            start_date=start_date,
            end_date=end_date,
            allow_unassociated_targets=allow_unassociated_targets,
        )
        self.windows[window.id] = window
        self.plan(window)
        return window

    def get(self, window_id: str) -> Window:
        """Return a window by its id."""
        window = self.windows.get(window_id)
        if window is None:
            raise ApiError("DoesNotExistException", f"Maintenance window {window_id} does not exist.")
        return window

    def delete(self, window_id: str) -> None:
        """Delete a window with its targets and tasks; what it started goes on."""
        window = self.windows.pop(window_id, None)
        if window and window.next_event:
            self._clock.cancel(window.next_event)

    def plan(self, window: Window) -> None:
        """Plan the next opening, after a change of the schedule too."""
        if window.next_event:
            self._clock.cancel(window.next_event)
            window.next_event = None
        upcoming = self.upcoming(window, 1)
        if upcoming and window.enabled:
            window.next_event = self._clock.at(upcoming[0], partial(self._open, window))

    def upcoming(self, window: Window, count: int) -> list[datetime]:
        """Return the next openings; there are none outside the dates between which it is active."""
        after, anchor = self._clock.now, window.created
        start = point_in_time(window.start_date) if window.start_date else None
        if start and start > window.created:
            # A rate counts from the start, and opens the window then for the first time.
            anchor = start
        if start and start > after:
            after = start - timedelta.resolution
        openings = window.schedule.runs(after, anchor=anchor)
        if window.end_date:
            end = point_in_time(window.end_date)
            openings = takewhile(lambda moment: moment < end, openings)
        return list(islice(openings, count))

    def add_target(
        self,
        window_id: str,
        targets: Targets,
        *,
        name: str = "",
        description: str = "",
        owner_information: str = "",
        resource_type: str = "INSTANCE",
    ) -> WindowTarget:
        """Register a group of nodes with a window."""
        target = WindowTarget(
            self._ids.uuid(),
            window_id,
            targets,
            name=name,
            description=description,
            owner_information=owner_information,
            resource_type=resource_type,
        )
        self.get(window_id).targets[target.id] = target
        self._events.window_target(window_id, target.id, registered=True)
        return target

    def remove_target(self, window_id: str, target_id: str) -> None:
        """Take a group of nodes from a window."""
        if self.get(window_id).targets.pop(target_id, None):
            self._events.window_target(window_id, target_id, registered=False)

    def enable(self, window: Window, *, enabled: bool) -> None:
        """Enable or disable a window; its next opening is to be planned anew."""
        if enabled is not window.enabled:
            window.enabled = enabled
            self._events.window(window)

    def add_task(self, task: WindowTask) -> WindowTask:
        """Register a task with its window.

        Raises:
            ApiError: it names a target that the window has not.
        """
        window = self.get(task.window_id)
        for target_id in task.target_ids:
            if target_id not in window.targets:
                raise ApiError("DoesNotExistException", f"Window {window.id} has no target {target_id}.")
        window.tasks[task.id] = task
        return task

    def new_task_id(self) -> str:
        """Return an id for a task."""
        return self._ids.uuid()

    def execution(self, execution_id: str) -> WindowExecution:
        """Return an opening by its id."""
        for window in self.windows.values():
            for execution in window.executions:
                if execution.id == execution_id:
                    return execution
        raise ApiError("DoesNotExistException", f"Window execution {execution_id} does not exist.")

    def _open(self, window: Window) -> None:
        now = self._clock.now
        window.next_event = None
        self.plan(window)
        ends = now + timedelta(hours=window.duration_hours)
        execution = WindowExecution(self._ids.uuid(), window.id, now, ends)
        execution.skipped = any(one.status == "IN_PROGRESS" for one in window.executions)
        window.executions.append(execution)
        self._log(f"window {window.name} {'skipped: the last one still runs' if execution.skipped else 'opened'}")
        if execution.skipped:
            execution.ended = now
            self._events.window_execution(execution)
            return
        execution.tasks = [
            TaskExecution(
                self._ids.uuid(), task, now, self._ids.uuid(), owner_information=_owner_information(window, task)
            )
            for task in sorted(window.tasks.values(), key=lambda task: task.priority)
        ]
        if execution.tasks:
            self._events.window_execution(execution)
        self._start_tasks(window, execution)
        cutoff = ends - timedelta(hours=window.cutoff_hours)
        self._clock.at(cutoff, partial(self._cut_off, execution))

    def _start_tasks(self, window: Window, execution: WindowExecution) -> None:
        """Start the tasks of the most urgent priority; the others follow when these are done."""
        waiting = [one for one in execution.tasks if one.status == "PENDING"]
        if any(one.status == "IN_PROGRESS" for one in execution.tasks):
            return
        if not waiting:
            execution.ended = self._clock.now
            self._log(f"window {window.name} is done: {execution.status}")
            self._events.window_execution(execution)
            return
        for one in waiting:
            if one.task.priority == waiting[0].task.priority:
                self._start(window, execution, one)
        self._watch(window, execution)

    def _start(self, window: Window, execution: WindowExecution, run: TaskExecution) -> None:
        task = run.task
        run.started = self._clock.now
        try:
            if task.kind != RUN_COMMAND:
                self._invocations.start(window, execution, run)
            else:
                run.command = self._send(window, execution, run)
        except (ApiError, InvalidValueError) as error:
            run.problem = getattr(error, "message", str(error))
            self._log(f"window {window.name}: task {task.name or task.id} failed: {run.problem}")
        self._tell(execution, run)
        if run.command:
            run.command.watchers.append(partial(self._command_changed, execution, run))

    def _send(self, window: Window, execution: WindowExecution, run: TaskExecution) -> Command:
        task, groups = run.task, groups_of(window, run.task)
        return self._run_command.send(
            document_name=task.document,
            document_version=task.document_version,
            parameters=task.parameters,
            targets=groups[0],
            more_targets=groups[1:],
            rate_control=task.rate_control,
            bucket=task.bucket,
            prefix=task.prefix,
            notification=task.notification,
            comment=task.comment or f"{execution.id}:{run.id}",
            delivery_timeout_seconds=task.delivery_timeout_seconds,
            log_group=task.log_group,
            alarms=task.alarms,
            sender_role=task.service_role,
        )

    def _command_changed(self, execution: WindowExecution, run: TaskExecution, _: Invocation | None) -> None:
        self._tell(execution, run)

    def _tell(self, execution: WindowExecution, run: TaskExecution) -> None:
        if run.status != run.told:
            run.told = run.status
            run.ended = None if run.status in ("PENDING", "IN_PROGRESS") else self._clock.now
            self._events.window_task(execution, run, self._clock.now)

    def _watch(self, window: Window, execution: WindowExecution) -> None:
        """Look every few seconds whether the running tasks are done."""

        def look() -> None:
            for one in execution.tasks:
                if one.invocations:
                    self._tell(execution, one)
            if any(one.status == "IN_PROGRESS" for one in execution.tasks):
                self._watch(window, execution)
            else:
                self._start_tasks(window, execution)

        self._clock.at(self._clock.now + timedelta(seconds=5), look, work=True)

    def cancel(self, execution: WindowExecution) -> None:
        """Stop an opening: no further task starts, and those that run start no further node.

        Follows https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CancelMaintenanceWindowExecution.html.
        """
        execution.cancelled = True
        for run in execution.tasks:
            if run.command and not run.command.status.final:
                self._run_command.cancel(run.command)
            elif run.status == "IN_PROGRESS":
                self._invocations.cancel(run)
            elif run.status == "PENDING":
                run.cancelled = True
                self._tell(execution, run)

    def _cut_off(self, execution: WindowExecution) -> None:
        """Start no further task, and cancel those that are to be cancelled now; the others go on to their end.

        A task that goes on still starts nodes that wait for their turn, as the page on registering tasks says.
        """
        for run in execution.tasks:
            if run.command and not run.command.status.final and run.task.cancel_at_cutoff:
                run.cut_off = True
                self._log(f"command {run.command.id}: cut off by its window")
                self._run_command.cancel(run.command)
            elif run.status == "IN_PROGRESS" and run.task.cancel_at_cutoff:
                run.cut_off = True
                self._invocations.cancel(run)
            elif run.status == "PENDING":
                run.problem = "the window's cutoff came before the task could start"
                self._tell(execution, run)


def _owner_information(window: Window, task: WindowTask) -> str:
    first = window.targets.get(task.target_ids[0]) if task.target_ids else None
    return first.owner_information if first else ""
