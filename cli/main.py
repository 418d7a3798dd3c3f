"""The command `patchops`."""

from __future__ import annotations

import sys
from typing import Any

import typer
from botocore.exceptions import BotoCoreError, ClientError

from cli import (
    calendar,
    compliance,
    document_run,
    documents,
    drift,
    exceptions,
    install,
    lab,
    nodes,
    permissions,
    plan,
    rehearse,
    review,
    runs,
    scan,
    teardown,
    windows,
)
from cli.options import ERROR, OK, USAGE
from lab.errors import LabError
from ops.errors import OperationError, in_words
from patching.errors import InvalidValueError
from patching.policy_file import PolicyError
from review.errors import ReviewError

UsageError: type[Any] = typer.BadParameter.__bases__[0]
"""What a wrong command line raises: typer has it of its own, and does not export it."""

app = typer.Typer(
    name="patchops",
    help="Patch operations as code: scan, review, install and review again.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
run = typer.Typer(help="Commands: run a document, show one that was sent, cancel it.", no_args_is_help=True)
nodes.add_to(app)
plan.add_to(app)
scan.add_to(app)
install.add_to(app)
compliance.add_to(app)
drift.add_to(app)
documents.add_to(app)
document_run.add_to(run)
runs.add_to(app, run)
app.add_typer(run, name="run")
windows.add_to(app)
calendar.add_to(app)
exceptions.add_to(app)
permissions.add_to(app)
app.command("review")(review.review)
app.command("rehearse")(rehearse.rehearse)
app.command("before-destroy")(teardown.before_destroy)
app.add_typer(lab.app, name="lab")


def main() -> None:
    """Run `patchops`. What goes wrong is said in words; a traceback is a mistake of this program."""
    try:
        code = app(standalone_mode=False)
    except UsageError as error:
        where = f"; see {error.ctx.command_path} --help" if error.ctx else ""
        print(f"patchops: {error.format_message().removeprefix('Invalid value: ')}{where}", file=sys.stderr)
        sys.exit(USAGE)
    except typer.Abort:
        print("patchops: not done", file=sys.stderr)
    except (OperationError, PolicyError, InvalidValueError, LabError, ReviewError) as error:
        print(f"patchops: {error}", file=sys.stderr)
    except (BotoCoreError, ClientError) as error:
        print(f"patchops: {in_words(error)}", file=sys.stderr)
    except BrokenPipeError:
        # Whoever read the output has had enough of it.
        sys.stderr.close()
    except KeyboardInterrupt:
        print("patchops: interrupted", file=sys.stderr)
        sys.exit(130)
    else:
        sys.exit(code if isinstance(code, int) else OK)
    sys.exit(ERROR)
