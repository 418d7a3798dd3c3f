"""What every operation of the API has in common: its name, its input, its paging."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lab.aws.ssm.page_token import issue, place
from lab.engine import Engine
from lab.world.errors import ApiError

Request = Mapping[str, Any]
Reply = dict[str, Any]
Operation = Callable[[Engine, Request], Reply]

OPERATIONS: dict[str, Operation] = {}
"""The operations that the lab answers itself, by the name of their function."""


def operation(function: Operation) -> Operation:
    """Make a function an operation of the API: `send_command` answers SendCommand."""
    OPERATIONS[function.__name__] = function
    return function


def page(request: Request, key: str, items: Sequence[Any], default_size: int = 50) -> Reply:
    """Return the part of a list that was asked for, and a token for the next one if there is more.

    Raises:
        ApiError: a token that this operation never gave out, or too long ago.
    """
    start = place(request["NextToken"]) if request.get("NextToken") else 0
    end = start + int(request.get("MaxResults") or default_size)
    reply: Reply = {key: list(items[start:end])}
    if end < len(items):
        reply["NextToken"] = issue(end)
    return reply


def filters(
    request: Request, key: str = "Filters", *, known: Sequence[str], error: str = "InvalidFilterKey"
) -> dict[str, list[str]]:
    """Return the filters of a request by their keys.

    Raises:
        ApiError: a key that the operation has not.
    """
    found: dict[str, list[str]] = {}
    for one in request.get(key) or ():
        name = one.get("Key", one.get("key")) or ""
        if name not in known and not (name.startswith("tag:") and "tag:" in known):
            raise ApiError(error, f"{name} is not a valid filter key; valid ones are {', '.join(known)}.")
        values = one.get("Values", one.get("valueSet", one.get("value")))
        found[name] = [values] if isinstance(values, str) else list(values or ())
    return found


def without_empty(values: Reply) -> Reply:
    """Leave out what has no value, as the service does."""
    return {key: value for key, value in values.items() if value is not None and value != ""}


def refuse(request: Request, *keys: str) -> None:
    """Refuse parameters that would have no effect here: an empty success would be worse than a refusal.

    Raises:
        ApiError: one of them has a value.
    """
    for key in keys:
        if request.get(key):
            raise ApiError("ValidationException", f"The local AWS does not emulate the parameter {key}.")
