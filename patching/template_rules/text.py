"""Text of a template as far as it is known before anything is deployed, and whether it can fit a pattern of IAM's.

What only AWS knows is one character of a private use area in the text: a pseudo parameter, a name that CloudFormation
makes up, a value that nobody knows. Two such texts are equal where they stand for the same thing, and they split and
join like any other text. For the patterns see
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

UNKNOWN = "\ue000"
"""Any text: a parameter, an import from elsewhere, a condition."""

PSEUDO = {
    name: chr(0xE001 + index)
    for index, name in enumerate(
        ("AWS::Partition", "AWS::Region", "AWS::AccountId", "AWS::URLSuffix", "AWS::StackName", "AWS::StackId")
    )
}
"""Pseudo parameters: a word that the account and Region decide."""

FIRST_NAME = 0xF0000
"""From here on, each character is a name or another attribute that a resource gets when it is made."""

_NAMES = re.compile(f"[{chr(FIRST_NAME)}-\U0010fffd]")
_WORDS = frozenset(PSEUDO.values())
_CACHED = 65_536


class _Part(NamedTuple):
    """A part of a pattern or text: a character, or any of a class of them, once or again and again."""

    kind: str
    repeated: bool = False


_ANY, _RUN = _Part("any"), _Part("any", repeated=True)
_WORD = (_Part("word"), _Part("word", repeated=True))
_MADE_UP = (_Part("name", repeated=True), _Part("random"))
"""A name that CloudFormation makes up: it ends at random, which nothing but a wildcard fits."""


def is_known(text: object) -> bool:
    """Tell whether nothing in a text is left to AWS."""
    return isinstance(text, str) and not any(map(_is_mark, text))


@lru_cache(maxsize=_CACHED)
def may_match(pattern: str, text: str) -> bool:
    """Tell whether a text fits a pattern of IAM's, for some value of what is not known in either.

    A made-up name fits itself, and a wildcard where it ends at random.
    """
    if pattern in {"*", text}:
        return True
    return _meet(_parts(pattern, wildcards=True), _parts(text, guessed=not _NAMES.search(pattern)))


@lru_cache(maxsize=_CACHED)
def surely_matches(pattern: str, text: str) -> bool:
    """Tell whether a text fits a pattern of IAM's whatever the value of what is not known."""
    expression = "".join({"*": ".*", "?": "."}.get(character, re.escape(character)) for character in pattern)
    return UNKNOWN not in pattern and re.fullmatch(expression, text, re.DOTALL) is not None


def _is_mark(character: str) -> bool:
    return character == UNKNOWN or character in _WORDS or ord(character) >= FIRST_NAME


def _parts(text: str, *, wildcards: bool = False, guessed: bool = False) -> tuple[_Part, ...]:
    """Take a text apart; with `guessed`, a made-up name is more than itself."""
    parts: list[_Part] = []
    for character in text:
        if character == UNKNOWN or (wildcards and character == "*"):
            parts.append(_RUN)
        elif wildcards and character == "?":
            parts.append(_ANY)
        elif character in _WORDS:
            parts += _WORD
        elif guessed and ord(character) >= FIRST_NAME:
            parts += _MADE_UP
        else:
            parts.append(_Part(character))
    return tuple(parts)


def _meet(these: tuple[_Part, ...], those: tuple[_Part, ...]) -> bool:
    """Tell whether there is a text that fits both."""
    todo, seen = [(0, 0)], set()
    while todo:
        at = todo.pop()
        if at in seen:
            continue
        seen.add(at)
        first, second = at
        if first == len(these) and second == len(those):
            return True
        one = these[first] if first < len(these) else None
        other = those[second] if second < len(those) else None
        if one and one.repeated:
            todo.append((first + 1, second))
        if other and other.repeated:
            todo.append((first, second + 1))
        if one and other and _overlap(one.kind, other.kind):
            todo.append((first + (not one.repeated), second + (not other.repeated)))
    return False


def _overlap(one: str, other: str) -> bool:
    both = {one, other}
    if one == other or "any" in both:
        return True
    if "random" in both:
        return False
    return ("word" in both and ":" not in both) or ("name" in both and both.isdisjoint(":/"))
