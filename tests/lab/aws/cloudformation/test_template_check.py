"""What is no template is refused in the words of CloudFormation, whatever is to be made of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.lab.aws.stacks import REGION, Stack, window
from tests.lab.aws.world import Connect

pytestmark = pytest.mark.xdist_group("local-aws")

KIND, PROPERTIES = window()[:2]


def one(**changes: Any) -> dict[str, Any]:
    return {"Resources": {"A": {"Type": KIND, "Properties": PROPERTIES, **changes}}}


def named(value: Any) -> dict[str, Any]:
    return one(Properties={**PROPERTIES, "Name": value})


UNRESOLVED = "Template format error: Unresolved resource dependencies [Nowhere] in the {} block of the template"
ATTRIBUTE = (
    "Template error: every Fn::GetAtt object requires two non-empty parameters, the resource name and the resource "
    "attribute"
)
CASES: list[tuple[Any, str]] = [
    ("{", "Template format error: JSON not well-formed. (line 1, column 2)"),
    ("a: [", "Template format error: YAML not well-formed."),
    ("a: *b", "Template format error: YAML not well-formed."),
    ("hello", "Template format error: unsupported structure."),
    ("null", "Template format error: unsupported structure."),
    ([], "Template format error: unsupported structure."),
    ({}, "Template format error: At least one Resources member must be defined."),
    ({"Resources": {}}, "Template format error: At least one Resources member must be defined."),
    ({"Resources": ["a"]}, "Template format error: Resources must be an object."),
    ({"Resources": {"A": "a"}}, "Template format error: Resources.A must be an object."),
    (one(Type=None), "Template format error: [/Resources/A] Every Resources object must contain a Type member."),
    (
        {"Parameters": {"P": {}}, **one()},
        "Template format error: [/Parameters/P] Every Parameters object must contain a Type member.",
    ),
    (one(Properties=[]), "Template format error: [/Resources/A/Properties] must be an object."),
    (named({"Ref": "Nowhere"}), UNRESOLVED.format("Resources")),
    (named({"Fn::GetAtt": ["Nowhere", "Arn"]}), UNRESOLVED.format("Resources")),
    (named({"Fn::Sub": "a ${Nowhere.Arn} of ${AWS::Region}"}), UNRESOLVED.format("Resources")),
    (named({"Fn::Sub": ["${Given} ${Nowhere}", {"Given": "a"}]}), UNRESOLVED.format("Resources")),
    (one(DependsOn="Nowhere"), UNRESOLVED.format("Resources")),
    ({**one(), "Outputs": {"O": {"Value": {"Ref": "Nowhere"}}}}, UNRESOLVED.format("Outputs")),
    (
        named({"Fn::GetAtt": ["A"]}),
        f'{ATTRIBUTE}: A has ["A"]',
    ),
    (
        one(Condition="Never"),
        "Template format error: Unresolved condition dependency Never in the Resources block of the template",
    ),
    (
        {"Resources": {"A": {**one(DependsOn="B")["Resources"]["A"]}, "B": one(DependsOn="A")["Resources"]["A"]}},
        "Circular dependency between resources: [A, B]",
    ),
]


@pytest.mark.parametrize(("template", "problem"), CASES, ids=range(len(CASES)))
def test_what_is_no_template_is_refused(connect: Connect, template: Any, problem: str) -> None:
    client = connect("cloudformation", REGION)
    body = template if isinstance(template, str) else json.dumps(template)
    set_of = {"ChangeSetName": "c", "ChangeSetType": "CREATE"}
    calls: list[Callable[[], Any]] = [
        lambda: client.validate_template(TemplateBody=body),
        lambda: client.get_template_summary(TemplateBody=body),
        lambda: client.create_stack(StackName="none", TemplateBody=body),
        lambda: client.create_change_set(StackName="none", TemplateBody=body, **set_of),
    ]
    for call in calls:
        with pytest.raises(ClientError) as error:
            call()
        assert error.value.response["Error"] == {"Type": "Sender", "Code": "ValidationError", "Message": problem}
    assert "none" not in {one["StackName"] for one in client.list_stacks()["StackSummaries"]}


def test_what_a_function_cannot_work_out_is_refused(connect: Connect, stack: Stack) -> None:
    stack.deploy(A=window())
    wrong = named({"Fn::Select": [5, {"Fn::Split": [",", "a,b"]}]})
    with pytest.raises(ClientError, match=r"Template error: .*out of range") as error:
        connect("cloudformation", REGION).create_change_set(
            StackName=stack.name, ChangeSetName="c", ChangeSetType="UPDATE", TemplateBody=json.dumps(wrong)
        )
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_what_refers_to_what_there_is_is_taken(connect: Connect) -> None:
    good = {
        "Parameters": {"P": {"Type": "String", "Default": "a"}},
        "Conditions": {"Yes": {"Fn::Equals": [{"Ref": "P"}, "a"]}},
        "Resources": {
            "A": {
                "Type": KIND,
                "Properties": {**PROPERTIES, "Name": {"Fn::Sub": ["${P}${V}${AWS::Region}", {"V": "b"}]}},
            },
            "B": {"Type": KIND, "Properties": PROPERTIES, "DependsOn": ["A"], "Condition": "Yes"},
        },
        "Outputs": {"O": {"Value": {"Ref": "A"}, "Condition": "Yes"}},
    }
    connect("cloudformation", REGION).validate_template(TemplateBody=json.dumps(good))
