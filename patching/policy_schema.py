"""The JSON Schema of the policy file, by which editors complete it and explain its keys.

It says what a schema can say; what depends on other keys is checked when the file is read. What it says beyond the
standard (`markdownDescription`, `enumDescriptions`, `patternErrorMessage`) is for the editors that use the language
servers of VS Code for YAML and JSON; others pass over it. `make schema` writes it anew.
"""

from __future__ import annotations

import ast
import inspect
import json
import textwrap
from collections.abc import Iterator
from enum import Enum
from functools import cache
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, NoDefault
from pydantic_core import core_schema

from patching.baseline import MAX_FILTER_VALUES, MAX_FILTERS
from patching.operating_system import OperatingSystem
from patching.policy import Policy, pages
from patching.policy.part import Part


def schema() -> JsonSchemaValue:
    """Return the schema, made from the policy's own models."""
    made = annotated_schema()
    for node in _nodes(made):
        page = node.pop(pages.PAGE, None)
        text = node.get("description", "")
        if page or "`" in text:
            link = f"\n\n[AWS: {page['title']}]({page['url']})" if page else ""
            node |= {"description": text.replace("`", ""), "markdownDescription": f"{text}{link}"}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made}


def annotated_schema() -> JsonSchemaValue:
    """Return the schema with the AWS page of every part and key at `pages.PAGE`, and with texts in Markdown."""
    made = Policy.model_json_schema(schema_generator=_Generator)
    for part in (made, *made["$defs"].values()):
        del part["title"]
        part["description"] = "\n\n".join(" ".join(text.split()) for text in part["description"].split("\n\n"))
        for key in part.get("properties", {}).values():
            # pydantic leaves out what a key says in the same words as what it refers to.
            meant = made["$defs"].get(key.get("$ref", "").rpartition("/")[2], {})
            key.setdefault("description", meant.get("description"))
            key.setdefault(pages.PAGE, meant.get(pages.PAGE, part.get(pages.PAGE)))
    for node in _nodes(made):
        _name_keys(node)
        _choose_or_null(node, made["$defs"])
    for name, key in (("Rule", "filters"), ("Baseline", "global_filters")):
        made["$defs"][name]["properties"][key] |= _filters()
    return made


class _Generator(GenerateJsonSchema):
    """What pydantic makes of the models, with what editors can show, and without what they need not."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ANN401, ARG002 pydantic's own signature
        """Leave the title out: it is the key in other letters."""
        return False

    def get_default_value(self, schema: core_schema.WithDefaultSchema) -> Any:  # noqa: ANN401 a default is anything
        """Return a default that is worth writing: not an empty one, and not a part, whose keys have their own."""
        factory = schema.get("default_factory", lambda: schema.get("default"))
        default = factory()  # type: ignore[call-arg]
        return NoDefault if default in (None, "", [], {}) or isinstance(default, Part) else default

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        """Say that a plain value may be null by its type, and a part by alternatives whose texts editors keep apart."""
        inner = self.generate_inner(schema["schema"])
        if isinstance(kind := inner.get("type"), str) and "enum" not in inner:
            return {**inner, "type": [kind, "null"]}
        return {"oneOf": [inner, {"type": "null"}]}

    def enum_schema(self, schema: core_schema.EnumSchema) -> JsonSchemaValue:
        """Add what the members mean."""
        made = super().enum_schema(schema)
        meanings = member_meanings(schema["cls"])
        return {**made, "enumDescriptions": [meanings.get(name, "") for name in made["enum"]]} if meanings else made


@cache
def member_meanings(kind: type[Enum]) -> dict[str, str]:
    """Return what the members of an enumeration mean, by their values: the texts below them in its source."""
    (declared,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    assert isinstance(declared, ast.ClassDef)  # noqa: S101 the source of a class is one
    meanings = {}
    for member, text in zip(declared.body, declared.body[1:], strict=False):
        match member, text:
            case ast.Assign(targets=[ast.Name(id=name)]), ast.Expr(value=ast.Constant(value=str(said))):
                meanings[str(kind[name].value)] = " ".join(said.split())
    return meanings


def _nodes(node: Any) -> Iterator[JsonSchemaValue]:  # noqa: ANN401 what holds a schema may hold something else
    """Yield a schema and every schema within it, from the outside inwards."""
    if not isinstance(node, dict):
        return
    yield node
    within = [node[key] for key in ("items", "additionalProperties", "propertyNames") if key in node]
    within += [one for key in ("anyOf", "oneOf") for one in node.get(key, ())]
    within += [one for key in ("properties", "patternProperties", "$defs") for one in node.get(key, {}).values()]
    for one in within:
        yield from _nodes(one)


def _name_keys(node: JsonSchemaValue) -> None:
    """Let a mapping with names of a certain form refuse other names, instead of taking anything under them."""
    if "patternProperties" in node and isinstance(node.get("propertyNames"), dict):
        ((pattern, values),) = node.pop("patternProperties").items()
        node["additionalProperties"] = values
        node["propertyNames"]["pattern"] = pattern


def _choose_or_null(node: JsonSchemaValue, definitions: JsonSchemaValue) -> None:
    """Write an optional choice out where it is offered, so that editors show what the key says, not the choice."""
    match node:
        case {"oneOf": [{"$ref": reference}, {"type": "null"}]}:
            choice = definitions[reference.rpartition("/")[2]]
            if "enum" in choice:
                del node["oneOf"]
                node |= {"type": ["string", "null"], "enum": [*choice["enum"], None]}
                node["enumDescriptions"] = [*choice["enumDescriptions"], "The same as leaving it out."]


def _filters() -> JsonSchemaValue:
    """Say which filter keys there are, and which of their values are known: other ones are taken as well."""
    keys = dict.fromkeys(key for system in OperatingSystem for key in system.filter_keys)
    return {
        "properties": {key: _filter(key) for key in keys},
        "additionalProperties": False,
        "maxProperties": MAX_FILTERS,
    }


def _filter(key: str) -> JsonSchemaValue:
    known: dict[tuple[str, ...], list[str]] = {}
    for system in OperatingSystem:
        if key in system.filter_keys:
            known.setdefault(system.filter_values(key), []).append(system)
    listed = dict.fromkeys(value for values in known for value in values)
    return {
        "type": "array",
        "items": {"anyOf": [{"enum": [*listed, "*"]}, {"type": "string"}]} if listed else {"type": "string"},
        "minItems": 1,
        "maxItems": MAX_FILTER_VALUES,
        "description": "\n\n".join(
            f"{', '.join(systems)}: {', '.join(f'`{value}`' for value in values) or 'see the page'}"
            for values, systems in known.items()
        ),
        **pages.PATCH_FILTER,
    }


if __name__ == "__main__":
    print(json.dumps(schema(), indent=2, ensure_ascii=False))
