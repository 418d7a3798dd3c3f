"""How nodes differ: which install slowly, which fail, which do not answer, which need two reboots, which are stopped.

Every node has a lot in each of these, drawn from the seed and its id. A rate says how many of these hit: a higher one
adds nodes to those that are hit already, and the same seed hits the same nodes again, in whatever order things happen.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from lab.nodes.node import Traits

FAULT = "[chaos] Failed to download metadata for repo: all mirrors were tried"
SLOWNESS = 10
"""How many times as long a slow node takes."""

SILENT = "its agent does not answer"


@dataclass(frozen=True)
class Chaos:
    """The shares of the nodes that are not as they should be, from 0 to 1, all 0 by default.

    Attributes:
        fail: nodes on which every installation fails.
        slow: nodes on which scans and installations take ten times as long.
        unreachable: nodes whose agent does not answer.
        two_reboots: nodes that need a second reboot after an installation.
        stopped: instances that are stopped.
        seed: the same seed hits the same nodes.
    """

    fail: float = 0.0
    slow: float = 0.0
    unreachable: float = 0.0
    two_reboots: float = 0.0
    stopped: float = 0.0
    seed: int = 0

    @classmethod
    def from_json(cls, given: Mapping[str, Any], before: Chaos) -> Self:
        """Read rates as a client sends them; what is not given stays as it was.

        Raises:
            ValueError: a rate that there is not, or one that is no number from 0 to 1. Its text says so.
        """
        unknown = sorted(set(given) - set(RATES) - {"seed"})
        if unknown:
            message = f"there is no rate {', '.join(unknown)}; there are {', '.join(RATES)}, and a seed"
            raise ValueError(message)
        for name, value in given.items():
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if name == "seed" and not (number and float(value).is_integer()):
                message = f"seed {value!r} is not a whole number"
                raise ValueError(message)
            if name != "seed" and not (number and 0 <= value <= 1):
                message = f"{name} {value!r} is not a share from 0 to 1"
                raise ValueError(message)
        return cls(**{**asdict(before), **given})

    def hits(self, rate: str, node_id: str) -> bool:
        """Tell whether a node is among those that a rate is about."""
        share = float(getattr(self, rate))
        if not share:
            return False
        lot = hashlib.sha256(f"{self.seed}:{rate}:{node_id}".encode()).digest()
        return int.from_bytes(lot[:8], "big") / 2**64 < share

    def traits(self, node_id: str) -> Traits:
        """Return what a node is like."""
        return Traits(
            fault=FAULT if self.hits("fail", node_id) else "",
            slowness=SLOWNESS if self.hits("slow", node_id) else 1,
            silent=self.hits("unreachable", node_id),
            reboots=2 if self.hits("two_reboots", node_id) else 1,
        )

    def in_words(self) -> str:
        """Say the rates in short."""
        told = ", ".join(f"{name.replace('_', ' ')} {getattr(self, name):.4g}" for name in RATES if getattr(self, name))
        return f"{told}, seed {self.seed}" if told else "none"


RATES = tuple(one.name for one in fields(Chaos) if one.name != "seed")
