"""What subscribers of the topic read: messages of Run Command, and those of our rules. Both are JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass


@dataclass(frozen=True)
class TopicMessage:
    """A message, taken apart.

    Attributes:
        at: when it happened, as the message has it.
        what: what it is about, in words.
        subject: the node, window or association; empty for a command on the whole.
        status: the status that it tells.
        command_id: the command that it tells of; empty for what a rule tells.
    """

    at: str
    what: str
    subject: str
    status: str
    command_id: str = ""


def read_message(text: str) -> TopicMessage:
    """Read a message of the topic.

    Raises:
        ValueError: it is neither Run Command's nor a rule's.
        KeyError: it lacks something.
    """
    told = json.loads(text)
    if "commandId" in told:
        command = told["commandId"]
        return TopicMessage(
            told["eventTime"], f"Command {command[:8]}", told.get("instanceId", ""), told["status"], command
        )
    return TopicMessage(told["time"], told["summary"], told["subject"], told["status"])
