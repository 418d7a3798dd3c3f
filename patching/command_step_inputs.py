"""What the inputs of a Command document's step have to keep to.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/documents-command-ssm-plugin-reference.html and
https://docs.aws.amazon.com/systems-manager/latest/userguide/documents-syntax-data-elements-parameters.html, which asks
that the type of a parameter fits the input that it stands for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from patching.command_plugins import PLUGINS, SHARED_INPUTS, Input, InputKind
from patching.findings import Finding, Location, expected

_WHOLE = re.compile(r"\s*\{\{\s*([A-Za-z0-9_-]+)\s*\}\}\s*")
_FITTING = {
    InputKind.STRING: ("String",),
    InputKind.BOOLEAN: ("String",),
    InputKind.SECONDS: ("String",),
    InputKind.STRING_LIST: ("StringList",),
    InputKind.COMMANDS: ("String", "StringList"),
    InputKind.STRING_MAP: ("StringMap", "String"),
}


def broken_inputs(
    at: Location, step: Mapping[str, Any], parameters: Mapping[str, Any], *, last: bool
) -> Iterator[Finding]:
    """Yield what is wrong with the inputs of a step.

    Args:
        at: the place of the inputs.
        step: the step that they are of.
        parameters: what the document declares.
        last: whether it is the document's last step.
    """
    plugin = PLUGINS.get(str(step.get("action")))
    if plugin is None or plugin.withdrawn:
        return
    inputs = step.get("inputs")
    if inputs is None:
        inputs = {}
    if not isinstance(inputs, Mapping):
        yield Finding(at, f"{inputs!r} is not a mapping of inputs to their values")
        return
    known = {**plugin.inputs, **SHARED_INPUTS}
    for name in inputs:
        if name not in known:
            yield Finding((*at, name), f"{step['action']} has no input {name!r}; {expected(name, known)}")
    for name, one in known.items():
        if name in inputs:
            yield from _input((*at, name), inputs[name], one, parameters)
        elif one.required:
            yield Finding(at if "inputs" in step else at[:-1], f"{step['action']} needs the input {name}")
    if not last and str(inputs.get("finallyStep", False)).lower() == "true":
        yield Finding((*at, "finallyStep"), "a finallyStep has to be the document's last step; move it to the end")


def _input(at: Location, value: object, wanted: Input, parameters: Mapping[str, Any]) -> Iterator[Finding]:
    whole = _WHOLE.fullmatch(value) if isinstance(value, str) else None
    if whole:
        yield from _fits(at, whole[1], _FITTING[wanted.kind], parameters, str(wanted.kind))
        return
    match wanted.kind:
        case InputKind.STRING:
            yield from _string(at, value, wanted)
        case InputKind.BOOLEAN:
            if str(value).lower() not in ("true", "false"):
                yield Finding(at, f"{value!r} is not {wanted.kind}")
        case InputKind.SECONDS:
            if isinstance(value, bool) or not re.fullmatch(r"[1-9][0-9]*", str(value)):
                yield Finding(at, f"{value!r} is not {wanted.kind} from 1 on")
        case InputKind.STRING_LIST | InputKind.COMMANDS:
            yield from _list(at, value, wanted.kind)
        case InputKind.STRING_MAP:
            yield from _map(at, value, parameters)


def _string(at: Location, value: object, wanted: Input) -> Iterator[Finding]:
    if not isinstance(value, str):
        yield Finding(at, f"{value!r} is not text; put it in quotes")
    elif wanted.values and value not in wanted.values and "{{" not in value:
        yield Finding(at, f"{value!r} is not a value of {at[-1]}; {expected(value, wanted.values)}")


def _list(at: Location, value: object, kind: InputKind) -> Iterator[Finding]:
    if isinstance(value, str):
        if kind is InputKind.STRING_LIST:
            yield Finding(at, f"{value!r} is one text; write a list")
        return
    if not isinstance(value, list) or not value:
        yield Finding(at, f"{value!r} is not a list with at least one text" if value != [] else "the list is empty")
        return
    for index, one in enumerate(value):
        if isinstance(one, Mapping):
            message = "the text holds ': ', which makes a mapping of it; put it in quotes, or write it after '|'"
            yield Finding((*at, index), message)
        elif not isinstance(one, str):
            yield Finding((*at, index), f"{one!r} is not text; put it in quotes")


def _map(at: Location, value: object, parameters: Mapping[str, Any]) -> Iterator[Finding]:
    """A map of texts. A list cannot be handed on in it, says the page on parameters of documentParameters."""
    if isinstance(value, str):
        return  # the same as JSON text
    if not isinstance(value, Mapping):
        yield Finding(at, f"{value!r} is not a mapping of texts to texts")
        return
    for key, one in value.items():
        whole = _WHOLE.fullmatch(one) if isinstance(one, str) else None
        if whole:
            yield from _fits((*at, key), whole[1], ("String", "StringMap"), parameters, "a map of Strings")
        elif isinstance(one, list | Mapping):
            yield Finding((*at, key), f"{one!r} is not text; a value of {at[-1]} is a String")


def _fits(
    at: Location, name: str, types: tuple[str, ...], parameters: Mapping[str, Any], wanted: str
) -> Iterator[Finding]:
    """A parameter that is all of an input's value has a type that the input takes."""
    declared = parameters.get(name)
    kind = declared.get("type") if isinstance(declared, Mapping) else None
    if kind in ("String", "StringList", "StringMap") and kind not in types:
        yield Finding(at, f"{{{{ {name} }}}} is a {kind}, but {at[-1]} takes {wanted}")
