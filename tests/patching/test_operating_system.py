from __future__ import annotations

import pytest

from patching.errors import InvalidValueError
from patching.operating_system import OperatingSystem, PatchFamily, PlatformType, operating_system

S = OperatingSystem


@pytest.mark.parametrize(
    ("systems", "family", "platform", "keys"),
    [
        (
            {S.WINDOWS},
            "WINDOWS",
            "Windows",
            ("PATCH_SET", "PRODUCT", "PRODUCT_FAMILY", "CLASSIFICATION", "MSRC_SEVERITY"),
        ),
        ({S.MACOS}, "MACOS", "MacOS", ("PRODUCT", "CLASSIFICATION")),
        ({S.UBUNTU, S.DEBIAN, S.RASPBIAN}, "APT", "Linux", ("PRODUCT", "PRIORITY", "SECTION")),
        (
            set(S) - {S.WINDOWS, S.MACOS, S.UBUNTU, S.DEBIAN, S.RASPBIAN},
            "RPM",
            "Linux",
            ("PRODUCT", "CLASSIFICATION", "SEVERITY"),
        ),
    ],
)
def test_each_system_has_its_familys_filters(
    systems: set[OperatingSystem], family: str, platform: str, keys: tuple[str, ...]
) -> None:
    for system in systems:
        assert (system.family, system.platform_type, system.filter_keys) == (
            PatchFamily(family),
            PlatformType(platform),
            keys,
        )


def test_only_apt_has_no_dates_to_rely_on() -> None:
    assert {system for system in S if not system.dates_patches} == {S.UBUNTU, S.DEBIAN, S.RASPBIAN}


def test_an_unknown_system_is_answered_with_the_known_ones() -> None:
    assert operating_system("UBUNTU") is S.UBUNTU
    with pytest.raises(
        InvalidValueError, match=r"'FEDORA' is not an operating system .* expected one of ALMA_LINUX, AMAZON"
    ):
        operating_system("FEDORA")
