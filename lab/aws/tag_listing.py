"""DescribeTags for a fleet of any size: what moto does, page by page, and of the resources that are named only.

Follows https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeTags.html. moto tells all tags at once,
however few are asked for, and holds every tag of an account against every id.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from copy import copy
from itertools import islice
from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models.tags import TagBackend
from moto.ec2.responses.tags import TagResponse

_TOKEN = re.compile(r"(\d{1,9})\.(\d{1,9})", re.ASCII)
Tag = dict[str, str]


def install() -> None:
    """Have moto's server list tags like this, for as long as the process lives."""
    TagBackend.describe_tags = _of_these_resources(TagBackend.describe_tags)
    TagResponse.describe_tags = _describe


def _of_these_resources(describe: Callable[..., Any]) -> Callable[..., Any]:
    """Look at the tags of the resources that are named only."""

    def describe_tags(backend: TagBackend, filters: dict[str, list[str]] | None = None) -> Any:  # noqa: ANN401 moto's own
        ids = (filters or {}).get("resource-id", [])
        if filters is None or not ids or _has_wildcards(ids):
            return describe(backend, filters)
        these = copy(backend)
        these.tags = {one: backend.tags[one] for one in ids if one in backend.tags}
        return describe(these, {key: values for key, values in filters.items() if key != "resource-id"})

    return describe_tags


def _has_wildcards(ids: list[str]) -> bool:
    return any(set(one) & set("*?") for one in ids)


def _describe(response: TagResponse) -> ActionResult:
    # As moto's own operations read a request.
    filters = response._filters_from_querystring()  # noqa: SLF001
    size, token = response._get_param("MaxResults"), response._get_param("NextToken")  # noqa: SLF001
    response.error_on_dryrun()
    backend = response.ec2_backend
    if not size and not token:
        return ActionResult({"Tags": backend.describe_tags(filters=filters)})
    place = _TOKEN.fullmatch(token or "0.0")
    if place is None:
        raise EC2ClientError("InvalidNextToken", f"The token '{token}' is invalid.")
    found = _from(backend, filters, int(place[1]), int(place[2]))
    shown = list(islice(found, int(size or 1_000)))
    after = next(found, None)
    return ActionResult({"Tags": [tag for tag, _ in shown], "NextToken": after[1] if after else None})


def _from(backend: TagBackend, filters: dict[str, list[str]], resource: int, tag: int) -> Iterator[tuple[Tag, str]]:
    """Yield tags from a place on: a resource's and a tag's of it; each with the token that stands for its own."""
    ids = filters.get("resource-id", [])
    named = ids if ids and not _has_wildcards(ids) else list(backend.tags)
    these = copy(backend)
    for number, one in enumerate(named[resource:], resource):
        these.tags = {one: backend.tags[one]} if one in backend.tags else {}
        told = these.describe_tags(filters)
        for place in range(tag if number == resource else 0, len(told)):
            yield told[place], f"{number}.{place}"
