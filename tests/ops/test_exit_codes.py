from __future__ import annotations

import pytest

from ops.exit_codes import details_meaning, meaning


@pytest.mark.parametrize(
    ("step", "code", "status", "said"),
    [
        ("PatchLinux", 156, "Failed", "does not reach AWS's buckets in S3"),
        ("PatchLinux", 155, "Failed", "/var is full"),
        ("PatchLinux", 126, "Failed", "noexec"),
        ("PatchLinux", 1, "Failed", "python3"),
        ("PatchWindows", 4294967295, "Failed", "Windows Update itself failed"),
        ("PatchWindows", 3010, "InProgress", "asks for a reboot"),
        ("stopApp", 127, "Failed", "is not there"),
        ("PatchLinux", -1, "TimedOut", "its time ran out"),
    ],
)
def test_a_code_is_explained_with_cause_and_remedy(step: str, code: int, status: str, said: str) -> None:
    assert said in meaning(step, code, status)


@pytest.mark.parametrize(
    ("step", "code", "status"),
    [("PatchLinux", 0, "Success"), ("PatchLinux", -1, "InProgress"), ("stopApp", 156, "Failed"), ("x", 42, "Failed")],
)
def test_nothing_is_said_of_a_code_that_means_nothing_in_particular(step: str, code: int, status: str) -> None:
    assert meaning(step, code, status) == ""


@pytest.mark.parametrize("details", ["Delivery Timed Out", "DeliveryTimedOut"])
def test_a_detailed_status_is_explained_in_both_spellings(details: str) -> None:
    assert "did not fetch the command in time" in details_meaning(details)
    assert details_meaning("Success") == ""
