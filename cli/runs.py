"""`patchops watch`, `patchops runs`, `patchops run ...` and `patchops logs`."""

from __future__ import annotations

from typing import Annotated

import typer

from cli import run_options
from cli.command import Call, command
from cli.options import EnvironmentName, OutputFormat, moment_of
from ops import environment as environments
from ops import history, logs, progress, tables
from ops.history import Run, RunDetails
from ops.logs import NodeLogs, StepOutput
from ops.progress import Progress
from ops.table import table

_FOLLOWING = (*progress.NEEDS, *progress.CANCEL_NEEDS)
CommandId = Annotated[str, typer.Argument(metavar="ID", help="Id of the command; `patchops runs` lists them.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    command(app, "watch", needs=_FOLLOWING, result=Progress, examples=("watch 01234567-89ab-cdef-0123-456789abcdef",))(
        watch
    )
    command(
        app,
        "runs",
        needs=(*history.NEEDS, *environments.NEEDS),
        result=list[Run],
        examples=("runs --environment lab", "runs --since 2026-11-16 --most 100 --output csv"),
    )(runs)
    command(
        app,
        "logs",
        needs=logs.NEEDS,
        result=NodeLogs,
        examples=(
            "logs 01234567-89ab-cdef-0123-456789abcdef i-0123456789abcdef0",
            "logs 01234567-89ab-cdef-0123-456789abcdef i-0123456789abcdef0 --step PatchLinux --follow",
        ),
    )(logs_of)


def add_below_run(app: typer.Typer) -> None:
    """Add the commands below `run`."""
    command(
        app,
        "run show",
        needs=history.SHOW_NEEDS,
        result=RunDetails,
        examples=("run show 01234567-89ab-cdef-0123-456789abcdef",),
    )(show)
    command(
        app,
        "run cancel",
        needs=_FOLLOWING,
        result=Progress,
        examples=("run cancel 01234567-89ab-cdef-0123-456789abcdef",),
    )(cancel)


def watch(call: Call, command_id: CommandId) -> None:
    """Follow a command to its end, whoever sent it; exits with 3 if it did not succeed everywhere."""
    run_options.show_end(call, run_options.ended(call, command_id, just_sent=False))


def runs(
    call: Call,
    environment: EnvironmentName = None,
    since: Annotated[str | None, typer.Option(metavar="TIME", help="Only commands sent since then.")] = None,
    document: Annotated[str, typer.Option(help="Only commands that run this document.")] = "",
    most: Annotated[int, typer.Option(metavar="N", min=1, help="No more than so many.")] = 20,
) -> None:
    """List the commands that were sent last, the newest first; AWS keeps them for 30 days."""
    found = history.runs(
        call.session,
        environment=environment,
        bucket=environments.find(call.session, environment).bucket if environment else "",
        since=moment_of("--since", since) if since else None,
        document=document,
        most=most,
    )
    call.terminal.show(found, [tables.runs(found)])


def show(call: Call, command_id: CommandId) -> None:
    """Show what a command did on each node: steps, exit codes in words, and the end of the output."""
    found = history.show(call.session, command_id)
    state = found.progress
    call.terminal.show(found, [tables.run(found.run), tables.progress(state), *tables.steps(state)])


def cancel(call: Call, command_id: CommandId) -> None:
    """Cancel a command: no further node begins, and those that run may go on to their end."""
    progress.find_command(call.session, command_id)
    progress.cancel(call.session, command_id)
    state = progress.progress(call.session, command_id)
    call.terminal.show(state, [tables.progress(state)])


def logs_of(
    call: Call,
    command_id: CommandId,
    node: Annotated[str, typer.Argument(help="Id of the node.")],
    step: Annotated[str, typer.Option(help="Only this step, such as PatchLinux.")] = "",
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Wait for the steps to end, until the last.")] = False,
) -> None:
    """Write the whole output of a command on a node, from the bucket."""
    as_text = call.terminal.output is OutputFormat.TABLE
    if follow:
        found = logs.follow(call.session, command_id, node, step, tell=_print if as_text else lambda _: None)
    else:
        found = logs.read(call.session, command_id, node, step)
        for one in found.outputs if as_text else ():
            _print(one)
    if not as_text:
        rows = ((one.step, one.stream, one.source, one.whole, one.text) for one in found.outputs)
        call.terminal.show(found, [table("", ("Step", "Stream", "Source", "Whole", "Text"), rows)])
    elif not found.outputs:
        call.terminal.say(f"nothing was written: the command is {found.status} on {node}")
    call.terminal.problems(found.problems)


def _print(output: StepOutput) -> None:
    print(f"==> {output.step} {output.stream} <==")
    print(output.text, end="" if output.text.endswith("\n") else "\n", flush=True)
