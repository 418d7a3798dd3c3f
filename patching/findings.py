"""What is wrong with something that a person wrote, and where in it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import NamedTuple

Location = tuple[str | int, ...]
"""The keys and list positions that lead from the outermost mapping to a place in it; empty for the whole."""


class Finding(NamedTuple):
    """One thing that is wrong.

    Attributes:
        location: where; whoever has the file with its lines finds the line by it.
        message: what was found, what is expected and how to mend it, on one line.
    """

    location: Location
    message: str

    @property
    def text(self) -> str:
        """The place and the message, for where no line is known."""
        return f"{place(self.location)}: {self.message}" if self.location else self.message


def place(location: Location) -> str:
    """Write a location for people: `mainSteps[0].inputs.runCommand`."""
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".")


def expected(found: object, known: Iterable[str]) -> str:
    """Say what was meant instead of a word that is not known: the nearest known one, or all of them."""
    words = [str(word) for word in known]
    by_case = {word.casefold(): word for word in words}
    near = difflib.get_close_matches(str(found).casefold(), by_case, n=1)
    return f"did you mean {by_case[near[0]]!r}?" if near else f"expected one of {', '.join(words)}"
