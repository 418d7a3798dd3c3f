from __future__ import annotations

import pytest

from patching.baseline import PatchFilter, filters_from
from patching.baseline_checks import check_contradiction, check_listed, check_together, check_values
from patching.errors import InvalidValueError
from patching.operating_system import OperatingSystem
from patching.product import check_product
from tests.rows import each_row

AL2023 = OperatingSystem.AMAZON_LINUX_2023
UBUNTU = OperatingSystem.UBUNTU
WINDOWS = OperatingSystem.WINDOWS


# Filter values.


@each_row(
    ("system", "filters", "message"),
    [
        (AL2023, {"SEVERITY": ["Importnt"]}, "SEVERITY 'Importnt' is none of AMAZON_LINUX_2023"),
        (AL2023, {"SEVERITY": ["Importnt"]}, "did you mean 'Important'?"),
        (AL2023, {"CLASSIFICATION": ["SecurityUpdates"]}, "did you mean 'Security'?"),
        (UBUNTU, {"PRIORITY": ["High"]}, "expected one of Required, Important, Standard, Optional, Extra"),
        (WINDOWS, {"CLASSIFICATION": ["SecurityUpdate"]}, "did you mean 'SecurityUpdates'?"),
        (WINDOWS, {"MSRC_SEVERITY": ["Medium"]}, "MSRC_SEVERITY 'Medium' is none of WINDOWS"),
        (OperatingSystem.SUSE, {"CLASSIFICATION": ["Bugfix"]}, "CLASSIFICATION 'Bugfix' is none of SUSE"),
    ],
)
def test_a_filter_value_that_no_patch_has_is_refused(
    system: OperatingSystem, filters: dict[str, list[str]], message: str
) -> None:
    with pytest.raises(InvalidValueError) as refused:
        check_values(filters_from(filters, system), system)
    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("system", "filters"),
    [
        (AL2023, {"SEVERITY": ["critical", "None"], "CLASSIFICATION": ["*"], "PRODUCT": ["AmazonLinux2023"]}),
        (UBUNTU, {"SECTION": ["anything"], "PRIORITY": ["Extra"]}),
        (WINDOWS, {"PATCH_SET": ["APPLICATION"], "PRODUCT_FAMILY": ["Office"], "CLASSIFICATION": ["Tools"]}),
        (OperatingSystem.SUSE, {"CLASSIFICATION": ["Yast"]}),
        (OperatingSystem.MACOS, {"CLASSIFICATION": ["anything"]}),
    ],
)
def test_a_filter_value_that_is_known_or_cannot_be_known_passes(
    system: OperatingSystem, filters: dict[str, list[str]]
) -> None:
    check_values(filters_from(filters, system), system)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([], "filter SECTION has 0 values, but AWS takes 1 to 20"),
        (["web"] * 21, "filter SECTION has 21 values, but AWS takes 1 to 20"),
        ([""], "filter SECTION has a value of 0 characters, but AWS takes 1 to 64"),
        (["x" * 65], "filter SECTION has a value of 65 characters, but AWS takes 1 to 64"),
    ],
)
def test_a_filter_has_as_many_and_as_long_values_as_aws_takes(values: list[str], message: str) -> None:
    with pytest.raises(InvalidValueError, match=f"^{message}$"):
        filters_from({"SECTION": values}, UBUNTU)
    assert filters_from({"SECTION": ["web"] * 20}, UBUNTU)
    assert filters_from({"SECTION": ["x" * 64]}, UBUNTU)


# Products.


@each_row(
    ("system", "product", "message"),
    [
        (UBUNTU, "Ubuntu-22.04", "PRODUCT 'Ubuntu-22.04' is none of UBUNTU: it would match nothing; did you mean "),
        (UBUNTU, "ubuntu 22.04", "did you mean 'Ubuntu22.04'?"),
        (UBUNTU, "22.04", "PRODUCT '22.04' is none of UBUNTU: it would match nothing; expected one like Ubuntu24.04"),
        (UBUNTU, "Ubuntu*", "the wildcard * stands for every product, and cannot be a part of a name"),
        (UBUNTU, "AmazonLinux2", "PRODUCT 'AmazonLinux2' is one of AMAZON_LINUX_2, not of UBUNTU"),
        (AL2023, "AmazonLinux2", "is one of AMAZON_LINUX_2, not of AMAZON_LINUX_2023"),
        (AL2023, "Amazon Linux 2023", "did you mean 'AmazonLinux2023'?"),
        (AL2023, "AL2023", "is none of AMAZON_LINUX_2023: it would match nothing; expected one like AmazonLinux2023"),
        (OperatingSystem.AMAZON_LINUX_2, "AmazonLinux2018.03", "is one of AMAZON_LINUX, not of AMAZON_LINUX_2"),
        (OperatingSystem.REDHAT_ENTERPRISE_LINUX, "RHEL8", "expected one like RedhatEnterpriseLinux9.4"),
        (OperatingSystem.SUSE, "SLES15", "expected one like Suse15.5"),
        (OperatingSystem.CENTOS, "CentOS-7", "did you mean 'CentOS7'?"),
        (WINDOWS, "WindowsServer-2022", "did you mean 'WindowsServer2022'?"),
        (WINDOWS, "Windows Server 2012 r2", "did you mean 'WindowsServer2012R2'?"),
        (WINDOWS, "Ubuntu22.04", "is one of UBUNTU, not of WINDOWS"),
        (OperatingSystem.DEBIAN, "Ubuntu22.04", "is one of UBUNTU, not of DEBIAN: it would match nothing"),
    ],
)
def test_what_cannot_be_a_product_of_the_system_is_refused(system: OperatingSystem, product: str, message: str) -> None:
    with pytest.raises(InvalidValueError) as refused:
        check_values(filters_from({"PRODUCT": [product]}, system), system)
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


@each_row(
    ("system", "product"),
    [
        *((system, "*") for system in OperatingSystem),
        (UBUNTU, "Ubuntu22.04"),
        (UBUNTU, "Ubuntu98.10"),
        (UBUNTU, "UbuntuCore42"),
        (OperatingSystem.AMAZON_LINUX, "AmazonLinux2018.03"),
        (OperatingSystem.AMAZON_LINUX_2, "AmazonLinux2"),
        (OperatingSystem.AMAZON_LINUX_2, "AmazonLinux2.0"),
        (OperatingSystem.AMAZON_LINUX_2022, "AmazonLinux2022"),
        (AL2023, "AmazonLinux2023"),
        (AL2023, "AmazonLinux2099"),
        (OperatingSystem.REDHAT_ENTERPRISE_LINUX, "RedhatEnterpriseLinux8.10"),
        (OperatingSystem.SUSE, "Suse12.7"),
        (OperatingSystem.CENTOS, "CentOS6.5"),
        (WINDOWS, "WindowsServer2016"),
        (WINDOWS, "WindowsServer2012R2"),
        (WINDOWS, "Windows10LTSB"),
        (WINDOWS, "Office 2010"),
        (WINDOWS, "MicrosoftDefenderAntivirus"),
        (WINDOWS, "Something-New 2031"),
        (OperatingSystem.ALMA_LINUX, "AlmaLinux8.10"),
        (OperatingSystem.ROCKY_LINUX, "whatever"),
        (OperatingSystem.MACOS, "whatever"),
    ],
)
def test_a_product_that_aws_knows_or_may_know_passes(system: OperatingSystem, product: str) -> None:
    check_product(product, system)


def test_a_rule_and_the_global_filters_have_something_in_common() -> None:
    def filters(**mapping: list[str]) -> tuple[PatchFilter, ...]:
        return filters_from(mapping, AL2023)

    rule = filters(CLASSIFICATION=["Security", "Bugfix"], SEVERITY=["Low"])
    for fine in ({"CLASSIFICATION": ["bugfix"]}, {"CLASSIFICATION": ["*"]}, {"PRODUCT": ["AmazonLinux2023"]}, {}):
        check_together(rule, filters(**fine))
    check_together(filters(SEVERITY=["*"]), filters(SEVERITY=["Low"]))
    with pytest.raises(InvalidValueError, match="SEVERITY Low: the global filters let none of these through"):
        check_together(rule, filters(SEVERITY=["Critical", "Important"]))


# Lists.


@each_row(
    ("approved", "rejected", "entry"),
    [
        ("openssl", ["curl", "openssl"], "openssl"),
        ("kernel-6.1.155", ["kernel*"], "kernel*"),
        ("Kernel", ["kernel*"], "kernel*"),
        ("kernel*", ["kernel*"], "kernel*"),
        ("kernel-6*", ["curl", "kernel*"], "kernel*"),
        ("KB5031364", ["KB5031364"], "KB5031364"),
    ],
)
def test_a_patch_is_approved_or_rejected_not_both(approved: str, rejected: list[str], entry: str) -> None:
    with pytest.raises(InvalidValueError, match=f"rejected as well, by '{entry}'".replace("*", r"\*")):
        check_contradiction(approved, rejected)


@pytest.mark.parametrize("approved", ["openssl", "kernel", "kernel*", "CVE-2025-0001"])
def test_a_patch_that_others_than_the_rejected_ones_name_may_be_approved(approved: str) -> None:
    check_contradiction(approved, ["curl", "kernel-devel*", "openssl-libs"])


@each_row(
    ("patch", "system", "rejected", "message"),
    [
        ("", AL2023, False, "expected one name of 1 to 100 characters"),
        ("x" * 101, AL2023, False, "expected one name of 1 to 100 characters"),
        ("a b", AL2023, False, "expected one name of 1 to 100 characters"),
        ("a,b", AL2023, False, "expected one name of 1 to 100 characters"),
        ("openssl", WINDOWS, False, "is not a patch of Windows; expected a KB number like KB5031364"),
        ("KB12345", WINDOWS, True, "is not a patch of Windows"),
        ("*", AL2023, True, "rejects every patch, so that the baseline approves nothing"),
        ("KB5031364", AL2023, False, "'KB5031364' is a patch of Windows, not of AMAZON_LINUX_2023; name a package"),
        ("MS10-048", OperatingSystem.UBUNTU, True, "'MS10-048' is a patch of Windows, not of UBUNTU"),
        ("CVE-2025-0001", AL2023, True, "packages of AMAZON_LINUX_2023 are rejected by name, not by CVE"),
        ("1463241", AL2023, True, "packages of AMAZON_LINUX_2023 are rejected by name, not by CVE"),
        ("*lib*", AL2023, False, "has 2 wildcards, but AWS takes a single one"),
        ("openssl_1.0", UBUNTU, False, "is not a package name of UBUNTU"),
        ("Openssl", UBUNTU, True, "is not a package name of UBUNTU"),
    ],
)
def test_an_entry_that_names_nothing_is_refused(
    patch: str, system: OperatingSystem, rejected: bool, message: str
) -> None:
    with pytest.raises(InvalidValueError) as refused:
        check_listed(patch, system, rejected)
    assert message in str(refused.value)


@each_row(
    ("patch", "system", "rejected"),
    [
        ("x" * 100, AL2023, False),
        ("CVE-2025-0001", AL2023, False),
        ("1463241", AL2023, False),
        ("kernel*", AL2023, True),
        ("openssl-1:3.2.2-1.amzn2023.0.1.x86_64", AL2023, True),
        ("KB5031364", WINDOWS, True),
        ("MS10-048", WINDOWS, False),
        ("libssl3*", UBUNTU, True),
        ("XProtectPlistConfigData", OperatingSystem.MACOS, True),
    ],
)
def test_an_entry_that_names_something_passes(patch: str, system: OperatingSystem, rejected: bool) -> None:
    check_listed(patch, system, rejected)
