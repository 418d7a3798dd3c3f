"""What a patch that keeps a node from being compliant counts as.

Follows https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_InstancePatchState.html.
"""

from __future__ import annotations

from lab.node import PatchReport
from patching.baseline import ComplianceLevel

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
