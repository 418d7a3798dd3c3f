"""The compliance of nodes: of their patches, of their associations, and of what somebody put.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/compliance-about.html.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from lab.associations.association_results import AssociationResult, results_on
from lab.associations.put_compliance import ASSOCIATION, PATCH, PutCompliance, PutCompliances, PutItem
from lab.associations.state_manager import StateManager
from lab.nodes.node import ManagedNode, PatchStates
from lab.patches.findings import PatchReport, Severities
from lab.records.association import Association
from patching.baseline import ComplianceLevel
from patching.compliance import PatchState


@dataclass(frozen=True)
class ComplianceItem:
    """A patch, an association, or something of somebody's own that a node complies with or not.

    Attributes:
        id: its id.
        title: what it is called.
        severity: how serious it is if the node does not comply.
        compliant: whether the node complies; None for a patch that does not apply to it.
        executed: when that was found out.
        execution_id: what found it out; empty if that has no id.
        execution_type: what kind of thing that was.
        details: more about it.
    """

    id: str
    title: str
    severity: ComplianceLevel
    compliant: bool | None
    executed: datetime
    execution_id: str = ""
    execution_type: str = ""
    details: Mapping[str, str] = field(default_factory=dict)

    @property
    def status(self) -> str:
        """COMPLIANT or NON_COMPLIANT; empty for a patch that does not apply."""
        return {True: "COMPLIANT", False: "NON_COMPLIANT", None: ""}[self.compliant]


@dataclass(frozen=True)
class NodeCompliance:
    """The items of one type on one node, and what they add up to.

    Attributes:
        node: the node.
        type: what the items are of.
        find: makes the items; whoever only counts does without them.
        severities: the items that comply and those that do not, by their severities.
    """

    node: ManagedNode
    type: str
    find: Callable[[], tuple[ComplianceItem, ...]]
    severities: Severities
    executed: datetime
    execution_id: str = ""
    execution_type: str = ""
    details: Mapping[str, str] = field(default_factory=dict)

    @property
    def items(self) -> tuple[ComplianceItem, ...]:
        """The items."""
        return self.find()

    def levels(self, *, compliant: bool) -> Counter[ComplianceLevel]:
        """Count the items that comply, or those that do not, by their severities."""
        return self.severities[0 if compliant else 1]

    @property
    def compliant(self) -> bool:
        """Whether all items comply."""
        return not self.severities[1]

    @property
    def severity(self) -> ComplianceLevel:
        """The severity of the most serious item: of those that do not comply, if there are any."""
        levels = self.levels(compliant=False) or self.levels(compliant=True)
        return max(levels, key=lambda level: level.rank, default=ComplianceLevel.UNSPECIFIED)

    @property
    def overall_severity(self) -> ComplianceLevel:
        """The severity of the most serious item that does not comply; UNSPECIFIED if all do."""
        return self.severity if not self.compliant else ComplianceLevel.UNSPECIFIED


class Compliance:
    """What is known of the compliance of nodes.

    Args:
        state_manager: the associations.
    """

    def __init__(self, state_manager: StateManager) -> None:
        self._state_manager = state_manager
        self.put = PutCompliances()

    def of(self, node: ManagedNode) -> Iterator[NodeCompliance]:
        """Yield what is known of a node, type by type."""
        put = dict(self.put.of(node.id))
        patches = put.pop(PATCH, None)
        if patches and not (node.states and node.states.ended > patches.put):
            yield _of_put(node, patches)
        elif node.states:
            yield of_patches(node, node.states)
        associations = self._of_associations(node, put.pop(ASSOCIATION, None))
        if associations:
            yield associations
        for one in put.values():
            yield _of_put(node, one)

    def _of_associations(self, node: ManagedNode, put: PutCompliance | None) -> NodeCompliance | None:
        """Sum up the associations that ran to their end, and what somebody put about any.

        What was put about an association holds until the association runs again, or for good if its compliance is
        left to whoever puts it.
        """
        items = {one.id: _item(put, one) for one in put.items} if put else {}
        associations = self._state_manager.associations
        results = {one.association.id: one for one in results_on(node, associations.values(), over=True)}
        for key in dict.fromkeys((*results, *node.association_states)):
            if key not in associations or (associations[key].sync_manually and key not in node.association_states):
                continue
            found = _of_association(associations[key], results.get(key), node.association_states.get(key))
            if put is None or key not in items or found.executed > put.put:
                items[key] = found
        if not items:
            return None
        known = tuple(items.values())
        return NodeCompliance(node, ASSOCIATION, lambda: known, _counted(known), max(one.executed for one in known))


def _counted(items: Iterable[ComplianceItem]) -> Severities:
    comply, lack = (Counter(one.severity for one in items if one.compliant is it) for it in (True, False))
    return comply, lack


def _of_association(
    association: Association, result: AssociationResult | None, patches: PatchStates | None
) -> ComplianceItem:
    """Return the compliance of an association: that it ran well, and what was reported of patches for it.

    See https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-aws-runpatchbaselineassociation.html.
    """
    ran = [] if result is None else [(result.compliant, result.ended)]
    reported = [] if patches is None else [(not patches.non_compliant, patches.ended)]
    return ComplianceItem(
        id=association.id,
        title=association.name or association.document,
        severity=ComplianceLevel(association.severity),
        compliant=all(compliant for compliant, _ in (*ran, *reported)),
        executed=max(at for _, at in (*ran, *reported)),
        details={
            "DocumentName": association.document,
            "DocumentVersion": association.document_version or "$DEFAULT",
            **({"PatchBaselineId": patches.baseline_id} if patches else {}),
        },
    )


def of_patches(node: ManagedNode, states: PatchStates) -> NodeCompliance:
    """Return what a node reported of its patches."""
    about = {"PatchGroup": states.patch_group, "PatchBaselineId": states.baseline_id}
    ran = (states.ended, states.command_id, states.execution_type)
    return NodeCompliance(node, PATCH, partial(_patch_items, states), states.severities, *ran, about)


def _patch_items(states: PatchStates) -> tuple[ComplianceItem, ...]:
    return tuple(
        ComplianceItem(
            id=report.patch.name if not report.patch.arch else f"{report.patch.name}.{report.patch.arch}",
            title=report.title,
            severity=report.level,
            compliant=None if report.state is PatchState.NOT_APPLICABLE else states.complies(report),
            executed=states.ended,
            execution_id=states.command_id,
            execution_type=states.execution_type,
            details=_patch_details(states, report),
        )
        for report in states.reports
    )


def count_nodes(compliances: Iterable[NodeCompliance]) -> dict[str, tuple[Counter[ComplianceLevel], ...]]:
    """Count the nodes of each type that comply, and those that do not, each once, by its most serious severity."""
    counts: dict[str, tuple[Counter[ComplianceLevel], ...]] = {}
    for one in compliances:
        compliant, lacking = counts.setdefault(one.type, (Counter(), Counter()))
        (compliant if one.compliant else lacking)[one.severity] += 1
    return counts


def _patch_details(states: PatchStates, report: PatchReport) -> dict[str, str]:
    details = {"PatchState": str(report.state), "PatchBaselineId": states.baseline_id, "PatchGroup": states.patch_group}
    if report.patch.classification:
        details |= {"Classification": report.patch.classification, "PatchSeverity": report.patch.severity}
    if report.cves:
        details["CVEIds"] = ",".join(report.cves)
    return details


def _of_put(node: ManagedNode, put: PutCompliance) -> NodeCompliance:
    items = tuple(_item(put, one) for one in put.items)
    ran = (put.executed, put.execution_id, put.execution_type)
    return NodeCompliance(node, put.type, lambda: items, _counted(items), *ran)


def _item(put: PutCompliance, item: PutItem) -> ComplianceItem:
    return ComplianceItem(
        id=item.id,
        title=item.title,
        severity=item.severity,
        compliant=item.compliant,
        executed=put.executed,
        execution_id=put.execution_id,
        execution_type=put.execution_type,
        details=item.details,
    )
