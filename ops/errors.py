"""What an operation says when it cannot go on: one line, and how to mend it."""

from __future__ import annotations

import re

from botocore import exceptions as aws

from patching.errors import UserError

_EXPIRED = {"ExpiredToken", "ExpiredTokenException"}
_UNKNOWN_CREDENTIALS = {"InvalidClientTokenId", "UnrecognizedClientException", "AuthFailure", "SignatureDoesNotMatch"}
_UNKNOWN_CREDENTIALS |= {"InvalidSignatureException", "InvalidAccessKeyId"}
_SKEW = re.compile(r"expired|not yet current|too large|time", re.IGNORECASE)
_THROTTLED = {"Throttling", "ThrottlingException", "ThrottledException", "TooManyRequestsException"}
_THROTTLED |= {"RequestLimitExceeded", "RequestThrottled", "SlowDown"}
_SKEWED = {"RequestTimeTooSkewed", "RequestInTheFuture", "InvalidSignatureException"}


def throttled(error: aws.ClientError) -> bool:
    """Tell whether a request was refused because there were too many: it did nothing, and may be made again."""
    return str(error.response.get("Error", {}).get("Code", "")) in _THROTTLED


class OperationError(UserError):
    """An operation that could not be carried out. Its text is for the person who asked for it."""


def in_words(error: Exception) -> str:
    """Say in one line what AWS or the way to it refused, and what mends it."""
    if isinstance(error, aws.ClientError):
        return _refusal(error)
    if isinstance(error, aws.NoCredentialsError | aws.PartialCredentialsError):
        return "no credentials found; set AWS_PROFILE, give --profile, or sign in with `aws sso login`"
    if isinstance(error, aws.NoRegionError):
        return "no Region given; set AWS_REGION or give --region"
    if isinstance(error, aws.ProfileNotFound):
        return f"{_one_line(error)}; `aws configure list-profiles` lists those there are"
    if isinstance(error, aws.TokenRetrievalError | aws.UnauthorizedSSOTokenError | aws.SSOTokenLoadError):
        return "the sign-in has expired; sign in again with `aws sso login`"
    if isinstance(error, aws.HTTPClientError | aws.ConnectionError | aws.IncompleteReadError):
        return f"{_one_line(error).rstrip('.')}; is the Region right, the network there, and the local AWS running?"
    return _one_line(error)


def _refusal(error: aws.ClientError) -> str:
    code = str(error.response.get("Error", {}).get("Code", "unknown"))
    message = " ".join(str(error.response.get("Error", {}).get("Message", "")).split())
    operation = error.operation_name
    if code in _EXPIRED:
        return f"{operation}: the credentials have expired; sign in again"
    if code == "RequestExpired":  # EC2's word for both
        return f"{operation}: the credentials have expired; sign in again, and set this machine's clock if it is wrong"
    if (code in _SKEWED and _SKEW.search(message)) or code == "RequestTimeTooSkewed":
        return f"{operation}: this machine's clock and AWS's are too far apart; set the clock, for instance by NTP"
    if code in _UNKNOWN_CREDENTIALS:
        return f"{operation}: AWS does not know these credentials; check AWS_PROFILE or the keys"
    if code in _THROTTLED:
        return f"{operation}: AWS throttled the requests, also after retries; try again later"
    if code.startswith("AccessDenied") or code == "UnauthorizedOperation":
        return f"{operation}: no permission: {message}"
    return f"{operation}: {code}: {message}"


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
