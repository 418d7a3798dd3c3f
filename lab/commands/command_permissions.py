"""What a role that sends a command has to be allowed, and a role that publishes what comes of it.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/run-command-setting-up.html and
https://docs.aws.amazon.com/systems-manager/latest/userguide/monitoring-sns-notifications.html.
"""

from __future__ import annotations

from lab.commands.command_results import SERVICE
from lab.nodes.node import ManagedNode
from lab.records.command import Notification
from lab.records.documents import Document
from lab.world.cloud import Cloud
from lab.world.errors import ApiError


def check_notification(cloud: Cloud, notification: Notification) -> None:
    """Refuse a role that cannot publish.

    Raises:
        ApiError: Systems Manager cannot assume it.
    """
    if not cloud.trusts(notification.role, SERVICE):
        raise ApiError("InvalidRole", f"{SERVICE} cannot assume {notification.role or 'a role that is not given'}.")


def check_sender(cloud: Cloud, role: str, document: Document, notification: Notification | None) -> None:
    """Refuse a role that may not send a document, or may not hand over the role that publishes.

    Raises:
        ApiError: AccessDeniedException.
    """
    if not cloud.trusts(role, SERVICE):
        raise ApiError("AccessDeniedException", f"{SERVICE} cannot assume {role}.")
    if not cloud.allowed(role, "ssm:SendCommand", document.arn):
        raise ApiError(
            "AccessDeniedException", f"{role} is not authorized to perform ssm:SendCommand on {document.arn}."
        )
    passing = {"iam:PassedToService": SERVICE}
    if notification and not cloud.allowed(role, "iam:PassRole", notification.role, passing):
        raise ApiError(
            "AccessDeniedException", f"{role} is not authorized to perform iam:PassRole on {notification.role}."
        )


def may_send_to(cloud: Cloud, role: str, node: ManagedNode) -> bool:
    """Tell whether a role may send commands to a node, which its tags may decide."""
    context = {f"ssm:resourceTag/{key}": value for key, value in node.tags.items()}
    context |= {f"aws:ResourceTag/{key}": value for key, value in node.tags.items()}
    return cloud.allowed(role, "ssm:SendCommand", node.arn(cloud.region, cloud.account), context)
