"""`patchops review`: the page that a reviewer reads."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from cli.options import FOUND, PolicyEnvironment

DEFAULT_POLICY = "config/lab.yaml"


class ReviewFormat(StrEnum):
    """How a review is written to standard output."""

    MARKDOWN = "markdown"
    JSON = "json"


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("review")(review)


def review(
    config: Annotated[str, typer.Option("--config", "-c", help="The policy file that is reviewed.")] = DEFAULT_POLICY,
    environment: PolicyEnvironment = None,
    assembly: Annotated[
        str | None, typer.Option(metavar="DIR", help="Review this cloud assembly instead of synthesizing the policy.")
    ] = None,
    against: Annotated[
        str | None,
        typer.Option(metavar="REF|DIR", help="Tell what changes against a commit, or against a cloud assembly."),
    ] = None,
    html: Annotated[str | None, typer.Option(metavar="FILE", help="Write the page to this file.")] = None,
    output: Annotated[
        ReviewFormat | None,
        typer.Option("--output", "-o", help="What is written to standard output; markdown, if no page is written."),
    ] = None,
    first: Annotated[
        str | None, typer.Option("--from", metavar="DATE", help="First day of the calendar; today (UTC) by default.")
    ] = None,
    nodes: Annotated[
        int | None,
        typer.Option(min=1, max=1_000_000, help="Nodes that each window selects, where the templates do not tell."),
    ] = None,
    rehearse_days: Annotated[
        int | None,
        typer.Option("--rehearse", metavar="DAYS", min=2, max=730, help="Rehearse so many days as well, see rehearse."),
    ] = None,
) -> None:
    """Write what a reviewer decides on: what changes, runs when, who may do what, whether it is safe, what it costs.

    Needs no credentials. Exits with 3 if a rule is broken or data is lost.
    """
    # Two thirds of a second, that no other command has to wait for.
    from cli import reviewing  # noqa: PLC0415

    asked = reviewing.Asked(config, environment, assembly, against, reviewing.first_day(first), nodes, rehearse_days)
    page = html is not None
    formats = ([output.value] if output else []) or ([] if page else [ReviewFormat.MARKDOWN.value])
    if reviewing.carry_out(asked, html, formats):
        raise typer.Exit(FOUND)
