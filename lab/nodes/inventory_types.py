"""The types of inventory: those of AWS with their attributes, and what a type of somebody's own is named.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/inventory-schema.html and, for what can be
aggregated, https://docs.aws.amazon.com/systems-manager/latest/userguide/inventory-aggregate.html.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from pathlib import Path

CUSTOM = "Custom:"
_FILE = Path(__file__).parents[1] / "data" / "inventory_types.json"
Entry = Mapping[str, str]


@dataclass(frozen=True)
class InventoryType:
    """A type of inventory.

    Attributes:
        name: such as AWS:Application.
        version: the version of its schema.
        display_name: what people read.
        attributes: what its entries have, each with `string` or `number`.
        aggregated: the attributes whose values can be counted.
    """

    name: str
    version: str
    display_name: str
    attributes: Mapping[str, str]
    aggregated: tuple[str, ...] = ()


@dataclass(frozen=True)
class InventoryItem:
    """What is known of one type on one node.

    Attributes:
        type: the type's name.
        version: the version of its schema.
        captured: when it was collected.
        entries: what was found.
        content_hash: hash of the entries, as whoever put it says.
    """

    type: str
    version: str
    captured: str
    entries: Sequence[Entry]
    content_hash: str = field(default="", compare=False)


@lru_cache
def aws_types() -> dict[str, InventoryType]:
    """Return the types of AWS, by name."""
    return {
        name: InventoryType(name, one["version"], one["display_name"], one["attributes"], tuple(one["aggregated"]))
        for name, one in json.loads(_FILE.read_text(encoding="utf-8")).items()
    }


def aws_item(name: str, at: datetime, entries: Iterable[Entry]) -> InventoryItem:
    """Return an item of one of AWS's types; what an entry has no value for is left out."""
    kept = tuple({key: value for key, value in entry.items() if value} for entry in entries)
    return InventoryItem(name, aws_types()[name].version, stamp(at), kept)


def stamp(moment: datetime) -> str:
    """Write a time as inventory has it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
