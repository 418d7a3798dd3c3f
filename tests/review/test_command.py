"""`patchops review`, on cloud assemblies that are there already."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli import main
from patching.errors import InvalidValueError
from review.errors import ReviewError
from tests.review.assemblies import SIX, enterprise, synthesize

pytestmark = pytest.mark.xdist_group("review")


@pytest.fixture(scope="module")
def before() -> str:
    return str(synthesize(enterprise()))


@pytest.fixture(scope="module")
def after() -> str:
    return str(synthesize(enterprise(*SIX)))


def run(*arguments: str) -> int:
    code = main.app()(["review", *arguments], standalone_mode=False)
    return code if isinstance(code, int) else 0


def test_without_a_page_the_markdown_is_written(before: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--assembly", before) == 0
    out, err = capsys.readouterr()
    assert out.startswith("<!-- patchops-review -->\n## corp: Nothing to compare with")
    assert err == ""


def test_a_page_and_json_can_be_had_at_one_time(
    before: str, after: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "new" / "review.html"
    options = ("--from", "2026-10-20", "--nodes", "500", "--html", str(page), "--output", "json")
    assert run("--assembly", after, "--against", before, *options) == 0
    out, err = capsys.readouterr()
    review = json.loads(out)
    assert review["against"] == before
    assert review["day"] == "2026-10-20"
    assert review["calendar"]["lanes"][0]["nodes"] == 500
    assert page.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert err == f"Something is replaced: read the red lines before anything else; the page is {page}\n"


def test_a_broken_rule_is_found(before: str, capsys: pytest.CaptureFixture[str]) -> None:
    manifest = json.loads(Path(before, "manifest.json").read_text(encoding="utf-8"))
    nested = Path(before, manifest["artifacts"]["assembly-corp"]["properties"]["directoryName"])
    (template,) = nested.glob("*.template.json")
    text = template.read_text(encoding="utf-8")
    try:
        template.write_text(text.replace('"Cutoff":1', '"Cutoff":9').replace('"Cutoff": 1', '"Cutoff": 9'), "utf-8")
        assert run("--assembly", before) == 3
    finally:
        template.write_text(text, encoding="utf-8")
    assert "**error**: corp/Patching/Install-web-a: patchops::cutoff-not-before-end" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--assembly", "/nowhere"), "/nowhere: is not there; name a directory that `cdk synth` made, such as cdk.out"),
        (("--against", "no-such-commit"), "no-such-commit: there is no such commit, and no such directory"),
        (("--config", "no-such.yaml"), "no-such.yaml:1: cannot be read"),
    ],
)
def test_what_cannot_be_reviewed_is_said_in_one_line(arguments: tuple[str, ...], said: str) -> None:
    with pytest.raises((ReviewError, InvalidValueError)) as error:
        run(*arguments)
    assert str(error.value).startswith(said)
    assert "\n" not in str(error.value)


def test_a_day_that_is_none_is_wrong_usage(before: str) -> None:
    with pytest.raises(main.UsageError, match=r"--from 'soon' is not a day like 2026-11-30"):
        run("--assembly", before, "--from", "soon")
