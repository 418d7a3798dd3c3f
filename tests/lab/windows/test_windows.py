"""Maintenance windows."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from lab.records.window import Window, WindowExecution, WindowTask
from lab.world.errors import ApiError
from patching.quotas import MAX_WINDOWS
from patching.rate_control import RateControl
from patching.run_patch_baseline import RunPatchBaseline
from patching.schedule import Schedule
from patching.targets import Targets
from tests.lab.simulated import SENDER, Lab, day, ended, fleet, invocations, notification, shell, started

NIGHTLY = Schedule.cron("0 2 * * ? *")
FLEET = Targets.tag("Fleet", "a")


def window(lab: Lab, schedule: Schedule = NIGHTLY, *, duration: int = 3, cutoff: int = 1) -> Window:
    return lab.engine.windows.create(
        name="patch",
        schedule=schedule,
        duration_hours=duration,
        cutoff_hours=cutoff,
        allow_unassociated_targets=False,
    )


def task(lab: Lab, of: Window, **changes: Any) -> WindowTask:
    """Have a window install on the fleet, one node at a time."""
    fields: dict[str, Any] = {
        "document": "AWS-RunPatchBaseline",
        "target_ids": (),
        "direct_targets": FLEET,
        "rate_control": RateControl(1, 0),
        "service_role": SENDER,
        "parameters": RunPatchBaseline.install().to_api(),
    }
    made = WindowTask(id=lab.engine.windows.new_task_id(), window_id=of.id, **{**fields, **changes})
    return lab.engine.windows.add_task(made)


def opened(lab: Lab, of: Window, until: str = "2026-03-15 12:00") -> WindowExecution:
    """Let the time go by, and return what the window did last."""
    lab.clock.advance(day(until))
    return of.executions[-1]


def test_a_window_opens_at_its_time_in_its_zone(lab: Lab) -> None:
    made = window(lab, Schedule.cron("0 2 * * ? *", timezone="Asia/Seoul"))
    assert opened(lab, made, "2026-03-15 17:00").started == day("2026-03-15 17:00")


def test_a_window_stays_at_its_hour_when_the_clocks_change() -> None:
    lab = Lab(start="2026-03-28 00:00")
    made = window(lab, Schedule.cron("0 1 * * ? *", timezone="Europe/Berlin"))
    opened(lab, made, "2026-03-31")
    assert [f"{one.started:%d %H:%M}" for one in made.executions] == ["29 00:00", "29 23:00", "30 23:00"]


def test_a_rate_counts_from_the_creation_of_the_window(lab: Lab) -> None:
    made = window(lab, Schedule.rate(7, "days"))
    opened(lab, made, "2026-03-30")
    assert [f"{one.started:%d %H:%M}" for one in made.executions] == ["22 00:00", "29 00:00"]


def test_a_rate_keeps_its_rhythm_when_the_window_is_planned_anew(lab: Lab) -> None:
    made = window(lab, Schedule.rate(7, "days"))
    lab.clock.advance(day("2026-03-18"))
    lab.engine.windows.plan(made)
    assert opened(lab, made, "2026-03-27").started == day("2026-03-22")


def test_a_window_without_tasks_opens_and_is_done(lab: Lab) -> None:
    execution = opened(lab, window(lab))
    assert (execution.status, execution.ended) == ("SUCCESS", day("2026-03-15 02:00"))


def test_a_window_runs_its_task_as_its_role(lab: Lab) -> None:
    node = lab.launch()
    lab.approve()
    made = window(lab)
    task(lab, made, bucket="output", prefix="install", notification=notification("Success"))
    execution = opened(lab, made)
    (run,) = execution.tasks
    assert (execution.status, run.status) == ("SUCCESS", "SUCCESS")
    assert run.command
    assert run.command.sender_role == SENDER
    assert run.command.comment == f"{execution.id}:{run.id}"
    assert node.installed["tool.x86_64"] == 2
    assert all(key.startswith("install/") for key in lab.cloud.objects)
    assert len(lab.cloud.messages) == 1


def test_a_window_opens_every_time(lab: Lab) -> None:
    lab.launch()
    made = window(lab)
    task(lab, made)
    opened(lab, made, "2026-03-17 12:00")
    assert [one.status for one in made.executions] == ["SUCCESS", "SUCCESS", "SUCCESS"]


def test_a_window_that_is_not_enabled_stays_shut(lab: Lab) -> None:
    made = window(lab)
    made.enabled = False
    lab.engine.windows.plan(made)
    lab.clock.advance(day("2026-03-16"))
    assert made.executions == []


def test_a_deleted_window_stays_shut(lab: Lab) -> None:
    made = window(lab)
    lab.engine.windows.delete(made.id)
    lab.clock.advance(day("2026-03-16"))
    assert made.executions == []
    with pytest.raises(ApiError) as error:
        lab.engine.windows.get(made.id)
    assert error.value.code == "DoesNotExistException"


# The dates between which a window is active.


def dated(lab: Lab, schedule: Schedule = NIGHTLY, start: str = "", end: str = "") -> list[str]:
    """Make a window that is active between two dates, let a month go by, and return when it opened."""
    made = window(lab, schedule)
    made.start_date, made.end_date = start, end
    lab.engine.windows.plan(made)
    lab.clock.advance(day("2026-04-15"))
    return [f"{one.started:%m-%d %H:%M}" for one in made.executions]


def test_a_window_opens_for_the_first_time_after_its_start_and_never_after_its_end(lab: Lab) -> None:
    assert dated(lab, start="2026-03-20T12:00:00+00:00", end="2026-03-23T01:59:59Z") == ["03-21 02:00", "03-22 02:00"]


def test_dates_are_read_with_their_offset_and_without_one_as_utc(lab: Lab) -> None:
    assert dated(lab, start="2026-03-20T11:00:01+09:00", end="2026-03-22T02:00:01") == ["03-21 02:00", "03-22 02:00"]


def test_a_rate_counts_from_the_start_of_its_window(lab: Lab) -> None:
    opened = dated(lab, Schedule.rate(7, "days"), start="2026-03-20T03:15:00Z", end="2026-04-09T00:00:00Z")
    assert opened == ["03-20 03:15", "03-27 03:15", "04-03 03:15"]


def test_a_start_that_has_passed_changes_nothing(lab: Lab) -> None:
    opened = dated(lab, Schedule.rate(7, "days"), start="2020-01-01T00:00:00Z", end="2026-03-23T00:00:00Z")
    assert opened == ["03-22 00:00"]


def test_a_window_that_has_ended_opens_no_more(lab: Lab) -> None:
    assert dated(lab, end="2026-03-15T00:00:00Z") == []


# Targets.


def test_a_task_runs_on_the_target_that_it_names(lab: Lab) -> None:
    lab.launch(Stage="prod")
    test = lab.launch(Stage="test")
    made = window(lab)
    target = lab.engine.windows.add_target(made.id, Targets.tag("Stage", "test"))
    task(lab, made, target_ids=(target.id,), direct_targets=None)
    (run,) = opened(lab, made).tasks
    assert run.command
    assert list(run.command.invocations) == [test.id]


def test_a_task_runs_on_all_of_the_targets_that_it_names(lab: Lab) -> None:
    nodes = [lab.launch(Stage="prod"), lab.launch(Stage="test")]
    made = window(lab)
    targets = [lab.engine.windows.add_target(made.id, Targets.tag("Stage", stage)).id for stage in ("prod", "test")]
    task(lab, made, target_ids=tuple(targets), direct_targets=None)
    (run,) = opened(lab, made).tasks
    assert run.command
    assert list(run.command.invocations) == [node.id for node in nodes]


def test_a_task_cannot_name_a_target_that_its_window_has_not(lab: Lab) -> None:
    with pytest.raises(ApiError, match="has no target gone") as error:
        task(lab, window(lab), target_ids=("gone",), direct_targets=None)
    assert error.value.code == "DoesNotExistException"


def test_a_task_whose_target_is_gone_fails(lab: Lab) -> None:
    made = window(lab)
    target = lab.engine.windows.add_target(made.id, FLEET)
    task(lab, made, target_ids=(target.id,), direct_targets=None)
    made.targets.clear()
    execution = opened(lab, made)
    assert (execution.status, execution.tasks[0].problem) == (
        "FAILED",
        "The targets of the task do not exist any more.",
    )


# Priorities.


def test_tasks_run_in_the_order_of_their_priorities(lab: Lab) -> None:
    lab.launch()
    made = window(lab)
    for priority in (3, 1, 2):
        task(lab, made, priority=priority, name=str(priority))
    runs = opened(lab, made).tasks
    assert [run.task.name for run in runs] == ["1", "2", "3"]
    for one, following in pairwise(runs):
        assert one.command
        assert following.command
        assert following.command.requested >= ended(invocations(one.command)[0])


def test_tasks_of_one_priority_begin_together(lab: Lab) -> None:
    lab.launch(Stage="prod")
    lab.launch(Stage="test")
    made = window(lab)
    for stage in ("prod", "test"):
        task(lab, made, direct_targets=Targets.tag("Stage", stage))
    runs = opened(lab, made).tasks
    assert [started(invocations(run.command)[0]) for run in runs if run.command] == [day("2026-03-15 02:00:02")] * 2


def test_a_task_that_fails_does_not_keep_the_next_from_running(lab: Lab) -> None:
    node = lab.launch()
    lab.approve()
    node.fault = "No space left on device"
    made = window(lab)
    task(lab, made, priority=1)
    task(lab, made, priority=2, parameters=RunPatchBaseline.scan().to_api())
    execution = opened(lab, made)
    assert [run.status for run in execution.tasks] == ["FAILED", "SUCCESS"]
    assert execution.status == "FAILED"


# Roles.


@pytest.mark.parametrize("action", ["ssm:SendCommand", "iam:PassRole"])
def test_a_role_that_may_not_send_or_pass_fails_the_task(lab: Lab, action: str) -> None:
    node = lab.launch()
    lab.cloud.forbid(SENDER, action)
    made = window(lab)
    task(lab, made, notification=notification())
    execution = opened(lab, made)
    (run,) = execution.tasks
    assert (execution.status, run.status, run.command) == ("FAILED", "FAILED", None)
    assert f"{SENDER} is not authorized to perform {action}" in run.problem
    assert node.states is None


# Cutoff.


def slow(lab: Lab, size: int = 2, **changes: Any) -> WindowExecution:
    """Open a window for an hour and no longer on nodes that take all of it, of which the first holds up the rest."""
    nodes = [lab.launch() for _ in range(size)]
    lab.change(nodes[0], running=False)
    made = window(lab, duration=2, cutoff=1)
    task(lab, made, delivery_timeout_seconds=7200, **changes)
    return opened(lab, made)


def test_a_task_that_goes_on_at_the_cutoff_starts_its_other_nodes_too(lab: Lab) -> None:
    execution = slow(lab)
    (run,) = execution.tasks
    assert run.command
    assert [one.details for one in invocations(run.command)] == ["DeliveryTimedOut", "Success"]
    assert not run.cut_off


def test_nodes_that_have_not_started_when_their_task_is_cancelled_do_not_start(lab: Lab) -> None:
    execution = slow(lab, cancel_at_cutoff=True)
    (run,) = execution.tasks
    assert run.command
    assert [one.details for one in invocations(run.command)] == ["Cancelled", "Success"]
    assert (run.status, execution.status) == ("TIMED_OUT", "TIMED_OUT")
    assert "cut off by its window" in lab.log


def test_a_node_that_runs_at_the_cutoff_goes_on(lab: Lab) -> None:
    lab.launch()
    lab.approve()
    made = window(lab, duration=2, cutoff=1)
    task(lab, made)
    lab.clock.advance(day("2026-03-15 02:00:30"))
    (execution,) = made.executions
    lab.engine.windows._cut_off(execution)
    lab.clock.advance(day("2026-03-15 03:00"))
    assert execution.status == "SUCCESS"


def test_a_task_that_is_to_be_cancelled_at_the_cutoff_is_timed_out(lab: Lab) -> None:
    lab.launch()
    lab.approve()
    made = window(lab, duration=2, cutoff=1)
    task(lab, made, cancel_at_cutoff=True)
    lab.clock.advance(day("2026-03-15 02:00:30"))
    (execution,) = made.executions
    lab.engine.windows._cut_off(execution)
    lab.clock.advance(day("2026-03-15 03:00"))
    assert execution.status == "TIMED_OUT"


def test_a_task_whose_turn_comes_after_the_cutoff_does_not_start(lab: Lab) -> None:
    node = lab.launch()
    lab.change(node, running=False)
    made = window(lab, duration=2, cutoff=1)
    task(lab, made, priority=1, delivery_timeout_seconds=7200)
    task(lab, made, priority=2)
    runs = opened(lab, made).tasks
    assert runs[1].command is None
    assert runs[1].problem == "the window's cutoff came before the task could start"


def test_the_cutoff_comes_its_hours_before_the_end(lab: Lab) -> None:
    execution = slow(lab, size=1, cancel_at_cutoff=True)
    assert (execution.started, execution.ends) == (day("2026-03-15 02:00"), day("2026-03-15 04:00"))
    assert [entry.at for entry in lab.engine.entries if "cut off" in entry.text] == [day("2026-03-15 03:00")]


@pytest.mark.parametrize("cutoff", [2, 3])
def test_a_cutoff_that_is_not_below_the_duration_is_refused(lab: Lab, cutoff: int) -> None:
    with pytest.raises(ApiError, match=f"Cutoff {cutoff} must be below the duration 2") as error:
        window(lab, duration=2, cutoff=cutoff)
    assert error.value.code == "ValidationException"


# Overlap and limits.


def test_an_opening_is_skipped_while_the_one_before_still_runs(lab: Lab) -> None:
    node = lab.launch()
    lab.change(node, running=False)
    made = window(lab, Schedule.rate(2, "hours"), duration=3, cutoff=0)
    task(lab, made, delivery_timeout_seconds=3600)
    lab.clock.advance(day("2026-03-15 04:10"))
    assert [one.status for one in made.executions] == ["IN_PROGRESS", "SKIPPED_OVERLAPPING"]
    assert made.executions[1].tasks == []
    assert made.executions[1].ended == day("2026-03-15 04:00")
    lab.clock.advance(day("2026-03-15 06:00"))
    assert [one.status for one in made.executions] == ["TIMED_OUT", "SKIPPED_OVERLAPPING", "IN_PROGRESS"]


def test_there_are_only_so_many_windows(lab: Lab) -> None:
    for _ in range(MAX_WINDOWS):
        window(lab)
    with pytest.raises(ApiError) as error:
        window(lab)
    assert error.value.code == "ResourceLimitExceededException"


def test_an_execution_is_found_by_its_id(lab: Lab) -> None:
    execution = opened(lab, window(lab))
    assert lab.engine.windows.execution(execution.id) is execution
    with pytest.raises(ApiError) as error:
        lab.engine.windows.execution("gone")
    assert error.value.code == "DoesNotExistException"


def test_a_task_runs_a_document_of_the_account_in_the_version_that_it_names(lab: Lab) -> None:
    lab.launch()
    lab.add_document("own", shell("only"))
    arn = "arn:aws:ssm:us-east-1:123456789012:document/own"
    made = window(lab)
    task(lab, made, document=arn, parameters={}, document_version="1")
    task(lab, made, document=arn, parameters={}, document_version="2")
    there, not_there = opened(lab, made).tasks
    assert there.status == "SUCCESS"
    assert (not_there.status, not_there.problem) == ("FAILED", "Document own has no version 2.")


# Daylight saving.


@pytest.mark.parametrize(
    ("zone", "start", "expected"),
    [
        # The clocks go forward: 02:30 is not there on that day.
        ("Europe/Berlin", "2026-03-27", ["03-27 01:30", "03-28 01:30", "03-29 01:30", "03-30 00:30"]),
        ("America/New_York", "2026-03-06", ["03-06 07:30", "03-07 07:30", "03-08 07:30", "03-09 06:30"]),
        # The clocks go back: 02:30 is there twice in Berlin, and the window opens once.
        ("Europe/Berlin", "2026-10-23", ["10-23 00:30", "10-24 00:30", "10-25 00:30", "10-26 01:30"]),
        ("America/New_York", "2026-10-30", ["10-30 06:30", "10-31 06:30", "11-01 07:30", "11-02 07:30"]),
        # In the south it is the other way round.
        ("Australia/Sydney", "2026-04-02", ["04-02 15:30", "04-03 15:30", "04-04 15:30", "04-05 16:30"]),
        ("Australia/Sydney", "2026-10-01", ["10-01 16:30", "10-02 16:30", "10-03 16:30", "10-04 15:30"]),
        # Half an hour.
        ("Australia/Lord_Howe", "2026-04-02", ["04-02 15:30", "04-03 15:30", "04-04 16:00", "04-05 16:00"]),
        # A zone without daylight saving.
        ("Asia/Seoul", "2026-03-27", ["03-27 17:30", "03-28 17:30", "03-29 17:30", "03-30 17:30"]),
    ],
)
def test_a_window_opens_once_a_day_whatever_the_clocks_do(zone: str, start: str, expected: list[str]) -> None:
    lab = Lab(start=start)
    made = window(lab, Schedule.cron("30 2 * * ? *", timezone=zone))
    lab.clock.advance(day(start) + timedelta(days=4))
    assert [f"{one.started:%m-%d %H:%M}" for one in made.executions][:4] == expected


def test_an_opening_is_as_long_as_it_says_when_the_clocks_change() -> None:
    lab = Lab(start="2026-10-24 12:00")
    made = window(lab, Schedule.cron("0 1 * * ? *", timezone="Europe/Berlin"), duration=4, cutoff=1)
    lab.clock.advance(day("2026-10-25 12:00"))
    (execution,) = made.executions
    assert execution.ends - execution.started == timedelta(hours=4)


# Stopping one.


def test_an_opening_that_is_cancelled_starts_nothing_more(lab: Lab) -> None:
    fleet(lab, 2)
    made = window(lab)
    task(lab, made, priority=1)
    task(lab, made, priority=2)
    lab.clock.advance(day("2026-03-15 02:01"))
    (execution,) = made.executions
    lab.engine.windows.cancel(execution)
    lab.clock.finish_work()
    assert [one.status for one in execution.tasks] == ["CANCELLED", "CANCELLED"]
    assert execution.status == "CANCELLED"
    assert execution.ended
    first = execution.tasks[0].command
    assert first
    assert [one.details for one in invocations(first)] == ["Success", "Cancelled"]


# What is told of an opening and its tasks.


def openings(lab: Lab) -> list[str]:
    return [one["status"] for one in lab.emitted("Maintenance Window Execution State-change Notification")]


def test_an_opening_is_told_when_it_begins_and_ends(lab: Lab) -> None:
    fleet(lab, 1)
    made = window(lab)
    task(lab, made)
    opened(lab, made)
    assert openings(lab) == ["IN_PROGRESS", "SUCCESS"]


def test_an_opening_without_tasks_is_told_once(lab: Lab) -> None:
    opened(lab, window(lab))
    assert openings(lab) == ["SUCCESS"]


def test_an_opening_that_is_skipped_is_told(lab: Lab) -> None:
    node = lab.launch()
    lab.change(node, running=False)
    made = window(lab, Schedule.rate(2, "hours"), duration=3, cutoff=0)
    task(lab, made, delivery_timeout_seconds=3600)
    lab.clock.advance(day("2026-03-15 04:10"))
    assert openings(lab) == ["IN_PROGRESS", "SKIPPED_OVERLAPPING"]


def test_a_task_has_its_end_once_it_is_over(lab: Lab) -> None:
    fleet(lab, 1)
    made = window(lab)
    task(lab, made)
    lab.clock.advance(day("2026-03-15 02:00:30"))
    (run,) = made.executions[-1].tasks
    assert (run.status, run.ended) == ("IN_PROGRESS", None)
    lab.clock.finish_work()
    assert run.command
    assert (run.status, run.ended) == ("SUCCESS", max(ended(one) for one in invocations(run.command)))
    told = [one["status"] for one in lab.emitted("Maintenance Window Task Execution State-change Notification")]
    assert told == ["IN_PROGRESS", "SUCCESS"]


def test_the_owner_of_a_target_is_told_along(lab: Lab) -> None:
    fleet(lab, 1)
    made = window(lab)
    target = lab.engine.windows.add_target(made.id, FLEET, owner_information="operations")
    task(lab, made, target_ids=(target.id,), direct_targets=None)
    task(lab, made)
    assert [one.owner_information for one in opened(lab, made).tasks] == ["operations", ""]


def tasks_told(lab: Lab) -> list[str]:
    return [one["status"] for one in lab.emitted("Maintenance Window Task Execution State-change Notification")]


def test_a_task_that_is_cancelled_before_it_starts_is_told(lab: Lab) -> None:
    fleet(lab, 2)
    made = window(lab)
    task(lab, made, priority=1)
    task(lab, made, priority=2)
    lab.clock.advance(day("2026-03-15 02:01"))
    lab.engine.windows.cancel(made.executions[-1])
    lab.clock.finish_work()
    assert sorted(tasks_told(lab)) == ["CANCELLED", "CANCELLED", "IN_PROGRESS"]


def test_a_task_whose_turn_does_not_come_before_the_cutoff_is_told(lab: Lab) -> None:
    node = lab.launch()
    lab.change(node, running=False)
    made = window(lab, duration=2, cutoff=1)
    task(lab, made, priority=1, delivery_timeout_seconds=7200)
    task(lab, made, priority=2)
    lab.clock.advance(day("2026-03-15 03:00:01"))
    assert tasks_told(lab) == ["IN_PROGRESS", "FAILED"]


def test_a_command_of_a_window_names_the_opening_and_the_task_unless_it_has_a_comment(lab: Lab) -> None:
    fleet(lab, 1)
    made = window(lab)
    task(lab, made)
    task(lab, made, comment="Patch")
    execution = opened(lab, made)
    comments = [one.command.comment for one in execution.tasks if one.command]
    assert comments == [f"{execution.id}:{execution.tasks[0].id}", "Patch"]
