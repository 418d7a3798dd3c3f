"""Whether an instance's network lets its agent reach Systems Manager and S3, as far as routes and endpoints tell.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/setup-create-vpc.html. What network ACLs, proxies
and firewalls do is not looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ops.permissions import Need, On
from ops.session import Session

NEEDS = (Need(On.ANYTHING, "ec2:DescribeRouteTables", "ec2:DescribeSecurityGroups", "ec2:DescribeVpcEndpoints"),)
_SERVICES = ("ssm", "ssmmessages")
_HTTPS = 443
_ANYWHERE = "0.0.0.0/0"

Row = tuple[bool, str, str]
"""Whether all is well, what was found, and what mends it."""


def check(session: Session, instance: Mapping[str, Any]) -> Iterator[Row]:
    """Yield what was found about an instance's network."""
    vpc, subnet = instance.get("VpcId", ""), instance.get("SubnetId", "")
    if not subnet:
        return
    way_out = _way_out(session, vpc, subnet, has_address=bool(instance.get("PublicIpAddress")))
    endpoints = _endpoints(session, vpc)
    missing = [one for one in _SERVICES if not any(name.endswith(f".{one}") for name in endpoints)]
    names = ", ".join(f"com.amazonaws.{session.region}.{one}" for one in missing)
    if way_out:
        yield True, f"reaches AWS by {way_out}", ""
    elif missing:
        yield (
            False,
            f"no way to Systems Manager: no route out of {subnet}, and no endpoint for {', '.join(missing)}",
            f"add a NAT gateway with a route to it, or interface endpoints with private DNS for {names}",
        )
    else:
        yield True, "reaches Systems Manager by interface endpoints", ""
    if not way_out and not any(name.endswith(".s3") for name in endpoints):
        yield (
            False,
            "no way to S3, from which the agent loads what it runs and to which it writes its output",
            f"add a gateway endpoint for com.amazonaws.{session.region}.s3 to the subnet's route table",
        )
    groups = [one["GroupId"] for one in instance.get("SecurityGroups", [])]
    if groups and not _lets_out(session, groups):
        yield (
            False,
            f"no security group of it ({', '.join(groups)}) lets HTTPS out",
            "allow outbound TCP 443; inbound rules are not needed",
        )


def _way_out(session: Session, vpc: str, subnet: str, *, has_address: bool) -> str:
    """Say by what a subnet reaches the internet; empty if it does not."""
    tables = session.ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["RouteTables"]
    own = [one for one in tables if any(link.get("SubnetId") == subnet for link in one.get("Associations", []))]
    main = [one for one in tables if any(link.get("Main") for link in one.get("Associations", []))]
    for route in (own or main or [{"Routes": []}])[0].get("Routes", []):
        if route.get("DestinationCidrBlock") != _ANYWHERE or route.get("State") == "blackhole":
            continue
        if route.get("NatGatewayId"):
            return f"the NAT gateway {route['NatGatewayId']}"
        if str(route.get("GatewayId", "")).startswith("igw-"):
            return f"the internet gateway {route['GatewayId']}" if has_address else ""
        if route.get("TransitGatewayId") or route.get("NetworkInterfaceId") or route.get("InstanceId"):
            return "a route to a device of yours, behind which nothing is looked at"
    return ""


def _endpoints(session: Session, vpc: str) -> list[str]:
    """Return the services that have an endpoint in a VPC; those without private DNS are of no use to an agent."""
    pages = session.ec2.get_paginator("describe_vpc_endpoints").paginate(Filters=[{"Name": "vpc-id", "Values": [vpc]}])
    return [
        one["ServiceName"]
        for page in pages
        for one in page["VpcEndpoints"]
        if one.get("State", "available").lower() == "available"
        and (one.get("VpcEndpointType") == "Gateway" or one.get("PrivateDnsEnabled"))
    ]


def _lets_out(session: Session, groups: Sequence[str]) -> bool:
    found = session.ec2.describe_security_groups(GroupIds=list(groups))["SecurityGroups"]
    return any(
        rule.get("IpProtocol") == "-1" or rule.get("FromPort", 0) <= _HTTPS <= rule.get("ToPort", -1)
        for group in found
        for rule in group.get("IpPermissionsEgress", [])
    )
