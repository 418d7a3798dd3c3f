from __future__ import annotations

from datetime import date, timedelta

import pytest

from patching.baseline import MAX_LISTED_PATCHES
from patching.policy_file import parse_policy
from tests.patching.policies import TODAY, bare, problems, warnings
from tests.rows import each_row

KEPT = {
    "patch": "openssl",
    "baselines": "[linux]",
    "reason": "It breaks the shop's build",
    "owner": "shop",
    "until": "2026-12-31",
}


def exception(**settings: str) -> str:
    whole = {**KEPT, **settings}
    return "{" + ", ".join(f"{key}: {value}" for key, value in whole.items() if value) + "}"


def text(*exceptions: str, lists: str = "") -> str:
    """A policy with these exceptions from line 7 on, and with these lists in its baseline."""
    lines = [f"  e{number}: {one}" for number, one in enumerate(exceptions)]
    return bare("exceptions:", *lines).replace("rules: [{}]", f"rules: [{{}}]{lists and ', '}{lists}")


@each_row(
    ("settings", "expected"),
    [
        ({"baselines": "[linus]"}, "baselines.0: there is no baseline 'linus'; expected one of linux"),
        ({"baselines": "[]"}, "baselines: list should have at least 1 item"),
        ({"baselines": "[linux, linux]"}, "baselines.1: 'linux' is in the list already; take one out"),
        ({"patch": "'a b'"}, "patch: 'a b' is not a patch: expected one name"),
        ({"patch": "x" * 101}, "patch: found 'xxx"),
        ({"patch": "CVE-2025-0001"}, "patch: 'CVE-2025-0001': packages of AMAZON_LINUX_2023 are rejected by name"),
        ({"action": "ignore"}, "action: found 'ignore'; input should be 'reject' or 'approve'"),
        ({"reason": "because"}, "reason: found 'because'; string should have at least 10 characters"),
        ({"reason": "x" * 501}, "reason: found 'xxx"),
        ({"owner": "''"}, "owner: found ''; string should have at least 1 character"),
        ({"until": "soon"}, "until: found 'soon'; input should be a valid date"),
        (
            {"until": "2025-12-31"},
            "until: the exception ended on 2025-12-31, 1 day ago; take it out, or agree on a new",
        ),
        ({"until": "2025-12-01"}, "until: the exception ended on 2025-12-01, 31 days ago"),
    ],
)
def test_a_rule_of_an_exception_is_named_at_its_line_and_key(settings: dict[str, str], expected: str) -> None:
    (found,) = problems(text(exception(**settings)))
    assert found.startswith(f"p.yaml:7: exceptions.e0.{expected}")


@pytest.mark.parametrize("key", ["patch", "baselines", "reason", "owner", "until"])
def test_an_exception_has_someone_who_answers_for_it_and_an_end(key: str) -> None:
    assert problems(text(exception(**{key: ""}))) == [f"p.yaml:7: exceptions.e0: {key} is missing"]


@each_row(
    "settings",
    [
        {},
        {"action": "approve"},
        {"action": "approve", "patch": "CVE-2025-0001"},
        {"patch": "x" * 100},
        {"reason": "x" * 500},
        {"until": "2026-01-01"},
    ],
)
def test_an_exception_nearby_is_fine(settings: dict[str, str]) -> None:
    assert problems(text(exception(**settings))) == []


# Its end.


@pytest.mark.parametrize(
    ("days", "said"),
    [
        (15, []),
        (14, ["the exception ends in 14 days, on {}; its owner is shop"]),
        (1, ["the exception ends in 1 day, on {}; its owner is shop"]),
        (0, ["the exception ends today, on {}; its owner is shop"]),
    ],
)
def test_the_last_two_weeks_of_an_exception_are_told(days: int, said: list[str]) -> None:
    until = TODAY + timedelta(days=days)
    assert warnings(text(exception(until=str(until)))) == [
        f"p.yaml:7: exceptions.e0.until: {one.format(until)}" for one in said
    ]


def test_an_owner_of_several_lines_is_told_on_one() -> None:
    (said,) = warnings(text(exception(until="2026-01-02", owner='"Shop\\nteam"')))
    assert said.endswith("its owner is Shop team")


def test_an_exception_is_refused_from_the_day_after_its_last() -> None:
    policy = text(exception(until="2026-03-01"))
    assert problems(policy, today=date(2026, 3, 1)) == []
    (found,) = problems(policy, today=date(2026, 3, 2))
    assert found.endswith("take it out, or agree on a new day with its owner, shop")


# With the baseline's own lists.


@pytest.mark.parametrize(
    ("settings", "lists", "expected"),
    [
        (
            {},
            "rejected_patches: [openssl]",
            "'openssl' is in rejected_patches already, without an end; take it out there or here (baseline linux)",
        ),
        (
            {"action": "approve"},
            "approved_patches: [openssl]",
            "'openssl' is in approved_patches already, without an end",
        ),
        (
            {},
            "approved_patches: [openssl]",
            "'openssl' is in approved_patches, and rejected beats approved; take it out there or here",
        ),
        (
            {"patch": "'open*'"},
            "approved_patches: [openssl]",
            "'openssl' is in approved_patches, and rejected beats approved",
        ),
        (
            {"action": "approve"},
            "rejected_patches: ['open*']",
            "'openssl' is rejected as well, by 'open*', and rejected beats approved",
        ),
    ],
)
def test_an_exception_says_something_new(settings: dict[str, str], lists: str, expected: str) -> None:
    (found,) = problems(text(exception(**settings), lists=lists))
    assert found.startswith(f"p.yaml:7: exceptions.e0.patch: {expected}")
    assert problems(text(exception(**settings), lists=lists.replace("open", "curl-"))) == []


def test_with_the_exceptions_a_list_holds_50_patches() -> None:
    for action, key in (("reject", "rejected"), ("approve", "approved")):
        listed = [f"p{number}" for number in range(MAX_LISTED_PATCHES)]
        (found,) = problems(text(exception(action=action), lists=f"{key}_patches: {listed}"))
        assert found.startswith(f"p.yaml:3: baselines.linux: 51 {key} patches with the exceptions of this baseline")
        assert problems(text(exception(action=action), lists=f"{key}_patches: {listed[1:]}")) == []


# With each other.


def test_two_exceptions_say_different_things() -> None:
    (found,) = problems(text(exception(), exception(until="2026-06-30")))
    assert found == (
        "p.yaml:8: exceptions.e1.patch: exception e0 is about 'openssl' too, for the same baseline; make one of the two"
    )
    assert problems(text(exception(), exception(patch="curl"))) == []


@pytest.mark.parametrize("rejected", ["openssl", "'open*'"])
def test_two_exceptions_do_not_contradict_each_other(rejected: str) -> None:
    pair = [exception(action="approve"), exception(patch=rejected)]
    for exceptions in (pair, pair[::-1]):
        (found,) = problems(text(*exceptions))
        assert found.startswith(
            "p.yaml:8: exceptions.e1.patch: exceptions e0 and e1: one approves 'openssl', the other rejects 'open"
        )
    assert problems(text(pair[0], exception(patch="openssh"))) == []


def test_exceptions_to_different_baselines_have_nothing_to_do_with_each_other() -> None:
    both = text(exception(action="approve"), exception(baselines="[other]")).replace(
        "scan:", "  other: {operating_system: SUSE, patch_groups: [x], rules: [{}]}\nscan:"
    )
    assert problems(both) == []


def test_exceptions_come_into_the_lists_of_their_baselines() -> None:
    read = parse_policy(
        text(
            exception(),
            exception(patch="curl", action="approve"),
            lists="rejected_patches: [bash], approved_patches: [zlib]",
        ),
        today=TODAY,
    )
    made = read.patch_baseline("linux")
    assert (made.name, made.rejected, made.approved) == ("patchops-lab-linux", ("bash", "openssl"), ("zlib", "curl"))
    assert read.baselines["linux"].rejected_patches == ["bash"]
