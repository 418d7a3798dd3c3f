"""DescribeTags for a fleet of any size, page by page; moto gives all tags of an account at one time.

Follows https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeTags.html.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any
from xml.sax.saxutils import escape

from moto.core.responses import ActionResult
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models import EC2Backend
from moto.ec2.responses.tags import TagResponse
from moto.ec2.utils import EC2_PREFIX_TO_RESOURCE, get_prefix, simple_aws_filter_to_re

from lab.aws.plane import Plane

_KEPT_LISTINGS = 16
_LEAST, _MOST = 5, 1_000
_EMPTY = re.compile(r"<tagSet\s*/>|<tagSet></tagSet>")
_WILD = frozenset("*?\\")
Test = Callable[[str], bool]


@dataclass(frozen=True)
class _Tag:
    resource: str
    kind: str
    key: str
    value: str

    def xml(self) -> str:
        return (
            f"<item><resourceId>{self.resource}</resourceId><resourceType>{self.kind}</resourceType>"
            f"<key>{escape(self.key)}</key><value>{escape(self.value)}</value></item>"
        )


class TagListings:
    """What was listed last: whoever asks for the next page is answered from it, unless something has changed.

    Args:
        plane: the lab, which knows whether something has.
    """

    def __init__(self, plane: Plane) -> None:
        self._plane = plane
        self._changes = -1
        self._known: dict[tuple[str, str], list[_Tag]] = {}

    def install(self) -> None:
        """Have moto's server list tags like this, for as long as the process lives."""
        TagResponse.describe_tags = lambda response: self._describe(response)  # noqa: PLW0108 not bound to these listings

    def _describe(self, response: Any) -> Any:  # noqa: ANN401 moto's own kinds of requests and answers
        response.error_on_dryrun()
        found = self._find(response.ec2_backend, response._filters_from_querystring())  # noqa: SLF001 as moto does
        start = _place(response._get_param("NextToken"))  # noqa: SLF001
        end = start + _size(response._get_param("MaxResults"))  # noqa: SLF001
        following = _token(end) if end < len(found) else None
        status, headers, body = response.serialized(ActionResult({"Tags": [], "NextToken": following}))
        written = "".join(one.xml() for one in islice(found, start, end))
        return status, headers, _EMPTY.sub(lambda _: f"<tagSet>{written}</tagSet>", body, count=1)

    def _find(self, backend: EC2Backend, filters: Mapping[str, Sequence[str]]) -> list[_Tag]:
        changes = self._plane.changes.number
        if changes != self._changes or len(self._known) >= _KEPT_LISTINGS:
            self._known, self._changes = {}, changes
        key = (backend.region_name, repr(sorted(filters.items())))
        if key not in self._known:
            self._known[key] = list(_matching(backend, filters))
        return self._known[key]


def _matching(backend: EC2Backend, filters: Mapping[str, Sequence[str]]) -> Iterator[_Tag]:
    """Yield the tags that pass every filter."""
    unknown = [one for one in filters if one not in _KNOWN and not one.startswith("tag:")]
    if unknown:
        raise EC2ClientError("InvalidParameterValue", f"The filter '{unknown[0]}' is invalid")
    kinds = filters.get("resource-type")
    of_key, of_value = _test(filters.get("key")), _test(filters.get("value"))
    pairs = {name.removeprefix("tag:"): _test(values) for name, values in filters.items() if name.startswith("tag:")}
    for resource in _resources(backend, filters.get("resource-id")):
        kind = EC2_PREFIX_TO_RESOURCE.get(get_prefix(resource), "")
        if kinds is not None and kind not in kinds:
            continue
        for key, value in list(backend.tags.get(resource, {}).items()):
            if of_key(key) and of_value(value) and all(key == one and test(value) for one, test in pairs.items()):
                yield _Tag(resource, kind, key, value)


_KNOWN = ("key", "resource-id", "resource-type", "value")


def _resources(backend: EC2Backend, wanted: Sequence[str] | None) -> Iterable[str]:
    """Return the resources with these ids, looked up where they are no patterns; all of them by default."""
    if wanted is None:
        return list(backend.tags)
    if any(_WILD & set(one) for one in wanted):
        return list(filter(_test(wanted), list(backend.tags)))
    return [one for one in dict.fromkeys(wanted) if one in backend.tags]


def _test(wanted: Sequence[str] | None) -> Test:
    """Return the test that a filter puts to a text: * and ? in its values stand for anything."""
    if wanted is None:
        return lambda _: True
    if not any(_WILD & set(one) for one in wanted):
        return frozenset(wanted).__contains__
    patterns = [re.compile(simple_aws_filter_to_re(one)) for one in wanted]
    return lambda text: any(one.match(text) for one in patterns)


def _size(asked: Any) -> int:  # noqa: ANN401 whatever was asked
    if asked is None:
        return _MOST
    if int(asked) < _LEAST:
        raise EC2ClientError("InvalidParameterValue", f"Value ({asked}) for parameter maxResults is less than {_LEAST}")
    return min(int(asked), _MOST)


def _token(place: int) -> str:
    return urlsafe_b64encode(str(place).encode()).decode()


def _place(token: str | None) -> int:
    try:
        return int(urlsafe_b64decode(token)) if token else 0
    except ValueError:
        raise EC2ClientError("InvalidNextToken", "The specified NextToken is not valid.") from None
