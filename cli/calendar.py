"""`patchops calendar`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.command import Call, command
from cli.options import EnvironmentName
from ops import calendar as reading
from ops.calendar import Occasions
from ops.errors import OperationError
from ops.table import table
from patching.deployment import Deployment


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    command(
        app,
        "calendar",
        needs=reading.NEEDS,
        result=Occasions,
        examples=("calendar --environment lab --days 30", "calendar --environment lab --ics patching.ics"),
    )(calendar)


def calendar(
    call: Call,
    environment: EnvironmentName = None,
    days: Annotated[int, typer.Option(min=1, max=366, help="How many days ahead.")] = 30,
    ics: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write it for people's calendars.", dir_okay=False)
    ] = None,
) -> None:
    """Show when windows and scans run in the days to come, in their time zone and in UTC."""
    found = reading.occasions(call.session, Deployment(environment) if environment else None, days)
    rows = ((one.begins, one.local, one.timezone, one.name, one.ends or "", one.what) for one in found.occasions)
    title = f"{len(found.occasions)} runs in {days} days"
    columns = ("UTC", "There", "Time zone", "What", "Closes (UTC)", "Nodes")
    call.terminal.show(found, [table(title, columns, rows)])
    if ics:
        try:
            ics.write_bytes(reading.to_ical(found))
        except OSError as error:
            raise OperationError(f"{ics} cannot be written: {error.strerror}") from None
        call.terminal.say(f"the calendar is in {ics}")
