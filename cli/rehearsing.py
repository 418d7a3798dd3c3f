"""Carrying out `patchops rehearse`: from what was asked to what is written."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import typer

from cli.options import OutputFormat, Terminal
from cli.reviewing import first_day, write_page
from ops.table import Table, table
from patching.policy_file import read_policy
from review.rehearsal.course import Setting
from review.rehearsal.model import Rehearsals
from review.rehearsal.plan import Plan, of_policy
from review.rehearsal.rehearse import rehearse
from review.rehearsal.rows import exposure_rows, figure_rows
from review.render import rehearsal_to_html

_SHARE = re.compile(r"([0-9]{1,3}(?:\.[0-9]+)?)%")
_WHOLE = 100


def setting(first: str | None, days: int, nodes: int, chaos: str, seed: int) -> Setting:
    """Return how is rehearsed, from the options."""
    return Setting(first_day(first), days, nodes, _share(chaos), seed)


def carry_out(
    policies: Sequence[str], environment: str | None, how: Setting, html: str | None, output: OutputFormat
) -> None:
    """Rehearse one policy or two, and write the figures and the page."""
    if len(policies) > 1 and Path(policies[0]).resolve() == Path(policies[1]).resolve():
        raise typer.BadParameter("--against names the policy itself; name another one")
    plans = [_plan(path, environment, how.first) for path in policies]
    found = rehearse(plans, how, _progress if sys.stderr.isatty() else None)
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
