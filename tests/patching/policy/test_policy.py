from __future__ import annotations

import pytest

from patching.rate_control import RateControl
from patching.run_patch_baseline import RunPatchBaseline
from patching.schedule import Schedule
from patching.targets import Targets
from tests.patching.policies import BARE, SMALL, bare, changed, policy, problems, warnings
from tests.rows import each_row


@pytest.mark.parametrize("text", [SMALL, BARE])
def test_the_small_policies_keep_every_rule(text: str) -> None:
    assert (problems(text), warnings(text)) == ([], [])


@each_row(
    ("old", "new", "expected"),
    [
        ("environment: lab", "environment: Lab", "1: environment: environment 'Lab' is not 2 to 20 lower-case letters"),
        ("environment: lab", "environment: a", "1: environment: environment 'a' is not 2 to 20 lower-case letters"),
        ("environment: lab", f"environment: {'x' * 21}", "1: environment: environment 'xxxx"),
        ("environment: lab\n", "", "1: environment is missing"),
        ("environment: lab", "environment: [lab]", "1: environment: input should be a valid string"),
        ("environment: lab", f"environment: lab\ndescription: {'x' * 401}", "2: description: found 'xxx"),
        ("Project: demo", "Environment: demo", "2: tags.Environment: the tag Environment is set by environment"),
        ("Project: demo", "PatchGroup: web", "2: tags.PatchGroup: PatchGroup is a tag of nodes, by which they get"),
        ("Project: demo", "Patch Group: web", "2: tags.Patch Group: Patch Group is a tag of nodes"),
        ("Project: demo", "'aws:a': b", "2: tags.aws:a: 'aws:a' is not a tag of yours: the prefix aws: is reserved"),
        ("Project: demo", "Project: 'a;b'", "2: tags.Project: 'a;b' is not a tag: letters, digits, spaces and"),
        ("Project: demo", "Project: 7", "2: tags.Project: found 7; input should be a valid string"),
        ("Project: demo", f"Project: {'x' * 257}", "2: tags.Project: found 'xxx"),
        (
            "Project: demo",
            ", ".join(f"t{number}: x" for number in range(21)),
            "2: tags: dictionary should have at most 20 items",
        ),
        ("[ops@example.com]", "[]\nscann: {}", "26: scann: there is no key 'scann'; did you mean 'scan'?"),
    ],
)
def test_a_rule_of_the_whole_is_named_at_its_line_and_key(old: str, new: str, expected: str) -> None:
    (found,) = problems(changed((old, new)))
    assert found.startswith(f"p.yaml:{expected}")


@pytest.mark.parametrize("environment", ["ab", "x" * 20, "a-1"])
def test_an_environment_has_2_to_20_characters(environment: str) -> None:
    assert problems(changed(("environment: lab", f"environment: {environment}"))) == []


def test_20_tags_of_256_characters_are_taken() -> None:
    tags = ", ".join(f"t{number}: {'x' * 256}" for number in range(20))
    assert problems(changed(("Project: demo", tags))) == []


# Quotas.


def baselines(number: int) -> str:
    return "baselines:\n" + "".join(
        f"  b{one}: {{operating_system: AMAZON_LINUX_2023, patch_groups: [g{one}], rules: [{{}}]}}\n"
        for one in range(number)
    )


def windows(number: int) -> str:
    """Windows of which no two meet: two hours each, the next one three days later."""
    times = [f"{2 * (one % 12)} {1 + one // 12 * 3} {1 + one // 96}" for one in range(number)]
    return "install:\n" + "".join(
        f"  w{one}: {{targets: {{Role: r{one}}}, duration_hours: 1, schedule: 'cron(0 {hour} {day} {month} ? *)'}}\n"
        for one, (hour, day, month) in enumerate(time.split() for time in times)
    )


def test_50_windows_are_taken_and_a_51st_is_not() -> None:
    assert problems(bare(windows(50))) == []
    (found,) = problems(bare(windows(51)))
    assert found == (
        "p.yaml:6: install: 51 windows, but AWS allows 50 in an account and Region; if it has raised that for you, say "
        "so in quotas.windows"
    )
    assert problems(bare(windows(51), "quotas: {windows: 51}")) == []


def test_50_baselines_are_taken_and_a_51st_is_not() -> None:
    def text(number: int, more: str = "") -> str:
        return f"environment: lab\n{baselines(number)}scan: {{schedule_utc: 'cron(0 10 * * ? *)'}}\n{more}"

    assert problems(text(50)) == []
    (found,) = problems(text(51))
    assert found.startswith("p.yaml:2: baselines: 51 baselines, but AWS allows 50 in an account and Region")
    assert problems(text(51, "quotas: {baselines: 51}")) == []


@each_row(
    ("quotas", "expected"),
    [
        ("windows: 0", "6: quotas.windows: found 0; input should be greater than or equal to 1"),
        ("windows: 1001", "6: quotas.windows: found 1001; input should be less than or equal to 1000"),
        ("windows_open: 0", "6: quotas.windows_open: found 0"),
        ("baselines: 1001", "6: quotas.baselines: found 1001"),
        ("documents: 5001", "6: quotas.documents: found 5001"),
        ("windows: many", "6: quotas.windows: found 'many'; input should be a valid integer"),
    ],
)
def test_a_quota_is_a_number_within_reason(quotas: str, expected: str) -> None:
    (found,) = problems(bare(f"quotas: {{{quotas}}}"))
    assert found.startswith(f"p.yaml:{expected}")


# What becomes of it.


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
    assert (read.scan.schedule, read.scan.rate_control) == (Schedule.cron("0 10 * * ? *"), RateControl("50%", "100%"))


def test_what_a_policy_leaves_out_is_careful() -> None:
    read = policy(("    cutoff_hours: 1\n", ""), ("    timezone: Asia/Seoul\n", ""), ("  retention_days: 30", "  {}"))
    window = read.install["prod"]
    assert (window.timezone, window.cutoff_hours, window.rate_control) == ("UTC", 0, RateControl(1, 0))
    assert read.install_task("prod") == RunPatchBaseline.install(reboot="RebootIfNeeded")
    assert (read.output.retention_days, read.output.keep_on_destroy) == (90, True)
    assert read.scan.run_at_deployment is False
    assert read.operators.require_mfa is True
