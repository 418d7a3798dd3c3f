"""Reading replies of services that speak JSON: as botocore reads them, without a look at each plain value by itself.

A large fleet is tens of thousands of replies' members. botocore calls functions for each of them, which takes longer
than all else that is done with it; most of them are texts and numbers that stay as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from botocore.model import Shape, StructureShape
from botocore.parsers import JSONParser, ResponseParser, ResponseParserFactory
from botocore.utils import parse_timestamp

_PLAIN = frozenset({"boolean", "double", "float", "integer", "long", "string"})


class Parsers(ResponseParserFactory):
    """Makes the parsers of a session, in the place of botocore's own factory."""

    def __init__(self) -> None:
        super().__init__()
        # botocore's own asks for the local zone for every time, and makes it anew.
        self.set_parser_defaults(timestamp_parser=moment)

    def create_parser(self, protocol_name: str) -> ResponseParser:
        """Return the parser of a protocol."""
        return _Parser(timestamp_parser=moment) if protocol_name == "json" else super().create_parser(protocol_name)


def moment(value: Any) -> datetime:  # noqa: ANN401 a number or a text, as the protocol has it
    """Return a time of a reply: in UTC, if it is written as a number."""
    return datetime.fromtimestamp(value, UTC) if isinstance(value, int | float) else parse_timestamp(value)


@dataclass(frozen=True)
class _Layout:
    """How the members of a structure are read: those that stay as they are, times, and the shapes of the others."""

    plain: frozenset[str]
    times: tuple[str, ...]
    others: tuple[tuple[str, Shape], ...]


@lru_cache(maxsize=1_000)
def _layout(shape: StructureShape) -> _Layout | None:
    """Return how a structure is read; None for one that botocore reads in a way of its own."""
    members = shape.members
    renamed = any(member.serialization.get("name", name) != name for name, member in members.items())
    if renamed or shape.is_document_type or shape.is_tagged_union:
        return None
    plain = frozenset(name for name, member in members.items() if member.type_name in _PLAIN)
    times = tuple(name for name, member in members.items() if member.type_name == "timestamp")
    others = tuple((name, member) for name, member in members.items() if name not in plain and name not in times)
    return _Layout(plain, times, others)


class _Parser(JSONParser):
    """botocore's, which reads the plain members of a structure in one go."""

    def _handle_structure(self: Any, shape: StructureShape, value: Mapping[str, Any] | None) -> Any:  # noqa: ANN401 as botocore
        layout = _layout(shape)
        if layout is None or value is None:
            return JSONParser._handle_structure(self, shape, value)  # type: ignore[attr-defined]  # noqa: SLF001
        plain = layout.plain
        found = {name: one for name, one in value.items() if name in plain and one is not None}
        for name in layout.times:
            if value.get(name) is not None:
                found[name] = moment(value[name])
        for name, member in layout.others:
            if value.get(name) is not None:
                found[name] = self._parse_shape(member, value[name])
        return found
