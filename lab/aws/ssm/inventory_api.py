"""The operations on inventory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from lab.aws.ssm.listing import paged
from lab.aws.ssm.operation import Reply, Request, operation, page, refuse, without_empty
from lab.engine import Engine
from lab.inventory.inventory import Deletion
from lab.nodes.inventory_types import Entry, InventoryItem, InventoryType
from lab.nodes.node import ManagedNode
from lab.patches.comparison import EQUAL, passes
from lab.world.errors import ApiError

_DEFAULT_TYPE = "AWS:InstanceInformation"
_EXISTS = "Exists"
_CONTEXT_TYPES = ("AWS:ComplianceItem",)
Known = Callable[[str], InventoryItem | None]
"""What a node has of a type, if anything."""

Types = Mapping[str, InventoryType]


@operation
def put_inventory(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutInventory.html."""
    node = _node(engine, request["InstanceId"])
    for one in request["Items"]:
        if one.get("Context") and one["TypeName"] not in _CONTEXT_TYPES:
            message = f"Context is not for {one['TypeName']}."
            raise ApiError("UnsupportedInventoryItemContextException", message)
    items = [
        InventoryItem(
            one["TypeName"],
            one["SchemaVersion"],
            one["CaptureTime"],
            tuple(dict(entry) for entry in one.get("Content") or ()),
            one.get("ContentHash") or "",
        )
        for one in request["Items"]
    ]
    engine.inventory.put(node, items)
    return {"Message": "Inventory was successfully updated"}


@operation
def list_inventory_entries(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ListInventoryEntries.html."""
    node, kind = _node(engine, request["InstanceId"]), request["TypeName"]
    known_type = engine.inventory.types().get(kind)
    if known_type is None:
        raise ApiError("InvalidTypeNameException", f"There is no inventory type {kind}.")
    filters = [(_attribute(one["Key"], kind), one) for one in request.get("Filters") or ()]
    for attribute, one in filters:
        if attribute not in known_type.attributes or one.get("Type") == _EXISTS:
            raise ApiError("InvalidFilter", f"{one['Key']} with {one.get('Type') or EQUAL} is no filter of {kind}.")
    item = engine.inventory.item(node, kind)
    found = [
        dict(entry)
        for entry in (item.entries if item else ())
        if all(passes(_of(entry, attribute), one["Values"], one.get("Type") or EQUAL) for attribute, one in filters)
    ]
    return without_empty(
        {
            **page(request, "Entries", found),
            "TypeName": kind,
            "InstanceId": node.id,
            "SchemaVersion": item.version if item else known_type.version,
            "CaptureTime": item.captured if item else None,
        }
    )


@operation
def get_inventory(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetInventory.html.

    What is counted follows https://docs.aws.amazon.com/systems-manager/latest/userguide/inventory-aggregate.html.
    """
    filters = list(request.get("Filters") or ())
    if any(one.get("Type") == _EXISTS for one in filters):
        raise ApiError("InvalidFilter", "Exists is for the groups of aggregators only.")
    types = engine.inventory.types()
    by_type = _by_type(types, filters)

    def found() -> Iterator[tuple[ManagedNode, Known]]:
        return ((node, known) for node, known in _inventories(engine) if _matches(known, by_type))

    if request.get("Aggregators"):
        entities = [
            entity
            for one in request["Aggregators"]
            for entity in _aggregated(types, one, [known for _, known in found()])
        ]
        return page(request, "Entities", entities)
    (kind,) = [one["TypeName"] for one in request.get("ResultAttributes") or ()] or [_DEFAULT_TYPE]
    if kind not in types:
        raise ApiError("InvalidResultAttributeException", f"There is no inventory type {kind}.")
    reply = paged(engine, request, "Entities", found)
    return {**reply, "Entities": [_entity(node, known(kind)) for node, known in reply["Entities"]]}


@operation
def get_inventory_schema(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetInventorySchema.html."""
    refuse(request, "SubType")
    types, name = engine.inventory.types(), request.get("TypeName")
    if name and name not in types:
        raise ApiError("InvalidTypeNameException", f"There is no inventory type {name}.")
    schemas = []
    for one in [types[name]] if name else types.values():
        names = one.aggregated if request.get("Aggregator") else one.attributes
        if names:
            attributes = [{"Name": key, "DataType": one.attributes[key]} for key in names]
            schemas.append(
                {
                    "TypeName": one.name,
                    "Version": one.version,
                    "DisplayName": one.display_name,
                    "Attributes": attributes,
                }
            )
    return page(request, "Schemas", schemas)


@operation
def delete_inventory(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DeleteInventory.html."""
    dry_run = bool(request.get("DryRun"))
    deletion = engine.inventory.delete(
        request["TypeName"],
        disable=request.get("SchemaDeleteOption") == "DisableSchema",
        dry_run=dry_run,
        token=request.get("ClientToken") or "",
    )
    summary = _summary(deletion, remaining=True)
    return without_empty({"DeletionId": deletion.id, "TypeName": deletion.type, "DeletionSummary": summary})


@operation
def describe_inventory_deletions(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeInventoryDeletions.html."""
    wanted = request.get("DeletionId")
    found = [one for one in engine.inventory.deletions if wanted in (None, one.id)]
    if wanted and not found:
        raise ApiError("InvalidDeletionIdException", f"There is no deletion {wanted}.")
    described = [
        {
            "DeletionId": one.id,
            "TypeName": one.type,
            "DeletionStartTime": one.at,
            "LastStatus": "Complete",
            "LastStatusMessage": "Deletion is successful",
            "DeletionSummary": _summary(one, remaining=False),
            "LastStatusUpdateTime": one.at,
        }
        for one in found
    ]
    return page(request, "InventoryDeletions", described)


def _node(engine: Engine, node_id: str) -> ManagedNode:
    node = engine.fleet.get(node_id)
    if node is None:
        raise ApiError("InvalidInstanceId", f"{node_id} is not a managed node.")
    return node


def _inventories(engine: Engine) -> Iterator[tuple[ManagedNode, Known]]:
    return ((node, partial(engine.inventory.item, node)) for node in engine.fleet.nodes())


def _attribute(key: str, kind: str) -> str:
    return key.removeprefix(f"{kind}.")


def _of(entry: Entry, attribute: str) -> Sequence[str]:
    return (entry[attribute],) if attribute in entry else ()


def _by_type(types: Types, filters: Iterable[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    """Sort filters by the types that they are about; raise `ApiError` for one that is about what there is not."""
    by_type: dict[str, list[Mapping[str, Any]]] = {}
    for one in filters:
        kind, _, attribute = one["Key"].partition(".")
        if kind not in types or attribute not in types[kind].attributes:
            raise ApiError("InvalidFilter", f"{one['Key']} is no attribute of an inventory type.")
        by_type.setdefault(kind, []).append({**one, "Key": attribute})
    return by_type


def _matches(known: Known, by_type: Mapping[str, Sequence[Mapping[str, Any]]]) -> bool:
    """Tell whether a node gets through filters; those about one type have to hold for one and the same entry."""
    return all(
        any(
            all(passes(_of(entry, one["Key"]), one["Values"], one.get("Type") or EQUAL) for one in wanted)
            for entry in _entries(known, kind)
        )
        for kind, wanted in by_type.items()
    )


def _entries(known: Known, kind: str) -> Sequence[Entry]:
    item = known(kind)
    return item.entries if item else ()


def _entity(node: ManagedNode, item: InventoryItem | None) -> Reply:
    entity: Reply = {"Id": node.id, "Data": {}}
    if item:
        entity["Data"][item.type] = without_empty(
            {
                "TypeName": item.type,
                "SchemaVersion": item.version,
                "CaptureTime": item.captured,
                "ContentHash": item.content_hash,
                "Content": [dict(entry) for entry in item.entries],
            }
        )
    return entity


def _aggregated(types: Types, aggregator: Mapping[str, Any], inventories: Sequence[Known]) -> list[Reply]:
    """Count nodes by the values of attributes, or by whether they match groups of filters."""
    if aggregator.get("Groups"):
        return [_group(types, group, inventories) for group in aggregator["Groups"]]
    expressions = _expressions(types, aggregator)
    kind = expressions[0][0]
    counts = Counter(row for known in inventories for row in _rows(known, expressions))
    names = [attribute for _, attribute in expressions]
    content = [{**dict(zip(names, row, strict=True)), "Count": str(number)} for row, number in sorted(counts.items())]
    version = types[kind].version
    return [{"Data": {kind: {"TypeName": kind, "SchemaVersion": version, "Content": content}}}]


def _expressions(types: Types, aggregator: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the types and attributes that an aggregator counts, with those inside of it.

    Raises:
        ApiError: what cannot be aggregated.
    """
    kind, _, attribute = str(aggregator.get("Expression") or "").partition(".")
    known = types.get(kind)
    if known is None or attribute not in known.aggregated:
        message = f"{aggregator.get('Expression') or 'An aggregator without an expression'} cannot be aggregated."
        raise ApiError("InvalidAggregatorException", message)
    inner = list(aggregator.get("Aggregators") or ())
    if len(inner) > 1:
        raise ApiError("InvalidAggregatorException", "The local AWS takes one aggregator inside of another.")
    return [(kind, attribute), *(found for one in inner for found in _expressions(types, one))]


def _rows(known: Known, expressions: Sequence[tuple[str, str]]) -> set[tuple[str, ...]]:
    """Return the combinations of values that a node has; those of one type come from one entry."""
    rows: list[dict[tuple[str, str], str]] = [{}]
    for kind in dict.fromkeys(kind for kind, _ in expressions):
        attributes = [attribute for one, attribute in expressions if one == kind]
        entries = _entries(known, kind)
        rows = [
            row | {(kind, attribute): entry[attribute] for attribute in attributes}
            for row in rows
            for entry in entries
            if all(attribute in entry for attribute in attributes)
        ]
    return {tuple(row[one] for one in expressions) for row in rows}


def _group(types: Types, group: Mapping[str, Any], inventories: Sequence[Known]) -> Reply:
    name, filters = group["Name"], group["Filters"]
    if not all(one["Key"] == "TypeName" and one.get("Type") == _EXISTS for one in filters):
        message = f"Group {name}: the local AWS takes filters with the key TypeName and the type {_EXISTS}."
        raise ApiError("InvalidInventoryGroupException", message)
    unknown = {value for one in filters for value in one["Values"]} - set(types)
    if unknown:
        raise ApiError("InvalidInventoryGroupException", f"There is no inventory type {', '.join(sorted(unknown))}.")
    matching = sum(all(any(known(value) for value in one["Values"]) for one in filters) for known in inventories)
    content = [{"notMatchingCount": str(len(inventories) - matching)}, {"matchingCount": str(matching)}]
    # The shape of an item asks for a type and a version, which AWS's own example of a group does not show.
    return {"Data": {name: {"TypeName": f"Custom:{name}", "SchemaVersion": "1.0", "Content": content}}}


def _summary(deletion: Deletion, *, remaining: bool) -> Reply:
    total = deletion.counts.total()
    return {
        "TotalCount": total,
        "RemainingCount": total if remaining else 0,
        "SummaryItems": [
            {"Version": version, "Count": count, "RemainingCount": count if remaining else 0}
            for version, count in sorted(deletion.counts.items())
        ],
    }
