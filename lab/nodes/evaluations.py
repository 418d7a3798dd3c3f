"""What scans find, worked out once for all nodes that have the same packages: most of a fleet are alike."""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Hashable
from datetime import datetime

from lab.nodes.evaluation import evaluate
from lab.nodes.node import ManagedNode
from lab.patches.catalogue import Catalogue
from lab.patches.findings import Findings
from patching.baseline import PatchBaseline

_KEPT_BASELINES = 128
_KEPT_FINDINGS = 4_096


class Evaluations:
    """What scans find.

    What a baseline says of a node's packages changes only at certain times: when a patch comes out, and when its
    approval begins. Between two of these, whoever has the same packages is told the same.
    """

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[int, int], _Table] = OrderedDict()

    def find(self, node: ManagedNode, baseline: PatchBaseline, now: datetime) -> Findings:
        """Return what a scan of a node finds: what `evaluate` says, if it was not asked before."""
        key = (id(node.catalogue), id(baseline))
        table = self._known.get(key)
        if table is None or table.revision != node.catalogue.revision:
            # The table holds on to both, so that no other object can come to have their ids.
            table = self._known[key] = _Table(node.catalogue, baseline)
            if len(self._known) > _KEPT_BASELINES:
                self._known.popitem(last=False)
        self._known.move_to_end(key)
        return table.find(node, now)

    def __getstate__(self) -> dict[str, object]:
        """Save nothing of it: all can be worked out again."""
        return {"_known": OrderedDict()}


class _Table:
    """What a baseline finds on nodes of a catalogue."""

    def __init__(self, catalogue: Catalogue, baseline: PatchBaseline) -> None:
        self.revision = catalogue.revision
        self._catalogue = catalogue
        self._baseline = baseline
        self._turning_points = _turning_points(catalogue, baseline)
        self._findings: dict[Hashable, Findings] = {}

    def find(self, node: ManagedNode, now: datetime) -> Findings:
        key = (bisect_right(self._turning_points, now), node.fingerprint)
        found = self._findings.get(key)
        if found is None:
            if len(self._findings) >= _KEPT_FINDINGS:
                self._findings.clear()
            found = self._findings[key] = Findings(*evaluate(node, self._baseline, now))
        return found


def _turning_points(catalogue: Catalogue, baseline: PatchBaseline) -> list[datetime]:
    """Return the times at which what the baseline says of the catalogue's patches may change, in order."""
    points = set()
    for package in catalogue.packages:
        for release in package.releases:
            points.add(release.released)
            points |= {since for since, _ in baseline.approvals(release)}
    return sorted(points)
