"""What the checks of the policy refuse and warn of, as their docstrings list it.

A check lists it under `Refused:` and `Warned of:`, each thing on a line `- KEYS: what`, with the keys in backticks:
those of the part whose own check it is, or, in a check of the policy as a whole, from the policy on, with `*` for a
name.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType

from patching.policy import checks, document, exception_checks, service_checks, size_checks, window_checks
from patching.policy.part import Part

KINDS = ("Refused", "Warned of")
MODULES: tuple[ModuleType, ...] = (checks, exception_checks, size_checks, window_checks, service_checks, document)
"""Where the checks of the policy as a whole are."""

_LINE = re.compile(r"(?P<keys>(?:`[^`]+`(?:, )?)+): (?P<text>.+)")
_URL = re.compile(r"https://\S+\.html")


@dataclass(frozen=True)
class Said:
    """What a check does about some keys.

    Attributes:
        kind: one of `KINDS`.
        keys: the keys that it is about.
        text: what it refuses or warns of.
        page: the AWS page that it follows; empty if it names none, or several.
    """

    kind: str
    keys: tuple[str, ...]
    text: str
    page: str


def of_part(model: type[Part]) -> Iterator[Said]:
    """Yield what the own checks of a part say."""
    for validator in model.__pydantic_decorators__.model_validators.values():
        yield from said(validator.func.__doc__)


def of_whole() -> Iterator[Said]:
    """Yield what the checks of the policy as a whole say, in the order in which they are written."""
    for module in MODULES:
        for function in vars(module).values():
            if inspect.isfunction(function) and function.__module__ == module.__name__:
                yield from said(function.__doc__)


def said(docstring: str | None) -> Iterator[Said]:
    """Yield what a check's docstring lists.

    Raises:
        ValueError: a line without keys.
    """
    text = inspect.cleandoc(docstring or "")
    pages = set(_URL.findall(text))
    # Of several pages it is not known which one a line is about.
    page = pages.pop() if len(pages) == 1 else ""
    for kind in KINDS:
        listed = text.partition(f"{kind}:\n")[2].partition("\n\n")[0]
        for line in re.split(r"^- ", listed, flags=re.MULTILINE)[1:]:
            match = _LINE.fullmatch(" ".join(line.split()))
            if not match:
                message = f"not a line of the form `key`: what: {line!r}"
                raise ValueError(message)
            yield Said(kind, tuple(re.findall(r"`([^`]+)`", match["keys"])), match["text"], page)
