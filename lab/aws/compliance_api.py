"""The compliance operations, for patches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from lab.aws.operation import Reply, Request, operation, page
from lab.engine import Engine
from lab.node import ManagedNode, PatchReport, PatchStates
from patching.baseline import ComplianceLevel
from patching.compliance import PatchState

_TYPE = "Patch"


@operation
def list_compliance_items(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ListComplianceItems.html."""
    ids = request.get("ResourceIds")
    items = [
        _item(node, node.states, report)
        for node in engine.fleet.nodes()
        if node.states and (not ids or node.id in ids)
        for report in node.states.reports
    ]
    return page(request, "ComplianceItems", [one for one in items if _passes(one, request)])


@operation
def list_resource_compliance_summaries(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ListResourceComplianceSummaries.html."""
    items = [_resource(node, node.states) for node in engine.fleet.nodes() if node.states]
    return page(request, "ResourceComplianceSummaryItems", [one for one in items if _passes(one, request)])


@operation
def list_compliance_summaries(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ListComplianceSummaries.html.

    The counts are of nodes: each counts once, by the most serious level among its patches.
    """
    scanned = [node.states for node in engine.fleet.nodes() if node.states]
    compliant = [_level(one.reports) for one in scanned if not one.non_compliant]
    lacking = [_level(one.non_compliant) for one in scanned if one.non_compliant]
    items = [
        {
            "ComplianceType": _TYPE,
            "CompliantSummary": {"CompliantCount": len(compliant), "SeveritySummary": _severities(compliant)},
            "NonCompliantSummary": {"NonCompliantCount": len(lacking), "SeveritySummary": _severities(lacking)},
        }
    ]
    return page(request, "ComplianceSummaryItems", items if scanned else [])


def _passes(item: Reply, request: Request) -> bool:
    for one in request.get("Filters") or ():
        found = str(item.get(one["Key"].rpartition(":")[2], ""))
        equal = found in one["Values"]
        if equal is (one.get("Type") == "NOT_EQUAL"):
            return False
    return True


def _item(node: ManagedNode, states: PatchStates, report: PatchReport) -> Reply:
    details = {"PatchState": str(report.state), "PatchBaselineId": states.baseline_id, "PatchGroup": states.patch_group}
    if report.patch.classification:
        details |= {"Classification": report.patch.classification, "PatchSeverity": report.patch.severity}
    if report.cves:
        details["CVEIds"] = ",".join(report.cves)
    return {
        "ComplianceType": _TYPE,
        "ResourceType": "ManagedInstance",
        "ResourceId": node.id,
        "Id": report.patch.name if not report.patch.arch else f"{report.patch.name}.{report.patch.arch}",
        "Title": report.title,
        "Status": _status(states, report),
        "Severity": str(report.level),
        "ExecutionSummary": _execution(states),
        "Details": details,
    }


def _status(states: PatchStates, report: PatchReport) -> str:
    """Return a patch's status, which is empty for one that does not apply."""
    if report.state is PatchState.NOT_APPLICABLE:
        return ""
    return "COMPLIANT" if states.complies(report) else "NON_COMPLIANT"


def _resource(node: ManagedNode, states: PatchStates) -> Reply:
    compliant = [report.level for report in states.reports if _status(states, report) == "COMPLIANT"]
    lacking = [report.level for report in states.non_compliant]
    return {
        "ComplianceType": _TYPE,
        "ResourceType": "ManagedInstance",
        "ResourceId": node.id,
        "Status": "NON_COMPLIANT" if lacking else "COMPLIANT",
        "OverallSeverity": str(_level(states.non_compliant)),
        "ExecutionSummary": _execution(states),
        "CompliantSummary": {"CompliantCount": len(compliant), "SeveritySummary": _severities(compliant)},
        "NonCompliantSummary": {"NonCompliantCount": len(lacking), "SeveritySummary": _severities(lacking)},
    }


def _execution(states: PatchStates) -> Reply:
    return {"ExecutionTime": states.ended, "ExecutionId": states.command_id, "ExecutionType": states.execution_type}


def _level(reports: Iterable[PatchReport]) -> ComplianceLevel:
    return max((report.level for report in reports), key=lambda level: level.rank, default=ComplianceLevel.UNSPECIFIED)


def _severities(levels: Iterable[ComplianceLevel]) -> Reply:
    counts = Counter(levels)
    return {f"{level.capitalize()}Count": counts[level] for level in ComplianceLevel}
