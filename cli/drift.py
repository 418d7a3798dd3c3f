"""`patchops drift` and `patchops doctor`."""

from __future__ import annotations

from collections.abc import Iterator
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
    required_targets,
    targets,
)
from ops import doctor as diagnosing
from ops import drift as drifting
from ops import environment as environments
from ops import finding_tables as tables
from ops.doctor import Diagnosis
from ops.drift import Drift
from ops.finding import Finding, Verdict
from ops.table import table


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    command(
        app,
        "drift",
        needs=drifting.NEEDS,
        result=Drift,
        examples=("drift --environment lab", "drift --output csv > drift.csv"),
    )(drift)
    command(
        app,
        "doctor",
        needs=diagnosing.NEEDS,
        result=Diagnosis,
        examples=(
            "doctor --environment lab",
            "doctor --instance i-0123456789abcdef0",
            "doctor --environment lab --all",
        ),
    )(doctor)


def drift(
    call: Call,
    environment: EnvironmentName = None,
    tag: Tags = None,
    instance: Instances = None,
    resource_group: ResourceGroup = None,
) -> None:
    """Hold what is deployed against what nodes are and report; exits with 3 if something differs."""
    session, terminal = call.session, call.terminal
    problems: list[str] = []
    seen = {"nodes": 0, "findings": 0}

    def counted() -> None:
        seen["nodes"] += 1

    def found() -> Iterator[Finding]:
        for one in drifting.drift(session, targets(environment, tag, instance, resource_group), problems, counted):
            seen["findings"] += 1
            yield one

    if terminal.output is OutputFormat.JSON:
        for _ in terminal.stream_json(
            "findings", found(), lambda: {"nodes": seen["nodes"], "at": session.now(), "problems": problems}
        ):
            pass
    else:
        terminal.stream("", tables.COLUMNS, map(tables.row, found()))
        terminal.say(f"{seen['findings']} findings on {seen['nodes']} nodes")
    terminal.problems(problems)
    if seen["findings"]:
        raise typer.Exit(FOUND)


def doctor(
    call: Call,
    environment: EnvironmentName = None,
    tag: Tags = None,
    instance: Instances = None,
    everything: Annotated[bool, typer.Option("--all", help="Also show what is as it has to be.")] = False,
) -> None:
    """Say why an instance is not managed or not patching, and what mends it; exits with 3 if something is wrong."""
    wanted = required_targets(environment, tag, instance)
    found = diagnosing.diagnose(
        call.session, wanted, environments.find(call.session, environment) if environment else None
    )
    shown = [one for one in found.findings if everything or one.verdict is not Verdict.OK]
    title = "" if shown else "Nothing is wrong."
    call.terminal.show(found, [table(title, tables.COLUMNS, map(tables.row, shown))])
    call.terminal.problems(found.problems)
    if any(one.verdict is Verdict.PROBLEM for one in found.findings):
        raise typer.Exit(FOUND)
