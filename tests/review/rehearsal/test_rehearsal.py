from __future__ import annotations

import json
import pickle
import re
from dataclasses import replace
from pathlib import Path

import pytest

from cli import main
from patching.policy_file import read_policy
from review.build import review
from review.facts import Facts
from review.rehearsal.course import Setting
from review.rehearsal.plan import of_facts, of_policy
from review.rehearsal.rehearse import rehearse
from review.render import rehearsal_to_html, to_html, to_markdown
from tests.review.assemblies import DAY, ENTERPRISE, corp
from tests.review.rehearsal.plans import FIRST, plan, rehearsed
from tests.review.test_page import Outline

pytestmark = pytest.mark.xdist_group("review")


def test_a_delay_of_seven_days_shows_in_the_median_exposure() -> None:
    late, soon = (rehearsed(plan(delay=delay), days=90, nodes=4) for delay in (7, 0))
    medians = {one.severity: one.median for one in soon.exposure}
    assert set(medians) >= {"Critical", "Important", "Medium", "Low"}
    for one in late.exposure:
        if one.severity not in {"Critical", "Important", "Medium", "Low"}:
            continue  # what has no notice is not approved by a rule without non-security updates
        assert one.still_open == 0
        assert one.median is not None
        assert medians[one.severity] is not None
        assert one.median - (medians[one.severity] or 0) == pytest.approx(7, abs=1)


def test_a_patch_is_over_when_a_later_one_of_its_package_is_installed() -> None:
    # A window a month: many packages have got two patches by then, and only the later one is installed.
    found = rehearsed(plan(schedule="cron(0 2 1 * ? *)"), days=90, nodes=2)
    serious = [one for one in found.exposure if one.severity in {"Critical", "Important", "Medium", "Low"}]
    assert sum(one.patches for one in serious) > 10
    assert [one.still_open for one in serious] == [0] * len(serious)
    assert all(one.p95 is not None and one.p95 <= 31 for one in serious)


def test_the_same_call_gives_the_same_figures_and_another_seed_others() -> None:
    one, other, third = (rehearsed(plan(), chaos=0.2, seed=seed) for seed in (1, 1, 2))
    assert one == other
    assert one.exposure != third.exposure


def test_every_node_is_counted_on_every_day() -> None:
    found = rehearsed(plan(), nodes=7, days=10)
    assert [one.day.day for one in found.compliance] == list(range(1, 11))
    assert {one.compliant + one.not_compliant + one.unknown for one in found.compliance} == {7}


def test_what_is_not_approved_for_long_leaves_nodes_compliant_and_patches_open() -> None:
    found = rehearsed(plan(delay=200), days=60)
    assert found.mean_compliance == 1
    assert all(one.median is None and one.still_open == one.pairs for one in found.exposure)


def test_rate_control_limits_how_many_are_patched_and_reboot_at_one_time() -> None:
    assert rehearsed(plan(concurrency="1")).most_patching == 1
    two = rehearsed(plan(concurrency="2"))
    assert (two.most_patching, two.most_rebooting) == (2, 2)
    # Run Command begins with few and takes more as they succeed.
    assert 2 < rehearsed(plan(), nodes=12).most_rebooting <= 12


def test_nodes_come_up_in_the_hours_of_the_window_and_not_at_all_without_reboots() -> None:
    found = rehearsed(plan())
    assert {one.at.hour for one in found.reboots} == {2}
    never = rehearsed(plan(reboot="NoReboot"))
    assert never.reboots == ()
    assert (never.most_rebooting, never.most_rebooting_at) == (0, None)
    assert never.mean_compliance < found.mean_compliance  # patches wait for a reboot


def test_chaos_fails_installations_and_an_error_threshold_keeps_others_from_beginning() -> None:
    whole, broken = rehearsed(plan(concurrency="1")), rehearsed(plan(concurrency="1"), chaos=0.5)
    assert (whole.failed, whole.not_started) == (0, 0)
    assert broken.failed > 0
    assert broken.not_started == 0
    strict = rehearsed(plan(concurrency="1", errors="0"), chaos=0.5)
    assert strict.not_started > 0
    assert strict.windows["FAILED"] > 0
    assert strict.mean_compliance < whole.mean_compliance


def test_nodes_of_a_patch_group_that_no_window_names_never_get_one() -> None:
    found = rehearsed(plan(targets="{PatchGroup: web}"), nodes=10)
    assert found.without_window == 5
    assert {(one.tags["PatchGroup"], one.window, one.without_window) for one in found.kinds} == {
        ("web", "night", 0),
        ("db", "", 5),
    }


def test_two_policies_get_the_same_patches_side_by_side() -> None:
    found = rehearse([plan(), plan(delay=7)], Setting(FIRST, 20, 4))
    assert found.plans[0] == rehearsed(plan(), days=20, nodes=4)
    assert found.plans[1] == rehearsed(plan(delay=7), days=20, nodes=4)
    assert [one.partition(":")[0] for one in found.rates] == ["Amazon Linux 2023, a month"]


def test_plans_can_be_handed_to_another_process() -> None:
    made = of_facts(Facts(corp()), "corp"), Setting(FIRST, 20, 4)
    assert pickle.loads(pickle.dumps(made)) == made


def test_templates_are_rehearsed_as_the_policy_that_they_were_made_from() -> None:
    of_templates = of_facts(Facts(corp()), "corp")
    of_file = of_policy(read_policy(ENTERPRISE, today=DAY), "corp")
    assert [(one.content.to_api(), one.content.default, one.groups) for one in of_templates.baselines] == [
        (one.content.to_api(), one.content.default, one.groups) for one in of_file.baselines
    ]
    assert [(one.name, one.times, one.groups, one.rate, one.task) for one in of_templates.windows] == [
        (one.name, one.times, one.groups, one.rate, one.task) for one in of_file.windows
    ]
    assert [(one.schedule, one.task) for one in of_templates.associations] == [
        (one.schedule, one.task) for one in of_file.associations
    ]
    assert of_templates.documents == of_file.documents


def test_the_page_has_its_charts_with_titles_and_no_scripts() -> None:
    page = rehearsal_to_html(rehearse([plan()], Setting(FIRST, 10, 4)))
    outline = Outline(page)
    assert len(outline.of("svg")) == 3
    assert outline.of("script") == []
    assert "The patches and the nodes are made up" in page


def test_a_review_has_the_rehearsal_of_both_sides_on_its_page_and_in_markdown() -> None:
    found = rehearse([plan(), replace(plan(delay=7), name="other | one")], Setting(FIRST, 20, 4))
    made = review(corp(), day=DAY, rehearsal=found)
    page = to_html(made)
    assert len(Outline(page).of("svg")) == 5
    assert "What if: the policy rehearsed" in page
    text = to_markdown(made)
    assert "| figure | policy | other \\| one |" in text
    assert "| Installations that failed | 0 | 0 |" in text
    medians = re.findall(r"^\| Days until half are installed: \w+ \| ([0-9.]+) \| ([0-9.]+) \|$", text, re.MULTILINE)
    assert medians
    assert all(float(late) > float(soon) for soon, late in medians)


def test_the_command_writes_json_and_a_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "r.html"
    options = ("--days", "4", "--nodes", "8", "--chaos", "10%", "--from", "2026-12-01", "--seed", "3")
    main.app()(["rehearse", str(ENTERPRISE), *options, "--html", str(page), "--output", "json"], standalone_mode=False)
    found = json.loads(capsys.readouterr().out)
    assert (found["days"], found["nodes"], found["chaos"], found["seed"]) == (4, 8, 0.1, 3)
    assert len(found["plans"][0]["compliance"]) == 4
    assert page.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--chaos", "much"), "--chaos 'much' is not a share from 0% to 100%, such as 5%"),
        (("--chaos", "101%"), "is not a share from 0% to 100%"),
        (("--against", str(ENTERPRISE)), "--against names the policy itself"),
    ],
)
def test_what_is_asked_wrongly_is_said(options: tuple[str, ...], said: str) -> None:
    with pytest.raises(main.UsageError, match=said):
        main.app()(["rehearse", str(ENTERPRISE), *options], standalone_mode=False)
