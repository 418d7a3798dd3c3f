"""The operations on tags, for what the lab keeps itself; documents and parameters stay with moto."""

from __future__ import annotations

from collections.abc import Callable

from lab.aws.ssm.operation import Reply, Request
from lab.engine import Engine
from lab.nodes.node import ManagedNode
from lab.world.errors import ApiError
from lab.world.tags import merged

KEPT_BY_MOTO = ("Document", "Parameter")
_NOT_EMULATED = ("OpsItem", "OpsMetadata", "Automation", "CloudConnector")


def add_tags_to_resource(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_AddTagsToResource.html."""
    kind, resource_id = _resource(engine, request)
    tags = {one["Key"]: one["Value"] for one in request["Tags"]}
    node = _machine(engine, request)
    if node:
        node.tags = merged(node.tags, tags)
        engine.fleet.look_again()
    else:
        engine.tags.add(kind, resource_id, tags)
    return {}


def remove_tags_from_resource(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_RemoveTagsFromResource.html."""
    kind, resource_id = _resource(engine, request)
    node = _machine(engine, request)
    if node:
        node.tags = {key: value for key, value in node.tags.items() if key not in request["TagKeys"]}
        engine.fleet.look_again()
    else:
        engine.tags.remove(kind, resource_id, request["TagKeys"])
    return {}


def list_tags_for_resource(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ListTagsForResource.html."""
    kind, resource_id = _resource(engine, request)
    node = _machine(engine, request)
    tags = node.tags if node else engine.tags.of(kind, resource_id)
    return {"TagList": [{"Key": key, "Value": value} for key, value in tags.items()]}


OPERATIONS: dict[str, Callable[[Engine, Request], Reply]] = {
    "AddTagsToResource": add_tags_to_resource,
    "RemoveTagsFromResource": remove_tags_from_resource,
    "ListTagsForResource": list_tags_for_resource,
}


def _machine(engine: Engine, request: Request) -> ManagedNode | None:
    return engine.fleet.get(request["ResourceId"]) if request["ResourceType"] == "ManagedInstance" else None


def _resource(engine: Engine, request: Request) -> tuple[str, str]:
    """Return the kind and the id of what a request is about, if it is there.

    Raises:
        ApiError: it is not there, or no kind of thing that the lab keeps tags of.
    """
    kind, resource_id = request["ResourceType"], request["ResourceId"]
    if kind in _NOT_EMULATED:
        raise ApiError("InvalidResourceType", f"The local AWS keeps no tags of the type {kind}.")
    there: dict[str, Callable[[str], bool]] = {
        # Instances have tags of EC2: these are for machines outside of it.
        "ManagedInstance": lambda one: bool((node := engine.fleet.get(one)) and node.hybrid),
        "PatchBaseline": lambda one: any(stored.id == one for stored in engine.baselines.all()),
        "MaintenanceWindow": lambda one: one in engine.windows.windows,
        "Association": lambda one: one in engine.state_manager.associations,
    }
    if kind not in there:
        raise ApiError("InvalidResourceType", f"{kind} is no type of resource that has tags.")
    if kind == "PatchBaseline":
        resource_id = resource_id.rpartition("/")[2]
    if not there[kind](resource_id):
        raise ApiError("InvalidResourceId", f"There is no {kind} {resource_id}.")
    return kind, resource_id
