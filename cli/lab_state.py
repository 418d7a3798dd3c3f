"""`patchops lab save`, `load` and `pace`: keeping a lab, going on with it, and how its time goes by."""

from __future__ import annotations

import shlex
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from cli.options import usage
from lab import local_aws, saved_file
from lab.world.errors import LabError
from ops.table import moment

_File = Annotated[Path, typer.Argument(help="The file.", metavar="FILE")]


def save(file: _File) -> None:
    """Save the whole lab: every resource, node, history, and what is to happen. What runs comes to its end before."""
    running = local_aws.required()
    before = datetime.fromisoformat(running.status()["now"])
    now = running.save(file)
    if now > before:
        print(f"the clock moved from {moment(before)} to {moment(now)}, until nothing ran any more", file=sys.stderr)
    print(f"saved to {file} ({file.stat().st_size / 1e6:.1f} MB)", file=sys.stderr)


def load(
    file: _File,
    port: Annotated[int, typer.Option(help="Port on the loopback interface; any free one by default.")] = 0,
    speed: Annotated[
        float | None, typer.Option(help="Lab seconds that go by in a second; those of the save by default.", min=0.1)
    ] = None,
    run: Annotated[bool, typer.Option("--running", help="Let time go by also while nothing runs.")] = False,
) -> None:
    """Start a local AWS that goes on from a save: eval "$(patchops lab load FILE)". Load none that you do not trust."""
    saved_file.read(file)
    running, started = local_aws.up(port=port, speed=speed, running=run, load=str(file))
    if not started:
        raise LabError("a local AWS is running already; stop it first: patchops lab down")
    print(f"local AWS loaded from {file}, at {running.url}", file=sys.stderr)
    for name, value in running.environment().items():
        print(f"export {name}={shlex.quote(value)}")


def pace(
    speed: Annotated[float | None, typer.Option(help="Lab seconds that go by in a second.", min=0.1)] = None,
    run: Annotated[
        bool | None, typer.Option("--running/--waiting", help="Whether time goes by also while nothing runs.")
    ] = None,
) -> None:
    """Choose how fast the lab's time goes by, and whether it does while nothing runs."""
    if speed is None and run is None:
        usage("give --speed, --running or --waiting")
    state = local_aws.required().pace(speed=speed, running=run)
    when = "all the time" if state["running"] else "while something runs"
    print(f"{state['speed']:g} lab seconds go by in a second, {when}", file=sys.stderr)
