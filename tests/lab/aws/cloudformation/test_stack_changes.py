"""What a stack does with what it cannot make, change or delete; and what stacks export."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.lab.aws.stacks import REGION, Resource, Stack, association, baseline, target, window
from tests.lab.aws.world import Connect

pytestmark = pytest.mark.xdist_group("local-aws")


# What cannot be made.


def test_a_type_that_is_not_emulated_is_named_and_nothing_is_made(stack: Stack, ssm: Any) -> None:
    with pytest.raises(ClientError, match=r"does not emulate these resources: Farm \(AWS::Fancy::Farm\)"):
        stack.attempt(One=baseline(), Farm=("AWS::Fancy::Farm", {}))
    assert ssm.describe_patch_groups()["Mappings"] == []


def test_create_stack_names_a_type_that_is_not_emulated_too(connect: Connect) -> None:
    template = json.dumps({"Resources": {"Farm": {"Type": "AWS::Fancy::Farm"}}})
    with pytest.raises(ClientError, match=r"Farm \(AWS::Fancy::Farm\)"):
        connect("cloudformation", REGION).create_stack(StackName="refused", TemplateBody=template)


def test_what_moto_cannot_delete_is_not_left_behind_in_silence(stack: Stack, connect: Connect) -> None:
    volume = {"AvailabilityZone": f"{REGION}a", "Size": 1}
    made = stack.deploy(Disk=("AWS::EC2::Volume", volume))
    stack.delete()
    assert (stack.status, stack.ids) == ("DELETE_FAILED", made)
    assert "The local AWS cannot delete AWS::EC2::Volume" in stack.reasons
    connect("ec2", REGION).delete_volume(VolumeId=made["Disk"])


@pytest.mark.parametrize(
    ("resource", "reason"),
    [
        (baseline(Name="a b"), "baseline name 'a b' is not 3 to 128"),
        (baseline(OperatingSystem="OS2"), "'OS2' is not an operating system"),
        (association(ScheduleExpression="rate(1 minute)"), "an association's rate is 30 minutes at least"),
        (window(Cutoff=3), "Cutoff 3 must be below the duration 3"),
        (window(Schedule="cron(bad)"), "cron(bad) has 1 field"),
        (("AWS::SSM::MaintenanceWindow", {"Name": "one"}), "'Schedule' is required"),
    ],
)
def test_a_property_that_is_wrong_fails_the_stack_with_the_reason(
    stack: Stack, ssm: Any, resource: Resource, reason: str
) -> None:
    assert stack.attempt(Kept=window(Name="kept"), One=resource) == "ROLLBACK_COMPLETE"
    assert f"{resource[0]}: " in stack.reasons
    assert reason in stack.reasons
    assert ssm.describe_maintenance_windows()["WindowIdentities"] == []


def test_a_change_that_is_wrong_is_taken_back(stack: Stack, ssm: Any) -> None:
    made = stack.deploy(Window=window())["Window"]
    assert stack.attempt(Window=window(Duration=1)) == "UPDATE_ROLLBACK_COMPLETE"
    assert "Cutoff 1 must be below the duration 1" in stack.reasons
    assert ssm.get_maintenance_window(WindowId=made)["Duration"] == 3


def test_a_group_that_another_baseline_has_fails_the_stack(stack: Stack) -> None:
    assert stack.attempt(One=baseline(), Two=baseline(Name="two")) == "ROLLBACK_COMPLETE"
    assert "Patch group prod has baseline pb-" in stack.reasons


# The order of things.


def topic(name: str) -> Resource:
    return "AWS::SNS::Topic", {"TopicName": name}


def subscription(to: str = "a@example.com") -> Resource:
    return "AWS::SNS::Subscription", {"TopicArn": {"Ref": "Topic"}, "Protocol": "email", "Endpoint": to}


def test_what_refers_to_a_resource_that_is_replaced_changes_with_it(stack: Stack, connect: Connect) -> None:
    old = stack.deploy(Subscription=subscription(), Topic=topic("old"))
    new = stack.deploy(Subscription=subscription(), Topic=topic("new"))
    assert (old["Topic"] != new["Topic"], old["Subscription"] != new["Subscription"]) == (True, True)
    (only,) = connect("sns", REGION).list_subscriptions_by_topic(TopicArn=new["Topic"])["Subscriptions"]
    assert only["SubscriptionArn"] == new["Subscription"]


def test_another_logical_id_makes_another_resource_before_the_old_one_goes(stack: Stack, ssm: Any) -> None:
    made = stack.deploy(Old=baseline())["Old"]
    assert stack.attempt(New=baseline()) == "UPDATE_ROLLBACK_COMPLETE"
    assert f"Patch group prod has baseline {made} for AMAZON_LINUX_2023 already" in stack.reasons
    assert ssm.get_patch_baseline(BaselineId=made)["PatchGroups"] == ["prod", "test"]
    assert stack.ids == {"Old": made}


def test_a_failed_change_takes_back_what_was_changed_and_made_before_it(stack: Stack, ssm: Any) -> None:
    before = stack.deploy(Changed=window(Name="changed"), Wrong=window(Name="wrong"), Removed=window(Name="removed"))
    status = stack.attempt(
        Added=window(Name="added"), Changed=window(Name="changed", Duration=5), Wrong=window(Name="wrong", Cutoff=3)
    )
    assert (status, stack.ids) == ("UPDATE_ROLLBACK_COMPLETE", before)
    names = {one["Name"]: one["Duration"] for one in ssm.describe_maintenance_windows()["WindowIdentities"]}
    assert names == {"changed": 3, "wrong": 3, "removed": 3}
    stack.deploy(Changed=window(Name="changed", Duration=5), Wrong=window(Name="wrong"))
    names = {one["Name"]: one["Duration"] for one in ssm.describe_maintenance_windows()["WindowIdentities"]}
    assert names == {"changed": 5, "wrong": 3}


def test_a_failed_change_puts_back_what_was_replaced(stack: Stack, ssm: Any) -> None:
    before = stack.deploy(One=baseline(PatchGroups=[]), Wrong=window())
    other = ("AWS::SSM::PatchBaseline", {"Name": "one", "OperatingSystem": "UBUNTU"})
    assert stack.attempt(One=other, Wrong=window(Cutoff=3)) == "UPDATE_ROLLBACK_COMPLETE"
    assert stack.ids == before
    own = ssm.describe_patch_baselines(Filters=[{"Key": "OWNER", "Values": ["Self"]}])["BaselineIdentities"]
    assert [one["BaselineId"] for one in own] == [before["One"]]


def test_what_is_to_be_kept_stays_when_it_leaves_the_template_and_when_the_stack_goes(stack: Stack, ssm: Any) -> None:
    made = stack.deploy(Kept=(*window(Name="kept"), "Retain"), Last=(*window(Name="last"), "Retain"))
    stack.deploy(Last=(*window(Name="last"), "Retain"))
    stack.delete()
    for name in ("Kept", "Last"):
        ssm.get_maintenance_window(WindowId=made[name])
        ssm.delete_maintenance_window(WindowId=made[name])


def test_another_type_under_the_same_logical_id_is_refused(stack: Stack) -> None:
    stack.deploy(One=window())
    assert stack.attempt(One=baseline()) == "UPDATE_ROLLBACK_COMPLETE"
    assert "Update of resource type is not permitted" in stack.reasons


def test_a_stack_that_create_stack_made_changes_only_where_its_template_does(ssm: Any, connect: Connect) -> None:
    cloudformation = connect("cloudformation", REGION)

    def template(**windows: Resource) -> str:
        return json.dumps(
            {"Resources": {name: {"Type": one[0], "Properties": one[1]} for name, one in windows.items()}}
        )

    cloudformation.create_stack(StackName="direct", TemplateBody=template(One=window(Name="one"), Two=window()))
    found = cloudformation.describe_stack_resources(StackName="direct")["StackResources"]
    ids = {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in found}
    ssm.update_maintenance_window(WindowId=ids["One"], Duration=5)
    cloudformation.update_stack(
        StackName="direct", TemplateBody=template(One=window(Name="one"), Two=window(Duration=4))
    )
    assert [ssm.get_maintenance_window(WindowId=ids[name])["Duration"] for name in ("One", "Two")] == [5, 4]
    cloudformation.delete_stack(StackName="direct")


# Exports.


def test_a_stack_imports_what_another_exports(stack: Stack, connect: Connect, ssm: Any) -> None:
    exporting = Stack(connect, "exporting")
    made = exporting.deploy({"Window": {"Value": {"Ref": "Window"}, "Export": {"Name": "window"}}}, Window=window())
    stack.deploy(Target=target(WindowId={"Fn::ImportValue": "window"}))
    (one,) = ssm.describe_maintenance_window_targets(WindowId=made["Window"])["Targets"]
    assert one["WindowTargetId"] == stack.ids["Target"]
    exports = connect("cloudformation", REGION).list_exports()["Exports"]
    assert [(one["Name"], one["Value"]) for one in exports] == [("window", made["Window"])]
    stack.delete()
    exporting.delete()


def test_an_export_follows_its_stack(connect: Connect) -> None:
    exporting = Stack(connect, "following")
    topics = [("AWS::SNS::Topic", {"TopicName": name}) for name in ("first", "second")]
    exporting.deploy({"Arn": {"Value": {"Ref": "First"}, "Export": {"Name": "arn"}}}, First=topics[0])
    exporting.deploy(
        {"Arn": {"Value": {"Ref": "Second"}, "Export": {"Name": "arn"}}}, First=topics[0], Second=topics[1]
    )
    (export,) = connect("cloudformation", REGION).list_exports()["Exports"]
    assert export["Value"].endswith(":second")
    exporting.delete()
    assert connect("cloudformation", REGION).list_exports()["Exports"] == []
