"""`patchops compliance`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cli.command import Call, command
from cli.options import (
    FOUND,
    EnvironmentName,
    Instances,
    OutputFormat,
    ResourceGroup,
    Tags,
    moment_of,
    required_targets,
    usage,
)
from ops import compliance as reviewing
from ops import compliance_tables as tables
from ops.compliance import NodeReport
from ops.compliance_page import Page
from ops.compliance_summary import ComplianceReport, Counting, Summary
from ops.table import Table
from patching.compliance import PatchState

_LISTED = 20
"""Nodes whose open patches are listed one by one."""


class By(StrEnum):
    """What a row is."""

    NODE = "node"
    SEVERITY = "severity"
    GROUP = "group"
    BASELINE = "baseline"
    PATCH = "patch"


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    command(
        app,
        "compliance",
        needs=reviewing.NEEDS,
        result=ComplianceReport,
        examples=(
            "compliance --environment lab",
            "compliance --environment lab --by patch",
            "compliance --environment lab --missing --output csv > missing.csv",
            "compliance --environment lab --stale 7 --no-patches --quiet",
            "compliance --environment lab --since 2026-11-18T02:00+09:00 --html report.html",
        ),
    )(compliance)


def compliance(
    call: Call,
    environment: EnvironmentName = None,
    tag: Tags = None,
    instance: Instances = None,
    resource_group: ResourceGroup = None,
    by: Annotated[
        By | None, typer.Option(help="What a row is; by default nodes, and below them all that they add up to.")
    ] = None,
    missing: Annotated[bool, typer.Option("--missing", help="Show only nodes that lack patches.")] = False,
    stale: Annotated[
        int | None, typer.Option(metavar="DAYS", min=0, help="A node that reported longer ago than this is a finding.")
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="A report from before this time says nothing: the node is unknown."),
    ] = None,
    patches: Annotated[
        bool,
        typer.Option(
            "--patches/--no-patches", help="Read the open patches: a request for each node that is not compliant."
        ),
    ] = True,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write a page that needs nothing else.", dir_okay=False)
    ] = None,
) -> None:
    """Review what the nodes reported last; exits with 3 if one is not compliant, or is not known to be."""
    if by is By.PATCH and not patches:
        usage("--by patch needs the patches: leave --no-patches out")
    targets = required_targets(environment, tag, instance, resource_group)
    begin = moment_of("--since", since) if since else None
    session, terminal = call.session, call.terminal
    problems: list[str] = []
    counting = Counting(session.now, stale)
    page = Page(counting) if html else None
    found = reviewing.reports(session, targets, problems, patches=patches)
    listed: list[NodeReport] = []
    rows = _shown(_counted(found, begin, counting, page), listed, counting, missing=missing, stale=stale is not None)

    def rest() -> dict[str, object]:
        return {"summary": counting.summary(), "at": session.now(), "problems": problems}

    if terminal.output is OutputFormat.JSON:
        _exhaust(terminal.stream_json("nodes", rows, rest))
    elif by in (None, By.NODE):
        terminal.stream("", tables.NODE_COLUMNS, (tables.node_row(one, counting) for one in rows))
        if terminal.output is OutputFormat.TABLE:
            _show(call, [*tables.summary(counting.summary(), everything=by is None)])
            if by is None:
                _show(call, [tables.open_patches(one) for one in listed])
    else:
        _exhaust(rows)
        terminal.show(None, [_table(by, counting.summary())])
    if page and html:
        page.write(html, at=session.now(), title=targets.in_words(), problems=problems)
        terminal.say(f"the page is in {html}")
    terminal.problems(problems)
    if not counting.summary().all_compliant:
        raise typer.Exit(FOUND)


def _counted(
    found: Iterable[NodeReport], begin: datetime | None, counting: Counting, page: Page | None
) -> Iterator[NodeReport]:
    """Judge reports by their time, and add each up as it comes."""
    for one in found:
        report = reviewing.judged_since(one, begin) if begin else one
        counting.add(report)
        if page:
            page.add(report)
        yield report


def _shown(
    found: Iterable[NodeReport], listed: list[NodeReport], counting: Counting, *, missing: bool, stale: bool
) -> Iterator[NodeReport]:
    """Leave out the nodes that were not asked for, and keep the first of those whose patches are listed."""
    for report in found:
        if missing and not report.counts.get(PatchState.MISSING):
            continue
        if stale and not counting.is_stale(report):
            continue
        if report.open_patches and len(listed) < _LISTED:
            listed.append(report)
        yield report


def _table(by: By, summary: Summary) -> Table:
    match by:
        case By.SEVERITY:
            return tables.severities(summary)
        case By.GROUP:
            return tables.groups("Patch group", summary.groups)
        case By.BASELINE:
            return tables.groups("Baseline", summary.baselines)
        case _:
            return tables.patches(summary, None)


def _show(call: Call, shown: Iterable[Table]) -> None:
    call.terminal.show(None, shown)


def _exhaust(rows: Iterable[object]) -> None:
    for _ in rows:
        pass
