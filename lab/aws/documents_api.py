"""The document operations, for the documents of AWS; those of the account stay with moto."""

from __future__ import annotations

from typing import Any

from lab.aws.operation import Reply, Request
from lab.documents import AwsDocument, owned_by_aws


def describe(document: AwsDocument) -> Reply:
    """Return what DescribeDocument tells of a document."""
    return {
        "Document": {
            "Hash": document.hash,
            "HashType": "Sha256",
            "Name": document.name,
            "Owner": "Amazon",
            "CreatedDate": document.created,
            "Status": "Active",
            "DocumentVersion": document.version,
            "Description": document.description,
            "Parameters": [_parameter(name, declared) for name, declared in document.parameters.items()],
            "PlatformTypes": list(document.platform_types),
            "DocumentType": "Command",
            "SchemaVersion": document.schema_version,
            "LatestVersion": document.version,
            "DefaultVersion": document.version,
            "DocumentFormat": "JSON",
            "Tags": [],
        }
    }


def content(document: AwsDocument) -> Reply:
    """Return what GetDocument gives of a document."""
    return {
        "Name": document.name,
        "CreatedDate": document.created,
        "DocumentVersion": document.version,
        "Status": "Active",
        "Content": document.text,
        "DocumentType": "Command",
        "DocumentFormat": "JSON",
    }


def identifiers(request: Request) -> list[Reply]:
    """Return the identifiers of AWS's documents that pass a ListDocuments request's filters, by name."""
    wanted = {one["Key"]: one["Values"] for one in request.get("Filters") or ()}
    wanted |= {one["key"]: [one["value"]] for one in request.get("DocumentFilterList") or ()}
    return [_identifier(document) for name, document in sorted(owned_by_aws().items()) if _passes(document, wanted)]


def _passes(document: AwsDocument, wanted: dict[str, list[str]]) -> bool:
    return all(_has(document, key, values) for key, values in wanted.items())


def _has(document: AwsDocument, key: str, values: list[str]) -> bool:
    match key:
        case "Name":
            return any(document.name.startswith(value) for value in values)
        case "Owner":
            return any(value in ("Amazon", "Public", "All") for value in values)
        case "PlatformTypes":
            return any(value in document.platform_types for value in values)
        case "DocumentType":
            return "Command" in values
        case _:
            return False


def _identifier(document: AwsDocument) -> Reply:
    return {
        "Name": document.name,
        "CreatedDate": document.created,
        "Owner": "Amazon",
        "PlatformTypes": list(document.platform_types),
        "DocumentVersion": document.version,
        "DocumentType": "Command",
        "SchemaVersion": document.schema_version,
        "DocumentFormat": "JSON",
        "Tags": [],
    }


def _parameter(name: str, declared: dict[str, Any]) -> Reply:
    parameter: Reply = {"Name": name, "Type": declared["type"], "Description": declared.get("description", "")}
    if "default" in declared:
        default = declared["default"]
        parameter["DefaultValue"] = default if isinstance(default, str) else str(default)
    return parameter
