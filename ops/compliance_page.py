"""A page that shows patch compliance: one file that needs no other, works without JavaScript, and prints."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from shutil import copyfileobj

from ops.compliance import NodeReport
from ops.compliance_summary import Counting, GroupCount, Summary
from ops.compliance_tables import NODE_COLUMNS, node_row, shown_cves, totals
from ops.errors import OperationError
from ops.table import moment, text
from patching.compliance import NodeCompliance, severity_rank

_MOST_PATCHES = 200
_MOST_GROUPS = 25
_WORDS = {
    NodeCompliance.COMPLIANT: "compliant",
    NodeCompliance.NON_COMPLIANT: "not compliant",
    NodeCompliance.UNKNOWN: "unknown",
}
_SPOOLED_BYTES = 4_000_000
_BAR = 400
"""Units of a bar's whole width."""


class Page:
    """Takes reports one by one, and writes the page once all of them are there.

    Args:
        counting: adds the same reports up, for the figures.
    """

    def __init__(self, counting: Counting) -> None:
        self._counting = counting
        # The figures come first, and are known last: meanwhile the rows wait here, and not in memory.
        self._rows = tempfile.SpooledTemporaryFile(_SPOOLED_BYTES, mode="w+", encoding="utf-8")  # noqa: SIM115

    def add(self, report: NodeReport) -> None:
        """Add a node."""
        cells = [text(cell) for cell in node_row(report, self._counting)]
        marks = {0: "", 1: f' class="{report.compliance}"'}
        keys = {2: str(severity_rank(report.severity)), 9: report.at.isoformat() if report.at else ""}
        self._rows.write(
            "<tr>"
            + "".join(
                f"<{tag}{marks.get(index, '')}{_key(keys.get(index))}>{escape(cell)}</{tag}>"
                for index, cell in enumerate(cells)
                for tag in ("th scope=row" if index == 0 else "td",)
            ).replace("</th scope=row>", "</th>")
            + "</tr>\n"
        )

    def write(self, path: Path, *, at: datetime, title: str, problems: Sequence[str]) -> None:
        """Write the page.

        Args:
            path: the file.
            at: when it was read.
            title: which nodes it is about.
            problems: what could not be read.

        Raises:
            OperationError: the file cannot be written.
        """
        summary = self._counting.summary()
        self._rows.seek(0)
        try:
            # Under another name at first: nobody is to find half a page.
            partial = path.with_name(f".{path.name}.partial")
            with partial.open("w", encoding="utf-8") as file:
                file.writelines(_head(summary, at, title, problems))
                copyfileobj(self._rows, file)
                file.write(_FOOT)
            os.replace(partial, path)  # noqa: PTH105 says both names
        except OSError as error:
            message = f"{path} cannot be written: {error.strerror}"
            raise OperationError(message) from None
        finally:
            self._rows.close()


def _key(value: str | None) -> str:
    return "" if value is None else f' data-key="{escape(value)}"'


def _head(summary: Summary, at: datetime, title: str, problems: Sequence[str]) -> Iterator[str]:
    yield _DOCUMENT.format(title=escape(title), style=_STYLE)
    yield (
        f"<h1>Patch compliance</h1><p class=about>{escape(title)}, as of {moment(at.astimezone(UTC))}: "
        f"{escape(totals(summary))}.</p>"
    )
    if problems:
        yield "<section class=problems><h2>Not the whole</h2>"
        yield "<p>This could not be read; its nodes count as unknown:</p><ul>"
        yield from (f"<li>{escape(one)}</li>" for one in problems)
        yield "</ul></section>"
    yield "<section class=figures>"
    for state, number in (
        (NodeCompliance.COMPLIANT, summary.compliant),
        (NodeCompliance.NON_COMPLIANT, summary.non_compliant),
        (NodeCompliance.UNKNOWN, summary.unknown),
    ):
        share = f"{100 * number / summary.nodes:.1f} %" if summary.nodes else ""
        yield _figure(f"<b class={state}>{number:,}</b>", _WORDS[state], share)
    open_patches = sum(one.patches for one in summary.severities)
    yield _figure(f"<b>{open_patches:,}</b>", "open patches", "counted on each node")
    yield "</section>"
    yield "<section class=charts>"
    yield _severity_chart(summary)
    yield _group_chart("By patch group", summary.groups)
    yield _group_chart("By baseline", summary.baselines)
    yield "</section>"
    if summary.patches:
        yield _patches(summary)
    yield "<section><h2>Nodes</h2><div class=scroll><table data-sortable><thead><tr>"
    yield from (f"<th scope=col>{escape(column)}</th>" for column in NODE_COLUMNS)
    yield "</tr></thead><tbody>\n"


def _figure(number: str, what: str, note: str) -> str:
    return f"<div class=figure>{number}<span>{what}</span><small>{note}</small></div>"


def _severity_chart(summary: Summary) -> str:
    most = max((one.patches for one in summary.severities), default=0)
    bars = [
        _bar(
            one.severity or "(none)",
            f"{one.patches:,} on {one.nodes:,} nodes",
            [(f"severity s{_shade(one.severity)}", one.patches)],
            most,
        )
        for one in summary.severities
    ]
    return _chart("Open patches by severity", bars, "No patch is open.")


def _group_chart(title: str, groups: Sequence[GroupCount]) -> str:
    ordered = sorted(groups, key=lambda one: (-(one.non_compliant + one.unknown), one.name))
    bars = [
        _bar(
            one.name or "(none)",
            f"{one.compliant:,} compliant, {one.non_compliant:,} not, {one.unknown:,} unknown",
            [
                (NodeCompliance.COMPLIANT, one.compliant),
                (NodeCompliance.NON_COMPLIANT, one.non_compliant),
                (NodeCompliance.UNKNOWN, one.unknown),
            ],
            one.compliant + one.non_compliant + one.unknown,
        )
        for one in ordered[:_MOST_GROUPS]
    ]
    if len(ordered) > _MOST_GROUPS:
        bars.append(f"<p>and {len(ordered) - _MOST_GROUPS} more</p>")
    return _chart(title, bars, "There is none.")


def _chart(title: str, bars: Iterable[str], nothing: str) -> str:
    return f"<figure><figcaption>{escape(title)}</figcaption>{''.join(bars) or f'<p>{nothing}</p>'}</figure>"


def _bar(label: str, value: str, parts: Sequence[tuple[str, int]], whole: int) -> str:
    """Draw a bar of several parts; what it says is there as text as well."""
    x, drawn = 0.0, []
    for kind, number in parts:
        width = _BAR * number / whole if whole else 0
        if number:
            drawn.append(f'<rect class="{kind}" x="{x:.1f}" width="{width:.1f}" height="10"/>')
        x += width
    return (
        f"<div class=bar><span>{escape(label)}</span><span>{escape(value)}</span>"
        f'<svg viewBox="0 0 {_BAR} 10" preserveAspectRatio="none" role="img" '
        f'aria-label="{escape(f"{label}: {value}")}">'
        f'<rect class="rest" width="{_BAR}" height="10"/>{"".join(drawn)}</svg></div>'
    )


def _shade(severity: str) -> int:
    """Return a number from 0, for the most serious, to 3."""
    return {"Critical": 0, "Important": 1, "High": 1, "Security": 1, "Moderate": 2, "Medium": 2}.get(severity, 3)


def _patches(summary: Summary) -> str:
    shown = summary.patches[:_MOST_PATCHES]
    more = len(summary.patches) - len(shown)
    rows = "".join(
        f"<tr><th scope=row>{escape(one.patch.title)}</th><td>{one.nodes}</td>"
        f'<td data-key="{severity_rank(one.patch.severity)}">{escape(one.patch.severity)}</td>'
        f"<td>{escape(one.patch.classification)}</td><td>{escape(one.patch.state)}</td>"
        f'<td title="{escape(" ".join(one.patch.cves))}">{escape(", ".join(shown_cves(one.patch.cves)))}</td></tr>\n'
        for one in shown
    )
    heads = "".join(
        f"<th scope=col>{one}</th>" for one in ("Patch", "Nodes", "Severity", "Classification", "State", "CVEs")
    )
    note = f"<p>The {len(shown)} on most nodes; {more} more are open.</p>" if more else ""
    return (
        f"<section><h2>Open patches</h2>{note}<div class=scroll><table data-sortable><thead><tr>{heads}</tr></thead>"
        f"<tbody>\n{rows}</tbody></table></div></section>"
    )


_DOCUMENT = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>Patch compliance: {title}</title>
<style>{style}</style>
</head>
<body>
"""

_STYLE = """
:root { --paper: #fff; --ink: #1c2024; --soft: #5f6873; --line: #d9dee3; --panel: #f5f7f9;
  --good: #1a7f4b; --bad: #c5303a; --unsure: #9a6a00; --calm: #4a78b5; }
@media (prefers-color-scheme: dark) { :root { --paper: #14171a; --ink: #e6e9ec; --soft: #9aa4ae; --line: #343b42;
  --panel: #1d2226; --good: #4cc38a; --bad: #ff7b80; --unsure: #e3b341; --calm: #79a8e0; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 80rem; padding: 1.5rem; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { margin: 0; font-size: 1.6rem; } h2 { margin: 2rem 0 .5rem; font-size: 1.15rem; }
.about { margin: .25rem 0 1.5rem; color: var(--soft); overflow-wrap: anywhere; }
.problems { border: 2px solid var(--bad); border-radius: .5rem; padding: 0 1rem; margin-bottom: 1.5rem;
  overflow-wrap: anywhere; }
.figures, .charts { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(10rem, 1fr)); }
.charts { grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr)); margin-top: 1rem; }
.figure, figure { margin: 0; padding: 1rem; border: 1px solid var(--line); border-radius: .5rem;
  background: var(--panel); }
.figure b { display: block; font-size: 2rem; line-height: 1.2; font-variant-numeric: tabular-nums; }
.figure span { display: block; } .figure small, .bar span + span { color: var(--soft); }
figcaption { font-weight: 600; margin-bottom: .5rem; }
.bar { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0 1rem; margin-bottom: .6rem;
  font-size: .9rem; overflow-wrap: anywhere; }
.bar svg { flex: 0 0 100%; width: 100%; height: .7rem; border-radius: .2rem; }
.rest { fill: var(--line); }
.COMPLIANT { color: var(--good); fill: var(--good); } .NON_COMPLIANT { color: var(--bad); fill: var(--bad); }
.UNKNOWN { color: var(--unsure); fill: var(--unsure); }
.s0 { fill: var(--bad); } .s1 { fill: var(--unsure); } .s2 { fill: var(--calm); } .s3 { fill: var(--soft); }
.scroll { overflow-x: auto; border: 1px solid var(--line); border-radius: .5rem; }
table { border-collapse: collapse; width: 100%; font-size: .88rem; font-variant-numeric: tabular-nums; }
th, td { padding: .35rem .7rem; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
thead th { background: var(--panel); white-space: nowrap; }
tbody th { font-weight: 500; min-width: 11rem; max-width: 28rem;
  overflow-wrap: anywhere; }
tbody tr:last-child > * { border-bottom: 0; } td { overflow-wrap: break-word; }
td:last-child { min-width: 9rem; }
thead button { all: unset; cursor: pointer; font-weight: 600; } thead button:focus-visible { outline: 2px solid; }
th[aria-sort=ascending] button::after { content: " \\25B2"; }
th[aria-sort=descending] button::after { content: " \\25BC"; }
@media (max-width: 40rem) { body { padding: .8rem; } .figures { grid-template-columns: 1fr 1fr; gap: .6rem; }
  .figure, figure { padding: .7rem; } .figure b { font-size: 1.5rem; } }
@media print { :root { --paper: #fff; --ink: #000; --panel: #fff; --soft: #444; --line: #bbb; --good: #0a5c33;
  --bad: #a3141f; --unsure: #6b4a00; } body { max-width: none; padding: 0; font-size: 10pt; }
  .scroll { overflow: visible; border: 0; } thead { display: table-header-group; }
  /* Chromium repeats no heads with boxes of their own on the next pages. */ thead button { display: contents; }
  tr, figure, .figure { break-inside: avoid; } svg, .figure { print-color-adjust: exact;
  -webkit-print-color-adjust: exact; } }
"""

_FOOT = """</tbody></table></div></section>
<script>
"use strict";
for (const table of document.querySelectorAll("table[data-sortable]")) {
  const body = table.tBodies[0];
  const heads = [...table.tHead.rows[0].cells];
  const compare = new Intl.Collator(undefined, { numeric: true }).compare;
  const key = (row, index) => row.cells[index].dataset.key ?? row.cells[index].textContent;
  heads.forEach((head, index) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const up = head.getAttribute("aria-sort") !== "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const rows = [...body.rows].map((row) => [key(row, index), row]);
      rows.sort((a, b) => (up ? 1 : -1) * compare(a[0], b[0]));
      body.append(...rows.map((one) => one[1]));
    });
  });
}
</script>
</body>
</html>
"""
