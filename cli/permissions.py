"""`patchops permissions`."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from cli.command import COMMANDS
from cli.options import EnvironmentName, usage
from ops.permissions import policy


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "permissions", epilog="Examples:\n\npatchops permissions -e lab\n\npatchops permissions scan compliance"
    )(permissions)


def permissions(
    command: Annotated[
        list[str] | None,
        typer.Argument(metavar="[COMMAND]...", help="Commands, such as scan or 'run show'; all of them by default."),
    ] = None,
    environment: EnvironmentName = None,
) -> None:
    """Print the IAM policy that commands need, limited to an environment if one is named. Nothing is asked of AWS."""
    unknown = [one for one in command or [] if one not in COMMANDS]
    if unknown:
        usage(f"there is no command {unknown[0]!r} that talks to AWS; expected some of {', '.join(sorted(COMMANDS))}")
    needs = [need for one in command or COMMANDS for need in COMMANDS[one].needs]
    print(json.dumps(policy(needs, environment), indent=2))
