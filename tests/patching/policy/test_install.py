from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import pytest

from patching.install_override_list import MAX_LOCATION
from patching.open_times import OpenTimes
from patching.policy_file import parse_policy
from patching.run_patch_baseline import RunPatchBaseline
from patching.schedule import Schedule
from patching.targets import Targets
from tests.patching.policies import TODAY, bare, changed, problems, warnings, window
from tests.rows import each_row

NUMBERS = [str(number) for number in range(51)]


@each_row(
    ("old", "new", "expected"),
    [
        ("  prod:\n", "  Prod:\n", "18: install.Prod: 'Prod' is not 1 to 40 lower-case letters, digits and hyphens"),
        # Targets.
        ("{Workload: Prod}", "{}", "19: install.prod.targets: dictionary should have at least 1 item"),
        ("{Workload: Prod}", "[]", "19: install.prod.targets: list should have at least 1 item"),
        ("{Workload: Prod}", "Prod", "19: install.prod.targets: found 'Prod'; input should be a valid dictionary"),
        (
            "{Workload: Prod}",
            "{a: b, c: d, e: f, g: h, i: j}",
            "19: install.prod.targets: dictionary should have at most 4",
        ),
        (
            "{Workload: Prod}",
            f"[{', '.join(f'{{a: v{number}}}' for number in range(11))}]",
            "19: install.prod.targets: list should have at most 10 items",
        ),
        ("{Workload: Prod}", "{Workload: []}", "19: install.prod.targets.Workload: list should have at least 1 item"),
        ("{Workload: Prod}", "{Workload: ''}", "19: install.prod.targets.Workload: found ''"),
        ("{Workload: Prod}", "{Workload: 'a*'}", "19: install.prod.targets.Workload: 'a*' is not a tag"),
        (
            "{Workload: Prod}",
            f"{{Workload: {NUMBERS}}}",
            "19: install.prod.targets: target 'tag:Workload' has 51 values, but AWS takes 1 to 50",
        ),
        (
            "{Workload: Prod}",
            "{A+B: x}",
            "19: install.prod.targets: 'A+B' is no tag that a target can name: letters, digits, spaces and _.:/=-@",
        ),
        (
            "{Workload: Prod}",
            "{Environment: other}",
            "19: install.prod.targets.Environment: the tag Environment is a part of every target already",
        ),
        (
            "{Workload: Prod}",
            "[{A: b}, {patch_group: web}]",
            "19: install.prod.targets.1.patch_group: Patch Manager does not read the tag 'patch_group' as a patch",
        ),
        (
            "{Workload: Prod}",
            "[{A: b}, {C: d}, {A: b}]",
            "19: install.prod.targets.2: the same tags are in the list already; take one out",
        ),
        # Times.
        ("cron(0 2 ? * SUN *)", "cron(0 2 * * SUN)", "20: install.prod.schedule: cron(0 2 * * SUN) has 5 fields"),
        ("cron(0 2 ? * SUN *)", "cron(0 2 * * SUN *)", "20: install.prod.schedule: cron(0 2 * * SUN *) is not an AWS"),
        (
            "cron(0 2 ? * SUN *)",
            "cron(* 2 ? * SUN *)",
            "20: install.prod.schedule: cron(* 2 ? * SUN *) runs more often than every five minutes",
        ),
        ("cron(0 2 ? * SUN *)", "rate(1 days)", "20: install.prod.schedule: rate(1 days): AWS wants the unit in the"),
        ("cron(0 2 ? * SUN *)", "at(2026-02-30T00:00:00)", "20: install.prod.schedule: at(2026-02-30T00:00:00) is not"),
        ("timezone: Asia/Seoul", "timezone: KST-9", "21: install.prod.timezone: 'KST-9' is not an IANA time zone"),
        (
            "cron(0 2 ? * SUN *)",
            "rate(1 day)\n    schedule_offset_days: 1",
            "20: install.prod.schedule: schedule offset 1 needs a cron expression, not rate(1 day)",
        ),
        (
            "cutoff_hours: 1",
            "schedule_offset_days: 7",
            "23: install.prod.schedule_offset_days: found 7; input should be less than or equal to 6",
        ),
        (
            "duration_hours: 4",
            "duration_hours: 25",
            "22: install.prod.duration_hours: found 25; input should be less than",
        ),
        ("duration_hours: 4", "duration_hours: 0", "22: install.prod.duration_hours: found 0; input should be greater"),
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
        ("cutoff_hours: 1", "cutoff_hours: -1", "23: install.prod.cutoff_hours: found -1; input should be greater"),
        (
            "cutoff_hours: 1",
            "start_date: 2026-02-02\n    end_date: 2026-02-01",
            "24: install.prod.end_date: 2026-02-01 is before the first day, 2026-02-02: the window would never open",
        ),
        (
            "cutoff_hours: 1",
            "end_date: 9999-12-31",
            "23: install.prod.end_date: 9999-12-31 is not between 1970 and 2199; leave it out if there is no limit",
        ),
        ("cutoff_hours: 1", "start_date: 1.2.2026", "23: install.prod.start_date: found '1.2.2026'; input should be a"),
        # What it runs.
        (
            "cutoff_hours: 1",
            "cutoff_behavior: STOP",
            "23: install.prod.cutoff_behavior: found 'STOP'; input should be 'CONTINUE_TASK' or 'CANCEL_TASK'",
        ),
        (
            "cutoff_hours: 1",
            "concurrency: 101%",
            "23: install.prod.concurrency: concurrency '101%' is neither a number",
        ),
        ("cutoff_hours: 1", "concurrency: 0", "23: install.prod.concurrency: concurrency '0' is neither a number"),
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
        ("cutoff_hours: 1", f"description: {'x' * 129}", "23: install.prod.description: found 'xxx"),
        (
            "cutoff_hours: 1",
            "delivery_timeout_seconds: 29",
            "23: install.prod.delivery_timeout_seconds: found 29; input should be greater than or equal to 30",
        ),
        (
            "cutoff_hours: 1",
            "delivery_timeout_seconds: 2592001",
            "23: install.prod.delivery_timeout_seconds: found 2592001; input should be less than or equal to 2592000",
        ),
        (
            "cutoff_hours: 1",
            "override_list: lists/june.yaml",
            "23: install.prod.override_list: override list 'lists/june.yaml' is not an object in S3; expected s3://",
        ),
        (
            "cutoff_hours: 1",
            "override_list: s3://lists/$(date).yaml",
            "23: install.prod.override_list: override list 's3://lists/$(date).yaml' has one of",
        ),
        (
            "cutoff_hours: 1",
            f"override_list: s3://lists/{'x' * (MAX_LOCATION - 10)}",
            "23: install.prod.override_list: the override list's location has 257 characters, but AWS takes 256",
        ),
        ("cutoff_hours: 1", "enabled: 'no'", "23: install.prod.enabled: found 'no'; input should be a valid boolean"),
    ],
)
def test_a_rule_of_a_window_is_named_at_its_line_and_key(old: str, new: str, expected: str) -> None:
    (found,) = problems(changed((old, new)))
    assert found.startswith(f"p.yaml:{expected}")


@each_row(
    ("old", "new"),
    [
        ("{Workload: Prod}", "{a: b, c: d, e: f, g: h}"),
        ("{Workload: Prod}", f"[{', '.join(f'{{a: v{number}}}' for number in range(10))}]"),
        ("{Workload: Prod}", f"{{Workload: {NUMBERS[:50]}}}"),
        ("{Workload: Prod}", "{Workload: a+b}"),
        ("{Workload: Prod}", f"{{{'k' * 128}: {'v' * 256}}}"),
        ("{Workload: Prod}", "{Patch Group: web}"),
        ("cron(0 2 ? * SUN *)", "cron(24 0 2 ? * SUN *)"),
        ("cron(0 2 ? * SUN *)", "rate(1 day)"),
        ("cron(0 2 ? * SUN *)", "at(2026-02-28T00:00:00)"),
        ("cron(0 2 ? * SUN *)", "cron(0 2 ? * TUE#2 *)\n    schedule_offset_days: 6"),
        ("duration_hours: 4", "duration_hours: 24"),
        ("cutoff_hours: 1", "cutoff_hours: 3"),
        ("cutoff_hours: 1", "start_date: 2026-02-01\n    end_date: 2026-02-01"),
        ("cutoff_hours: 1", "start_date: 1970-01-01\n    end_date: 2199-12-31"),
        ("cutoff_hours: 1", "concurrency: 100%\n    max_errors: 100%"),
        ("cutoff_hours: 1", "concurrency: 9999999\n    max_errors: 0"),
        ("cutoff_hours: 1", f"description: {'x' * 128}"),
        ("cutoff_hours: 1", "delivery_timeout_seconds: 30"),
        ("cutoff_hours: 1", "delivery_timeout_seconds: 2592000"),
        ("cutoff_hours: 1", f"override_list: s3://lists/{'x' * (MAX_LOCATION - 11)}"),
        ("cutoff_hours: 1", "override_list: https://s3.eu-west-1.amazonaws.com/lists/june.yaml"),
    ],
)
def test_a_window_nearby_is_fine(old: str, new: str) -> None:
    assert problems(changed((old, new))) == []


def test_hooks_and_an_override_list_exclude_each_other() -> None:
    # The hooks' own document is not there, but that is looked at only in a policy whose parts are sound.
    (found,) = problems(
        changed(("cutoff_hours: 1", "override_list: s3://lists/june.yaml\n    hooks: {on_exit: undrain}"))
    )
    assert found == (
        "p.yaml:23: install.prod.override_list: AWS-RunPatchBaselineWithHooks takes no override list; take hooks or "
        "override_list out"
    )


def test_the_override_lists_fit_into_the_node_policy() -> None:
    def text(names: Iterable[int]) -> str:
        lists = [f"'s3://lists/{name:02}{'x' * 230}'" for name in names]
        days = [f"cron(0 2 {day} * ? *)" for day in range(1, len(lists) + 1)]
        return bare(
            "install:",
            *(
                f"  w{n}: {window(day, override_list=one)}"
                for n, (day, one) in enumerate(zip(days, lists, strict=True))
            ),
        )

    (found,) = problems(text(range(21)))
    assert found.startswith("p.yaml:6: install: the override lists of 21 windows make a node policy of")
    assert problems(text(range(18))) == []
    assert problems(text([1] * 21)) == []


# Windows that never open, or meet themselves.


@each_row(
    ("schedule", "settings"),
    [
        ("at(2025-12-31T02:00:00)", {}),
        ("at(2027-03-01T02:00:00)", {}),
        ("cron(0 2 ? * SUN 2025)", {}),
        ("cron(0 2 ? * SUN *)", {"end_date": "2025-12-31"}),
        ("cron(0 2 ? * SUN *)", {"start_date": "2026-01-05", "end_date": "2026-01-10"}),
        ("cron(0 2 ? * SUN *)", {"start_date": "2028-01-01"}),
        ("rate(7 days)", {"end_date": "2025-12-31"}),
    ],
)
def test_a_window_that_does_not_open_in_the_year_to_come_is_told(schedule: str, settings: dict[str, str]) -> None:
    text = bare("install:", f"  w: {window(schedule, **settings)}")
    (said,) = warnings(text)
    assert said.startswith("p.yaml:7: install.w.schedule: the window does not open in the year to come: " + schedule)
    assert problems(text) == []


@pytest.mark.parametrize(
    ("schedule", "settings"),
    [
        ("at(2026-01-01T02:00:00)", {}),
        ("at(2026-12-31T02:00:00)", {}),
        ("cron(0 2 ? * SUN *)", {"start_date": "2026-01-04", "end_date": "2026-01-04"}),
        ("rate(7 days)", {"start_date": "2028-01-01"}),
    ],
)
def test_a_window_that_opens_once_is_fine(schedule: str, settings: dict[str, str]) -> None:
    assert warnings(bare("install:", f"  w: {window(schedule, **settings)}")) == []


def test_a_rate_that_is_shorter_than_its_window_is_told() -> None:
    def text(rate: str) -> str:
        return bare("install:", f"  w: {window(rate, duration_hours=4)}")

    (said,) = warnings(text("rate(3 hours)"))
    assert said.startswith("p.yaml:7: install.w.schedule: rate(3 hours) comes while the window is still open for 4 h")
    assert warnings(text("rate(4 hours)")) == warnings(text("rate(240 minutes)")) == []


def test_a_window_that_comes_while_it_is_open_is_told() -> None:
    def text(hours: int) -> str:
        return bare("install:", f"  w: {window('cron(0 0/6 * * ? *)', duration_hours=hours)}")

    (scan, said) = warnings(text(7))
    assert said == (
        "p.yaml:7: install.w.schedule: on 2026-01-01 06:00 UTC the window comes while it is still open for 7 h: AWS "
        "skips that opening; open it less often, or for a shorter time"
    )
    assert "the scan begins" in scan
    assert warnings(text(6)) == [scan]


# What becomes of it.


def test_a_window_says_what_it_runs_and_when() -> None:
    text = bare(
        "install:",
        "  w: {targets: [{Role: web}, {Role: [db, cache]}], schedule: cron(0 2 ? * TUE#2 *), schedule_offset_days: 4,"
        " timezone: Asia/Seoul, start_date: 2026-02-01, duration_hours: 3, override_list: s3://lists/a.yaml}",
    )
    read = parse_policy(text, today=TODAY)
    made = read.install["w"]
    assert made.open_times == OpenTimes(
        Schedule.cron("0 2 ? * TUE#2 *", timezone="Asia/Seoul", offset_days=4), 3, date(2026, 2, 1)
    )
    assert read.install_targets("w") == [
        Targets.tags({"Role": "web", "Environment": "lab"}),
        Targets.tags({"Role": ["db", "cache"], "Environment": "lab"}),
    ]
    assert read.install_task("w") == RunPatchBaseline.install(override_list="s3://lists/a.yaml")
    assert made.in_words() == (
        "cron(0 2 ? * TUE#2 *) Asia/Seoul, 3 h, Role=web or Role=db,cache; one node at a time; stops starting new "
        "nodes after the first failure"
    )
