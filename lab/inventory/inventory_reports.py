"""The inventory that comes about by itself: of the agent, the tags, patching and compliance.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/inventory-schema.html and
https://aws.amazon.com/blogs/mt/understanding-aws-systems-manager-inventory-metadata/.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from lab.associations.compliance import ComplianceItem, NodeCompliance
from lab.nodes.inventory_types import Entry, InventoryItem, aws_item, stamp
from lab.nodes.node import ManagedNode, PatchStates
from patching.baseline import ComplianceLevel
from patching.compliance import PatchState

_COUNTED = (
    PatchState.INSTALLED,
    PatchState.INSTALLED_OTHER,
    PatchState.INSTALLED_PENDING_REBOOT,
    PatchState.INSTALLED_REJECTED,
    PatchState.NOT_APPLICABLE,
    PatchState.MISSING,
    PatchState.FAILED,
)


def _instance_information(node: ManagedNode, compliances: Iterable[NodeCompliance]) -> InventoryItem | None:  # noqa: ARG001 as all reports
    return aws_item("AWS:InstanceInformation", node.last_ping, [_information(node)])


def _tag(node: ManagedNode, compliances: Iterable[NodeCompliance]) -> InventoryItem | None:  # noqa: ARG001 as above
    entries = [{"Key": key, "Value": value} for key, value in node.tags.items()]
    return aws_item("AWS:Tag", node.last_ping, entries) if entries else None


def _patch_summaries(node: ManagedNode, compliances: Iterable[NodeCompliance]) -> InventoryItem | None:  # noqa: ARG001 as above
    return aws_item("AWS:PatchSummary", node.states.ended, [_patch_summary(node.states)]) if node.states else None


def _compliance_items(node: ManagedNode, compliances: Iterable[NodeCompliance]) -> InventoryItem | None:  # noqa: ARG001 as above
    known = list(compliances)
    entries = [_item(one, item) for one in known for item in one.items]
    return aws_item("AWS:ComplianceItem", max(one.executed for one in known), entries) if known else None


def _compliance_summaries(node: ManagedNode, compliances: Iterable[NodeCompliance]) -> InventoryItem | None:  # noqa: ARG001 as above
    known = list(compliances)
    return (
        aws_item("AWS:ComplianceSummary", max(one.executed for one in known), map(_summary, known)) if known else None
    )


REPORTS: dict[str, Callable[[ManagedNode, Iterable[NodeCompliance]], InventoryItem | None]] = {
    "AWS:InstanceInformation": _instance_information,
    "AWS:Tag": _tag,
    "AWS:PatchSummary": _patch_summaries,
    "AWS:ComplianceItem": _compliance_items,
    "AWS:ComplianceSummary": _compliance_summaries,
}
"""What is known of a node, and of its compliance, without anybody collecting it; None if nothing is known yet."""


def _information(node: ManagedNode) -> Entry:
    return {
        "AgentType": "amazon-ssm-agent",
        "AgentVersion": node.agent_version,
        "ComputerName": node.computer_name,
        "IamRole": node.role.partition(":role/")[2] if node.hybrid else "",
        "InstanceId": node.id,
        "InstanceStatus": "Stopped" if node.stopped else "Active" if node.online else "ConnectionLost",
        "IpAddress": node.ip,
        "PlatformName": node.catalogue.platform_name,
        "PlatformType": str(node.catalogue.system.platform_type),
        "PlatformVersion": node.catalogue.platform_version,
        "ResourceType": "ManagedInstance" if node.hybrid else "EC2Instance",
    }


def _patch_summary(states: PatchStates) -> Entry:
    lacking = states.open_counts
    return {
        "PatchGroup": states.patch_group,
        "BaselineId": states.baseline_id,
        "SnapshotId": states.snapshot_id,
        **{state.count_field: str(states.count(state)) for state in _COUNTED},
        "CriticalNonCompliantCount": str(lacking.critical),
        "SecurityNonCompliantCount": str(lacking.security),
        "OtherNonCompliantCount": str(lacking.other),
        "OperationType": str(states.operation),
        "OperationStartTime": stamp(states.started),
        "OperationEndTime": stamp(states.ended),
        "RebootOption": str(states.reboot),
    }


def _execution(one: NodeCompliance | ComplianceItem) -> Entry:
    return {
        "ExecutionId": one.execution_id,
        "ExecutionType": one.execution_type,
        "ExecutionTime": stamp(one.executed),
    }


def _item(one: NodeCompliance, item: ComplianceItem) -> Entry:
    return {
        **item.details,
        "ComplianceType": one.type,
        **_execution(item),
        "Id": item.id,
        "Title": item.title,
        "Status": item.status,
        "Severity": str(item.severity),
    }


def _summary(one: NodeCompliance) -> Entry:
    compliant, lacking = one.levels(compliant=True), one.levels(compliant=False)
    return {
        **one.details,
        "ComplianceType": one.type,
        "Status": "COMPLIANT" if one.compliant else "NON_COMPLIANT",
        "OverallSeverity": str(one.overall_severity),
        **_execution(one),
        **{f"Compliant{level.capitalize()}Count": str(compliant[level]) for level in ComplianceLevel},
        **{f"NonCompliant{level.capitalize()}Count": str(lacking[level]) for level in ComplianceLevel},
    }
