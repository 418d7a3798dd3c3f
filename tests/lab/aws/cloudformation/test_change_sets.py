"""What a change set tells before a change, and whether it is what then happens."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.lab.aws.stacks import REGION, Resource, Stack, baseline, image, target, window
from tests.lab.aws.world import Connect

pytestmark = pytest.mark.xdist_group("local-aws")

Told = dict[str, dict[str, Any]]
Preview = Callable[..., dict[str, Any]]


@pytest.fixture
def preview(connect: Connect, stack: Stack) -> Preview:
    """Make a change set of the stack, and return how it is described."""

    def make(template: dict[str, Any], *, values: bool = False, **more: Any) -> dict[str, Any]:
        client = connect("cloudformation", REGION)
        named = {"StackName": stack.name, "ChangeSetName": "preview"}
        kind = "UPDATE" if stack.exists else "CREATE"
        body = json.dumps(template)
        client.create_change_set(**named, ChangeSetType=kind, TemplateBody=body, **more)
        return dict(client.describe_change_set(**named, IncludePropertyValues=values))

    return make


def template(**resources: Resource) -> dict[str, Any]:
    return {"Resources": {name: {"Type": kind, "Properties": values} for name, (kind, values, *_) in resources.items()}}


def told(described: dict[str, Any]) -> Told:
    assert described["Status"] == "CREATE_COMPLETE"
    return {one["ResourceChange"]["LogicalResourceId"]: one["ResourceChange"] for one in described["Changes"]}


def test_it_tells_what_is_added_changed_replaced_and_removed_and_so_it_happens(stack: Stack, preview: Preview) -> None:
    before = stack.deploy(Window=window(), Target=target(), Gone=baseline(), Same=baseline(Name="same", PatchGroups=[]))
    after = {
        "Window": window(Duration=5, Tags=[{"Key": "a", "Value": "b"}]),
        "Target": target(ResourceType="RESOURCE_GROUP", Targets=[{"Key": "resource-groups:Name", "Values": ["a"]}]),
        "Added": window(Name="added"),
        "Same": baseline(Name="same", PatchGroups=[]),
    }
    found = told(preview(template(**after)))
    assert {name: (one["Action"], one.get("Replacement")) for name, one in found.items()} == {
        "Added": ("Add", None),
        "Window": ("Modify", "False"),
        "Target": ("Modify", "True"),
        "Gone": ("Remove", None),
    }
    assert found["Window"]["Scope"] == ["Properties", "Tags"]
    assert [one["Target"] for one in found["Target"]["Details"]] == [
        {"Attribute": "Properties", "Name": "ResourceType", "RequiresRecreation": "Always"},
        {"Attribute": "Properties", "Name": "Targets", "RequiresRecreation": "Never"},
    ]
    assert (found["Target"]["PolicyAction"], found["Gone"]["PolicyAction"]) == ("ReplaceAndDelete", "Delete")
    assert {name: one.get("PhysicalResourceId") for name, one in found.items()} == {
        "Added": None,
        **{name: before[name] for name in ("Window", "Target", "Gone")},
    }
    now = stack.deploy(**after)
    assert now["Window"] == before["Window"]
    assert now["Target"] != before["Target"]
    assert now.keys() == after.keys()


def test_what_refers_to_a_resource_that_is_replaced_may_be_replaced_too(stack: Stack, preview: Preview) -> None:
    topic = {"TopicArn": {"Ref": "Topic"}, "Protocol": "email", "Endpoint": "a@example.com"}
    stack.deploy(Topic=("AWS::SNS::Topic", {"TopicName": "one"}), Told=("AWS::SNS::Subscription", topic))
    changed = template(Topic=("AWS::SNS::Topic", {"TopicName": "two"}), Told=("AWS::SNS::Subscription", topic))
    found = told(preview(changed, values=True))
    assert (found["Topic"]["Replacement"], found["Told"]["Replacement"]) == ("True", "Conditional")
    (detail,) = found["Told"]["Details"]
    assert (detail["Evaluation"], detail["ChangeSource"]) == ("Dynamic", "ResourceReference")
    assert detail["CausingEntity"] == "Topic"
    assert detail["Target"]["AfterValue"] == "{{changeSet:KNOWN_AFTER_APPLY}}"


def test_values_are_told_on_request(stack: Stack, preview: Preview) -> None:
    stack.deploy(Window=window())
    changed = template(Window=window(Duration=5))
    with_values, without = (told(preview(changed, values=values))["Window"] for values in (True, False))
    (detail,) = with_values["Details"]
    assert (detail["Target"]["BeforeValue"], detail["Target"]["AfterValue"]) == ("3", "5")
    assert json.loads(with_values["BeforeContext"])["Properties"]["Duration"] == 3
    assert json.loads(with_values["AfterContext"])["Properties"]["Duration"] == 5
    assert "BeforeContext" not in without
    assert set(without["Details"][0]["Target"]) == {"Attribute", "Name", "RequiresRecreation"}


def test_what_comes_to_the_same_is_no_change(stack: Stack, preview: Preview) -> None:
    stack.deploy(Window=window(Name="nightly"))
    described = preview(template(Window=window(Name={"Fn::Join": ["", ["night", "ly"]]})))
    assert told(described) == {}


def test_a_change_of_the_resources_metadata_alone_is_told_as_such(stack: Stack, preview: Preview) -> None:
    stack.deploy(Window=window())
    changed = template(Window=window())
    changed["Resources"]["Window"]["Metadata"] = {"why": "so"}
    (detail,) = told(preview(changed))["Window"]["Details"]
    assert (detail["Target"]["Attribute"], detail["Target"]["RequiresRecreation"]) == ("Metadata", "Never")


def with_image(name: str) -> dict[str, Any]:
    instance = {"ImageId": {"Ref": "Image"}, "InstanceType": "t3.micro"}
    slot = {"Type": "AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>", "Default": name}
    return {"Parameters": {"Image": slot}, **template(Node=("AWS::EC2::Instance", instance))}


def test_a_parameter_from_parameter_store_is_read_anew_each_time(
    stack: Stack, preview: Preview, connect: Connect, ssm: Any
) -> None:
    names = ("al2023-ami-kernel-default-x86_64", "amzn2-ami-kernel-5.10-hvm-x86_64-gp2")
    old, new = (image(ssm, name) for name in names)
    ssm.put_parameter(Name="/mine/image", Value=old, Type="String")
    wanted, client = with_image("/mine/image"), connect("cloudformation", REGION)
    preview(wanted)
    client.execute_change_set(StackName=stack.name, ChangeSetName="preview")
    before = stack.ids["Node"]
    kept = {"Parameters": [{"ParameterKey": "Image", "UsePreviousValue": True}]}
    for more in ({}, kept):
        described = preview(wanted, **more)
        assert (described["Status"], described["ExecutionStatus"]) == ("FAILED", "UNAVAILABLE")
        assert described["StatusReason"].startswith("The submitted information didn't contain changes")
    ssm.put_parameter(Name="/mine/image", Value=new, Type="String", Overwrite=True)
    change = told(preview(wanted, values=True, **kept))["Node"]
    assert change["Replacement"] == "True"
    (detail,) = change["Details"]
    assert (detail["ChangeSource"], detail["CausingEntity"]) == ("ParameterReference", "Image")
    assert (detail["Target"]["BeforeValue"], detail["Target"]["AfterValue"]) == (old, new)
    client.execute_change_set(StackName=stack.name, ChangeSetName="preview")
    assert stack.ids["Node"] != before


def test_what_its_condition_keeps_out_is_not_added(preview: Preview, stack: Stack, connect: Connect) -> None:
    wanted = {
        "Conditions": {"Never": {"Fn::Equals": ["a", "b"]}},
        **template(Window=window(), Other=window(Name="other")),
    }
    wanted["Resources"]["Other"]["Condition"] = "Never"
    assert set(told(preview(wanted))) == {"Window"}
    connect("cloudformation", REGION).execute_change_set(StackName=stack.name, ChangeSetName="preview")
    assert set(stack.ids) == {"Window"}


def refused(call: Callable[..., Any], **arguments: Any) -> str:
    with pytest.raises(ClientError) as error:
        call(**arguments)
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    return f"{error.value.response['Error']['Code']}: {error.value.response['Error']['Message']}"


def test_a_change_set_is_executed_once_and_only_if_it_changes_something(
    stack: Stack, preview: Preview, connect: Connect
) -> None:
    client = connect("cloudformation", REGION)
    named = {"StackName": stack.name, "ChangeSetName": "preview"}
    preview(template(Window=window()))
    client.execute_change_set(**named)
    assert refused(client.execute_change_set, **named).endswith("in its current execution status of [EXECUTE_COMPLETE]")
    assert preview(template(Window=window()))["Status"] == "FAILED"
    assert refused(client.execute_change_set, **named).startswith("InvalidChangeSetStatus: ChangeSet [arn:aws:")


def test_a_stack_that_is_there_is_not_created_again(stack: Stack, preview: Preview, connect: Connect) -> None:
    client = connect("cloudformation", REGION)
    wanted = {"TemplateBody": json.dumps(template(Window=window())), "ChangeSetType": "CREATE"}
    preview(template(Window=window()))
    # One that was never made can be begun with again, and there is one of it.
    client.create_change_set(StackName=stack.name, ChangeSetName="other", **wanted)
    assert [one["StackName"] for one in client.describe_stacks()["Stacks"]].count(stack.name) == 1
    client.execute_change_set(StackName=stack.name, ChangeSetName="other")
    assert refused(client.create_change_set, StackName=stack.name, ChangeSetName="more", **wanted) == (
        f"ValidationError: Stack [{stack.name}] already exists and cannot be created again with the changeSet [more]."
    )


def test_an_update_that_changes_nothing_is_refused(stack: Stack, connect: Connect, ssm: Any) -> None:
    client, body = connect("cloudformation", REGION), json.dumps(template(Window=window()))
    client.create_stack(StackName=stack.name, TemplateBody=body)
    nothing = "ValidationError: No updates are to be performed."
    assert refused(client.update_stack, StackName=stack.name, TemplateBody=body) == nothing
    changed = json.dumps(template(Window=window(Duration=5)))
    client.update_stack(StackName=stack.name, TemplateBody=changed)
    assert ssm.get_maintenance_window(WindowId=stack.ids["Window"])["Duration"] == 5
    assert refused(client.update_stack, StackName=stack.name, TemplateBody=changed) == nothing
