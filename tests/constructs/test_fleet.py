from __future__ import annotations

from typing import Any

import pytest
from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from constructs.fleet_network import FleetNetwork
from constructs.fleet_node import FleetNode

from patching.errors import InvalidValueError
from patching.operating_system import OperatingSystem
from patching.policy.fleet import Network, NetworkKind
from tests.cdk import Resources, app, build

pytestmark = pytest.mark.xdist_group("constructs")

NODES = ["linux", "ecs", "ubuntu", "windows"]


def launch_template(fleet: Resources) -> list[dict[str, Any]]:
    return [one["LaunchTemplateData"] for one in fleet.of("AWS::EC2::LaunchTemplate").values()]


def test_a_node_takes_instance_metadata_by_its_second_version_only(fleet: Resources) -> None:
    for node in NODES:
        options = fleet[node].properties.get("MetadataOptions")
        assert options is not None
        assert (options["HttpTokens"], options["HttpPutResponseHopLimit"]) == ("required", 1)


@pytest.mark.parametrize(
    ("node", "device"),
    [("linux", "/dev/xvda"), ("ecs", "/dev/xvda"), ("ubuntu", "/dev/sda1"), ("windows", "/dev/sda1")],
)
def test_a_nodes_root_volume_is_encrypted_and_goes_with_it(fleet: Resources, node: str, device: str) -> None:
    assert fleet[node].properties["BlockDeviceMappings"] == [
        {
            "DeviceName": device,
            "Ebs": {"DeleteOnTermination": True, "Encrypted": True, "VolumeSize": 42, "VolumeType": "gp3"},
        }
    ]


@pytest.mark.parametrize("node", NODES)
def test_a_node_has_no_key_pair_and_no_public_address(fleet: Resources, node: str) -> None:
    properties = fleet[node].properties
    assert "KeyName" not in properties
    assert "NetworkInterfaces" not in properties
    assert properties["SubnetId"] == "<Network/PrivateSubnet1/Subnet>"
    assert properties["SecurityGroupIds"] == ["<Network/NodeSecurityGroup.GroupId>"]


def test_no_subnet_hands_out_public_addresses(fleet: Resources) -> None:
    assert {one["MapPublicIpOnLaunch"] for one in fleet.of("AWS::EC2::Subnet").values()} == {False}


@pytest.mark.parametrize("node", NODES)
def test_a_node_and_its_volume_have_the_tags_it_is_found_by(fleet: Resources, node: str) -> None:
    properties = fleet[node].properties
    tags = {tag["Key"]: tag["Value"] for tag in properties["Tags"]}
    assert tags == {"Name": f"demo-{node}", "Workload": "Prod", "PatchGroup": "demo-prod"}
    assert properties["PropagateTagsToVolumeOnCreation"] is True


def test_all_nodes_share_one_profile_of_one_role(fleet: Resources) -> None:
    assert [fleet[node].properties["IamInstanceProfile"] for node in NODES] == ["<NodeRole/Profile>"] * len(NODES)
    assert fleet["NodeRole/Profile"].properties["Roles"] == ["<NodeRole>"]
    assert list(fleet.of("AWS::IAM::Role")) == ["NodeRole"]


def test_the_image_is_read_from_its_parameter_at_every_deployment(fleet: Resources) -> None:
    parameters = fleet.template["Parameters"].values()
    assert {(one["Type"], one["Default"]) for one in parameters if "Image" in one["Type"]} == {
        ("AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>", image)
        for image in (
            "/aws/service/ami-amazon-linux-latest/al2023",
            "/aws/service/ecs/optimized-ami/image_id",
            "/aws/service/canonical/ubuntu/ami-id",
            "/aws/service/ami-windows-latest/2022",
        )
    }


def test_only_an_ecs_image_is_told_to_be_no_cluster_host(fleet: Resources) -> None:
    scripts = {node: str(fleet[node].properties["UserData"]) for node in NODES}
    assert [node for node in NODES if "systemctl disable --now --no-block ecs docker" in scripts[node]] == ["ecs"]
    assert "<powershell>" in scripts["windows"]


def test_nothing_comes_in_and_only_http_and_https_go_out(fleet: Resources) -> None:
    (group,) = fleet.of("AWS::EC2::SecurityGroup").values()
    assert "SecurityGroupIngress" not in group
    assert fleet.of("AWS::EC2::SecurityGroupIngress") == {}
    assert [(rule["IpProtocol"], rule["FromPort"], rule["ToPort"]) for rule in group["SecurityGroupEgress"]] == [
        ("tcp", 443, 443),
        ("tcp", 80, 80),
    ]


def test_s3_is_reached_without_the_nat_gateway(fleet: Resources) -> None:
    (endpoint,) = fleet.of("AWS::EC2::VPCEndpoint").values()
    assert (endpoint["VpcEndpointType"], endpoint["ServiceName"]) == ("Gateway", "com.amazonaws.<AWS::Region>.s3")
    assert "<Network/PrivateSubnet1/RouteTable>" in endpoint["RouteTableIds"]
    assert len(fleet.of("AWS::EC2::NatGateway")) == 1


def test_an_image_for_other_processors_is_refused_when_it_is_made() -> None:
    stack = Stack(app(), "Stack")
    with pytest.raises(InvalidValueError, match="has processors of Arm, but the image is for x86"):
        FleetNode(
            stack,
            "Node",
            name="demo",
            operating_system=OperatingSystem.UBUNTU,
            image_parameter="/aws/service/canonical/ubuntu/server/24.04/stable/current/amd64/hvm/ebs-gp3/ami-id",
            instance_type="t4g.small",
            volume_gib=30,
            tags={},
            network=FleetNetwork(stack, "Network", network=Network()),
            profile=iam.InstanceProfile.from_instance_profile_name(stack, "Profile", "node"),
        )


@pytest.mark.parametrize("system", [OperatingSystem.UBUNTU, OperatingSystem.WINDOWS, OperatingSystem.AMAZON_LINUX_2022])
def test_a_system_whose_repositories_are_out_of_reach_is_refused_when_it_is_made(system: OperatingSystem) -> None:
    stack = Stack(app(), "Stack")
    with pytest.raises(InvalidValueError, match=f"{system} has its repositories on the internet, which a network"):
        FleetNode(
            stack,
            "Node",
            name="demo",
            operating_system=system,
            image_parameter="/aws/service/some/image",
            instance_type="t3.small",
            volume_gib=30,
            tags={},
            network=FleetNetwork(stack, "Network", network=Network(kind=NetworkKind.ISOLATED)),
            profile=iam.InstanceProfile.from_instance_profile_name(stack, "Profile", "node"),
        )


def test_an_isolated_network_lets_through_the_repositories_of_its_nodes_only() -> None:
    def make(stack: Stack) -> None:
        network = FleetNetwork(stack, "Network", network=Network(kind=NetworkKind.ISOLATED))
        for system in (OperatingSystem.AMAZON_LINUX_2, OperatingSystem.AMAZON_LINUX, OperatingSystem.AMAZON_LINUX_2):
            network.let_reach_repositories(system)

    reading, _ = build(make)["Network/S3"].properties["PolicyDocument"]["Statement"]
    buckets = [arn.rpartition(":::")[2] for arn in reading["Resource"]]
    assert len(set(buckets)) == len(buckets)
    region = "<AWS::Region>"
    assert {one for one in buckets if "amazonlinux" in one or "repo" in one or "packages.<" in one} == {
        f"amazonlinux.{region}.amazonaws.com/*",
        f"amazonlinux-2-repos-{region}/*",
        f"packages.{region}.amazonaws.com/*",
        f"repo.{region}.amazonaws.com/*",
    }


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"instance_type": "t3"}, "'t3' is not an instance type like t3.small"),
        ({"image_parameter": "ami-0123456789abcdef0"}, "'ami-0123456789abcdef0' is not a public parameter"),
        ({"operating_system": OperatingSystem.MACOS}, "a Mac needs a dedicated host"),
        ({"volume_gib": 7}, "a volume of 7 GiB; expected 8 to 1,024"),
        ({"volume_gib": 1025}, "a volume of 1025 GiB; expected 8 to 1,024"),
        ({"tags": {"aws:x": "y"}}, "the prefix aws: is reserved"),
        ({"tags": {"Patch Group": "web"}}, "write PatchGroup without a space"),
        ({"tags": {"patch-group": "web"}}, "Patch Manager does not read the tag 'patch-group' as a patch group"),
        ({"tags": {"Name!": "web"}}, "'Name!' is not a tag"),
        ({"tags": {"Role": "x" * 257}}, "is not a tag: letters, digits, spaces and .* 0 to 256 of them"),
        ({"tags": {f"t{number}": "" for number in range(51)}}, "51 tags, but AWS takes 50"),
    ],
)
def test_a_node_that_cannot_be_is_refused_when_it_is_made(settings: dict[str, Any], message: str) -> None:
    stack = Stack(app(), "Stack")
    good: dict[str, Any] = {
        "operating_system": OperatingSystem.UBUNTU,
        "image_parameter": "/aws/service/some/image",
        "instance_type": "t3.small",
        "volume_gib": 30,
        "tags": {},
    }
    with pytest.raises(InvalidValueError, match=message):
        FleetNode(
            stack,
            "Node",
            name="demo",
            network=FleetNetwork(stack, "Network", network=Network()),
            profile=iam.InstanceProfile.from_instance_profile_name(stack, "Profile", "node"),
            **{**good, **settings},
        )
