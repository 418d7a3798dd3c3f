"""Nodes that are alike: what follows from a few of their tags is found out once for all that have the same of these."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

from ops.nodes import Node
from patching.targets import EVERY_NODE, IDS_KEY, Targets

R = TypeVar("R")


class Alike(Generic[R]):
    """What follows from which targets a node is one of.

    Args:
        targets: the targets.
        find_out: finds it out for a node; for the next one that differs in none of the targets' keys it is not asked.
    """

    def __init__(self, targets: Iterable[Targets], find_out: Callable[[Node], R]) -> None:
        all_keys = [one for several in targets for one in several.keys]
        keys = {key for key, values in all_keys if key != IDS_KEY or values != (EVERY_NODE,)}
        self._tags = tuple(sorted(key.removeprefix("tag:") for key in keys if key.startswith("tag:")))
        self._by_id = IDS_KEY in keys
        self._find_out = find_out
        self._known: dict[tuple[str | None, ...], R] = {}

    def of(self, node: Node) -> R:
        """Return it for a node."""
        if self._by_id:
            return self._find_out(node)
        alike = tuple(map(node.tags.get, self._tags))
        if alike not in self._known:
            self._known[alike] = self._find_out(node)
        return self._known[alike]
