"""`patchops run ...`: running a document, and what became of a command."""

from __future__ import annotations

import typer

from cli import document_run, runs


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="Commands: run a document, show one that was sent, cancel it.", no_args_is_help=True)
    document_run.add_to(group)
    runs.add_below_run(group)
    app.add_typer(group, name="run")
