"""`patchops run document`."""

from __future__ import annotations

from typing import Annotated

import typer

from cli import run_options
from cli.command import Call, command
from cli.options import Instances, ResourceGroup, Tags, rate_control, required_targets, usage
from cli.run_options import AtMost, Comment, Sent, Wait, Yes
from ops import run
from ops.progress import Progress
from patching.deployment import Deployment


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    command(
        app,
        "run document",
        needs=run_options.NEEDS,
        result=Progress | Sent,
        examples=(
            "run document stop-app --environment lab --tag Workload=Test",
            "run document AWS-RunShellScript --environment lab --parameter commands=uptime --yes",
        ),
    )(document)


def document(
    call: Call,
    name: Annotated[str, typer.Argument(help="Name of a document in the policy, or, with AWS-, of one of AWS's.")],
    environment: Annotated[
        str,
        typer.Option(
            "--environment",
            "-e",
            help="Environment whose document and whose nodes are meant; says where output and notifications go.",
        ),
    ],
    parameter: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="Parameter of the document; repeat it for several, or for a list."),
    ] = None,
    tag: Tags = None,
    instance: Instances = None,
    resource_group: ResourceGroup = None,
    concurrency: Annotated[str, typer.Option(help="Nodes that run at one time, as a number or per cent.")] = "1",
    max_errors: Annotated[str, typer.Option(help="Failures that are tolerated: the one after them stops all.")] = "0",
    at_most: AtMost = None,
    yes: Yes = False,
    wait: Wait = True,
    comment: Comment = "",
) -> None:
    """Run a document of the policy on nodes, as a window's hook would."""
    whole = name if name.startswith("AWS-") else Deployment(environment).name(name)
    plan = run.plan(
        call.session,
        run.RunDocument(whole, _parameters(parameter or [])),
        required_targets(environment, tag, instance, resource_group),
        rate_control=rate_control(concurrency, max_errors),
        environment=run_options.environment_of(call, environment),
        comment=comment,
    )
    run_options.check(call, plan, at_most=at_most)
    if not yes:
        run_options.ask(call, plan, f"Runs {whole} on these {len(plan.nodes)} nodes", "--yes to run it")
    run_options.carry_out(call, plan, whole, wait=wait)


def _parameters(given: list[str]) -> dict[str, list[str]]:
    values: dict[str, list[str]] = {}
    for one in given:
        name, equals, value = one.partition("=")
        if not (name and equals):
            usage(f"--parameter {one!r} is not NAME=VALUE, such as --parameter seconds=60")
        values.setdefault(name, []).append(value)
    return values
