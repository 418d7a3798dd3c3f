from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from patching.policy.fleet import Network, NetworkKind
from tests.cdk import Resources

pytestmark = pytest.mark.xdist_group("constructs")

KINDS = ["nat", "public", "isolated", "existing"]


def group(network: Resources) -> dict[str, Any]:
    return network["Network/NodeSecurityGroup"].properties


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_comes_in_to_a_node(networks: dict[str, Resources], kind: str) -> None:
    assert "SecurityGroupIngress" not in group(networks[kind])
    ingress = networks[kind].of("AWS::EC2::SecurityGroupIngress").values()
    assert all(one["GroupId"] != "<Network/NodeSecurityGroup.GroupId>" for one in ingress)


@pytest.mark.parametrize(
    ("kind", "ports"), [("nat", [443, 80]), ("public", [443, 80]), ("isolated", [443]), ("existing", [443])]
)
def test_http_goes_out_only_where_the_internet_is_reached(
    networks: dict[str, Resources], kind: str, ports: list[int]
) -> None:
    egress = group(networks[kind])["SecurityGroupEgress"]
    assert [(one["IpProtocol"], one["FromPort"], one["ToPort"]) for one in egress] == [
        ("tcp", port, port) for port in ports
    ]


@pytest.mark.parametrize(
    ("kind", "gateways", "routes", "subnets"),
    [
        ("nat", ("NatGateway", "InternetGateway"), {"0.0.0.0/0"}, {False}),
        ("public", ("InternetGateway",), {"0.0.0.0/0"}, {False}),
        ("isolated", (), set(), {False}),
        ("existing", (), set(), set()),
    ],
)
def test_each_kind_has_its_own_way_out(
    networks: dict[str, Resources], kind: str, gateways: tuple[str, ...], routes: set[str], subnets: set[bool]
) -> None:
    network = networks[kind]
    found = {name for name in ("NatGateway", "InternetGateway") if network.of(f"AWS::EC2::{name}")}
    assert found == set(gateways)
    assert {one["DestinationCidrBlock"] for one in network.of("AWS::EC2::Route").values()} == routes
    assert {one["MapPublicIpOnLaunch"] for one in network.of("AWS::EC2::Subnet").values()} == subnets


@pytest.mark.parametrize(
    ("kind", "subnet"),
    [
        ("nat", "<Network/PrivateSubnet1/Subnet>"),
        ("isolated", "<Network/PrivateSubnet1/Subnet>"),
        ("existing", "subnet-0123456789abcdef0"),
    ],
)
def test_a_node_is_in_a_private_subnet(networks: dict[str, Resources], kind: str, subnet: str) -> None:
    node = networks[kind]["Node"].properties
    assert node["SubnetId"] == subnet
    assert node["SecurityGroupIds"] == ["<Network/NodeSecurityGroup.GroupId>"]
    assert "NetworkInterfaces" not in node


def test_a_node_in_a_public_subnet_has_a_public_address(networks: dict[str, Resources]) -> None:
    (interface,) = networks["public"]["Node"].properties["NetworkInterfaces"]
    assert interface["AssociatePublicIpAddress"] is True
    assert interface["SubnetId"] == "<Network/PublicSubnet1/Subnet>"
    assert interface["GroupSet"] == ["<Network/NodeSecurityGroup.GroupId>"]


def test_an_existing_network_gets_a_security_group_and_nothing_else(networks: dict[str, Resources]) -> None:
    made = {one.type for one in networks["existing"].values() if one.type.startswith("AWS::EC2::")}
    assert made == {"AWS::EC2::SecurityGroup", "AWS::EC2::Instance"}
    assert group(networks["existing"])["VpcId"] == "vpc-0123456789abcdef0"


def test_s3_is_reached_through_a_gateway_endpoint_in_every_network_of_ours(networks: dict[str, Resources]) -> None:
    for kind in KINDS[:3]:
        endpoint = networks[kind]["Network/S3"].properties
        assert (endpoint["VpcEndpointType"], endpoint["ServiceName"]) == ("Gateway", "com.amazonaws.<AWS::Region>.s3")
        assert ("PolicyDocument" in endpoint) == (kind == "isolated")


# Isolated.


def test_an_isolated_node_reaches_systems_manager_and_its_log_group_through_endpoints(
    networks: dict[str, Resources],
) -> None:
    found = [
        one
        for one in networks["isolated"].of("AWS::EC2::VPCEndpoint").values()
        if one["VpcEndpointType"] == "Interface"
    ]
    assert {one["ServiceName"].rpartition(".")[2] for one in found} == {"ssm", "ssmmessages", "ec2messages", "logs"}
    for one in found:
        assert one["PrivateDnsEnabled"] is True
        assert one["SubnetIds"] == ["<Network/PrivateSubnet1/Subnet>"]
        assert one["SecurityGroupIds"] == ["<Network/EndpointSecurityGroup.GroupId>"]


def test_the_endpoints_let_the_nodes_in_by_https_and_nobody_else(networks: dict[str, Resources]) -> None:
    isolated = networks["isolated"]
    (rule,) = isolated.of("AWS::EC2::SecurityGroupIngress").values()
    assert (rule["IpProtocol"], rule["FromPort"], rule["ToPort"]) == ("tcp", 443, 443)
    assert (rule["GroupId"], rule["SourceSecurityGroupId"]) == (
        "<Network/EndpointSecurityGroup.GroupId>",
        "<Network/NodeSecurityGroup.GroupId>",
    )
    assert "SecurityGroupIngress" not in isolated["Network/EndpointSecurityGroup"].properties


def test_through_s3s_endpoint_go_what_patching_reads_and_the_output_of_this_account(
    networks: dict[str, Resources],
) -> None:
    reading, writing = networks["isolated"]["Network/S3"].properties["PolicyDocument"]["Statement"]
    region = "<AWS::Region>"
    assert reading["Action"] == "s3:GetObject"
    assert set(reading["Resource"]) == {
        *(
            f"arn:<AWS::Partition>:s3:::{bucket}/*"
            for bucket in (
                f"amazon-ssm-{region}",
                f"amazon-ssm-packages-{region}",
                f"aws-ssm-{region}",
                f"aws-ssm-document-attachments-{region}",
                f"aws-windows-downloads-{region}",
                f"aws-patch-manager-{region}-*",
                f"aws-ssm-distributor-file-{region}",
                f"patch-baseline-snapshot-{region}",
                f"patch-baseline-snapshot-{region}-*",
                f"{region}-birdwatcher-prod",
                f"al2023-repos-{region}-de612dc2",
            )
        ),
        "arn:aws:s3:::lists/june.yaml",
    }
    assert writing["Action"] == ["s3:GetEncryptionConfiguration", "s3:PutObject"]
    assert writing["Resource"] == ["arn:aws:s3:::written", "arn:aws:s3:::written/*"]
    assert writing["Condition"] == {"StringEquals": {"aws:PrincipalAccount": "<AWS::AccountId>"}}


# What is refused when it is made.


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"kind": NetworkKind.EXISTING}, "vpc_id is missing: a network of kind existing needs vpc_id, subnet_ids"),
        ({"vpc_id": "vpc-0123456789abcdef0"}, "vpc_id: vpc_id is for the kind existing only, not for nat"),
        ({"kind": "none"}, "Input should be 'nat', 'isolated', 'public' or 'existing'"),
    ],
)
def test_a_network_that_cannot_be_is_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Network(**settings)
