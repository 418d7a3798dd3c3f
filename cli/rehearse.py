"""`patchops rehearse`: what a policy would do in the weeks to come."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.options import Output, OutputFormat, PolicyEnvironment


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("rehearse")(rehearse)


def rehearse(
    policy: Annotated[str, typer.Argument(help="The policy file.")],
    against: Annotated[str | None, typer.Option(metavar="POLICY", help="Another policy, put side by side.")] = None,
    environment: PolicyEnvironment = None,
    days: Annotated[int, typer.Option(min=2, max=730, help="Days that go by.")] = 90,
    nodes: Annotated[int, typer.Option(min=1, max=50_000, help="Nodes that are made up.")] = 1000,
    chaos: Annotated[
        str, typer.Option(metavar="SHARE", help="Nodes on which an installation fails, such as 5%.")
    ] = "0%",
    seed: Annotated[int, typer.Option(help="The same seed gives the same patches and faults.")] = 0,
    first: Annotated[
        str | None, typer.Option("--from", metavar="DATE", help="The first day; today (UTC) by default.")
    ] = None,
    html: Annotated[str | None, typer.Option(metavar="FILE", help="Write charts to this file.")] = None,
    output: Output = OutputFormat.TABLE,
) -> None:
    """Rehearse a policy: compliance, exposure, reboots and failures, on made-up nodes with made-up patches.

    Runs on the engine of the local AWS, without a server. The rates of the patches are told with the figures.
    """
    # Two thirds of a second, that no other command has to wait for.
    from cli import rehearsing  # noqa: PLC0415

    policies = [one for one in (policy, against) if one is not None]
    rehearsing.carry_out(policies, environment, rehearsing.setting(first, days, nodes, chaos, seed), html, output)
