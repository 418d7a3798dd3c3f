"""The document operations: for the documents of AWS, and for those of the account, which moto keeps."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from moto.ssm.models import Document, SimpleSystemManagerBackend
from ruamel.yaml import YAML

from lab.aws.ssm.operation import Reply, Request, page, without_empty
from lab.records.documents import AwsDocument, owned_by_aws
from lab.world.errors import ApiError

_KEYS = ("Name", "Owner", "PlatformTypes", "DocumentType", "TargetType", "SearchKeyword", "tag:")
_OWNERS = ("Amazon", "Private", "Public", "Self", "ThirdParty", "All")
_PAGE = 10
_NEWEST = ("$DEFAULT", "$LATEST")


def describe(document: AwsDocument, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeDocument.html."""
    _check_version(document, request)
    return {
        "Document": without_empty(
            {
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
                "DocumentType": document.type,
                "SchemaVersion": document.schema_version,
                "LatestVersion": document.version,
                "DefaultVersion": document.version,
                "DocumentFormat": "JSON",
                "TargetType": document.target_type,
                "Tags": [],
            }
        )
    }


def content(document: AwsDocument, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetDocument.html."""
    _check_version(document, request)
    wanted = request.get("DocumentFormat") or "JSON"
    if wanted == "TEXT":
        raise ApiError("ValidationException", f"Document {document.name} is JSON or YAML, not TEXT.")
    return {
        "Name": document.name,
        "CreatedDate": document.created,
        "DocumentVersion": document.version,
        "Status": "Active",
        "Content": document.text if wanted == "JSON" else _yaml(document.content),
        "DocumentType": document.type,
        "DocumentFormat": wanted,
    }


def versions(document: AwsDocument, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ListDocumentVersions.html."""
    only = {
        "Name": document.name,
        "DocumentVersion": document.version,
        "CreatedDate": document.created,
        "IsDefaultVersion": True,
        "DocumentFormat": "JSON",
        "Status": "Active",
    }
    return page(request, "DocumentVersions", [only])


def not_owned(document: AwsDocument, request: Request) -> Reply:  # noqa: ARG001 as the other answers
    """Refuse what only the owner of a document may do: sharing it, or choosing its default version."""
    raise ApiError("InvalidDocument", f"Document {document.name} is not owned by this account.")


def own_versions(backend: SimpleSystemManagerBackend, request: Request) -> Reply:
    """List the versions of a document of the account, the newest first; see `versions`."""
    name = str(request["Name"]).rpartition("/")[2]
    documents = backend._documents.get(name)  # noqa: SLF001 moto's own
    if documents is None:
        raise ApiError("InvalidDocument", f"Document {name} does not exist.")
    found = [
        without_empty(
            {
                "Name": name,
                "DocumentVersion": version,
                "VersionName": one.version_name,
                "CreatedDate": one.created_date,
                "IsDefaultVersion": version == documents.default_version,
                "DocumentFormat": one.document_format,
                "Status": one.status,
            }
        )
        for version, one in sorted(documents.versions.items(), key=lambda pair: -int(pair[0]))
    ]
    return page(request, "DocumentVersions", found)


def list_documents(backend: SimpleSystemManagerBackend, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ListDocuments.html."""
    wanted = _filters(request)
    by_aws = [_identifier(document) for _, document in sorted(owned_by_aws().items())]
    own = [
        _own_identifier(one.get_default_version(), backend._get_documents_tags(name))  # noqa: SLF001 moto's own
        for name, one in sorted(backend._documents.items())  # noqa: SLF001 as above
    ]
    shared = {name for name, one in backend._documents.items() if "all" in one.permissions}  # noqa: SLF001 as above
    found = [one for one in (*by_aws, *own) if all(_has(one, key, values, shared) for key, values in wanted.items())]
    return page(request, "DocumentIdentifiers", found, _PAGE)


def check_sharing(request: Request) -> Reply:
    """Refuse to share a document with nobody, and to stop sharing it with nobody, in one."""
    if not request.get("AccountIdsToAdd") and not request.get("AccountIdsToRemove"):
        raise ApiError("ValidationException", "Give AccountIdsToAdd or AccountIdsToRemove.")
    return {}


def _check_version(document: AwsDocument, request: Request) -> None:
    version = request.get("DocumentVersion") or "$DEFAULT"
    if version not in (*_NEWEST, document.version) or request.get("VersionName"):
        named = request.get("VersionName") or version
        raise ApiError("InvalidDocumentVersion", f"Document {document.name} has no version {named}.")


def _filters(request: Request) -> dict[str, Sequence[str]]:
    """Return the filters of ListDocuments, in either form; raise `ApiError` for a key or an owner that there is not."""
    wanted: dict[str, Sequence[str]] = {}
    for one in request.get("Filters") or ():
        key, values = one.get("Key") or "", one.get("Values") or ()
        if key not in _KEYS and not key.startswith("tag:"):
            message = f"{key or 'A filter without a key'} is not a valid filter; valid keys are {', '.join(_KEYS)}."
            raise ApiError("InvalidFilterKey", message)
        wanted[key] = values
    wanted |= {one["key"]: [one["value"]] for one in request.get("DocumentFilterList") or ()}
    owners = wanted.get("Owner", ())
    if len(owners) > 1 or not set(owners) <= set(_OWNERS):
        raise ApiError("ValidationException", f"Owner is one of {', '.join(_OWNERS)}.")
    if sum(key.startswith("tag:") for key in wanted) > 1:
        raise ApiError("ValidationException", "Documents are filtered by one tag at a time.")
    return wanted


def _has(one: Reply, key: str, values: Sequence[str], shared: Iterable[str]) -> bool:
    match key:
        case "Name":
            return any(one["Name"].startswith(value) for value in values)
        case "SearchKeyword":
            return any(value.casefold() in one["Name"].casefold() for value in values)
        case "Owner":
            by_aws = one["Owner"] == "Amazon"
            public = by_aws or one["Name"] in shared
            # Nobody else is there who could share a document with this account.
            return bool({"Amazon": by_aws, "Public": public, "Self": not by_aws, "All": True}.get(values[0]))
        case "PlatformTypes":
            return any(value in one["PlatformTypes"] for value in values)
        case "DocumentType" | "TargetType":
            return str(one.get(key, "")) in values
        case _:
            name = key.removeprefix("tag:")
            return any(tag["Key"] == name and tag["Value"] in values for tag in one["Tags"])


def _identifier(document: AwsDocument) -> Reply:
    return without_empty(
        {
            "Name": document.name,
            "CreatedDate": document.created,
            "Owner": "Amazon",
            "PlatformTypes": list(document.platform_types),
            "DocumentVersion": document.version,
            "DocumentType": document.type,
            "SchemaVersion": document.schema_version,
            "DocumentFormat": "JSON",
            "TargetType": document.target_type,
            "Tags": [],
        }
    )


def _own_identifier(document: Document, tags: list[dict[str, str]]) -> Reply:
    described: Reply = document.list_describe(tags=tags)
    return {"PlatformTypes": [], "Tags": [], "CreatedDate": document.created_date, **described}


def _parameter(name: str, declared: Mapping[str, Any]) -> Reply:
    parameter: Reply = {"Name": name, "Type": declared["type"], "Description": declared.get("description", "")}
    if "default" in declared:
        default = declared["default"]
        parameter["DefaultValue"] = default if isinstance(default, str) else json.dumps(default)
    return parameter


def _yaml(value: Mapping[str, Any]) -> str:
    text = io.StringIO()
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    yaml.dump(dict(value), text)
    return text.getvalue()
