"""Reading YAML so that whatever is wrong with it can be told with its line."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.constructor import SafeConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.resolver import Resolver, VersionedResolver

Location = tuple[int | str, ...]
NO_YAML = (YAMLError, ValueError, LookupError, AttributeError, TypeError)
"""What the parser raises, also where a tag such as !!set stands before what it does not fit."""
_TAG = re.compile(r"(^|[\s\[{,])!")
_HALF = re.compile(r"[\ud800-\udfff]")


class Mapping(dict[Any, Any]):
    """A mapping of a YAML file.

    Attributes:
        lines: where its own keys stand, counted from 1; not those that came by a merge key (`<<`).
    """

    lines: dict[Any, int]


class Sequence(list[Any]):
    """A sequence of a YAML file.

    Attributes:
        lines: where its items begin, counted from 1.
    """

    lines: list[int]


class _LineKeeper(SafeConstructor):
    """Makes plain values, and mappings and sequences that know their lines."""

    def mapping(self, node: MappingNode) -> Mapping:
        """Make a mapping."""
        made = Mapping(self.construct_mapping(node, deep=True))
        merged = len(getattr(node, "merge", None) or ())  # they stand in front of its own keys now
        made.lines = {self._key(key): key.start_mark.line + 1 for key, _ in node.value[merged:]}
        return made

    def sequence(self, node: SequenceNode) -> Sequence:
        """Make a sequence."""
        made = Sequence(self.construct_sequence(node, deep=True))
        made.lines = [item.start_mark.line + 1 for item in node.value]
        return made

    def timestamp(self, node: ScalarNode) -> Any:  # noqa: ANN401 a day, a time or a text
        """Make a date; what looks like one and is none stays text, at its place."""
        try:
            return self.construct_yaml_timestamp(node)
        except ValueError:
            return node.value

    def _key(self, node: Node) -> Any:  # noqa: ANN401 YAML holds anything
        key = self.construct_object(node, deep=True)
        return tuple(key) if isinstance(key, list) else key


_LineKeeper.add_constructor("tag:yaml.org,2002:map", _LineKeeper.mapping)
_LineKeeper.add_constructor("tag:yaml.org,2002:seq", _LineKeeper.sequence)
_LineKeeper.add_constructor("tag:yaml.org,2002:timestamp", _LineKeeper.timestamp)


class _Reader(YAML):
    """The library's reader, which does not look for plug-ins on the disk anew for every text."""

    def official_plug_ins(self) -> list[str]:
        """Return no plug-in."""
        return []


class _Resolver(VersionedResolver):
    """Tells numbers from texts for the parser in C, which never says a version: always as YAML 1.2 does."""

    @property
    def versioned_resolver(self) -> Any:  # noqa: ANN401 the library does not say
        """The patterns of plain values by their first character."""
        return Resolver.yaml_implicit_resolvers


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
        return load(text)
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


def load(text: str) -> Any:  # noqa: ANN401 YAML holds anything
    """Return what a YAML text holds; raise what the parser raises, which is among `NO_YAML`, or a RecursionError."""
    try:
        # The parser in C is many times as fast, but knows YAML 1.1 only: it refuses {schedule: cron(0 2 ? * SUN *)}.
        return load_with(text, in_c=True)
    except (*NO_YAML, RecursionError):
        return load_with(text, in_c=False)


def load_with(text: str, *, in_c: bool) -> Any:  # noqa: ANN401 YAML holds anything
    """Return what a YAML text holds by one of the two parsers; raise what that raises."""
    reader = _Reader(typ="safe", pure=not in_c)
    reader.Constructor = _LineKeeper
    if in_c:
        reader.Resolver = _Resolver
    return reader.load(text)


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
            here = data.lines.get(key, line) if isinstance(data, Mapping) else line
            yield Found(at, here, key)
            yield from keys_and_texts(value, (*at, key), here)
    elif isinstance(data, list):
        for index, value in enumerate(data):
            yield from keys_and_texts(value, (*at, index), line)
    elif isinstance(data, str):
        yield Found(at, line, data)


def unusable(written: Iterable[Found]) -> Iterator[Found]:
    """Yield what to say of every key that is no text, and of every text with half a character: nothing writes it."""
    for at, line, what in written:
        if not isinstance(what, str):
            shown = " ".join(str(what).split())
            yield Found(at, line, f"the key {shown!r} is not text; put it in quotes, or write another one")
        elif _HALF.search(what):
            yield Found(at, line, f"{what!r} has half a character (a surrogate); write it in full")


def changed(data: Any, change: Callable[[Any], Any]) -> Any:  # noqa: ANN401 YAML holds anything
    """Return the same with every key and every value changed, which stand where they stood.

    Of keys that become one, the last stays: see `meeting`.
    """
    if isinstance(data, dict):
        made = Mapping({change(key): changed(value, change) for key, value in data.items()})
        made.lines = {change(key): line for key, line in getattr(data, "lines", {}).items()}
        return made
    if isinstance(data, list):
        listed = Sequence(changed(value, change) for value in data)
        listed.lines = list(getattr(data, "lines", ()))
        return listed
    return change(data)


class Meeting(NamedTuple):
    """A key that becomes the same as another one of its mapping.

    Attributes:
        at: the place of the mapping.
        line: of the key, counted from 1.
        key: the key.
        other: the key before it.
    """

    at: Location
    line: int
    key: Any
    other: Any


def meeting(data: Any, change: Callable[[Any], Any], at: Location = ()) -> Iterator[Meeting]:  # noqa: ANN401 YAML holds anything
    """Yield every key that a change makes equal to an earlier one of its mapping."""
    if isinstance(data, dict):
        seen: dict[Any, Any] = {}
        for key, value in data.items():
            if change(key) in seen:
                yield Meeting(at, line_of(data, (key,)), key, seen[change(key)])
            seen.setdefault(change(key), key)
            yield from meeting(value, change, (*at, key))
    elif isinstance(data, list):
        for index, value in enumerate(data):
            yield from meeting(value, change, (*at, index))


def location_of(data: Any, parts: Location) -> Location:  # noqa: ANN401 YAML holds anything
    """Return the parts that the file has, leaving out what only a validator named."""
    node = data
    location: Location = ()
    for part in parts:
        if _holds(node, part):
            node, location = node[part], (*location, part)
    return location


def line_of(data: Any, location: Location) -> int:  # noqa: ANN401 YAML holds anything
    """Return the line, counted from 1, of the last part of a location that the file has."""
    line = 1
    node = data
    for part in location:
        if not _holds(node, part):
            break
        # What came by a merge key (<<) stands elsewhere.
        line = node.lines.get(part, line) if isinstance(node, Mapping) else node.lines[part]
        node = node[part]
    return line


def _holds(node: Any, part: int | str) -> bool:  # noqa: ANN401 YAML holds anything
    """Tell whether a node is a mapping with this key, or a sequence with this item."""
    if isinstance(node, Mapping):
        return part in node
    return isinstance(node, Sequence) and isinstance(part, int) and part < len(node)
