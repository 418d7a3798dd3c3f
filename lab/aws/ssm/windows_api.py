"""The maintenance window operations."""

from __future__ import annotations

from datetime import UTC, datetime

from lab.aws.ssm.operation import Reply, Request, filters, operation, page, without_empty
from lab.commands.command_targets import resolve
from lab.engine import Engine
from lab.records.window import Window, WindowTarget
from lab.world.errors import ApiError
from patching.schedule import Schedule, point_in_time, zone
from patching.targets import Targets

_SHOWN_AHEAD = 100
_REQUIRED = ("Name", "Schedule", "Duration", "Cutoff", "AllowUnassociatedTargets")


def create(engine: Engine, request: Request) -> Window:
    """Make a window from what CreateMaintenanceWindow or CloudFormation takes."""
    _check_dates(request)
    return engine.windows.create(
        name=request["Name"],
        description=request.get("Description") or "",
        schedule=_schedule(request),
        duration_hours=int(request["Duration"]),
        cutoff_hours=int(request["Cutoff"]),
        allow_unassociated_targets=str(request["AllowUnassociatedTargets"]).lower() == "true",
        start_date=request.get("StartDate") or "",
        end_date=request.get("EndDate") or "",
    )


def change(engine: Engine, window: Window, request: Request) -> None:
    """Change a window to what is given, and plan its next opening anew; `Replace` drops what is not given."""
    _check_dates(request)
    kept = {} if request.get("Replace") else _window(window)
    new = {**kept, **{key: value for key, value in request.items() if value is not None}}
    missing = [key for key in _REQUIRED if key not in new]
    if missing:
        raise ApiError("ValidationException", f"Replace needs {', '.join(missing)} too.")
    if int(new["Cutoff"]) >= int(new["Duration"]):
        raise ApiError("ValidationException", f"Cutoff {new['Cutoff']} must be below the duration {new['Duration']}.")
    window.name = new["Name"]
    window.description = new.get("Description", "")
    window.schedule = _schedule(new)
    window.duration_hours, window.cutoff_hours = int(new["Duration"]), int(new["Cutoff"])
    window.allow_unassociated_targets = str(new["AllowUnassociatedTargets"]).lower() == "true"
    window.start_date, window.end_date = new.get("StartDate", ""), new.get("EndDate", "")
    window.modified = engine.clock.now
    engine.windows.enable(window, enabled=str(new.get("Enabled", window.enabled)).lower() == "true")
    engine.windows.plan(window)


def _check_dates(request: Request) -> None:
    for key in ("StartDate", "EndDate"):
        if request.get(key):
            point_in_time(request[key])


@operation
def create_maintenance_window(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CreateMaintenanceWindow.html."""
    window = create(engine, request)
    if request.get("Tags"):
        engine.tags.add("MaintenanceWindow", window.id, {one["Key"]: one["Value"] for one in request["Tags"]})
    return {"WindowId": window.id}


@operation
def update_maintenance_window(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_UpdateMaintenanceWindow.html."""
    window = engine.windows.get(request["WindowId"])
    change(engine, window, request)
    return _window(window)


@operation
def delete_maintenance_window(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DeleteMaintenanceWindow.html."""
    engine.windows.delete(request["WindowId"])
    return {"WindowId": request["WindowId"]}


@operation
def get_maintenance_window(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetMaintenanceWindow.html."""
    window = engine.windows.get(request["WindowId"])
    return {
        **_window(window),
        "CreatedDate": window.created,
        "ModifiedDate": window.modified or window.created,
        **_next_execution(engine, window),
    }


@operation
def describe_maintenance_windows(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeMaintenanceWindows.html."""
    wanted = filters(request, known=("Name", "Enabled"), error="ValidationException")
    found = [
        {
            key: value
            for key, value in {**_window(one), **_next_execution(engine, one)}.items()
            if key != "AllowUnassociatedTargets"
        }
        for one in engine.windows.windows.values()
        if ("Name" not in wanted or one.name in wanted["Name"])
        and ("Enabled" not in wanted or str(one.enabled).lower() in [value.lower() for value in wanted["Enabled"]])
    ]
    return page(request, "WindowIdentities", found)


@operation
def describe_maintenance_window_schedule(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeMaintenanceWindowSchedule.html."""
    windows = [engine.windows.get(request["WindowId"])] if request.get("WindowId") else engine.windows.windows.values()
    times = sorted(
        (moment, window.id, window)
        for window in windows
        if window.enabled
        for moment in engine.windows.upcoming(window, _SHOWN_AHEAD)
    )
    found = [
        {"WindowId": window.id, "Name": window.name, "ExecutionTime": _local(window, moment)}
        for moment, _, window in times
    ]
    return page(request, "ScheduledWindowExecutions", found)


@operation
def register_target_with_maintenance_window(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_RegisterTargetWithMaintenanceWindow.html."""
    target = engine.windows.add_target(
        request["WindowId"],
        Targets.from_api(request["Targets"]),
        name=request.get("Name") or "",
        description=request.get("Description") or "",
        owner_information=request.get("OwnerInformation") or "",
        resource_type=str(request["ResourceType"]),
    )
    return {"WindowTargetId": target.id}


@operation
def update_maintenance_window_target(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_UpdateMaintenanceWindowTarget.html."""
    window = engine.windows.get(request["WindowId"])
    target = window.targets.get(request["WindowTargetId"])
    if target is None:
        raise ApiError("DoesNotExistException", f"Window {window.id} has no target {request['WindowTargetId']}.")
    kept = {"Targets": target.targets.to_api()} if request.get("Replace") else _target(target)
    new = {**kept, **request}
    if request.get("Replace") and not request.get("Targets"):
        raise ApiError("ValidationException", "Replace needs Targets too: what is not given is dropped.")
    target.targets = Targets.from_api(new["Targets"])
    target.name, target.description = new.get("Name", ""), new.get("Description", "")
    target.owner_information = new.get("OwnerInformation", "")
    return {key: value for key, value in _target(target).items() if key != "ResourceType"}


@operation
def describe_maintenance_windows_for_target(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeMaintenanceWindowsForTarget.html."""
    asked = Targets.from_api(request["Targets"])
    found = [
        {"WindowId": window.id, "Name": window.name}
        for window in engine.windows.windows.values()
        if any(
            _meets(engine, one, asked)
            for one in window.targets.values()
            if one.resource_type == request["ResourceType"]
        )
    ]
    return page(request, "WindowIdentities", found)


def _meets(engine: Engine, target: WindowTarget, asked: Targets) -> bool:
    """Tell whether a window's target is what is asked for, or has one of the nodes that are."""
    if target.targets == asked:
        return True
    try:
        theirs, ours = (resolve(engine.cloud, engine.fleet, [one]) for one in (asked, target.targets))
    except ApiError:
        return False
    return bool({node.id for node in theirs} & {node.id for node in ours})


@operation
def deregister_target_from_maintenance_window(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DeregisterTargetFromMaintenanceWindow.html."""
    window = engine.windows.get(request["WindowId"])
    target_id = request["WindowTargetId"]
    if request.get("Safe") and any(target_id in task.target_ids for task in window.tasks.values()):
        raise ApiError("TargetInUseException", f"Target {target_id} is in use.")
    engine.windows.remove_target(window.id, target_id)
    return {"WindowId": window.id, "WindowTargetId": target_id}


@operation
def describe_maintenance_window_targets(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeMaintenanceWindowTargets.html."""
    window = engine.windows.get(request["WindowId"])
    wanted = filters(request, known=("Type", "WindowTargetId", "OwnerInformation"), error="ValidationException")
    fields = {"Type": "ResourceType", "WindowTargetId": "WindowTargetId", "OwnerInformation": "OwnerInformation"}
    found = [
        told
        for told in map(_target, window.targets.values())
        if all(str(told.get(fields[key], "")) in values for key, values in wanted.items())
    ]
    return page(request, "Targets", found)


def _target(target: WindowTarget) -> Reply:
    return without_empty(
        {
            "WindowId": target.window_id,
            "WindowTargetId": target.id,
            "ResourceType": target.resource_type,
            "Targets": target.targets.to_api(),
            "Name": target.name,
            "Description": target.description,
            "OwnerInformation": target.owner_information,
        }
    )


def _schedule(request: Request) -> Schedule:
    return Schedule.parse(
        request["Schedule"],
        timezone=request.get("ScheduleTimezone") or "UTC",
        offset_days=int(request.get("ScheduleOffset") or 0),
    )


def _window(window: Window) -> Reply:
    return without_empty(
        {
            "WindowId": window.id,
            "Name": window.name,
            "Description": window.description,
            "Schedule": window.schedule.expression,
            "ScheduleTimezone": window.schedule.timezone,
            "ScheduleOffset": window.schedule.offset_days or None,
            "Duration": window.duration_hours,
            "Cutoff": window.cutoff_hours,
            "AllowUnassociatedTargets": window.allow_unassociated_targets,
            "Enabled": window.enabled,
            "StartDate": window.start_date,
            "EndDate": window.end_date,
        }
    )


def _local(window: Window, moment: datetime) -> str:
    """Write a time as the service does: in the window's zone."""
    local = moment.astimezone(zone(window.schedule.timezone))
    return (
        local.strftime("%Y-%m-%dT%H:%MZ")
        if local.utcoffset() == UTC.utcoffset(None)
        else local.isoformat(timespec="minutes")
    )


def _next_execution(engine: Engine, window: Window) -> Reply:
    upcoming = engine.windows.upcoming(window, 1) if window.enabled else []
    return {"NextExecutionTime": _local(window, upcoming[0])} if upcoming else {}
