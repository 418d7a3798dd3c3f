"""Which operation of which service a request calls: told by its headers, its form or its path."""

from __future__ import annotations

import io
import re
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock
from typing import Any
from urllib.parse import parse_qsl

import botocore.session
from botocore.exceptions import UnknownServiceError
from botocore.model import OperationModel, ServiceModel, StructureShape

_SCOPE = re.compile(r"Credential=([^/,\s]+)/\d{8}/([a-z0-9-]+)/([a-z0-9-]+)/")
_FORM = "application/x-www-form-urlencoded"
_LONGEST_FORM = 10_000_000
_NAMES = {"monitoring": "cloudwatch", "states": "stepfunctions"}
"""Services that sign with another name than IAM and botocore know them by."""

_RPC = re.compile(r"/service/[^/]+/operation/(\w+)")
_KEPT = "patchops.call"
UNKNOWN = "unknown"


@dataclass(frozen=True)
class Call:
    """A request of a client.

    Attributes:
        service: the service as botocore and IAM call it, such as `ssm`; `unknown` for a request that is not signed.
        operation: the operation, such as SendCommand; `unknown` for one that no service has.
        region: the Region that the request is signed for; empty for none.
        access_key: the access key that signed it; empty for none.
    """

    service: str
    operation: str
    region: str = ""
    access_key: str = ""

    @property
    def name(self) -> str:
        """The operation with its service: ssm:SendCommand."""
        return f"{self.service}:{self.operation}"


def call_of(environ: dict[str, Any]) -> Call:
    """Return what a request calls. A form is read, and put back for whoever reads it next."""
    known = environ.get(_KEPT)
    if isinstance(known, Call):
        return known
    environ[_KEPT] = found = _call(environ)
    return found


def _call(environ: dict[str, Any]) -> Call:
    query = environ.get("QUERY_STRING", "")
    signed = environ.get("HTTP_AUTHORIZATION", "")
    if not signed and "X-Amz-Credential" in query:
        signed = "Credential=" + dict(parse_qsl(query)).get("X-Amz-Credential", "")
    scope = _SCOPE.search(signed)
    key, region, service = scope.groups() if scope else ("", "", UNKNOWN)
    service = _NAMES.get(service, service)
    target = environ.get("HTTP_X_AMZ_TARGET", "")
    path = environ.get("PATH_INFO", "")
    rpc = _RPC.fullmatch(path)
    if target:
        operation = target.rpartition(".")[2]
    elif rpc:
        operation = rpc[1]
    else:
        fields = query if "Action=" in query else form_of(environ)
        operation = dict(parse_qsl(fields)).get("Action", "") if "Action=" in fields else ""
        operation = operation or _by_path(service, environ)
    return Call(service, operation or UNKNOWN, region, key)


def form_of(environ: dict[str, Any]) -> str:
    """Return the form that a request brings, which can be read again afterwards; empty if it brings none."""
    if not environ.get("CONTENT_TYPE", "").startswith(_FORM):
        return ""
    body = body_of(environ)
    return body.decode("utf-8", "replace")


def body_of(environ: dict[str, Any]) -> bytes:
    """Return the body of a request, which can be read again afterwards."""
    length = environ.get("CONTENT_LENGTH") or "0"
    if not (length.isascii() and length.isdecimal()) or int(length) > _LONGEST_FORM:
        return b""
    body: bytes = environ["wsgi.input"].read(int(length))
    environ["wsgi.input"] = io.BytesIO(body)
    return body


@dataclass(frozen=True)
class _Path:
    """How a REST service recognises an operation."""

    operation: str
    method: str
    path: re.Pattern[str]
    query: frozenset[str]
    headers: frozenset[str]
    rank: tuple[int, int, int]
    """The more it asks for, the better it fits; of those that ask for the same, the plainer name is meant."""


def _by_path(service: str, environ: dict[str, Any]) -> str:
    """Return the operation of a REST service that fits best; empty if none does."""
    pairs = parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True)
    query = {name for name, _ in pairs} | {f"{name}={value}" for name, value in pairs}
    path, method = environ.get("PATH_INFO", ""), environ.get("REQUEST_METHOD", "")
    fitting = [
        (one.rank, one.operation)
        for one in _paths(service)
        if one.method == method and one.path.fullmatch(path) and one.query <= query and one.headers <= set(environ)
    ]
    return max(fitting)[1] if fitting else ""


@lru_cache
def _paths(service: str) -> list[_Path]:
    try:
        model = botocore.session.get_session().get_service_model(service)
    except UnknownServiceError:
        return []
    return [_path_of(model.operation_model(name)) for name in model.operation_names] if _is_rest(model) else []


def _is_rest(model: ServiceModel) -> bool:
    return str(model.resolved_protocol).startswith("rest")


def _path_of(operation: OperationModel) -> _Path:
    uri, _, fixed = operation.http["requestUri"].partition("?")
    parts = re.split(r"(\{\w+\+?\})", uri)
    pattern = "".join(
        (".+" if part.endswith("+}") else "[^/]+") if part.startswith("{") else re.escape(part) for part in parts
    )
    query = {f"{name}={value}" for name, value in parse_qsl(fixed, keep_blank_values=True)}
    headers = set()
    shape = operation.input_shape
    members = shape.members if isinstance(shape, StructureShape) else {}
    for name in shape.required_members if isinstance(shape, StructureShape) else ():
        member = members[name].serialization
        if member.get("location") == "querystring":
            query.add(member["name"])
        elif member.get("location") == "header":
            headers.add("HTTP_" + member["name"].upper().replace("-", "_"))
    return _Path(
        operation.name,
        operation.http["method"],
        re.compile(pattern.rstrip("/") + "/?"),
        frozenset(query),
        frozenset(headers),
        (len(query) + len(headers), -len(parts), -len(operation.name)),
    )


class Calls:
    """How often each operation was called."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._counts: Counter[str] = Counter()

    def count(self, call: Call) -> None:
        """Count a call."""
        with self._lock:
            self._counts[call.name] += 1

    def counted(self) -> dict[str, int]:
        """Return how often each operation was called since the last reset, by names such as ssm:SendCommand."""
        with self._lock:
            return dict(sorted(self._counts.items()))

    def reset(self) -> dict[str, int]:
        """Begin to count anew, and return what was counted before."""
        with self._lock:
            counted = dict(sorted(self._counts.items()))
            self._counts.clear()
            return counted
