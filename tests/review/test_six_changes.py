"""The page, the Markdown and the JSON of the large policy against six known changes."""

from __future__ import annotations

import html
import json
import re

import pytest
from jsonschema_rs import Draft202012Validator, meta

from review.model import Effect, Weight
from review.render import MARKER, to_html, to_json, to_markdown
from review.schema import schema as schema_of_review
from tests.cdk import ROOT
from tests.review.assemblies import DAY, corp, six_changes

pytestmark = pytest.mark.xdist_group("review")

WORDS = [
    "window web-a moves from every Tuesday at 02:00 to every Saturday at 02:00 Europe/Berlin",
    (
        "baseline amazon-linux-2023 approves 7 days later: Critical and Important security patches of Amazon Linux "
        "2023 10 instead of 3 days after their release"
    ),
    "baseline debian is replaced: OperatingSystem cannot be changed in place",
    "window databases takes up to 5 nodes at a time instead of one node at a time",
    "subscription of security@corp.example by email is new",
    "arn:aws:iam::111122223333:role/contractors may now sts:AssumeRole on the role Operators/Role",
]


def plain(page: str) -> str:
    """Return what a page says, without its markup."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


@pytest.mark.parametrize("words", WORDS)
def test_every_change_is_told_in_words_everywhere(words: str) -> None:
    review = six_changes()
    assert [one.text for one in review.changes or ()].count(words) == 1
    assert words in plain(to_html(review))
    assert words.replace("@", "@\u200b") in to_markdown(review)
    assert words in [one["text"] for one in json.loads(to_json(review))["changes"]]


def test_the_one_replacement_is_marked_everywhere() -> None:
    review = six_changes()
    assert [one.path for one in review.resources if one.effect is Effect.REPLACED] == ["corp/Patching/Baseline-debian"]
    assert [one.text for one in review.changes or () if one.weight is Weight.DANGER] == [WORDS[2]]
    page = to_html(review)
    assert page.count('<span class="badge replaced">') == 2  # in the table, and at its raw difference
    assert page.count('<tr class="row-danger">') == 1
    assert "| **replaced** | corp/Patching/Baseline-debian |" in to_markdown(review)
    assert json.loads(to_json(review))["verdict"]["replaced"] == 1


def test_the_verdict_counts_what_a_reviewer_decides_first() -> None:
    verdict = six_changes().verdict
    assert verdict.weight is Weight.DANGER
    assert verdict.headline.startswith("Something is replaced")
    assert (verdict.added, verdict.changed, verdict.replaced, verdict.removed) == (1, 5, 1, 0)
    assert (verdict.data_losses, verdict.schedule_changes, verdict.violations) == (0, 1, 0)
    assert verdict.permission_changes == 2  # one who may, and one who no longer may


def test_the_json_is_as_its_schema_says() -> None:
    text = (ROOT / "docs" / "review.schema.json").read_text(encoding="utf-8")
    assert text == schema_of_review(), "run: make schema"
    schema = json.loads(text)
    meta.validate(schema)
    assert list(Draft202012Validator(schema).iter_errors(json.loads(to_json(six_changes())))) == []
    broken = json.loads(to_json(six_changes())) | {"verdict": {"headline": 3}}
    assert list(Draft202012Validator(schema).iter_errors(broken))


def test_the_markdown_is_found_again_and_fits_a_comment() -> None:
    text = to_markdown(six_changes())
    assert text.startswith(MARKER + "\n")
    assert len(text) < 10_000


def test_a_very_long_review_still_fits_a_comment_and_says_what_it_leaves_out() -> None:
    review = six_changes()
    many = review.model_copy(update={"changes": (review.changes or ()) * 400})
    text = to_markdown(many)
    assert len(text) < 65_536
    assert re.search(r"- and \d+ more", text)


def test_nothing_changes_between_two_that_are_the_same() -> None:
    from review.build import review  # noqa: PLC0415 beside the name of what it makes

    same = review(corp(), corp(), day=DAY)
    assert same.changes == ()
    assert same.resources == ()
    assert same.verdict.headline == "Nothing changes"
    assert not [one for one in same.grants if one.change]
