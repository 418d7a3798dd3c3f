"""`patchops nodes`."""

from __future__ import annotations

from cli.options import (
    EndpointUrl,
    EnvironmentName,
    Instances,
    Output,
    OutputFormat,
    Profile,
    Region,
    Tags,
    Terminal,
    session,
    targets,
)
from ops import nodes as reading
from ops import tables


def nodes(
    environment: EnvironmentName = None,
    tag: Tags = None,
    instance: Instances = None,
    output: Output = OutputFormat.TABLE,
    profile: Profile = None,
    region: Region = None,
    endpoint_url: EndpointUrl = None,
) -> None:
    """List the managed nodes, all of them or those that are targeted."""
    wanted = targets(environment, tag, instance)
    connection = session(profile, region, endpoint_url)
    found = reading.targeted(connection, wanted) if wanted else reading.list_nodes(connection)
    Terminal(output).show(found, [tables.nodes(found)])
