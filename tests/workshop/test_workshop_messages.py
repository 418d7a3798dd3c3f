"""What subscribers of the topic read."""

from __future__ import annotations

import json

import pytest

from lab.workshop_messages import TopicMessage, read_message

RULE = {
    "summary": "A maintenance window opened or ended",
    "environment": "lab",
    "subject": "mw-1",
    "status": "SUCCESS",
    "time": "2026-11-17T17:00:00Z",
}


def test_a_message_of_a_rule_says_what_happened_to_what() -> None:
    assert read_message(json.dumps(RULE)) == TopicMessage(
        "2026-11-17T17:00:00Z", "A maintenance window opened or ended", "mw-1", "SUCCESS"
    )


@pytest.mark.parametrize(("node", "subject"), [({"instanceId": "i-1"}, "i-1"), ({"instanceIds": []}, "")])
def test_a_message_of_run_command_tells_of_a_command_or_of_a_node(node: dict[str, object], subject: str) -> None:
    text = json.dumps({"commandId": "0123456789", "eventTime": "then", "status": "Failed", **node})
    assert read_message(text) == TopicMessage("then", "Command 01234567", subject, "Failed", "0123456789")


def test_anything_else_is_no_message_of_the_topic() -> None:
    with pytest.raises(ValueError, match="Expecting value"):
        read_message("hello")
