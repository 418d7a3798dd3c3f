"""How many nodes run at one time, and after how many failures no further one starts.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/send-commands-multiple.html.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from patching.errors import InvalidValueError, is_token

CONCURRENCY = re.compile(r"[1-9][0-9]{0,6}|[1-9][0-9]?%|100%")
MAX_ERRORS = re.compile(r"0|[1-9][0-9]{0,6}|[1-9]?[0-9]%|100%")
_ORDINALS = {1: "first", 2: "second", 3: "third", 4: "fourth", 5: "fifth"}


@dataclass(frozen=True)
class RateControl:
    """The two numbers of rate control, as AWS writes them: a count (`"1"`) or a share of the targets (`"10%"`).

    Attributes:
        max_concurrency: nodes that may run at one time; Run Command's own default is 50.
        max_errors: failures that are tolerated. The failure *after* them stops the rest: 0 stops at the first,
            1 at the second. Nodes that already run are left to finish.

    Raises:
        InvalidValueError: not a whole number or a per cent value that AWS accepts.
    """

    max_concurrency: str = "50"
    max_errors: str = "0"

    def __init__(self, max_concurrency: str | int = "50", max_errors: str | int = "0") -> None:
        object.__setattr__(self, "max_concurrency", str(max_concurrency))
        object.__setattr__(self, "max_errors", str(max_errors))
        if not is_token(self.max_concurrency) and not CONCURRENCY.fullmatch(self.max_concurrency):
            message = (
                f"concurrency {self.max_concurrency!r} is neither a number from 1 nor a per cent value from 1% to 100%"
            )
            raise InvalidValueError(message)
        if not is_token(self.max_errors) and not MAX_ERRORS.fullmatch(self.max_errors):
            message = (
                f"error threshold {self.max_errors!r} is neither a number from 0 nor a per cent value from 0% to 100%"
            )
            raise InvalidValueError(message)

    def concurrent(self, targets: int) -> int:
        """Return how many of so many targets run at one time; a share is rounded down, but to one at least."""
        return max(1, _count(self.max_concurrency, targets))

    def stops_after(self, targets: int) -> int:
        """Return the number of failures at which no further target starts, for so many targets."""
        return _count(self.max_errors, targets) + 1

    def in_words(self) -> str:
        """Say the two numbers in plain words."""
        one_at_a_time = self.max_concurrency == "1"
        share = self.max_concurrency.endswith("%")
        pace = (
            "one node at a time"
            if one_at_a_time
            else f"{self.max_concurrency} of the nodes at a time"
            if share
            else f"up to {self.max_concurrency} nodes at a time"
        )
        if self.max_errors == "100%":
            return f"{pace}; goes on however many of them fail"
        if self.max_errors.endswith("%"):
            return f"{pace}; stops starting new nodes once more than {self.max_errors} of them have failed"
        threshold = int(self.max_errors) + 1
        return f"{pace}; stops starting new nodes after the {_ordinal(threshold)} failure"


def _count(value: str, targets: int) -> int:
    return targets * int(value[:-1]) // 100 if value.endswith("%") else int(value)


def _ordinal(number: int) -> str:
    if number in _ORDINALS:
        return _ORDINALS[number]
    suffix = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{suffix}"
