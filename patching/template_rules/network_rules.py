"""Rules about the network that nodes are in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from patching.template_rules.assembly import Resource, texts
from patching.template_rules.finding import Found, Rule, Whole
from patching.template_rules.text import UNKNOWN

_NEEDED = ("ssm", "ssmmessages", "s3")
_WAYS = ("AWS::EC2::Route", "AWS::EC2::VPNGatewayRoutePropagation")


def node_out_of_reach(whole: Whole) -> Iterator[Found]:
    """Find instances with a profile in a subnet that has no route out, and not the endpoints that patching needs.

    The agent never registers, so that no command and no window finds the node; without S3 there is no snapshot of the
    baseline. See https://docs.aws.amazon.com/systems-manager/latest/userguide/setup-create-vpc.html.
    """
    for instance in whole.assembly.of("AWS::EC2::Instance"):
        subnet = whole.assembly.find(_subnet(instance), "AWS::EC2::Subnet")
        if subnet is None or not instance.properties.get("IamInstanceProfile"):
            continue
        tables = [
            one.properties.get("RouteTableId")
            for one in whole.assembly.of("AWS::EC2::SubnetRouteTableAssociation")
            if one.properties.get("SubnetId") == subnet.name
        ]
        if not tables or UNKNOWN in tables or any(_leads_out(whole, table) for table in tables):
            continue
        missing = _missing(whole, subnet.properties.get("VpcId"), tables)
        if missing:
            message = (
                f"the subnet {subnet.logical_id} has no route out and its VPC no endpoint for {', '.join(missing)}: "
                "Systems Manager does not reach the instance, or the instance not its patches; add the endpoints, or a "
                "route"
            )
            yield Found(instance, message, "SubnetId")


RULES: tuple[Rule, ...] = (node_out_of_reach,)


def _subnet(instance: Resource) -> object:
    interfaces = [one for one in instance.listed("NetworkInterfaces") if isinstance(one, Mapping)]
    return interfaces[0].get("SubnetId") if interfaces else instance.properties.get("SubnetId")


def _leads_out(whole: Whole, table: object) -> bool:
    return any(
        UNKNOWN in named or table in named
        for way in whole.assembly.of(*_WAYS)
        for named in [[*texts(way.listed("RouteTableId")), *texts(way.listed("RouteTableIds"))]]
    )


def _missing(whole: Whole, vpc: object, tables: list[object]) -> list[str]:
    """Return the services without an endpoint in the VPC; none if one of its endpoints is not known."""
    found = set()
    for endpoint in whole.assembly.of("AWS::EC2::VPCEndpoint"):
        service = endpoint.properties.get("ServiceName")
        if endpoint.properties.get("VpcId") not in {vpc, UNKNOWN} or not isinstance(service, str):
            continue
        if UNKNOWN in service:
            return []
        gateway = endpoint.properties.get("VpcEndpointType", "Gateway") == "Gateway"
        if not gateway or any(one in {*tables, UNKNOWN} for one in texts(endpoint.listed("RouteTableIds"))):
            found.add(service.rpartition(".")[2])
    return [service for service in _NEEDED if service not in found]
