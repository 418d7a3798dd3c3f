"""What is scheduled: maintenance windows and associations, when they run next, and how they ran.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/maintenance-windows.html and
https://docs.aws.amazon.com/systems-manager/latest/userguide/state-manager-associations.html.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ops.permissions import Need, On
from ops.session import Session
from ops.window_task import find_window
from patching.deployment import Deployment
from patching.run_patch_baseline import DOCUMENT_NAME
from patching.schedule import Schedule
from patching.targets import Targets

NEEDS = (
    Need(
        On.ANYTHING,
        "ssm:DescribeMaintenanceWindows",
        "ssm:DescribeMaintenanceWindowSchedule",
        "ssm:DescribeMaintenanceWindowExecutionTasks",
        "ssm:DescribeMaintenanceWindowExecutionTaskInvocations",
        "ssm:ListAssociations",
    ),
    Need(
        On.WINDOWS,
        "ssm:DescribeMaintenanceWindowTargets",
        "ssm:DescribeMaintenanceWindowTasks",
        "ssm:DescribeMaintenanceWindowExecutions",
    ),
    Need(On.WINDOW_TASKS, "ssm:GetMaintenanceWindowTask"),
    Need(On.ASSOCIATIONS, "ssm:DescribeAssociation"),
)
SWITCH_NEEDS = (
    Need(On.ANYTHING, "ssm:DescribeMaintenanceWindows"),
    Need(On.WINDOWS, "ssm:UpdateMaintenanceWindow"),
)

SHOWN_RUNS = 3
_KEPT_EXECUTIONS = 5


@dataclass(frozen=True)
class Execution:
    """One opening of a window.

    Attributes:
        id: its id.
        status: how it ended, or how far it is.
        started: when it opened.
        ended: when it ended; null as long as it is open.
        commands: the ids of the commands that it sent.
    """

    id: str
    status: str
    started: datetime
    ended: datetime | None
    commands: tuple[str, ...]


@dataclass(frozen=True)
class Window:
    """A maintenance window with what it runs.

    Attributes:
        id: its id.
        name: its name.
        enabled: whether it opens at all.
        schedule: when it opens.
        duration_hours: how long it is open.
        cutoff_hours: how long before its end it stops starting tasks.
        targets: the groups of nodes that it selects.
        tasks: what it runs.
        next_runs: when it opens next, in its time zone.
        executions: how it ran, the latest first.
    """

    id: str
    name: str
    enabled: bool
    schedule: Schedule
    duration_hours: int
    cutoff_hours: int
    targets: tuple[Targets, ...]
    tasks: tuple[str, ...]
    next_runs: tuple[datetime, ...]
    executions: tuple[Execution, ...]


@dataclass(frozen=True)
class Association:
    """An association that runs AWS-RunPatchBaseline.

    Attributes:
        id: its id.
        name: its name.
        operation: Scan or Install.
        schedule: when it runs; null if it has no schedule.
        targets: the nodes that it selects.
        status: how its last run ended.
        last_run: when that was; null if it never ran.
        next_runs: when it runs next, in UTC.
        anchor: when it was made, from which a rate counts; null if that is not known.
    """

    id: str
    name: str
    operation: str
    schedule: Schedule | None
    targets: Targets
    status: str
    last_run: datetime | None
    next_runs: tuple[datetime, ...]
    anchor: datetime | None


@dataclass(frozen=True)
class Scheduled:
    """Everything that patches by itself.

    Attributes:
        at: when it was read.
        windows: the maintenance windows.
        associations: the associations.
    """

    at: datetime
    windows: tuple[Window, ...]
    associations: tuple[Association, ...]


def scheduled(session: Session, deployment: Deployment | None = None) -> Scheduled:
    """Return the windows and the patching associations of an environment; of the whole Region by default."""
    prefix = deployment.name("") if deployment else ""
    pages = session.ssm.get_paginator("describe_maintenance_windows").paginate(PaginationConfig={"PageSize": 100})
    found = [one for page in pages for one in page["WindowIdentities"] if one["Name"].startswith(prefix)]

    def read(identity: Any) -> Window:  # noqa: ANN401 botocore's own structure
        return _window(session, identity)

    windows = tuple(session.each(read, sorted(found, key=lambda one: one["Name"])))
    return Scheduled(session.now(), windows, tuple(associations(session, deployment)))


def associations(session: Session, deployment: Deployment | None = None) -> list[Association]:
    """Return the patching associations of an environment; of the whole Region by default."""
    prefix = deployment.name("") if deployment else ""
    pages = session.ssm.get_paginator("list_associations").paginate(PaginationConfig={"PageSize": 50})
    return [
        _association(session, one)
        for page in pages
        for one in page["Associations"]
        if one.get("Name") == DOCUMENT_NAME and one.get("AssociationName", "").startswith(prefix)
    ]


def next_opening(identity: Any) -> datetime | None:  # noqa: ANN401 botocore's own structure
    """Return when a window opens next, as DescribeMaintenanceWindows says; None if it does not."""
    text = identity.get("NextExecutionTime")
    return _time(text) if text and identity["Enabled"] else None


@dataclass(frozen=True)
class Switched:
    """A window that was switched on or off.

    Attributes:
        id: its id.
        name: its name.
        enabled: whether it opens at all now.
        next_run: when it opens next, in its time zone; null if it does not.
    """

    id: str
    name: str
    enabled: bool
    next_run: datetime | None


def switch(session: Session, environment: str, name: str, *, enabled: bool) -> Switched:
    """Switch a window of an environment on or off.

    Follows https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_UpdateMaintenanceWindow.html.

    Raises:
        OperationError: the environment has no window of this name.
    """
    window_id = find_window(session, environment, name)["WindowId"]
    session.ssm.update_maintenance_window(WindowId=window_id, Enabled=enabled)
    now = find_window(session, environment, name)
    return Switched(window_id, now["Name"], now["Enabled"], next_opening(now))


def execution_commands(session: Session, execution_id: str) -> tuple[str, ...]:
    """Return the ids of the commands that an opening of a window sent."""
    ssm = session.ssm
    pages = ssm.get_paginator("describe_maintenance_window_execution_tasks").paginate(WindowExecutionId=execution_id)
    commands = []
    for task in [one for page in pages for one in page["WindowExecutionTaskIdentities"]]:
        invocations = ssm.get_paginator("describe_maintenance_window_execution_task_invocations").paginate(
            WindowExecutionId=execution_id, TaskId=task["TaskExecutionId"]
        )
        commands += [
            one["ExecutionId"]
            for page in invocations
            for one in page["WindowExecutionTaskInvocationIdentities"]
            if one.get("ExecutionId")
        ]
    return tuple(commands)


def _window(session: Session, identity: Any) -> Window:  # noqa: ANN401 botocore's own structure
    window_id = identity["WindowId"]
    schedule = Schedule.parse(
        identity["Schedule"],
        timezone=identity.get("ScheduleTimezone", "UTC"),
        offset_days=identity.get("ScheduleOffset", 0),
    )
    upcoming = session.ssm.describe_maintenance_window_schedule(WindowId=window_id)["ScheduledWindowExecutions"]

    def every(operation: Any, key: str) -> list[Any]:  # noqa: ANN401 names of operations, and what they return
        return [one for page in session.ssm.get_paginator(operation).paginate(WindowId=window_id) for one in page[key]]

    targets = every("describe_maintenance_window_targets", "Targets")
    tasks = every("describe_maintenance_window_tasks", "Tasks")
    executions = every("describe_maintenance_window_executions", "WindowExecutions")
    latest = sorted(executions, key=lambda one: one["StartTime"], reverse=True)
    return Window(
        id=window_id,
        name=identity["Name"],
        enabled=identity["Enabled"],
        schedule=schedule,
        duration_hours=identity["Duration"],
        cutoff_hours=identity["Cutoff"],
        targets=tuple(Targets.from_api(one["Targets"]) for one in targets),
        tasks=tuple(_task(session, window_id, one) for one in tasks),
        next_runs=tuple(_time(one["ExecutionTime"]) for one in upcoming[:SHOWN_RUNS]),
        executions=tuple(_execution(session, one) for one in latest[:_KEPT_EXECUTIONS]),
    )


def _time(text: str) -> datetime:
    """Read a time as a window's schedule writes it; some examples of AWS have the zone in brackets after the offset."""
    return datetime.fromisoformat(text.partition("[")[0])


def _task(session: Session, window_id: str, task: Any) -> str:  # noqa: ANN401 botocore's own structure
    details: Any = session.ssm.get_maintenance_window_task(WindowId=window_id, WindowTaskId=task["WindowTaskId"])
    parameters = details.get("TaskInvocationParameters", {}).get("RunCommand", {}).get("Parameters", {})
    return f"{task['TaskArn']} {_first(parameters.get('Operation', []))}".strip()


def _execution(session: Session, execution: Any) -> Execution:  # noqa: ANN401 botocore's own structure
    return Execution(
        id=execution["WindowExecutionId"],
        status=execution["Status"],
        started=execution["StartTime"],
        ended=execution.get("EndTime"),
        commands=execution_commands(session, execution["WindowExecutionId"]),
    )


def _association(session: Session, summary: Any) -> Association:  # noqa: ANN401 botocore's own structure
    details: Any = session.ssm.describe_association(AssociationId=summary["AssociationId"])["AssociationDescription"]
    expression = details.get("ScheduleExpression")
    schedule = Schedule.parse(expression) if expression else None
    return Association(
        id=details["AssociationId"],
        name=details.get("AssociationName", ""),
        operation=_first(details.get("Parameters", {}).get("Operation", [])),
        schedule=schedule,
        targets=Targets.from_api(details["Targets"]),
        status=details.get("Overview", {}).get("Status", ""),
        last_run=summary.get("LastExecutionDate"),
        next_runs=tuple(schedule.next_runs(session.now(), SHOWN_RUNS, anchor=details.get("Date")) if schedule else ()),
        anchor=details.get("Date"),
    )


def _first(values: Iterable[str]) -> str:
    return next(iter(values), "")
