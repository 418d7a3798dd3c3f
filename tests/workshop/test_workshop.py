from __future__ import annotations

import json
import re
from typing import Any

import pytest

from lab.local_aws import ROOT
from lab.workshop_messages import read_message
from tests.workshop.conftest import Ran

pytestmark = pytest.mark.xdist_group("workshop")
README = (ROOT / "README.md").read_text()


def load(ran: Ran, name: str) -> Any:
    return json.loads((ran.folder / f"{name}.json").read_text())


def test_every_section_does_what_it_says(ran: Ran) -> None:
    failed = [what for what, holds in load(ran, "summary")["claims"].items() if not holds]
    assert failed == []
    assert ran.succeeded


def test_the_prod_nodes_are_not_compliant_before_and_compliant_after(ran: Ran) -> None:
    summary = load(ran, "summary")
    assert [node["compliance"] for node in summary["before"]["nodes"].values()] == ["NON_COMPLIANT"] * 2
    assert [node["compliance"] for node in summary["after"]["nodes"].values()] == ["COMPLIANT"] * 2
    assert sorted(summary["after"]["nodes"]) == ["patchops-lab-prod-1", "patchops-lab-prod-2"]


def test_what_was_missing_is_installed_afterwards(ran: Ran) -> None:
    summary = load(ran, "summary")
    for name, before in summary["before"]["nodes"].items():
        after = summary["after"]["nodes"][name]
        assert before["missing"] > 0
        assert after["missing"] == 0
        assert after["installed"] == before["installed"] + before["missing"]


def test_all_sections_are_shown_with_both_commands(ran: Ran) -> None:
    assert re.findall(r"^(\d)\. ", ran.printed, re.MULTILINE) == [*"01234556"]
    assert (
        "$ patchops install --environment lab --tag Workload=Prod --concurrency 1 --max-errors 1 --yes" in ran.printed
    )
    assert "= aws ssm send-command --document-name AWS-RunPatchBaseline" in ran.printed
    assert "one node at a time; stops starting new nodes after the second failure" in ran.printed


def test_the_scan_shows_why_steps_were_skipped_and_the_end_of_the_others_output(ran: Ran) -> None:
    for node in load(ran, "2-scan")["nodes"]:
        steps = {step["name"]: step for step in node["steps"]}
        assert steps["PatchWindows"]["skipped"]
        assert "unsatisfied preconditions" in steps["PatchWindows"]["output"]
        assert not steps["PatchLinux"]["skipped"]
        assert 0 < len(steps["PatchLinux"]["output"]) <= 2500


def test_installation_takes_one_node_at_a_time(ran: Ran) -> None:
    told = [json.loads(one["Message"]) for one in load(ran, "notifications")]
    command = load(ran, "4-install")["command_id"]
    statuses = [(one["instanceId"], one["status"]) for one in told if one.get("commandId") == command]
    first, second = statuses[0][0], statuses[2][0]
    assert first != second
    assert statuses == [(first, "InProgress"), (first, "Success"), (second, "InProgress"), (second, "Success")]


def test_the_window_patched_the_test_nodes_by_itself(ran: Ran) -> None:
    window = load(ran, "6-window")
    assert window["execution"]["status"] == "SUCCESS"
    assert window["execution"]["started"] == "2026-11-17T17:00:00+00:00"
    (command,) = window["commands"]
    assert sorted(node["name"] for node in command["nodes"]) == [
        "patchops-lab-test-ubuntu",
        "patchops-lab-test-windows",
    ]
    messages = [read_message(one["Message"]) for one in load(ran, "notifications")]
    told = [one for one in messages if one.what == "A maintenance window opened or ended"]
    assert [one.status for one in told] == ["IN_PROGRESS", "SUCCESS"]
    assert told[0].at == "2026-11-17T17:00:00Z"


def test_every_step_leaves_its_json_and_the_account_its_traces(ran: Ran) -> None:
    assert sorted(path.name for path in ran.folder.glob("*.json")) == [
        "0-provision.json",
        "1-documents.json",
        "2-scan.json",
        "3-compliance.json",
        "4-install.json",
        "5-compliance.json",
        "5-scan.json",
        "6-scheduled.json",
        "6-window.json",
        "notifications.json",
        "summary.json",
    ]
    objects = list((ran.folder / "bucket" / "run-command").rglob("stdout"))
    assert len(objects) == load(ran, "summary")["objects"] > 0
    templates = {path.stem: json.loads(path.read_text()) for path in (ran.folder / "templates").glob("*.json")}
    assert sorted(templates) == ["patchops-lab-fleet", "patchops-lab-patching"]
    assert "AWS::SSM::PatchBaseline" in {
        one["Type"] for one in templates["patchops-lab-patching"]["Resources"].values()
    }


def test_the_next_three_runs_are_told_for_the_windows_and_the_scan(ran: Ran) -> None:
    scheduled = load(ran, "6-scheduled")
    runs = {one["name"]: one["next_runs"] for one in (*scheduled["windows"], *scheduled["associations"])}
    assert runs == {
        "patchops-lab-prod": ["2026-11-22T02:00:00+09:00", "2026-11-29T02:00:00+09:00", "2026-12-06T02:00:00+09:00"],
        "patchops-lab-test": ["2026-11-18T02:00:00+09:00", "2026-11-25T02:00:00+09:00", "2026-12-02T02:00:00+09:00"],
        "patchops-lab-scan": ["2026-11-16T22:00:00+00:00", "2026-11-17T22:00:00+00:00", "2026-11-18T22:00:00+00:00"],
    }


def test_the_readme_shows_the_figures_that_the_lab_comes_to(ran: Ran) -> None:
    summary = load(ran, "summary")
    rows = re.findall(
        r"^ (patchops-lab-prod-\d)\s+(\w+)\s+(\w+)\s+(\d+)\s+(\d+)\s+(\d+)\s+(\d+)$", README, re.MULTILINE
    )
    before, after = summary["before"]["nodes"], summary["after"]["nodes"]
    assert [list(row) for row in rows] == [
        [
            name,
            before[name]["compliance"],
            after[name]["compliance"],
            str(before[name]["missing"]),
            str(after[name]["missing"]),
            str(before[name]["installed"]),
            str(after[name]["installed"]),
        ]
        for name in before
    ]


def test_the_readme_shows_how_the_installation_goes(ran: Ran) -> None:
    (excerpt,) = re.findall(r"(\$ patchops install .*?)\n\n", README, re.DOTALL)
    assert excerpt.splitlines()[0] in ran.printed
    assert excerpt.splitlines()[1] in ran.printed
