"""Errors that any service answers with, each in the words and the form of the service's protocol.

Follows https://docs.aws.amazon.com/systems-manager/latest/APIReference/CommonErrors.html,
https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html,
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html and
https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from uuid import uuid4
from xml.sax.saxutils import escape

import botocore.session
from botocore.exceptions import UnknownServiceError
from werkzeug.wrappers import Response

_JSON, _QUERY, _EC2, _S3, _REST = "json", "query", "ec2", "rest-xml", "rest-json"

ERRORS: Mapping[str, Mapping[str, tuple[str, int]]] = MappingProxyType(
    {
        "throttle": {
            _JSON: ("ThrottlingException", 400),
            _QUERY: ("Throttling", 400),
            _EC2: ("RequestLimitExceeded", 503),
            _S3: ("SlowDown", 503),
            _REST: ("TooManyRequestsException", 429),
        },
        "expired-token": {
            _JSON: ("ExpiredTokenException", 400),
            _QUERY: ("ExpiredToken", 403),
            _EC2: ("RequestExpired", 400),
            _S3: ("ExpiredToken", 400),
            _REST: ("ExpiredTokenException", 403),
        },
        "access-denied": {
            _JSON: ("AccessDeniedException", 400),
            _QUERY: ("AccessDenied", 403),
            _EC2: ("UnauthorizedOperation", 403),
            _S3: ("AccessDenied", 403),
            _REST: ("AccessDeniedException", 403),
        },
        "internal-error": {
            _JSON: ("InternalServerError", 500),
            _QUERY: ("InternalFailure", 500),
            _EC2: ("InternalError", 500),
            _S3: ("InternalError", 500),
            _REST: ("ServiceException", 500),
        },
        "unavailable": {
            _JSON: ("ServiceUnavailable", 503),
            _QUERY: ("ServiceUnavailable", 503),
            _EC2: ("Unavailable", 503),
            _S3: ("ServiceUnavailable", 503),
            _REST: ("ServiceUnavailable", 503),
        },
    }
)
"""The code and the HTTP status of an error, by its kind and the protocol."""

UNSUPPORTED = "unsupported"
"""The kind of what the lab does not emulate, which is no fault of its own choice."""

_UNSUPPORTED = {
    _JSON: ("UnsupportedOperationException", 400),
    _QUERY: ("UnsupportedOperation", 400),
    _EC2: ("UnsupportedOperation", 400),
    _S3: ("NotImplemented", 501),
    _REST: ("UnsupportedOperationException", 400),
}

MESSAGES = MappingProxyType(
    {
        "throttle": "Rate exceeded",
        "expired-token": "The security token included in the request is expired",
        "access-denied": "The request was denied by a fault of the lab",
        "internal-error": "An internal error occurred, which is a fault of the lab",
        "unavailable": "The service is unavailable, which is a fault of the lab",
    }
)


def error_reply(service: str, kind: str, message: str = "") -> Response:
    """Return the reply of a service to a request that fails.

    Args:
        service: the service, such as `ssm`.
        kind: what is wrong: one of `ERRORS`, or `UNSUPPORTED`.
        message: what a person reads; the usual words of the kind by default.
    """
    protocol = protocol_of(service)
    code, status = (_UNSUPPORTED if kind == UNSUPPORTED else ERRORS[kind])[protocol]
    text = message or MESSAGES[kind]
    request_id = str(uuid4())
    if protocol in (_JSON, _REST):
        body = json.dumps({"__type": code, "message": text})
        reply = Response(body, status, content_type="application/x-amz-json-1.1")
        reply.headers["x-amzn-ErrorType"] = code
    else:
        inner = f"<Code>{code}</Code><Message>{escape(text)}</Message>"
        whole = {
            _QUERY: f"<ErrorResponse><Error><Type>{'Sender' if status < 500 else 'Receiver'}</Type>{inner}</Error>"  # noqa: PLR2004 HTTP's own
            f"<RequestId>{request_id}</RequestId></ErrorResponse>",
            _EC2: f"<Response><Errors><Error>{inner}</Error></Errors><RequestID>{request_id}</RequestID></Response>",
            _S3: f"<Error>{inner}<RequestId>{request_id}</RequestId></Error>",
        }[protocol]
        reply = Response(f'<?xml version="1.0" encoding="UTF-8"?>{whole}', status, content_type="text/xml")
    reply.headers["x-amzn-RequestId"] = request_id
    return reply


@lru_cache
def protocol_of(service: str) -> str:
    """Return the protocol that a service's clients speak; JSON for a service that nobody knows."""
    try:
        return str(botocore.session.get_session().get_service_model(service).resolved_protocol)
    except UnknownServiceError:
        return _JSON
