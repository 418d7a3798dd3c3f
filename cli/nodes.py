"""`patchops nodes`."""

from __future__ import annotations

import typer

from cli.command import Call, command
from cli.options import EnvironmentName, Instances, OutputFormat, ResourceGroup, Tags, targets
from ops import nodes as reading
from ops import tables
from ops.nodes import Node


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    command(
        app,
        "nodes",
        needs=reading.NEEDS,
        result=list[Node],
        examples=(
            "nodes",
            "nodes --environment lab",
            "nodes --tag Workload=Prod --output csv",
        ),
    )(nodes)


def nodes(
    call: Call,
    environment: EnvironmentName = None,
    tag: Tags = None,
    instance: Instances = None,
    resource_group: ResourceGroup = None,
) -> None:
    """List the managed nodes, all of them or those that are targeted."""
    wanted = targets(environment, tag, instance, resource_group)
    found = reading.targeted(call.session, wanted) if wanted else reading.list_nodes(call.session)
    if call.terminal.output is OutputFormat.TABLE:
        call.terminal.stream("Managed nodes", tables.NODE_COLUMNS, map(tables.node_row, found))
    else:
        call.terminal.show(found, [tables.nodes(found)])
