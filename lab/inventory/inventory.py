"""Inventory: what is known of nodes, what somebody puts there, and what is asked of it.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/systems-manager-inventory.html,
https://docs.aws.amazon.com/systems-manager/latest/userguide/inventory-custom.html and, for its limits,
https://docs.aws.amazon.com/general/latest/gr/ssm.html#limits_ssm.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from lab.associations.compliance import Compliance
from lab.inventory.inventory_reports import REPORTS
from lab.nodes.fleet import Fleet
from lab.nodes.inventory_types import CUSTOM, InventoryItem, InventoryType, aws_types
from lab.nodes.node import ManagedNode
from lab.world.clock import Clock
from lab.world.errors import ApiError
from lab.world.ids import Ids

MAX_CUSTOM_TYPES = 20
MAX_ITEM_SIZE = 200 * 1024
MAX_SIZE = 1024 * 1024


@dataclass(frozen=True)
class Deletion:
    """A custom type whose data was deleted.

    Attributes:
        id: its id.
        type: the type.
        at: when.
        counts: how many items there were, by the version of their schema.
    """

    id: str
    type: str
    at: datetime
    counts: Counter[str]


class Inventory:
    """The inventory of an account and Region.

    Args:
        clock: the lab's clock.
        ids: where ids of deletions come from.
        fleet: the nodes, which keep what was collected on them.
        compliance: the compliance of nodes, which is inventory too.
    """

    def __init__(self, clock: Clock, ids: Ids, fleet: Fleet, compliance: Compliance) -> None:
        self._clock = clock
        self._ids = ids
        self._fleet = fleet
        self._compliance = compliance
        self._disabled: dict[str, str] = {}
        self._by_token: dict[str, Deletion] = {}
        self.deletions: list[Deletion] = []
        self.watchers: list[Callable[[ManagedNode], None]] = []
        """Told of a node whose inventory or compliance may have changed."""

    def of(self, node: ManagedNode) -> dict[str, InventoryItem]:
        """Return all that is known of a node, by its type."""
        found = {kind: self.item(node, kind) for kind in dict.fromkeys((*node.inventory, *REPORTS))}
        return {kind: item for kind, item in found.items() if item}

    def item(self, node: ManagedNode, kind: str) -> InventoryItem | None:
        """Return what is known of one type of a node, if anything is."""
        report = REPORTS.get(kind)
        return report(node, self._compliance.of(node)) if report else node.inventory.get(kind)

    def values(self, node: ManagedNode, key: str) -> list[str]:
        """Return the values that the entries of a node have for a key such as AWS:Application.Name."""
        kind, _, attribute = key.partition(".")
        item = self.item(node, kind)
        return [entry[attribute] for entry in item.entries if attribute in entry] if item else []

    def changed(self, node: ManagedNode) -> None:
        """Have those told who watch a node's inventory."""
        for watch in self.watchers:
            watch(node)

    def types(self) -> dict[str, InventoryType]:
        """Return the types that there are: those of AWS, and those of which somebody put something."""
        found = dict(aws_types())
        for node in self._fleet.nodes():
            for item in node.inventory.values():
                if item.type.startswith(CUSTOM):
                    known = found.get(item.type)
                    attributes = dict(known.attributes) if known else {}
                    attributes |= dict.fromkeys((key for entry in item.entries for key in entry), "string")
                    name = item.type.removeprefix(CUSTOM)
                    found[item.type] = InventoryType(item.type, item.version, name, attributes)
        return found

    def put(self, node: ManagedNode, items: Iterable[InventoryItem]) -> None:
        """Keep what somebody puts of a node; what has the hash of what is there is only captured anew.

        Raises:
            ApiError: a type that there is not, or another version of its schema; attributes that it does not have;
                too much of it; no entries, and another hash than what is there has.
        """
        given = list(items)
        for item in given:
            self._check(node, item)
        sizes = [len(json.dumps(item.entries)) for item in given]
        if max(sizes) > MAX_ITEM_SIZE:
            raise ApiError("ItemSizeLimitExceededException", f"An item has more than {MAX_ITEM_SIZE} bytes.")
        if sum(sizes) > MAX_SIZE:
            raise ApiError("TotalSizeLimitExceededException", f"The items have more than {MAX_SIZE} bytes together.")
        for item in given:
            disabled = self._disabled.get(item.type)
            if disabled and _version(item.version) <= _version(disabled):
                continue
            before = node.inventory.get(item.type)
            same = before is not None and bool(item.content_hash) and before.content_hash == item.content_hash
            if before is not None and same:
                node.inventory[item.type] = replace(before, captured=item.captured)
            elif item.content_hash and not item.entries:
                message = f"{item.type} has no content, and the content that is there has another hash."
                raise ApiError("ItemContentMismatchException", message)
            else:
                node.inventory[item.type] = item
        self.changed(node)

    def delete(self, kind: str, *, disable: bool, dry_run: bool, token: str = "") -> Deletion:
        """Delete all data of a custom type, and with it the type.

        Args:
            kind: the type.
            disable: whether what is put later is ignored, unless its schema has a later version.
            dry_run: whether to only count what would be deleted.
            token: what makes a second request the same as the first one.

        Raises:
            ApiError: a type of AWS, or one that there is not.
        """
        if token in self._by_token:
            return self._by_token[token]
        holders = [node for node in self._fleet.nodes() if kind in node.inventory]
        if not kind.startswith(CUSTOM) or not holders:
            raise ApiError("InvalidTypeNameException", f"{kind} is not a custom inventory type that has data.")
        counts = Counter(node.inventory[kind].version for node in holders)
        deletion = Deletion("" if dry_run else self._ids.uuid(), kind, self._clock.now, counts)
        if dry_run:
            return deletion
        if disable:
            self._disabled[kind] = max(counts, key=_version)
        for node in holders:
            del node.inventory[kind]
            self.changed(node)
        self.deletions.append(deletion)
        if token:
            self._by_token[token] = deletion
        return deletion

    def _check(self, node: ManagedNode, item: InventoryItem) -> None:
        if not item.type.startswith(CUSTOM):
            known = aws_types().get(item.type)
            if known is None:
                raise ApiError("InvalidTypeNameException", f"There is no inventory type {item.type}.")
            if item.version != known.version:
                message = f"{item.type} has the schema version {known.version}, not {item.version}."
                raise ApiError("UnsupportedInventorySchemaVersionException", message)
            unknown = sorted({key for entry in item.entries for key in entry} - set(known.attributes))
            if unknown:
                raise ApiError("InvalidItemContentException", f"{item.type} has no attribute {', '.join(unknown)}.")
        elif item.type not in node.inventory:
            types = [name for name in self.types() if name.startswith(CUSTOM)]
            if item.type not in types and len(types) >= MAX_CUSTOM_TYPES:
                message = f"There are {MAX_CUSTOM_TYPES} custom inventory types already."
                raise ApiError("CustomSchemaCountLimitExceededException", message)


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))
