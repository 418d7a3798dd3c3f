from __future__ import annotations

from datetime import date

import pytest

from patching.baseline import ApprovalRule, ComplianceLevel, PatchBaseline, PatchFilter, RejectedPatchesAction
from patching.operating_system import OperatingSystem
from patching.rate_control import RateControl
from patching.run_patch_baseline import RunPatchBaseline
from patching.schedule import Schedule
from patching.targets import Targets
from tests.patching.policies import SMALL, changed, policy, problems, without_fleet

RULES = "    rules:\n      - filters: {CLASSIFICATION: [Security]}\n        approve_after_days: 7\n"
NODE = "    - name: web\n      operating_system: AMAZON_LINUX_2023\n      tags: {PatchGroup: web}\n"


def test_the_small_policy_keeps_every_rule() -> None:
    assert problems(SMALL) == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        # The whole.
        ("environment: lab", "environment: Lab", "1: environment: environment 'Lab' is not 2 to 20 lower-case letters"),
        ("environment: lab\n", "", "1: environment is missing"),
        ("environment: lab", "environment: [lab]", "1: environment: input should be a valid string"),
        ("Project: demo", "Environment: demo", "2: tags.Environment: the tag Environment is set by environment"),
        ("Project: demo", "Project: 'a;b'", "2: tags.Project: 'a;b' is not a tag: letters, digits, spaces and"),
        ("Project: demo", "Project: 7", "2: tags.Project: found 7; input should be a valid string"),
        ("Project: demo", f"Project: {'x' * 257}", "2: tags.Project: found 'xxx"),
        # The fleet.
        (NODE, "    []\n", "4: fleet.nodes: list should have at least 1 item"),
        (NODE, NODE + NODE.replace("web\n", "web\n", 1), "8: fleet.nodes.1.name: 'web' is the name of node 1 already"),
        ("name: web", "name: Web_1", "5: fleet.nodes.0.name: 'Web_1' is not 1 to 40 lower-case letters"),
        (
            "      operating_system: AMAZON_LINUX_2023\n      tags",
            "      operating_system: SUSE\n      tags",
            "5: fleet.nodes.0.image: no newest image is known for SUSE (only for AMAZON_LINUX_2023, UBUNTU, WINDOWS)",
        ),
        (
            "      operating_system: AMAZON_LINUX_2023\n      tags",
            "      operating_system: MACOS\n      image: /aws/service/x\n      tags",
            "6: fleet.nodes.0.operating_system: a Mac needs a dedicated host",
        ),
        ("name: web", "name: web\n      image: ami-1", "6: fleet.nodes.0.image: 'ami-1' is not a public parameter"),
        (
            "name: web",
            "name: web\n      instance_type: t3",
            "6: fleet.nodes.0.instance_type: 't3' is not an instance type",
        ),
        (
            "name: web",
            "name: web\n      volume_gib: 7",
            "6: fleet.nodes.0.volume_gib: found 7; input should be greater than",
        ),
        (
            "PatchGroup: web",
            "Environment: x, PatchGroup: web",
            "7: fleet.nodes.0.tags.Environment: the tag Environment is set",
        ),
        ("PatchGroup: web", "Name: x, PatchGroup: web", "7: fleet.nodes.0.tags.Name: the tag Name is set by name"),
        ("PatchGroup: web", "Patch Group: web", "7: fleet.nodes.0.tags.Patch Group: write PatchGroup without a space"),
        (
            "PatchGroup: web",
            "PatchGroup: db",
            "7: fleet.nodes.0.tags.PatchGroup: no baseline of AMAZON_LINUX_2023 has the patch group 'db': AWS would",
        ),
        (
            "{PatchGroup: web}",
            "{Team: a}",
            "7: fleet.nodes.0.tags: no baseline of AMAZON_LINUX_2023 has the patch group ''",
        ),
        # The baselines.
        (
            "    patch_groups: [web]",
            "    patch_groups: []",
            "9: baselines.linux: no node can ever get this baseline: it has no patch_groups",
        ),
        (
            "    patch_groups: [web]",
            f"    patch_groups: [{', '.join(f'g{number}' for number in range(26))}]",
            "11: baselines.linux.patch_groups: list should have at most 25 items",
        ),
        ("  linux:", "  Linux:", "9: baselines.Linux: 'Linux' is not 1 to 40 lower-case letters, digits and hyphens"),
        (RULES, "", "9: baselines.linux: a baseline without rules and approved_patches approves nothing"),
        (
            RULES,
            "    rules:\n" + "      - {}\n" * 11,
            "12: baselines.linux.rules: list should have at most 10 items",
        ),
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
            "{CLASSIFICATION: Security}",
            "13: baselines.linux.rules.0.filters.CLASSIFICATION: found 'Security'; input should be a valid list",
        ),
        (
            "approve_after_days: 7",
            "approve_after_days: 361",
            "14: baselines.linux.rules.0.approve_after_days: found 361; input should be less than or equal to 360",
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
        (
            "    patch_groups",
            "    global_filters: {SECTION: [web]}\n    patch_groups",
            "11: baselines.linux.global_filters.SECTION: filter SECTION is not one that AMAZON_LINUX_2023 has",
        ),
        (
            "    patch_groups",
            "    rejected_patches_action: ALLOW\n    patch_groups",
            "11: baselines.linux.rejected_patches_action: found 'ALLOW'; input should be 'ALLOW_AS_DEPENDENCY'",
        ),
        # The scan.
        (
            "cron(0 20 * * ? *)",
            "cron(0 20 1 * ? *)",
            "16: scan.schedule_utc: cron(0 20 1 * ? *) is not a schedule that an association takes",
        ),
        ("cron(0 20 * * ? *)", "daily", "16: scan.schedule_utc: schedule 'daily' is none of cron("),
        (
            "cron(0 20 * * ? *)",
            "rate(1 day)",
            "16: scan.schedule_utc: rate(1 day): AWS runs an association with a rate when it is made",
        ),
        (
            "scan:",
            "scan:\n  compliance_severity: INFORMATIONAL",
            "16: scan.compliance_severity: an association's severity is CRITICAL, HIGH, MEDIUM, LOW or UNSPECIFIED",
        ),
        ("scan:", "scan:\n  concurrency: 0%", "16: scan.concurrency: concurrency '0%' is neither a number from 1"),
        ("scan:", "scan:\n  max_errors: -1", "16: scan.max_errors: error threshold '-1' is neither a number from 0"),
        # The windows.
        ("  prod:\n", "  Prod:\n", "18: install.Prod: 'Prod' is not 1 to 40 lower-case letters, digits and hyphens"),
        ("{Workload: Prod}", "{}", "19: install.prod.targets: dictionary should have at least 1 item"),
        (
            "{Workload: Prod}",
            "{a: b, c: d, e: f, g: h, i: j}",
            "19: install.prod.targets: dictionary should have at most 4",
        ),
        ("{Workload: Prod}", "{Workload: []}", "19: install.prod.targets.Workload: list should have at least 1 item"),
        (
            "{Workload: Prod}",
            f"{{Workload: {list(range(51))!r}}}".replace("[", "['").replace("]", "']").replace(", ", "', '"),
            "19: install.prod.targets: target 'tag:Workload' has 51 values, but AWS takes 1 to 50",
        ),
        ("cron(0 2 ? * SUN *)", "cron(0 2 * * SUN)", "20: install.prod.schedule: cron(0 2 * * SUN) has 5 fields"),
        ("timezone: Asia/Seoul", "timezone: KST-9", "21: install.prod.timezone: 'KST-9' is not an IANA time zone"),
        (
            "duration_hours: 4",
            "duration_hours: 25",
            "22: install.prod.duration_hours: found 25; input should be less than",
        ),
        (
            "duration_hours: 4",
            "duration_hours: '4'",
            "22: install.prod.duration_hours: found '4'; input should be a valid int",
        ),
        (
            "cutoff_hours: 1",
            "cutoff_hours: 4",
            "23: install.prod.cutoff_hours: 4 is not below duration_hours 4; a window stops starting tasks",
        ),
        (
            "cutoff_hours: 1",
            "concurrency: 101%",
            "23: install.prod.concurrency: concurrency '101%' is neither a number",
        ),
        (
            "cutoff_hours: 1",
            "max_errors: few",
            "23: install.prod.max_errors: error threshold 'few' is neither a number",
        ),
        (
            "cutoff_hours: 1",
            "reboot: Never",
            "23: install.prod.reboot: found 'Never'; input should be 'RebootIfNeeded' or",
        ),
        # The rest.
        ("[ops@example.com]", "[ops]", "25: notifications.emails.0: 'ops' is not an e-mail address"),
        ("retention_days: 30", "retention_days: 0", "27: output.retention_days: found 0; input should be greater than"),
        (
            "retention_days: 30",
            "keep_on_destroy: 1",
            "27: output.keep_on_destroy: found 1; input should be a valid boolean",
        ),
    ],
)
def test_a_broken_rule_is_named_at_its_line_and_key(old: str, new: str, expected: str) -> None:
    (found,) = [line for line in problems(changed((old, new))) if line.startswith(f"p.yaml:{expected}")]
    assert len(found) > len("p.yaml:") + len(expected) - 1


@pytest.mark.parametrize("key", ["approve_after_days: 7", "approve_until_date: 2026-01-31"])
def test_ubuntu_has_no_approval_by_date(key: str) -> None:
    ubuntu = [
        ("{CLASSIFICATION: [Security]}", "{PRIORITY: [Required]}"),
        ("approve_after_days: 7", key),
        ("    operating_system: AMAZON_LINUX_2023\n    patch", "    operating_system: UBUNTU\n    patch"),
        ("      operating_system: AMAZON_LINUX_2023\n      tags", "      operating_system: UBUNTU\n      tags"),
    ]
    name = key.partition(":")[0]
    (found,) = problems(changed(*ubuntu))
    assert found.startswith(f"p.yaml:14: baselines.linux.rules.0.{name}: UBUNTU does not support approval by date")
    assert found.endswith(f"take {name} out")
    assert problems(changed(*ubuntu).replace(key, "approve_after_days: 0")) == []


def test_windows_has_no_non_security_updates() -> None:
    text = changed(
        ("approve_after_days: 7", "enable_non_security: true"),
        (NODE, NODE.replace("AMAZON_LINUX_2023", "WINDOWS")),
    ).replace("operating_system: AMAZON_LINUX_2023", "operating_system: WINDOWS")
    text = text.replace("[Security]", "[SecurityUpdates]")
    (found,) = problems(text)
    assert found.startswith(
        "p.yaml:14: baselines.linux.rules.0.enable_non_security: non-security updates are a matter of Linux only"
    )
    assert problems(text.replace("enable_non_security: true", "enable_non_security: false")) == []


def test_a_patch_group_has_one_baseline_of_each_operating_system() -> None:
    def second(system: str) -> str:
        return f"  second: {{operating_system: {system}, patch_groups: [x, web], rules: [{{}}]}}\nscan:"

    (found,) = problems(changed(("scan:", second("AMAZON_LINUX_2023"))))
    assert found.startswith("p.yaml:15: baselines.second.patch_groups.1: baseline linux has the patch group 'web'")
    assert problems(without_fleet(changed(("scan:", second("ROCKY_LINUX"))))) == []


def test_a_rate_may_scan_where_a_scan_at_deployment_is_wanted() -> None:
    assert problems(changed(("cron(0 20 * * ? *)", "rate(1 day)\n  run_at_deployment: true"))) == []


@pytest.mark.parametrize("severity", ["CRITICAL", "HIGH", "MEDIUM", "LOW", "UNSPECIFIED"])
def test_an_association_has_a_severity(severity: str) -> None:
    scan = policy(("scan:", f"scan:\n  compliance_severity: {severity}")).scan
    assert scan.compliance_severity is ComplianceLevel(severity)


def test_a_window_may_not_name_another_environments_nodes() -> None:
    (found,) = problems(changed(("{Workload: Prod}", "{Environment: other}")))
    assert found.startswith("p.yaml:19: install.prod.targets.Environment: the tag Environment is a part of every")


def test_a_policy_becomes_the_value_objects_of_the_domain() -> None:
    read = policy(
        ("targets: {Workload: Prod}", "targets: {Workload: [Prod, Test]}"),
        ("cutoff_hours: 1", "concurrency: 10%\n    max_errors: 2\n    reboot: NoReboot"),
        ("scan:", "scan:\n  concurrency: 50%"),
    )
    window = read.install["prod"]
    assert window.window_schedule == Schedule.cron("0 2 ? * SUN *", timezone="Asia/Seoul")
    assert window.rate_control == RateControl("10%", 2)
    assert read.install_task("prod") == RunPatchBaseline.install(reboot="NoReboot")
    assert read.install_targets("prod") == [Targets.tags({"Workload": ["Prod", "Test"], "Environment": "lab"})]
    assert read.scan_targets == Targets.tag("Environment", "lab")
    assert (read.scan.schedule, read.scan.rate_control) == (Schedule.cron("0 20 * * ? *"), RateControl("50%", "100%"))


EVERYTHING = """\
    description: All of it
    global_filters: {PRODUCT: ['*']}
    approved_patches: [CVE-2025-0001]
    approved_patches_compliance_level: HIGH
    rejected_patches: [kernel*]
    rejected_patches_action: BLOCK
    rules:
      - filters: {SEVERITY: [Low]}
        approve_until_date: 2026-01-31
        compliance_level: LOW
        enable_non_security: true
"""


def test_a_baseline_keeps_everything_that_the_file_says_of_it() -> None:
    read = policy((RULES, EVERYTHING))
    made = read.baselines["linux"].patch_baseline("patchops-lab-linux")
    assert made.description == "All of it"
    assert made == PatchBaseline(
        "patchops-lab-linux",
        OperatingSystem.AMAZON_LINUX_2023,
        rules=(ApprovalRule((PatchFilter("SEVERITY", ("Low",)),), None, date(2026, 1, 31), ComplianceLevel.LOW, True),),
        global_filters=(PatchFilter("PRODUCT", ("*",)),),
        approved=("CVE-2025-0001",),
        approved_level=ComplianceLevel.HIGH,
        rejected=("kernel*",),
        rejected_action=RejectedPatchesAction.BLOCK,
    )


def test_what_a_policy_leaves_out_is_careful() -> None:
    read = policy(("    cutoff_hours: 1\n", ""), ("    timezone: Asia/Seoul\n", ""), ("  retention_days: 30", "  {}"))
    window = read.install["prod"]
    assert (window.timezone, window.cutoff_hours, window.rate_control) == ("UTC", 0, RateControl(1, 0))
    assert read.install_task("prod") == RunPatchBaseline.install(reboot="RebootIfNeeded")
    assert (read.output.retention_days, read.output.keep_on_destroy) == (90, True)
    assert read.scan.run_at_deployment is False


def test_a_node_has_its_own_tags_and_the_environments() -> None:
    read = policy()
    assert read.fleet is not None
    (node,) = read.fleet.nodes
    assert read.node_tags(node) == {"Project": "demo", "PatchGroup": "web", "Environment": "lab"}
    assert node.image_parameter == "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"
    assert (node.instance_type, node.volume_gib) == ("t3.small", 30)
