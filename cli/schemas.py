"""The JSON Schemas of what commands write with `--output json`: `python -m cli.schemas` writes docs/output/ anew.

They are made from the models, whose docstrings say what each member means. What is in them stays: members may be added,
and none is taken out, renamed or given another type without a new major version.
"""

from __future__ import annotations

import dataclasses
import json
import re
import types
from collections.abc import Iterator
from inspect import getdoc
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import core_schema

from cli import main
from cli.command import Command
from patching.targets import Targets

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "output"
_ATTRIBUTE = re.compile(r"^    (\w+): (.+(?:\n {8,}.+)*)", re.MULTILINE)
_TARGETS = {
    "type": "array",
    "description": "Which nodes, as the API writes it: a node has to match every key, with one of its values.",
    "items": {
        "type": "object",
        "properties": {
            "Key": {"type": "string"},
            "Values": {"type": "array", "items": {"type": "string"}},
        },
        "required": ["Key", "Values"],
        "additionalProperties": False,
    },
}


class _Schema(GenerateJsonSchema):
    """pydantic's own, with the one model that is written in another form than it has."""

    def dataclass_schema(self, schema: core_schema.DataclassSchema) -> dict[str, Any]:
        """Return the schema of a model."""
        return dict(_TARGETS) if schema["cls"] is Targets else super().dataclass_schema(schema)


def of(command: Command) -> dict[str, Any]:
    """Return the schema of what a command writes as JSON."""
    schema = TypeAdapter(command.result).json_schema(mode="serialization", schema_generator=_Schema)
    known = {model.__name__: model for model in _models(command.result)}
    for name, part in [*schema.get("$defs", {}).items(), (schema.get("title", ""), schema)]:
        if name in known and "properties" in part:
            _complete(part, known[name])
    text = f"What `patchops {command.path} --output json` writes."
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "description": text, **schema}


def file_of(command: Command) -> Path:
    """Return where the schema of a command is kept."""
    return FOLDER / f"{command.path.replace(' ', '-')}.schema.json"


def text_of(command: Command) -> str:
    """Return the schema of a command as it is kept."""
    return json.dumps(of(command), indent=2, ensure_ascii=False) + "\n"


def documented() -> list[Command]:
    """Return the commands that write JSON."""
    return [one for one in main.commands().values() if one.result is not None]


def _complete(part: dict[str, Any], model: type) -> None:
    """Say what each member means, that all of them are there, and that no other one is."""
    doc = getdoc(model) or ""
    said = {name: " ".join(text.split()) for name, text in _ATTRIBUTE.findall(doc)}
    part["description"] = doc.partition("\n")[0]
    part["required"] = list(part["properties"])
    part["additionalProperties"] = False
    for name, member in part["properties"].items():
        member.pop("title", None)
        member.pop("default", None)
        if name in said:
            member["description"] = said[name]


def _models(kind: Any) -> Iterator[type]:  # noqa: ANN401 any type
    """Yield the models that a type is made of."""
    if get_origin(kind) in (list, tuple, dict, types.UnionType) or get_args(kind):
        for one in get_args(kind):
            yield from _models(one)
    elif dataclasses.is_dataclass(kind) and isinstance(kind, type):
        yield kind
        for one in get_type_hints(kind).values():
            yield from _models(one)


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for old in FOLDER.glob("*.schema.json"):
        old.unlink()
    for one in documented():
        file_of(one).write_text(text_of(one), encoding="utf-8")
