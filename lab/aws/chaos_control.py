"""Making the nodes of all Regions differ: what their agents do, and which of their instances are stopped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from lab.aws.account.plane import Plane
from lab.nodes.chaos import RATES, Chaos


def upset(plane: Plane, given: Mapping[str, Any]) -> None:
    """Set rates of chaos: those that are given, or none at all where there is nothing given.

    Raises:
        ValueError: a rate that makes no sense.
    """
    plane.chaos = Chaos.from_json(given, plane.chaos) if given else Chaos()
    for region in plane.regions():
        settle(plane, region)


def settle(plane: Plane, region: str) -> None:
    """Have the nodes of a Region, new ones among them, differ as the rates say."""
    with plane.engine(region) as engine:
        nodes = [node for node in engine.fleet.nodes() if not node.hybrid]
        stop = {node.id for node in nodes if not node.stopped and plane.chaos.hits("stopped", node.id)}
        start = {node.id for node in nodes if node.stopped and node.id in plane.chaos_stopped} - {
            node.id for node in nodes if plane.chaos.hits("stopped", node.id)
        }
        for ids, running in ((stop, False), (start, True)):
            if ids:
                plane.accounts[region].run(sorted(ids), running=running)
        plane.chaos_stopped = (plane.chaos_stopped | stop) - start
        plane.changed()
        if engine.fleet.chaos != plane.chaos:
            engine.fleet.upset(plane.chaos)


def chaos_of(plane: Plane) -> dict[str, Any]:
    """Tell the rates, and how many nodes each of them hits."""
    hit = dict.fromkeys(RATES, 0)
    total = 0
    for region in plane.regions():
        with plane.engine(region) as engine:
            nodes = engine.fleet.nodes()
            total += len(nodes)
            for rate in RATES:
                hit[rate] += sum(plane.chaos.hits(rate, node.id) for node in nodes)
    return {"rates": asdict(plane.chaos), "hit": hit, "nodes": total}
