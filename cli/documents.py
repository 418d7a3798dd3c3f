"""`patchops documents`."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.options import EndpointUrl, Output, OutputFormat, Profile, Region, Terminal, session
from ops import documents, tables

app = typer.Typer(help="Documents: which there are, and what one does.", invoke_without_command=True)


@app.callback()
def list_documents(
    context: typer.Context,
    name_prefix: Annotated[str, typer.Option(help="Only documents whose name begins with this.")] = "",
    platform: Annotated[str | None, typer.Option(help="Only documents for Linux, Windows or MacOS.")] = None,
    output: Output = OutputFormat.TABLE,
    profile: Profile = None,
    region: Region = None,
    endpoint_url: EndpointUrl = None,
) -> None:
    """List documents; `patchops documents show NAME` tells all about one."""
    if context.invoked_subcommand is not None:
        return
    found = documents.list_documents(session(profile, region, endpoint_url), name_prefix=name_prefix, platform=platform)
    Terminal(output).show(found, [tables.documents(found)])


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="Name of the document, such as AWS-RunPatchBaseline.")],
    output: Output = OutputFormat.TABLE,
    profile: Profile = None,
    region: Region = None,
    endpoint_url: EndpointUrl = None,
) -> None:
    """Show what a document is, which parameters it takes, and its steps."""
    details = documents.show(session(profile, region, endpoint_url), name)
    Terminal(output).show(details, tables.document(details))
