from __future__ import annotations

import pytest

from patching.compliance import PatchState, severity_rank
from patching.errors import InvalidValueError
from tests.rows import each_row


@each_row(
    ("state", "compliant"),
    [
        (PatchState.INSTALLED, True),
        (PatchState.INSTALLED_OTHER, True),
        (PatchState.NOT_APPLICABLE, True),
        (PatchState.AVAILABLE_SECURITY_UPDATE, True),
        (PatchState.INSTALLED_PENDING_REBOOT, False),
        (PatchState.INSTALLED_REJECTED, False),
        (PatchState.MISSING, False),
        (PatchState.FAILED, False),
    ],
)
def test_a_state_is_compliant_as_aws_says(state: PatchState, *, compliant: bool) -> None:
    assert state.compliant is compliant


@pytest.mark.parametrize("name", ["InstalledPendingReboot", "INSTALLED_PENDING_REBOOT"])
def test_a_state_is_read_in_both_of_its_spellings(name: str) -> None:
    assert PatchState.parse(name) is PatchState.INSTALLED_PENDING_REBOOT


def test_an_unknown_state_is_answered_with_the_known_ones() -> None:
    with pytest.raises(
        InvalidValueError, match="'Pending' is not a patch state; expected one of Installed, InstalledOther"
    ):
        PatchState.parse("Pending")


@pytest.mark.parametrize(
    ("state", "field"),
    [
        (PatchState.INSTALLED_OTHER, "InstalledOtherCount"),
        (PatchState.MISSING, "MissingCount"),
        (PatchState.AVAILABLE_SECURITY_UPDATE, "AvailableSecurityUpdateCount"),
    ],
)
def test_a_state_is_counted_in_its_own_field(state: PatchState, field: str) -> None:
    assert state.count_field == field


def test_severities_are_ranked_from_critical_down_to_what_nobody_knows() -> None:
    severities = ["", "Low", "Critical", "Negligible", "Important", "Medium"]
    ranked = sorted(severities, key=severity_rank, reverse=True)
    assert ranked == ["Critical", "Important", "Medium", "Low", "", "Negligible"]
