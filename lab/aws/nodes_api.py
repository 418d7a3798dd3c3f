"""The operations on managed nodes."""

from __future__ import annotations

from lab.aws.operation import Reply, Request, filters, operation, page
from lab.engine import Engine
from lab.node import ManagedNode

_KEYS = (
    "InstanceIds",
    "AgentVersion",
    "PingStatus",
    "PlatformTypes",
    "IamRole",
    "ResourceType",
    "tag-key",
    "tag:",
)


@operation
def describe_instance_information(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeInstanceInformation.html."""
    wanted = filters(request, known=_KEYS, error="InvalidInstanceInformationFilterValue")
    wanted |= filters(
        request, "InstanceInformationFilterList", known=_KEYS, error="InvalidInstanceInformationFilterValue"
    )
    found = [
        _information(engine, node)
        for node in engine.fleet.nodes()
        if all(_has(node, key, values) for key, values in wanted.items())
    ]
    return page(request, "InstanceInformationList", found, default_size=10)


def _ping(node: ManagedNode) -> str:
    return "Online" if node.online else "ConnectionLost"


def _has(node: ManagedNode, key: str, values: list[str]) -> bool:
    if key == "tag-key":
        return any(value in node.tags for value in values)
    if key.startswith("tag:"):
        return node.tags.get(key.removeprefix("tag:")) in values
    found = {
        "InstanceIds": node.id,
        "AgentVersion": node.agent_version,
        "PingStatus": _ping(node),
        "PlatformTypes": str(node.catalogue.system.platform_type),
        "IamRole": node.role,
        "ResourceType": "EC2Instance",
    }
    return found[key] in values


def _information(engine: Engine, node: ManagedNode) -> Reply:
    associated = [
        one
        for one in engine.state_manager.associations.values()
        if one.executions and one.targets.match(node.id, node.tags)
    ]
    information: Reply = {
        "InstanceId": node.id,
        "PingStatus": _ping(node),
        "LastPingDateTime": node.last_ping,
        "AgentVersion": node.agent_version,
        "IsLatestVersion": node.agent_version == engine.newest_agent(),
        "PlatformType": str(node.catalogue.system.platform_type),
        "PlatformName": node.catalogue.platform_name,
        "PlatformVersion": node.catalogue.platform_version,
        "ResourceType": "EC2Instance",
        "IPAddress": node.ip,
        "ComputerName": node.computer_name,
        "SourceId": node.id,
        "SourceType": "AWS::EC2::Instance",
    }
    if associated:
        last = max(one.executions[-1].created for one in associated)
        information |= {"AssociationStatus": "Success", "LastAssociationExecutionDate": last}
    return information
