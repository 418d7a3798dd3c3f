"""Run Command: rate control, what stops it, and how commands end."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest

from lab.nodes.patch_operation import DURATIONS
from lab.records.command import Command
from lab.world.errors import ApiError
from lab.world.stop_alarms import StopAlarms
from patching.operating_system import PlatformType
from patching.rate_control import RateControl
from patching.run_patch_baseline import RunPatchBaseline
from patching.targets import Targets
from tests.lab.simulated import (
    Lab,
    details,
    ended,
    fleet,
    invocations,
    seconds,
    shell,
    started,
)
from tests.lab.world.test_alarms import an_alarm

SCAN = RunPatchBaseline.scan()
PATCHING_MAY_TAKE = 7200
LINUX_TAKES = DURATIONS[PlatformType.LINUX]


# The course of a command.


def test_a_command_waits_runs_and_succeeds(lab: Lab) -> None:
    fleet(lab, 1)
    command = lab.send()
    assert (command.status, details(command)) == ("Pending", ["Pending"])
    lab.clock.step()
    assert (command.status, details(command)) == ("InProgress", ["InProgress"])
    lab.clock.finish_work()
    assert (command.status, details(command)) == ("Success", ["Success"])


def test_an_installation_takes_its_scan_its_patches_and_its_restart(lab: Lab) -> None:
    fleet(lab, 1)
    (only,) = invocations(lab.run())
    assert ended(only) - started(only) == LINUX_TAKES.scan + LINUX_TAKES.install_each + LINUX_TAKES.reboot


def test_the_steps_of_other_platforms_are_skipped_with_success(lab: Lab) -> None:
    fleet(lab, 1)
    (only,) = invocations(lab.run(SCAN))
    skipped = {step.name: step for step in only.steps if step.name != "PatchLinux"}
    assert sorted(skipped) == ["PatchMacOS", "PatchWindows"]
    for name, step in skipped.items():
        assert (step.status, step.code) == ("Success", 0)
        assert "skipped due to unsatisfied preconditions" in step.output
        assert name in step.output


def test_each_platform_runs_its_own_step(lab: Lab) -> None:
    node = lab.launch("windows")
    (only,) = invocations(lab.run(SCAN))
    (ran,) = [step for step in only.steps if f"Instance Id: {node.id}" in step.output]
    assert ran.name == "PatchWindows"


def test_output_says_that_it_is_simulated_and_what_was_found(lab: Lab) -> None:
    fleet(lab, 1)
    (only,) = invocations(lab.run(SCAN))
    output = next(step.output for step in only.steps if step.name == "PatchLinux")
    assert output.startswith("[simulated]")
    assert "Missing: tool.x86_64:1.2-1" in output
    assert "Instance is Non-Compliant" in output


def test_a_failed_step_has_its_code_and_its_reason(lab: Lab) -> None:
    fleet(lab, 1, broken=(0,))
    (only,) = invocations(lab.run())
    step = next(step for step in only.steps if step.name == "PatchLinux")
    assert (step.status, step.code, step.error) == ("Failed", 1, "No space left on device\n")


def test_nodes_that_share_a_snapshot_report_it_and_others_have_one_each(lab: Lab) -> None:
    nodes = fleet(lab, 2)
    snapshot = "01234567-89ab-cdef-0123-456789abcdef"
    lab.run(RunPatchBaseline.scan(snapshot_id=snapshot))
    assert [node.states.snapshot_id for node in nodes if node.states] == [snapshot, snapshot]
    lab.run(SCAN)
    assert len({node.states.snapshot_id for node in nodes if node.states}) == 2


# How many at one time.


def test_with_one_at_a_time_a_node_begins_after_the_one_before_has_restarted(lab: Lab) -> None:
    nodes = fleet(lab, 3)
    runs = invocations(lab.run(rate=RateControl(1, 0)))
    for one, following in pairwise(runs):
        assert started(following) >= ended(one)
    assert [node.booted for node in nodes] == [ended(one) for one in runs]
    assert [text.split()[0] for text in lab.log.splitlines() if text.endswith("reboots")] == [node.id for node in nodes]


def waves(command: Command) -> list[int]:
    """Return how many nodes began at one time, in order."""
    return [count for _, count in sorted(Counter(started(one) for one in invocations(command)).items())]


def test_a_command_begins_with_one_node_and_doubles(lab: Lab) -> None:
    fleet(lab, 7)
    assert waves(lab.run(SCAN, RateControl(50, 0))) == [1, 2, 4]


def test_a_command_that_doubled_twice_runs_eight_nodes_next_and_no_more(lab: Lab) -> None:
    fleet(lab, 20)
    assert waves(lab.run(SCAN, RateControl(50, 0)))[:4] == [1, 2, 4, 8]


@pytest.mark.parametrize(("concurrency", "most"), [("2", 2), ("25%", 2), ("50%", 4), ("1%", 1)])
def test_never_more_nodes_run_than_the_concurrency_says(lab: Lab, concurrency: str, most: int) -> None:
    fleet(lab, 8)
    command = lab.send(SCAN, RateControl(concurrency, 0))
    running = []
    while lab.clock.working:
        lab.clock.step()
        running.append(command.running)
    assert max(running) == most


def test_a_failure_does_not_double(lab: Lab) -> None:
    fleet(lab, 4, broken=(0,))
    assert waves(lab.run(rate=RateControl(50, 10))) == [1, 1, 2]


# When it stops.


def test_no_tolerated_error_stops_at_the_first_failure(lab: Lab) -> None:
    fleet(lab, 3, broken=(0, 1, 2))
    command = lab.run(rate=RateControl(1, 0))
    assert details(command) == ["Failed", "Terminated", "Terminated"]
    assert (command.status, command.details) == ("Failed", "Failed")


def test_one_tolerated_error_stops_at_the_second_failure(lab: Lab) -> None:
    fleet(lab, 4, broken=(0, 2))
    command = lab.run(rate=RateControl(1, 1))
    assert details(command) == ["Failed", "Success", "Failed", "Terminated"]
    assert command.status == "Failed"


def test_a_share_of_tolerated_errors_is_one_of_the_targets(lab: Lab) -> None:
    fleet(lab, 10, broken=(0, 1, 2))
    assert details(lab.run(rate=RateControl(1, "10%"))) == ["Failed", "Failed", *["Terminated"] * 8]


def test_fewer_failures_than_stop_it_leave_a_command_incomplete(lab: Lab) -> None:
    fleet(lab, 3, broken=(1,))
    command = lab.run(rate=RateControl(1, 1))
    assert details(command) == ["Success", "Failed", "Success"]
    assert (command.status, command.details) == ("Failed", "Incomplete")


def test_nodes_under_way_finish_when_the_command_stops(lab: Lab) -> None:
    nodes = fleet(lab, 4, broken=(1,))
    command = lab.run(rate=RateControl(2, 0))
    assert details(command) == ["Success", "Failed", "Success", "Terminated"]
    assert nodes[2].installed["tool.x86_64"] == 2
    assert nodes[3].installed["tool.x86_64"] == 0


def test_a_command_that_stops_does_not_wait_for_a_node_that_is_offline(lab: Lab) -> None:
    nodes = fleet(lab, 2, broken=(1,))
    lab.change(nodes[0], running=False)
    command = lab.run(rate=RateControl(1, 0))
    assert details(command) == ["Terminated", "Failed"]
    assert lab.clock.now < command.requested + seconds(600)


def test_terminated_nodes_do_not_count_as_errors(lab: Lab) -> None:
    fleet(lab, 3, broken=(0,))
    assert lab.run(rate=RateControl(1, 0)).errors == 1


# Whom it does not reach.


def test_a_tag_that_no_node_has_ends_in_success_with_no_instances(lab: Lab) -> None:
    fleet(lab, 1)
    command = lab.run(targets=Targets.tag("Fleet", "b"))
    assert (command.status, command.details, command.invocations) == ("Success", "NoInstancesInTag", {})


def test_an_id_that_is_no_managed_node_is_refused(lab: Lab) -> None:
    fleet(lab, 1)
    with pytest.raises(ApiError, match="i-00000009") as error:
        lab.send(targets=Targets.instances("i-00000009"))
    assert error.value.code == "InvalidInstanceId"


def test_a_node_that_is_offline_times_out_without_counting_as_an_error(lab: Lab) -> None:
    nodes = fleet(lab, 2)
    lab.change(nodes[0], running=False)
    command = lab.run(rate=RateControl(1, 1), delivery_timeout_seconds=600)
    assert [one.details for one in invocations(command)] == ["DeliveryTimedOut", "Success"]
    assert invocations(command)[0].status == "TimedOut"
    assert command.errors == 0
    assert lab.clock.now == command.requested + seconds(600 + PATCHING_MAY_TAKE)
    assert (command.status, command.details) == ("Failed", "Incomplete")


def test_a_command_that_did_not_reach_as_many_nodes_as_may_fail_times_out(lab: Lab) -> None:
    nodes = fleet(lab, 3)
    for node in nodes[:2]:
        lab.change(node, running=False)
    command = lab.run(rate=RateControl(1, 1))
    assert (command.status, command.details, command.errors) == ("TimedOut", "DeliveryTimedOut", 0)


def test_a_node_that_comes_back_too_late_does_not_run_the_command(lab: Lab) -> None:
    (node,) = fleet(lab, 1)
    lab.change(node, running=False)
    command = lab.send(delivery_timeout_seconds=600)
    lab.clock.advance(command.requested + seconds(660))
    lab.change(node, running=True)
    assert details(command) == ["Delayed"]
    lab.clock.finish_work()
    assert details(command) == ["DeliveryTimedOut"]
    assert node.states is None


def test_a_node_that_is_gone_cannot_be_reached_and_does_not_count(lab: Lab) -> None:
    nodes = fleet(lab, 3)
    command = lab.send(rate=RateControl(1, 0))
    for node in nodes[:2]:
        del lab.cloud.running[node.id]
    lab.engine.fleet.nodes()
    lab.clock.finish_work()
    assert details(command) == ["Undeliverable", "Undeliverable", "Success"]
    assert (command.status, command.errors) == ("Success", 0)


def test_a_command_whose_nodes_are_all_gone_fails(lab: Lab) -> None:
    (node,) = fleet(lab, 1)
    command = lab.send()
    del lab.cloud.running[node.id]
    lab.engine.fleet.nodes()
    lab.clock.finish_work()
    assert (command.status, command.details, details(command)) == ("Failed", "Failed", ["Undeliverable"])


def test_a_node_of_another_platform_is_passed_over(lab: Lab) -> None:
    fleet(lab, 1)
    lab.launch("windows")
    command = lab.run_document("AWS-RunPowerShellScript", {"commands": ["ls"]}, rate_control=RateControl(1, 0))
    assert details(command) == ["Success", "Success"]
    command = lab.run_document("AWS-RunShellScript", {"commands": ["ls"]}, rate_control=RateControl(1, 0))
    assert details(command) == ["Success", "InvalidPlatform"]
    assert (command.status, command.errors) == ("Success", 0)


def test_a_node_that_stops_within_a_command_goes_on_when_it_is_back(lab: Lab) -> None:
    (node,) = fleet(lab, 1)
    command = lab.send()
    lab.clock.advance(command.requested + seconds(10))
    lab.change(node, running=False)
    lab.clock.advance(command.requested + seconds(1800))
    assert details(command) == ["InProgress"]
    lab.change(node, running=True)
    lab.clock.finish_work()
    assert details(command) == ["Success"]
    assert command.status == "Success"


def test_a_node_that_stops_within_a_command_and_stays_away_times_out_when_the_command_expires(lab: Lab) -> None:
    (node,) = fleet(lab, 1)
    command = lab.send()
    lab.clock.advance(command.requested + seconds(10))
    lab.change(node, running=False)
    lab.clock.advance(command.expires)
    assert details(command) == ["DeliveryTimedOut"]
    assert (command.status, command.details) == ("TimedOut", "DeliveryTimedOut")
    lab.clock.finish_work()
    assert lab.clock.now < command.expires + seconds(120)


# Who else can be meant.


def test_a_resource_group_is_resolved_when_the_command_is_sent(lab: Lab) -> None:
    nodes = fleet(lab, 3)
    lab.cloud.groups["web"] = [nodes[2].id, nodes[0].id, "i-0000000f"]
    group = Targets((("resource-groups:Name", ("web",)),))
    command = lab.send(SCAN, targets=group, rate=RateControl("100%", 0))
    lab.cloud.groups["web"] = []
    lab.clock.finish_work()
    assert list(command.invocations) == [nodes[0].id, nodes[2].id]
    assert command.status == "Success"


@pytest.mark.parametrize(
    ("types", "found"),
    [(("AWS::EC2::Instance",), 1), (("AWS::S3::Bucket",), 0), (("AWS::S3::Bucket", "AWS::SSM::ManagedInstance"), 1)],
)
def test_the_types_of_a_resource_group_narrow_it_down(lab: Lab, types: tuple[str, ...], found: int) -> None:
    (node,) = fleet(lab, 1)
    lab.cloud.groups["web"] = [node.id]
    keys = (("resource-groups:Name", ("web",)), ("resource-groups:ResourceTypeFilters", types))
    assert len(lab.send(SCAN, targets=Targets(keys)).invocations) == found


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        ((("resource-groups:Name", ("gone",)),), "There is no resource group gone"),
        ((("resource-groups:Name", ("a", "b")),), "Name one resource group"),
        ((("resource-groups:ResourceTypeFilters", ("AWS::EC2::Instance",)),), "Name one resource group"),
        ((("resource-groups:Name", ("web",)), ("tag:Fleet", ("a",))), "Name one resource group"),
        ((("ResourceGroup", ("web",)),), "ResourceGroup is no key of a target"),
    ],
)
def test_targets_that_make_no_sense_are_refused(
    lab: Lab, keys: tuple[tuple[str, tuple[str, ...]], ...], problem: str
) -> None:
    fleet(lab, 1)
    lab.cloud.groups["web"] = []
    with pytest.raises(ApiError, match=problem):
        lab.send(SCAN, targets=Targets(keys))


# What stops it.


def test_an_alarm_that_is_on_stops_the_command(lab: Lab) -> None:
    nodes = fleet(lab, 3)
    alarm = an_alarm()
    lab.cloud.alarmed["cpu"] = alarm
    command = lab.send(SCAN, rate=RateControl(1, 0), alarms=StopAlarms(("cpu",)))
    lab.clock.advance(command.requested + seconds(10))
    lab.cloud.alarmed["cpu"] = replace(alarm, state="ALARM")
    lab.clock.finish_work()
    assert details(command) == ["Success", "Cancelled", "Cancelled"]
    assert (command.status, command.triggered) == ("Cancelled", {"cpu": "ALARM"})
    assert nodes[1].states is None


@pytest.mark.parametrize(("despite", "expected"), [(False, "Cancelled"), (True, "Success")])
def test_an_alarm_that_is_not_there_stops_the_command_unless_it_says_otherwise(
    lab: Lab, despite: bool, expected: str
) -> None:
    fleet(lab, 1)
    assert lab.run(SCAN, alarms=StopAlarms(("gone",), despite_failures=despite)).status == expected


def test_one_node_of_a_command_can_be_cancelled(lab: Lab) -> None:
    nodes = fleet(lab, 3)
    command = lab.send(SCAN, rate=RateControl(1, 0))
    lab.engine.run_command.cancel(command, [nodes[1].id])
    assert details(command) == ["Pending", "Cancelled", "Pending"]
    lab.clock.finish_work()
    assert details(command) == ["Success", "Cancelled", "Success"]
    assert command.status == "Cancelled"


# What is remembered.


def test_commands_are_forgotten_after_thirty_days(lab: Lab) -> None:
    fleet(lab, 1)
    first = lab.run(SCAN)
    lab.clock.advance(first.requested + timedelta(days=30))
    assert lab.engine.run_command.get(first.id) is first
    lab.clock.advance(first.requested + timedelta(days=30, seconds=1))
    assert lab.engine.run_command.recent() == []
    with pytest.raises(ApiError, match="does not exist"):
        lab.engine.run_command.get(first.id)
    second = lab.run(SCAN)
    assert list(lab.engine.run_command.commands) == [second.id]


def test_a_command_that_reaches_no_node_in_time_times_out(lab: Lab) -> None:
    (node,) = fleet(lab, 1)
    lab.change(node, running=False)
    command = lab.run()
    assert (command.status, command.details) == ("TimedOut", "DeliveryTimedOut")
    assert lab.clock.now == command.requested + seconds(3600 + PATCHING_MAY_TAKE) == command.expires


def test_a_node_that_comes_back_before_the_delivery_times_out_gets_the_command(lab: Lab) -> None:
    (node,) = fleet(lab, 1)
    lab.change(node, running=False)
    command = lab.send(SCAN)
    lab.clock.advance(command.requested + seconds(300))
    lab.change(node, running=True)
    lab.clock.finish_work()
    assert details(command) == ["Success"]


def test_an_offline_node_does_not_hold_up_the_others(lab: Lab) -> None:
    nodes = fleet(lab, 3)
    lab.change(nodes[0], running=False)
    command = lab.run(SCAN, RateControl(1, 0))
    assert ended(invocations(command)[2]) < command.requested + seconds(600)


# What it may run.


def test_a_document_that_cannot_be_run_is_refused(lab: Lab) -> None:
    with pytest.raises(ApiError, match="AWS-RunNothing does not exist") as error:
        lab.engine.run_command.send(
            document_name="AWS-RunNothing", parameters={}, targets=Targets.tag("a", "b"), rate_control=RateControl()
        )
    assert error.value.code == "InvalidDocument"


def test_a_command_that_does_not_exist_is_not_found(lab: Lab) -> None:
    with pytest.raises(ApiError) as error:
        lab.engine.run_command.get("01234567-89ab-cdef-0123-456789abcdef")
    assert error.value.code == "InvalidCommandId"


# Cancelling it.


def test_a_cancelled_command_starts_no_further_node_and_lets_the_others_finish(lab: Lab) -> None:
    nodes = fleet(lab, 2)
    command = lab.send(SCAN, RateControl(1, 0))
    lab.clock.step()
    lab.engine.run_command.cancel(command)
    assert (command.status, details(command)) == ("Cancelling", ["InProgress", "Cancelled"])
    lab.clock.finish_work()
    assert (command.status, details(command)) == ("Cancelled", ["Success", "Cancelled"])
    assert [node.states is None for node in nodes] == [False, True]


def test_a_command_that_is_cancelled_before_it_begins_reaches_no_node(lab: Lab) -> None:
    (node,) = fleet(lab, 1)
    command = lab.send(SCAN)
    lab.engine.run_command.cancel(command)
    assert (command.status, details(command)) == ("Cancelled", ["Cancelled"])
    lab.clock.finish_work()
    assert (command.status, node.states) == ("Cancelled", None)


def test_cancelling_leaves_no_delivery_waiting(lab: Lab) -> None:
    nodes = fleet(lab, 2)
    lab.change(nodes[0], running=False)
    command = lab.send(SCAN)
    lab.clock.advance(command.requested + seconds(600))
    assert details(command) == ["Delayed", "Success"]
    lab.engine.run_command.cancel(command)
    assert command.status == "Cancelled"
    assert not lab.clock.working


# Two commands.


def test_two_runs_on_one_node_do_not_overlap_whenever_they_were_sent(lab: Lab) -> None:
    fleet(lab, 1)
    first = lab.send()
    lab.clock.advance(first.requested + seconds(10))
    (one,), (other,) = invocations(first), invocations(lab.run(SCAN))
    assert started(other) >= ended(one)


def test_three_runs_on_one_node_that_were_sent_together_follow_each_other(lab: Lab) -> None:
    fleet(lab, 1)
    runs = [invocations(lab.send(SCAN))[0] for _ in range(3)]
    lab.clock.finish_work()
    for one, following in pairwise(sorted(runs, key=started)):
        assert started(following) >= ended(one)


def test_runs_on_two_nodes_do_not_wait_for_each_other(lab: Lab) -> None:
    one, other = fleet(lab, 2)
    commands = [lab.send(SCAN, targets=Targets.instances(node.id)) for node in (one, other)]
    lab.clock.finish_work()
    assert len({started(invocations(command)[0]) for command in commands}) == 1


# What is told, and when.


def told(lab: Lab) -> list[str]:
    return [one["status"] for one in lab.emitted("EC2 Command Invocation Status-change Notification")]


def test_a_node_that_is_offline_is_told_once(lab: Lab) -> None:
    (node,) = fleet(lab, 1)
    lab.change(node, running=False)
    command = lab.send(delivery_timeout_seconds=600)
    seen: list[str] = []
    command.watchers.append(lambda one: seen.append(one.details if one else ""))
    lab.clock.advance(command.requested + seconds(300))
    assert seen.count("Delayed") == 1


def test_a_command_that_is_cancelled_before_it_begins_is_never_told_to_run(lab: Lab) -> None:
    fleet(lab, 1)
    command = lab.send()
    lab.engine.run_command.cancel(command)
    lab.clock.finish_work()
    assert [one["status"] for one in lab.emitted("EC2 Command Status-change Notification")] == ["Cancelled"]


def test_an_answer_that_comes_after_a_command_has_expired_changes_nothing(lab: Lab) -> None:
    (node,) = fleet(lab, 1)
    command = lab.send()
    lab.clock.advance(command.requested + seconds(10))
    lab.change(node, running=False)
    lab.clock.advance(command.expires)
    lab.change(node, running=True)
    lab.clock.finish_work()
    assert (command.status, command.details, details(command)) == ("TimedOut", "DeliveryTimedOut", ["DeliveryTimedOut"])
    assert told(lab)[-1] == "TimedOut"


def test_a_step_that_fails_beside_one_that_takes_too_long_makes_the_node_fail(lab: Lab) -> None:
    lab.launch()
    slow, failing = shell("slow", "sleep 100", timeoutSeconds="10"), shell("failing", "exit 1")
    lab.add_document("both", slow, failing)
    lab.add_document("slow", slow)
    assert details(lab.run_document("both")) == ["Failed"]
    assert details(lab.run_document("slow")) == ["ExecutionTimedOut"]
