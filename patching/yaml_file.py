"""Reading YAML so that whatever is wrong with it can be told with its line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

Location = tuple[int | str, ...]
NO_YAML = (YAMLError, ValueError, LookupError, AttributeError, TypeError)
"""What the parser raises, also where a tag such as !!set stands before what it does not fit."""
_TAG = re.compile(r"(^|[\s\[{,])!")
_HALF = re.compile(r"[\ud800-\udfff]")


class UnreadableError(Exception):
    """A file that is not there, or is no YAML.

    Attributes:
        line: where, counted from 1.
        message: what is wrong, in one line.
    """

    def __init__(self, line: int, message: str) -> None:
        self.line = line
        self.message = message
        super().__init__(message)


def read(path: str | Path) -> str:
    """Return the text of a file; raise `UnreadableError` if it cannot be read."""
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "is not UTF-8 text"
        raise UnreadableError(1, f"cannot be read: {reason}") from None


def parse(text: str) -> Any:  # noqa: ANN401 YAML holds anything
    """Return what a YAML text holds, with the lines that `line_of` looks up; raise `UnreadableError` if it is none."""
    try:
        return YAML(typ="rt", pure=True).load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = " ".join(str(error.problem or error.context or "not YAML").split())
        raise UnreadableError(mark.line + 1 if mark else 1, f"not YAML: {what}") from None
    except RecursionError:
        raise UnreadableError(1, "not YAML that can be read: it is nested too deeply") from None
    except (YAMLError, ValueError) as error:
        raise UnreadableError(1, f"not YAML: {' '.join(str(error).split())}") from None
    except NO_YAML:
        line = next((number for number, one in enumerate(text.splitlines(), 1) if _TAG.search(one)), 1)
        raise UnreadableError(line, "a tag (after !) stands before what it does not fit; take it out") from None


def plain(node: Any) -> Any:  # noqa: ANN401 YAML holds anything
    """Turn the parser's own classes, which strict validation would refuse, into plain ones."""
    if isinstance(node, dict):
        return {plain(key): plain(value) for key, value in node.items()}
    if isinstance(node, list):
        return [plain(value) for value in node]
    for kind in (bool, int, float, str):
        if isinstance(node, kind):
            return kind(node)
    return node


class Found(NamedTuple):
    """Something in a YAML file.

    Attributes:
        at: the place of it, or of the mapping that it is a key of.
        line: counted from 1.
        what: a key, a text, or what is to be said of one.
    """

    at: Location
    line: int
    what: Any


def keys_and_texts(data: Any, at: Location = (), line: int = 1) -> Iterator[Found]:  # noqa: ANN401 YAML holds anything
    """Yield every key, and every value that is a text."""
    if isinstance(data, dict):
        for key, value in data.items():
            lines = getattr(data, "lc", None)
            here = lines.key(key)[0] + 1 if lines is not None and key in (lines.data or ()) else line
            yield Found(at, here, key)
            yield from keys_and_texts(value, (*at, key), here)
    elif isinstance(data, list):
        for index, value in enumerate(data):
            yield from keys_and_texts(value, (*at, index), line)
    elif isinstance(data, str):
        yield Found(at, line, data)


def unusable(data: Any) -> Iterator[Found]:  # noqa: ANN401 YAML holds anything
    """Yield what to say of every key that is no text, and of every text with half a character: nothing writes it."""
    for at, line, what in keys_and_texts(data):
        if not isinstance(what, str):
            shown = " ".join(str(what).split())
            yield Found(at, line, f"the key {shown!r} is not text; put it in quotes, or write another one")
        elif _HALF.search(what):
            yield Found(at, line, f"{what!r} has half a character (a surrogate); write it in full")


def location_of(data: Any, parts: Location) -> Location:  # noqa: ANN401 YAML holds anything
    """Return the parts that the file has, up to the first that it has not, leaving out what only a validator named."""
    node = data
    location: Location = ()
    for part in parts:
        if (isinstance(node, CommentedMap) and part in node) or (
            isinstance(node, CommentedSeq) and isinstance(part, int) and part < len(node)
        ):
            node, location = node[part], (*location, part)
    return location


def line_of(data: Any, location: Location) -> int:  # noqa: ANN401 YAML holds anything
    """Return the line, counted from 1, of the last part of a location that the file has."""
    line = 1
    node = data
    for part in location:
        if isinstance(node, CommentedMap) and part in node:
            if part in (node.lc.data or ()):  # what came by a merge key (<<) stands elsewhere
                line = node.lc.key(part)[0] + 1
            node = node[part]
        elif isinstance(node, CommentedSeq) and isinstance(part, int) and part < len(node):
            line = node.lc.item(part)[0] + 1
            node = node[part]
        else:
            break
    return line
