"""Following a command on a terminal: a table that changes, lines elsewhere, and what Ctrl-C does."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import typer
from rich.live import Live

from cli.command import Call
from ops import progress, tables
from ops.progress import Progress

_SHOWN = 30
_ENDED = ("Success", "Failed", "TimedOut", "Cancelled")


def follow(call: Call, command_id: str, *, just_sent: bool = True) -> Progress:
    """Follow a command to its end; Ctrl-C asks whether to cancel it, or only to stop watching.

    Raises:
        KeyboardInterrupt: nobody watches any more; the command goes on.
    """
    while True:
        try:
            return _watch(call, command_id, just_sent=just_sent)
        except KeyboardInterrupt:
            if not _cancel_it(call, command_id):
                call.terminal.warn(
                    f"no longer watching; the command goes on, and is followed again by: patchops watch {command_id}"
                )
                raise
            progress.cancel(call.session, command_id)
            call.terminal.warn("cancelled: no further node begins; those that run may go on to their end")


def _cancel_it(call: Call, command_id: str) -> bool:
    if not sys.stdin.isatty():
        return False
    call.terminal.warn("")
    try:
        return bool(typer.confirm(f"Cancel the command {command_id}? No: only stop watching", default=False, err=True))
    except (typer.Abort, KeyboardInterrupt):
        return False


def _watch(call: Call, command_id: str, *, just_sent: bool) -> Progress:
    terminal = call.terminal
    if terminal.quiet:
        return progress.watch(call.session, command_id, just_sent=just_sent)
    if terminal.err.is_terminal:
        with Live(console=terminal.err, transient=True, auto_refresh=False) as live:
            return progress.watch(
                call.session,
                command_id,
                lambda state: live.update(tables.progress(state, _SHOWN).rich(), refresh=True),
                just_sent=just_sent,
            )
    told: dict[str, str] = {}
    return progress.watch(
        call.session,
        command_id,
        lambda state: terminal.say("\n".join(lines(state, told))),
        just_sent=just_sent,
    )


def lines(state: Progress, told: dict[str, str]) -> Iterator[str]:
    """Say how far a command is: a line for it, and one for each node that came further.

    Args:
        state: how far it is.
        told: what was said of each node before; it is brought up to date.
    """
    done = f"{state.completed} of {state.targets} done" + (f", {state.errors} failed" if state.errors else "")
    yield f"  {state.at:%H:%M:%S} {state.details}: {done}"
    for node in state.nodes:
        if told.get(node.node_id) != node.details:
            told[node.node_id] = node.details
            why = f": {node.meaning}" if node.meaning else ""
            yield f"           {node.name or node.node_id} {node.details}{why}"
