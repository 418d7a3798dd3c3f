"""A finding: what is wrong with what, and what mends it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """What a check came to."""

    OK = "ok"
    PROBLEM = "problem"
    UNKNOWN = "unknown"
    """It could not be looked at."""


@dataclass(frozen=True)
class Finding:
    """What a check came to.

    Attributes:
        check: what was looked at.
        subject: at what: the id of a node, or the name of a resource.
        name: the node's name; empty for anything else.
        verdict: ok, problem or unknown.
        text: what was found.
        remedy: what mends it; empty if there is nothing to mend.
    """

    check: str
    subject: str
    name: str
    verdict: Verdict
    text: str
    remedy: str = ""
