"""What a patch that keeps a node from being compliant counts as.

Follows https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_InstancePatchState.html.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from patching.baseline import ComplianceLevel

if TYPE_CHECKING:
    from lab.node import PatchReport

_SECURITY = ("Security", "SecurityUpdates")


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
