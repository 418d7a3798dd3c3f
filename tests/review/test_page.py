"""How the page is built: for browsers without scripts, keyboards, screen readers, and paper."""

from __future__ import annotations

import itertools
import re
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import pytest

from review.render import to_html
from tests.review.assemblies import six_changes

pytestmark = pytest.mark.xdist_group("review")
VOID = {"meta", "br", "link", "img", "hr", "input"}


class Outline(HTMLParser):
    """A page's tags, checked to be closed in their order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.found: list[tuple[str, dict[str, str]]] = []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def of(self, *tags: str) -> list[dict[str, str]]:
        return [attributes for tag, attributes in self.found if tag in tags]


@pytest.fixture(scope="module")
def page() -> str:
    return to_html(six_changes())


@pytest.fixture(scope="module")
def outline(page: str) -> Outline:
    return Outline(page)


def test_there_is_one_of_each_landmark_and_a_way_past_the_head(outline: Outline) -> None:
    for landmark in ("main", "header", "nav", "footer", "h1"):
        assert len(outline.of(landmark)) == 1
    assert outline.of("html")[0]["lang"] == "en"
    assert outline.of("a")[0] == {"class": "skip", "href": "#main"}


def test_headings_go_down_one_at_a_time(outline: Outline) -> None:
    levels = [int(tag[1]) for tag, _ in outline.found if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))


def test_every_name_is_there_once_and_every_link_within_the_page_leads_somewhere(outline: Outline) -> None:
    names = [attributes["id"] for _, attributes in outline.found if "id" in attributes]
    assert len(names) == len(set(names))
    inside = [one["href"][1:] for one in outline.of("a") if one["href"].startswith("#")]
    labelled = [name for _, one in outline.found for name in one.get("aria-labelledby", "").split()]
    assert set(inside) | set(labelled) <= set(names)


def test_every_header_cell_says_what_it_is_of(outline: Outline) -> None:
    cells = outline.of("th")
    assert len(cells) > 50
    assert {one.get("scope") for one in cells} == {"col", "row", "rowgroup"}


def test_what_scrolls_is_reached_by_the_keyboard_and_has_a_name(outline: Outline) -> None:
    scrolling = [one for one in outline.of("div") if one.get("class") == "scroll"]
    assert len(scrolling) > 5
    assert all(one["tabindex"] == "0" and one["role"] == "region" and one["aria-label"] for one in scrolling)


def test_pictures_have_a_title_and_a_description(page: str) -> None:
    pictures = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    assert len(pictures) == 2
    for picture in pictures:
        root = ET.fromstring(picture)  # it is well-formed
        title, description = root[0], root[1]
        assert (title.tag, description.tag) == ("title", "desc")
        assert root.attrib["aria-labelledby"].split() == [title.attrib["id"], description.attrib["id"]]
        assert title.text
        assert description.text


def test_it_is_made_for_dark_and_light_for_narrow_and_for_paper(page: str) -> None:
    style = page[page.index("<style>") : page.index("</style>")]
    for query in (
        "prefers-color-scheme: dark",
        "max-width: 40rem",
        "@media print",
        "size: A4",
        "prefers-reduced-motion",
    ):
        assert query in style
    assert "@import" not in style
    assert "url(" not in style


def test_changes_are_told_apart_by_words_and_not_by_colour_alone(page: str) -> None:
    assert page.count('<span class="weight">Stop and read</span>') == 1
    assert page.count('<span class="weight">Look</span>') == 6


def test_the_raw_differences_are_folded(outline: Outline) -> None:
    folded = outline.of("details")
    assert len(folded) == len(six_changes().resources) + 1
    assert all("open" not in one for one in folded)
