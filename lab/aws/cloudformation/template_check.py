"""Refuses what is no template, in the words of CloudFormation, before anything is made of it.

Follows https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-anatomy.html. moto takes a template as
it comes, and answers with an error of its own server where it trips over one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from moto.cloudformation.exceptions import ValidationError
from moto.cloudformation.models import Stack

from lab.aws.cloudformation.stack_changes import references

_PSEUDO = "AWS::"
_BLOCKS = ("Parameters", "Mappings", "Conditions", "Resources", "Outputs")


def check(text: str) -> dict[str, Any]:
    """Return a template, once it has the form of one.

    Raises:
        ValidationError: it has not.
    """
    template = _parsed(text)
    problem = next(_problems(template), "")
    if problem:
        raise ValidationError(message=problem)
    return template


def _parsed(text: str) -> dict[str, Any]:
    try:
        template = Stack.parse_template(text)
    except Exception as error:  # noqa: BLE001 moto's parsers have errors of many kinds
        problem = "YAML not well-formed."
        if isinstance(error, json.JSONDecodeError) and text.lstrip().startswith("{"):
            problem = f"JSON not well-formed. (line {error.lineno}, column {error.colno})"
        raise ValidationError(message=f"Template format error: {problem}") from None
    if not isinstance(template, dict):
        raise ValidationError(message="Template format error: unsupported structure.")
    return template


def _problems(template: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with a template, what the rest rests on first."""
    yield from _of_its_structure(template)
    yield from _of_its_types(template)
    yield from _unresolved(template)


def _of_its_structure(template: Mapping[str, Any]) -> Iterator[str]:
    for block in _BLOCKS:
        if not isinstance(template.get(block) or {}, dict):
            yield f"Template format error: {block} must be an object."
        for name, one in _members(template, block):
            if not isinstance(one, dict) and block != "Conditions":
                yield f"Template format error: {block}.{name} must be an object."
    if not template.get("Resources"):
        yield "Template format error: At least one Resources member must be defined."


def _of_its_types(template: Mapping[str, Any]) -> Iterator[str]:
    for block in ("Parameters", "Resources"):
        for name, one in _members(template, block):
            if not isinstance(one.get("Type"), str):
                yield f"Template format error: [/{block}/{name}] Every {block} object must contain a Type member."
    for name, one in _members(template, "Resources"):
        if not isinstance(one.get("Properties", {}), dict):
            yield f"Template format error: [/Resources/{name}/Properties] must be an object."


def _members(template: Mapping[str, Any], block: str) -> list[tuple[str, Any]]:
    found = template.get(block)
    return list(found.items()) if isinstance(found, dict) else []


def _unresolved(template: Mapping[str, Any]) -> Iterator[str]:
    """Yield what refers to something that the template does not have, or to itself."""
    resources, conditions = template["Resources"], template.get("Conditions") or {}
    known = {*resources, *(template.get("Parameters") or {})}
    for block in ("Resources", "Outputs"):
        missing: dict[str, None] = {}
        for name, one in _members(template, block):
            condition = one.get("Condition")
            if condition is not None and condition not in conditions:
                yield (
                    f"Template format error: Unresolved condition dependency {condition} in the {block} block of the "
                    "template"
                )
            attribute = next(_bad_attributes(one), None)
            if attribute is not None:
                yield (
                    "Template error: every Fn::GetAtt object requires two non-empty parameters, the resource name and "
                    f"the resource attribute: {name} has {json.dumps(attribute)}"
                )
            for other in (*_depends(one), *references(one.get("Properties", one.get("Value")))):
                if other not in known and not other.startswith(_PSEUDO) and other not in _variables(one):
                    missing[other] = None
        if missing:
            yield (
                f"Template format error: Unresolved resource dependencies [{', '.join(missing)}] in the {block} block "
                "of the template"
            )
    circle = _circle(resources)
    if circle:
        yield f"Circular dependency between resources: [{', '.join(circle)}]"


def _depends(definition: Mapping[str, Any]) -> list[str]:
    found = definition.get("DependsOn") or []
    return [found] if isinstance(found, str) else [str(one) for one in found]


def _inner(value: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 a template's value
    """Yield every member of every object within a value."""
    if isinstance(value, dict):
        for key, one in value.items():
            yield key, one
            yield from _inner(one)
    elif isinstance(value, list):
        for one in value:
            yield from _inner(one)


def _bad_attributes(value: Any) -> Iterator[Any]:  # noqa: ANN401 as above
    for key, one in _inner(value):
        if key == "Fn::GetAtt":
            parts = one.split(".", 1) if isinstance(one, str) else one
            if not isinstance(parts, list) or len(parts) < 2 or not all(parts) or not isinstance(parts[0], str):  # noqa: PLR2004 a name and an attribute
                yield one


def _variables(value: Any) -> set[str]:  # noqa: ANN401 as above
    """Return the names that a value's own Fn::Sub give to something."""
    own = [one[1] for key, one in _inner(value) if key == "Fn::Sub" and isinstance(one, list) and len(one) > 1]
    return {name for one in own if isinstance(one, dict) for name in one}


def _circle(resources: Mapping[str, Any]) -> list[str]:
    """Return the resources that depend on each other in a circle, if any do."""
    needs = {
        name: {one for one in (*_depends(it), *references(it.get("Properties"))) if one in resources}
        for name, it in resources.items()
    }
    while free := [name for name, others in needs.items() if not others & needs.keys()]:
        for name in free:
            del needs[name]
    return sorted(needs)
