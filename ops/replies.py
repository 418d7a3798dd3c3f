"""Reading replies of services that speak JSON: as botocore reads them, without a look at each plain value by itself.

A large fleet is tens of thousands of replies' members. botocore calls functions for each of them, which takes longer
than all else that is done with it; most of them are texts and numbers that stay as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import orjson
from botocore.model import ListShape, Shape, StructureShape
from botocore.parsers import EC2QueryParser, JSONParser, ResponseParser, ResponseParserFactory
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
        own = {"json": _Json, "ec2": _Ec2}.get(protocol_name)
        return own(timestamp_parser=moment) if own else super().create_parser(protocol_name)


def moment(value: Any) -> datetime:  # noqa: ANN401 a number or a text, as the protocol has it
    """Return a time of a reply: in UTC, if it is written as a number."""
    return datetime.fromtimestamp(value, UTC) if isinstance(value, int | float) else parse_timestamp(value)


@dataclass(frozen=True)
class _Layout:
    """How the members of a structure are read: which there are, times, and the shapes of those that are not plain."""

    known: frozenset[str]
    times: tuple[str, ...]
    others: tuple[tuple[str, Shape], ...]


@lru_cache(maxsize=1_000)
def _layout(shape: StructureShape) -> _Layout | None:
    """Return how a structure is read; None for one that botocore reads in a way of its own."""
    members = shape.members
    renamed = any(member.serialization.get("name", name) != name for name, member in members.items())
    if renamed or shape.is_document_type or shape.is_tagged_union:
        return None
    times = tuple(name for name, member in members.items() if member.type_name == "timestamp")
    others = [(name, one) for name, one in members.items() if one.type_name not in _PLAIN and name not in times]
    return _Layout(frozenset(members), times, tuple(others))


class _Json(JSONParser):
    """botocore's, which reads the plain members of a structure in one go."""

    def _parse_body_as_json(self: Any, body_contents: bytes) -> Any:  # noqa: ANN401 as botocore
        try:
            return orjson.loads(body_contents)
        except orjson.JSONDecodeError:
            # Nothing at all, a text that is no JSON, or a number that only Python's parser takes.
            return JSONParser._parse_body_as_json(self, body_contents)  # type: ignore[attr-defined]  # noqa: SLF001

    def _handle_structure(self: Any, shape: StructureShape, value: dict[str, Any] | None) -> Any:  # noqa: ANN401 as botocore
        layout = _layout(shape)
        if layout is None or value is None:
            return JSONParser._handle_structure(self, shape, value)  # type: ignore[attr-defined]  # noqa: SLF001
        # Nobody else has what was just read, so that it becomes the result, without most of its members being touched.
        if not value.keys() <= layout.known or None in value.values():
            value = {name: one for name, one in value.items() if name in layout.known and one is not None}
        for name in layout.times:
            if name in value:
                value[name] = moment(value[name])
        for name, member in layout.others:
            if name in value:
                value[name] = self._parse_shape(member, value[name])
        return value


@lru_cache(maxsize=1_000)
def _texts(shape: Shape) -> dict[str, str] | None:
    """Return the members of a structure by their names on the wire; None unless all of them are texts."""
    members = shape.members if isinstance(shape, StructureShape) else {}
    plain = all(one.type_name == "string" and set(one.serialization) <= {"name"} for one in members.values())
    return {one.serialization.get("name", name): name for name, one in members.items()} if members and plain else None


class _Ec2(EC2QueryParser):
    """botocore's, which reads a list of structures of texts, such as tags, in one go."""

    def _handle_list(self: Any, shape: ListShape, node: Any) -> Any:  # noqa: ANN401 as botocore
        texts = _texts(shape.member)
        if texts is None or shape.serialization.get("flattened"):
            return EC2QueryParser._handle_list(self, shape, node)  # type: ignore[attr-defined]  # noqa: SLF001
        # Names have their namespace before them: {http://ec2.amazonaws.com/doc/2016-11-15/}key.
        names = {node.tag[: node.tag.find("}") + 1] + name: member for name, member in texts.items()}
        return [{names[one.tag]: one.text or "" for one in item if one.tag in names} for item in node]
