from __future__ import annotations

import pytest

from tests.cdk import Resources

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
