"""What the local AWS answers: the values, where test_ssm_operations.py holds the shapes."""

from __future__ import annotations

import json

import pytest

from tests.lab.aws.world import (
    FLEET,
    NODES,
    Connect,
    World,
    error_code,
    fresh_window,
    task_of,
    window_named,
)

pytestmark = pytest.mark.xdist_group("local-aws")


def test_nodes_are_described_with_the_platform_that_they_have(world: World) -> None:
    found = world.ssm.describe_instance_information(Filters=[{"Key": "InstanceIds", "Values": world.nodes[:1]}])
    (node,) = found["InstanceInformationList"]
    assert (node["PlatformType"], node["PlatformName"], node["PingStatus"]) == ("Linux", "Amazon Linux", "Online")


@pytest.mark.parametrize(
    ("key", "values", "count"),
    [
        ("tag:Name", ["web"], NODES - 1),
        ("tag-key", ["Name"], NODES - 1),
        ("PlatformTypes", ["Windows"], 0),
        ("PlatformTypes", ["Linux"], NODES),
        ("PingStatus", ["ConnectionLost"], 0),
        ("ResourceType", ["EC2Instance"], NODES),
    ],
)
def test_nodes_are_filtered(world: World, key: str, values: list[str], count: int) -> None:
    pages = world.ssm.get_paginator("describe_instance_information").paginate(Filters=[{"Key": key, "Values": values}])
    assert len(pages.build_full_result()["InstanceInformationList"]) == count


def test_the_counts_of_a_node_are_those_of_its_patches(world: World) -> None:
    (state,) = world.ssm.describe_instance_patch_states(InstanceIds=world.nodes[:1])["InstancePatchStates"]
    pages = world.ssm.get_paginator("describe_instance_patches").paginate(InstanceId=world.nodes[0])
    patches = pages.build_full_result()["Patches"]
    for name in ("Installed", "InstalledOther", "InstalledRejected", "Missing", "Failed", "InstalledPendingReboot"):
        assert state[f"{name}Count"] == sum(one["State"] == name for one in patches)
    assert state["MissingCount"] > 0
    assert state["InstalledRejectedCount"] == 1
    assert state["CriticalNonCompliantCount"] == state["SecurityNonCompliantCount"] == state["MissingCount"]
    assert state["OtherNonCompliantCount"] == 1
    assert (state["BaselineId"], state["PatchGroup"], state["Operation"]) == (world.baseline, "prod", "Scan")


def test_a_node_that_does_not_exist_has_no_state_and_is_no_error(world: World) -> None:
    assert world.ssm.describe_instance_patch_states(InstanceIds=["i-00000001"])["InstancePatchStates"] == []


def test_patches_are_filtered_by_state_in_either_spelling(world: World) -> None:
    def having(state: str) -> list[str]:
        pages = world.ssm.get_paginator("describe_instance_patches").paginate(
            InstanceId=world.nodes[0], Filters=[{"Key": "State", "Values": [state]}]
        )
        return [one["State"] for one in pages.build_full_result()["Patches"]]

    assert set(having("Missing")) == {"Missing"}
    assert having("INSTALLED_REJECTED") == having("InstalledRejected") == ["InstalledRejected"]


def test_patches_that_nothing_approves_have_no_classification(world: World) -> None:
    pages = world.ssm.get_paginator("describe_instance_patches").paginate(InstanceId=world.nodes[0])
    for patch in pages.build_full_result()["Patches"]:
        if patch["State"] == "InstalledOther":
            assert (patch["Classification"], patch["Severity"]) == ("", "")
        if patch["State"] == "Missing":
            assert patch["Classification"] == "Security"
            assert patch["CVEIds"].startswith("CVE-0000-")
            assert patch["InstalledTime"].timestamp() == 0


def test_a_group_counts_its_nodes(world: World) -> None:
    state = world.ssm.describe_patch_group_state(PatchGroup="prod")
    assert state["Instances"] == state["InstancesWithMissingPatches"] == NODES - 1
    assert state["InstancesWithCriticalNonCompliantPatches"] == NODES - 1
    assert state["InstancesWithFailedPatches"] == 0


def test_compliance_is_summed_up_by_node(world: World) -> None:
    lacking = world.ssm.list_resource_compliance_summaries(
        Filters=[
            {"Key": "ComplianceType", "Values": ["Patch"], "Type": "EQUAL"},
            {"Key": "Status", "Values": ["COMPLIANT"], "Type": "NOT_EQUAL"},
        ]
    )["ResourceComplianceSummaryItems"]
    of_patches = [{"Key": "ComplianceType", "Values": ["Patch"]}]
    (summary,) = world.ssm.list_compliance_summaries(Filters=of_patches)["ComplianceSummaryItems"]
    assert len(lacking) == summary["NonCompliantSummary"]["NonCompliantCount"] == NODES
    assert summary["NonCompliantSummary"]["SeveritySummary"]["CriticalCount"] == NODES - 1
    assert summary["CompliantSummary"]["CompliantCount"] == 0


def test_the_output_of_a_step_is_in_the_bucket_where_the_reply_says(world: World, connect: Connect) -> None:
    node = world.nodes[0]
    reply = world.ssm.get_command_invocation(CommandId=world.command, InstanceId=node, PluginName="PatchLinux")
    _, _, key = reply["StandardOutputUrl"].partition("/output/")
    assert key == f"runs/{world.command}/{node}/awsrunShellScript/PatchLinux/stdout"
    stored = connect("s3").get_object(Bucket="output", Key=key)["Body"].read().decode()
    assert stored == reply["StandardOutputContent"]
    assert node in stored


def test_without_the_name_of_a_step_no_output_is_shown(world: World) -> None:
    reply = world.ssm.get_command_invocation(CommandId=world.command, InstanceId=world.nodes[0])
    assert (reply["Status"], reply["ResponseCode"], reply["StandardOutputContent"]) == ("Success", 0, "")


def test_invocations_have_their_steps_only_when_these_are_asked_for(world: World) -> None:
    plain = world.ssm.list_command_invocations(CommandId=world.command)["CommandInvocations"]
    detailed = world.ssm.list_command_invocations(CommandId=world.command, InstanceId=world.nodes[0], Details=True)
    assert all(one["CommandPlugins"] == [] for one in plain)
    (one,) = detailed["CommandInvocations"]
    assert [step["Name"] for step in one["CommandPlugins"]] == ["PatchWindows", "PatchLinux", "PatchMacOS"]
    assert all(len(step["Output"]) <= 2500 for step in one["CommandPlugins"])


def test_a_command_says_what_was_asked_and_how_it_ended(world: World) -> None:
    (command,) = world.ssm.list_commands(CommandId=world.command)["Commands"]
    assert (command["Status"], command["TargetCount"], command["CompletedCount"]) == ("Success", NODES, NODES)
    assert (command["ErrorCount"], command["MaxConcurrency"], command["MaxErrors"]) == (0, "100%", "0")
    assert (command["Comment"], command["InstanceIds"], command["Targets"]) == ("For tests", [], FLEET)


def test_each_run_of_an_association_counts_its_own_nodes(world: World) -> None:
    runs = world.ssm.describe_association_executions(AssociationId=world.association)["AssociationExecutions"]
    assert {run["ResourceCountByStatus"] for run in runs[1:]} == {f"{{Success={NODES}}}"}
    world.ssm.start_associations_once(AssociationIds=[world.association])
    after = world.ssm.describe_association_executions(AssociationId=world.association)["AssociationExecutions"]
    assert [run["ResourceCountByStatus"] for run in after[1:]] == [run["ResourceCountByStatus"] for run in runs]


def test_a_window_is_described_as_it_was_made(world: World) -> None:
    window = world.ssm.get_maintenance_window(WindowId=world.window)
    made = window_named("main")
    assert {key: window[key] for key in made} == made


def test_the_next_opening_is_told_in_the_zone_of_the_window(world: World) -> None:
    window = world.ssm.create_maintenance_window(
        **{**window_named("seoul"), "Schedule": "cron(0 2 * * ? *)", "ScheduleTimezone": "Asia/Seoul"}
    )["WindowId"]
    told = world.ssm.get_maintenance_window(WindowId=window)["NextExecutionTime"]
    assert told.endswith("T02:00+09:00")
    first = world.ssm.describe_maintenance_window_schedule(WindowId=window, MaxResults=1)
    assert first["ScheduledWindowExecutions"][0]["ExecutionTime"] == told
    world.ssm.update_maintenance_window(WindowId=window, Enabled=False)
    assert "NextExecutionTime" not in world.ssm.get_maintenance_window(WindowId=window)
    assert world.ssm.describe_maintenance_window_schedule(WindowId=window)["ScheduledWindowExecutions"] == []
    world.ssm.delete_maintenance_window(WindowId=window)


def test_a_window_that_is_replaced_has_only_what_is_said_of_it_then(world: World) -> None:
    window = world.ssm.create_maintenance_window(**window_named("dated"), StartDate="2027-01-01T00:00:00+09:00")
    given = {"Schedule": "rate(1 day)", "Duration": 2, "Cutoff": 0, "AllowUnassociatedTargets": True}
    kept = world.ssm.update_maintenance_window(WindowId=window["WindowId"], EndDate="2027-02-01T00:00:00+09:00")
    assert (kept["StartDate"], kept["EndDate"]) == ("2027-01-01T00:00:00+09:00", "2027-02-01T00:00:00+09:00")
    replaced = world.ssm.update_maintenance_window(WindowId=window["WindowId"], Name="new", Replace=True, **given)
    assert ("StartDate" in replaced, "Description" in replaced, replaced["ScheduleTimezone"]) == (False, False, "UTC")
    arguments = {"WindowId": window["WindowId"], "Replace": True, "Name": "new"}
    assert error_code(lambda: world.ssm.update_maintenance_window(**arguments)) == "ValidationException"
    world.ssm.delete_maintenance_window(WindowId=window["WindowId"])


def test_a_target_is_described_as_it_was_registered(world: World) -> None:
    window = fresh_window(world)
    given = {"Name": "all", "Description": "All", "OwnerInformation": "Operations", "Targets": FLEET}
    world.ssm.register_target_with_maintenance_window(WindowId=window, ResourceType="INSTANCE", **given)
    (target,) = world.ssm.describe_maintenance_window_targets(WindowId=window)["Targets"]
    assert {key: target.get(key) for key in given} == given


def test_a_task_is_described_as_it_was_registered(world: World) -> None:
    task = world.ssm.get_maintenance_window_task(WindowId=world.window, WindowTaskId=world.task)
    made = task_of(world.window, world.target, world.sender)
    run_command = made["TaskInvocationParameters"]["RunCommand"]
    assert {key: task["TaskInvocationParameters"]["RunCommand"][key] for key in run_command} == run_command
    del made["TaskInvocationParameters"]
    assert {key: task[key] for key in made} == made


def test_a_baseline_is_described_as_it_was_made(world: World) -> None:
    stored = world.ssm.get_patch_baseline(BaselineId=world.baseline)
    assert (stored["Name"], stored["OperatingSystem"]) == ("prod", "AMAZON_LINUX_2023")
    assert (stored["ApprovedPatches"], stored["RejectedPatches"]) == (["bash"], ["curl*"])
    assert stored["RejectedPatchesAction"] == "BLOCK"
    assert stored["PatchGroups"] == ["prod", "other"]
    (rule,) = stored["ApprovalRules"]["PatchRules"]
    assert (rule["ApproveAfterDays"], rule["ComplianceLevel"]) == (0, "CRITICAL")


def test_an_update_keeps_what_it_does_not_name_unless_it_replaces(world: World) -> None:
    baseline = world.ssm.create_patch_baseline(Name="changing", ApprovedPatches=["KB1"], Description="Old")[
        "BaselineId"
    ]
    kept = world.ssm.update_patch_baseline(BaselineId=baseline, Description="New")
    assert (kept["Name"], kept["ApprovedPatches"], kept["Description"]) == ("changing", ["KB1"], "New")
    replaced = world.ssm.update_patch_baseline(BaselineId=baseline, Name="changed", Replace=True)
    assert (replaced["Name"], replaced["ApprovedPatches"], replaced["Description"]) == ("changed", [], "")


def test_baselines_and_groups_are_filtered(world: World) -> None:
    def names(**filters: str) -> list[str]:
        found = world.ssm.describe_patch_baselines(
            Filters=[{"Key": key, "Values": [value]} for key, value in filters.items()]
        )["BaselineIdentities"]
        return [one["BaselineName"] for one in found]

    assert names(OWNER="AWS", OPERATING_SYSTEM="SUSE") == ["AWS-SuseDefaultPatchBaseline"]
    assert names(OWNER="Self", NAME_PREFIX="pro") == ["prod"]
    groups = world.ssm.describe_patch_groups(Filters=[{"Key": "NAME_PREFIX", "Values": ["oth"]}])["Mappings"]
    assert [one["PatchGroup"] for one in groups] == ["other"]


def test_documents_of_aws_are_listed_and_read(world: World) -> None:
    names = [
        one["Name"]
        for one in world.ssm.list_documents(
            Filters=[{"Key": "Name", "Values": ["AWS-RunPatchBaseline"]}, {"Key": "Owner", "Values": ["Amazon"]}]
        )["DocumentIdentifiers"]
    ]
    assert "AWS-RunPatchBaseline" in names
    described = world.ssm.describe_document(Name="AWS-RunPatchBaseline")["Document"]
    content = json.loads(world.ssm.get_document(Name="AWS-RunPatchBaseline")["Content"])
    assert [one["Name"] for one in described["Parameters"]] == list(content["parameters"])
    assert described["Parameters"][0]["Name"] == "Operation"


def test_documents_of_the_account_stay_with_it(world: World) -> None:
    steps = [{"action": "aws:runShellScript", "name": "one", "inputs": {"runCommand": ["true"]}}]
    content = json.dumps({"schemaVersion": "2.2", "description": "Mine", "mainSteps": steps})
    world.ssm.create_document(Name="Mine", Content=content, DocumentType="Command", DocumentFormat="JSON")
    assert world.ssm.describe_document(Name="Mine")["Document"]["Name"] == "Mine"
    pages = world.ssm.get_paginator("list_documents").paginate(PaginationConfig={"PageSize": 2})
    names = [one["Name"] for one in pages.build_full_result()["DocumentIdentifiers"]]
    assert "Mine" in names
    assert names.count("AWS-RunPatchBaseline") == 1


def test_a_service_time_comes_with_every_reply(world: World) -> None:
    headers = world.ssm.list_commands()["ResponseMetadata"]["HTTPHeaders"]
    from patching.deployment import SERVICE_TIME_HEADER  # noqa: PLC0415

    assert headers[SERVICE_TIME_HEADER.lower()].startswith("2026-11-")
