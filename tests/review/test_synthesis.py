"""Synthesizing commits with an app that needs no CDK: how it is run, and what is said when it fails."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from review.cloud_assembly import read
from review.errors import ReviewError
from review.synthesis import Source, commit, pins_differ, synthesize, uncommitted, within, worktree

APP = """\
import json, os, sys
from pathlib import Path

context = json.loads(os.environ["CDK_CONTEXT_JSON"])
text = Path(context["config"]).read_text()
if "bad" in text:
    print("warning: something", file=sys.stderr)
    print(context["config"] + ":1: is bad", "x: is worse", sep="\\n", file=sys.stderr)
    sys.exit(1)
if "raise" in text:
    raise ValueError("a <traceback>")
out = Path(os.environ["CDK_OUTDIR"])
out.mkdir(parents=True, exist_ok=True)
stack = {
    "type": "aws:cloudformation:stack",
    "displayName": context.get("environment", "env") + "/Stack",
    "properties": {"stackName": "stack", "templateFile": "t.json"},
}
(out / "manifest.json").write_text(json.dumps({"artifacts": {"s": stack}}))
topic = {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": text}}
(out / "t.json").write_text(json.dumps({"Resources": {"A": topic}}))
(out / "validation-report.json").write_text(json.dumps({"pluginReports": []}))
(out / "environment.json").write_text(json.dumps(dict(os.environ)))
sys.exit(1 if "broken rule" in text else 0)
"""


def git(folder: Path, *arguments: str) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false")
    ended = subprocess.run(
        ["git", *identity, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=True
    )
    return ended.stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository with an app and a policy, and two commits of it: the tag `first`, and `second`."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    (folder / "app.py").write_text(APP, encoding="utf-8")
    (folder / "cdk.json").write_text('{"context": {"flag": true}}', encoding="utf-8")
    (folder / "requirements.txt").write_text("a==1\n", encoding="utf-8")
    (folder / "p.yaml").write_text("one", encoding="utf-8")
    git(folder, "init", "--quiet")
    for name, text in (("first", "one"), ("second", "two")):
        (folder / "p.yaml").write_text(text, encoding="utf-8")
        git(folder, "add", ".")
        git(folder, "commit", "--quiet", "-m", name)
        git(folder, "tag", name)
    return folder


def shown(out: Path) -> str:
    return str(read(out).templates["stack"]["Resources"]["A"]["Properties"]["DisplayName"])


def test_a_commit_is_synthesized_as_it_was_and_leaves_nothing_behind(checkout: Path, tmp_path: Path) -> None:
    first = commit("first", root=checkout)
    assert first.name == f"first ({first.sha[:8]})"
    with worktree(first, root=checkout) as files:
        synthesize(Source("p.yaml", "alice"), tmp_path / "before", root=files)
        assert files.is_dir()
    synthesize(Source("p.yaml"), tmp_path / "after", root=checkout)
    assert (shown(tmp_path / "before"), shown(tmp_path / "after")) == ("one", "two")
    assert read(tmp_path / "before").environment == "alice"
    assert not files.exists()
    assert len(git(checkout, "worktree", "list").splitlines()) == 1


def test_an_app_gets_no_credentials(checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    monkeypatch.setenv("GITHUB_TOKEN", "x")
    synthesize(Source("p.yaml"), tmp_path / "out", root=checkout)
    got = json.loads((tmp_path / "out" / "environment.json").read_text(encoding="utf-8"))
    assert {"AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN"} & set(got) == set()
    assert json.loads(got["CDK_CONTEXT_JSON"])["flag"] is True


def test_findings_of_validation_do_not_stop_a_review(checkout: Path, tmp_path: Path) -> None:
    (checkout / "p.yaml").write_text("broken rule", encoding="utf-8")
    synthesize(Source("p.yaml"), tmp_path / "out", root=checkout)
    assert shown(tmp_path / "out") == "broken rule"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("bad", "p.yaml:1: is bad (and 1 more line)"),
        ("raise", "p.yaml: does not synthesize: ValueError: a <traceback>"),
    ],
)
def test_what_does_not_synthesize_is_said_in_one_line(checkout: Path, tmp_path: Path, text: str, said: str) -> None:
    (checkout / "p.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ReviewError) as error:
        synthesize(Source("p.yaml"), tmp_path / "out", root=checkout)
    assert str(error.value) == said


def test_a_commit_that_does_not_synthesize_is_named(checkout: Path, tmp_path: Path) -> None:
    (checkout / "p.yaml").write_text("raise", encoding="utf-8")
    with pytest.raises(ReviewError, match=r"^p at old: does not synthesize: ValueError"):
        synthesize(Source("p.yaml"), tmp_path / "out", root=checkout, name="p at old")


def test_a_checkout_without_an_app_is_said(tmp_path: Path) -> None:
    with pytest.raises(ReviewError, match=r"there is no app here that could be synthesized"):
        synthesize(Source("p.yaml"), tmp_path / "out", root=tmp_path)


@pytest.mark.parametrize("ref", ["nowhere", "--output=/tmp/x", "first..second"])
def test_a_ref_that_is_none_is_said_in_one_line(checkout: Path, ref: str) -> None:
    with pytest.raises(ReviewError) as error:
        commit(ref, root=checkout)
    assert "\n" not in str(error.value)


def test_outside_of_git_a_ref_is_nothing(tmp_path: Path) -> None:
    with pytest.raises(ReviewError, match=r"is no git repository"):
        commit("main", root=tmp_path)


def test_uncommitted_changes_and_other_pins_are_noticed(checkout: Path) -> None:
    first = commit("first", root=checkout)
    assert uncommitted(root=checkout) == 0
    assert not pins_differ(first, root=checkout)
    (checkout / "requirements.txt").write_text("a==2\n", encoding="utf-8")
    assert uncommitted(root=checkout) == 1
    assert pins_differ(first, root=checkout)


def test_a_policy_from_elsewhere_is_in_no_commit(checkout: Path, tmp_path: Path) -> None:
    assert within(str(checkout / "p.yaml"), root=checkout) == "p.yaml"
    with pytest.raises(ReviewError, match=r"so that no other commit has it"):
        within(str(tmp_path / "other.yaml"), root=checkout)
