"""Whatever stands in a policy or a template is text on the page and in a comment, and never markup."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest

from review.build import review
from review.cloud_assembly import read
from review.model import Review
from review.render import as_markdown, to_html, to_markdown
from tests.review.assemblies import DAY, Template, corp, enterprise, reviewed, synthesize

pytestmark = pytest.mark.xdist_group("review")

SCRIPT = "<script>alert(1)</script>"
NASTY = f"{SCRIPT} \"'><img src=x onerror=alert(1)> [x](javascript:alert(1)) | a `b` @everybody #1 --> {{{{7*7}}}}"


class Tags(HTMLParser):
    """Every tag of a page with its attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def spoilt(node: Any) -> Any:
    """Put the nasty text at the end of every text of a template, but for what makes it one."""
    match node:
        case {"Ref": _} | {"Fn::GetAtt": _}:
            return node
        case dict():
            return {key: value if key in ("Type", "Key") else spoilt(value) for key, value in node.items()}
        case list():
            return [spoilt(one) for one in node]
        case str():
            return f"{node}{NASTY}"
        case _:
            return node


@pytest.fixture(scope="module")
def nasty() -> Review:
    """The review of a template in which every text is nasty."""

    def spoil(resources: Template) -> None:
        for name in list(resources):
            one = resources[name]
            keep = {"Schedule", "ScheduleTimezone", "OperatingSystem"}
            one["Properties"] = {
                key: value if key in keep else spoilt(value) for key, value in one["Properties"].items()
            }
            one["Metadata"] = spoilt(one["Metadata"])

    return reviewed(spoil)


def test_the_page_has_no_tag_or_attribute_that_a_template_brought(nasty: Review) -> None:
    page = to_html(nasty)
    assert page.count("alert(1)") > 100
    tags = Tags(page).found
    assert {tag for tag, _ in tags} & {"script", "img", "iframe", "object", "form", "base"} == set()
    assert not [name for _, attributes in tags for name in attributes if name.startswith("on")]
    links = [attributes.get("href") or "" for tag, attributes in tags if tag == "a"]
    assert links
    assert all(link.startswith(("#", "https://docs.aws.amazon.com/")) for link in links)


def test_the_page_needs_nothing_from_elsewhere(nasty: Review) -> None:
    tags = Tags(to_html(nasty)).found
    assert not [tag for tag, attributes in tags if "src" in attributes or tag in ("link", "script")]
    policy = next(one["content"] for tag, one in tags if one.get("http-equiv") == "Content-Security-Policy")
    assert policy == "default-src 'none'; style-src 'unsafe-inline'"


def test_a_comment_has_no_markup_that_a_template_brought(nasty: Review) -> None:
    text = to_markdown(nasty)
    assert "alert(1)" in text
    assert set(re.findall(r"<(/?[a-z]+)", text)) <= {"details", "/details", "summary", "/summary"}
    assert re.search(r"(?<!\\)\]\(", text) is None  # no link
    assert re.search(r"@\w", text) is None  # no mention
    assert text.count("<!--") == 1
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    columns = {len(re.findall(r"(?<!\\)\|", row)) for row in rows}
    assert columns <= {5, 7, 8}  # the three tables, and no cell more


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a\nb", "a b"),
        ("<b>", "&lt;b>"),
        ("&lt;", "&amp;lt;"),
        ("a|b", "a\\|b"),
        ("`x`", "\\`x\\`"),
        ("[x](y)", "\\[x\\](y)"),
        ("@team", "@\u200bteam"),
        ("https://x", "https://\u200bx"),
        ("web-a_b*", "web-a\\_b\\*"),
    ],
)
def test_markdown_is_taken_out_of_text(text: str, written: str) -> None:
    assert as_markdown(text) == written


def test_a_script_in_a_policy_is_inert() -> None:
    text = enterprise(
        ("description: The first half of the web servers", f"description: {SCRIPT}"),
        ("reason: The build of the shop breaks with 3.0.2-0ubuntu1.20; ticket SHOP-1187", f"reason: because {SCRIPT}"),
    )
    made = review(read(synthesize(text)), corp(), day=DAY, subject=SCRIPT, against=SCRIPT, notes=[SCRIPT])
    assert any(SCRIPT in one.text for one in made.changes or ())
    for written in (to_html(made), to_markdown(made)):
        assert SCRIPT not in written
        assert "&lt;script" in written
