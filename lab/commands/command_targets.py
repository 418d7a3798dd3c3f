"""Which nodes a command is for: those that its targets name at the moment it is sent.

Follows https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_Target.html.
"""

from __future__ import annotations

from collections.abc import Iterable

from lab.nodes.fleet import Fleet
from lab.nodes.node import ManagedNode
from lab.world.cloud import Cloud
from lab.world.errors import ApiError
from patching.targets import EVERY_NODE, Targets

_IDS = "InstanceIds"
_GROUP, _TYPES = "resource-groups:Name", "resource-groups:ResourceTypeFilters"
_NODES = {"AWS::EC2::Instance", "AWS::SSM::ManagedInstance", "AWS::AllSupported"}


def by_id(targets: Targets) -> bool:
    """Tell whether targets name nodes by their ids, each of which then has to be there."""
    return targets.keys[0][0] == _IDS and targets.keys[0][1] != (EVERY_NODE,)


def resolve(cloud: Cloud, fleet: Fleet, groups: Iterable[Targets]) -> list[ManagedNode]:
    """Return the nodes that any of these targets name, each once.

    Args:
        cloud: the account, for its resource groups.
        fleet: its nodes.
        groups: the targets.

    Raises:
        ApiError: a node that is not managed, a resource group that is not there, or a key that targets have not.
    """
    return list({node.id: node for targets in groups for node in _resolve(cloud, fleet, targets)}.values())


def _resolve(cloud: Cloud, fleet: Fleet, targets: Targets) -> list[ManagedNode]:
    keys = dict(targets.keys)
    if _GROUP in keys or _TYPES in keys:
        return _of_group(cloud, fleet, keys)
    unknown = [key for key in keys if key != _IDS and not key.startswith("tag:")]
    if unknown:
        raise ApiError("ValidationException", f"{unknown[0]} is no key of a target; use tag:NAME, {_IDS} or {_GROUP}.")
    if not by_id(targets):
        return fleet.select(targets)
    return [_managed(cloud, fleet, node_id) for node_id in keys[_IDS]]


def _managed(cloud: Cloud, fleet: Fleet, node_id: str) -> ManagedNode:
    node = fleet.get(node_id)
    if node is None:
        raise ApiError("InvalidInstanceId", f"Instances [[{node_id}]] not in a valid state for account {cloud.account}")
    return node


def _of_group(cloud: Cloud, fleet: Fleet, keys: dict[str, tuple[str, ...]]) -> list[ManagedNode]:
    """Return the nodes of a resource group.

    Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/send-commands-multiple.html.
    """
    unknown = [key for key in keys if key not in (_GROUP, _TYPES)]
    names = keys.get(_GROUP, ())
    if unknown or len(names) != 1:
        raise ApiError("ValidationException", f"Name one resource group by {_GROUP}, and nothing but {_TYPES} with it.")
    members = cloud.group_members(names[0])
    if members is None:
        raise ApiError("ValidationException", f"There is no resource group {names[0]}.")
    if _TYPES in keys and not _NODES.intersection(keys[_TYPES]):
        return []
    wanted = set(members)
    return [node for node in fleet.nodes() if node.id in wanted]
