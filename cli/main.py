"""The command `patchops`."""

from __future__ import annotations

import gc
import os
import sys
from functools import lru_cache
from importlib import import_module
from typing import Any

import typer
from botocore.exceptions import BotoCoreError, ClientError

from cli.command import COMMANDS, Command
from cli.terminal import ERROR, INTERRUPTED, OK, USAGE
from ops.errors import in_words
from patching.errors import UserError

UsageError: type[Any] = typer.BadParameter.__bases__[0]
"""What a wrong command line raises: typer has it of its own, and does not export it."""

MODULES = {
    "nodes": ("nodes",),
    "plan": ("plan",),
    "scan": ("scan",),
    "install": ("install",),
    "compliance": ("compliance",),
    "drift": ("drift", "doctor"),
    "documents": ("documents",),
    "runs": ("watch", "runs", "logs"),
    "run": ("run",),
    "windows": ("windows",),
    "calendar": ("calendar",),
    "exceptions": ("exceptions",),
    "permissions": ("permissions",),
    "review": ("review",),
    "rehearse": ("rehearse",),
    "teardown": ("before-destroy",),
    "lab": ("lab",),
}
"""The modules that commands are in, in the order of the help, each with its commands."""

_ALLOCATIONS_BETWEEN_LOOKS = 50_000

_OF_ALL = "permissions"
"""The command that has to know all others."""


@lru_cache
def app(command: str = "") -> typer.Typer:
    """Return the command line: of one command, whose module alone is then waited for, or of all of them."""
    alone = [module for module, names in MODULES.items() if command in names and command != _OF_ALL]
    made = typer.Typer(
        name="patchops",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    made.callback()(_group)
    for module in alone or MODULES:
        import_module(f"cli.{module}").add_to(made)
    return made


def commands() -> dict[str, Command]:
    """Return the commands that talk to AWS, by their paths."""
    app()
    return COMMANDS


def _group() -> None:
    """Patch operations as code: scan, review, install and review again."""


def _asked() -> str:
    """Return the command that was asked for; empty for a shell that completes, and for an option."""
    completing = "_PATCHOPS_COMPLETE" in os.environ
    return "" if completing or len(sys.argv) < 2 else sys.argv[1]  # noqa: PLR2004 the program itself is the first


def main() -> None:
    """Run `patchops`. What goes wrong is said in words; a traceback is a mistake of this program."""
    # A large fleet is millions of short-lived objects, none in a circle: looking for circles is a tenth of all work.
    gc.set_threshold(_ALLOCATIONS_BETWEEN_LOOKS)
    code = _run()
    if code == INTERRUPTED:
        print("patchops: interrupted", file=sys.stderr)
    sys.exit(code)


def _run() -> int:
    """Run the command and return the exit code, with what went wrong said."""
    try:
        code = app(_asked())(standalone_mode=False)
    except UsageError as error:
        where = f"; see {error.ctx.command_path} --help" if error.ctx else ""
        print(f"patchops: {error.format_message().removeprefix('Invalid value: ')}{where}", file=sys.stderr)
        return USAGE
    except typer.Abort:
        print("patchops: not done", file=sys.stderr)
    except UserError as error:
        print(f"patchops: {error}", file=sys.stderr)
    except (BotoCoreError, ClientError) as error:
        print(f"patchops: {in_words(error)}", file=sys.stderr)
    except BrokenPipeError:
        # Whoever read the output has had enough of it.
        sys.stderr.close()
    except KeyboardInterrupt:  # before typer is at work, which turns it into the same code
        return INTERRUPTED
    else:
        return code if isinstance(code, int) else OK
    return ERROR
