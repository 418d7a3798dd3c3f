"""Rules about maintenance windows: their times, their targets, and what their tasks are sent with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from patching.errors import InvalidValueError
from patching.schedule import Schedule
from patching.template_rules.assembly import Resource, listed, texts
from patching.template_rules.commands import (
    ASSOCIATION,
    RUN_COMMAND,
    TARGET,
    TASK,
    WINDOW,
    run_command,
    run_command_tasks,
)
from patching.template_rules.finding import Found, Rule, Whole
from patching.template_rules.text import UNKNOWN, is_known


def task_without_output(whole: Whole) -> Iterator[Found]:
    """Find Run Command tasks whose output goes to no bucket and no log group.

    Systems Manager itself keeps the first 24,000 characters of a step's output; what an installation says at its end,
    where it fails, is lost. See
    https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetCommandInvocation.html.
    """
    for task in run_command_tasks(whole.assembly):
        sent = run_command(task)
        if sent is None or sent.get("OutputS3BucketName") or task.properties.get("LoggingInfo"):
            continue
        log = sent.get("CloudWatchOutputConfig", {})
        if isinstance(log, Mapping) and str(log.get("CloudWatchOutputEnabled", False)).lower() == "false":
            message = (
                "the command's output is not kept: AWS has its first 24,000 characters only; name a bucket in "
                "OutputS3BucketName, or enable CloudWatchOutputConfig"
            )
            yield Found(task, message, RUN_COMMAND)


def task_without_targets(whole: Whole) -> Iterator[Found]:
    """Find Run Command tasks without a target, which AWS refuses to register.

    See https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_RegisterTaskWithMaintenanceWindow.html.
    """
    for task in run_command_tasks(whole.assembly):
        if not task.listed("Targets"):
            message = "the task has no targets, and a Run Command task needs them; name groups of its window in Targets"
            yield Found(task, message, "Targets")


def task_for_another_windows_targets(whole: Whole) -> Iterator[Found]:
    """Find tasks whose target groups are registered with another window than the task.

    A group is registered with one window; that tasks of another one could use it is nowhere documented. See
    https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_RegisterTargetWithMaintenanceWindow.html.
    """
    for task in whole.assembly.of(TASK):
        window = whole.assembly.find(task.properties.get("WindowId"), WINDOW)
        for group in _groups(whole, task):
            other = whole.assembly.find(group.properties.get("WindowId"), WINDOW)
            if window and other and window is not other:
                message = (
                    f"the target group {group.logical_id} belongs to the window {other.logical_id}, and the task to "
                    f"{window.logical_id}; register a group with {window.logical_id}, and name that"
                )
                yield Found(task, message, "Targets")


def target_without_task(whole: Whole) -> Iterator[Found]:
    """Find target groups that no task of their window names, although the window has tasks.

    Their nodes look as if they were patched by the window, and never are. See
    https://docs.aws.amazon.com/systems-manager/latest/userguide/maintenance-windows.html.
    """
    tasks: dict[str, list[Resource]] = {}
    named = set()
    for task in whole.assembly.of(TASK):
        tasks.setdefault(str(task.properties.get("WindowId")), []).append(task)
        named.update(_target_ids(task))
    for target in whole.assembly.of(TARGET):
        window = whole.assembly.find(target.properties.get("WindowId"), WINDOW)
        own = tasks.get(window.name, []) if window else []
        if window is None or not own or target.name in named or target.is_conditional:
            continue
        if not any(_names_what_is_unknown(one) for one in own) and not whole.assembly.is_named(target, but_by=TASK):
            message = (
                f"no task of the window {window.logical_id} names this group: its nodes are never patched by it; add "
                "the group to a task's WindowTargetIds, or take it out"
            )
            yield Found(target, message)


def cutoff_not_before_end(whole: Whole) -> Iterator[Found]:
    """Find windows whose cutoff is not below their duration: there is no time at which they would start a task.

    See https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CreateMaintenanceWindow.html.
    """
    for window in whole.assembly.of(WINDOW):
        duration, cutoff = (_hours(window.properties.get(key)) for key in ("Duration", "Cutoff"))
        if duration is not None and cutoff is not None and cutoff >= duration:
            message = (
                f"cutoff {cutoff} is not below duration {duration}; a window stops starting tasks cutoff hours before "
                "it ends: lower the cutoff"
            )
            yield Found(window, message, "Cutoff")


def schedule_refused(whole: Whole) -> Iterator[Found]:
    """Find schedules of windows and associations that Systems Manager refuses, which CloudFormation does not notice.

    See https://docs.aws.amazon.com/systems-manager/latest/userguide/reference-cron-and-rate-expressions.html.
    """
    for one in whole.assembly.of(WINDOW, ASSOCIATION):
        is_window = one.type == WINDOW
        key = "Schedule" if is_window else "ScheduleExpression"
        expression = one.properties.get(key)
        zone, offset = one.properties.get("ScheduleTimezone") or "UTC", one.properties.get("ScheduleOffset") or 0
        if not is_known(expression) or not is_known(zone) or not str(offset).isdigit():
            continue
        try:
            schedule = Schedule.parse(str(expression), timezone=str(zone), offset_days=int(offset))
            if not is_window:
                schedule.for_association()
        except InvalidValueError as error:
            yield Found(one, str(error), key)


RULES: tuple[Rule, ...] = (
    task_without_output,
    task_without_targets,
    task_for_another_windows_targets,
    target_without_task,
    cutoff_not_before_end,
    schedule_refused,
)


def _target_ids(task: Resource) -> list[str]:
    entries = [one for one in task.listed("Targets") if isinstance(one, Mapping)]
    return [text for one in entries if one.get("Key") == "WindowTargetIds" for text in texts(listed(one.get("Values")))]


def _groups(whole: Whole, task: Resource) -> list[Resource]:
    """Return the target groups of the assembly that a task names."""
    return [found for text in _target_ids(task) if (found := whole.assembly.find(text, TARGET))]


def _names_what_is_unknown(task: Resource) -> bool:
    return UNKNOWN in task.listed("Targets") or any(UNKNOWN in text for text in _target_ids(task))


def _hours(value: object) -> int | None:
    return int(value) if isinstance(value, int | str) and str(value).isdigit() else None
