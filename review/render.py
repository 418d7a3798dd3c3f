"""Writing a review as a page, as Markdown and as JSON.

Whatever comes from a template is text, wherever it ends up: the page escapes it by itself, and `as_markdown` takes from
it what Markdown, HTML and GitHub would make something of.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from review.calendar_drawing import DAY, LABELS, LANE, draw_calendar
from review.matrix import matrix
from review.model import Effect, Review, Weight
from review.picture_drawing import draw_picture
from review.rehearsal import charts
from review.rehearsal.model import Rehearsals
from review.rehearsal.rows import exposure_rows, figure_rows

FOLDER = Path(__file__).with_name("page")
LONGEST_COMMENT = 60_000
"""Characters of the Markdown at most: GitHub takes 65,536 in a comment."""
MARKER = "<!-- patchops-review -->"
"""The Markdown's first line, by which a comment is found again."""
_SPECIAL = re.compile(r"([\\`*_\[\]|~$])")
_LABELS = {Weight.DANGER: "Stop and read", Weight.CAUTION: "Look", Weight.PLAIN: "Minor"}


def to_json(review: Review) -> str:
    """Write a review as JSON, as `docs/review.schema.json` describes it."""
    return review.model_dump_json(indent=2)


def to_html(review: Review) -> str:
    """Write a review as a page that needs nothing else, and no scripts."""
    template = _environment(autoescape=True).get_template("review.html.j2")
    return template.render(
        review=review,
        calendar=draw_calendar(review.calendar),
        picture=draw_picture(review.picture),
        matrix=matrix(review.grants),
        **_rehearsed(review.rehearsal),
        **_CONSTANTS,
    )


def rehearsal_to_html(rehearsal: Rehearsals) -> str:
    """Write a rehearsal as a page of its own."""
    template = _environment(autoescape=True).get_template("rehearsal_page.html.j2")
    return template.render(**_rehearsed(rehearsal), **_CONSTANTS)


def _rehearsed(rehearsal: Rehearsals | None) -> dict[str, Any]:
    if rehearsal is None:
        return {"rehearsal": None}
    drawn = {name: getattr(charts, name)(rehearsal) for name in ("compliance", "exposure", "reboots")}
    rows = {"rehearsal_rows": figure_rows(rehearsal), "exposure_rows": exposure_rows(rehearsal)}
    return {"rehearsal": rehearsal, "charts": drawn, **rows}


def to_markdown(review: Review) -> str:
    """Write a review as Markdown, short enough for the comment of a pull request."""
    template = _environment(autoescape=False).get_template("review.md.j2")
    rehearsed = _rehearsed(review.rehearsal)
    most = 400
    while True:
        text = template.render(review=review, marker=Markdown(MARKER), most=most, **rehearsed, **_CONSTANTS)
        text = re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"
        if len(text) <= LONGEST_COMMENT or most == 0:
            return text[:LONGEST_COMMENT]
        most //= 2


class Markdown(str):
    """Text that is Markdown already, and is not to be escaped."""

    __slots__ = ()


def as_markdown(value: object) -> Markdown:
    """Write a value into Markdown as nothing but text: no HTML, no link, no table cell, no mention of anybody."""
    if isinstance(value, Markdown):
        return value
    text = " ".join(str(value).split())
    text = text.replace("&", "&amp;").replace("<", "&lt;")
    text = _SPECIAL.sub(r"\\\1", text)
    # What GitHub links by itself is broken by a space of no width.
    return Markdown(re.sub(r"(@|#|://|www\.)", "\\1\u200b", text))


def _environment(*, autoescape: bool) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=autoescape,  # noqa: S701 of HTML; in Markdown every value goes through as_markdown instead
        finalize=None if autoescape else as_markdown,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"money": _money, "number": _number}
    environment.globals["style"] = (FOLDER / "style.css").read_text(encoding="utf-8")
    return environment


def _money(value: float) -> str:
    return f"{value:,.2f}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:,}"


def _weighed(review: Review) -> dict[Weight, list[Any]]:
    return {weight: [one for one in review.changes or () if one.weight is weight] for weight in Weight}


def _shown(values: Iterable[Any], most: int) -> list[Any]:
    return list(values)[:most]


_CONSTANTS: dict[str, Any] = {
    "Effect": Effect,
    "Weight": Weight,
    "weight_labels": _LABELS,
    "weighed": _weighed,
    "shown": _shown,
    "day_width": DAY,
    "labels_width": LABELS,
    "lane_height": LANE,
}
