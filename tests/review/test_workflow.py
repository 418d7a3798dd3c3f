"""The workflow that comments on pull requests: least privileges, pinned actions, and no code of others with a token."""

from __future__ import annotations

import re
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.cdk import ROOT

WORKFLOW: dict[str, Any] = YAML(typ="safe", pure=True).load(
    (ROOT / ".github" / "workflows" / "review.yml").read_text(encoding="utf-8")
)
JOBS: dict[str, dict[str, Any]] = WORKFLOW["jobs"]


def test_it_runs_for_pull_requests_without_the_rights_of_the_branch_that_they_are_for() -> None:
    assert list(WORKFLOW["on"]) == ["pull_request"]
    assert WORKFLOW["permissions"] == {}


def test_only_the_job_that_runs_nothing_of_the_pull_request_may_write() -> None:
    assert JOBS["synthesize"]["permissions"] == {"contents": "read"}
    assert JOBS["comment"]["permissions"] == {"contents": "read", "pull-requests": "write"}
    steps = JOBS["comment"]["steps"]
    assert [step["uses"].partition("@")[0] for step in steps] == ["actions/download-artifact", "actions/github-script"]
    assert not any("${{" in str(step) for step in steps)  # nothing that a pull request says becomes a part of a script


def test_no_step_gets_a_secret_and_no_expression_becomes_a_part_of_a_script() -> None:
    text = (ROOT / ".github" / "workflows" / "review.yml").read_text(encoding="utf-8")
    assert "secrets." not in text
    assert not any("${{" in step.get("run", "") for job in JOBS.values() for step in job["steps"])
    (checkout,) = [step for step in JOBS["synthesize"]["steps"] if "checkout" in step.get("uses", "")]
    assert checkout["with"]["persist-credentials"] is False


def test_every_action_is_pinned_by_its_commit() -> None:
    used = [step["uses"] for job in JOBS.values() for step in job["steps"] if "uses" in step]
    assert len(used) == 5
    assert all(re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}", one) for one in used)


@pytest.mark.parametrize("policy", JOBS["synthesize"]["strategy"]["matrix"]["policy"])
def test_what_it_reviews_is_there(policy: str) -> None:
    assert (ROOT / "config" / f"{policy}.yaml").is_file()
