"""Runbooks: the documents of Automation, and what their templates stand for.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/automation-documents.html and
https://docs.aws.amazon.com/systems-manager/latest/userguide/automation-action-reference.html.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from lab.records.documents import content_of, owned_by_aws
from lab.world.cloud import Cloud
from lab.world.errors import ApiError

_TEMPLATE = re.compile(r"\{\{\s*([\w.:-]+)\s*\}\}")
_SCHEMA = "0.3"
_REFUSED = "InvalidAutomationExecutionParametersException"


@dataclass(frozen=True)
class RunbookStep:
    """A step of a runbook, as it is written."""

    name: str
    action: str
    written: Mapping[str, Any]

    @property
    def inputs(self) -> Mapping[str, Any]:
        """What the action is given, with templates."""
        return self.written.get("inputs") or {}

    @property
    def timeout(self) -> int | None:
        """How many seconds it may take; None if it does not say."""
        given = str(self.written.get("timeoutSeconds") or "")
        return int(given) if given.isascii() and given.isdecimal() else None


@dataclass(frozen=True)
class Runbook:
    """A runbook.

    Attributes:
        name: its name.
        version: its version.
        role: the role that it is run as, with templates; empty for whoever starts it.
        parameters: what it declares, by name.
        steps: its steps, in order.
    """

    name: str
    version: str
    role: str
    parameters: Mapping[str, Mapping[str, Any]]
    steps: tuple[RunbookStep, ...]

    def values(self, given: Mapping[str, list[str]]) -> dict[str, Any]:
        """Return the values of the parameters.

        Raises:
            ApiError: one that it does not declare, lacks, or does not allow.
        """
        unknown = sorted(set(given) - set(self.parameters))
        if unknown:
            raise ApiError(_REFUSED, f"{self.name} has no parameter {', '.join(unknown)}.")
        values = {}
        for name, declared in self.parameters.items():
            if name not in given and "default" not in declared:
                raise ApiError(_REFUSED, f"{self.name} needs the parameter {name}.")
            values[name] = _typed(name, declared, given[name]) if name in given else declared["default"]
        return values


def _typed(name: str, declared: Mapping[str, Any], given: list[str]) -> Any:  # noqa: ANN401 what it declares
    allowed = [str(one) for one in declared.get("allowedValues") or ()]
    for one in given if allowed else ():
        if one not in allowed:
            raise ApiError(_REFUSED, f"{one} is no value of {name}; it takes {', '.join(allowed)}.")
    if declared.get("type") == "StringList":
        return list(given)
    if len(given) != 1:
        raise ApiError(_REFUSED, f"{name} takes one value.")
    if declared.get("type") in ("Boolean", "Integer", "StringMap", "MapList"):
        try:
            return json.loads(given[0])
        except ValueError:
            raise ApiError(_REFUSED, f"{given[0]} is no {declared['type']}, which {name} is.") from None
    return given[0]


def read_runbook(cloud: Cloud, reference: str, version: str, actions: Collection[str]) -> Runbook:
    """Return a runbook of AWS or of the account.

    Args:
        cloud: the account.
        reference: its name or its ARN.
        version: its version; the default one if it is empty.
        actions: the actions that can be run.

    Raises:
        ApiError: there is none, it is none, or it has an action that cannot be run.
    """
    name = reference.rpartition("/")[2]
    by_aws = owned_by_aws().get(name)
    stored = None if by_aws else cloud.document(name, version)
    kind = by_aws.type if by_aws else stored.type if stored else ""
    if kind != "Automation":
        problem = f"Document {name} is of type {kind}" if kind else f"Document {name} does not exist"
        raise ApiError(
            "AutomationDefinitionNotFoundException", f"{problem}; an automation needs one of type Automation."
        )
    text = content_of(cloud, name, version)
    known = by_aws.version if by_aws else stored.version if stored else ""
    if not text or (by_aws and version not in ("", "$DEFAULT", "$LATEST", known)):
        raise ApiError("AutomationDefinitionVersionNotFoundException", f"Document {name} has no version {version}.")
    return _parsed(name, known, text, actions)


def _parsed(name: str, version: str, text: str, actions: Collection[str]) -> Runbook:
    try:
        content = json.loads(text) if text.lstrip().startswith("{") else YAML(typ="safe", pure=True).load(text)
        if str(content["schemaVersion"]) != _SCHEMA:
            raise ApiError(_REFUSED, f"{name} has schema {content['schemaVersion']}; a runbook has {_SCHEMA}.")
        steps = tuple(RunbookStep(str(one["name"]), str(one["action"]), one) for one in content["mainSteps"])
        role, parameters = str(content.get("assumeRole") or ""), dict(content.get("parameters") or {})
    except (ValueError, YAMLError, KeyError, TypeError, AttributeError) as error:
        raise ApiError(_REFUSED, f"{name} is no runbook: {error!r}.") from None
    for step in steps:
        if step.action not in actions:
            runs = ", ".join(sorted(actions))
            raise ApiError(
                _REFUSED, f"The local AWS does not emulate {step.action} of step {step.name}; it runs {runs}."
            )
    if not steps:
        raise ApiError(_REFUSED, f"{name} has no steps.")
    return Runbook(name, version, role, parameters, steps)


def filled(value: Any, known: Mapping[str, Any]) -> Any:  # noqa: ANN401 JSON is anything
    """Put values into templates such as `{{ InstanceId }}`; one that is all of a text keeps its type.

    Raises:
        ApiError: a template that stands for nothing.
    """
    if isinstance(value, str):
        whole = _TEMPLATE.fullmatch(value.strip())
        if whole:
            return _value(whole[1], known)
        return _TEMPLATE.sub(lambda match: _text(_value(match[1], known)), value)
    if isinstance(value, Mapping):
        return {key: filled(one, known) for key, one in value.items()}
    if isinstance(value, list):
        return [filled(one, known) for one in value]
    return value


def _value(name: str, known: Mapping[str, Any]) -> Any:  # noqa: ANN401 as above
    if name not in known:
        raise ApiError(_REFUSED, f"{{{{ {name} }}}} stands for nothing here.")
    return known[name]


def _text(value: Any) -> str:  # noqa: ANN401 as above
    return value if isinstance(value, str) else json.dumps(value)


def selected(selector: str, value: Any) -> Any:  # noqa: ANN401 as above
    """Return what a selector such as `$.Reservations[0].Instances[0].State.Name` finds; None if it finds nothing.

    Raises:
        ApiError: a selector that the lab does not read.
    """
    parts = re.findall(r"\.(\w+)|\[(\d+)\]", selector.removeprefix("$"))
    if "$" + "".join(f".{name}" if name else f"[{number}]" for name, number in parts) != selector:
        raise ApiError(_REFUSED, f"The local AWS does not read the selector {selector}; one is like $.Items[0].Name.")
    for name, number in parts:
        if name:
            value = value.get(name) if isinstance(value, Mapping) else None
        else:
            value = value[int(number)] if isinstance(value, list) and int(number) < len(value) else None
    return value
