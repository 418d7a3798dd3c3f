"""The tokens by which a client asks for the next page.

A token belongs to the operation that gave it out, and lasts for a day of the lab's clock; AWS does not document how
long its own last. Nobody makes one up by mistake: it is signed, with a key that is no secret, as it protects nothing.
"""

from __future__ import annotations

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from lab.world.errors import ApiError

_LASTS = timedelta(days=1)
_KEY = b"patchops"
_SIZE = 12


@dataclass(frozen=True)
class Asked:
    """What is being answered.

    Attributes:
        operation: the operation.
        at: the lab's time.
    """

    operation: str
    at: datetime


_NOTHING = Asked("", datetime(1970, 1, 1, tzinfo=UTC))
ASKED: ContextVar[Asked] = ContextVar("asked", default=_NOTHING)


def issue(start: int) -> str:
    """Return a token for the page that begins at this place of the list."""
    asked = ASKED.get()
    text = json.dumps([asked.operation, int(asked.at.timestamp()), start]).encode()
    return urlsafe_b64encode(_signature(text) + text).decode()


def place(token: str) -> int:
    """Return where the page begins that a token stands for.

    Raises:
        ApiError: it was never given out, by another operation, or too long ago.
    """
    asked = ASKED.get()
    try:
        raw = urlsafe_b64decode(token.encode())
    except ValueError:
        raw = b""
    signature, text = raw[:_SIZE], raw[_SIZE:]
    if not hmac.compare_digest(signature, _signature(text)):
        raise ApiError("InvalidNextToken", "The specified token is not valid.")
    operation, issued, start = json.loads(text)
    if operation != asked.operation:
        raise ApiError("InvalidNextToken", f"The specified token is one of {operation}.")
    if asked.at.timestamp() - issued > _LASTS.total_seconds():
        raise ApiError("InvalidNextToken", "The specified token has expired.")
    return int(start)


def _signature(text: bytes) -> bytes:
    return hmac.digest(_KEY, text, "sha256")[:_SIZE]
