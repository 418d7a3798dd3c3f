"""`patchops plan`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated

import typer

from cli.command import Call, command
from cli.options import (
    EnvironmentName,
    Instances,
    OutputFormat,
    ResourceGroup,
    Tags,
    rate_control,
    required_targets,
)
from ops import patch_plan
from ops import patch_plan_tables as tables
from ops.patch_plan import Adding, NodePlan, PatchPlan
from patching.deployment import Deployment
from patching.run_patch_baseline import RebootOption

_LISTED = 20


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    command(
        app,
        "plan",
        needs=patch_plan.NEEDS,
        result=PatchPlan,
        examples=(
            "plan --environment lab --tag Workload=Prod",
            "plan --environment lab --concurrency 10% --no-patches",
            "plan --environment lab --output json > plan.json",
        ),
    )(plan)


def plan(
    call: Call,
    environment: EnvironmentName = None,
    tag: Tags = None,
    instance: Instances = None,
    resource_group: ResourceGroup = None,
    concurrency: Annotated[str, typer.Option(help="Nodes that would run at one time, as a number or per cent.")] = "1",
    reboot: Annotated[
        RebootOption, typer.Option(help="What would be done at the end.")
    ] = RebootOption.REBOOT_IF_NEEDED,
    patches: Annotated[
        bool, typer.Option("--patches/--no-patches", help="Read the patches: a request for each node that lacks some.")
    ] = True,
) -> None:
    """Say what an installation would do on each node, by which baseline and in which window; no node is touched."""
    session, terminal = call.session, call.terminal
    targets = required_targets(environment, tag, instance, resource_group)
    adding = Adding(rate_control(concurrency, "0"))
    problems: list[str] = []
    listed: list[NodePlan] = []
    found = patch_plan.plans(
        session,
        targets,
        problems,
        reboot=reboot,
        deployment=Deployment(environment) if environment else None,
        patches=patches,
    )
    rows = _counted(found, adding, listed)
    if terminal.output is OutputFormat.JSON:
        for _ in terminal.stream_json(
            "nodes", rows, lambda: {"summary": adding.summary(), "at": session.now(), "problems": problems}
        ):
            pass
    else:
        terminal.stream("", tables.COLUMNS, map(tables.row, rows))
    if terminal.output is OutputFormat.TABLE:
        terminal.show(None, [*map(tables.patches, listed), tables.summary(adding.summary())])
    terminal.problems(problems)


def _counted(found: Iterable[NodePlan], adding: Adding, listed: list[NodePlan]) -> Iterator[NodePlan]:
    for one in found:
        adding.add(one)
        if one.patches and len(listed) < _LISTED:
            listed.append(one)
        yield one
