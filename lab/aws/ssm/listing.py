"""Lists that are as long as a fleet is large: what a page costs goes with the page, whatever comes before and after it.

The first page of a listing looks at as much as fills it, and the next ones go on from there, over the nodes that there
were when the listing began. A listing that is no longer kept, or that a page before the last is asked of, begins anew.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

from lab.aws.ssm.operation import Reply, Request
from lab.aws.ssm.page_token import ASKED, issue, place
from lab.engine import Engine

_KEPT = 64
"""How many listings go on at one time."""

_PAGING = ("NextToken", "MaxResults")


class _Listing:
    """What has been read of a list, but for what nobody will ask for again."""

    def __init__(self, items: Iterable[Any]) -> None:
        self._rest: Iterator[Any] = iter(items)
        self._read: list[Any] = []
        self._first = 0

    def begins_by(self, start: int) -> bool:
        """Tell whether the item at a place has not been forgotten."""
        return self._first <= start

    def part(self, start: int, end: int) -> tuple[list[Any], bool]:
        """Return the items from one place to another, and whether there are more; forget those before."""
        lacking = end + 1 - self._first - len(self._read)
        self._read += islice(self._rest, max(0, lacking))
        found = self._read[start - self._first : end + 1 - self._first]
        del self._read[: start - self._first]
        self._first = max(self._first, start)
        return found[: end - start], len(found) > end - start


_listings: OrderedDict[tuple[Engine, str], _Listing] = OrderedDict()


def paged(
    engine: Engine, request: Request, key: str, items: Callable[[], Iterable[Any]], *, default_size: int = 50
) -> Reply:
    """Return the part of a list that was asked for, and a token for the next one if there is more.

    Args:
        engine: whose list it is.
        request: what was asked.
        key: where the items stand in the reply.
        items: the whole list, from its beginning; it is read as far as it is asked for.
        default_size: how many items a page has if the request does not say it.

    Raises:
        ApiError: a token that this operation never gave out, or too long ago.
    """
    asked = {name: value for name, value in request.items() if name not in _PAGING}
    name = (engine, f"{ASKED.get().operation} {json.dumps(asked, sort_keys=True, default=str)}")
    start = place(request["NextToken"]) if request.get("NextToken") else 0
    end = start + int(request.get("MaxResults") or default_size)
    listing = _listings.pop(name, None) if start else None
    if listing is None or not listing.begins_by(start):
        listing = _Listing(items())
    found, more = listing.part(start, end)
    _listings[name] = listing
    while len(_listings) > _KEPT:
        _listings.popitem(last=False)
    return {key: found, **({"NextToken": issue(end)} if more else {})}
