"""Options of the commands that send something to nodes, and how it is sent, followed and shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from cli.command import Call
from cli.following import follow
from cli.options import FOUND, confirm
from ops import environment as environments
from ops import guards, progress, run, tables
from ops.environment import Environment
from ops.progress import Progress
from ops.table import table
from patching.deployment import Deployment

Concurrency = Annotated[str | None, typer.Option(help="Nodes that run at one time, as a number or per cent.")]
MaxErrors = Annotated[str | None, typer.Option(help="Failures that are tolerated: the one after them stops the rest.")]
Wait = Annotated[bool, typer.Option("--wait/--no-wait", help="Follow the command to its end.")]
Comment = Annotated[str, typer.Option(help="Comment of the command, for people.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
AtMost = Annotated[
    int | None, typer.Option("--at-most", metavar="N", min=1, help="Refuse to go on if more nodes than this match.")
]
WindowName = Annotated[
    str | None,
    typer.Option(
        "--window", metavar="NAME", help="What a deployed window's task does, now: its nodes, pace, output and options."
    ),
]
Calendars = Annotated[
    list[str] | None,
    typer.Option("--calendar", metavar="NAME", help="A Change Calendar that has to be open; repeat it for several."),
]
DespiteCalendar = Annotated[
    bool, typer.Option("--despite-calendar", help="Go on although a Change Calendar is closed.")
]

NEEDS = (*run.NEEDS, *guards.RUN_NEEDS, *progress.NEEDS, *progress.CANCEL_NEEDS)


@dataclass(frozen=True)
class Sent:
    """A command that was sent and is not followed.

    Attributes:
        command_id: the command.
    """

    command_id: str


def environment_of(call: Call, name: str | None) -> Environment | None:
    """Find the environment that output and notifications go to; None if none is named."""
    return environments.find(call.session, name) if name else None


def check(
    call: Call,
    plan: run.Plan,
    *,
    at_most: int | None,
    calendars: list[str] | None = None,
    environment: str | None = None,
    despite_calendar: bool = True,
) -> None:
    """Refuse what speaks against sending now.

    Raises:
        OperationError: too many nodes, a run that is going on on one of them, a closed calendar.
    """
    guards.check_number(plan.nodes, at_most)
    if not despite_calendar:
        deployment = Deployment(environment) if environment else None
        guards.check_calendars(call.session, deployment, calendars or ())
    guards.check_no_run(call.session, plan.nodes)


def ask(call: Call, plan: run.Plan, what: str, unattended: str) -> None:
    """Show which nodes are meant and at which pace, and ask whether to go on."""
    call.terminal.err.print(tables.nodes(plan.nodes).rich())
    call.terminal.warn(f"{what}: {plan.rate_control.in_words()}.")
    confirm(unattended)


def send(call: Call, plan: run.Plan, what: str) -> str:
    """Send a command, say its id, and return it."""
    command_id = run.send(call.session, plan)
    call.terminal.say(f"Command {command_id}: {what} on {len(plan.nodes)} nodes, {plan.rate_control.in_words()}")
    return command_id


def show_sent(call: Call, command_id: str) -> None:
    """Show the id of a command that is not followed."""
    call.terminal.say(f"followed by: patchops watch {command_id}")
    call.terminal.show(Sent(command_id), [table("", ("Command",), [(command_id,)])])


def ended(call: Call, command_id: str, *, just_sent: bool = True) -> Progress:
    """Follow a command to its end, and return it with the end of its output."""
    return progress.with_output(call.session, follow(call, command_id, just_sent=just_sent))


def show_end(call: Call, state: Progress) -> None:
    """Show how a command ended; the exit code is 3 if it did not succeed everywhere."""
    call.terminal.show(state, [tables.progress(state), *tables.steps(state)])
    if not state.succeeded:
        raise typer.Exit(FOUND)


def carry_out(call: Call, plan: run.Plan, what: str, *, wait: bool) -> None:
    """Send a command, and show how it ended or, if it is not to be followed, its id."""
    command_id = send(call, plan, what)
    if wait:
        show_end(call, ended(call, command_id))
    else:
        show_sent(call, command_id)
