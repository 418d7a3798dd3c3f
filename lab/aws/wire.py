"""What a request has to be before it is one of an operation: JSON in UTF-8, sent to an operation that there is.

Follows https://docs.aws.amazon.com/systems-manager/latest/APIReference/CommonErrors.html and the protocol's page,
https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from werkzeug.exceptions import HTTPException

from lab.errors import ApiError

_TARGET = "AmazonSSM."
_TYPE = "application/x-amz-json-1.1"
Reply = tuple[int, dict[str, Any], str]


class Refused(HTTPException):
    """A refusal whose code the service model does not have, which moto therefore would not send."""

    code = 400

    def __init__(self, error: ApiError) -> None:
        super().__init__(json.dumps({"__type": error.code, "message": error.message}))
        self._error = error

    def get_headers(self, *_: Any, **__: Any) -> list[tuple[str, str]]:  # noqa: ANN401 as the class above it
        """Return the headers of the reply."""
        return list(_headers(self._error).items())


def strict(original: Callable[..., Any], operations: frozenset[str]) -> Callable[..., Any]:
    """Have only what is a request of an operation reach moto, which takes much for one, and fails on the rest."""

    def dispatch(response: Any, request: Any, *rest: Any, **more: Any) -> Any:  # noqa: ANN401 moto's own signature
        problem = _problem(request, operations)
        if problem:
            return _reply(problem)
        return original(response, request, *rest, **more)

    return dispatch


def _problem(request: Any, operations: frozenset[str]) -> ApiError | None:  # noqa: ANN401 moto's own class
    target = request.headers.get("X-Amz-Target", "")
    if request.method != "POST" or not target.startswith(_TARGET) or target.removeprefix(_TARGET) not in operations:
        return ApiError("UnknownOperationException", f"Systems Manager has no operation {target or '(none)'}.")
    try:
        request.get_data().decode()
    except UnicodeDecodeError:
        return ApiError("SerializationException", "The request is not UTF-8.")
    if request.args:
        return ApiError("SerializationException", "The request has a query, which the protocol has not.")
    return None


def _reply(error: ApiError) -> Reply:
    return 400, dict(_headers(error)), json.dumps({"__type": error.code, "message": error.message})


def _headers(error: ApiError) -> Mapping[str, str]:
    return {"Content-Type": _TYPE, "x-amzn-ErrorType": error.code}
