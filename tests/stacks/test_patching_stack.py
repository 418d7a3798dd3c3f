from __future__ import annotations

import pytest

from patching.deployment import Output
from patching.policy_file import parse_policy, read_policy
from tests.cdk import ROOT, Stacks, synthesize
from tests.patching.policies import changed

pytestmark = pytest.mark.xdist_group("stacks")

POLICY = read_policy(ROOT / "config" / "lab.yaml")


def test_every_baseline_of_the_policy_is_there_with_its_patch_groups(lab: Stacks) -> None:
    found = lab.patching.of("AWS::SSM::PatchBaseline")
    assert {path: (one["Name"], one["OperatingSystem"], one["PatchGroups"]) for path, one in found.items()} == {
        f"Baseline-{name}": (f"patchops-lab-{name}", system, ["lab-prod", "lab-test"])
        for name, system in (("amazon-linux-2023", "AMAZON_LINUX_2023"), ("ubuntu", "UBUNTU"), ("windows", "WINDOWS"))
    }
    for name, baseline in POLICY.baselines.items():
        properties = dict(found[f"Baseline-{name}"])
        del properties["PatchGroups"], properties["Tags"]
        assert properties == baseline.patch_baseline(f"patchops-lab-{name}").to_api()


def test_every_window_of_the_policy_is_there_with_its_times(lab: Stacks) -> None:
    assert {
        path: (one["Schedule"], one["ScheduleTimezone"], one["Duration"], one["Cutoff"])
        for path, one in lab.patching.of("AWS::SSM::MaintenanceWindow").items()
    } == {
        "Install-test": ("cron(0 2 ? * WED *)", "Asia/Seoul", 3, 1),
        "Install-prod": ("cron(0 2 ? * SUN *)", "Asia/Seoul", 4, 1),
    }


@pytest.mark.parametrize(("name", "workload"), [("test", "Test"), ("prod", "Prod")])
def test_a_window_is_for_nodes_of_this_workload_in_this_environment(lab: Stacks, name: str, workload: str) -> None:
    assert lab.patching[f"Install-{name}/Target"].properties["Targets"] == [
        {"Key": "tag:Workload", "Values": [workload]},
        {"Key": "tag:Environment", "Values": ["lab"]},
    ]


@pytest.mark.parametrize(("name", "rate"), [("test", ("100%", "1")), ("prod", ("1", "1"))])
def test_a_windows_task_installs_at_the_policys_rate(lab: Stacks, name: str, rate: tuple[str, str]) -> None:
    task = lab.patching[f"Install-{name}/Task"].properties
    command = task["TaskInvocationParameters"]["MaintenanceWindowRunCommandParameters"]
    assert (task["MaxConcurrency"], task["MaxErrors"]) == rate
    assert command["Parameters"] == {"Operation": ["Install"], "RebootOption": ["RebootIfNeeded"]}
    assert (task["ServiceRoleArn"], command["ServiceRoleArn"]) == (
        "<WindowRole.Arn>",
        "<Notifications/PublishRole.Arn>",
    )


def test_the_scan_does_not_run_at_deployment_and_changes_nothing(lab: Stacks) -> None:
    scan = lab.patching["Scan"].properties
    assert scan["ApplyOnlyAtCronInterval"] is True
    assert scan["Parameters"] == {"Operation": ["Scan"]}
    assert scan["AssociationDispatchAssumeRole"] == "<Scan/DispatchRole.Arn>"


def test_scan_and_windows_write_where_the_nodes_may_write(lab: Stacks) -> None:
    assert lab.patching.statements("NodePolicy")[0]["Resource"] == "<Output.Arn>/run-command/*"
    location = lab.patching["Scan"].properties["OutputLocation"]["S3Location"]
    task = lab.patching["Install-prod/Task"].properties
    command = task["TaskInvocationParameters"]["MaintenanceWindowRunCommandParameters"]
    for place in (location, command):
        assert (place["OutputS3BucketName"], place["OutputS3KeyPrefix"]) == ("<Output>", "run-command")


def test_the_outputs_are_the_ones_that_operating_looks_for(lab: Stacks) -> None:
    outputs = lab.patching.template["Outputs"]
    assert {str(name) for name in Output} - {Output.ACTIVATION} <= outputs.keys()
    assert str(outputs[Output.PUBLISH_ROLE]["Value"]["Fn::GetAtt"][0]).startswith("NotificationsPublishRole")


def test_the_policys_addresses_and_retention_reach_the_template() -> None:
    text = changed(("[ops@example.com]", "[a@b.io, c@d.io]"), ("retention_days: 30", "retention_days: 12"))
    patching = synthesize(parse_policy(text)).patching
    assert [one["Endpoint"] for one in patching.of("AWS::SNS::Subscription").values()] == [
        "a@b.io",
        "c@d.io",
    ]
    assert patching["Output"].properties["LifecycleConfiguration"]["Rules"][0]["ExpirationInDays"] == 12
    assert {patching[path].whole["DeletionPolicy"] for path in ("Key", "Output")} == {"Retain"}


def test_the_lab_leaves_nothing_behind_when_it_is_destroyed(lab: Stacks) -> None:
    kept = [path for stack in lab.all for path, one in stack.items() if one.whole.get("DeletionPolicy") == "Retain"]
    assert kept == []
    assert lab.patching["Key"].whole["DeletionPolicy"] == "Delete"
