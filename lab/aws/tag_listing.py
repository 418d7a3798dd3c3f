"""DescribeTags for a fleet of any size, page by page; moto gives all tags of an account at one time.

What asks for tags in the usual way is answered without moto in between, which takes several times as long as the answer
does. What has anything else about it, or something wrong, is moto's to answer, by the same listings.

Follows https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeTags.html.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from moto.core.responses import ActionResult
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models import EC2Backend, ec2_backends
from moto.ec2.responses.tags import TagResponse
from moto.ec2.utils import EC2_PREFIX_TO_RESOURCE, get_prefix, simple_aws_filter_to_re
from werkzeug.wrappers import Response

from lab.aws.account.account import ACCOUNT
from lab.aws.account.plane import Plane
from lab.aws.requests.calls import call_of, form_of
from lab.aws.requests.faults import App

_KEPT_LISTINGS = 16
_LEAST, _MOST = 5, 1_000
_EMPTY = re.compile(r"<tagSet\s*/>|<tagSet></tagSet>")
_NAME, _VALUE = re.compile(r"Filter\.\d+\.Name"), re.compile(r"Filter\.\d+\.Value\.\d+")
_USUAL = ("Action", "Version", "MaxResults", "NextToken")
_HEAD = (
    '<?xml version="1.0" encoding="utf-8"?>\n'
    '<DescribeTagsResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>request-id</requestId>'
)
_FOOT = "</DescribeTagsResponse>"
_WILD = frozenset("*?\\")
Test = Callable[[str], bool]


class TagListings:
    """What was listed last: whoever asks for the next page is answered from it, unless something has changed.

    Args:
        plane: the lab, which knows whether something has.
        moto: answers what is not usual.
    """

    def __init__(self, plane: Plane, moto: App) -> None:
        self._plane = plane
        self._moto = moto
        self._changes = -1
        self._known: dict[tuple[str, str], list[str]] = {}

    def install(self) -> None:
        """Have moto's server list tags like this, for as long as the process lives."""
        TagResponse.describe_tags = lambda response: self._describe(response)  # noqa: PLW0108 not bound to these listings

    def answer(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:  # noqa: ANN401 WSGI's own
        """Answer a request for tags."""
        given = dict(parse_qsl(form_of(environ), keep_blank_values=True))
        try:
            filters = _filters(given)
            start, size = _place(given.get("NextToken")), _size(given.get("MaxResults"))
            found = self._find(ec2_backends[ACCOUNT][call_of(environ).region], filters)
        except (EC2ClientError, KeyError, ValueError):
            return self._moto(environ, start_response)
        following = f"<nextToken>{_token(start + size)}</nextToken>" if start + size < len(found) else ""
        body = f"{_HEAD}{following}<tagSet>{''.join(found[start : start + size])}</tagSet>{_FOOT}"
        return Response(body, content_type="text/xml")(environ, start_response)

    def _describe(self, response: Any) -> Any:  # noqa: ANN401 moto's own kinds of requests and answers
        response.error_on_dryrun()
        found = self._find(response.ec2_backend, response._filters_from_querystring())  # noqa: SLF001 as moto does
        start = _place(response._get_param("NextToken"))  # noqa: SLF001
        end = start + _size(response._get_param("MaxResults"))  # noqa: SLF001
        following = _token(end) if end < len(found) else None
        status, headers, body = response.serialized(ActionResult({"Tags": [], "NextToken": following}))
        written = "".join(found[start:end])
        return status, headers, _EMPTY.sub(lambda _: f"<tagSet>{written}</tagSet>", body, count=1)

    def _find(self, backend: EC2Backend, filters: Mapping[str, Sequence[str]]) -> list[str]:
        changes = self._plane.changes.number
        if changes != self._changes:
            self._known, self._changes = {}, changes
        known = self._known
        key = (backend.region_name, repr(sorted(filters.items())))
        found = known.get(key)
        if found is None:
            found = list(_matching(backend, filters))
            # The tags of a few resources are found as fast as they are looked up here.
            if len(found) > _MOST:
                known[key] = found
            if len(known) > _KEPT_LISTINGS:
                known.pop(next(iter(known)), None)
        return found


def _filters(given: Mapping[str, str]) -> dict[str, list[str]]:
    """Return the filters of a request, as EC2's protocol has them.

    Raises:
        KeyError: a filter without a name, or a parameter that is not usual.
    """
    names = {one.split(".")[1]: value for one, value in given.items() if _NAME.fullmatch(one)}
    filters: dict[str, list[str]] = {name: [] for name in names.values()}
    for one, value in given.items():
        if _VALUE.fullmatch(one):
            filters[names[one.split(".")[1]]].append(value)
        elif one not in _USUAL and not _NAME.fullmatch(one):
            raise KeyError(one)
    return filters


def _matching(backend: EC2Backend, filters: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Yield the tags that pass every filter, as the reply has them."""
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
                yield (
                    f"<item><resourceId>{resource}</resourceId><resourceType>{kind}</resourceType>"
                    f"<key>{escape(key)}</key><value>{escape(value)}</value></item>"
                )


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
