"""What comes of a command: who is told of it, and where its output is kept.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/monitoring-sns-notifications.html.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from lab.nodes.node import ManagedNode
from lab.records.command import Command, Invocation, Notification, iso
from lab.world.clock import Clock
from lab.world.cloud import Cloud
from lab.world.log_output import LogOutput
from lab.world.network import s3_refusal, unreachable
from lab.world.output import Output
from lab.world.publishing import Publishing

SERVICE = "ssm.amazonaws.com"
_LOGGING = ("logs:CreateLogStream", "logs:PutLogEvents")


class CommandResults:
    """Hands the results of commands on.

    Args:
        cloud: the rest of the account.
        clock: the lab's clock.
        publishing: by which topics are told.
        log: takes what happens, in words.
    """

    def __init__(self, cloud: Cloud, clock: Clock, publishing: Publishing, log: Callable[[str], None]) -> None:
        self._cloud = cloud
        self._clock = clock
        self._publishing = publishing
        self._log = log
        self._logs = LogOutput(cloud)

    def publish(self, command: Command, notification: Notification, summary: dict[str, object]) -> None:
        """Tell a topic of a change; as on AWS, one that cannot be told fails nothing."""
        message = json.dumps({**summary, "eventTime": iso(self._clock.now)}, separators=(",", ":"))
        self._publishing.publish(
            f"command {command.id}",
            SERVICE,
            notification.topic,
            message,
            role=notification.role,
            subject=f"EC2 Run Command Notification {self._cloud.region}",
        )

    def store(self, command: Command, invocation: Invocation, node: ManagedNode) -> None:
        """Put the output of an invocation's steps where the command wants it: a bucket, a log group or both."""
        for run in invocation.steps:
            for stream, text in (("stdout", run.printed), ("stderr", Output(run.error))):
                # There is an object, and a stream, only for what says something.
                if not text or run.skipped:
                    continue
                if command.bucket:
                    key = command.output_key(invocation, run, stream)
                    problem = self._put(command.bucket, key, text, node)
                    invocation.output_stored = invocation.output_stored or not problem
                    self._note(command, node, "stored", problem)
                if command.log_group:
                    name = command.log_stream(invocation, run, stream)
                    problem = unreachable(node.network, "logs", node.role, _LOGGING) or self._logs.write(
                        command.log_group, name, str(text), node.role
                    )
                    self._note(command, node, "logged", problem)

    def _note(self, command: Command, node: ManagedNode, what: str, problem: str) -> None:
        if problem:
            # As on AWS, output that cannot be stored does not fail the command.
            self._log(f"command {command.id}: output of {node.id} not {what}: {problem}")

    def _put(self, bucket: str, key: str, text: Output, node: ManagedNode) -> str:
        """Write an object as a node, and say why that was not possible; empty if it was."""
        problem = self._cannot_write(node, bucket, key)
        if problem:
            return problem
        try:
            self._cloud.put_object(bucket, key, text)
        except KeyError:
            return f"there is no bucket {bucket}"
        return ""

    def _cannot_write(self, node: ManagedNode, bucket: str, key: str) -> str:
        role, arn = node.role, f"arn:aws:s3:::{bucket}/{key}"
        refusal = s3_refusal(node.network, role, "s3:PutObject", arn)
        if refusal:
            return refusal
        if not self._cloud.allowed(role, "s3:PutObject", arn):
            return f"{role} does not allow s3:PutObject on {arn}"
        encryption_key = self._cloud.bucket_key(bucket)
        if encryption_key and not self._cloud.allowed(role, "kms:GenerateDataKey", encryption_key):
            return f"{role} does not allow kms:GenerateDataKey on {encryption_key}"
        return ""
