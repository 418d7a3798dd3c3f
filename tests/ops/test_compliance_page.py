"""The page of compliance: one file, nothing from outside, and nothing that a name could smuggle in."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest

from ops.compliance import NodeReport, OpenPatch
from ops.compliance_page import Page
from ops.compliance_summary import Counting
from ops.errors import OperationError
from ops.nodes import Node
from patching.compliance import NodeCompliance, PatchState

NOW = datetime(2026, 11, 16, tzinfo=UTC)
EVIL = "<script>alert(1)</script>\"'&"
OUTSIDE = ("src", "href", "srcset", "action", "data", "poster", "background")


def report(name: str, compliance: NodeCompliance, days: int = 0, *patches: str) -> NodeReport:
    return NodeReport(
        node=Node("i-00000001", name, "Online", "Linux", "", "", None),
        compliance=compliance,
        counts={PatchState.MISSING: len(patches)},
        open=len(patches),
        severity="Critical" if patches else "",
        operation="Scan",
        at=NOW - timedelta(days=days),
        baseline_name=name,
        patch_group=name,
        open_patches=tuple(OpenPatch(one, one, "Security", "Critical", PatchState.MISSING, (one,)) for one in patches),
    )


def page(tmp_path: Path, *reports: NodeReport, problems: tuple[str, ...] = (), title: str = "lab") -> str:
    counting = Counting(lambda: NOW, 7)
    made = Page(counting)
    for one in reports:
        counting.add(one)
        made.add(one)
    made.write(tmp_path / "page.html", at=NOW, title=title, problems=problems)
    assert [one.name for one in tmp_path.iterdir()] == ["page.html"]
    return (tmp_path / "page.html").read_text()


class Elements(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs


def test_names_are_text_wherever_they_are(tmp_path: Path) -> None:
    text = page(
        tmp_path, report(EVIL, NodeCompliance.NON_COMPLIANT, 0, EVIL), problems=(f"not {EVIL}",), title=f"tag={EVIL}"
    )
    elements = Elements(text)
    assert elements.tags.count("script") == 1
    assert "alert(1)" not in re.sub(r"&lt;script&gt;alert\(1\)&lt;/script&gt;", "", text)


def test_nothing_is_loaded_from_outside(tmp_path: Path) -> None:
    text = page(tmp_path, report("web", NodeCompliance.COMPLIANT))
    assert not {name for name, _ in Elements(text).attributes} & set(OUTSIDE)
    assert "default-src 'none'" in text
    assert not re.search(r"url\(|@import|https?:", text)


def test_the_figures_are_those_of_the_nodes(tmp_path: Path) -> None:
    text = page(
        tmp_path,
        report("a", NodeCompliance.COMPLIANT),
        report("b", NodeCompliance.NON_COMPLIANT, 9, "bash", "curl"),
        report("c", NodeCompliance.UNKNOWN),
    )
    assert "1 of 3 nodes compliant, 1 not, 1 unknown, 1 stale" in text
    assert "<b class=NON_COMPLIANT>1</b>" in text
    assert "Scan 2026-11-07 00:00 UTC (stale)" in text
    assert text.count("<svg") == 1 + 3 + 3
    assert "Critical: 2 on 1 nodes" in text


def test_without_javascript_all_rows_are_there(tmp_path: Path) -> None:
    text = page(tmp_path, *(report(f"web-{number}", NodeCompliance.COMPLIANT) for number in range(250)))
    assert len(re.findall(r"<th scope=row>web-", text)) == 250


def test_a_file_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    made = Page(Counting(lambda: NOW))
    with pytest.raises(OperationError, match="cannot be written: No such file"):
        made.write(tmp_path / "none" / "page.html", at=NOW, title="", problems=())
