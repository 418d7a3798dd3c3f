"""`patchops rehearse`: what a policy would do in the weeks to come."""

from __future__ import annotations

import re
import sys
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from cli.options import Output, OutputFormat, PolicyEnvironment, Terminal
from cli.review import first_day, write_page
from ops.table import Table, table
from patching.policy_file import read_policy
from review.rehearsal.course import Setting
from review.rehearsal.model import Rehearsals
from review.rehearsal.plan import Plan, of_policy
from review.rehearsal.rehearse import rehearse as run
from review.rehearsal.rows import exposure_rows, figure_rows
from review.render import rehearsal_to_html

_SHARE = re.compile(r"([0-9]{1,3}(?:\.[0-9]+)?)%")
_WHOLE = 100


def rehearse(
    policy: Annotated[str, typer.Argument(help="The policy file.")],
    against: Annotated[str | None, typer.Option(metavar="POLICY", help="Another policy, put side by side.")] = None,
    environment: PolicyEnvironment = None,
    days: Annotated[int, typer.Option(min=2, max=730, help="Days that go by.")] = 90,
    nodes: Annotated[int, typer.Option(min=1, max=50_000, help="Nodes that are made up.")] = 1000,
    chaos: Annotated[
        str, typer.Option(metavar="SHARE", help="Nodes on which an installation fails, such as 5%.")
    ] = "0%",
    seed: Annotated[int, typer.Option(help="The same seed gives the same patches and faults.")] = 0,
    first: Annotated[
        str | None, typer.Option("--from", metavar="DATE", help="The first day; today (UTC) by default.")
    ] = None,
    html: Annotated[str | None, typer.Option(metavar="FILE", help="Write charts to this file.")] = None,
    output: Output = OutputFormat.TABLE,
) -> None:
    """Rehearse a policy: compliance, exposure, reboots and failures, on made-up nodes with made-up patches.

    Runs on the engine of the local AWS, without a server. The rates of the patches are told with the figures.
    """
    day = first_day(first)
    setting = Setting(day, days, nodes, _share(chaos), seed)
    plans = [_plan(path, environment, day) for path in (policy, against) if path is not None]
    if len(plans) > 1 and plans[0].name == plans[1].name:
        raise typer.BadParameter("--against names the policy itself; name another one")
    found = run(plans, setting, _progress if sys.stderr.isatty() else None)
    if html:
        write_page(Path(html), rehearsal_to_html(found))
        print(f"the page is {html}", file=sys.stderr)
    terminal = Terminal(output)
    terminal.show(found.model_dump(mode="json"), _tables(found))
    if output is OutputFormat.TABLE:
        terminal.say("The patches are made up:")
        for line in (*found.rates, *found.assumptions):
            terminal.say(f"  {line}")


def _plan(path: str, environment: str | None, day: date) -> Plan:
    made = read_policy(path, environment=environment, today=day)
    return of_policy(made, path)


def _tables(found: Rehearsals) -> list[Table]:
    names = [one.name for one in found.plans]
    title = f"{found.nodes:,} nodes, {found.days} days from {found.first} on, seed {found.seed}"
    exposure = [f"{what}: {name}" for name in names for what in ("Median", "95%", "Never installed")]
    return [
        table(title, ("Figure", *names), ((label, *values) for label, values in figure_rows(found))),
        table(
            f"Days from release to installation (patches of the first {found.counted_days} days)",
            ("Severity", *exposure),
            ((severity, *cells) for severity, cells in exposure_rows(found)),
        ),
    ]


def _progress(day: date) -> None:
    """Show that it goes on."""
    print(f"\r{day}\r", end="", file=sys.stderr)


def _share(text: str) -> float:
    match = _SHARE.fullmatch(text)
    if not match or float(match[1]) > _WHOLE:
        raise typer.BadParameter(f"--chaos {text!r} is not a share from 0% to 100%, such as 5%")
    return float(match[1]) / _WHOLE
