"""Output of a step that is put together only when somebody reads it.

Most of what the nodes of a fleet print is the same: what is not of one node alone is kept once for all of them.
"""

from __future__ import annotations


class Output:
    """Text in parts.

    Args:
        parts: the parts, which may be shared with other output.
    """

    __slots__ = ("_parts",)

    def __init__(self, *parts: str) -> None:
        self._parts = parts

    def __str__(self) -> str:
        return "".join(self._parts)

    def __bytes__(self) -> bytes:
        return str(self).encode()

    def __bool__(self) -> bool:
        return any(self._parts)


NOTHING = Output()
"""What a step has printed that has printed nothing."""
