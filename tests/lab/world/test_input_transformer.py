"""What the target of a rule is told of an event."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lab.world.cloud import RuleTarget
from lab.world.input_transformer import TransformError, transform

EVENT: dict[str, Any] = {
    "version": "0",
    "detail-type": "EC2 Command Status-change Notification",
    "time": "2026-03-15T00:00:00Z",
    "resources": ["arn:one", "arn:two"],
    "detail": {"status": "Failed", "parameters": {"Operation": ["Scan"]}, "said": 'a "b"', "count": 3},
}


def told(template: str = "", **fields: Any) -> str:
    variables = {
        "status": "$.detail.status",
        "count": "$.detail.count",
        "said": "$.detail.said",
        "parameters": "$.detail.parameters",
        "first": "$.resources[0]",
        "type": "$.detail-type",
        "gone": "$.detail.gone.deeper",
        "ninth": "$.resources[9]",
    }
    target = {"rule": "one", "rule_arn": "arn:rule", "arn": "arn:topic", "variables": variables, "template": template}
    return transform(RuleTarget(**{**target, **fields}), EVENT)


def test_a_target_is_told_the_whole_event_if_nothing_is_said() -> None:
    assert json.loads(told()) == EVENT


def test_a_target_may_be_told_always_the_same() -> None:
    assert told(constant='{"a": 1}') == '{"a": 1}'


def test_a_target_may_be_told_a_part_of_the_event() -> None:
    assert told(path="$.detail.parameters") == '{"Operation":["Scan"]}'
    assert told(path="$.detail.status") == '"Failed"'
    assert told(path="$") == told()


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ('"The status is <status>."', '"The status is Failed."'),
        ('{"status": <status>, "count": <count>}', '{"status": "Failed", "count": 3}'),
        ('{"text": "<count> of <first>"}', '{"text": "3 of arn:one"}'),
        ('{"text": "<said>", "more": <said>}', '{"text": "a \\"b\\"", "more": "a \\"b\\""}'),
        ('{"parameters": <parameters>}', '{"parameters": {"Operation":["Scan"]}}'),
        ('"<type>"\n"second line: <status>"', '"EC2 Command Status-change Notification"\n"second line: Failed"'),
        ('"<gone>|<ninth>|<unheard-of>"', '"||"'),
        ('"<aws.events.rule-name> <aws.events.rule-arn>"', '"one arn:rule"'),
        ('"at <aws.events.event.ingestion-time>"', '"at 2026-03-15T00:00:00Z"'),
        ('"an escaped \\"<status>\\" stays inside"', '"an escaped \\"Failed\\" stays inside"'),
    ],
)
def test_a_template_is_filled_with_values(template: str, text: str) -> None:
    assert told(template) == text


def test_the_event_itself_is_a_variable_too() -> None:
    assert json.loads(told('{"event": <aws.events.event.json>}'))["event"] == EVENT
    assert "detail" not in json.loads(told('{"event": <aws.events.event>}'))["event"]


def test_a_value_that_is_not_there_leaves_an_object_that_is_none() -> None:
    with pytest.raises(TransformError, match="its input template comes to no valid JSON"):
        told('{"gone": <gone>}')


@pytest.mark.parametrize("path", ["detail.status", "$detail", "$.detail.", "$.resources[x]", "$..status"])
def test_a_path_that_is_none_is_named(path: str) -> None:
    with pytest.raises(TransformError, match=r"is not a path into an event; expected one like \$\.detail\.status"):
        told(path=path)
