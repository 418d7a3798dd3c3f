"""The values that a key of the policy takes, in words, for the reference; made from its JSON schema."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic.json_schema import JsonSchemaValue

from patching.operating_system import OperatingSystem
from patching.policy import pages
from patching.policy.part import NAME_FORM, SCHEDULE_FORM
from patching.tags import TAG_FORM

WRITING = "How it is written"
"""Heading of the section about the forms of values."""

SYSTEMS = "Operating systems and filters"
"""Heading of the section about them."""

_FORMS = {NAME_FORM: "*name*", TAG_FORM: "*tag*", SCHEDULE_FORM: "*schedule*"}


def anchor(heading: str) -> str:
    """Return the anchor that a code host makes of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def section(heading: str) -> str:
    """Return the link to a section of the reference."""
    return f"[`{heading}`](#{anchor(heading)})"


def link(page: JsonSchemaValue) -> str:
    """Return the link to an AWS page; empty if there is none."""
    found = page[pages.PAGE]
    return f"[AWS: {found['title']}]({found['url']})" if found else ""


@dataclass(frozen=True)
class InWords:
    """Says in words what a schema says.

    Attributes:
        definitions: the schemas that others refer to.
        headings: the sections of parts, by the names of their definitions.
    """

    definitions: Mapping[str, JsonSchemaValue]
    headings: Mapping[str, str]

    def meaning(self, schema: JsonSchemaValue) -> str:
        """Say what a key is about, what its choices mean, and which AWS page it follows."""
        choice = self._resolved(schema.get("items", schema))
        lines = [" ".join(schema["description"].split())]
        if examples := [f"`{one}`" for one in schema.get("examples", ()) if isinstance(one, str)]:
            lines.append(f"For example {', '.join(examples)}.")
        if "enumDescriptions" in choice:
            pairs = zip(choice["enum"], choice["enumDescriptions"], strict=True)
            lines += [f"`{one}`: {said}" for one, said in pairs if one is not None]
        return _cell("<br>".join([*lines, *filter(None, [link(schema)])]))

    def default(self, schema: JsonSchemaValue) -> str:
        """Say what holds without the key."""
        if "default" not in schema:
            return "optional"
        default = schema["default"]
        shown = default if isinstance(default, str) else json.dumps(default).replace('"', "")
        return f"default: `{shown}`"

    def value(self, schema: JsonSchemaValue) -> str:
        """Say what a key takes, with its limits."""
        return _cell(self._value(schema))

    def _value(self, schema: JsonSchemaValue) -> str:
        resolved = self._resolved(schema)
        if "enum" in resolved:
            chosen = [one for one in resolved["enum"] if one is not None]
            if chosen == list(OperatingSystem):
                return f"an [operating system](#{anchor(SYSTEMS)})"
            return ", ".join(f"`{one}`" for one in chosen)
        if "properties" in resolved and "$ref" in schema:
            return section(self.headings[schema["$ref"].rpartition("/")[2]])
        match resolved.get("oneOf"):
            case [one, {"type": "null"}]:
                return self._value(one)
            case [one, {"type": "array"} as several]:
                such = "mappings" if one["type"] == "object" else "ones"
                return f"{self._value(one)}, or a list{_span(several, 'Items')} of such {such}"
        kinds = resolved["type"] if isinstance(resolved["type"], list) else [resolved["type"]]
        match [kind for kind in kinds if kind != "null"]:
            case ["object"]:
                return self._mapping(resolved)
            case ["array"]:
                return f"list{_span(resolved, 'Items')}: {self._value(resolved['items'])}"
            case ["boolean"]:
                return "`true` or `false`"
            case ["integer"]:
                return f"whole number from {resolved['minimum']:,} to {resolved['maximum']:,}"
            case _:
                return _text(resolved)

    def _mapping(self, schema: JsonSchemaValue) -> str:
        mapping = f"mapping{_span(schema, 'Properties')}"
        if "properties" in schema:
            return f"{mapping}: [filter](#{anchor(SYSTEMS)}) → list of its values"
        return f"{mapping}: {_text(schema.get('propertyNames', {}))} → {self._value(schema['additionalProperties'])}"

    def _resolved(self, schema: JsonSchemaValue) -> JsonSchemaValue:
        """Return the schema with what it refers to, which its own keywords go before."""
        return {**self.definitions.get(schema.get("$ref", "").rpartition("/")[2], {}), **schema}


def _text(schema: JsonSchemaValue) -> str:
    if schema.get("format") == "date":
        return "*day*"
    form = str(schema.get("patternErrorMessage", "")).removeprefix("expected ")
    if form:
        return _FORMS.get(form, form)
    return f"text{_span(schema, 'Length', ' characters')}"


def _span(schema: JsonSchemaValue, what: str, unit: str = "") -> str:
    least, most = schema.get(f"min{what}"), schema.get(f"max{what}")
    if most is None:
        return f" (at least {least}{unit})" if least else ""
    return f" ({least} to {most:,}{unit})" if least else f" (up to {most:,}{unit})"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
