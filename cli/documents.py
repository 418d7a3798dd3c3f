"""`patchops documents`."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.command import Call, command
from ops import documents, tables
from ops.documents import DocumentDetails, DocumentSummary


def add_to(whole: typer.Typer) -> None:
    """Add the commands."""
    app = typer.Typer(help="Documents: which there are, and what one does.", invoke_without_command=True)
    command(
        app,
        "documents",
        needs=documents.LIST_NEEDS,
        result=list[DocumentSummary],
        examples=("documents --name-prefix AWS-RunPatch", "documents --platform Windows --output json"),
        group=True,
    )(list_documents)
    command(
        app,
        "documents show",
        needs=documents.SHOW_NEEDS,
        result=DocumentDetails,
        examples=("documents show AWS-RunPatchBaseline",),
    )(show)
    whole.add_typer(app, name="documents")


def list_documents(
    call: Call,
    context: typer.Context,
    name_prefix: Annotated[str, typer.Option(help="Only documents whose name begins with this.")] = "",
    platform: Annotated[str | None, typer.Option(help="Only documents for Linux, Windows or MacOS.")] = None,
) -> None:
    """List documents; `patchops documents show NAME` tells all about one."""
    del context  # which it has for `documents show`
    found = documents.list_documents(call.session, name_prefix=name_prefix, platform=platform)
    call.terminal.show(found, [tables.documents(found)])


def show(
    call: Call, name: Annotated[str, typer.Argument(help="Name of the document, such as AWS-RunPatchBaseline.")]
) -> None:
    """Show what a document is, which parameters it takes, and its steps."""
    details = documents.show(call.session, name)
    call.terminal.show(details, tables.document(details))
