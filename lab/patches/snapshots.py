"""Snapshots of patch baselines: what makes all nodes of one operation have the very same patches approved.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-aws-runpatchbaseline.html#patch-manager-aws-runpatchbaseline-parameters-snapshot-id
and https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-baselineoverride-parameter.html.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from patching.baseline import PatchBaseline

LIFETIME = timedelta(days=3)
"""How long a snapshot is kept."""


@dataclass(frozen=True)
class Snapshot:
    """A baseline as it was when somebody first asked for it under an id.

    Attributes:
        baseline_id: the baseline's id.
        baseline: what it approved.
        taken: when; patches that came out later, or were approved later, are not in it.
    """

    baseline_id: str
    baseline: PatchBaseline
    taken: datetime


class Snapshots:
    """The snapshots that were taken under an id that somebody gave."""

    def __init__(self) -> None:
        self._taken: dict[tuple[str, ...], Snapshot] = {}

    def find(self, key: tuple[str, ...], now: datetime, take: Callable[[], Snapshot]) -> Snapshot:
        """Return the snapshot that was taken under a key, or take it now; one that is too old is taken anew.

        Args:
            key: the id, and what else decides which baseline it is of.
            now: the lab's time.
            take: makes it.
        """
        known = self._taken.get(key)
        if known is None or known.taken + LIFETIME <= now:
            self._taken = {at: one for at, one in self._taken.items() if one.taken + LIFETIME > now}
            known = self._taken[key] = take()
        return known
