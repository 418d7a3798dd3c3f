"""Command output in CloudWatch Logs, which a node writes as itself.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-rc-setting-up-cwlogs.html. AWS writes every
30 seconds; here all of it comes at the end.
"""

from __future__ import annotations

from collections.abc import Callable

from lab.cloud import Cloud
from lab.command import Command, Invocation, StepRun
from lab.network import unreachable
from lab.node import ManagedNode


def default_group(document: str) -> str:
    """Return the log group that a command of this document writes to if it names none."""
    return f"/aws/ssm/{document}"


class LogOutput:
    """What commands leave in the log groups of an account and Region.

    Args:
        cloud: where the log groups are.
        log: takes what is not written, in words.
    """

    def __init__(self, cloud: Cloud, log: Callable[[str], None]) -> None:
        self._cloud = cloud
        self._log = log

    def store(self, command: Command, invocation: Invocation, node: ManagedNode) -> None:
        """Write what the steps of an invocation said, if the command wants it and the node's role may."""
        if not command.log_group:
            return
        for run in invocation.steps:
            for stream, text in (("stdout", run.output), ("stderr", run.error)):
                # A stream is made only where there is something to write.
                if not text or run.started == run.ended:
                    continue
                problem = self._write(command, _stream(command, invocation, run, stream), text, node)
                if problem:
                    # As on AWS, output that cannot be stored does not fail the command.
                    self._log(f"command {command.id}: output of {node.id} not logged: {problem}")

    def _write(self, command: Command, stream: str, text: str, node: ManagedNode) -> str:
        """Write a stream, and say why that was not possible; empty if it was."""
        group, role = command.log_group, node.role
        problem = unreachable(node.network, "logs", role, ("logs:CreateLogStream", "logs:PutLogEvents"))
        if problem:
            return problem
        known = self._cloud.has_log_group(group)
        # The ARNs are those that IAM is asked with: what is not about one stream names an empty one.
        prefix = f"arn:aws:logs:{self._cloud.region}:{self._cloud.account}:log-group"
        whole = f"{prefix}:{group}:log-stream:"
        needed = [
            ("logs:DescribeLogGroups", f"{prefix}::log-stream:"),
            *([] if known else [("logs:CreateLogGroup", whole)]),
            ("logs:CreateLogStream", f"{whole}{stream}"),
            ("logs:DescribeLogStreams", whole),
            ("logs:PutLogEvents", f"{whole}{stream}"),
        ]
        for action, resource in needed:
            if not self._cloud.allowed(role, action, resource):
                return f"{role} does not allow {action} on {resource}"
        self._cloud.put_log_events(group, stream, text.splitlines())
        return ""


def _stream(command: Command, invocation: Invocation, run: StepRun, stream: str) -> str:
    # A colon, which the plugins of old documents have in their names, is not allowed in the name of a stream.
    return f"{command.id}/{invocation.node_id}/{run.name.replace(':', '-')}/{stream}"
