"""DescribeInstances for a fleet of any size: what moto does, without going through all instances for every page.

Follows https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstances.html. moto looks through the tags
of the whole account for each instance, and writes each attribute of it anew for each reply.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from moto.core.responses import ActionResult
from moto.ec2.exceptions import InvalidInstanceIdError, InvalidParameterCombination
from moto.ec2.models import EC2Backend
from moto.ec2.models.core import TaggedEC2Resource
from moto.ec2.models.instances import Reservation
from moto.ec2.responses.instances import InstanceResponse
from moto.ec2.utils import EC2_PREFIX_TO_RESOURCE, get_prefix, passes_filter_dict

from lab.aws.account.plane import Plane
from lab.aws.account.population import PopulatedInstance

_KEPT_LISTINGS = 16
_DEFAULT_PAGE = 1_000
_SET = re.compile(r"<reservationSet>(.*)</reservationSet>", re.DOTALL)
_TAGS = re.compile(r"<tagSet>.*?</tagSet>", re.DOTALL)
_MARKS = {
    "reservation": "r-@reservation@",
    "id": "i-@id@",
    "interface": "eni-@interface@",
    "attachment": "eni-attach-@attachment@",
    "address": "@a.d.d.r@",
    "dashed": "@a-d-d-r@",
    "public": "@p.u.b.l@",
    "public_dashed": "@p-u-b-l@",
    "mac": "@mac@",
}
_MARK = re.compile("|".join(map(re.escape, [*_MARKS.values(), "@tags@"])))
_NAMES = {value: key for key, value in _MARKS.items()} | {"@tags@": "tags"}


def install(plane: Plane) -> None:
    """Have moto's server list instances like this, for as long as the process lives."""
    listings = _Listings(plane)
    TaggedEC2Resource.get_tags = _tags_of
    InstanceResponse.describe_instances = lambda response: _describe(listings, response)


def _tags_of(resource: TaggedEC2Resource) -> list[dict[str, str]]:
    """Return the tags of a resource as moto does, which would look at those of all others as well."""
    if not resource.id:
        return []
    kind = EC2_PREFIX_TO_RESOURCE.get(get_prefix(resource.id), "")
    return [
        {"resource_id": resource.id, "key": key, "value": value, "resource_type": kind}
        for key, value in list(resource.ec2_backend.tags.get(resource.id, {}).items())
    ]


@dataclass(frozen=True)
class _Listing:
    """Reservations that were asked for, and the place of each among them."""

    reservations: Sequence[Reservation]
    places: dict[str, int]


class _Listings:
    """What was listed last: whoever asks for the next page is answered from it, unless something has changed."""

    def __init__(self, plane: Plane) -> None:
        self._plane = plane
        self._changes = -1
        self._known: dict[tuple[Any, ...], _Listing] = {}
        self._templates: dict[tuple[Any, ...], list[str]] = {}

    def find(self, backend: EC2Backend, filters: dict[str, list[str]], ids: Sequence[str]) -> _Listing:
        changes = self._plane.changes.number
        if changes != self._changes or len(self._known) >= _KEPT_LISTINGS:
            self._known, self._changes = {}, changes
        key = (backend.region_name, repr(sorted(filters.items())), tuple(ids))
        found = self._known.get(key)
        if found is None:
            reservations = _by_ids(backend, ids, filters) if ids else backend.describe_instances(filters=filters)
            places = {one.id: place for place, one in enumerate(reservations)}
            found = self._known[key] = _Listing(reservations, places)
        return found

    def write(self, response: InstanceResponse, reservation: Reservation) -> str:
        """Return a reservation as XML."""
        (first, *others) = reservation.instances
        if others or not isinstance(first, PopulatedInstance) or not first.plain:
            return _written(response, reservation)
        key = (id(first.prototype), first.state, first.state_transition_reason)
        template = self._templates.get(key)
        if template is None:
            template = self._templates[key] = _template(response, reservation, first)
        interface = first.nics[0]
        values = {
            "reservation": reservation.id,
            "id": first.id,
            "interface": interface.id,
            "attachment": interface.attachment_id,
            "address": interface.private_ip_address,
            "dashed": interface.private_ip_address.replace(".", "-"),
            "public": interface.public_ip,
            "public_dashed": interface.public_ip.replace(".", "-"),
            "mac": interface.mac_address,
            "tags": _tag_set(first.ec2_backend.tags.get(first.id, {})),
        }
        return "".join(part if place % 2 == 0 else values[part] for place, part in enumerate(template))


def _describe(listings: _Listings, response: InstanceResponse) -> Any:  # noqa: ANN401 moto's own kinds of answers
    response.error_on_dryrun()
    ids = response._get_param("InstanceIds", [])  # noqa: SLF001 as moto's own operations, here and below
    if ids and response._get_param("MaxResults"):  # noqa: SLF001
        raise InvalidParameterCombination("The parameter instancesSet cannot be used with the parameter maxResults")
    listing = listings.find(response.ec2_backend, response._filters_from_querystring(), ids)  # noqa: SLF001
    token = response._get_param("NextToken")  # noqa: SLF001
    start = listing.places.get(token, -1) + 1 if token else 0
    size = int(response._get_param("MaxResults") or _DEFAULT_PAGE)  # noqa: SLF001
    shown = listing.reservations[start : start + size]
    more = shown[-1].id if shown and start + size < len(listing.reservations) else ""
    status, headers, body = response.serialized(ActionResult({"Reservations": [], "NextToken": more or None}))
    written = "".join(listings.write(response, one) for one in shown)
    whole = re.sub(
        r"<reservationSet\s*/>|<reservationSet></reservationSet>",
        lambda _: f"<reservationSet>{written}</reservationSet>",
        body,
        count=1,
    )
    return status, headers, whole


def _by_ids(backend: EC2Backend, ids: Sequence[str], filters: dict[str, list[str]]) -> list[Reservation]:
    """Return the reservations of some instances, as moto does, but without comparing each with each."""
    wanted = set(ids)
    found = []
    for reservation in backend.all_reservations():
        reservation.instances = [one for one in reservation.instances if one.id in wanted]
        if reservation.instances:
            found.append(reservation)
    unknown = wanted - {one.id for reservation in found for one in reservation.instances}
    if unknown:
        raise InvalidInstanceIdError(sorted(unknown))
    return [one for one in found if _passing(one, filters)] if filters else found


def _passing(reservation: Reservation, filters: dict[str, list[str]]) -> bool:
    reservation.instances = [one for one in reservation.instances if passes_filter_dict(one, filters)]
    return bool(reservation.instances)


def _written(response: InstanceResponse, reservation: Reservation) -> str:
    """Return a reservation as moto writes it."""
    _, _, body = response.serialized(ActionResult({"Reservations": [reservation]}))
    match = _SET.search(body)
    return match[1] if match else ""


def _template(response: InstanceResponse, reservation: Reservation, like: PopulatedInstance) -> list[str]:
    """Return what moto writes of a reservation in pieces: text and, in between, the names of what differs."""
    sample = PopulatedInstance(like.prototype, 0)
    sample.__dict__ |= {"id": _MARKS["id"], "_state": like._state, "_reason": like._reason}  # noqa: SLF001
    sample.nics[0].__dict__ |= {
        "id": _MARKS["interface"],
        "attachment_id": _MARKS["attachment"],
        "private_ip_address": _MARKS["address"],
        "private_dns_name": sample.nics[0].private_dns_name.replace("10-0-0-0", _MARKS["dashed"]),
        "mac_address": _MARKS["mac"],
        "public_ip": _MARKS["public"],
    }
    holder = Reservation(_MARKS["reservation"], reservation.owner_id)
    holder.instances.append(sample)
    tags = like.ec2_backend.tags
    tags[sample.id] = {"a": "b"}
    try:
        text = _TAGS.sub("@tags@", _written(response, holder), count=1)
    finally:
        del tags[sample.id]
    pieces: list[str] = []
    end = 0
    for match in _MARK.finditer(text):
        pieces += [text[end : match.start()], _NAMES[match[0]]]
        end = match.end()
    return [*pieces, text[end:]]


def _tag_set(tags: dict[str, str]) -> str:
    items = "".join(
        f"<item><key>{escape(key)}</key><value>{escape(value)}</value></item>" for key, value in tags.items()
    )
    return f"<tagSet>{items}</tagSet>" if items else "<tagSet/>"
