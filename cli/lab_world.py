"""`patchops lab chaos`, `populate` and `events`: how many nodes there are, how they differ, and what happens."""

from __future__ import annotations

import json
import sys
import time
from datetime import datetime
from typing import Annotated, Any

import typer

from cli.options import Output, OutputFormat, Terminal, usage
from lab import local_aws
from ops.table import moment, table

_POLL_SECONDS = 0.5
_WORDS = {
    "fail": "installations fail",
    "slow": "take ten times as long",
    "unreachable": "the agent does not answer",
    "two_reboots": "need a second reboot",
    "stopped": "are stopped",
}


def populate(
    nodes: Annotated[int, typer.Argument(help="How many nodes to add.", min=1)],
    system: Annotated[
        list[str] | None, typer.Option(help="An operating system that they have, such as UBUNTU; all by default.")
    ] = None,
) -> None:
    """Add nodes of several operating systems, with the tags of config/lab.yaml, as many as you like at once."""
    made = local_aws.required().populate(nodes, systems=system or ())
    print(f"{made} nodes added", file=sys.stderr)


def chaos(
    fail: Annotated[str, typer.Option(help="Share of the nodes on which installations fail: 5% or 0.05.")] = "",
    slow: Annotated[str, typer.Option(help="Share of those that take ten times as long.")] = "",
    unreachable: Annotated[str, typer.Option(help="Share of those whose agent does not answer.")] = "",
    two_reboots: Annotated[str, typer.Option(help="Share of those that need a second reboot.")] = "",
    stopped: Annotated[str, typer.Option(help="Share of those that are stopped.")] = "",
    seed: Annotated[int | None, typer.Option(help="Another seed hits other nodes; 0 at first.")] = None,
    reset: Annotated[bool, typer.Option("--reset", help="Have all nodes as they should be.")] = False,
    output: Output = OutputFormat.TABLE,
) -> None:
    """Show how nodes differ; with options, set these rates before, and leave the others as they are."""
    texts = {"fail": fail, "slow": slow, "unreachable": unreachable, "two_reboots": two_reboots, "stopped": stopped}
    rates: dict[str, float] = {name: share(text, name) for name, text in texts.items() if text}
    if seed is not None:
        rates["seed"] = seed
    if reset and rates:
        usage("give rates or --reset, not both")
    found = local_aws.required().chaos({} if reset else rates or None)
    rows = (
        (name.replace("_", "-"), _WORDS[name], f"{found['rates'][name] * 100:g}%", hit)
        for name, hit in found["hit"].items()
    )
    shown = table(
        f"Of {found['nodes']} nodes, seed {found['rates']['seed']}", ("Rate", "Meaning", "Share", "Nodes"), rows
    )
    Terminal(output).show(found, [shown])


def share(text: str, name: str) -> float:
    """Read a share such as 5% or 0.05, and end the program if it is none."""
    try:
        value = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        usage(f"--{name.replace('_', '-')} {text!r} is not a share from 0% to 100%")
    return value


def events(
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,
    last: Annotated[int, typer.Option(help="How many of the events before; 0 for all that are kept.", min=0)] = 30,
    output: Annotated[
        OutputFormat, typer.Option("--output", "-o", help="`json` for one JSON object a line.")
    ] = OutputFormat.TABLE,
) -> None:
    """Show what happened in the lab; with --follow also what happens from now on."""
    running = local_aws.required()
    found = running.events_after(-1)
    for one in found[-last:] if last else found:
        _tell(one, output)
    number = found[-1][2] if found else -1
    try:
        while follow:
            time.sleep(_POLL_SECONDS)
            for one in running.events_after(number):
                _tell(one, output)
                number = one[2]
    except KeyboardInterrupt:
        return


def _tell(event: tuple[datetime, str, int], output: OutputFormat) -> None:
    at, text, number = event
    if output is OutputFormat.TABLE:
        print(f"{moment(at)}  {text}", flush=True)
        return
    told: dict[str, Any] = {"at": at.isoformat(), "text": text, "number": number}
    print(json.dumps(told), flush=True)
