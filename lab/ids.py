"""Identifiers that look like AWS's and come out the same in every run of the lab."""

from __future__ import annotations

import random
import string
from uuid import UUID


class Ids:
    """A source of identifiers.

    Args:
        seed: the same seed gives the same identifiers in the same order.
    """

    def __init__(self, seed: int = 0) -> None:
        self._random = random.Random(seed)  # noqa: S311 identifiers, no secrets

    def uuid(self) -> str:
        """Return a random GUID."""
        return str(UUID(int=self._random.getrandbits(128), version=4))

    def code(self) -> str:
        """Return 20 letters and digits, as the code of an activation has them."""
        return "".join(self._random.choices(string.ascii_letters + string.digits, k=20))

    def resource(self, prefix: str) -> str:
        """Return an id such as mw-0123456789abcdef0."""
        return f"{prefix}-0{self._random.getrandbits(64):016x}"
