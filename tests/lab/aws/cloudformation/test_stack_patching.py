"""The resources of Systems Manager in a stack: made, changed, replaced and deleted."""

from __future__ import annotations

from typing import Any

import pytest

from tests.lab.aws.stacks import Resource, Stack, association, baseline, gone, target, task, window

pytestmark = pytest.mark.xdist_group("local-aws")


# Patch baselines.


def test_a_baseline_comes_changes_in_place_and_goes(stack: Stack, ssm: Any) -> None:
    made = stack.deploy(One=baseline())["One"]
    assert ssm.get_patch_baseline(BaselineId=made)["PatchGroups"] == ["prod", "test"]
    changed = stack.deploy(One=baseline(Name="two", PatchGroups=["test", "dev"]))["One"]
    stored = ssm.get_patch_baseline(BaselineId=made)
    assert (changed, stored["Name"], stored["PatchGroups"]) == (made, "two", ["test", "dev"])
    stack.delete()
    assert gone(ssm.get_patch_baseline, BaselineId=made)
    assert ssm.describe_patch_groups()["Mappings"] == []


def test_another_operating_system_makes_another_baseline(stack: Stack, ssm: Any) -> None:
    made = stack.deploy(One=baseline(PatchGroups=[]))["One"]
    new = stack.deploy(One=("AWS::SSM::PatchBaseline", {"Name": "one", "OperatingSystem": "UBUNTU"}))["One"]
    assert new != made
    assert gone(ssm.get_patch_baseline, BaselineId=made)
    assert ssm.get_patch_baseline(BaselineId=new)["OperatingSystem"] == "UBUNTU"


def test_a_default_baseline_is_registered_and_stays_the_default_until_another_one_is(stack: Stack, ssm: Any) -> None:
    def default() -> str:
        return str(ssm.get_default_patch_baseline(OperatingSystem="AMAZON_LINUX_2023")["BaselineId"])

    own = default()
    made = stack.deploy(One=baseline(DefaultBaseline="true"))["One"]
    assert default() == made
    stack.deploy(One=baseline(DefaultBaseline=False))
    assert default() == made
    stack.delete()
    assert (stack.status, default()) == ("DELETE_FAILED", made)
    assert f"One: Patch baseline {made} is the default of AMAZON_LINUX_2023; register another" in stack.reasons
    ssm.register_default_patch_baseline(BaselineId=own)
    stack.delete()
    assert gone(ssm.get_patch_baseline, BaselineId=made)


SOURCE = {"Name": "mirror", "Products": ["*"], "Configuration": "[mirror]\nbaseurl=https://mirror.example.com"}


def test_the_sources_of_a_baseline_come_and_change(stack: Stack, ssm: Any) -> None:
    made = stack.deploy(One=baseline(Sources=[SOURCE], ApprovedPatches=["tool"], ApprovedPatchesEnableNonSecurity=True))
    stored = ssm.get_patch_baseline(BaselineId=made["One"])
    assert (stored["Sources"], stored["ApprovedPatchesEnableNonSecurity"]) == ([SOURCE], True)
    stack.deploy(One=baseline(Sources=[{**SOURCE, "Name": "other"}]))
    assert [one["Name"] for one in ssm.get_patch_baseline(BaselineId=made["One"])["Sources"]] == ["other"]
    stack.deploy(One=baseline())
    assert ssm.get_patch_baseline(BaselineId=made["One"])["Sources"] == []


def test_a_baseline_of_windows_says_what_available_updates_mean(stack: Stack, ssm: Any) -> None:
    def windows(**changes: Any) -> Resource:
        return "AWS::SSM::PatchBaseline", {"Name": "windows", **changes}

    made = stack.deploy(One=windows(AvailableSecurityUpdatesComplianceStatus="NON_COMPLIANT"))["One"]
    assert ssm.get_patch_baseline(BaselineId=made)["AvailableSecurityUpdatesComplianceStatus"] == "NON_COMPLIANT"
    stack.deploy(One=windows())
    assert "AvailableSecurityUpdatesComplianceStatus" not in ssm.get_patch_baseline(BaselineId=made)


def test_the_tags_of_a_baseline_come_and_change(stack: Stack, ssm: Any) -> None:
    def tags(made: str) -> dict[str, str]:
        listed = ssm.list_tags_for_resource(ResourceType="PatchBaseline", ResourceId=made)["TagList"]
        return {one["Key"]: one["Value"] for one in listed}

    made = stack.deploy(One=baseline(Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]))["One"]
    assert tags(made) == {"a": "1", "b": "2"}
    stack.deploy(One=baseline(Tags=[{"Key": "a", "Value": "3"}]))
    assert tags(made) == {"a": "3"}


def test_a_baseline_can_be_named_by_others_of_its_template(stack: Stack) -> None:
    made = stack.deploy(
        {"Ref": {"Value": {"Ref": "One"}}, "Id": {"Value": {"Fn::GetAtt": ["One", "Id"]}}}, One=baseline()
    )
    assert stack.outputs == {"Ref": made["One"], "Id": made["One"]}


# Associations.


def test_an_association_comes_changes_in_place_runs_again_and_goes(stack: Stack, ssm: Any) -> None:
    made = stack.deploy(One=association())["One"]
    changed = stack.deploy(One=association(ScheduleExpression="rate(2 days)", MaxErrors="5"))["One"]
    described = ssm.describe_association(AssociationId=made)["AssociationDescription"]
    assert (changed, described["ScheduleExpression"]) == (made, "rate(2 days)")
    assert (described["MaxConcurrency"], described["MaxErrors"]) == ("10%", "5")
    assert len(ssm.describe_association_executions(AssociationId=made)["AssociationExecutions"]) == 2
    assert len(ssm.list_associations()["Associations"]) == 1
    stack.delete()
    assert ssm.list_associations()["Associations"] == []


def test_an_association_has_all_that_its_template_says(stack: Stack, ssm: Any) -> None:
    said = {
        "ScheduleExpression": "cron(0 2 ? * TUE#3 *)",
        "ScheduleOffset": 2,
        "ApplyOnlyAtCronInterval": True,
        "ComplianceSeverity": "HIGH",
        "MaxErrors": "5%",
        "SyncCompliance": "AUTO",
    }
    made = stack.deploy(One=association(**said))["One"]
    described = ssm.describe_association(AssociationId=made)["AssociationDescription"]
    assert {key: described[key] for key in said} == said
    assert ssm.describe_association_executions(AssociationId=made)["AssociationExecutions"] == []


def test_an_association_whose_instance_changes_is_another_one(stack: Stack, ssm: Any) -> None:
    old = stack.deploy(One=association(InstanceId="i-00000001", Targets=[]))["One"]
    assert stack.deploy(One=association(InstanceId="i-00000002", Targets=[]))["One"] != old
    (only,) = ssm.list_associations()["Associations"]
    assert only["Targets"] == [{"Key": "InstanceIds", "Values": ["i-00000002"]}]


# Windows.


def test_a_window_comes_changes_in_place_and_goes(stack: Stack, ssm: Any) -> None:
    made = stack.deploy(Window=window())["Window"]
    assert ssm.get_maintenance_window(WindowId=made)["NextExecutionTime"].endswith("T02:00+09:00")
    changed = stack.deploy(Window=window(Schedule="cron(0 4 * * ? *)", Duration=4))["Window"]
    described = ssm.get_maintenance_window(WindowId=made)
    assert (changed, described["Duration"]) == (made, 4)
    assert described["NextExecutionTime"].endswith("T04:00+09:00")
    stack.delete()
    assert gone(ssm.get_maintenance_window, WindowId=made)


def test_a_window_is_active_between_its_dates(stack: Stack, ssm: Any) -> None:
    dates = {"StartDate": "2027-03-01T00:00:00+09:00", "EndDate": "2027-03-04T00:00:00+09:00"}
    made = stack.deploy(Window=window(**dates, ScheduleOffset=1))["Window"]

    def openings() -> list[str]:
        schedule = ssm.describe_maintenance_window_schedule(WindowId=made)["ScheduledWindowExecutions"]
        return [one["ExecutionTime"] for one in schedule]

    assert openings() == [f"2027-03-0{day}T02:00+09:00" for day in (1, 2, 3)]
    described = ssm.get_maintenance_window(WindowId=made)
    assert {key: described[key] for key in dates} == dates
    assert (described["ScheduleOffset"], described["Enabled"]) == (1, True)
    assert stack.deploy(Window=window(StartDate="2027-03-03T00:00:00"))["Window"] == made
    assert openings()[0] == "2027-03-04T02:00+09:00"
    assert len(openings()) > 3


def test_a_window_that_somebody_disabled_stays_so_when_its_stack_changes(stack: Stack, ssm: Any) -> None:
    made = stack.deploy(Window=window())["Window"]
    ssm.update_maintenance_window(WindowId=made, Enabled=False)
    stack.deploy(Window=window(Duration=4))
    assert not ssm.get_maintenance_window(WindowId=made)["Enabled"]


def test_what_is_taken_out_of_a_window_is_gone(stack: Stack, ssm: Any) -> None:
    kind, properties = window()
    made = stack.deploy(Window=(kind, properties))["Window"]
    for name in ("Description", "ScheduleTimezone"):
        del properties[name]
    stack.deploy(Window=(kind, properties))
    described = ssm.get_maintenance_window(WindowId=made)
    assert (described.get("Description", ""), described.get("ScheduleTimezone", "UTC")) == ("", "UTC")


def test_the_target_and_the_task_of_a_window_come_change_in_place_and_go(
    stack: Stack, ssm: Any, roles: dict[str, str]
) -> None:
    role = roles["sender"]
    made = stack.deploy(Window=window(), Target=target(), Task=task(role))
    described = ssm.get_maintenance_window_task(WindowId=made["Window"], WindowTaskId=made["Task"])
    assert described["Targets"] == [{"Key": "WindowTargetIds", "Values": [made["Target"]]}]
    assert described["TaskInvocationParameters"]["RunCommand"]["Parameters"] == {"Operation": ["Scan"]}
    changed = stack.deploy(
        Window=window(), Target=target(Targets=[{"Key": "tag:Fleet", "Values": ["b"]}]), Task=task(role, Priority=5)
    )
    assert changed == made
    (one,) = ssm.describe_maintenance_window_targets(WindowId=made["Window"])["Targets"]
    assert one["Targets"] == [{"Key": "tag:Fleet", "Values": ["b"]}]
    (one,) = ssm.describe_maintenance_window_tasks(WindowId=made["Window"])["Tasks"]
    assert one["Priority"] == 5
    stack.deploy(Window=window())
    assert ssm.describe_maintenance_window_targets(WindowId=made["Window"])["Targets"] == []
    assert ssm.describe_maintenance_window_tasks(WindowId=made["Window"])["Tasks"] == []


def test_a_task_has_all_that_its_template_says_and_several_targets(
    stack: Stack, ssm: Any, roles: dict[str, str]
) -> None:
    run_command = {
        "Comment": "Every night",
        "DocumentVersion": "1",
        "Parameters": {"Operation": ["Scan"]},
        "TimeoutSeconds": 900,
    }
    stack.deploy(
        Window=window(),
        Target=target(),
        Other=target(Name="other", Targets=[{"Key": "tag:Fleet", "Values": ["b"]}]),
        Task=task(
            roles["sender"],
            CutoffBehavior="CANCEL_TASK",
            Targets=[{"Key": "WindowTargetIds", "Values": [{"Ref": "Target"}, {"Ref": "Other"}]}],
            TaskInvocationParameters={"MaintenanceWindowRunCommandParameters": run_command},
        ),
    )
    made = stack.ids
    described = ssm.get_maintenance_window_task(WindowId=made["Window"], WindowTaskId=made["Task"])
    assert described["CutoffBehavior"] == "CANCEL_TASK"
    assert described["Targets"] == [{"Key": "WindowTargetIds", "Values": [made["Target"], made["Other"]]}]
    found = described["TaskInvocationParameters"]["RunCommand"]
    assert {key: found[key] for key in run_command} == run_command


def test_the_role_of_a_task_has_to_trust_systems_manager(stack: Stack, roles: dict[str, str]) -> None:
    status = stack.attempt(Window=window(), Target=target(), Task=task(roles["node"]))
    assert status == "ROLLBACK_COMPLETE"
    assert f"AWS::SSM::MaintenanceWindowTask: ssm.amazonaws.com cannot assume {roles['node']}" in stack.reasons


def test_a_change_of_an_association_is_another_version_of_it(stack: Stack, ssm: Any) -> None:
    made = stack.deploy(Scan=association())["Scan"]
    assert stack.deploy(Scan=association(AssociationName="renamed"))["Scan"] == made
    versions = ssm.list_association_versions(AssociationId=made)["AssociationVersions"]
    assert [one["AssociationVersion"] for one in versions] == ["2", "1"]
    assert versions[0]["AssociationName"] == "renamed"


@pytest.mark.parametrize(
    ("kind", "arn", "name", "given"),
    [
        ("LAMBDA", "arn:aws:lambda:eu-west-1:123456789012:function:told", "Lambda", {"Qualifier": "1"}),
        (
            "STEP_FUNCTIONS",
            "arn:aws:states:eu-west-1:123456789012:stateMachine:told",
            "StepFunctions",
            {"Input": "{}", "Name": "run"},
        ),
        ("AUTOMATION", "AWS-StopEC2Instance", "Automation", {"Parameters": {"InstanceId": ["{{TARGET_ID}}"]}}),
    ],
)
def test_a_task_that_is_no_command_has_what_its_template_says_and_another_kind_is_another_task(
    stack: Stack, ssm: Any, kind: str, arn: str, name: str, given: dict[str, Any]
) -> None:
    made = stack.deploy(
        Window=window(),
        Task=(
            "AWS::SSM::MaintenanceWindowTask",
            {
                "WindowId": {"Ref": "Window"},
                "TaskArn": arn,
                "TaskType": kind,
                "Priority": 3,
                "TaskInvocationParameters": {f"MaintenanceWindow{name}Parameters": given},
            },
        ),
    )
    stored = ssm.get_maintenance_window_task(WindowId=made["Window"], WindowTaskId=made["Task"])
    assert (stored["TaskType"], stored["TaskArn"], stored["Priority"]) == (kind, arn, 3)
    assert stored["TaskInvocationParameters"] == {name: given}


@pytest.mark.parametrize(
    ("kind", "made"),
    [("PatchBaseline", baseline), ("MaintenanceWindow", window), ("Association", association)],
)
def test_what_a_template_makes_has_its_tags(stack: Stack, ssm: Any, kind: str, made: Any) -> None:
    def tags(resource: str) -> dict[str, str]:
        found = ssm.list_tags_for_resource(ResourceType=kind, ResourceId=resource)["TagList"]
        return {one["Key"]: one["Value"] for one in found}

    one = stack.deploy(One=made(Tags=[{"Key": "Stage", "Value": "a"}, {"Key": "Old", "Value": "x"}]))["One"]
    assert tags(one) == {"Stage": "a", "Old": "x"}
    assert stack.deploy(One=made(Tags=[{"Key": "Stage", "Value": "b"}]))["One"] == one
    assert tags(one) == {"Stage": "b"}
