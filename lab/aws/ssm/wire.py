"""The JSON protocol: what a request has to be before it is one of an operation, and how replies are written.

Follows https://docs.aws.amazon.com/systems-manager/latest/APIReference/CommonErrors.html and the protocol's page,
https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html.
"""

from __future__ import annotations

import io
import json
import math
from base64 import b64encode
from collections.abc import Container, Mapping
from datetime import datetime
from typing import Any
from uuid import uuid4

import orjson
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Request, Response

from lab.world.errors import ApiError

_TARGET = "AmazonSSM."
_TYPE = "application/x-amz-json-1.1"
_OPTIONS = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS


class Refused(HTTPException):
    """A refusal whose code the service model does not have, which moto therefore would not send."""

    code = 400

    def __init__(self, error: ApiError) -> None:
        super().__init__(_text(error))
        self._error = error

    def get_headers(self, *_: Any, **__: Any) -> list[tuple[str, str]]:  # noqa: ANN401 as the class above it
        """Return the headers of the reply."""
        return [("Content-Type", _TYPE), ("x-amzn-ErrorType", self._error.code)]


class Inbound:
    """A request of a service that speaks JSON, read once: whoever reads its body after that finds it again.

    Args:
        environ: the request, as WSGI has it.

    Attributes:
        body: what it brings.
    """

    def __init__(self, environ: dict[str, Any]) -> None:
        self._environ = environ
        self.body = Request(environ).get_data()
        environ["wsgi.input"] = io.BytesIO(self.body)

    def problem(self, operations: Container[str]) -> ApiError | None:
        """Return why it is a request of none of these operations; None for one that is.

        moto takes much for a request, and fails on the rest.
        """
        target = self._environ.get("HTTP_X_AMZ_TARGET", "")
        named = target.startswith(_TARGET) and target.removeprefix(_TARGET) in operations
        if (self._environ["REQUEST_METHOD"], self._environ["PATH_INFO"]) != ("POST", "/") or not named:
            return ApiError("UnknownOperationException", f"Systems Manager has no operation {target or '(none)'}.")
        try:
            self.body.decode()
        except UnicodeDecodeError:
            return ApiError("SerializationException", "The request is not UTF-8.")
        if self._environ.get("QUERY_STRING"):
            return ApiError("SerializationException", "The request has a query, which the protocol has not.")
        return None


def success(reply: Mapping[str, Any]) -> Response:
    """Return what an operation answers. Times are in seconds since 1970, as the protocol has it."""
    return _response(200, orjson.dumps(reply, _written, _OPTIONS))


def failure(error: ApiError, member: str = "message") -> Response:
    """Return what a request that fails is answered, with the member of the error's shape that has the message."""
    return _response(400, _text(error, member), error.code)


def _response(status: int, body: str | bytes, code: str = "") -> Response:
    reply = Response(body, status, content_type=_TYPE)
    reply.headers["x-amzn-RequestId"] = str(uuid4())
    if code:
        reply.headers["x-amzn-ErrorType"] = code
    return reply


def _text(error: ApiError, member: str = "message") -> str:
    return json.dumps({"__type": error.code, member: error.message})


def _written(value: object) -> float | str:
    """Return a time in seconds, to the millisecond, and bytes in base64."""
    if isinstance(value, datetime):
        return math.floor(value.timestamp() * 1000) / 1000
    if isinstance(value, bytes):
        return b64encode(value).decode()
    raise TypeError(f"{value!r} is nothing that a reply can have")
