from __future__ import annotations

from datetime import date

from patching.baseline import (
    ApprovalRule,
    AvailableSecurityUpdates,
    ComplianceLevel,
    PatchBaseline,
    PatchFilter,
    RejectedPatchesAction,
)
from patching.baseline_words import baseline_in_words, rule_in_words, system_in_words
from patching.operating_system import OperatingSystem
from patching.patch_source import PatchSource
from patching.run_patch_baseline import Hooks, RebootOption, RunPatchBaseline
from patching.run_words import cutoff_in_words, hooks_in_words, operation_in_words, reboot_in_words
from tests.rows import each_row

AL2023, WINDOWS, UBUNTU = OperatingSystem.AMAZON_LINUX_2023, OperatingSystem.WINDOWS, OperatingSystem.UBUNTU


def rule(delay: int | None = 7, **filters: list[str]) -> ApprovalRule:
    return ApprovalRule(tuple(PatchFilter(key, tuple(values)) for key, values in filters.items()), delay)


@each_row(
    ("given", "system", "words"),
    [
        (
            rule(CLASSIFICATION=["Security"], SEVERITY=["Critical", "Important"]),
            AL2023,
            "Critical and Important security patches of Amazon Linux 2023 are approved 7 days after their release",
        ),
        (rule(0), AL2023, "All patches of Amazon Linux 2023 are approved as soon as they are released"),
        (rule(1, SEVERITY=["*"]), AL2023, "All patches of Amazon Linux 2023 are approved 1 day after their release"),
        (rule(7), UBUNTU, "All patches of Ubuntu are approved at once"),
        (
            rule(3, PATCH_SET=["OS"], PRODUCT=["WindowsServer2022"], CLASSIFICATION=["SecurityUpdates"]),
            WINDOWS,
            (
                "Security updates (the system itself) of Windows, product WindowsServer2022 are approved 3 days after "
                "their release"
            ),
        ),
        (
            ApprovalRule((), None, date(2026, 9, 30), ComplianceLevel.HIGH, enable_non_security=True),
            AL2023,
            (
                "All patches of Amazon Linux 2023 are approved if they were released on 2026-09-30 (UTC) or before; "
                "also those that no security notice names; a missing one counts as HIGH"
            ),
        ),
    ],
)
def test_a_rule_is_said_in_words(given: ApprovalRule, system: OperatingSystem, words: str) -> None:
    assert rule_in_words(given, system) == words


def test_all_that_a_baseline_does_is_said() -> None:
    baseline = PatchBaseline(
        "linux",
        AL2023,
        (rule(),),
        (PatchFilter("PRODUCT", ("AmazonLinux2023",)),),
        approved=("kernel",),
        approved_level=ComplianceLevel.HIGH,
        rejected=("openssl", "bash"),
        rejected_action=RejectedPatchesAction.BLOCK,
        default=True,
        sources=(PatchSource("mirror", ("AmazonLinux2023",), "[mirror]\nbaseurl=https://x"),),
    )
    assert list(baseline_in_words(baseline, ["web", "batch"])) == [
        "Used by nodes of Amazon Linux 2023 in the patch groups web and batch",
        (
            "The default of Amazon Linux 2023: used by every node in the account and Region whose patch group names no "
            "other"
        ),
        "All patches of Amazon Linux 2023 are approved 7 days after their release",
        "Rules approve nothing but all patches of Amazon Linux 2023, product AmazonLinux2023",
        "Always approved: kernel; a missing one counts as HIGH",
        "Never approved: openssl and bash; not even as a dependency, and nothing that depends on it",
        "Repository mirror for AmazonLinux2023, instead of those that nodes have configured",
    ]


def test_what_an_available_update_means_is_said() -> None:
    updates = AvailableSecurityUpdates.NON_COMPLIANT
    baseline = PatchBaseline("windows", WINDOWS, available_security_updates=updates)
    assert list(baseline_in_words(baseline)) == [
        "A node is not compliant while a security update is out that is not approved yet"
    ]


def test_every_system_has_a_name() -> None:
    assert all(system_in_words(system) for system in OperatingSystem)


def test_what_an_operation_does_is_said() -> None:
    hooks = Hooks(pre_install="drain", on_exit="undrain")
    assert operation_in_words(RunPatchBaseline.scan()) == "reports what is missing, and changes nothing"
    assert operation_in_words(RunPatchBaseline.install()) == "installs what the baseline approves"
    assert "s3://lists/k" in operation_in_words(RunPatchBaseline.install(override_list="s3://lists/k"))
    assert reboot_in_words(RebootOption.NO_REBOOT).startswith("never reboots")
    assert reboot_in_words(RebootOption.REBOOT_IF_NEEDED).startswith("reboots a node after")
    assert hooks_in_words(hooks) == (
        "runs drain before anything is installed and undrain at the very end, whatever failed"
    )
    assert hooks_in_words(None) == "runs no hooks"
    assert cutoff_in_words(cancels=True) != cutoff_in_words(cancels=False)
