from __future__ import annotations

import inspect
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from patching.policy import Policy
from patching.policy_file import PolicyError, parse_policy, read_policy
from patching.yaml_file import keys_and_texts, load, load_with
from tests.patching.policies import SMALL, changed, problems
from tests.rows import each_row

LAB = Path(__file__).parents[2] / "config" / "lab.yaml"


def test_the_labs_own_policy_is_valid() -> None:
    read = read_policy(LAB)
    assert (read.environment, sorted(read.install)) == ("lab", ["prod", "test"])
    assert read.fleet is not None
    assert {tag for node in read.fleet.nodes for tag in node.tags} == {"Workload", "PatchGroup"}


def test_another_environment_takes_the_place_of_the_files_own_everywhere() -> None:
    read = read_policy(LAB, environment="alice")
    assert read.environment == "alice"
    assert read.baselines["ubuntu"].patch_groups == ["alice-prod", "alice-test"]
    (targets,) = read.install_targets("prod")
    assert targets.match("", {"Workload": "Prod", "Environment": "alice"})
    assert "lab" not in {group.split("-")[0] for one in read.baselines.values() for group in one.patch_groups}


def test_the_environments_name_is_put_in_keys_and_values() -> None:
    read = parse_policy(changed(("Project: demo", '"Team-{environment}": "{environment}/{environment}"')))
    assert read.tags == {"Team-lab": "lab/lab"}


def test_keys_that_become_one_are_told() -> None:
    text = changed(("Project: demo", 'Team-lab: a, "Team-{environment}": b'))
    (found,) = problems(text)
    assert found == (
        "p.yaml:2: tags.Team-lab: the keys 'Team-lab' and 'Team-{environment}' both become 'Team-lab'; write one of "
        "them otherwise"
    )
    bob = text.replace("Team-lab", "Team-bob")
    assert problems(bob) == []
    with pytest.raises(PolicyError, match=r"^p.yaml:2: tags.Team-bob: the keys 'Team-bob' and 'Team-{environment}' b"):
        parse_policy(bob, name="p.yaml", environment="bob")


def test_a_mistake_behind_a_key_with_the_environments_name_has_its_own_line() -> None:
    text = changed(("  prod:", '  "{environment}-prod":'), ("cutoff_hours: 1", "cutoff_hours: 9"))
    (found,) = problems(text)
    assert found.startswith("p.yaml:23: install.lab-prod.cutoff_hours: 9 is not below")


def test_what_is_wrong_with_the_whole_is_told_beside_what_is_wrong_with_another_part() -> None:
    text = changed(
        ("retention_days: 30", "retention_days: 0"),
        ("Workload: Prod", "Workload: Prod, PatchGroup: db"),
        (
            "notifications:",
            (
                "exceptions:\n  gone: {patch: curl, baselines: [linux], owner: a@b.c, reason: It was needed once, "
                "until: 2025-12-31}\nnotifications:"
            ),
        ),
    )
    assert [line[: line.index(": ", 10)] for line in problems(text)] == [
        "p.yaml:19: install.prod.targets.PatchGroup",
        "p.yaml:25: exceptions.gone.until",
        "p.yaml:29: output.retention_days",
    ]


def test_what_was_found_is_not_repeated_at_length() -> None:
    (found,) = problems(changed(("Workload: Prod", f"Workload: {'x' * 2000}")))
    assert len(found) < 250
    assert "found 'xxx" in found


def test_a_day_that_is_not_in_the_calendar_has_its_line() -> None:
    text = changed(("cutoff_hours: 1", "cutoff_hours: 1\n    start_date: 2026-02-30"), ("days: 30", "days: 0"))
    assert [line.split(": found")[0] for line in problems(text)] == [
        "p.yaml:24: install.prod.start_date",
        "p.yaml:28: output.retention_days",
    ]
    assert "found '2026-02-30'; input should be a valid date" in problems(text)[0]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("patch_groups: [web]", "patch_groups: [wbe]\n    default: 3", {"baselines.linux.default"}),
        ("baselines:", "quotass: {windows_open: 9}\nbaselines:", {"quotass"}),
        ("fleet:", "flet:", {"flet"}),
    ],
)
def test_what_only_follows_from_a_broken_part_is_not_told(old: str, new: str, told: set[str]) -> None:
    windows = "".join(
        f"  w{n}:\n    targets: {{Workload: w{n}}}\n    schedule: cron(0 2 ? * SUN *)\n    timezone: Asia/Seoul\n"
        "    duration_hours: 4\n"
        for n in range(6)
    )
    text = changed((old, new), ("notifications:", f"{windows if 'quotas' in new else ''}notifications:"))
    assert {line.split(": ")[1] for line in problems(text)} == told


def test_a_bad_name_from_outside_is_named_at_the_key_that_it_replaces() -> None:
    with pytest.raises(PolicyError, match=r"^p.yaml:1: environment: environment 'Alice' is not 2 to 20"):
        parse_policy(SMALL, name="p.yaml", environment="Alice")


def test_every_error_is_told_in_one_go_in_the_order_of_the_file() -> None:
    text = changed(
        ("environment: lab", "environment: Lab"),
        ("approve_after_days: 7", "approve_after_days: 400"),
        ("cron(0 10 * * ? *)", "cron(0 20)\n  concurrency: 0"),
        ("cutoff_hours: 1", "cutoff_hours: 9\n    max_errors: x"),
        ("retention_days: 30", "retention: 30"),
    )
    assert [line.split(": ")[0] + " " + line.split(": ")[1] for line in problems(text)] == [
        "p.yaml:1 environment",
        "p.yaml:14 baselines.linux.rules.0.approve_after_days",
        "p.yaml:16 scan.schedule_utc",
        "p.yaml:17 scan.concurrency",
        "p.yaml:24 install.prod.cutoff_hours",
        "p.yaml:25 install.prod.max_errors",
        "p.yaml:29 output.retention",
    ]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "environment: lab",
            "enviroment: lab",
            "1: enviroment: there is no key 'enviroment'; did you mean 'environment'?",
        ),
        (
            "timezone: Asia",
            "time_zone: Asia",
            "21: install.prod.time_zone: there is no key 'time_zone'; did you mean 'timezone'?",
        ),
        (
            "patch_groups",
            "patch_group",
            "11: baselines.linux.patch_group: there is no key 'patch_group'; did you mean 'patch_groups'?",
        ),
        ("      tags: {", "      tag: {", "7: fleet.nodes.0.tag: there is no key 'tag'; did you mean 'tags'?"),
        (
            "retention_days: 30",
            "colour: red",
            "27: output.colour: there is no key 'colour'; expected one of retention_days, keep_on_destroy",
        ),
    ],
)
def test_a_misspelt_key_is_answered_with_the_nearest(old: str, new: str, expected: str) -> None:
    assert f"p.yaml:{expected}" in problems(changed((old, new)))


def test_a_missing_key_is_named_where_it_belongs() -> None:
    assert problems(changed(("    duration_hours: 4\n", ""))) == ["p.yaml:18: install.prod: duration_hours is missing"]


@each_row(
    ("text", "expected"),
    [
        ("environment: [", "p.yaml:1: not YAML: "),
        ("a: 1\nb: c: d\n", "p.yaml:2: not YAML: mapping values are not allowed here"),
        ("a: 1\nb: 2\na: 3\n", 'p.yaml:3: not YAML: found duplicate key "a"'),
        ("a: *nowhere\n", "p.yaml:1: not YAML: found undefined alias 'nowhere'"),
        ("a: 1\nb: !!set x\n", "p.yaml:2: not YAML: expected a mapping node, but found scalar"),
        ("a: 1\nb: {c: !!bool maybe}\n", "p.yaml:2: a tag (after !) stands before what it does not fit"),
        ("a: !!int ''\n", "p.yaml:1: a tag (after !) stands before what it does not fit"),
        ("\x00", "p.yaml:1: not YAML: unacceptable character #x0000"),
        ("---\na: 1\n---\nb: 2\n", "p.yaml:3: not YAML: "),
    ],
)
def test_what_is_not_yaml_is_said_with_its_line(text: str, expected: str) -> None:
    (found,) = problems(text)
    assert found.startswith(expected)


@each_row(
    ("line", "expected"),
    [
        ("1: x", "p.yaml:28: the key '1' is not text; put it in quotes, or write another one"),
        ("on: x", "p.yaml:28: on: there is no key 'on'; expected one of"),
        ("null: x", "p.yaml:28: the key 'None' is not text"),
        ("2026-01-31: x", "p.yaml:28: the key '2026-01-31' is not text"),
        ("? [a, b]\n: x", "p.yaml:28: the key \"('a', 'b')\" is not text"),
        ('"a\\nb": x', "p.yaml:28: a\\nb: there is no key 'a\\nb'; expected one of"),
        ('"a\\u2028b": x', "p.yaml:28: a\\u2028b: there is no key 'a\\u2028b'; expected one of"),
        ('"\\ud800": x', "p.yaml:28: '\\ud800' has half a character (a surrogate)"),
        ('description: "\\udc00"', "p.yaml:28: description: '\\udc00' has half a character (a surrogate)"),
        (
            "description: '${AWS::Region}'",
            "p.yaml:28: description: '${AWS::Region}' means something in a template only",
        ),
        (
            "'${Token[TOKEN.1]}': x",
            "p.yaml:28: '${Token[TOKEN.1]}' means something in a template only; write the value",
        ),
        ("<<: {a: b}", "p.yaml:1: a: there is no key 'a'; expected one of"),
        ("foo: &x [*x]", "p.yaml:28: foo: there is no key 'foo'"),
        ("foo: !!set {a, b}", "p.yaml:28: foo: there is no key 'foo'"),
    ],
)
def test_a_key_that_is_none_is_told_on_one_line(line: str, expected: str) -> None:
    (found,) = problems(f"{SMALL}{line}\n")
    assert found.startswith(expected)
    found.encode()


@pytest.mark.parametrize("value", ["true", "1.5", ".inf"])
def test_a_rate_that_is_neither_number_nor_text_is_told_once(value: str) -> None:
    (found,) = problems(changed(("cutoff_hours: 1", f"concurrency: {value}")))
    assert found.endswith("expected a whole number, or per cent as text, such as 10%")


def test_what_is_found_in_a_value_is_told_on_one_line() -> None:
    (found,) = problems(changed(("{CLASSIFICATION: [Security]}", '{"CLASS\\u2028\\nIFICATION": [Security]}')))
    assert "filter CLASS\\u2028\\nIFICATION is not one that AMAZON_LINUX_2023 has" in found


def test_what_is_nested_without_end_is_no_policy() -> None:
    problems("[")  # so that everything is imported that reads it
    found: list[str] = []
    usual = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack(0)) + 100)
    try:
        with suppress(RecursionError):  # its traceback would take seconds to print
            found = problems("[" * 100)
    finally:
        sys.setrecursionlimit(usual)
    assert found == ["p.yaml:1: not YAML that can be read: it is nested too deeply"]


@each_row("text", ["", "# nothing but a comment\n", "- a\n- b\n", "just words", "42", "null", "---\n..."])
def test_what_is_no_mapping_is_answered_with_the_keys_of_a_policy(text: str) -> None:
    assert problems(text) == [f"p.yaml:1: expected a mapping with the keys {', '.join(Policy.model_fields)}"]


def test_a_file_that_is_not_there_is_an_error_and_no_traceback(tmp_path: Path) -> None:
    with pytest.raises(PolicyError) as missing:
        read_policy(tmp_path / "none.yaml")
    assert str(missing.value) == f"{tmp_path}/none.yaml:1: cannot be read: No such file or directory"


def test_a_directory_and_a_binary_file_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match=":1: cannot be read: Is a directory"):
        read_policy(tmp_path)
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(PolicyError, match=":1: cannot be read: is not UTF-8 text"):
        read_policy(tmp_path / "binary")


@pytest.mark.parametrize("name", ["prod", "a-1", "int", "str", "list"])
def test_a_window_is_found_by_its_name_whatever_that_is(name: str) -> None:
    text = changed(("  prod:\n", f"  {name}:\n"), ("cutoff_hours: 1", "cutoff_hours: 4"))
    (found,) = problems(text)
    assert found.startswith(f"p.yaml:23: install.{name}.cutoff_hours: ")


def test_the_readme_shows_what_is_said_of_a_mistake() -> None:
    root = Path(__file__).resolve().parents[2]
    broken = (root / "config" / "lab.yaml").read_text().replace("cutoff_hours: 1", "cutoff_hours: 5")
    with pytest.raises(PolicyError) as refused:
        parse_policy(broken, name="config/lab.yaml")
    assert str(refused.value).splitlines()[0] in (root / "README.md").read_text()


@each_row("path", sorted((LAB.parents[1]).glob("[ct]*/**/*.yaml")), ids=lambda path: path.stem)
def test_both_parsers_read_the_same_from_the_same_lines(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    fast, whole = load_with(text, in_c=True), load_with(text, in_c=False)
    assert fast == whole
    assert list(keys_and_texts(fast)) == list(keys_and_texts(whole))


@pytest.mark.parametrize(
    "text",
    [
        "a: {b: cron(0 2 ? * SUN *)}",
        "a: [yes, on, 0o17, 017, 1_000, 1:30, 2027-01-31, ~, .5, 0x1f]",
        "a: &x {b: 1}\nc: *x",
    ],
)
def test_a_text_means_what_yaml_1_2_says_whichever_parser_reads_it(text: str) -> None:
    assert load(text) == load_with(text, in_c=False)
