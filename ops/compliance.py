"""Reviewing patch compliance: what the nodes reported last, and what it adds up to.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-compliance-states.html.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from ops.errors import in_words
from ops.nodes import Node, in_batches, targeted
from ops.session import Session
from patching.compliance import NodeCompliance, PatchState, severity_rank, states_not_complying
from patching.targets import Targets

MAX_IDS = 50
"""Ids that DescribeInstancePatchStates takes at one time."""

COUNTED = (
    PatchState.MISSING,
    PatchState.FAILED,
    PatchState.INSTALLED_PENDING_REBOOT,
    PatchState.INSTALLED_REJECTED,
    PatchState.INSTALLED,
    PatchState.INSTALLED_OTHER,
    PatchState.NOT_APPLICABLE,
    PatchState.AVAILABLE_SECURITY_UPDATE,
)


@dataclass(frozen=True)
class OpenPatch:
    """A patch that keeps a node from being compliant."""

    title: str
    patch_id: str
    classification: str
    severity: str
    state: PatchState
    cves: tuple[str, ...]


@dataclass(frozen=True)
class NodeReport:
    """What is known of one node.

    Attributes:
        node: the node.
        compliance: compliant, not, or unknown: never scanned, or not readable.
        counts: patches by their state.
        severity: the most serious severity among the open patches, in the vendor's words; empty if there is none.
        operation: what it did last, Scan or Install.
        at: when that ended.
        baseline_id: the baseline that it was held against.
        baseline_name: that baseline's name.
        patch_group: the patch group by which it got it; empty for the default.
        open_patches: the patches that keep it from being compliant.
    """

    node: Node
    compliance: NodeCompliance
    counts: dict[PatchState, int] = field(default_factory=dict)
    severity: str = ""
    operation: str = ""
    at: datetime | None = None
    baseline_id: str = ""
    baseline_name: str = ""
    patch_group: str = ""
    open_patches: tuple[OpenPatch, ...] = ()


@dataclass(frozen=True)
class SeveritySummary:
    """The open patches of one severity: how many of them there are, on how many nodes."""

    severity: str
    patches: int
    nodes: int


@dataclass(frozen=True)
class Review:
    """The compliance of some nodes.

    Attributes:
        at: when it was read.
        nodes: a report each.
        problems: what could not be read, in words; the nodes it concerns are unknown.
    """

    at: datetime
    nodes: tuple[NodeReport, ...]
    problems: tuple[str, ...] = ()

    def count(self, compliance: NodeCompliance) -> int:
        """Return how many nodes are compliant, not compliant or unknown."""
        return sum(report.compliance is compliance for report in self.nodes)

    @property
    def compliant(self) -> bool:
        """Tell whether every node is compliant, and known to be."""
        return all(report.compliance is NodeCompliance.COMPLIANT for report in self.nodes)

    def by_severity(self) -> list[SeveritySummary]:
        """Return the open patches by their severity, the most serious first."""
        patches = Counter(patch.severity for report in self.nodes for patch in report.open_patches)
        nodes = Counter(severity for report in self.nodes for severity in {p.severity for p in report.open_patches})
        return [
            SeveritySummary(severity, patches[severity], nodes[severity])
            for severity in sorted(patches, key=severity_rank, reverse=True)
        ]


def review(session: Session, targets: Targets) -> Review:
    """Read and judge the compliance of the nodes that are targeted.

    Raises:
        OperationError: no node is targeted.
    """
    nodes = targeted(session, targets)
    problems: list[str] = []
    states = _states(session, nodes, problems)
    baselines = _baselines(session, {state["BaselineId"] for state in states.values()}, problems)
    reports = [_report(session, node, states.get(node.id), baselines, problems) for node in nodes]
    return Review(session.now(), tuple(reports), tuple(problems))


def _states(session: Session, nodes: Sequence[Node], problems: list[str]) -> dict[str, Any]:
    states: dict[str, Any] = {}
    for batch in in_batches([node.id for node in nodes], MAX_IDS):
        try:
            pages = session.ssm.get_paginator("describe_instance_patch_states").paginate(InstanceIds=list(batch))
            for page in pages:
                states |= {state["InstanceId"]: state for state in page["InstancePatchStates"]}
        except (BotoCoreError, ClientError) as error:
            problems.append(f"patch states of {len(batch)} nodes ({batch[0]} to {batch[-1]}): {in_words(error)}")
    return states


def _baselines(session: Session, ids: set[str], problems: list[str]) -> dict[str, Any]:
    """Read the baselines that nodes were held against: their names, and what they say of available updates."""
    found = {}
    for baseline_id in sorted(ids):
        try:
            found[baseline_id] = session.ssm.get_patch_baseline(BaselineId=baseline_id)
        except (BotoCoreError, ClientError) as error:
            problems.append(f"name of baseline {baseline_id}: {in_words(error)}")
    return found


def _report(
    session: Session, node: Node, state: dict[str, Any] | None, baselines: dict[str, Any], problems: list[str]
) -> NodeReport:
    if state is None:
        return NodeReport(node, NodeCompliance.UNKNOWN)
    counts = {one: int(state.get(one.count_field, 0)) for one in COUNTED}
    baseline = baselines.get(state["BaselineId"])
    open_states = states_not_complying((baseline or {}).get("AvailableSecurityUpdatesComplianceStatus", ""))
    lacking = any(counts[one] for one in open_states)
    open_patches: tuple[OpenPatch, ...] = ()
    compliance = NodeCompliance.NON_COMPLIANT if lacking else NodeCompliance.COMPLIANT
    if baseline is None and not lacking and counts[PatchState.AVAILABLE_SECURITY_UPDATE]:
        # Whether these count is said by the baseline, which could not be read.
        compliance = NodeCompliance.UNKNOWN
    if lacking:
        try:
            open_patches = _open_patches(session, node, open_states)
        except (BotoCoreError, ClientError) as error:
            problems.append(f"patches of {node.id}: {in_words(error)}")
            compliance = NodeCompliance.UNKNOWN
    return NodeReport(
        node=node,
        compliance=compliance,
        counts=counts,
        severity=max((patch.severity for patch in open_patches), key=severity_rank, default=""),
        operation=state.get("Operation", ""),
        at=state.get("OperationEndTime"),
        baseline_id=state["BaselineId"],
        baseline_name=(baseline or {}).get("Name", ""),
        patch_group=state.get("PatchGroup", ""),
        open_patches=open_patches,
    )


def _open_patches(session: Session, node: Node, states: Collection[PatchState]) -> tuple[OpenPatch, ...]:
    """Read the open patches of one node, state by state: the rest is many times as much."""
    found = []
    for state in COUNTED:
        if state not in states:
            continue
        pages = session.ssm.get_paginator("describe_instance_patches").paginate(
            InstanceId=node.id, Filters=[{"Key": "State", "Values": [str(state)]}], PaginationConfig={"PageSize": 50}
        )
        found += [
            OpenPatch(
                title=patch["Title"],
                patch_id=patch["KBId"],
                classification=patch.get("Classification", ""),
                severity=patch.get("Severity", ""),
                state=PatchState.parse(patch["State"]),
                cves=tuple(filter(None, patch.get("CVEIds", "").split(","))),
            )
            for page in pages
            for patch in page["Patches"]
        ]
    return tuple(sorted(found, key=lambda patch: (-severity_rank(patch.severity), patch.title)))
