"""What no service could answer, whichever it is: a request that is not signed for one, or not one of HTTP.

Follows https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html and
https://docs.aws.amazon.com/systems-manager/latest/APIReference/CommonErrors.html. Signatures are not verified: the
secret keys of a local AWS are no secrets.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import botocore.session
from moto.moto_server.werkzeug_app import DomainDispatcherApplication
from werkzeug.wrappers import Response

from lab.aws.requests.calls import call_of

_SIGNED = re.compile(r"AWS4-HMAC-SHA256 .*Credential=[^/,\s]+/\d{8}/[a-z0-9-]+/[a-zA-Z0-9-]+/aws4_request")
_SCHEME = "AWS4-HMAC-SHA256"


def refusal(environ: dict[str, Any]) -> Response | None:
    """Return what a request is answered that is none; None for one that a service may have a look at."""
    length = environ.get("CONTENT_LENGTH") or "0"
    if not (length.isascii() and length.isdecimal()):
        return _refused("MalformedHttpRequestException", f"Content-Length: {length!r} is no number.", 400)
    signed = environ.get("HTTP_AUTHORIZATION")
    if signed is None and environ.get("HTTP_X_AMZ_TARGET"):
        return _refused("MissingAuthenticationTokenException", "Missing Authentication Token", 400)
    if signed is not None and signed.startswith(_SCHEME) and not _SIGNED.match(signed):
        return _refused("IncompleteSignatureException", "The Authorization header has no whole credential.", 400)
    if signed is not None and not signed.startswith(_SCHEME) and environ.get("HTTP_X_AMZ_TARGET"):
        return _refused("IncompleteSignatureException", f"Authorization is not {_SCHEME}.", 400)
    region = call_of(environ).region
    if region and region not in _regions():
        return _refused("InvalidSignatureException", "Credential should be scoped to a valid Region.", 403)
    return None


def of_a_service(moto: DomainDispatcherApplication, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:  # noqa: ANN401 WSGI's own
    """Answer a request by the service that it is for, if moto has it."""
    try:
        application = moto.get_application(environ)
    except Exception:  # noqa: BLE001 moto raises what comes of looking for a service that it has not
        return _refused("UnknownService", "The local AWS has no such service.", 404)(environ, start_response)
    answer: Iterable[bytes] = application(environ, start_response)
    return answer


def _refused(code: str, message: str, status: int) -> Response:
    body = f'{{"__type": "{code}", "message": "{message}"}}'
    return Response(body, status, headers={"x-amzn-ErrorType": code}, content_type="application/x-amz-json-1.1")


@lru_cache
def _regions() -> frozenset[str]:
    session = botocore.session.get_session()
    return frozenset(
        region
        for partition in session.get_available_partitions()
        for region in session.get_available_regions("ec2", partition)
    ) | {"aws-global"}
