"""The compliance operations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

from lab.associations.compliance import ComplianceItem, NodeCompliance, count_nodes
from lab.associations.put_compliance import PutCompliance, PutItem
from lab.aws.ssm.listing import paged
from lab.aws.ssm.operation import Reply, Request, operation, page
from lab.engine import Engine
from lab.patches.comparison import EQUAL, passes
from lab.world.errors import ApiError
from patching.baseline import ComplianceLevel

Filter = tuple[str, list[str], str]
"""A key, values and a comparison."""

_RESOURCE = "ManagedInstance"
_EXECUTION_KEYS = ("ExecutionTime", "ExecutionId", "ExecutionType")
_ITEM_KEYS = (
    "ComplianceType",
    "ResourceType",
    "ResourceId",
    "Id",
    "Title",
    "Status",
    "Severity",
    *_EXECUTION_KEYS,
    "DocumentName",
    "DocumentVersion",
    "Classification",
    "PatchBaselineId",
    "PatchSeverity",
    "PatchState",
    "PatchGroup",
    "InstalledTime",
)
_SUMMARY_KEYS = (
    "ComplianceType",
    "ResourceType",
    "ResourceId",
    "Status",
    "OverallSeverity",
    *_EXECUTION_KEYS,
    "PatchGroup",
    "PatchBaselineId",
)
_PREFIXES = ("AWS:ComplianceItem.", "AWS:ComplianceSummary.")
"""Filters may also name what they are about as inventory has it."""


@operation
def put_compliance_items(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutComplianceItems.html."""
    _check_resource_type(request["ResourceType"])
    node = engine.fleet.get(request["ResourceId"])
    if node is None:
        raise ApiError("InvalidResourceId", f"{request['ResourceId']} is not a managed node.")
    execution = request["ExecutionSummary"]
    items = [
        PutItem(
            one.get("Id") or "",
            one.get("Title") or "",
            ComplianceLevel(one["Severity"]),
            one["Status"] == "COMPLIANT",
            dict(one.get("Details") or {}),
        )
        for one in request["Items"]
    ]
    if len({one.id for one in items}) < len(items):
        raise ApiError("InvalidItemContentException", "Two items have the same Id.")
    given = PutCompliance(
        request["ComplianceType"],
        tuple(items),
        engine.clock.now,
        datetime.fromtimestamp(execution["ExecutionTime"], UTC),
        execution.get("ExecutionId") or "",
        execution.get("ExecutionType") or "",
        request.get("ItemContentHash") or "",
    )
    engine.compliance.put.put(node.id, given, partial=request.get("UploadType") == "PARTIAL")
    engine.inventory.changed(node)
    return {}


@operation
def list_compliance_items(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ListComplianceItems.html."""
    for kind in request.get("ResourceTypes") or ():
        _check_resource_type(kind)
    ids = request.get("ResourceIds")
    if ids and len(ids) > 1:
        raise ApiError("InvalidResourceId", "Only one resource id can be asked for at a time.")
    filters = _filters(request, _ITEM_KEYS)
    reply = paged(
        engine,
        request,
        "ComplianceItems",
        lambda: (
            (one, item)
            for one in _known(engine, ids or _named(filters))
            for item in one.items
            if not filters or _passes(engine, one, _item_values(one, item), filters)
        ),
    )
    return {**reply, "ComplianceItems": [_item(*one) for one in reply["ComplianceItems"]]}


@operation
def list_resource_compliance_summaries(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ListResourceComplianceSummaries.html."""
    filters = _filters(request, _SUMMARY_KEYS)
    reply = paged(engine, request, "ResourceComplianceSummaryItems", lambda: _summed_up(engine, filters))
    described = [_resource(one) for one in reply["ResourceComplianceSummaryItems"]]
    return {**reply, "ResourceComplianceSummaryItems": described}


@operation
def list_compliance_summaries(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ListComplianceSummaries.html.

    The counts are of nodes: each counts once, by the most serious level among its items.
    """
    filters = _filters(request, _SUMMARY_KEYS)
    items = [
        {"ComplianceType": kind, **_counts(compliant, lacking)}
        for kind, (compliant, lacking) in count_nodes(_summed_up(engine, filters)).items()
    ]
    return page(request, "ComplianceSummaryItems", items)


def _check_resource_type(kind: str) -> None:
    if kind != _RESOURCE:
        raise ApiError("InvalidResourceType", f"{kind} is not {_RESOURCE}, the only type of resource there is.")


def _known(engine: Engine, ids: Iterable[str] | None) -> Iterator[NodeCompliance]:
    nodes = engine.fleet.nodes() if ids is None else filter(None, map(engine.fleet.get, dict.fromkeys(ids)))
    for node in nodes:
        yield from engine.compliance.of(node)


def _named(filters: Iterable[Filter]) -> list[str] | None:
    """Return the ids of the only nodes that filters let through, or None if they do not say it."""
    return next((wanted for key, wanted, comparison in filters if (key, comparison) == ("ResourceId", EQUAL)), None)


def _summed_up(engine: Engine, filters: Sequence[Filter]) -> Iterator[NodeCompliance]:
    found = _known(engine, _named(filters))
    return (one for one in found if not filters or _passes(engine, one, _summary_values(one), filters))


def _filters(request: Request, known: Iterable[str]) -> list[Filter]:
    """Return the key, the values and the comparison of each filter.

    Raises:
        ApiError: a key that there is not, or a filter without a key or values.
    """
    found = []
    for one in request.get("Filters") or ():
        key, values = one.get("Key") or "", one.get("Values")
        for prefix in _PREFIXES:
            key = key.removeprefix(prefix)
        if not values or (key not in known and not key.startswith("AWS:")):
            message = f"{key or 'A filter without a key'} is not a valid filter; valid keys are {', '.join(known)}."
            raise ApiError("InvalidFilter", message)
        found.append((key, list(values), one.get("Type") or EQUAL))
    return found


def _passes(engine: Engine, one: NodeCompliance, values: Mapping[str, str], filters: Iterable[Filter]) -> bool:
    for key, wanted, comparison in filters:
        found = engine.inventory.values(one.node, key) if key.startswith("AWS:") else [values.get(key, "")]
        if not passes(found, wanted, comparison):
            return False
    return True


def _execution_values(one: NodeCompliance | ComplianceItem) -> dict[str, str]:
    return {
        "ExecutionTime": one.executed.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "ExecutionId": one.execution_id,
        "ExecutionType": one.execution_type,
    }


def _item_values(one: NodeCompliance, item: ComplianceItem) -> dict[str, str]:
    return {
        **item.details,
        **_execution_values(item),
        "ComplianceType": one.type,
        "ResourceType": _RESOURCE,
        "ResourceId": one.node.id,
        "Id": item.id,
        "Title": item.title,
        "Status": item.status,
        "Severity": str(item.severity),
    }


def _summary_values(one: NodeCompliance) -> dict[str, str]:
    return {
        **one.details,
        **_execution_values(one),
        "ComplianceType": one.type,
        "ResourceType": _RESOURCE,
        "ResourceId": one.node.id,
        "Status": _status(one),
        "OverallSeverity": str(one.overall_severity),
    }


def _item(one: NodeCompliance, item: ComplianceItem) -> Reply:
    return {
        "ComplianceType": one.type,
        "ResourceType": _RESOURCE,
        "ResourceId": one.node.id,
        "Id": item.id,
        "Title": item.title,
        "Status": item.status,
        "Severity": str(item.severity),
        "ExecutionSummary": _execution(item),
        "Details": dict(item.details),
    }


def _resource(one: NodeCompliance) -> Reply:
    return {
        "ComplianceType": one.type,
        "ResourceType": _RESOURCE,
        "ResourceId": one.node.id,
        "Status": _status(one),
        "OverallSeverity": str(one.overall_severity),
        "ExecutionSummary": _execution(one),
        **_counts(one.levels(compliant=True), one.levels(compliant=False)),
    }


def _status(one: NodeCompliance) -> str:
    return "COMPLIANT" if one.compliant else "NON_COMPLIANT"


def _execution(one: NodeCompliance | ComplianceItem) -> Reply:
    execution: Reply = {"ExecutionTime": one.executed}
    if one.execution_id:
        execution["ExecutionId"] = one.execution_id
    if one.execution_type:
        execution["ExecutionType"] = one.execution_type
    return execution


def _counts(compliant: Counter[ComplianceLevel], lacking: Counter[ComplianceLevel]) -> Reply:
    return {
        "CompliantSummary": {"CompliantCount": compliant.total(), "SeveritySummary": _severities(compliant)},
        "NonCompliantSummary": {"NonCompliantCount": lacking.total(), "SeveritySummary": _severities(lacking)},
    }


def _severities(counts: Counter[ComplianceLevel]) -> Reply:
    return {f"{level.capitalize()}Count": counts[level] for level in ComplianceLevel}
