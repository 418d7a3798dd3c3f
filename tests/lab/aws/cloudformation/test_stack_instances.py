"""Instances in a stack: made, changed, replaced and deleted."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.lab.aws.stacks import REGION, Properties, Resource, Stack, image
from tests.lab.aws.world import Connect

pytestmark = pytest.mark.xdist_group("local-aws")


def test_an_instance_comes_as_it_is_described_changes_its_tags_in_place_and_goes(
    stack: Stack, ssm: Any, connect: Connect, roles: dict[str, str]
) -> None:
    ec2 = connect("ec2", REGION)
    ami = image(ssm, "al2023-ami-kernel-6.1-x86_64")

    def instance(**tags: str) -> tuple[str, Properties]:
        return "AWS::EC2::Instance", {
            "ImageId": ami,
            "InstanceType": "t3.small",
            "IamInstanceProfile": "node",
            "MetadataOptions": {"HttpTokens": "required"},
            "PropagateTagsToVolumeOnCreation": True,
            "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
        }

    made = stack.deploy(One=instance(Stage="test", Old="1"))["One"]
    (node,) = ssm.describe_instance_information()["InstanceInformationList"]
    assert node["InstanceId"] == made

    def described() -> dict[str, Any]:
        (one,) = ec2.describe_instances(InstanceIds=[made])["Reservations"][0]["Instances"]
        return dict(one)

    assert described()["MetadataOptions"]["HttpTokens"] == "required"
    assert stack.deploy(One=instance(Stage="prod"))["One"] == made
    tags = {one["Key"]: one["Value"] for one in described()["Tags"]}
    assert (tags["Stage"], "Old" in tags) == ("prod", False)
    stack.delete()
    assert described()["State"]["Name"] == "terminated"
    assert ssm.describe_instance_information()["InstanceInformationList"] == []


def test_a_change_keeps_the_tags_that_cloudformation_put_there(ssm: Any, connect: Connect) -> None:
    cloudformation, ami = connect("cloudformation", REGION), image(ssm, "al2023-ami-kernel-6.1-x86_64")

    def template(*tags: dict[str, str]) -> str:
        properties = {"ImageId": ami, "Tags": tags}
        return json.dumps({"Resources": {"One": {"Type": "AWS::EC2::Instance", "Properties": properties}}})

    cloudformation.create_stack(StackName="tagged", TemplateBody=template({"Key": "Stage", "Value": "test"}))
    cloudformation.update_stack(StackName="tagged", TemplateBody=template())
    (resource,) = cloudformation.describe_stack_resources(StackName="tagged")["StackResources"]
    found = connect("ec2", REGION).describe_instances(InstanceIds=[resource["PhysicalResourceId"]])
    tags = {one["Key"]: one["Value"] for one in found["Reservations"][0]["Instances"][0]["Tags"]}
    assert (tags.get("aws:cloudformation:stack-name"), "Stage" in tags) == ("tagged", False)
    cloudformation.delete_stack(StackName="tagged")


def test_another_image_makes_another_instance(stack: Stack, ssm: Any, connect: Connect, roles: dict[str, str]) -> None:
    path = "/aws/service/ecs/optimized-ami/amazon-linux-2023/al2023-ami-ecs-hvm-2023.0.20251108-kernel-6.1-x86_64"
    old = ssm.get_parameter(Name=f"{path}/image_id")["Parameter"]["Value"]
    made = stack.deploy(One=("AWS::EC2::Instance", {"ImageId": old, "IamInstanceProfile": "node"}))["One"]
    new = image(ssm, "al2023-ami-kernel-6.1-x86_64")
    changed = stack.deploy(One=("AWS::EC2::Instance", {"ImageId": new, "IamInstanceProfile": "node"}))["One"]
    assert changed != made
    nodes = [one["InstanceId"] for one in ssm.describe_instance_information()["InstanceInformationList"]]
    assert nodes == [changed]


NETWORK: dict[str, Resource] = {
    "Vpc": ("AWS::EC2::VPC", {"CidrBlock": "10.0.0.0/16"}),
    "First": ("AWS::EC2::Subnet", {"VpcId": {"Ref": "Vpc"}, "CidrBlock": "10.0.1.0/24"}),
    "Second": ("AWS::EC2::Subnet", {"VpcId": {"Ref": "Vpc"}, "CidrBlock": "10.0.2.0/24"}),
    "Old": ("AWS::EC2::SecurityGroup", {"VpcId": {"Ref": "Vpc"}, "GroupDescription": "For tests"}),
    "New": ("AWS::EC2::SecurityGroup", {"VpcId": {"Ref": "Vpc"}, "GroupDescription": "For tests"}),
}


def test_groups_and_profile_change_in_place_and_another_subnet_makes_another_instance(
    stack: Stack, ssm: Any, connect: Connect, roles: dict[str, str]
) -> None:
    ec2, ami = connect("ec2", REGION), image(ssm, "al2023-ami-kernel-6.1-x86_64")

    def deploy(subnet: str, group: str, **more: Any) -> dict[str, str]:
        properties = {"ImageId": ami, "SubnetId": {"Ref": subnet}, "SecurityGroupIds": [{"Ref": group}], **more}
        return stack.deploy(**NETWORK, Node=("AWS::EC2::Instance", properties))

    def described(made: dict[str, str]) -> tuple[list[str], bool, str]:
        (one,) = ec2.describe_instances(InstanceIds=[made["Node"]])["Reservations"][0]["Instances"]
        return [group["GroupId"] for group in one["SecurityGroups"]], "IamInstanceProfile" in one, one["SubnetId"]

    made = deploy("First", "Old")
    assert described(made) == ([made["Old"]], False, made["First"])
    assert deploy("First", "New", IamInstanceProfile="node") == made
    assert described(made) == ([made["New"]], True, made["First"])
    deploy("First", "New")
    assert described(made) == ([made["New"]], False, made["First"])
    moved = deploy("Second", "New")
    assert moved["Node"] != made["Node"]
    assert described(moved)[2] == made["Second"]
