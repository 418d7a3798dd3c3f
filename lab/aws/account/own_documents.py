"""The account's own documents: moto keeps them, and here it learns what the service checks and tells of them.

Follows https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CreateDocument.html and
https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_UpdateDocument.html. What is made by CloudFormation
comes through here too.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from moto.ssm.exceptions import SSMException
from moto.ssm.models import Document, Documents, SimpleSystemManagerBackend
from moto.ssm.responses import SimpleSystemManagerResponse

from lab.aws.account.plane import Plane
from patching.command_document import MAX_SIZE, CommandDocument, findings

_RESERVED = ("aws", "amazon", "amzn")
_LATEST = "$LATEST"
_DEFAULT = "$DEFAULT"
CORRECTED = ("create_document", "update_document", "delete_document")
"""The operations that moto answers with what is added here."""


def install(plane: Plane) -> None:
    """Have moto check and describe documents like the service, for as long as the process lives."""
    backend = SimpleSystemManagerBackend
    backend.create_document = _creating(plane, backend.create_document)
    backend.update_document = _updating(plane, backend.update_document)
    Documents.find = _finding(Documents.find)
    Documents.update_default_version = _choosing_default(Documents.update_default_version)
    backend.update_document_default_version = _running_again(plane, backend.update_document_default_version)
    backend.get_document = _dating(backend.get_document)
    response = SimpleSystemManagerResponse
    response.delete_document = _deleting(plane, response.delete_document)


def check(content: str) -> None:
    """Refuse the content of a Command document that breaks a rule.

    Raises:
        SSMException: with all that is wrong.
    """
    if len(content.encode()) > MAX_SIZE:
        raise SSMException("MaxDocumentSizeExceeded", "The size limit of a document is 64 KB.")
    found = findings(content)
    if found:
        schema = found[0].location == ("schemaVersion",)
        code = "InvalidDocumentSchemaVersion" if schema else "InvalidDocumentContent"
        raise SSMException(code, "; ".join(one.text for one in found))


def _creating(plane: Plane, original: Callable[..., Documents]) -> Callable[..., Documents]:
    def create(backend: SimpleSystemManagerBackend, *, name: str, content: Any, **given: Any) -> Documents:  # noqa: ANN401 moto's own signature
        if name.casefold().startswith(_RESERVED):
            message = f"{name} begins with one of {', '.join(_RESERVED)}, which AWS keeps for itself."
            raise SSMException("ValidationException", message)
        if not isinstance(content, str):
            # CloudFormation takes the content as an object too; moto would not know its hash.
            content, given["document_format"] = json.dumps(content), "JSON"
        given["document_type"] = given.get("document_type") or "Command"
        given["document_format"] = given.get("document_format") or "JSON"
        if given["document_type"] == "Command":
            check(content)
        made = original(backend, name=name, content=content, **given)
        _complete(made.get_default_version(), plane)
        return made

    return create


def _updating(plane: Plane, original: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    def update(backend: SimpleSystemManagerBackend, *, name: str, content: str, **given: Any) -> dict[str, Any]:  # noqa: ANN401 as above
        known = backend._documents.get(name)  # noqa: SLF001
        if known is not None and known.get_default_version().document_type == "Command":
            check(content)
        original(backend, name=name, content=content, **given)
        documents = backend._documents[name]  # noqa: SLF001
        _complete(documents.get_latest_version(), plane)
        return dict(documents.describe(document_version=_LATEST, tags=backend._get_documents_tags(name)))  # noqa: SLF001

    return update


def _complete(document: Document, plane: Plane) -> None:
    """Tell of a new version what moto does not work out: its platforms, and its date by the lab's clock."""
    document.created_date = plane.now()
    if document.document_type == "Command":
        document.platform_types = sorted(CommandDocument.parse(document.content).platforms)
    else:
        document.platform_types = []


def _finding(original: Callable[..., Document | None]) -> Callable[..., Document | None]:
    """Know the default version by its name, and say of a version that is not there that it is the version."""

    def find(
        documents: Documents,
        document_version: str | None = None,
        version_name: str | None = None,
        *,
        strict: bool = True,
    ) -> Document | None:
        version = None if document_version == _DEFAULT else document_version
        found = original(documents, version, version_name, strict=False)
        if found is None and strict:
            raise SSMException(
                "InvalidDocumentVersion", f"There is no version {version_name or version} of the document."
            )
        return found

    return find


def _choosing_default(original: Callable[..., Document]) -> Callable[..., Document]:
    """Say of a version that is not there that it is the version, and not the document."""

    def choose(documents: Documents, version: str) -> Document:
        if version not in documents.versions:
            raise SSMException("InvalidDocumentVersion", f"There is no version {version} of the document.")
        return original(documents, version)

    return choose


def _running_again(plane: Plane, original: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """Run the associations that use the default version of a document when another one becomes the default.

    See https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_UpdateDocumentDefaultVersion.html.
    """

    def choose(backend: SimpleSystemManagerBackend, name: str, document_version: str) -> dict[str, Any]:
        before = backend._get_documents(name).default_version  # noqa: SLF001
        reply = original(backend, name, document_version)
        if before != document_version:
            with plane.engine(backend.region_name) as engine:
                for one in list(engine.state_manager.associations.values()):
                    follows = one.document == name and one.document_version in ("", _DEFAULT)
                    if follows and not one.only_at_interval:
                        engine.state_manager.apply(one)
        return reply

    return choose


def _dating(original: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """Tell with the content of a document when it was made."""

    def get(backend: SimpleSystemManagerBackend, **given: Any) -> dict[str, Any]:  # noqa: ANN401 moto's own signature
        reply = original(backend, **given)
        found = backend._get_documents(given["name"]).find(reply["DocumentVersion"])  # noqa: SLF001
        return {**reply, "CreatedDate": found.created_date}

    return get


def _deleting(plane: Plane, original: Callable[..., Any]) -> Callable[..., Any]:
    """Keep a document that an association uses."""

    def delete(response: SimpleSystemManagerResponse) -> Any:  # noqa: ANN401 moto's own
        name = str(json.loads(response.body or "{}").get("Name", "")).rpartition("/")[2]
        with plane.engine(response.region) as engine:
            using = [one.id for one in engine.state_manager.associations.values() if one.document == name]
        if using:
            raise SSMException("AssociatedInstances", f"Document {name} is used by association {using[0]}.")
        return original(response)

    return delete
