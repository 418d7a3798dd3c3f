"""What IAM is asked when a client calls an operation: which actions, on which resources, with which tags.

Follows https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssystemsmanager.html and the pages of
the other services beside it. An operation that is not named here is asked for on `*`, which a policy that names
resources does not allow: what the lab does not know is refused rather than let through.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote

from lab.aws.requests.calls import Call, body_of, form_of
from lab.commands.command_targets import resolve
from lab.engine import Engine
from lab.records.documents import owned_by_aws
from lab.world.errors import ApiError
from patching.errors import InvalidValueError
from patching.targets import Targets

Fields = Mapping[str, Any]


@dataclass(frozen=True)
class Asked:
    """An action that somebody has to be allowed.

    Attributes:
        action: such as `ssm:SendCommand`.
        resource: its ARN, or `*`.
        context: values of condition keys.
    """

    action: str
    resource: str = "*"
    context: Mapping[str, str] = field(default_factory=dict)


def asked_of(call: Call, environ: dict[str, Any], engine: Engine) -> list[Asked]:
    """Return what IAM is asked when a client makes a call."""
    action = f"{call.service}:{call.operation}"
    if action in _OPEN:
        return []
    if call.service == "s3":
        return list(_of_s3(call, environ, engine))
    if call.service == "ssm":
        return list(_of_ssm(action, call.operation, _json_of(environ), engine))
    if call.service == "kms":
        return [Asked(action, _key(engine, str(_json_of(environ).get("KeyId") or "")) or "*")]
    given = dict(parse_qsl(form_of(environ) or environ.get("QUERY_STRING", "")))
    return [Asked(action, _of_a_form(call.service, given, engine))]


def _json_of(environ: dict[str, Any]) -> Fields:
    """Return what a request brings as JSON; nothing if that is none."""
    try:
        request = json.loads(body_of(environ) or b"{}")
    except ValueError:
        return {}
    return request if isinstance(request, dict) else {}


_OPEN = ("sts:GetCallerIdentity",)
"""What everybody may."""

_DOCUMENT = frozenset(
    {"CreateDocument", "DeleteDocument", "DescribeDocument", "DescribeDocumentPermission", "GetDocument"}
    | {"ListDocumentVersions", "ModifyDocumentPermission", "UpdateDocument", "UpdateDocumentDefaultVersion"}
)
_PASSED = {
    "SendCommand": ("ServiceRoleArn",),
    "RegisterTaskWithMaintenanceWindow": ("ServiceRoleArn",),
    "UpdateMaintenanceWindowTask": ("ServiceRoleArn",),
    "CreateAssociation": ("AssociationDispatchAssumeRole",),
    "UpdateAssociation": ("AssociationDispatchAssumeRole",),
}
"""Which roles are handed to Systems Manager."""

_KINDS = {"MaintenanceWindow": "maintenancewindow", "PatchBaseline": "patchbaseline", "Association": "association"}
_BY_ID = {
    "BaselineId": "PatchBaseline",
    "WindowId": "MaintenanceWindow",
    "AssociationId": "Association",
    "AssociationIds": "Association",
}
_PARTS = {"WindowTaskId": "windowtask", "WindowTargetId": "windowtarget"}
_ON_NODES = frozenset(
    {"DescribeInstancePatchStates", "DescribeInstancePatches", "DescribeEffectiveInstanceAssociations"}
    | {"DescribeInstanceAssociationsStatus", "PutInventory", "DeregisterManagedInstance", "UpdateManagedInstanceRole"}
)


def _of_ssm(action: str, operation: str, request: Fields, engine: Engine) -> Iterator[Asked]:
    for key in _PASSED.get(operation, ()):
        if request.get(key):
            yield Asked("iam:PassRole", str(request[key]), {"iam:PassedToService": "ssm.amazonaws.com"})
    found = list(_resources_of_ssm(operation, request, engine))
    yield from (Asked(action, arn, context) for arn, context in found or [("*", {})])


def _resources_of_ssm(operation: str, request: Fields, engine: Engine) -> Iterator[tuple[str, dict[str, str]]]:
    here = f"arn:aws:ssm:{engine.cloud.region}:{engine.cloud.account}"
    if operation == "SendCommand" or operation in _ON_NODES:
        yield from _nodes(engine, request)
    if operation in ("GetParameter", "GetParameters"):
        names = _list(request.get("Name")) + _list(request.get("Names"))
        yield from ((f"{here}:parameter/{str(name).removeprefix('/')}", {}) for name in names)
    yield from ((_document(engine, name), {}) for name in _documents(operation, request))
    for kind, resource_id in _tagged(operation, request):
        name = resource_id.rpartition("/")[2]
        arn = resource_id if resource_id.startswith("arn:") else f"{here}:{_KINDS[kind]}/{name}"
        yield arn, _as_context(engine.tags.of(kind, name))
    yield from ((f"{here}:{kind}/{request[key]}", {}) for key, kind in _PARTS.items() if request.get(key))


def _documents(operation: str, request: Fields) -> list[str]:
    """Return the documents that a request is about."""
    if operation in _DOCUMENT or operation in ("CreateAssociation", "UpdateAssociation"):
        return [str(request["Name"])] if request.get("Name") else []
    key = {"SendCommand": "DocumentName", "GetCalendarState": "CalendarNames"}.get(operation, "")
    return [str(one) for one in _list(request.get(key))]


def _tagged(operation: str, request: Fields) -> Iterator[tuple[str, str]]:
    """Yield the windows, baselines and associations that a request is about, by their kinds and ids."""
    if operation in ("AddTagsToResource", "RemoveTagsFromResource", "ListTagsForResource"):
        kind = str(request.get("ResourceType"))
        yield from ((kind, str(request.get("ResourceId"))) for _ in range(kind in _KINDS))
    for key, kind in _BY_ID.items():
        yield from ((kind, str(one)) for one in _list(request.get(key)))


def _document(engine: Engine, reference: str) -> str:
    if reference.startswith("arn:"):
        return reference
    account = "" if reference in owned_by_aws() else engine.cloud.account
    return f"arn:aws:ssm:{engine.cloud.region}:{account}:document/{reference}"


def _nodes(engine: Engine, request: Fields) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the nodes that a request names by their ids or their targets, each with its tags."""
    ids = [str(one) for key in ("InstanceIds", "InstanceId") for one in _list(request.get(key))]
    for node_id in ids:
        node = engine.fleet.get(node_id)
        arn = f"arn:aws:ec2:{engine.cloud.region}:{engine.cloud.account}:instance/{node_id}"
        yield (node.arn(engine.cloud.region, engine.cloud.account), _as_context(node.tags)) if node else (arn, {})
    try:
        found = resolve(engine.cloud, engine.fleet, [Targets.from_api(request["Targets"])]) if not ids else []
    except (ApiError, InvalidValueError, KeyError, TypeError, AttributeError):
        return
    yield from ((node.arn(engine.cloud.region, engine.cloud.account), _as_context(node.tags)) for node in found)


def _as_context(tags: Mapping[str, str]) -> dict[str, str]:
    return {f"{key}/{name}": value for name, value in tags.items() for key in ("aws:ResourceTag", "ssm:resourceTag")}


# Other services.


def _key(engine: Engine, key: str) -> str:
    """Return the ARN by which a key, or its alias, is named; empty where none is."""
    written = f"arn:aws:kms:{engine.cloud.region}:{engine.cloud.account}:{key if '/' in key else f'key/{key}'}"
    return key if key.startswith("arn:") or not key else written


_S3_ACTIONS = {
    "DeleteObjects": "DeleteObject",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "HeadBucket": "ListBucket",
    "HeadObject": "GetObject",
    "ListBuckets": "ListAllMyBuckets",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "ListObjectVersions": "ListBucketVersions",
}
_OF_KEYS = {"GetObject": "kms:Decrypt", "PutObject": "kms:GenerateDataKey"}
_DELETED = re.compile(rb"<Key>(.*?)</Key>")


def _of_s3(call: Call, environ: dict[str, Any], engine: Engine) -> Iterator[Asked]:
    action = _S3_ACTIONS.get(call.operation, call.operation)
    bucket, _, key = unquote(environ.get("PATH_INFO", "")).lstrip("/").partition("/")
    arn = f"arn:aws:s3:::{bucket}"
    if call.operation == "ListBuckets":
        yield Asked("s3:ListAllMyBuckets")
    elif call.operation == "DeleteObjects":
        deleted = _DELETED.findall(body_of(environ))
        yield from (Asked("s3:DeleteObject", f"{arn}/{one.decode('utf-8', 'replace')}") for one in deleted)
    elif key:
        version = "Version" if "versionId=" in environ.get("QUERY_STRING", "") else ""
        yield Asked(f"s3:{action}{version}", f"{arn}/{key}")
        used = engine.cloud.bucket_key(bucket) if action in _OF_KEYS else None
        if used:
            yield Asked(_OF_KEYS[action], used)
    else:
        yield Asked(f"s3:{action}", arn)


_FORMS: dict[str, tuple[tuple[str, str], ...]] = {
    "iam": (
        ("RoleName", "arn:aws:iam::{account}:role/{value}"),
        ("InstanceProfileName", "arn:aws:iam::{account}:instance-profile/{value}"),
        ("PolicyArn", "{value}"),
        ("PolicySourceArn", "{value}"),
        ("UserName", "arn:aws:iam::{account}:user/{value}"),
    ),
    "sts": (("RoleArn", "{value}"),),
    "sns": (("TopicArn", "{value}"),),
    "cloudformation": (("StackName", "arn:aws:cloudformation:{region}:{account}:stack/{value}/0"),),
}
"""Which field of a form names the resource, by service, and how its ARN is written."""


def _of_a_form(service: str, given: Mapping[str, str], engine: Engine) -> str:
    for name, arn in _FORMS.get(service, ()):
        value = given.get(name)
        if value:
            written = arn.format(account=engine.cloud.account, region=engine.cloud.region, value=value)
            return value if value.startswith("arn:") else written
    return "*"


def _list(value: Any) -> list[Any]:  # noqa: ANN401 JSON is anything
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
