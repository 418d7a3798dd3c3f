"""Maintenance windows: when they open, what they run, and when they stop starting.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/maintenance-windows.html.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice, takewhile

from lab.clock import Clock, Event
from lab.command import Command, Notification, Status
from lab.errors import ApiError
from lab.ids import Ids
from lab.run_command import DEFAULT_DELIVERY_TIMEOUT, NO_ALARMS, RunCommand
from lab.service_events import ServiceEvents
from lab.stop_alarms import StopAlarms
from patching.quotas import MAX_WINDOWS
from patching.rate_control import RateControl
from patching.schedule import Schedule, point_in_time
from patching.targets import Targets


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
    """A Run Command task of a window."""

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
    alarms: StopAlarms = NO_ALARMS


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
    told: str = ""
    """The status that the last event of it told."""

    @property
    def status(self) -> str:
        """Its status, which is its command's in the words of a window."""
        if self.problem:
            return "FAILED"
        if self.command is None:
            return "PENDING"
        if not self.command.status.final:
            return "IN_PROGRESS"
        if self.cut_off:
            return "TIMED_OUT"
        return {Status.SUCCESS: "SUCCESS", Status.CANCELLED: "CANCELLED", Status.TIMED_OUT: "TIMED_OUT"}.get(
            self.command.status, "FAILED"
        )


@dataclass
class WindowExecution:
    """One opening of a window."""

    id: str
    window_id: str
    started: datetime
    ends: datetime
    tasks: list[TaskExecution] = field(default_factory=list)
    skipped: bool = False
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


class MaintenanceWindows:
    """The maintenance windows of an account and Region."""

    def __init__(
        self, clock: Clock, ids: Ids, run_command: RunCommand, events: ServiceEvents, log: Callable[[str], None]
    ) -> None:
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
            window.next_event = self._clock.at(upcoming[0], lambda: self._open(window))

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
    ) -> WindowTarget:
        """Register a group of nodes with a window."""
        target = WindowTarget(
            self._ids.uuid(),
            window_id,
            targets,
            name=name,
            description=description,
            owner_information=owner_information,
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
        self._clock.at(cutoff, lambda: self._cut_off(execution))

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
            groups = _groups(window, task)
            run.command = self._run_command.send(
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
        except ApiError as error:
            run.problem = error.message
            self._log(f"window {window.name}: task {task.name or task.id} failed: {error.message}")
        self._tell(execution, run)
        if run.command:
            run.command.watchers.append(lambda _: self._tell(execution, run))

    def _tell(self, execution: WindowExecution, run: TaskExecution) -> None:
        if run.status != run.told:
            run.told = run.status
            self._events.window_task(execution, run, self._clock.now)

    def _watch(self, window: Window, execution: WindowExecution) -> None:
        """Look every few seconds whether the running tasks are done."""

        def look() -> None:
            if any(one.status == "IN_PROGRESS" for one in execution.tasks):
                self._watch(window, execution)
            else:
                self._start_tasks(window, execution)

        self._clock.at(self._clock.now + timedelta(seconds=5), look, work=True)

    def _cut_off(self, execution: WindowExecution) -> None:
        """Start no further task, and cancel those that are to be cancelled now; the others go on to their end.

        A task that goes on still starts nodes that wait for their turn, as the page on registering tasks says.
        """
        for run in execution.tasks:
            if run.command and not run.command.status.final and run.task.cancel_at_cutoff:
                run.cut_off = True
                self._log(f"command {run.command.id}: cut off by its window")
                self._run_command.cancel(run.command)
            elif run.status == "PENDING":
                run.problem = "the window's cutoff came before the task could start"
                self._tell(execution, run)


def _owner_information(window: Window, task: WindowTask) -> str:
    first = window.targets.get(task.target_ids[0]) if task.target_ids else None
    return first.owner_information if first else ""


def _groups(window: Window, task: WindowTask) -> list[Targets]:
    """Return the targets of a task, whether it names groups of its window or nodes of its own; one match is enough."""
    if task.direct_targets is not None:
        return [task.direct_targets]
    groups = [window.targets[target_id].targets for target_id in task.target_ids if target_id in window.targets]
    if not groups:
        raise ApiError("ValidationException", "The targets of the task do not exist any more.")
    return groups
