"""Command documents: what they may look like, and what is said of one that breaks a rule."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patching.command_document import MAX_SIZE, CommandDocument, check_name, findings, hook_findings
from patching.command_plugins import AUTOMATION_ACTIONS, PLUGINS, InputKind
from patching.errors import InvalidValueError
from patching.findings import Location
from tests.rows import each_row

DRAIN = """
schemaVersion: "2.2"
description: Takes the node out of service
parameters:
  Service:
    type: String
    default: web
    description: What to stop
    allowedValues: [web, worker]
    allowedPattern: "^[a-z]+$"
    displayType: textfield
    minChars: 1
    maxChars: 20
    interpolationType: ENV_VAR
  Hosts: {type: StringList, default: [], minItems: 0, maxItems: 5}
  Source: {type: StringMap, default: {path: "https://s3.amazonaws.com/bucket/tool.sh"}}
  Message: {type: StringList, default: "{{ ssm:greeting }}"}
mainSteps:
  - action: aws:runShellScript
    name: DrainLinux
    precondition: {StringEquals: [platformType, Linux]}
    inputs:
      timeoutSeconds: 60
      workingDirectory: /tmp
      onFailure: exit
      runCommand:
        - systemctl stop "{{ Service }}"
        - docker ps --format '{{.Names}}'
  - action: aws:runPowerShellScript
    name: DrainWindows
    precondition: {StringEquals: [Windows, platformType]}
    inputs: {timeoutSeconds: "60", runCommand: "Stop-Service {{Service}}"}
  - action: aws:downloadContent
    name: fetch
    inputs: {sourceType: S3, sourceInfo: "{{ Source }}"}
  - action: aws:runDocument
    name: tell
    precondition: {StringEquals: ["{{ Service }}", web]}
    inputs:
      documentType: SSMDocument
      documentPath: Tell
      documentParameters: {what: "{{ Service }} on {{ Hosts }}"}
      finallyStep: true
"""


def document() -> dict[str, Any]:
    """Return a small document that keeps all rules, to be broken."""
    return {
        "schemaVersion": "2.2",
        "description": "A document",
        "parameters": {
            "Name": {"type": "String", "default": "a", "allowedValues": ["a", "b"]},
            "List": {"type": "StringList", "default": ["a"]},
            "Map": {"type": "StringMap", "default": {"a": "b"}},
        },
        "mainSteps": [
            {
                "action": "aws:runShellScript",
                "name": "first",
                "precondition": {"StringEquals": ["platformType", "Linux"]},
                "inputs": {"runCommand": ["echo {{ Name }}"]},
            },
            {
                "action": "aws:runDocument",
                "name": "last",
                "inputs": {"documentType": "SSMDocument", "documentPath": "Other", "documentParameters": {"a": "b"}},
            },
        ],
    }


def changed(at: Location, value: object) -> dict[str, Any]:
    """Return the document with another value in one place; with the key taken out, if the value is `...`."""
    made = document()
    node: Any = made
    for key in at[:-1]:
        node = node[key]
    if value is ...:
        del node[at[-1]]
    else:
        node[at[-1]] = value
    return made


def test_a_document_that_keeps_the_rules_has_no_findings() -> None:
    assert findings(DRAIN) == []
    assert findings(document()) == []
    assert findings(json.dumps(document())) == []


FIRST = ("mainSteps", 0)
INPUTS = (*FIRST, "inputs")
LAST = ("mainSteps", 1, "inputs")
NAME = ("parameters", "Name")
EQUALS = (*FIRST, "precondition", "StringEquals")

BROKEN: list[tuple[Location, object, Location, str]] = [
    # Top level.
    (("schemaVersion",), ..., (), 'schemaVersion is missing; write schemaVersion: "2.2"'),
    (("schemaVersion",), 2.2, ("schemaVersion",), "2.2 is not text"),
    (("schemaVersion",), "1.2", ("schemaVersion",), "write its runtimeConfig as mainSteps"),
    (("schemaVersion",), "2.0", ("schemaVersion",), "fails instead of being skipped"),
    (("schemaVersion",), "0.3", ("schemaVersion",), "Automation runbooks"),
    (("schemaVersion",), "1.0", ("schemaVersion",), "Session documents"),
    (("schemaVersion",), "3", ("schemaVersion",), "'3' is not a version"),
    (("descripton",), "a", ("descripton",), "did you mean 'description'?"),
    (("description",), 5, ("description",), "5 is not text"),
    (("runtimeConfig",), {}, ("runtimeConfig",), "is of schema 1.2"),
    (("assumeRole",), "a", ("assumeRole",), "runs as the node's role"),
    (("parameters",), ["Name"], ("parameters",), "a list is not a mapping"),
    (("mainSteps",), ..., (), "mainSteps is missing"),
    (("mainSteps",), [], ("mainSteps",), "an empty list is not a list with at least one step"),
    (("mainSteps",), {"a": 1}, ("mainSteps",), "a mapping is not a list"),
    # Parameters.
    (("parameters", "my_name"), {"type": "String"}, ("parameters", "my_name"), "letters and digits alone"),
    (NAME, "String", NAME, "'String' is not a mapping with the parameter's type"),
    ((*NAME, "kind"), "a", (*NAME, "kind"), "there is no key 'kind' of a parameter"),
    ((*NAME, "type"), ..., NAME, "type is missing; expected one of String, StringList, StringMap"),
    ((*NAME, "type"), "string", (*NAME, "type"), "did you mean 'String'?"),
    ((*NAME, "type"), "Boolean", (*NAME, "type"), "Boolean is for Automation runbooks"),
    ((*NAME, "type"), ["String"], (*NAME, "type"), "a list is not a type"),
    ((*NAME, "default"), 5, (*NAME, "default"), "5 is not a String; put it in quotes"),
    ((*NAME, "default"), "c", (*NAME, "default"), "'c' is not among the allowedValues"),
    (("parameters", "List", "default"), "a", ("parameters", "List", "default"), "'a' is not a StringList"),
    (("parameters", "List", "default"), [5], ("parameters", "List", "default"), "a list is not a StringList"),
    (("parameters", "Map", "default"), "a", ("parameters", "Map", "default"), "'a' is not a StringMap"),
    ((*NAME, "allowedValues"), [], (*NAME, "allowedValues"), "an empty list is not a list with at least one"),
    ((*NAME, "allowedValues"), ["a", True], (*NAME, "allowedValues", 1), "true is not text; put it in quotes"),
    ((*NAME, "allowedPattern"), "(a", (*NAME, "allowedPattern"), "not a regular expression"),
    ((*NAME, "allowedPattern"), 5, (*NAME, "allowedPattern"), "5 is not a regular expression"),
    ((*NAME, "allowedPattern"), "(?!a).*", (*NAME, "allowedPattern"), "looks ahead or behind"),
    ((*NAME, "minChars"), -1, (*NAME, "minChars"), "-1 is not a whole number"),
    ((*NAME, "maxChars"), "5", (*NAME, "maxChars"), "'5' is not a whole number"),
    ((*NAME, "minItems"), 1, (*NAME, "minItems"), "a String has none"),
    (
        ("parameters", "Added"),
        {"type": "String", "minChars": 3, "maxChars": 2},
        ("parameters", "Added", "minChars"),
        "minChars 3 is above maxChars 2",
    ),
    ((*NAME, "displayType"), "textbox", (*NAME, "displayType"), "'textbox' is not a displayType"),
    ((*NAME, "interpolationType"), "RAW", (*NAME, "interpolationType"), "'RAW' is not ENV_VAR"),
    (
        ("parameters", "List", "interpolationType"),
        "ENV_VAR",
        ("parameters", "List", "interpolationType"),
        "ENV_VAR is for a String",
    ),
    # Steps.
    (FIRST, "ls", FIRST, "'ls' is not a mapping with action"),
    ((*FIRST, "input"), {}, (*FIRST, "input"), "did you mean 'inputs'?"),
    ((*FIRST, "onFailure"), "exit", (*FIRST, "onFailure"), "onFailure has no effect here"),
    ((*FIRST, "timeoutSeconds"), 60, (*FIRST, "timeoutSeconds"), "timeoutSeconds has no effect here"),
    ((*FIRST, "isEnd"), True, (*FIRST, "isEnd"), "isEnd is for Automation runbooks"),
    ((*FIRST, "nextStep"), "last", (*FIRST, "nextStep"), "nextStep is for Automation runbooks"),
    ((*FIRST, "name"), ..., FIRST, "name is missing"),
    ((*FIRST, "name"), 5, (*FIRST, "name"), "5 is not a name"),
    ((*FIRST, "name"), "..", (*FIRST, "name"), "'..' is not a name"),
    ((*FIRST, "name"), "a/b", (*FIRST, "name"), "a character that no folder can have"),
    (("mainSteps", 1, "name"), "first", ("mainSteps", 1, "name"), "'first' is the name of step 1 too"),
    ((*FIRST, "action"), ..., FIRST, "action is missing"),
    ((*FIRST, "action"), "aws:runShellscript", (*FIRST, "action"), "did you mean 'aws:runShellScript'?"),
    ((*FIRST, "action"), "aws:runCommand", (*FIRST, "action"), "an action of Automation runbooks"),
    ((*FIRST, "action"), "aws:cloudWatch", (*FIRST, "action"), "use the CloudWatch agent"),
    ((*FIRST, "action"), [], (*FIRST, "action"), "an empty list is not the name of a plugin"),
    # Preconditions.
    ((*FIRST, "precondition"), "Linux", (*FIRST, "precondition"), "'Linux' is not a precondition"),
    ((*FIRST, "precondition"), {"StringLike": []}, (*FIRST, "precondition"), "write StringEquals"),
    (EQUALS, ["platformType"], EQUALS, "a list is not a list of two texts"),
    (EQUALS, ["platformType", "Solaris"], EQUALS, "'Solaris' is not a platformType"),
    (EQUALS, ["platformType", "linux"], EQUALS, "did you mean 'Linux'?"),
    (EQUALS, ["platformType", "Windows"], EQUALS, "the step never runs: aws:runShellScript is for Linux, MacOS"),
    (EQUALS, ["a", "a"], EQUALS, "'a' is compared with itself"),
    (EQUALS, ["a", "b"], EQUALS, "can change; compare platformType or a parameter"),
    (EQUALS, ["{{ Nmae }}", "b"], EQUALS, "{{ Nmae }} is not a parameter"),
    (EQUALS, ["{{ ssm:name }}", "b"], EQUALS, "cannot look into Parameter Store"),
    # Inputs.
    (INPUTS, ..., FIRST, "aws:runShellScript needs the input runCommand"),
    (INPUTS, {}, INPUTS, "aws:runShellScript needs the input runCommand"),
    (INPUTS, "ls", INPUTS, "'ls' is not a mapping of inputs"),
    ((*INPUTS, "commands"), ["ls"], (*INPUTS, "commands"), "has no input 'commands'"),
    ((*INPUTS, "runCommand"), [], (*INPUTS, "runCommand"), "the list is empty"),
    ((*INPUTS, "runCommand"), 5, (*INPUTS, "runCommand"), "5 is not a list"),
    ((*INPUTS, "runCommand"), ["ls", 5], (*INPUTS, "runCommand", 1), "5 is not text; put it in quotes"),
    ((*INPUTS, "runCommand"), [{"echo a": "b"}], (*INPUTS, "runCommand", 0), "which makes a mapping of it"),
    ((*INPUTS, "runCommand"), ["{{ Nmae }}"], (*INPUTS, "runCommand", 0), "did you mean 'Name'?"),
    ((*INPUTS, "runCommand"), "{{ Map }}", (*INPUTS, "runCommand"), "{{ Map }} is a StringMap, but runCommand takes"),
    ((*INPUTS, "timeoutSeconds"), 0, (*INPUTS, "timeoutSeconds"), "0 is not a number of seconds"),
    ((*INPUTS, "timeoutSeconds"), "1h", (*INPUTS, "timeoutSeconds"), "'1h' is not a number of seconds"),
    ((*INPUTS, "timeoutSeconds"), True, (*INPUTS, "timeoutSeconds"), "True is not a number of seconds"),
    ((*INPUTS, "workingDirectory"), 5, (*INPUTS, "workingDirectory"), "5 is not text"),
    ((*INPUTS, "workingDirectory"), "{{List}}", (*INPUTS, "workingDirectory"), "{{ List }} is a StringList"),
    ((*INPUTS, "onFailure"), "Abort", (*INPUTS, "onFailure"), "expected one of exit, successAndExit"),
    ((*INPUTS, "onSuccess"), "successAndExit", (*INPUTS, "onSuccess"), "'successAndExit' is not a value of onSuccess"),
    ((*INPUTS, "finallyStep"), True, (*INPUTS, "finallyStep"), "has to be the document's last step"),
    ((*LAST, "finallyStep"), "maybe", (*LAST, "finallyStep"), "'maybe' is not true or false"),
    ((*LAST, "documentType"), "Document", (*LAST, "documentType"), "did you mean 'SSMDocument'?"),
    ((*LAST, "documentPath"), ..., LAST, "aws:runDocument needs the input documentPath"),
    ((*LAST, "documentParameters"), ["a"], (*LAST, "documentParameters"), "is not a mapping of texts"),
    ((*LAST, "documentParameters"), {"a": ["b"]}, (*LAST, "documentParameters", "a"), "['b'] is not text"),
    (
        (*LAST, "documentParameters"),
        {"a": "{{ List }}"},
        (*LAST, "documentParameters", "a"),
        "{{ List }} is a StringList, but a takes a map of Strings",
    ),
]


@each_row(("at", "value", "where", "what"), BROKEN)
def test_a_broken_rule_is_named_with_its_place(at: Location, value: object, where: Location, what: str) -> None:
    found = findings(changed(at, value))
    assert [one.location for one in found] == [where]
    assert what in found[0].message


def test_all_findings_come_at_one_time() -> None:
    broken = document()
    broken["descripton"] = broken.pop("description")
    broken["mainSteps"][0]["inputs"]["runCommand"] = ["{{ Nobody }}"]
    broken["mainSteps"][1]["name"] = "first"
    assert [one.location for one in findings(broken)] == [
        ("descripton",),
        ("mainSteps", 0, "inputs", "runCommand", 0),
        ("mainSteps", 1, "name"),
    ]
    with pytest.raises(
        InvalidValueError, match=r"^descripton: .*; mainSteps\[0\]\.inputs\.runCommand\[0\]: .*"
    ) as error:
        CommandDocument.parse(broken)
    assert "\n" not in str(error.value)


def test_a_document_of_another_schema_is_told_that_alone() -> None:
    old = {"schemaVersion": "1.2", "runtimeConfig": {"aws:runShellScript": {"properties": []}}}
    assert [one.location for one in findings(old)] == [("schemaVersion",)]


@each_row(
    ("text", "problem"),
    [
        ("- a\n", "expected a mapping with schemaVersion"),
        ("", "expected a mapping with schemaVersion"),
        ("a: [", "not YAML: .* in line 1 of the document"),
        ("a: 1\na: 2\n", "not YAML: found duplicate key"),
        (
            "schemaVersion: '2.2'\nmainSteps:\n  - {{ a }}\n",
            "line 3 of the document; put a text that begins with {{ in",
        ),
        ('{"a": ]', "not JSON: .* in line 1 of the document"),
        ("a: " + "x" * MAX_SIZE, r"has 65539 bytes, but AWS takes 65536 \(64 KB\) at most"),
    ],
)
def test_a_text_that_is_no_document_is_refused(text: str, problem: str) -> None:
    with pytest.raises(InvalidValueError, match=problem):
        CommandDocument.parse(text)


def test_a_document_that_is_given_as_a_mapping_has_its_limit_too() -> None:
    big = document()
    big["mainSteps"][0]["inputs"]["runCommand"] = ["x" * 1024] * 64
    assert "(64 KB) at most" in findings(big)[0].message


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=5)
    | st.sampled_from(["{{ Name }}", "aws:runDocument"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(
                ["Name", "StringEquals", "action", "allowedPattern", "default", "inputs", "name", "runCommand", "type"]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)


@given(value=_JSON, at=st.sampled_from([one[0] for one in BROKEN]))
def test_whatever_is_in_a_document_its_findings_lie_in_it(value: object, at: Location) -> None:
    made = changed(at, value)
    before = copy.deepcopy(made)
    for found in findings(made):
        node: Any = made
        for key in found.location:
            node = node[key]
        assert found.message
    assert made == before


# What a document that keeps the rules can be asked.


def test_steps_know_where_they_run() -> None:
    parsed = CommandDocument.parse(DRAIN)
    assert [(step.name, sorted(step.platforms)) for step in parsed.steps] == [
        ("DrainLinux", ["Linux"]),
        ("DrainWindows", ["Windows"]),
        ("fetch", ["Linux", "Windows"]),
        ("tell", ["Linux", "Windows"]),
    ]
    assert sorted(parsed.platforms) == ["Linux", "Windows"]


def test_steps_know_what_follows_them() -> None:
    parsed = CommandDocument.parse(DRAIN)
    assert [step.on_failure for step in parsed.steps] == ["exit", "", "", ""]
    assert [step.is_finally for step in parsed.steps] == [False, False, False, True]


def test_references_are_replaced_by_values_or_defaults() -> None:
    first, second, third, last = CommandDocument.parse(DRAIN).resolved_steps(
        {"Service": ["worker"], "Hosts": ["a", "b"]}
    )
    assert first.inputs["runCommand"] == ['systemctl stop "worker"', "docker ps --format '{{.Names}}'"]
    assert second.inputs["runCommand"] == "Stop-Service worker"
    assert third.inputs["sourceInfo"] == {"path": "https://s3.amazonaws.com/bucket/tool.sh"}
    assert last.inputs["documentParameters"] == {"what": 'worker on ["a", "b"]'}
    assert last.precondition == ("worker", "web")


def test_a_parameter_that_is_all_of_an_input_keeps_its_type() -> None:
    made = changed((*INPUTS, "runCommand"), "{{ List }}")
    assert findings(made) == []
    assert CommandDocument.parse(made).resolved_steps({})[0].inputs["runCommand"] == ["a"]
    assert CommandDocument.parse(made).resolved_steps({"List": ["b", "c"]})[0].inputs["runCommand"] == ["b", "c"]


@pytest.mark.parametrize(
    ("given_", "problem"),
    [
        ({"Servce": ["web"]}, "Servce is not a parameter that the document declares; did you mean 'Service'?"),
        ({"Service": ["db"]}, "'db' is not a value of Service; did you mean 'web'?|expected one of web, worker"),
        ({"Service": ["web", "worker"]}, "2 values are given for Service, but a String takes one"),
        ({"Hosts": ["a"] * 6}, "Hosts has 6 items, but takes 0 to 5"),
    ],
)
def test_parameters_that_do_not_fit_are_refused(given_: dict[str, list[str]], problem: str) -> None:
    with pytest.raises(InvalidValueError, match=problem):
        CommandDocument.parse(DRAIN).check_parameters(given_)


def test_a_pattern_may_have_what_java_and_go_know_alone() -> None:
    made = changed((*NAME, "allowedPattern"), r"^\p{L}+\z")
    assert findings(made) == []
    document_ = CommandDocument.parse(made)
    document_.check_parameters({"Name": ["b"]})
    with pytest.raises(InvalidValueError, match="does not match Name's pattern"):
        CommandDocument.parse(changed((*NAME, "allowedPattern"), r"^\p{L}{2}\z")).check_parameters({"Name": ["b"]})


def test_parameters_that_fit_are_taken() -> None:
    CommandDocument.parse(DRAIN).check_parameters({"Service": ["worker"], "Hosts": []})


def test_a_parameter_without_a_default_is_required() -> None:
    made = changed((*NAME, "default"), ...)
    assert CommandDocument.parse(made).required_parameters == ("Name",)
    with pytest.raises(InvalidValueError, match="the parameter Name is required"):
        CommandDocument.parse(made).check_parameters({})


def test_a_hook_needs_a_default_for_each_parameter() -> None:
    assert hook_findings(DRAIN) == []
    (found,) = hook_findings(changed((*NAME, "default"), ...))
    assert found.location == ("parameters", "Name")
    assert "a hook is given no parameters; add a default" in found.message


# The table of plugins.


def test_no_plugin_is_an_automation_action_too() -> None:
    assert not AUTOMATION_ACTIONS & set(PLUGINS)


@each_row("action", [name for name, plugin in PLUGINS.items() if not plugin.withdrawn])
def test_a_step_with_what_its_plugin_needs_is_taken_and_one_with_less_is_not(action: str) -> None:
    some: dict[InputKind, object] = {
        InputKind.STRING: "a",
        InputKind.BOOLEAN: "false",
        InputKind.SECONDS: 1,
        InputKind.STRING_LIST: ["a"],
        InputKind.COMMANDS: ["a"],
        InputKind.STRING_MAP: {"a": "b"},
    }
    inputs = {
        name: one.values[0] if one.values else some[one.kind]
        for name, one in PLUGINS[action].inputs.items()
        if one.required
    }
    made = {"schemaVersion": "2.2", "mainSteps": [{"action": action, "name": "only", "inputs": inputs}]}
    assert findings(made) == []
    for name in inputs:
        less = copy.deepcopy(made)
        less["mainSteps"][0]["inputs"].pop(name)  # type: ignore[index]
        assert [one.message for one in findings(less)] == [f"{action} needs the input {name}"]


# Names.


@each_row("name", ["abc", "x" * 128, "patchops-lab-drain", "A_b.c-1", "AWSome", "${Token[NAME.1]}"])
def test_a_document_has_a_name_of_its_own(name: str) -> None:
    check_name(name)


@pytest.mark.parametrize("name", ["ab", "x" * 129, "a b", "a/b", ""])
def test_a_name_has_3_to_128_characters(name: str) -> None:
    with pytest.raises(InvalidValueError, match="is not 3 to 128 letters, digits"):
        check_name(name)


@pytest.mark.parametrize("name", ["aws-drain", "amazon-drain", "amzn-drain", "AWSSupport-drain", "AWSEC2-drain"])
def test_a_name_does_not_begin_as_those_of_aws(name: str) -> None:
    with pytest.raises(InvalidValueError, match="which AWS keeps to itself"):
        check_name(name)


@pytest.mark.parametrize("text", ["description: !!bool maybe", "description: !!int ''", "? [a\n", "\x00"])
def test_a_text_that_no_parser_reads_is_told(text: str) -> None:
    (found,) = findings(text)
    assert found.message.startswith("not YAML")
