"""Command output in CloudWatch Logs, which a node writes as itself.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-rc-setting-up-cwlogs.html. AWS writes every
30 seconds; here all of it comes at the end.
"""

from __future__ import annotations

from lab.world.cloud import Cloud


def default_group(document: str) -> str:
    """Return the log group that a command writes to if it names none, for its document's name or ARN."""
    return f"/aws/ssm/{document.rpartition('/')[2]}"


class LogOutput:
    """What commands leave in the log groups of an account and Region.

    Args:
        cloud: where the log groups are.
    """

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def write(self, group: str, stream: str, text: str, role: str) -> str:
        """Write to a stream of a log group as a role, and say why that was not possible; empty if it was."""
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
