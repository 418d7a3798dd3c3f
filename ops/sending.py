"""Sending a command once, also over a connection that breaks.

SendCommand is not idempotent and takes no token by which the service would know a request again. So no request is
made a second time before it is known that the first one did nothing: each carries a mark of its own in its comment, and
after a connection that broke on the way the commands of the account are searched for it.

Follows https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_SendCommand.html and
https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ListCommands.html.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from botocore import exceptions as aws
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

from ops.errors import OperationError, in_words, throttled
from ops.permissions import Need, On
from ops.session import Session

NEEDS = (
    Need(On.NODES, "ssm:SendCommand"),
    Need(On.DOCUMENTS, "ssm:SendCommand", "ssm:DescribeDocument"),
    Need(On.ROLES, "iam:PassRole"),
    Need(On.ANYTHING, "ssm:ListCommands"),
)

MAX_COMMENT = 100
_MARK = "patchops:"
_NOT_SENT = (aws.EndpointConnectionError, aws.ConnectTimeoutError, aws.ProxyConnectionError)
"""What breaks before a request has left."""
_BROKEN = (aws.HTTPClientError, aws.ConnectionError, ResponseParserError)
"""What may break after it."""
_ATTEMPTS = 6
_LOOKS = 5
_FIRST_WAIT = 0.5
_CLOCKS = timedelta(minutes=5)
"""How far the clocks here and there may be apart."""

Sleep = Callable[[float], None]


def send_once(session: Session, request: Mapping[str, Any], *, sleep: Sleep = time.sleep) -> str:
    """Send a command, and return its id. It is sent once, or not at all.

    Args:
        session: the connection.
        request: the SendCommand request; its comment gets a mark.
        sleep: waits so many seconds.

    Raises:
        OperationError: the connection broke, and whether it was sent cannot be found out.
        ClientError: it was refused.
    """
    mark = f"{_MARK}{uuid.uuid4().hex[:12]}"
    marked = {**request, "Comment": _with_mark(request.get("Comment", ""), mark)}
    begun = session.service_time
    wait = _FIRST_WAIT
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return session.ssm_once.send_command(**marked)["Command"]["CommandId"]
        except _NOT_SENT:
            if attempt == _ATTEMPTS:
                raise
        except _BROKEN as error:
            return _found(session, mark, begun, error, sleep)
        except ClientError as error:
            if _unsure(error):
                return _found(session, mark, begun, error, sleep)
            if not throttled(error) or attempt == _ATTEMPTS:
                raise
        # Nothing was sent: it may be tried again, a while later.
        sleep(wait)
        wait *= 2
    raise AssertionError("the last attempt returns or raises")


def without_mark(comment: str) -> str:
    """Return a comment as it was given."""
    return comment.rpartition(_MARK)[0].strip() if _MARK in comment else comment


def _with_mark(comment: str, mark: str) -> str:
    room = MAX_COMMENT - len(mark) - 1
    return f"{comment[:room]} {mark}".strip()


def _unsure(error: ClientError) -> bool:
    """Tell whether the service failed on the way: it may have sent the command before it did."""
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return status >= 500 and not throttled(error)  # noqa: PLR2004 HTTP's own range


def _found(session: Session, mark: str, begun: datetime | None, error: Exception, sleep: Sleep) -> str:
    """Look for a command that may have been sent."""
    wait = _FIRST_WAIT
    problem = ""
    for _ in range(_LOOKS):
        try:
            found = find(session, mark, begun)
        except (aws.BotoCoreError, ClientError) as other:
            found, problem = "", f"; looking for it: {in_words(other)}"
        if found:
            return found
        # Right after it was sent, not every part of the service knows a command.
        sleep(wait)
        wait *= 2
    message = (
        f"SendCommand: {in_words(error)}; no command marked {mark} is there{problem}, so that it was probably not "
        "sent, and nothing was sent again: look with `patchops runs`, and repeat this if it is not there"
    )
    raise OperationError(message)


def find(session: Session, mark: str, begun: datetime | None) -> str:
    """Return the id of the command with this mark; empty if there is none."""
    # Only by the service's own time: this machine's clock may be wrong.
    after = (begun - _CLOCKS).strftime("%Y-%m-%dT%H:%M:%SZ") if begun else ""
    request: dict[str, Any] = {"Filters": [{"key": "InvokedAfter", "value": after}]} if after else {}
    pages = session.ssm.get_paginator("list_commands").paginate(**request, PaginationConfig={"PageSize": 50})
    return next(
        (one["CommandId"] for page in pages for one in page["Commands"] if one.get("Comment", "").endswith(mark)), ""
    )
