"""What a look at a node's packages found, and what it adds up to.

Follows https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_InstancePatchState.html.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from patching.baseline import ComplianceLevel, Patch
from patching.compliance import PatchState

_SECURITY = ("Security", "SecurityUpdates")


@dataclass(frozen=True, slots=True)
class PatchReport:
    """One patch in a node's report.

    Attributes:
        key: the package's key.
        patch: the release that is reported: the approved one that is missing, or the installed one.
        title: what it is called.
        state: its state.
        level: compliance level of the rule that approves it.
        cves: vulnerabilities that are open because it is missing.
    """

    key: str
    patch: Patch
    title: str
    state: PatchState
    level: ComplianceLevel
    cves: tuple[str, ...] = ()


Severities = tuple[Counter[ComplianceLevel], Counter[ComplianceLevel]]
"""What complies and what does not, counted by severity."""


def is_critical(report: PatchReport) -> bool:
    """Tell whether a patch counts as critical: by the baseline's level, whatever the vendor calls it."""
    return report.level is ComplianceLevel.CRITICAL


def is_security(report: PatchReport) -> bool:
    """Tell whether a patch counts as security: by the vendor's classification."""
    return report.patch.classification in _SECURITY


def is_other(report: PatchReport) -> bool:
    """Tell whether a patch counts as neither."""
    return not is_critical(report) and not is_security(report)


@dataclass(frozen=True, slots=True)
class OpenCounts:
    """How many patches keep a node from being compliant, by what they count as: one may count as two of them.

    Attributes:
        critical: those of the baseline's critical level.
        security: those that the vendor calls security.
        other: those that are neither.
    """

    critical: int
    security: int
    other: int

    @classmethod
    def of(cls, reports: Iterable[PatchReport]) -> OpenCounts:
        """Count patches."""
        kept = tuple(reports)
        return cls(sum(map(is_critical, kept)), sum(map(is_security, kept)), sum(map(is_other, kept)))


@dataclass(frozen=True, eq=False)
class Findings:
    """What a look at a node's packages found: one for all nodes that have the same ones, as most of a fleet do.

    Attributes:
        reports: the patches.
        not_applicable: how many approved patches do not apply.
    """

    reports: tuple[PatchReport, ...]
    not_applicable: int

    def count(self, state: PatchState) -> int:
        """Return how many patches are in a state."""
        return self.not_applicable if state is PatchState.NOT_APPLICABLE else self._counts[state]

    def lacking(self, *, available_updates_comply: bool) -> tuple[PatchReport, ...]:
        """Return the patches that keep a node from being compliant."""
        return self._lacking[available_updates_comply]

    def level(self, *, available_updates_comply: bool) -> ComplianceLevel:
        """Return how serious it is that the node is not compliant, as its baseline sees it."""
        return self._levels[available_updates_comply]

    def open_counts(self, *, available_updates_comply: bool) -> OpenCounts:
        """Return how many patches keep a node from being compliant, by what they count as."""
        return self._open_counts[available_updates_comply]

    @cached_property
    def _open_counts(self) -> dict[bool, OpenCounts]:
        return {comply: OpenCounts.of(lacking) for comply, lacking in self._lacking.items()}

    @cached_property
    def _levels(self) -> dict[bool, ComplianceLevel]:
        return {
            comply: max((one.level for one in lacking), key=lambda one: one.rank, default=ComplianceLevel.UNSPECIFIED)
            for comply, lacking in self._lacking.items()
        }

    def severities(self, *, available_updates_comply: bool) -> Severities:
        """Count the patches that comply, and those that do not, by how serious their baseline has them."""
        return self._severities[available_updates_comply]

    @cached_property
    def _severities(self) -> dict[bool, Severities]:
        applying = [one for one in self.reports if one.state is not PatchState.NOT_APPLICABLE]
        return {
            comply: (
                Counter(one.level for one in applying if complies(one, available_updates_comply=comply)),
                Counter(one.level for one in lacking),
            )
            for comply, lacking in self._lacking.items()
        }

    @cached_property
    def _counts(self) -> Counter[PatchState]:
        return Counter(report.state for report in self.reports)

    @cached_property
    def _lacking(self) -> dict[bool, tuple[PatchReport, ...]]:
        return {
            comply: tuple(one for one in self.reports if not complies(one, available_updates_comply=comply))
            for comply in (True, False)
        }


def complies(report: PatchReport, *, available_updates_comply: bool) -> bool:
    """Tell whether a patch leaves its node compliant."""
    if report.state is PatchState.AVAILABLE_SECURITY_UPDATE:
        return available_updates_comply
    return report.state.compliant
