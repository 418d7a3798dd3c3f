"""`patchops windows`."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.command import Call, command
from cli.options import EnvironmentName
from ops import schedules, tables
from ops.schedules import Scheduled, Switched
from ops.table import table
from patching.deployment import Deployment

Name = Annotated[str, typer.Argument(help="Name of the window in the policy.")]
Required = Annotated[str, typer.Option("--environment", "-e", help="The window's environment.")]


def add_to(whole: typer.Typer) -> None:
    """Add the commands."""
    app = typer.Typer(help="What is scheduled, and switching windows on and off.")
    command(
        app,
        "windows",
        needs=schedules.NEEDS,
        result=Scheduled,
        examples=("windows --environment lab", "windows --output json"),
        group=True,
    )(windows)
    switching = schedules.SWITCH_NEEDS
    command(
        app, "windows enable", needs=switching, result=Switched, examples=("windows enable prod --environment lab",)
    )(enable)
    command(
        app, "windows disable", needs=switching, result=Switched, examples=("windows disable prod --environment lab",)
    )(disable)
    whole.add_typer(app, name="windows")


def windows(call: Call, context: typer.Context, environment: EnvironmentName = None) -> None:
    """Show what is scheduled: windows and scans, their next runs, and how they ran."""
    del context  # which it has for the commands below
    found = schedules.scheduled(call.session, Deployment(environment) if environment else None)
    call.terminal.show(found, tables.schedules(found))


def enable(call: Call, name: Name, environment: Required) -> None:
    """Let a window open again at its times. Deploying the policy does so as well."""
    _switch(call, environment, name, enabled=True)


def disable(call: Call, name: Name, environment: Required) -> None:
    """Let a window open no more, until it is enabled or deployed again; one that is open goes on."""
    _switch(call, environment, name, enabled=False)


def _switch(call: Call, environment: str, name: str, *, enabled: bool) -> None:
    found = schedules.switch(call.session, environment, name, enabled=enabled)
    rows = [(found.name, "enabled" if found.enabled else "disabled", found.next_run or "")]
    call.terminal.show(found, [table("", ("Window", "State", "Opens next"), rows)])
