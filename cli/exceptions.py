"""`patchops exceptions`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from cli.command import Call, command
from cli.options import FOUND, PolicyEnvironment
from ops import exceptions as reading
from ops.exceptions import Exceptions
from ops.table import table
from patching.policy_file import read_policy


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    command(
        app,
        "exceptions",
        needs=reading.NEEDS,
        result=Exceptions,
        examples=("exceptions config/enterprise.yaml", "exceptions config/enterprise.yaml --deployed"),
    )(exceptions)


def exceptions(
    call: Call,
    policy: Annotated[str, typer.Argument(help="The policy file.")],
    environment: PolicyEnvironment = None,
    deployed: Annotated[
        bool, typer.Option("--deployed", help="Look whether the deployed baselines have them; exits with 3 if not.")
    ] = False,
) -> None:
    """Show what is excused, for whom and until when, as the policy says."""
    found = reading.exceptions(
        read_policy(policy, environment=environment), datetime.now(UTC).date(), call.session if deployed else None
    )
    columns = ("Exception", "Patch", "Action", "Baseline", "Patch groups", "Until", "Days left", "Owner", "Reason")
    words = {True: "yes", False: "no", None: "not known"}
    rows = [
        (
            *(one.name, one.patch, one.action, one.baseline, one.groups, one.until, one.days_left, one.owner),
            one.reason,
            *((words[one.deployed],) if deployed else ()),
        )
        for one in found.exceptions
    ]
    title = "Exceptions" if rows else "Nothing is excused."
    call.terminal.show(found, [table(title, (*columns, "Deployed") if deployed else columns, rows)])
    call.terminal.problems(found.problems)
    if found.drifted:
        raise typer.Exit(FOUND)
