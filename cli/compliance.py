"""`patchops compliance`."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.options import (
    ERROR,
    FOUND,
    EndpointUrl,
    EnvironmentName,
    Instances,
    Output,
    OutputFormat,
    Profile,
    Region,
    Tags,
    Terminal,
    required_targets,
    session,
)
from ops import compliance as reviewing
from ops import tables


def compliance(
    environment: EnvironmentName = None,
    tag: Tags = None,
    instance: Instances = None,
    patches: Annotated[bool, typer.Option("--patches/--no-patches", help="List the open patches of each node.")] = True,
    output: Output = OutputFormat.TABLE,
    profile: Profile = None,
    region: Region = None,
    endpoint_url: EndpointUrl = None,
) -> None:
    """Review what the nodes reported last; exits with 3 if one is not compliant, or is not known to be."""
    review = reviewing.review(session(profile, region, endpoint_url), required_targets(environment, tag, instance))
    terminal = Terminal(output)
    terminal.show(review, tables.compliance(review, patches=patches))
    for problem in review.problems:
        terminal.say(f"patchops: not read: {problem}")
    if review.problems:
        raise typer.Exit(ERROR)
    if not review.compliant:
        raise typer.Exit(FOUND)
