"""Holds a request against the service's own model, and refuses it in the words of the service.

Follows https://docs.aws.amazon.com/systems-manager/latest/APIReference/CommonErrors.html: what is no JSON of the right
types is a SerializationException, and what breaks a constraint of the model is a ValidationException that names the
member, the value and the constraint. A member that the model does not have, which AWS passes over, is refused as well:
it is somebody's mistake.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape

from lab.world.errors import ApiError

_BITS = {"integer": 31, "long": 63}
_JSON_TYPES = {
    "string": (str,),
    "integer": (int,),
    "long": (int,),
    "boolean": (bool,),
    "timestamp": (int, float),
    "double": (int, float),
    "float": (int, float),
    "map": (dict,),
    "list": (list,),
    "structure": (dict,),
    "blob": (str,),
}
_NAMES = {dict: "a structure", list: "a list", str: "a string", bool: "a boolean", int: "a number", float: "a number"}
_SHOWN = 10
_LATEST = datetime(9999, 1, 1, tzinfo=UTC).timestamp()
_CLASSES = {
    r"\p{L}": r"\w",
    r"\p{N}": r"\w",
    r"\p{Z}": " ",
    r"\p{M}": "",
    r"\p{P}": re.escape("!\"#%&'()*,-./:;?@[]_{}"),
}


def parse(body: str | bytes, operation: str, shape: Shape | None) -> dict[str, Any]:
    """Read the input of an operation.

    Args:
        body: the body of the request; an empty one stands for no parameters.
        operation: the operation's name.
        shape: the shape of its input; None for an operation that takes nothing.

    Raises:
        ApiError: SerializationException or ValidationException.
    """
    try:
        text = body.decode() if isinstance(body, bytes) else body
        request = json.loads(text or "{}", parse_constant=_no_number)
        # What is written to an object, a log or a reply later on has to be text.
        text.encode()
        json.dumps(request, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise ApiError("SerializationException", "The request is not JSON.") from None
    if not isinstance(request, dict):
        raise ApiError("SerializationException", "The request is not a JSON object.")
    if not isinstance(shape, StructureShape):
        return {}
    unknown = sorted(set(request) - set(shape.members))
    if unknown:
        raise ApiError("ValidationException", f"{operation} has no parameter {', '.join(unknown)}.")
    found: dict[str, Any] = _typed(shape, request, operation)
    broken = list(_broken(shape, found, ""))
    if broken:
        count = f"{len(broken)} validation error{'s' if len(broken) > 1 else ''} detected"
        raise ApiError("ValidationException", f"{count}: {'; '.join(broken[:_SHOWN])}")
    return found


def _no_number(name: str) -> Any:  # noqa: ANN401 never returns
    raise ValueError(f"{name} is not JSON")


def _typed(shape: Shape, value: Any, at: str) -> Any:  # noqa: ANN401 JSON is anything
    """Return a value without the members that are null, if it has the types of a shape.

    Raises:
        ApiError: it has not.
    """
    if type(value) not in _JSON_TYPES[shape.type_name]:
        got = _NAMES.get(type(value), "null")
        raise ApiError("SerializationException", f"{at} is {got}, where {shape.type_name} is expected.")
    if isinstance(shape, StructureShape):
        for name in value:
            if name not in shape.members:
                raise ApiError("ValidationException", f"{at} has no member {name}.")
        kept = {name: one for name, one in value.items() if one is not None}
        if shape.is_tagged_union and len(kept) != 1:
            raise ApiError("ValidationException", f"{at} has to have exactly one of {', '.join(shape.members)}.")
        return {name: _typed(shape.members[name], one, f"{at}.{name}") for name, one in kept.items()}
    if isinstance(shape, ListShape):
        return [_typed(shape.member, one, f"{at}[{number}]") for number, one in enumerate(value)]
    if isinstance(shape, MapShape):
        return {key: _typed(shape.value, one, f"{at}.{key}") for key, one in value.items()}
    bits = _BITS.get(shape.type_name)
    if bits and not -(2**bits) <= value < 2**bits:
        raise ApiError("SerializationException", f"{at} is {value}, which is no {shape.type_name}.")
    if shape.type_name == "timestamp" and not (math.isfinite(value) and 0 <= value < _LATEST):
        raise ApiError("SerializationException", f"{at} is {value}, which is no time in seconds since 1970.")
    return value


def _broken(shape: Shape, value: Any, at: str) -> Iterator[str]:  # noqa: ANN401 JSON is anything
    """Yield the constraints of a shape that a value of the right types breaks, in the words of the service."""
    if isinstance(shape, StructureShape):
        lacking = (name for name in shape.required_members if name not in value)
        yield from (_problem("null", _inside(at, name), "Member must not be null") for name in lacking)
        for name, one in value.items():
            yield from _broken(shape.members[name], one, _inside(at, name))
    elif isinstance(shape, ListShape | MapShape):
        yield from _out_of_range(shape.metadata, len(value), value, at, "length")
        yield from _broken_items(shape, value, at)
    elif shape.type_name == "string":
        yield from _broken_text(shape, value, at)
    elif shape.type_name in _BITS:
        yield from _out_of_range(shape.metadata, value, value, at, "value")


def _broken_items(shape: ListShape | MapShape, value: Any, at: str) -> Iterator[str]:  # noqa: ANN401 as above
    if isinstance(shape, ListShape):
        for number, one in enumerate(value, 1):
            yield from _broken(shape.member, one, f"{at}.{number}.member")
    else:
        for key, one in value.items():
            yield from _broken(shape.key, key, f"{at}.key")
            yield from _broken(shape.value, one, f"{at}.{key}.member")


def _broken_text(shape: Shape, value: str, at: str) -> Iterator[str]:
    enum, pattern = shape.metadata.get("enum"), shape.metadata.get("pattern")
    yield from _out_of_range(shape.metadata, len(value), value, at, "length")
    if enum and value not in enum:
        yield _problem(value, at, f"Member must satisfy enum value set: [{', '.join(enum)}]")
    if pattern and not _pattern(pattern).fullmatch(value):
        yield _problem(value, at, f"Member must satisfy regular expression pattern: {pattern}")


def _out_of_range(limits: Mapping[str, Any], size: int, value: Any, at: str, what: str) -> Iterator[str]:  # noqa: ANN401 any
    if "min" in limits and size < limits["min"]:
        yield _problem(value, at, f"Member must have {what} greater than or equal to {limits['min']}")
    if "max" in limits and size > limits["max"]:
        yield _problem(value, at, f"Member must have {what} less than or equal to {limits['max']}")


def _problem(value: Any, at: str, constraint: str) -> str:  # noqa: ANN401 any
    shown = "null" if value == "null" else f"'{str(value)[:200]}'"
    return f"Value {shown} at '{at}' failed to satisfy constraint: {constraint}"


def _inside(at: str, name: str) -> str:
    lower = name[:1].lower() + name[1:]
    return f"{at}.{lower}" if at else lower


@lru_cache(maxsize=512)
def _pattern(text: str) -> re.Pattern[str]:
    """Return a pattern of the model, which is written for Java, as one of Python.

    Classes of Unicode become the nearest that Python has.
    """
    for java, python in _CLASSES.items():
        text = text.replace(java, python)
    return re.compile(text.replace(r"[\w-\/", r"[\w\-\/"))
