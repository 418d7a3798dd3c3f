"""Identifiers that look like AWS's and come out the same in every run of the lab."""

from __future__ import annotations

import random
import string

_VERSION_4 = 0x4000_8000 << 48
_FIXED = 0xF000_C000 << 48
"""The bits that say that a GUID is a random one."""


class Ids:
    """A source of identifiers.

    Args:
        seed: the same seed gives the same identifiers in the same order.
    """

    def __init__(self, seed: int = 0) -> None:
        self._random = random.Random(seed)  # noqa: S311 identifiers, no secrets

    def uuid(self) -> str:
        """Return a random GUID."""
        # What UUID(int=..., version=4) makes of the number, without making one: there is one for every event.
        number = self._random.getrandbits(128) & ~_FIXED | _VERSION_4
        text = f"{number:032x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

    def code(self) -> str:
        """Return 20 letters and digits, as the code of an activation has them."""
        return "".join(self._random.choices(string.ascii_letters + string.digits, k=20))

    def resource(self, prefix: str) -> str:
        """Return an id such as mw-0123456789abcdef0."""
        return f"{prefix}-0{self._random.getrandbits(64):016x}"
