"""Whether instances, roles or networks may have changed since somebody looked at them."""

from __future__ import annotations


class Changes:
    """A number that is another one after every change.

    Attributes:
        number: the number.
    """

    def __init__(self) -> None:
        self.number = 0

    def note(self) -> None:
        """Note that something may have changed. Two changes at one time may be noted as one: that is enough."""
        self.number += 1
