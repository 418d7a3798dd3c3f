"""What the compliance of many nodes adds up to: by severity, patch group, baseline and patch, as the nodes come."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ops.compliance import NodeReport, OpenPatch, Review
from patching.compliance import NodeCompliance, severity_rank

UNLISTED = {"critical": "Critical", "security": "Security", "other": "Other"}
"""By which kinds open patches are counted where the patches themselves were not read: those of the service."""


@dataclass(frozen=True)
class SeverityCount:
    """The open patches of one severity.

    Attributes:
        severity: in the vendor's words; of the service's three kinds if the patches were not read.
        patches: how many are open, counting one on two nodes twice.
        nodes: on how many nodes.
    """

    severity: str
    patches: int
    nodes: int


@dataclass(frozen=True)
class GroupCount:
    """The nodes of one patch group, or of one baseline.

    Attributes:
        name: the patch group, or the baseline's name; empty for nodes without one.
        compliant: nodes that are compliant.
        non_compliant: nodes that are not.
        unknown: nodes of which it is not known.
        open_patches: patches that keep nodes from being compliant, counting one on two nodes twice.
        oldest: when the node that reported longest ago did; null if none ever did.
    """

    name: str
    compliant: int
    non_compliant: int
    unknown: int
    open_patches: int
    oldest: datetime | None


@dataclass(frozen=True)
class PatchCount:
    """One patch that is open somewhere.

    Attributes:
        patch: the patch, in the state in which it is on most nodes.
        nodes: on how many nodes it is open.
    """

    patch: OpenPatch
    nodes: int


@dataclass(frozen=True)
class Summary:
    """What the reports of some nodes add up to.

    Attributes:
        nodes: how many nodes there are.
        compliant: how many are compliant.
        non_compliant: how many are not.
        unknown: how many are not known: never scanned, or not readable.
        stale: how many reported longer ago than was asked for.
        severities: open patches by severity, the most serious first.
        groups: nodes by patch group, by its name.
        baselines: nodes by baseline, by its name.
        patches: open patches, those on most nodes first; none if they were not read.
    """

    nodes: int
    compliant: int
    non_compliant: int
    unknown: int
    stale: int
    severities: tuple[SeverityCount, ...]
    groups: tuple[GroupCount, ...]
    baselines: tuple[GroupCount, ...]
    patches: tuple[PatchCount, ...]

    @property
    def all_compliant(self) -> bool:
        """Tell whether every node is compliant and known to be, and none of them stale."""
        return self.compliant == self.nodes and not self.stale


@dataclass(frozen=True)
class ComplianceReport:
    """The compliance of some nodes, as it is written.

    Attributes:
        nodes: a report each; only those that were asked for.
        summary: what all of them add up to, shown or not.
        at: when it was read.
        problems: what could not be read, in words; the nodes it concerns are unknown.
    """

    nodes: tuple[NodeReport, ...]
    summary: Summary
    at: datetime
    problems: tuple[str, ...]


@dataclass
class _Group:
    compliance: Counter[NodeCompliance] = field(default_factory=Counter)
    open_patches: int = 0
    oldest: datetime | None = None

    def add(self, report: NodeReport) -> None:
        self.compliance[report.compliance] += 1
        self.open_patches += report.open
        if report.at and (self.oldest is None or report.at < self.oldest):
            self.oldest = report.at


class Counting:
    """Adds reports up one by one, and keeps none of them.

    Args:
        now: tells the time.
        stale_days: days after which a report is stale; never by default.
    """

    def __init__(self, now: Callable[[], datetime], stale_days: int | None = None) -> None:
        self._now = now
        self._stale_days = stale_days
        self._compliance: Counter[NodeCompliance] = Counter()
        self._stale = 0
        self._patches: Counter[str] = Counter()
        self._nodes: Counter[str] = Counter()
        self._groups: dict[str, _Group] = defaultdict(_Group)
        self._baselines: dict[str, _Group] = defaultdict(_Group)
        self._by_patch: dict[str, tuple[OpenPatch, int]] = {}

    def is_stale(self, report: NodeReport) -> bool:
        """Tell whether a node reported longer ago than is asked for, or never."""
        if self._stale_days is None:
            return False
        return report.at is None or self._now() - report.at > timedelta(days=self._stale_days)

    def add(self, report: NodeReport) -> None:
        """Add a node."""
        self._compliance[report.compliance] += 1
        self._stale += self.is_stale(report)
        self._groups[report.patch_group].add(report)
        self._baselines[report.baseline_name].add(report)
        for severity, patches in _by_severity(report).items():
            self._patches[severity] += patches
            self._nodes[severity] += 1
        for patch in report.open_patches:
            known, nodes = self._by_patch.get(patch.title, (patch, 0))
            self._by_patch[patch.title] = (known, nodes + 1)

    def summary(self) -> Summary:
        """Return what it adds up to so far."""
        ranked = sorted(self._patches, key=lambda one: (-severity_rank(one), one))
        patches = [PatchCount(patch, nodes) for patch, nodes in self._by_patch.values()]
        return Summary(
            nodes=self._compliance.total(),
            compliant=self._compliance[NodeCompliance.COMPLIANT],
            non_compliant=self._compliance[NodeCompliance.NON_COMPLIANT],
            unknown=self._compliance[NodeCompliance.UNKNOWN],
            stale=self._stale,
            severities=tuple(SeverityCount(one, self._patches[one], self._nodes[one]) for one in ranked),
            groups=_counts(self._groups),
            baselines=_counts(self._baselines),
            patches=tuple(
                sorted(patches, key=lambda one: (-one.nodes, -severity_rank(one.patch.severity), one.patch.title))
            ),
        )


def _by_severity(report: NodeReport) -> dict[str, int]:
    """Return how many open patches of each severity a node has."""
    if report.open_patches:
        return Counter(patch.severity for patch in report.open_patches)
    return {word: getattr(report, kind) for kind, word in UNLISTED.items() if getattr(report, kind)}


def summarize(review: Review) -> Summary:
    """Return what a review adds up to."""
    counting = Counting(lambda: review.at)
    for report in review.nodes:
        counting.add(report)
    return counting.summary()


def _counts(groups: dict[str, _Group]) -> tuple[GroupCount, ...]:
    return tuple(
        GroupCount(
            name=name,
            compliant=group.compliance[NodeCompliance.COMPLIANT],
            non_compliant=group.compliance[NodeCompliance.NON_COMPLIANT],
            unknown=group.compliance[NodeCompliance.UNKNOWN],
            open_patches=group.open_patches,
            oldest=group.oldest,
        )
        for name, group in sorted(groups.items())
    )
