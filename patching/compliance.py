"""Patch compliance: the states of a patch on a node, and what they add up to.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-compliance-states.html and
https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_InstancePatchState.html.
"""

from __future__ import annotations

from enum import StrEnum

from patching.errors import InvalidValueError

SEVERITIES = ("Critical", "Important", "High", "Moderate", "Medium", "Low", "Informational", "Unspecified", "")
"""The vendors' severities, the most serious first; Moderate and Medium are two words for one."""


class PatchState(StrEnum):
    """The state of one patch on one node, as DescribeInstancePatches writes it.

    AWS's API reference lists these in capitals (INSTALLED_OTHER), its examples and the service write them like this;
    `PatchState.parse` reads both.
    """

    INSTALLED = "Installed"
    INSTALLED_OTHER = "InstalledOther"
    INSTALLED_PENDING_REBOOT = "InstalledPendingReboot"
    INSTALLED_REJECTED = "InstalledRejected"
    MISSING = "Missing"
    FAILED = "Failed"
    NOT_APPLICABLE = "NotApplicable"
    AVAILABLE_SECURITY_UPDATE = "AvailableSecurityUpdate"

    @classmethod
    def parse(cls, name: str) -> PatchState:
        """Read a state in either spelling.

        Raises:
            InvalidValueError: neither spelling of a known state.
        """
        wanted = name.replace("_", "").casefold()
        for state in cls:
            if state.casefold() == wanted:
                return state
        message = f"{name!r} is not a patch state; expected one of {', '.join(cls)}"
        raise InvalidValueError(message)

    @property
    def compliant(self) -> bool:
        """Tell whether a patch in this state leaves its node compliant.

        AVAILABLE_SECURITY_UPDATE counts as its baseline says, and as compliant where that says nothing.
        """
        return self not in NON_COMPLIANT_STATES

    @property
    def count_field(self) -> str:
        """The field of an instance patch state that counts the patches in this state."""
        return f"{self.value}Count"


NON_COMPLIANT_STATES = frozenset(
    {
        PatchState.MISSING,
        PatchState.FAILED,
        PatchState.INSTALLED_PENDING_REBOOT,
        PatchState.INSTALLED_REJECTED,
    }
)


def states_not_complying(available_security_updates: str) -> frozenset[PatchState]:
    """Return the states that keep a node of a baseline from being compliant.

    See https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CreatePatchBaseline.html.

    Args:
        available_security_updates: the baseline's AvailableSecurityUpdatesComplianceStatus; empty where it has none.
    """
    if available_security_updates != "NON_COMPLIANT":
        return NON_COMPLIANT_STATES
    return NON_COMPLIANT_STATES | {PatchState.AVAILABLE_SECURITY_UPDATE}


class NodeCompliance(StrEnum):
    """What is known of a node. One that was never scanned, or could not be read, is unknown and not compliant."""

    COMPLIANT = "COMPLIANT"
    NON_COMPLIANT = "NON_COMPLIANT"
    UNKNOWN = "UNKNOWN"


def severity_rank(severity: str) -> int:
    """Return a number that is higher for a more serious severity of a vendor; one it does not know ranks lowest."""
    return len(SEVERITIES) - SEVERITIES.index(severity) if severity in SEVERITIES else 0
