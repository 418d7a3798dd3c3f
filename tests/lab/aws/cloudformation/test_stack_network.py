"""Networks in a stack: made, changed and deleted, and which of their instances become managed nodes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from tests.lab.aws.conftest import status
from tests.lab.aws.stacks import REGION, Properties, Resource, Stack, image
from tests.lab.aws.world import Connect

if TYPE_CHECKING:
    from lab.aws.server import LocalAws

pytestmark = pytest.mark.xdist_group("local-aws")


def ref(name: str) -> dict[str, str]:
    return {"Ref": name}


def vpc(**changes: Any) -> Resource:
    return "AWS::EC2::VPC", {
        "CidrBlock": "10.0.0.0/16",
        "EnableDnsSupport": True,
        "EnableDnsHostnames": True,
        **changes,
    }


def subnet(number: int = 1, **changes: Any) -> Resource:
    return "AWS::EC2::Subnet", {"VpcId": ref("Vpc"), "CidrBlock": f"10.0.{number}.0/24", **changes}


def group(**changes: Any) -> Resource:
    return "AWS::EC2::SecurityGroup", {"VpcId": ref("Vpc"), "GroupDescription": "For tests", **changes}


HTTPS = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}
TABLE: Resource = ("AWS::EC2::RouteTable", {"VpcId": ref("Vpc")})
ATTACHED: Resource = (
    "AWS::EC2::SubnetRouteTableAssociation",
    {"RouteTableId": ref("Table"), "SubnetId": ref("Subnet")},
)
GATEWAY: Resource = ("AWS::EC2::InternetGateway", {})
GATEWAY_ATTACHED: Resource = (
    "AWS::EC2::VPCGatewayAttachment",
    {"VpcId": ref("Vpc"), "InternetGatewayId": ref("Gateway")},
)


def route(**to: Any) -> Resource:
    return "AWS::EC2::Route", {"RouteTableId": ref("Table"), "DestinationCidrBlock": "0.0.0.0/0", **to}


def interface(service: str, **changes: Any) -> Resource:
    return "AWS::EC2::VPCEndpoint", {
        "VpcId": ref("Vpc"),
        "ServiceName": f"com.amazonaws.{REGION}.{service}",
        "VpcEndpointType": "Interface",
        "SubnetIds": [ref("Subnet")],
        "SecurityGroupIds": [ref("Endpoints")],
        "PrivateDnsEnabled": True,
        **changes,
    }


def gateway(**changes: Any) -> Resource:
    return "AWS::EC2::VPCEndpoint", {
        "VpcId": ref("Vpc"),
        "ServiceName": f"com.amazonaws.{REGION}.s3",
        "VpcEndpointType": "Gateway",
        "RouteTableIds": [ref("Table")],
        **changes,
    }


def instance(ami: str, **changes: Any) -> Resource:
    return "AWS::EC2::Instance", {
        "ImageId": ami,
        "IamInstanceProfile": "node",
        "SubnetId": ref("Subnet"),
        "SecurityGroupIds": [ref("Nodes")],
        **changes,
    }


def of(*names: str) -> dict[str, Any]:
    return {"VpcEndpointIds": list(names)}


# Made, changed and deleted.


def test_a_network_says_what_its_template_says(stack: Stack, connect: Connect) -> None:
    ec2 = connect("ec2", REGION)
    made = stack.deploy(
        Vpc=vpc(Tags=[{"Key": "Stage", "Value": "test"}]), Subnet=subnet(MapPublicIpOnLaunch=True), Table=TABLE
    )

    def attribute(name: str) -> bool:
        found = ec2.describe_vpc_attribute(VpcId=made["Vpc"], Attribute=name)
        return bool(found[f"{name[0].upper()}{name[1:]}"]["Value"])

    def mapped(subnet_id: str) -> bool:
        return bool(ec2.describe_subnets(SubnetIds=[subnet_id])["Subnets"][0]["MapPublicIpOnLaunch"])

    assert (attribute("enableDnsSupport"), attribute("enableDnsHostnames"), mapped(made["Subnet"])) == (True,) * 3
    changed = stack.deploy(Vpc=vpc(EnableDnsHostnames=False), Subnet=subnet(), Table=TABLE)
    assert changed == made
    assert (attribute("enableDnsHostnames"), mapped(made["Subnet"])) == (False, False)
    replaced = stack.deploy(Vpc=vpc(EnableDnsHostnames=False), Subnet=subnet(2), Table=TABLE)
    assert (replaced["Vpc"], replaced["Subnet"] != made["Subnet"]) == (made["Vpc"], True)
    found = ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [made["Vpc"]]}])["Subnets"]
    assert [one["SubnetId"] for one in found] == [replaced["Subnet"]]
    stack.delete()
    assert ec2.describe_vpcs(Filters=[{"Name": "cidr", "Values": ["10.0.0.0/16"]}])["Vpcs"] == []


def test_a_route_table_is_that_of_a_subnet(stack: Stack, connect: Connect) -> None:
    ec2 = connect("ec2", REGION)

    def table_of(subnet_id: str) -> list[str]:
        filters = [{"Name": "association.subnet-id", "Values": [subnet_id]}]
        return [one["RouteTableId"] for one in ec2.describe_route_tables(Filters=filters)["RouteTables"]]

    base = {"Vpc": vpc(), "Subnet": subnet(), "Table": TABLE, "Other": TABLE}
    made = stack.deploy(**base, Attached=ATTACHED)
    assert table_of(made["Subnet"]) == [made["Table"]]
    kind, properties = ATTACHED[:2]
    stack.deploy(**base, Attached=(kind, {**properties, "RouteTableId": ref("Other")}))
    assert table_of(made["Subnet"]) == [made["Other"]]
    stack.deploy(**base)
    assert table_of(made["Subnet"]) == []


def test_a_security_group_has_just_the_rules_of_its_template(stack: Stack, connect: Connect) -> None:
    ec2 = connect("ec2", REGION)

    def rules() -> dict[bool, list[str]]:
        filters = [{"Name": "group-id", "Values": [made["Group"]]}]
        found = ec2.describe_security_group_rules(Filters=filters)["SecurityGroupRules"]
        told: dict[bool, list[str]] = {True: [], False: []}
        for one in found:
            other = one.get("CidrIpv4") or one.get("ReferencedGroupInfo", {}).get("GroupId", "")
            told[one["IsEgress"]].append(f"{one['IpProtocol']} {one.get('FromPort', -1)} {other}")
        return {key: sorted(value) for key, value in told.items()}

    inside, outside = {**HTTPS, "CidrIp": "10.0.0.0/16"}, {**HTTPS, "CidrIp": "0.0.0.0/0"}
    made = stack.deploy(Vpc=vpc(), Group=group(SecurityGroupIngress=[inside]), Other=group())
    assert rules() == {False: ["tcp 443 10.0.0.0/16"], True: ["-1 -1 0.0.0.0/0"]}
    changed = stack.deploy(Vpc=vpc(), Group=group(SecurityGroupEgress=[outside]), Other=group())
    assert (changed, rules()) == (made, {False: [], True: ["tcp 443 0.0.0.0/0"]})
    own = {
        "In": (
            "AWS::EC2::SecurityGroupIngress",
            {"GroupId": ref("Group"), **HTTPS, "SourceSecurityGroupId": ref("Other")},
        ),
        "Out": (
            "AWS::EC2::SecurityGroupEgress",
            {"GroupId": ref("Group"), **HTTPS, "DestinationSecurityGroupId": ref("Other")},
        ),
    }
    stack.deploy(Vpc=vpc(), Group=group(SecurityGroupEgress=[outside]), Other=group(), **own)
    other = f"tcp 443 {made['Other']}"
    assert rules() == {False: [other], True: ["tcp 443 0.0.0.0/0", other]}
    stack.deploy(Vpc=vpc(), Group=group(SecurityGroupEgress=[inside]), Other=group(), **own)
    assert rules() == {False: [other], True: ["tcp 443 10.0.0.0/16", other]}
    stack.deploy(Vpc=vpc(), Group=group(SecurityGroupEgress=[inside]), Other=group())
    assert rules() == {False: [], True: ["tcp 443 10.0.0.0/16"]}
    replaced = stack.deploy(Vpc=vpc(), Group=group(GroupDescription="Another"), Other=group())
    assert replaced["Group"] != made["Group"]


def statement(action: str) -> Properties:
    return {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": action, "Resource": "*"}]}


def test_endpoints_come_change_in_place_are_replaced_and_go(stack: Stack, connect: Connect) -> None:
    ec2 = connect("ec2", REGION)
    base = {"Vpc": vpc(), "Subnet": subnet(), "Table": TABLE, "Endpoints": group()}
    made = stack.deploy(**base, Ssm=interface("ssm"), S3=gateway())

    def described(name: str) -> dict[str, Any]:
        (found,) = ec2.describe_vpc_endpoints(VpcEndpointIds=[made[name]])["VpcEndpoints"]
        return dict(found)

    def routed() -> list[str]:
        (table,) = ec2.describe_route_tables(RouteTableIds=[made["Table"]])["RouteTables"]
        return [one["GatewayId"] for one in table["Routes"] if one.get("GatewayId") != "local"]

    assert (described("Ssm")["VpcEndpointType"], described("Ssm")["PrivateDnsEnabled"]) == ("Interface", True)
    assert [one["GroupId"] for one in described("Ssm")["Groups"]] == [made["Endpoints"]]
    assert (described("S3")["VpcEndpointType"], routed()) == ("Gateway", [made["S3"]])
    changed = stack.deploy(
        **base,
        Ssm=interface("ssm", PrivateDnsEnabled=False, PolicyDocument=statement("ssm:*")),
        S3=gateway(RouteTableIds=[], PolicyDocument=statement("s3:GetObject")),
    )
    assert (changed, routed()) == (made, [])
    assert (described("Ssm")["PrivateDnsEnabled"], "ssm:*" in described("Ssm")["PolicyDocument"]) == (False, True)
    assert "s3:GetObject" in described("S3")["PolicyDocument"]
    replaced = stack.deploy(**base, Ssm=interface("ssmmessages"), S3=gateway())
    assert (replaced["Ssm"] != made["Ssm"], replaced["S3"], routed()) == (True, made["S3"], [made["S3"]])
    stack.delete()
    assert {one["State"] for one in ec2.describe_vpc_endpoints()["VpcEndpoints"]} <= {"deleted"}


# Which instances become managed nodes.


def why(server: LocalAws, made: dict[str, str]) -> str:
    """Return why the instance of a stack is not a managed node; empty if it is one."""
    region = status(server)["regions"][REGION]
    return "" if made["Node"] in region["managed"] else str(region["unmanaged"][made["Node"]])


@pytest.fixture
def ami(ssm: Any, roles: dict[str, str]) -> str:
    return image(ssm, "al2023-ami-kernel-6.1-x86_64")


def public_network(**changes: Resource) -> dict[str, Resource]:
    return {
        "Vpc": vpc(),
        "Subnet": subnet(),
        "Nodes": group(),
        "Table": TABLE,
        "Attached": ATTACHED,
        "Gateway": GATEWAY,
        "GatewayAttached": GATEWAY_ATTACHED,
        "Route": route(GatewayId=ref("Gateway")),
        **changes,
    }


def test_an_instance_with_a_public_address_is_managed(stack: Stack, local_aws: LocalAws, ami: str) -> None:
    assert (
        why(local_aws, stack.deploy(**public_network(Subnet=subnet(MapPublicIpOnLaunch=True)), Node=instance(ami)))
        == ""
    )


def test_an_instance_may_ask_for_its_public_address_itself(stack: Stack, local_aws: LocalAws, ami: str) -> None:
    first = {
        "DeviceIndex": "0",
        "AssociatePublicIpAddress": True,
        "SubnetId": ref("Subnet"),
        "GroupSet": [ref("Nodes")],
    }
    node = ("AWS::EC2::Instance", {"ImageId": ami, "IamInstanceProfile": "node", "NetworkInterfaces": [first]})
    assert why(local_aws, stack.deploy(**public_network(), Node=node)) == ""


def test_an_instance_without_a_public_address_is_not(stack: Stack, local_aws: LocalAws, ami: str) -> None:
    assert "it has no public address" in why(local_aws, stack.deploy(**public_network(), Node=instance(ami)))


def test_an_instance_behind_a_nat_gateway_is_managed_if_that_has_a_way_out(
    stack: Stack, local_aws: LocalAws, ami: str
) -> None:
    network = public_network(
        Address=("AWS::EC2::EIP", {"Domain": "vpc"}),
        Public=subnet(9),
        PublicTable=TABLE,
        PublicAttached=(
            "AWS::EC2::SubnetRouteTableAssociation",
            {"RouteTableId": ref("PublicTable"), "SubnetId": ref("Public")},
        ),
        PublicRoute=(
            "AWS::EC2::Route",
            {
                "RouteTableId": ref("PublicTable"),
                "DestinationCidrBlock": "0.0.0.0/0",
                "GatewayId": ref("Gateway"),
            },
        ),
        Nat=(
            "AWS::EC2::NatGateway",
            {"SubnetId": ref("Public"), "AllocationId": {"Fn::GetAtt": ["Address", "AllocationId"]}},
        ),
        Route=route(NatGatewayId=ref("Nat")),
    )
    assert why(local_aws, stack.deploy(**network, Node=instance(ami))) == ""
    closed = {"SecurityGroupEgress": [{**HTTPS, "CidrIp": "10.0.0.0/16"}]}
    made = stack.deploy(**{**network, "Nodes": group(**closed)}, Node=instance(ami))
    assert why(local_aws, made) == "it cannot reach ssm: its security groups do not let HTTPS out"
    del network["PublicRoute"]
    assert "no route to the internet" in why(local_aws, stack.deploy(**network, Node=instance(ami)))


def test_an_instance_has_the_network_of_its_groups_after_a_change_too(
    stack: Stack, local_aws: LocalAws, ami: str
) -> None:
    closed = group(SecurityGroupEgress=[{**HTTPS, "CidrIp": "10.0.0.0/16"}])
    network = public_network(Subnet=subnet(MapPublicIpOnLaunch=True), Closed=closed)
    made = stack.deploy(**network, Node=instance(ami))
    assert why(local_aws, made) == ""
    assert stack.deploy(**network, Node=instance(ami, SecurityGroupIds=[ref("Closed")])) == made
    assert "its security groups do not let HTTPS out" in why(local_aws, made)


def isolated_network(**changes: Resource) -> dict[str, Resource]:
    inside = {**HTTPS, "CidrIp": "10.0.0.0/16"}
    return {
        "Vpc": vpc(),
        "Subnet": subnet(),
        "Nodes": group(),
        "Endpoints": group(SecurityGroupIngress=[inside]),
        "Table": TABLE,
        "Attached": ATTACHED,
        "S3": gateway(),
        "Ssm": interface("ssm"),
        "SsmMessages": interface("ssmmessages"),
        **changes,
    }


def test_an_instance_in_an_isolated_subnet_is_managed_by_endpoints(
    stack: Stack, local_aws: LocalAws, ami: str, connect: Connect
) -> None:
    network = isolated_network()
    assert why(local_aws, stack.deploy(**network, Node=instance(ami))) == ""
    for name, problem in (("Ssm", "it cannot reach ssm: no route"), ("SsmMessages", "it cannot reach ssmmessages")):
        without = {key: value for key, value in network.items() if key != name}
        assert why(local_aws, stack.deploy(**without, Node=instance(ami))).startswith(problem)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"Endpoints": group()}, "do not let HTTPS in from 10.0.1."),
        ({"Ssm": interface("ssm", PrivateDnsEnabled=False)}, "private DNS is off"),
        ({"Vpc": vpc(EnableDnsHostnames=False)}, "DNS support or DNS host names are off"),
        (
            {"Ssm": interface("ssm", PolicyDocument=statement("ssm:GetParameter"))},
            "does not allow ssm:UpdateInstanceInformation",
        ),
        (
            {"Nodes": group(SecurityGroupEgress=[{**HTTPS, "CidrIp": "192.168.0.0/16"}])},
            "its security groups do not let HTTPS out to vpce-",
        ),
    ],
)
def test_an_endpoint_that_is_wired_wrong_is_no_way(
    stack: Stack, local_aws: LocalAws, ami: str, changes: dict[str, Resource], problem: str
) -> None:
    assert problem in why(local_aws, stack.deploy(**isolated_network(**changes), Node=instance(ami)))


@pytest.fixture
def existing(connect: Connect) -> Iterator[tuple[str, str]]:
    """A VPC that somebody else has made, with a subnet that has no way out."""
    ec2 = connect("ec2", REGION)
    vpc_id = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    subnet_id = ec2.create_subnet(VpcId=vpc_id, CidrBlock="10.9.1.0/24")["Subnet"]["SubnetId"]
    yield vpc_id, subnet_id
    ec2.delete_subnet(SubnetId=subnet_id)
    ec2.delete_vpc(VpcId=vpc_id)


def test_an_instance_may_go_into_a_network_of_others(
    stack: Stack, local_aws: LocalAws, ami: str, connect: Connect, existing: tuple[str, str]
) -> None:
    vpc_id, subnet_id = existing
    ec2 = connect("ec2", REGION)
    resources: dict[str, Resource] = {
        "Nodes": group(VpcId=vpc_id),
        "Node": instance(ami, SubnetId=subnet_id),
    }
    made = stack.deploy(**resources)
    assert "no route to the internet, and no endpoint" in why(local_aws, made)
    internet = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=internet, VpcId=vpc_id)
    filters = [{"Name": "vpc-id", "Values": [vpc_id]}]
    (main,) = ec2.describe_route_tables(Filters=filters)["RouteTables"]
    ec2.create_route(RouteTableId=main["RouteTableId"], DestinationCidrBlock="0.0.0.0/0", GatewayId=internet)
    assert "no public address" in why(local_aws, made)
    stack.delete()
    ec2.detach_internet_gateway(InternetGatewayId=internet, VpcId=vpc_id)
    ec2.delete_internet_gateway(InternetGatewayId=internet)
