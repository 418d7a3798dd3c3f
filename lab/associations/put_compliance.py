"""Compliance that somebody puts: of types of their own, or in the place of what a scan or an association reported.

Follows https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutComplianceItems.html and
https://docs.aws.amazon.com/systems-manager/latest/userguide/compliance-custom-metadata.html.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from lab.world.errors import ApiError
from patching.baseline import ComplianceLevel

MAX_CUSTOM_TYPES = 10
ASSOCIATION = "Association"
PATCH = "Patch"
CUSTOM = "Custom:"


@dataclass(frozen=True)
class PutItem:
    """One item of what was put.

    Attributes:
        id: its id.
        title: what it is called.
        severity: how serious it is.
        compliant: whether it complies.
        details: more about it.
    """

    id: str
    title: str
    severity: ComplianceLevel
    compliant: bool
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class PutCompliance:
    """What was put for a node and a type.

    Attributes:
        type: Patch, Association, or Custom: and a name.
        items: the items.
        put: when it was put.
        executed: when what it tells of ran, as whoever put it says.
        execution_id: its id, as they say.
        execution_type: its type, as they say.
        content_hash: hash of the items, as they say.
    """

    type: str
    items: tuple[PutItem, ...]
    put: datetime
    executed: datetime
    execution_id: str = ""
    execution_type: str = ""
    content_hash: str = ""


class PutCompliances:
    """What was put, by node and type."""

    def __init__(self) -> None:
        self._put: dict[str, dict[str, PutCompliance]] = {}

    def put(self, node_id: str, given: PutCompliance, *, partial: bool = False) -> None:
        """Keep what somebody puts, in the place of what was put before.

        Args:
            node_id: the node.
            given: what is put. Nothing changes if it has the hash of what is there.
            partial: whether items that are not in it stay; for associations only.

        Raises:
            ApiError: a type that is none, too many types of somebody's own, or `partial` for another type.
        """
        known = self._put.setdefault(node_id, {})
        custom = given.type.startswith(CUSTOM)
        if not custom and given.type not in (PATCH, ASSOCIATION):
            message = f"{given.type} is not {PATCH}, {ASSOCIATION} or {CUSTOM} and a name."
            raise ApiError("ValidationException", message)
        if partial and given.type != ASSOCIATION:
            raise ApiError("ValidationException", f"UploadType PARTIAL is for {ASSOCIATION} only.")
        if custom and given.type not in known and sum(one.startswith(CUSTOM) for one in known) >= MAX_CUSTOM_TYPES:
            message = f"{node_id} has {MAX_CUSTOM_TYPES} custom compliance types already."
            raise ApiError("ComplianceTypeCountLimitExceededException", message)
        before = known.get(given.type)
        if before and given.content_hash and before.content_hash == given.content_hash:
            return
        if before and partial:
            new = {one.id for one in given.items}
            given = _with_items(given, [*(one for one in before.items if one.id not in new), *given.items])
        known[given.type] = given

    def of(self, node_id: str) -> dict[str, PutCompliance]:
        """Return what was put for a node, by its type."""
        return self._put.get(node_id, {})


def _with_items(given: PutCompliance, items: Sequence[PutItem]) -> PutCompliance:
    return PutCompliance(
        given.type,
        tuple(items),
        given.put,
        given.executed,
        given.execution_id,
        given.execution_type,
        given.content_hash,
    )
