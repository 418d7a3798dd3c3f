"""What the target of a rule is told of an event.

Follows https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from lab.world.cloud import RuleTarget

_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]|\['([^']+)'\]")
_VARIABLE = re.compile(r"<([A-Za-z0-9_.-]+)>")
_NOTHING = object()


class TransformError(Exception):
    """An event that cannot be written as a target wants it. Its text is one line."""


def transform(target: RuleTarget, event: Mapping[str, Any]) -> str:
    """Return the text that a target is told of an event.

    A variable in quotation marks becomes a part of the text, any other one a JSON value. One whose path leads nowhere
    leaves nothing behind.

    Raises:
        TransformError: a path that is none, or a template that comes to no valid JSON.
    """
    if target.constant:
        return target.constant
    if target.template:
        return _filled(target, event)
    value = _find(event, target.path) if target.path else event
    return json.dumps(None if value is _NOTHING else value, separators=(",", ":"))


def _filled(target: RuleTarget, event: Mapping[str, Any]) -> str:
    values = {name: _find(event, path) for name, path in target.variables.items()}
    values |= {
        "aws.events.rule-arn": target.rule_arn,
        "aws.events.rule-name": target.rule,
        "aws.events.event.ingestion-time": event["time"],
        "aws.events.event": {key: value for key, value in event.items() if key != "detail"},
        "aws.events.event.json": event,
    }
    filled, quoted, position = [], False, 0
    for match in _VARIABLE.finditer(target.template):
        before = target.template[position : match.start()]
        quoted ^= _unescaped_quotes(before) % 2 == 1
        filled += [before, _written(values.get(match[1], _NOTHING), quoted=quoted)]
        position = match.end()
    text = "".join((*filled, target.template[position:]))
    if text.lstrip().startswith(("{", "[")):
        try:
            json.loads(text)
        except ValueError as error:
            raise TransformError(f"its input template comes to no valid JSON ({error}): {text}") from None
    return text


def _unescaped_quotes(text: str) -> int:
    return len(re.findall(r'(?<!\\)"', text))


def _written(value: Any, *, quoted: bool) -> str:  # noqa: ANN401 an event's values
    if value is _NOTHING:
        return ""
    if not quoted:
        return json.dumps(value, separators=(",", ":"))
    text = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
    return json.dumps(text)[1:-1]


def _find(event: Mapping[str, Any], path: str) -> Any:  # noqa: ANN401 an event's values
    """Follow a path such as `$.detail.status` or `$.resources[0]` into an event."""
    steps = list(_STEP.finditer(path))
    if not path.startswith("$") or "$" + "".join(step[0] for step in steps) != path:
        raise TransformError(f"{path!r} is not a path into an event; expected one like $.detail.status")
    value: Any = event
    for step in steps:
        name, index = step[1] or step[3], step[2]
        if index is not None:
            value = value[int(index)] if isinstance(value, list) and int(index) < len(value) else _NOTHING
        else:
            value = value.get(name, _NOTHING) if isinstance(value, Mapping) else _NOTHING
        if value is _NOTHING:
            return _NOTHING
    return value
