"""Holds the raw replies of the server against botocore's own service model, which the parser of a client forgives."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from botocore.model import OperationModel

TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "long": (int,),
    "boolean": (bool,),
    "timestamp": (int, float),
    "double": (int, float),
    "blob": (str,),
    "map": (dict,),
    "list": (list,),
    "structure": (dict,),
}


OTHER_DIALECTS = ("StringDateTime",)
"""Shapes whose patterns are no regular expressions to Python."""


BEYOND_THE_MODEL = {"DocumentParameterType": ("StringMap",)}
"""Values that documentation has and the model lacks: the parameters of a document may be of type StringMap, see
https://docs.aws.amazon.com/systems-manager/latest/userguide/documents-syntax-data-elements-parameters.html."""


def _bare(value: str) -> str:
    """Return a value as the service writes it: InstalledOther, where its model says INSTALLED_OTHER."""
    return value.replace("_", "").casefold()


def _translated(pattern: str) -> str:
    return re.sub(r"\\p\{[LZN]\}", r"\\w ", pattern)


def problems(shape: Any, value: Any, at: str = "") -> Iterator[str]:
    """Yield where a value differs from a shape: unknown or lacking members, other types, values that are not listed."""
    if type(value) not in TYPES[shape.type_name]:
        yield f"{at}: {value!r} is no {shape.type_name}"
    elif shape.type_name == "structure":
        yield from (f"{at}.{name} is not in the model" for name in set(value) - set(shape.members))
        yield from (f"{at}.{name} is required" for name in set(shape.required_members) - set(value))
        for name in set(value) & set(shape.members):
            yield from problems(shape.members[name], value[name], f"{at}.{name}")
    elif shape.type_name == "list":
        for number, one in enumerate(value):
            yield from problems(shape.member, one, f"{at}[{number}]")
    elif shape.type_name == "map":
        for key, one in value.items():
            yield from (*problems(shape.key, key, f"{at}.{key}"), *problems(shape.value, one, f"{at}.{key}"))
    elif shape.type_name == "string" and value:
        yield from _problems_of_text(shape, value, at)


def _problems_of_text(shape: Any, value: str, at: str) -> Iterator[str]:
    known, pattern = shape.metadata.get("enum"), shape.metadata.get("pattern")
    known = [*known, *BEYOND_THE_MODEL.get(shape.name, ())] if known else None
    if known and _bare(value) not in map(_bare, known):
        yield f"{at}: {value!r} is none of {', '.join(known)}"
    if pattern and shape.name not in OTHER_DIALECTS and not re.search(_translated(pattern), value):
        yield f"{at}: {value!r} does not match {pattern}"


class Replies:
    """What a client was answered, call by call.

    Args:
        client: a client of Systems Manager, whose every reply is held against the model.
    """

    def __init__(self, client: Any) -> None:
        self.problems: list[str] = []
        self.raw: dict[str, Any] = {}
        client.meta.events.register("response-received.ssm", self._look)
        self._model = client.meta.service_model

    def _look(self, event_name: str, response_dict: dict[str, Any], **_: Any) -> None:
        operation: OperationModel = self._model.operation_model(event_name.rpartition(".")[2])
        if response_dict["status_code"] == 200:
            body = json.loads(response_dict["body"] or b"{}")
            self.raw[operation.name] = body
            assert operation.output_shape is not None
            self.problems += problems(operation.output_shape, body, operation.name)
