"""What subscribers of the topic read: messages of Run Command, and those of our rules. Both are JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from ops.session import Session

_DRAIN_ROUNDS = 3


class Mailbox:
    """A queue that is subscribed to a topic: what stands in here for the mailboxes of people.

    Args:
        session: the connection to the local AWS.
        topic: the ARN of the topic.
        name: what the queue is called.

    Attributes:
        messages: what has come so far, as the topic wrote it.
    """

    def __init__(self, session: Session, topic: str, name: str) -> None:
        self.messages: list[dict[str, Any]] = []
        self._sqs = session.sqs
        self._queue = self._sqs.create_queue(QueueName=name)["QueueUrl"]
        asked = self._sqs.get_queue_attributes(QueueUrl=self._queue, AttributeNames=["QueueArn"])
        arn = asked["Attributes"]["QueueArn"]
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self._sqs.set_queue_attributes(QueueUrl=self._queue, Attributes={"Policy": policy})
        session.sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)

    def receive(self) -> None:
        """Take what has come; a queue may show nothing although there is something, and is asked again."""
        empty_rounds = 0
        while empty_rounds < _DRAIN_ROUNDS:
            found = self._sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10).get("Messages", [])
            empty_rounds = 0 if found else empty_rounds + 1
            for message in found:
                self.messages.append(json.loads(message["Body"]))
                self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])


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
