from __future__ import annotations

from datetime import date

import pytest

from patching.baseline import (
    ApprovalRule,
    AvailableSecurityUpdates,
    ComplianceLevel,
    PatchBaseline,
    PatchFilter,
    RejectedPatchesAction,
)
from patching.operating_system import OperatingSystem
from patching.patch_source import PatchSource
from patching.policy_file import parse_policy
from tests.patching.policies import TODAY, bare, changed, policy, problems, warnings
from tests.rows import each_row

RULES = "    rules:\n      - filters: {CLASSIFICATION: [Security]}\n        approve_after_days: 7\n"


@each_row(
    ("old", "new", "expected"),
    [
        (
            "    patch_groups: [web]",
            "    patch_groups: []",
            "9: baselines.linux: no node can ever get this baseline: it has no patch_groups",
        ),
        (
            "    patch_groups: [web]",
            f"    patch_groups: [web, {', '.join(f'g{number}' for number in range(25))}]",
            "11: baselines.linux.patch_groups: list should have at most 25 items",
        ),
        ("    patch_groups: [web]", "    patch_groups: [web, web]", "11: baselines.linux.patch_groups.1: 'web' is in"),
        (
            "    patch_groups: [web]",
            "    patch_groups: [web, 'a;b']",
            "11: baselines.linux.patch_groups.1: 'a;b' is not",
        ),
        ("    patch_groups: [web]", "    patch_groups: [web, '']", "11: baselines.linux.patch_groups.1: found ''"),
        ("  linux:", "  Linux:", "9: baselines.Linux: 'Linux' is not 1 to 40 lower-case letters, digits and hyphens"),
        ("  linux:", f"  {'x' * 41}:", "9: baselines.xxxx"),
        (RULES, "", "9: baselines.linux: a baseline without rules and approved_patches approves nothing"),
        (
            RULES,
            "    rules:\n" + "      - {}\n" * 11,
            "12: baselines.linux.rules: list should have at most 10 items",
        ),
        # Filters.
        (
            "{CLASSIFICATION: [Security]}",
            "{PRIORITY: [Required]}",
            "13: baselines.linux.rules.0.filters.PRIORITY: filter PRIORITY is not one that AMAZON_LINUX_2023 has",
        ),
        (
            "{CLASSIFICATION: [Security]}",
            "{CLASSIFICATION: []}",
            "13: baselines.linux.rules.0.filters.CLASSIFICATION: filter CLASSIFICATION has 0 values",
        ),
        (
            "{CLASSIFICATION: [Security]}",
            f"{{CLASSIFICATION: {['Security'] * 21}}}",
            "13: baselines.linux.rules.0.filters.CLASSIFICATION: filter CLASSIFICATION has 21 values",
        ),
        (
            "{CLASSIFICATION: [Security]}",
            f"{{PRODUCT: [{'x' * 65}]}}",
            "13: baselines.linux.rules.0.filters.PRODUCT: filter PRODUCT has a value of 65 characters, but AWS takes 1",
        ),
        (
            "{CLASSIFICATION: [Security]}",
            "{CLASSIFICATION: Security}",
            "13: baselines.linux.rules.0.filters.CLASSIFICATION: found 'Security'; input should be a valid list",
        ),
        (
            "{CLASSIFICATION: [Security]}",
            "{CLASSIFICATION: [Bugfix, Securty]}",
            "13: baselines.linux.rules.0.filters.CLASSIFICATION.1: CLASSIFICATION 'Securty' is none of",
        ),
        (
            "{CLASSIFICATION: [Security]}",
            "{PRODUCT: [AmazonLinux2]}",
            "13: baselines.linux.rules.0.filters.PRODUCT.0: PRODUCT 'AmazonLinux2' is one of AMAZON_LINUX_2, not of",
        ),
        (
            "    patch_groups",
            "    global_filters: {SECTION: [web]}\n    patch_groups",
            "11: baselines.linux.global_filters.SECTION: filter SECTION is not one that AMAZON_LINUX_2023 has",
        ),
        # Approval.
        (
            "approve_after_days: 7",
            "approve_after_days: 361",
            "14: baselines.linux.rules.0.approve_after_days: found 361; input should be less than or equal to 360",
        ),
        (
            "approve_after_days: 7",
            "approve_after_days: -1",
            "14: baselines.linux.rules.0.approve_after_days: found -1; input should be greater than or equal to 0",
        ),
        (
            "approve_after_days: 7",
            "approve_after_days: 7\n        approve_until_date: 2026-01-31",
            "13: baselines.linux.rules.0: a rule has approve_after_days or approve_until_date, not both; take one out",
        ),
        (
            "approve_after_days: 7",
            "approve_until_date: '31.1.2026'",
            "14: baselines.linux.rules.0.approve_until_date: found '31.1.2026'; input should be a valid date",
        ),
        (
            "approve_after_days: 7",
            "compliance_level: SEVERE",
            "14: baselines.linux.rules.0.compliance_level: found 'SEVERE'; input should be 'CRITICAL', 'HIGH'",
        ),
        # Lists.
        (
            RULES,
            f"{RULES}    approved_patches: {[f'p{number}' for number in range(51)]}\n",
            "15: baselines.linux.approved_patches: list should have at most 50 items",
        ),
        (
            RULES,
            f"{RULES}    rejected_patches: {[f'p{number}' for number in range(51)]}\n",
            "15: baselines.linux.rejected_patches: list should have at most 50 items",
        ),
        (
            RULES,
            f"{RULES}    approved_patches: [curl, 'a b']\n",
            "15: baselines.linux.approved_patches.1: 'a b' is not a patch: expected one name",
        ),
        (
            RULES,
            f"{RULES}    rejected_patches: [CVE-2025-0001]\n",
            "15: baselines.linux.rejected_patches.0: 'CVE-2025-0001': packages of AMAZON_LINUX_2023 are rejected by",
        ),
        (
            RULES,
            f"{RULES}    rejected_patches: [curl, curl]\n",
            "15: baselines.linux.rejected_patches.1: 'curl' is in the list already; take one out",
        ),
        (
            RULES,
            f"{RULES}    approved_patches: [kernel-6.1]\n    rejected_patches: ['kernel*']\n",
            "15: baselines.linux.approved_patches.0: 'kernel-6.1' is rejected as well, by 'kernel*', and rejected",
        ),
        (
            "    patch_groups",
            "    rejected_patches_action: ALLOW\n    patch_groups",
            "11: baselines.linux.rejected_patches_action: found 'ALLOW'; input should be 'ALLOW_AS_DEPENDENCY'",
        ),
        (
            "    patch_groups",
            f"    description: {'x' * 1025}\n    patch_groups",
            "11: baselines.linux.description: found 'xxx",
        ),
        # What other systems have.
        (
            "    patch_groups",
            "    available_security_updates: COMPLIANT\n    patch_groups",
            "11: baselines.linux.available_security_updates: the compliance of available security updates is a matter",
        ),
        # Sources.
        (
            RULES,
            f"{RULES}    sources: {{ab: {{products: ['*'], configuration: x}}}}\n",
            "15: baselines.linux.sources.ab: patch source name 'ab' is not 3 to 50 letters",
        ),
        (
            RULES,
            f"{RULES}    sources: {{abc: {{products: [], configuration: x}}}}\n",
            "15: baselines.linux.sources.abc.products: list should have at least 1 item",
        ),
        (
            RULES,
            f"{RULES}    sources: {{abc: {{products: {['*'] * 21}, configuration: x}}}}\n",
            "15: baselines.linux.sources.abc.products: list should have at most 20 items",
        ),
        (
            RULES,
            f"{RULES}    sources: {{abc: {{products: [Ubuntu22.04], configuration: x}}}}\n",
            "15: baselines.linux.sources.abc.products.0: PRODUCT 'Ubuntu22.04' is one of UBUNTU, not of",
        ),
        (
            RULES,
            f"{RULES}    sources: {{abc: {{products: ['*'], configuration: {'x' * 1025}}}}}\n",
            "15: baselines.linux.sources.abc.configuration: found 'xxx",
        ),
        (
            RULES,
            f"{RULES}    sources: {{{', '.join(f'abc{n}: {{products: [x], configuration: x}}' for n in range(21))}}}\n",
            "15: baselines.linux.sources: dictionary should have at most 20 items",
        ),
    ],
)
def test_a_rule_of_a_baseline_is_named_at_its_line_and_key(old: str, new: str, expected: str) -> None:
    # Without a group, or with another name, the fleet's node has no baseline as well.
    (found,) = [line for line in problems(changed((old, new))) if line.startswith(f"p.yaml:{expected}")]
    assert found


def values(*values: str) -> tuple[str, str]:
    return ("{CLASSIFICATION: [Security]}", f"{{CLASSIFICATION: [{', '.join(values)}]}}")


@each_row(
    ("old", "new"),
    [
        ("[web]", f"[web, {', '.join(f'g{number}' for number in range(24))}]"),
        ("    patch_groups", f"    description: {'x' * 1024}\n    patch_groups"),
        (RULES, "    rules:\n" + "      - {}\n" * 10),
        (RULES, "    approved_patches: [curl]\n"),
        values(*["Security"] * 20),
        values("security", "'*'"),
        ("{CLASSIFICATION: [Security]}", f"{{PRODUCT: [AmazonLinux{'9' * 53}]}}"),
        ("approve_after_days: 7", "approve_after_days: 360"),
        ("approve_after_days: 7", "approve_after_days: 0"),
        ("approve_after_days: 7", "approve_until_date: 2026-01-31"),
        (RULES, f"{RULES}    approved_patches: {[f'p{number}' for number in range(50)]}\n"),
        (RULES, f"{RULES}    rejected_patches: {[f'p{number}' for number in range(50)]}\n"),
        (RULES, f"{RULES}    approved_patches: [CVE-2025-0001, kernel]\n    rejected_patches: ['kernel-livepatch*']\n"),
        (RULES, f"{RULES}    sources: {{abc: {{products: ['*'], configuration: {'x' * 1024}}}}}\n"),
        (RULES, f"{RULES}    sources: {{{'x' * 50}: {{products: {['AmazonLinux2023'] * 20}, configuration: x}}}}\n"),
    ],
)
def test_a_baseline_nearby_is_fine(old: str, new: str) -> None:
    assert problems(changed((old, new))) == []


# Systems.


@pytest.mark.parametrize("key", ["approve_after_days: 7", "approve_until_date: 2026-01-31"])
@pytest.mark.parametrize("system", ["UBUNTU", "DEBIAN", "RASPBIAN"])
def test_where_packages_have_no_date_there_is_no_approval_by_date(system: str, key: str) -> None:
    def text(key: str) -> str:
        rule = f"{{filters: {{PRIORITY: [Required]}}, {key}}}"
        return bare().replace("rules: [{}]", f"rules: [{rule}]").replace("AMAZON_LINUX_2023", system)

    name = key.partition(":")[0]
    (found,) = problems(text(key))
    assert found.startswith(f"p.yaml:3: baselines.linux.rules.0.{name}: {system} does not support approval by date")
    assert found.endswith(f"take {name} out")
    assert problems(text("approve_after_days: 0")) == []


@pytest.mark.parametrize(
    ("setting", "key"),
    [
        ("rules: [{enable_non_security: true}]", "rules.0.enable_non_security"),
        ("rules: [{}], approved_patches_enable_non_security: true", "approved_patches_enable_non_security"),
        ("rules: [{}], sources: {abc: {products: ['*'], configuration: x}}", "sources"),
    ],
)
@pytest.mark.parametrize("system", ["WINDOWS", "MACOS"])
def test_what_is_of_linux_only_is_refused_elsewhere(system: str, setting: str, key: str) -> None:
    linux = bare().replace("rules: [{}]", setting)
    (found,) = problems(linux.replace("AMAZON_LINUX_2023", system))
    assert found.startswith(f"p.yaml:3: baselines.linux.{key}: ")
    assert f"a matter of Linux only, not of {system}; take them out" in found
    assert problems(linux) == []


def test_what_is_of_windows_only_is_taken_there() -> None:
    text = bare().replace("rules: [{}]", "rules: [{}], available_security_updates: NON_COMPLIANT")
    read = parse_policy(text.replace("AMAZON_LINUX_2023", "WINDOWS"), today=TODAY)
    assert read.baselines["linux"].available_security_updates is AvailableSecurityUpdates.NON_COMPLIANT
    assert len(problems(text)) == 1


def test_windows_lists_knowledge_base_articles() -> None:
    windows = bare().replace("AMAZON_LINUX_2023", "WINDOWS")
    assert problems(windows.replace("rules: [{}]", "rules: [{}], approved_patches: [KB5031364]")) == []
    (found,) = problems(windows.replace("rules: [{}]", "rules: [{}], approved_patches: [openssl]"))
    assert found.startswith("p.yaml:3: baselines.linux.approved_patches.0: 'openssl' is not a patch of Windows")


# Groups and defaults.


def second(settings: str) -> str:
    """The small policy without its fleet, and with a further baseline in line 4."""
    return bare().replace("scan:", f"  second: {{rules: [{{}}], {settings}}}\nscan:")


def test_a_patch_group_has_one_baseline_of_each_operating_system() -> None:
    (found,) = problems(second("operating_system: AMAZON_LINUX_2023, patch_groups: [x, web]"))
    assert found.startswith("p.yaml:4: baselines.second.patch_groups.1: baseline linux has the patch group 'web'")
    assert problems(second("operating_system: ROCKY_LINUX, patch_groups: [x, web]")) == []
    assert problems(second("operating_system: AMAZON_LINUX_2023, patch_groups: [x]")) == []


def test_a_system_has_one_default_baseline() -> None:
    default = second("operating_system: AMAZON_LINUX_2023, default: true").replace(
        "patch_groups: [web]", "patch_groups: [web], default: true"
    )
    (found,) = problems(default)
    assert found.startswith(
        "p.yaml:4: baselines.second.default: baseline linux is the default of AMAZON_LINUX_2023 already"
    )
    assert (
        problems(
            default.replace(
                "second: {rules: [{}], operating_system: AMAZON_LINUX_2023",
                "second: {rules: [{}], operating_system: SUSE",
            )
        )
        == []
    )


def test_a_default_baseline_can_do_without_groups() -> None:
    assert problems(second("operating_system: SUSE, default: true")) == []
    (found,) = problems(second("operating_system: SUSE"))
    assert found.startswith("p.yaml:4: baselines.second: no node can ever get this baseline: it has no patch_groups")


def test_where_the_policy_makes_the_nodes_every_baseline_is_for_one_of_them() -> None:
    def text(settings: str) -> str:
        return changed(("scan:", f"  second: {{rules: [{{}}], {settings}}}\nscan:"))

    (found,) = problems(text("operating_system: SUSE, patch_groups: [sap]"))
    assert found.startswith(
        "p.yaml:15: baselines.second: no node can ever get this baseline: the fleet has no SUSE node of the patch "
        "groups sap"
    )
    assert problems(text("operating_system: SUSE, default: true")) == []
    assert (
        problems(
            text("operating_system: SUSE, patch_groups: [sap]") + "hybrid: {tags: {Workload: Prod, PatchGroup: sap}}\n"
        )
        == []
    )


@pytest.mark.parametrize(
    ("part", "key"),
    [
        ("install: {w: {targets: {PatchGroup: db}, schedule: rate(1 day), duration_hours: 1}}", "install.w.targets"),
        (
            "install: {w: {targets: [{A: b}, {'Patch Group': [web, db]}], schedule: rate(1 day), duration_hours: 1}}",
            "install.w.targets.1",
        ),
        ("hybrid: {tags: {PatchGroup: db}}", "hybrid.tags"),
    ],
)
def test_a_patch_group_that_no_baseline_has_would_fall_back_in_silence(part: str, key: str) -> None:
    (found,) = problems(bare(part))
    assert found.startswith(f"p.yaml:6: {key}.Patch")
    assert ": no baseline has the patch group 'db': AWS would silently use its default baseline" in found
    assert found.endswith("expected one of web")
    assert problems(bare(part).replace("db", "web").replace("[web, web]", "[web]")) == []
    assert problems(bare(part).replace("patch_groups: [web]", "patch_groups: [web], default: true")) == []


def test_a_service_names_groups_that_a_baseline_has() -> None:
    windows = [
        f"  {group}: {{targets: {{PatchGroup: {group}}}, schedule: cron(0 {hour} ? * SUN *), duration_hours: 1}}"
        for group, hour in (("web", 2), ("db", 4))
    ]
    parts = ["install:", *windows, "services: {shop: {groups: [{PatchGroup: web}, {PatchGroup: db}]}}"]
    found = problems(bare(*parts))
    assert [line.partition(": no baseline has")[0] for line in found] == [
        "p.yaml:8: install.db.targets.PatchGroup",
        "p.yaml:9: services.shop.groups.1.PatchGroup",
    ]
    assert problems(bare(*parts).replace("patch_groups: [web]", "patch_groups: [web, db]")) == []


# What becomes of it.

EVERYTHING = """\
    description: All of it
    default: true
    global_filters: {PRODUCT: ['*']}
    approved_patches: [CVE-2025-0001]
    approved_patches_compliance_level: HIGH
    approved_patches_enable_non_security: true
    rejected_patches: [kernel*]
    rejected_patches_action: BLOCK
    sources:
      mirror: {products: [AmazonLinux2023], configuration: '[mirror]'}
    rules:
      - filters: {SEVERITY: [Low]}
        approve_until_date: 2026-01-31
        compliance_level: LOW
        enable_non_security: true
"""


def test_a_baseline_keeps_everything_that_the_file_says_of_it() -> None:
    made = policy((RULES, EVERYTHING)).baselines["linux"].patch_baseline("patchops-lab-linux")
    assert made.description == "All of it"
    assert made == PatchBaseline(
        "patchops-lab-linux",
        OperatingSystem.AMAZON_LINUX_2023,
        rules=(ApprovalRule((PatchFilter("SEVERITY", ("Low",)),), None, date(2026, 1, 31), ComplianceLevel.LOW, True),),
        global_filters=(PatchFilter("PRODUCT", ("*",)),),
        approved=("CVE-2025-0001",),
        approved_level=ComplianceLevel.HIGH,
        approved_non_security=True,
        rejected=("kernel*",),
        rejected_action=RejectedPatchesAction.BLOCK,
        default=True,
        sources=(PatchSource("mirror", ("AmazonLinux2023",), "[mirror]"),),
    )


def test_a_rule_that_the_global_filters_leave_nothing_of_is_refused() -> None:
    (found,) = problems(changed(("    rules:", "    global_filters: {CLASSIFICATION: [Bugfix]}\n    rules:")))
    assert found.startswith(
        "p.yaml:14: baselines.linux.rules.0.filters.CLASSIFICATION: CLASSIFICATION Security: the global"
    )


@pytest.mark.parametrize(
    ("key", "value", "listed"),
    [
        ("approved_patches_compliance_level", "HIGH", "approved_patches: [curl]"),
        ("approved_patches_enable_non_security", "true", "approved_patches: [curl]"),
        ("rejected_patches_action", "BLOCK", "rejected_patches: [curl]"),
    ],
)
def test_what_is_said_of_patches_that_nobody_lists_is_warned_of(key: str, value: str, listed: str) -> None:
    text = changed(("    rules:", f"    {key}: {value}\n    rules:"))
    assert warnings(text) == [
        f"p.yaml:12: baselines.linux.{key}: no patch is {listed.partition('_')[0]} by name here: it has no effect"
    ]
    assert warnings(text.replace("    rules:", f"    {listed}\n    rules:")) == []
    exception = (
        "exceptions: {one: {patch: curl, baselines: [linux], owner: a@b.c, until: 2026-12-31, "
        f"reason: It is needed now, action: {'approve' if 'approved' in key else 'reject'}}}}}\n"
    )
    assert warnings(text + exception) == []
