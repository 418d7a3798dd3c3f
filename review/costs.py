"""What the resources of an environment cost a month, by the list prices in `prices.json`.

Follows the price lists that the file names. What is paid by use is not guessed, but named.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

from patching.template_rules.assembly import Resource
from review.facts import Facts
from review.model import CostLine, Costs

PRICES = Path(__file__).with_name("prices.json")
_DEFAULT_VOLUME_GIB = 8


@dataclass(frozen=True)
class _Item:
    """A priced thing: so many of it, at a price a month each."""

    what: str
    unit: str
    count: float
    price: float


def costs(before: Facts | None, after: Facts) -> Costs:
    """Return what the environment costs, and cost before."""
    prices = _prices()
    new, unpriced = _items(after, prices)
    old, _ = _items(before, prices) if before else ({}, [])
    lines = []
    for key in dict.fromkeys((*new, *old)):
        count, was = (sum(one.count for one in items.get(key, ())) for items in (new, old))
        what, unit, price = key
        lines.append(
            CostLine(
                what=what,
                count=count,
                unit=unit,
                price=price,
                monthly=round(count * price, 2),
                before=round(was * price, 2),
            )
        )
    return Costs(
        currency=prices["currency"],
        region=prices["region"],
        as_of=date.fromisoformat(prices["as_of"]),
        lines=tuple(sorted(lines, key=lambda one: (-one.monthly, one.what))),
        total=round(sum(one.monthly for one in lines), 2),
        before=round(sum(one.before for one in lines), 2) if before else None,
        not_priced=(*unpriced, *prices["by_use"]),
    )


@lru_cache(maxsize=1)
def _prices() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(PRICES.read_text(encoding="utf-8"))
    return found


def _items(facts: Facts, prices: Mapping[str, Any]) -> tuple[dict[tuple[str, str, float], list[_Item]], list[str]]:
    found: dict[tuple[str, str, float], list[_Item]] = {}
    unpriced: dict[str, None] = {}
    for resource in facts.assembly.resources:
        for one in _of(facts, resource, prices):
            if isinstance(one, str):
                unpriced[one] = None
            else:
                found.setdefault((one.what, one.unit, one.price), []).append(one)
    return found, list(unpriced)


def _of(facts: Facts, one: Resource, prices: Mapping[str, Any]) -> Iterator[_Item | str]:
    """Yield what is priced of a resource, and what cannot be, in words."""
    hours = prices["hours_a_month"]
    if one.type in prices["a_month"]:
        entry = prices["a_month"][one.type]
        yield _Item(entry["what"], "each", 1, entry["price"])
    elif one.type in prices["an_hour"]:
        entry = prices["an_hour"][one.type]
        yield _Item(entry["what"], "each", 1, round(entry["price"] * hours, 4))
    elif one.type == "AWS::EC2::VPCEndpoint" and one.properties.get("VpcEndpointType") == "Interface":
        zones = len(one.listed("SubnetIds")) or 1
        price = round(prices["interface_endpoint_an_hour"] * hours, 4)
        yield _Item("interface endpoint", "endpoint and zone", zones, price)
    elif one.type == "AWS::EC2::Instance":
        yield from _of_instance(facts, one, prices)


def _of_instance(facts: Facts, one: Resource, prices: Mapping[str, Any]) -> Iterator[_Item | str]:
    system = "windows" if "windows" in image_name(facts, one).lower() else "linux"
    kind = str(one.properties.get("InstanceType", "m1.small"))
    price = prices["instances_an_hour"][system].get(kind)
    label = "Windows" if system == "windows" else "Linux"
    if price is None:
        yield f"instances of the type {facts.shown(kind)} with {label}"
    else:
        yield _Item(f"instance {kind} with {label}, on demand", "each", 1, round(price * prices["hours_a_month"], 4))
    for device in one.listed("BlockDeviceMappings"):
        disk = device.get("Ebs") if isinstance(device, Mapping) else None
        if isinstance(disk, Mapping):
            volume = str(disk.get("VolumeType", "gp2"))
            size = disk.get("VolumeSize", _DEFAULT_VOLUME_GIB)
            monthly = prices["volume_a_gib_month"].get(volume)
            if monthly is None or not str(size).isdigit():
                yield f"volumes of the type {facts.shown(volume)}"
            else:
                yield _Item(f"volume {volume}", "GiB", int(size), monthly)


def image_name(facts: Facts, one: Resource) -> str:
    """Return what names an instance's image: usually a public parameter, which is a parameter of the template."""
    raw = (one.raw.get("Properties") or {}).get("ImageId")
    name = raw.get("Ref") if isinstance(raw, Mapping) else raw
    parameters: Mapping[str, Any] = facts.whole.templates[one.template].get("Parameters") or {}
    return str((parameters.get(str(name)) or {}).get("Default") or name)
