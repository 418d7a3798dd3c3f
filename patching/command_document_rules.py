"""What a Command document with schema 2.2 has to keep to, rule by rule.

Every rule says where AWS documents it. What only the source of SSM Agent tells (https://github.com/aws/amazon-ssm-agent)
is marked as such: there a document is accepted, and then fails or does nothing on the node.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

from patching.command_plugins import AUTOMATION_ACTIONS, PLUGINS
from patching.command_step_inputs import broken_inputs
from patching.findings import Finding, Location, expected
from patching.operating_system import PlatformType

SCHEMA_VERSION = "2.2"
REFERENCE = re.compile(r"\{\{\s*([A-Za-z0-9_-]+)\s*\}\}")
"""A reference to a parameter. `{{ ssm:name }}` is none, nor is `{{.Names}}` of another tool in a script."""

TYPES = ("String", "StringList", "StringMap")
"""Types that a parameter of a Command document can have."""

_OTHER_TYPES = ("Boolean", "Integer", "MapList")
_OTHER_VERSIONS = {
    "0.3": "of Automation runbooks, which do not run on nodes",
    "1.0": "of Session documents, which Run Command does not run",
    "1.2": "in which plugins run in no certain order; write its runtimeConfig as mainSteps",
    "2.0": "in which a step for another platform fails instead of being skipped",
}
_KEYS = ("schemaVersion", "description", "parameters", "mainSteps")
_FOREIGN_KEYS = {
    "runtimeConfig": "is of schema 1.2; in 2.2 the plugins are mainSteps",
    "outputs": "is of Automation runbooks (schema 0.3)",
    "files": "is of Automation runbooks (schema 0.3)",
    "assumeRole": "is of Automation runbooks (schema 0.3); a Command document runs as the node's role",
    "variables": "is of Automation runbooks (schema 0.3)",
}
_PARAMETER_KEYS = (
    "type",
    "description",
    "default",
    "allowedValues",
    "allowedPattern",
    "displayType",
    "minItems",
    "maxItems",
    "minChars",
    "maxChars",
    "interpolationType",
)
_STEP_KEYS = ("action", "name", "inputs", "precondition")
_INPUTS_AT_STEP = ("onFailure", "onSuccess", "finallyStep", "timeoutSeconds")
_AUTOMATION_STEP_KEYS = ("isCritical", "isEnd", "nextStep", "onCancel", "maxAttempts", "outputs")
_PARAMETER_NAME = re.compile(r"[A-Za-z0-9]+")
_UNSAFE_IN_STEP_NAME = re.compile(r'[\x00-\x1f/\\:*?"<>|]')
_NOT_IN_GO = (("(?=", "(?!", "(?<=", "(?<!"), "looks ahead or behind, which SSM Agent's regular expressions cannot")
_SSM = "ssm:"


def broken_rules(document: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield what is wrong with a document."""
    version = document.get("schemaVersion")
    yield from _schema_version(version)
    if isinstance(version, str) and version in _OTHER_VERSIONS:
        return  # another kind of document altogether: what else differs from 2.2 is no mistake in it
    yield from _top_level_keys(document)
    parameters = document.get("parameters")
    if parameters is None:
        parameters = {}
    if not isinstance(parameters, Mapping):
        yield Finding(("parameters",), f"{_shown(parameters)} is not a mapping of names to what they are")
        # Whatever the steps refer to may have been meant to be there.
        parameters = {name: {} for _, name in references(document.get("mainSteps"))}
        yield from _steps(document.get("mainSteps"), parameters)
        return
    for name, declared in parameters.items():
        yield from _parameter(("parameters", name), declared)
    yield from _steps(document.get("mainSteps"), parameters)


def _schema_version(version: object) -> Iterator[Finding]:
    """The versions that there are: https://docs.aws.amazon.com/systems-manager/latest/userguide/documents-schemas-features.html."""
    at: Location = ("schemaVersion",)
    mend = f'write schemaVersion: "{SCHEMA_VERSION}"'
    if version is None:
        yield Finding((), f"schemaVersion is missing; {mend}")
    elif not isinstance(version, str):
        yield Finding(at, f"{version!r} is not text: {mend}, with the quotes")
    elif version in _OTHER_VERSIONS:
        yield Finding(at, f"{version!r} is the schema {_OTHER_VERSIONS[version]}; {mend}")
    elif version != SCHEMA_VERSION:
        yield Finding(at, f"{version!r} is not a version of the schema; {mend}")


def _top_level_keys(document: Mapping[str, Any]) -> Iterator[Finding]:
    """The keys that there are: https://docs.aws.amazon.com/systems-manager/latest/userguide/documents-syntax-data-elements-parameters.html#top-level."""
    for key in document:
        if key in _FOREIGN_KEYS:
            yield Finding((key,), f"{key} {_FOREIGN_KEYS[key]}; take it out")
        elif key not in _KEYS:
            yield Finding((key,), f"there is no key {key!r}; {expected(key, _KEYS)}")
    if not isinstance(document.get("description", ""), str):
        yield Finding(("description",), f"{_shown(document['description'])} is not text")


# Parameters: https://docs.aws.amazon.com/systems-manager/latest/userguide/documents-syntax-data-elements-parameters.html


def _parameter(at: Location, declared: object) -> Iterator[Finding]:
    name = at[-1]
    if not isinstance(name, str) or not _PARAMETER_NAME.fullmatch(name):
        # From the agent's source, docparser/parameters: it leaves out a parameter with another name.
        yield Finding(at, f"parameter name {name!r} is not made of letters and digits alone, as SSM Agent asks for")
    if not isinstance(declared, Mapping):
        yield Finding(at, f"{_shown(declared)} is not a mapping with the parameter's type")
        return
    for key in declared:
        if key not in _PARAMETER_KEYS:
            yield Finding((*at, key), f"there is no key {key!r} of a parameter; {expected(key, _PARAMETER_KEYS)}")
    yield from _type(at, declared)
    yield from _default(at, declared)
    yield from _allowed_values(at, declared)
    yield from _allowed_pattern(at, declared)
    yield from _limits(at, declared)
    yield from _presentation(at, declared)


def _type(at: Location, declared: Mapping[str, Any]) -> Iterator[Finding]:
    """The types: #top-level-properties-type. Of them a Command document supports String and StringList, says the page.

    AWS's own Command documents have StringMap too, for the sourceInfo of aws:downloadContent.
    """
    kind = declared.get("type")
    if kind is None:
        yield Finding(at, f"type is missing; expected one of {', '.join(TYPES)}")
    elif kind in _OTHER_TYPES:
        yield Finding((*at, "type"), f"{kind} is for Automation runbooks; a Command document has {', '.join(TYPES)}")
    elif kind not in TYPES:
        yield Finding((*at, "type"), f"{_shown(kind)} is not a type of parameter; {expected(kind, TYPES)}")


def _default(at: Location, declared: Mapping[str, Any]) -> Iterator[Finding]:
    """The default has the parameter's type, or names a parameter of Parameter Store."""
    if "default" not in declared:
        return
    default, kind, at = declared["default"], declared.get("type"), (*at, "default")
    if isinstance(default, str) and _SSM in default:
        return
    if kind == "String" and not isinstance(default, str):
        yield Finding(at, f"{_shown(default)} is not a String; put it in quotes")
    if kind == "StringList" and not (isinstance(default, list) and all(isinstance(one, str) for one in default)):
        yield Finding(at, f"{_shown(default)} is not a StringList; write a list of texts")
    if kind == "StringMap" and not isinstance(default, Mapping):
        yield Finding(at, f"{_shown(default)} is not a StringMap; write a mapping of texts to texts")
    choices = declared.get("allowedValues")
    if isinstance(choices, list) and choices:
        for value in default if isinstance(default, list) else [default]:
            if value not in choices and isinstance(value, str):
                yield Finding(at, f"{value!r} is not among the allowedValues of its own parameter")


def _allowed_values(at: Location, declared: Mapping[str, Any]) -> Iterator[Finding]:
    """The values are a list; each is compared with the text that somebody gives."""
    if "allowedValues" not in declared:
        return
    choices, at = declared["allowedValues"], (*at, "allowedValues")
    if not isinstance(choices, list) or not choices:
        yield Finding(at, f"{_shown(choices)} is not a list with at least one value")
        return
    for index, value in enumerate(choices):
        if not isinstance(value, str):
            yield Finding((*at, index), f"{_shown(value)} is not text; put it in quotes")


def _allowed_pattern(at: Location, declared: Mapping[str, Any]) -> Iterator[Finding]:
    """A pattern is matched twice, and both have to understand it: Java's library at the API, and Go's in the agent."""
    if "allowedPattern" not in declared:
        return
    pattern, at = declared["allowedPattern"], (*at, "allowedPattern")
    if not isinstance(pattern, str):
        yield Finding(at, f"{_shown(pattern)} is not a regular expression; put it in quotes")
        return
    looks, why = _NOT_IN_GO
    if any(look in pattern for look in looks):
        yield Finding(at, f"{pattern!r} {why}; write it without")
        return
    try:
        compiled(pattern)
    except re.error as error:
        yield Finding(at, f"{pattern!r} is not a regular expression: {error.msg}")


def compiled(pattern: str) -> re.Pattern[str]:
    """Compile a pattern of Java and Go as nearly as Python can, which lacks their Unicode classes and an anchor."""
    known = re.sub(r"\\[pP](\{\^?\w+\}|\w)", r"\\w", pattern).replace(r"\z", r"\Z")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return re.compile(known)


def _limits(at: Location, declared: Mapping[str, Any]) -> Iterator[Finding]:
    """The numbers of items and of characters are whole, and the least is not above the most."""
    for least, most in (("minItems", "maxItems"), ("minChars", "maxChars")):
        numbers = []
        for key in (least, most):
            number = declared.get(key, 0)
            if not isinstance(number, int) or isinstance(number, bool) or number < 0:
                yield Finding((*at, key), f"{_shown(number)} is not a whole number from 0 on")
            elif key in declared:
                numbers.append(number)
                if key in ("minItems", "maxItems") and declared.get("type") == "String":
                    yield Finding((*at, key), f"{key} is about the items of a list, but a String has none; take it out")
        if len(numbers) == 2 and numbers[0] > numbers[1]:  # noqa: PLR2004 both are there
            yield Finding((*at, least), f"{least} {numbers[0]} is above {most} {numbers[1]}")


def _presentation(at: Location, declared: Mapping[str, Any]) -> Iterator[Finding]:
    """How the console shows a parameter, and whether a script gets it as an environment variable."""
    choices = ("textfield", "textarea")
    if declared.get("displayType", choices[0]) not in choices:
        found = declared["displayType"]
        yield Finding((*at, "displayType"), f"{_shown(found)} is not a displayType; {expected(found, choices)}")
    if "interpolationType" in declared:
        found = declared["interpolationType"]
        if found != "ENV_VAR":
            yield Finding((*at, "interpolationType"), f"{_shown(found)} is not ENV_VAR, the only one that there is")
        elif declared.get("type") != "String":
            yield Finding((*at, "interpolationType"), "ENV_VAR is for a String, which a script reads as a variable")


# Steps: https://docs.aws.amazon.com/systems-manager/latest/userguide/documents-command-ssm-plugin-reference.html


def _steps(steps: object, parameters: Mapping[str, Any]) -> Iterator[Finding]:
    if steps is None:
        yield Finding((), "mainSteps is missing; a document needs at least one step")
        return
    if not isinstance(steps, list) or not steps:
        yield Finding(("mainSteps",), f"{_shown(steps)} is not a list with at least one step")
        return
    names: dict[str, int] = {}
    for index, step in enumerate(steps):
        at: Location = ("mainSteps", index)
        if not isinstance(step, Mapping):
            yield Finding(at, f"{_shown(step)} is not a mapping with {', '.join(_STEP_KEYS)}")
            continue
        yield from _step_keys(at, step)
        yield from _step_name(at, step, names)
        yield from _action(at, step)
        yield from _precondition(at, step, parameters)
        yield from broken_inputs((*at, "inputs"), step, parameters, last=index == len(steps) - 1)
        for place, name in references(step.get("inputs"), (*at, "inputs")):
            if name not in parameters:
                known = f"; {expected(name, parameters)}" if parameters else "; the document declares no parameters"
                yield Finding(place, f"{{{{ {name} }}}} is not a parameter of the document{known}")


def _step_keys(at: Location, step: Mapping[str, Any]) -> Iterator[Finding]:
    """A step of a Command document has no control flow but the plugins' shared inputs: #shared-inputs."""
    for key in step:
        if key in _INPUTS_AT_STEP:
            yield Finding((*at, key), f"{key} has no effect here: in a Command document it is one of the step's inputs")
        elif key in _AUTOMATION_STEP_KEYS:
            yield Finding((*at, key), f"{key} is for Automation runbooks; steps of a Command document run in order")
        elif key not in _STEP_KEYS:
            yield Finding((*at, key), f"there is no key {key!r} of a step; {expected(key, _STEP_KEYS)}")


def _step_name(at: Location, step: Mapping[str, Any], names: dict[str, int]) -> Iterator[Finding]:
    """A name is any text that the author likes, says the page on schemas.

    From the agent's source, docparser: it is the name of a folder on the node and a part of the output's key in S3,
    and results are kept by it.
    """
    name = step.get("name")
    if name is None:
        yield Finding(at, "name is missing; the output of a step is found by its name")
    elif not isinstance(name, str) or not name.strip(". "):
        yield Finding((*at, "name"), f"{_shown(name)} is not a name; write a short text")
    elif _UNSAFE_IN_STEP_NAME.search(name):
        yield Finding(
            (*at, "name"), f"{name!r} has a character that no folder can have; SSM Agent makes a folder of this name"
        )
    elif name in names:
        yield Finding((*at, "name"), f"{name!r} is the name of step {names[name] + 1} too; give each its own")
    if isinstance(name, str):
        names.setdefault(name, int(at[-1]))


def _action(at: Location, step: Mapping[str, Any]) -> Iterator[Finding]:
    action = step.get("action")
    if action is None:
        yield Finding(at, "action is missing; it names the plugin to run, such as aws:runShellScript")
    elif not isinstance(action, str):
        yield Finding((*at, "action"), f"{_shown(action)} is not the name of a plugin, such as aws:runShellScript")
    elif action in AUTOMATION_ACTIONS:
        yield Finding((*at, "action"), f"{action} is an action of Automation runbooks; no plugin runs it on a node")
    elif action not in PLUGINS:
        yield Finding((*at, "action"), f"{action!r} is not a plugin; {expected(action, PLUGINS)}")
    elif PLUGINS[action].withdrawn:
        yield Finding((*at, "action"), f"{action}: {PLUGINS[action].withdrawn}")


def _precondition(at: Location, step: Mapping[str, Any], parameters: Mapping[str, Any]) -> Iterator[Finding]:
    """Only StringEquals, of platformType or of parameters: see "Using the precondition parameter" among the schemas.

    That the two may not be the same, and that one of them has to be variable, is from the agent's source.
    """
    if "precondition" not in step:
        return
    found, at = step["precondition"], (*at, "precondition")
    if not isinstance(found, Mapping) or list(found) != ["StringEquals"]:
        yield Finding(at, f"{_shown(found)} is not a precondition; write StringEquals: [platformType, Linux]")
        return
    values, at = found["StringEquals"], (*at, "StringEquals")
    if not isinstance(values, list) or len(values) != 2 or not all(isinstance(one, str) for one in values):  # noqa: PLR2004 a pair
        yield Finding(at, f"{_shown(values)} is not a list of two texts to compare")
        return
    unknown = [name for value in values for name in REFERENCE.findall(value) if name not in parameters]
    for name in unknown:
        yield Finding(at, f"{{{{ {name} }}}} is not a parameter of the document")
    if values[0] == values[1]:
        yield Finding(at, f"{values[0]!r} is compared with itself; SSM Agent refuses that")
    elif "platformType" in values:
        yield from _platform(at, step, next(one for one in values if one != "platformType"))
    elif any("{{" in one and _SSM in one for one in values):
        yield Finding(at, "a precondition cannot look into Parameter Store; compare with a parameter of the document")
    elif not any(REFERENCE.search(one) for one in values):
        yield Finding(at, f"neither of {values} can change; compare platformType or a parameter: '{{{{ name }}}}'")


def _platform(at: Location, step: Mapping[str, Any], platform: str) -> Iterator[Finding]:
    """Whether a plugin runs on a platform is looked at before the precondition; elsewhere the step is skipped."""
    if platform not in set(PlatformType):
        yield Finding(at, f"{platform!r} is not a platformType; {expected(platform, PlatformType)}")
        return
    plugin = PLUGINS.get(str(step.get("action")))
    if plugin and not plugin.withdrawn and platform not in plugin.platforms:
        runs = ", ".join(sorted(plugin.platforms))
        yield Finding(
            at, f"the step never runs: {step['action']} is for {runs}, and the precondition asks for {platform}"
        )


def references(node: object, at: Location = ()) -> Iterator[tuple[Location, str]]:
    """Yield every reference to a parameter in a step's inputs, with its place."""
    if isinstance(node, Mapping):
        for key, value in node.items():
            yield from references(value, (*at, key))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from references(value, (*at, index))
    elif isinstance(node, str):
        yield from ((at, name) for name in REFERENCE.findall(node))


def _shown(value: object) -> str:
    """Show what was found, shortly."""
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list):
        return "a list" if value else "an empty list"
    if value is None or isinstance(value, bool):
        return {None: "nothing", True: "true", False: "false"}[value]
    return repr(value)
