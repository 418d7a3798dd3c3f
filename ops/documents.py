"""Reading documents: which there are, and what one does.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/documents.html.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from ops.errors import OperationError
from ops.permissions import Need, On
from ops.session import Session

LIST_NEEDS = (Need(On.ANYTHING, "ssm:ListDocuments"),)
SHOW_NEEDS = (Need(On.DOCUMENTS, "ssm:DescribeDocument", "ssm:GetDocument", "ssm:DescribeDocumentPermission"),)

_NOT_THERE = ("InvalidDocument", "InvalidDocumentVersion")


@dataclass(frozen=True)
class DocumentSummary:
    """A document in a list.

    Attributes:
        name: its name.
        owner: who made it: Amazon, or an account.
        platforms: for which it is: Linux, Windows, MacOS.
        version: the version that is the default.
        kind: what it is for: Command, Automation and so on.
    """

    name: str
    owner: str
    platforms: tuple[str, ...]
    version: str
    kind: str


@dataclass(frozen=True)
class Parameter:
    """A parameter of a document.

    Attributes:
        name: its name.
        kind: its type.
        default: its value if none is given; null if it has to be given.
        allowed: the values that it may have; any if there is none.
        pattern: the regular expression that it has to match; empty if there is none.
        description: what it is for.
    """

    name: str
    kind: str
    default: str | None
    allowed: tuple[str, ...]
    pattern: str
    description: str


@dataclass(frozen=True)
class Step:
    """A step of a document.

    Attributes:
        name: its name.
        action: its plugin.
        condition: when it runs; always if it is empty.
    """

    name: str
    action: str
    condition: str


@dataclass(frozen=True)
class DocumentDetails:
    """What a document is and does.

    Attributes:
        name: its name.
        owner: who made it: Amazon, or an account.
        description: what its author says of it.
        platforms: for which it is: Linux, Windows, MacOS.
        default_version: the version that is used if none is named.
        schema_version: the version of the language in which it is written.
        kind: what it is for: Command, Automation and so on.
        parameters: what it takes.
        steps: what it does.
        shared_with: who may use it: everybody, accounts, or why that could not be told.
    """

    name: str
    owner: str
    description: str
    platforms: tuple[str, ...]
    default_version: str
    schema_version: str
    kind: str
    parameters: tuple[Parameter, ...]
    steps: tuple[Step, ...]
    shared_with: str


def requests_for_list(name_prefix: str, platform: str | None) -> dict[str, Any]:
    """Return the ListDocuments request for documents of AWS and of the account."""
    filters = [{"Key": "Name", "Values": [name_prefix]}] if name_prefix else []
    if platform:
        filters.append({"Key": "PlatformTypes", "Values": [platform]})
    return {"Filters": filters}


def list_documents(session: Session, *, name_prefix: str = "", platform: str | None = None) -> list[DocumentSummary]:
    """Return the documents whose name begins with a prefix and that support a platform, by name."""
    pages = session.ssm.get_paginator("list_documents").paginate(**requests_for_list(name_prefix, platform))
    found = [
        DocumentSummary(
            name=one["Name"],
            owner=one.get("Owner", ""),
            platforms=tuple(one.get("PlatformTypes", [])),
            version=one.get("DocumentVersion", ""),
            kind=one.get("DocumentType", ""),
        )
        for page in pages
        for one in page["DocumentIdentifiers"]
    ]
    return sorted(found, key=lambda one: one.name)


def show(session: Session, name: str) -> DocumentDetails:
    """Return what a document is and does.

    Raises:
        OperationError: there is no such document.
    """
    try:
        described = session.ssm.describe_document(Name=name)["Document"]
        content = json.loads(session.ssm.get_document(Name=name, DocumentFormat="JSON")["Content"])
    except ClientError as error:
        if error.response["Error"].get("Code") not in _NOT_THERE:
            raise
        message = f"there is no document {name!r}; `patchops documents` lists them"
        raise OperationError(message) from None
    return DocumentDetails(
        name=described["Name"],
        owner=described.get("Owner", ""),
        description=described.get("Description", ""),
        platforms=tuple(described.get("PlatformTypes", [])),
        default_version=described.get("DefaultVersion", ""),
        schema_version=described.get("SchemaVersion", ""),
        kind=described.get("DocumentType", ""),
        parameters=tuple(
            Parameter(
                name=parameter_name,
                kind=declared["type"],
                default=_text(declared["default"]) if "default" in declared else None,
                allowed=tuple(map(str, declared.get("allowedValues", ()))),
                pattern=declared.get("allowedPattern", ""),
                description=declared.get("description", ""),
            )
            for parameter_name, declared in content.get("parameters", {}).items()
        ),
        steps=tuple(_steps(content)),
        shared_with=_shared_with(session, described["Name"], described.get("Owner", "")),
    )


def _text(value: Any) -> str:  # noqa: ANN401 a default is anything
    return value if isinstance(value, str) else json.dumps(value)


def _steps(content: dict[str, Any]) -> list[Step]:
    if "mainSteps" not in content:
        return [Step(action, action, "") for action in content.get("runtimeConfig", {})]
    return [
        Step(
            step["name"],
            step["action"],
            "; ".join(f"{values[0]} is {values[1]}" for values in step.get("precondition", {}).values()),
        )
        for step in content["mainSteps"]
    ]


def _shared_with(session: Session, name: str, owner: str) -> str:
    if owner == "Amazon":
        return "everybody: it is a public document of AWS"
    try:
        accounts = session.ssm.describe_document_permission(Name=name, PermissionType="Share").get("AccountIds", [])
    except ClientError as error:
        return f"unknown: {error.response['Error'].get('Code')}"
    if "all" in accounts:
        return "everybody: it is public"
    return f"this account{''.join(f', {account}' for account in accounts)}"
