"""Command documents: what Run Command, State Manager and maintenance windows run on nodes.

Only schema 2.2 is taken, the one that AWS recommends: it runs its steps in order and skips those that are for another
platform. What a document has to keep to is in `patching.command_document_rules`.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/documents-schemas-features.html and
https://docs.aws.amazon.com/systems-manager/latest/userguide/documents-syntax-data-elements-parameters.html.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from ruamel.yaml.error import MarkedYAMLError

from patching.command_document_rules import REFERENCE, broken_rules, compiled
from patching.command_plugins import PLUGINS
from patching.errors import InvalidValueError, is_token
from patching.findings import Finding, expected
from patching.operating_system import PlatformType
from patching.yaml_file import NO_YAML, load

MAX_SIZE = 64 * 1024
"""Bytes that a document may have. See https://docs.aws.amazon.com/general/latest/gr/ssm.html#limits_ssm."""

_NAME = re.compile(r"[a-zA-Z0-9_\-.]{3,128}")
_RESERVED = ("aws", "amazon", "amzn", "AWSEC2", "AWSConfigRemediation", "AWSSupport")
_KEPT = re.compile(r"^\{\{\s*([A-Za-z0-9]+)\s*\}\}$")


@dataclass(frozen=True)
class Parameter:
    """A parameter that a document declares.

    Attributes:
        name: its name.
        type: String, StringList or StringMap.
        required: whether whoever runs the document has to give it: it has no default.
        declared: all that the document says of it.
    """

    name: str
    type: str
    required: bool
    declared: Mapping[str, Any]

    def problem(self, values: Sequence[str]) -> str:
        """Say what is wrong with the values that somebody gives it; empty if nothing is.

        Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/documents-syntax-data-elements-parameters.html:
        `allowedValues` and `allowedPattern` are for each value, and a pattern has to match the whole of it.
        """
        if self.type != "StringList" and len(values) != 1:
            return f"{len(values)} values are given for {self.name}, but a {self.type} takes one"
        limits = [("minItems", "maxItems", len(values), "items")] if self.type == "StringList" else []
        limits += [("minChars", "maxChars", len(value), "characters") for value in values]
        for least, most, found, what in limits:
            if not self.declared.get(least, 0) <= found <= self.declared.get(most, found):
                return (
                    f"{self.name} has {found} {what}, but takes "
                    f"{self.declared.get(least, 0)} to {self.declared.get(most, 'any number')}"
                )
        for value in values:
            choices = self.declared.get("allowedValues")
            if choices and value not in choices:
                return f"{value!r} is not a value of {self.name}; {expected(value, choices)}"
            pattern = self.declared.get("allowedPattern")
            if pattern and not compiled(pattern).fullmatch(value):
                return f"{value!r} does not match {self.name}'s pattern {pattern}"
        return ""


@dataclass(frozen=True)
class Step:
    """A step of a document.

    Attributes:
        name: what its output is found by.
        action: the plugin that it runs, such as aws:runShellScript.
        inputs: what the plugin is given.
        precondition: two values that have to be equal for the step to run, or None. One of them may be `platformType`.
    """

    name: str
    action: str
    inputs: Mapping[str, Any]
    precondition: tuple[str, str] | None = None

    @property
    def platform(self) -> str:
        """The platform that its precondition asks for; empty if any will do."""
        if self.precondition is None or "platformType" not in self.precondition:
            return ""
        return next((value for value in self.precondition if value != "platformType"), "")

    @property
    def platforms(self) -> frozenset[PlatformType]:
        """The platforms that it runs on: those of its plugin, as far as its precondition lets it.

        The plugin is looked at before the precondition, says
        https://docs.aws.amazon.com/systems-manager/latest/userguide/documents-schemas-features.html.
        """
        able = PLUGINS[self.action].platforms
        return frozenset(one for one in able if not self.platform or one == self.platform)

    @property
    def on_failure(self) -> str:
        """What follows its failure: `exit`, `successAndExit`, or the next step if it is empty."""
        return str(self.inputs.get("onFailure", ""))

    @property
    def on_success(self) -> str:
        """What follows its success: `exit`, or the next step if it is empty."""
        return str(self.inputs.get("onSuccess", ""))

    @property
    def is_finally(self) -> bool:
        """Whether it runs even if a step before it ended the document."""
        return str(self.inputs.get("finallyStep", False)).lower() == "true"


@dataclass(frozen=True)
class CommandDocument:
    """A Command document that keeps the rules. Make one with `CommandDocument.parse`.

    Attributes:
        content: the document as plain dictionaries, lists and strings.
        description: what it is for.
        parameters: its parameters by their names.
        steps: its steps, in the order in which they run.
    """

    content: Mapping[str, Any]
    description: str
    parameters: Mapping[str, Parameter]
    steps: tuple[Step, ...]

    @classmethod
    def parse(cls, content: str | Mapping[str, Any]) -> Self:
        """Read a document from its YAML or JSON text, or from what a parser made of it.

        Raises:
            InvalidValueError: it breaks rules; all of them on one line.
        """
        found = findings(content)
        if found:
            raise InvalidValueError("; ".join(one.text for one in found))
        return cls.trusted(_read(content) if isinstance(content, str) else content)

    @classmethod
    def trusted(cls, content: Mapping[str, Any]) -> Self:
        """Make a document of content with steps in the form of schema 2.x that is known to be well formed."""
        parameters = {
            name: Parameter(name, declared["type"], "default" not in declared, declared)
            for name, declared in (content.get("parameters") or {}).items()
        }
        steps = tuple(
            Step(one["name"], one["action"], one.get("inputs") or {}, _pair(one.get("precondition")))
            for one in content["mainSteps"]
        )
        return cls(content, content.get("description", ""), parameters, steps)

    @property
    def platforms(self) -> frozenset[PlatformType]:
        """The platforms that it does anything on."""
        return frozenset().union(*(step.platforms for step in self.steps))

    @property
    def required_parameters(self) -> tuple[str, ...]:
        """The names of the parameters that have no default."""
        return tuple(one.name for one in self.parameters.values() if one.required)

    def check_parameters(self, given: Mapping[str, Sequence[str]]) -> None:
        """Refuse parameters that the document does not declare, lacks, or does not allow.

        Args:
            given: values by parameter, as SendCommand takes them.

        Raises:
            InvalidValueError: with the first of them.
        """
        for name in given:
            if name not in self.parameters:
                message = f"{name} is not a parameter that the document declares"
                raise InvalidValueError(f"{message}; {expected(name, self.parameters)}" if self.parameters else message)
        for name, parameter in self.parameters.items():
            if name in given:
                problem = parameter.problem(given[name])
            else:
                problem = f"the parameter {name} is required" if parameter.required else ""
            if problem:
                raise InvalidValueError(problem)

    def resolved_steps(self, given: Mapping[str, Sequence[str]]) -> tuple[Step, ...]:
        """Return the steps with the values of the parameters, or their defaults, in the place of their names.

        A reference that is all of a value is replaced by the parameter's value, a list by a list; within other text a
        list is written as JSON, as SSM Agent does it.
        """
        values: dict[str, Any] = {}
        for name, parameter in self.parameters.items():
            values[name] = parameter.declared.get("default", "")
            if name in given:
                values[name] = list(given[name]) if parameter.type == "StringList" else given[name][0]
        return tuple(
            Step(
                step.name,
                step.action,
                _replaced(step.inputs, values),
                step.precondition and (_text(step.precondition[0], values), _text(step.precondition[1], values)),
            )
            for step in self.steps
        )


def findings(content: str | Mapping[str, Any]) -> list[Finding]:
    """Return all that is wrong with a Command document; nothing if AWS takes it and it does what it says.

    Args:
        content: its YAML or JSON text, or what a parser made of it.
    """
    if isinstance(content, str):
        if len(content.encode()) > MAX_SIZE:
            return [_too_big(len(content.encode()))]
        try:
            content = _read(content)
        except InvalidValueError as error:
            return [Finding((), str(error))]
    elif len(json.dumps(content, default=str).encode()) > MAX_SIZE:
        return [_too_big(len(json.dumps(content, default=str).encode()))]
    return list(broken_rules(content))


def check_name(name: str) -> None:
    """Refuse what AWS does not take as the name of an own document.

    Follows https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CreateDocument.html.

    Raises:
        InvalidValueError: not 3 to 128 letters, digits, `_`, `-` and `.`, or a beginning that AWS keeps to itself.
    """
    if is_token(name):
        return
    if not _NAME.fullmatch(name):
        message = f"document name {name!r} is not 3 to 128 letters, digits, '_', '-' or '.'"
        raise InvalidValueError(message)
    if name.startswith(_RESERVED):
        message = f"document name {name!r} begins with one of {', '.join(_RESERVED)}, which AWS keeps to itself"
        raise InvalidValueError(message)


def hook_findings(content: str | Mapping[str, Any]) -> list[Finding]:
    """Return what keeps a well-formed document from being a hook of AWS-RunPatchBaselineWithHooks.

    The hook is run by its name alone, so nobody gives it parameters: each of its own needs a default. See
    https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-aws-runpatchbaselinewithhooks.html.
    """
    document = CommandDocument.parse(content)
    return [
        Finding(
            ("parameters", name),
            f"{name} has no default, and a hook is given no parameters; add a default or take the parameter out",
        )
        for name in document.required_parameters
    ]


def _read(text: str) -> Mapping[str, Any]:
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        try:
            data = _read_yaml(text)
        except InvalidValueError as other:
            message = str(other)
            if text.lstrip().startswith("{"):
                message = f"not JSON: {error.msg} in line {error.lineno} of the document"
            raise InvalidValueError(message) from None
    if not isinstance(data, Mapping):
        message = "not a document: expected a mapping with schemaVersion, description, parameters and mainSteps"
        raise InvalidValueError(message)
    return data


def _read_yaml(text: str) -> Any:  # noqa: ANN401 YAML holds anything
    try:
        return load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = " ".join(str(error.problem or error.context or "not YAML").split())
        where = f" in line {mark.line + 1} of the document" if mark else ""
        hint = "; put a text that begins with {{ in quotes" if "unhashable" in what else ""
        message = f"not YAML: {what}{where}{hint}"
        raise InvalidValueError(message) from None
    except (*NO_YAML, RecursionError) as error:
        message = f"not YAML: {' '.join(str(error).split())}"
        raise InvalidValueError(message) from None


def _too_big(size: int) -> Finding:
    return Finding((), f"the document has {size} bytes, but AWS takes {MAX_SIZE} (64 KB) at most; make it shorter")


def _pair(precondition: Mapping[str, Any] | None) -> tuple[str, str] | None:
    if not precondition:
        return None
    one, other = precondition["StringEquals"]
    return (str(one), str(other))


def _replaced(node: Any, values: Mapping[str, Any]) -> Any:  # noqa: ANN401 inputs hold anything
    if isinstance(node, Mapping):
        return {key: _replaced(value, values) for key, value in node.items()}
    if isinstance(node, list):
        return [_replaced(value, values) for value in node]
    if not isinstance(node, str):
        return node
    whole = _KEPT.match(node)
    if whole and whole[1] in values:
        return values[whole[1]]
    return _text(node, values)


def _text(text: str, values: Mapping[str, Any]) -> str:
    def value(match: re.Match[str]) -> str:
        found = values.get(match[1], match[0])
        return found if isinstance(found, str) else json.dumps(found)

    return REFERENCE.sub(value, text)
