"""Alternative sources of patches."""

from __future__ import annotations

from typing import Any

import pytest

from patching.baseline import AvailableSecurityUpdates, PatchBaseline
from patching.errors import InvalidValueError
from patching.operating_system import OperatingSystem
from patching.patch_source import MAX_SOURCES, PatchSource
from tests.rows import each_row

API = {"Name": "mirror", "Products": ["AmazonLinux2023"], "Configuration": "[mirror]\nenabled=1"}


def baseline(system: OperatingSystem = OperatingSystem.AMAZON_LINUX_2023, **fields: Any) -> PatchBaseline:
    return PatchBaseline(name="one", operating_system=system, **fields)


def test_a_source_is_written_as_it_was_read() -> None:
    assert PatchSource.from_api(API).to_api() == API


def test_a_baseline_is_written_with_its_sources_as_it_was_read() -> None:
    api = {"Name": "one", "OperatingSystem": "UBUNTU", "Sources": [API]}
    assert PatchBaseline.from_api(api).to_api() == api


@each_row(
    ("changes", "problem"),
    [
        ({"Name": "a b"}, "patch source name 'a b' is not 3 to 50 letters"),
        ({"Name": "ab"}, "patch source name 'ab' is not 3 to 50 letters"),
        ({"Products": []}, "patch source mirror has 0 products, but AWS takes 1 to 20"),
        ({"Products": ["*"] * 21}, "patch source mirror has 21 products"),
        ({"Configuration": ""}, "has a configuration of 0 characters, but AWS takes 1 to 1,024"),
        ({"Configuration": "a" * 1025}, "has a configuration of 1025 characters"),
    ],
)
def test_a_source_that_aws_would_refuse_is_refused(changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(InvalidValueError, match=problem):
        PatchSource.from_api({**API, **changes})


def test_the_longest_configuration_is_taken() -> None:
    PatchSource("abc", ("*",) * 20, "a" * 1024)


def test_there_are_only_so_many_sources() -> None:
    one = PatchSource.from_api(API)
    baseline(sources=(one,) * MAX_SOURCES)
    with pytest.raises(InvalidValueError, match="21 patch sources, but AWS takes 20 at most"):
        baseline(sources=(one,) * 21)


@pytest.mark.parametrize("system", [OperatingSystem.WINDOWS, OperatingSystem.MACOS])
def test_sources_are_a_matter_of_linux(system: OperatingSystem) -> None:
    with pytest.raises(InvalidValueError, match=f"patch sources are a matter of Linux only, not of {system}"):
        baseline(system, sources=(PatchSource.from_api(API),))


def test_what_available_updates_mean_is_a_matter_of_windows() -> None:
    said = AvailableSecurityUpdates.NON_COMPLIANT
    api = baseline(OperatingSystem.WINDOWS, available_security_updates=said).to_api()
    assert api["AvailableSecurityUpdatesComplianceStatus"] == "NON_COMPLIANT"
    assert PatchBaseline.from_api(api).available_security_updates is said
    with pytest.raises(InvalidValueError, match="is a matter of Windows only, not of UBUNTU"):
        baseline(OperatingSystem.UBUNTU, available_security_updates=said)


@each_row(
    ("address", "bucket"),
    [
        ("https://my-mirror.s3.eu-west-1.amazonaws.com/al2023/", "my-mirror"),
        ("https://my.mirror.s3.dualstack.eu-west-1.amazonaws.com", "my.mirror"),
        ("https://s3.eu-west-1.amazonaws.com/my-mirror/al2023", "my-mirror"),
        ("http://my-mirror.s3.eu-west-1.amazonaws.com/al2023/", ""),
        ("https://mirror.example.com/al2023/", ""),
        ("ftp://mirror.example.com/", ""),
        ("https://my-mirror.s3.amazonaws.com.example.com/", ""),
    ],
)
def test_it_is_known_which_addresses_are_in_s3(address: str, bucket: str) -> None:
    made = PatchSource("mirror", ("*",), f"[mirror]\nbaseurl={address},https://repo.$awsregion.example.com\nenabled=1")
    assert made.addresses == {address: bucket}
    assert PatchSource("mirror", ("*",), f"deb {address} noble main").addresses == {address: bucket}
