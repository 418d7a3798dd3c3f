from __future__ import annotations

from typing import Any

import pytest
from aws_cdk import Stack
from constructs.dispatch_role import DispatchRole
from constructs.encryption_key import EncryptionKey
from constructs.install_window import InstallWindow
from constructs.notification_topic import NotificationTopic
from constructs.output_bucket import OutputBucket

from patching.errors import InvalidValueError
from patching.open_times import OpenTimes
from patching.rate_control import RateControl
from patching.run_patch_baseline import RunPatchBaseline
from patching.schedule import Schedule
from patching.targets import Targets
from tests.cdk import Resources, app

pytestmark = pytest.mark.xdist_group("constructs")


def test_the_window_opens_in_its_zone_for_as_long_as_it_is_told(patching: Resources) -> None:
    assert patching["Window"].properties == {
        "Name": "demo-window",
        "Schedule": "cron(0 2 ? * TUE#2 *)",
        "ScheduleTimezone": "Europe/Berlin",
        "ScheduleOffset": 4,
        "Duration": 5,
        "Cutoff": 2,
        "AllowUnassociatedTargets": False,
    }


def test_no_offset_is_written_where_there_is_none(kept: Resources) -> None:
    assert "ScheduleOffset" not in kept["Window"].properties


def test_the_window_is_for_nodes_with_every_tag(patching: Resources) -> None:
    target = patching["Window/Target"].properties
    assert (target["WindowId"], target["ResourceType"]) == ("<Window>", "INSTANCE")
    assert target["Targets"] == [
        {"Key": "tag:Workload", "Values": ["Prod", "Test"]},
        {"Key": "tag:Environment", "Values": ["demo"]},
    ]


def test_the_task_installs_on_the_windows_targets_at_the_given_rate(patching: Resources) -> None:
    task = patching["Window/Task"].properties
    assert (task["WindowId"], task["TaskType"], task["TaskArn"]) == ("<Window>", "RUN_COMMAND", "AWS-RunPatchBaseline")
    assert task["Targets"] == [{"Key": "WindowTargetIds", "Values": ["<Window/Target>"]}]
    assert (task["MaxConcurrency"], task["MaxErrors"], task["Priority"]) == ("10%", "3", 1)
    assert task["CutoffBehavior"] == "CONTINUE_TASK"


def test_one_role_sends_the_command_and_another_one_publishes_how_it_went(patching: Resources) -> None:
    task = patching["Window/Task"].properties
    command = task["TaskInvocationParameters"]["MaintenanceWindowRunCommandParameters"]
    assert task["ServiceRoleArn"] == "<WindowRole.Arn>"
    assert command["ServiceRoleArn"] == "<Notifications/PublishRole.Arn>"


def test_the_command_says_where_its_output_goes_and_who_is_told(patching: Resources) -> None:
    command = dict(
        patching["Window/Task"].properties["TaskInvocationParameters"]["MaintenanceWindowRunCommandParameters"]
    )
    del command["ServiceRoleArn"]
    assert command == {
        "Parameters": {"Operation": ["Install"], "RebootOption": ["NoReboot"]},
        "OutputS3BucketName": "<Output>",
        "OutputS3KeyPrefix": "out",
        "NotificationConfig": {
            "NotificationArn": "<Notifications>",
            "NotificationEvents": ["All"],
            "NotificationType": "Invocation",
        },
    }


def test_the_task_uses_none_of_the_parameters_that_aws_has_replaced(patching: Resources) -> None:
    assert patching["Window/Task"].properties.keys().isdisjoint({"TaskParameters", "LoggingInfo"})


def test_the_roles_policy_is_there_before_the_task(patching: Resources) -> None:
    policy = next(name for name in patching.template["Resources"] if name.startswith("WindowRolePolicy"))
    assert policy in patching["Window/Task"].whole["DependsOn"]


# What a window can do besides.


def run_command(resources: Resources, task: str) -> dict[str, Any]:
    found: dict[str, Any] = resources[task].properties["TaskInvocationParameters"][
        "MaintenanceWindowRunCommandParameters"
    ]
    return found


def test_a_window_is_active_from_the_first_day_to_the_end_of_the_last_in_its_zone(watched: Resources) -> None:
    window = watched["Window"].properties
    assert (window["StartDate"], window["EndDate"]) == ("2026-02-01T00:00:00+09:00", "2026-03-31T23:59:59+09:00")
    assert window["Description"] == "Every Sunday"


def test_a_window_patches_the_nodes_of_all_its_groups(watched: Resources) -> None:
    groups = {path: one["Targets"] for path, one in watched.of("AWS::SSM::MaintenanceWindowTarget").items()}
    assert groups["Window/Target"] == [{"Key": "tag:Role", "Values": ["web"]}]
    assert groups["Window/Target2"] == [{"Key": "tag:Role", "Values": ["db"]}]
    assert watched["Window/Task"].properties["Targets"] == [
        {"Key": "WindowTargetIds", "Values": ["<Window/Target>", "<Window/Target2>"]}
    ]


def test_hooks_are_run_by_the_document_that_takes_them(watched: Resources) -> None:
    assert watched["Window/Task"].properties["TaskArn"] == "AWS-RunPatchBaselineWithHooks"
    assert run_command(watched, "Window/Task")["Parameters"] == {
        "Operation": ["Install"],
        "RebootOption": ["RebootIfNeeded"],
        "PreInstallHookDocName": ["demo-drain"],
        "OnExitHookDocName": ["demo-drain"],
    }


def test_a_window_cancels_writes_to_the_log_and_tells_what_it_is_asked_to(watched: Resources) -> None:
    assert watched["Window/Task"].properties["CutoffBehavior"] == "CANCEL_TASK"
    command = run_command(watched, "Window/Task")
    assert command["CloudWatchOutputConfig"] == {"CloudWatchLogGroupName": "/demo", "CloudWatchOutputEnabled": True}
    assert command["TimeoutSeconds"] == 900
    assert command["NotificationConfig"] == {
        "NotificationArn": "<Notifications>",
        "NotificationEvents": ["Failed", "TimedOut"],
        "NotificationType": "Command",
    }


def test_a_disabled_window_has_targets_and_no_task(watched: Resources) -> None:
    assert "Disabled/Target" in watched
    assert "Disabled/Task" not in watched


GROUPS = [Targets.tag("Role", f"r{number}") for number in range(11)]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"cutoff_hours": 5}, "5 is not below duration_hours 5; a window stops starting tasks cutoff_hours before"),
        ({"cutoff_hours": -1}, "-1 is not below duration_hours 5"),
        ({"targets": []}, "0 target groups, but AWS takes 1 to 10 for a task"),
        ({"targets": GROUPS}, "11 target groups, but AWS takes 1 to 10 for a task"),
        ({"targets": [GROUPS[0], GROUPS[0]]}, "the target group Role=r0 is there twice"),
        ({"events": []}, "no event is named"),
        ({"events": ["All", "Failed"]}, "All stands for every event"),
        ({"events": ["Done"]}, "'Done' is not an event of a command"),
        ({"name": "a b"}, "'a b' is not the name of a window: 3 to 128 letters"),
        ({"description": "x" * 129}, "a description of 129 characters, but AWS takes 128 at most"),
        ({"delivery_timeout_seconds": 29}, "delivery timeout 29 is not a number of seconds from 30 to 2592000"),
    ],
)
def test_what_aws_would_refuse_is_refused_when_it_is_made(settings: dict[str, Any], message: str) -> None:
    stack = Stack(app(), "Stack")
    key = EncryptionKey(stack, "Key", alias="demo", keep_on_destroy=False).key
    kept: dict[str, Any] = {
        "name": "demo",
        "description": "x" * 128,
        "times": OpenTimes(Schedule.rate(7, "days"), 5),
        "cutoff_hours": 4,
        "targets": GROUPS[:10],
        "rate_control": RateControl(1, 0),
        "task": RunPatchBaseline.install(),
        "role": DispatchRole(stack, "Role", environment="demo", documents=["own"], description="x"),
        "output": OutputBucket(stack, "Output", key=key, prefix="out", retention_days=1, keep_on_destroy=False),
        "notifications": NotificationTopic(stack, "Topic", name="demo", key=key),
    }
    InstallWindow(stack, "Kept", **kept)
    with pytest.raises(InvalidValueError, match=message):
        InstallWindow(stack, "Broken", **(kept | settings))
