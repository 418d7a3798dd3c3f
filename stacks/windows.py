"""The windows of a policy, in whichever stack they have room."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from constructs import Construct
from constructs.dispatch_role import DispatchRole
from constructs.event_notifications import EventNotifications, Told, window_executions
from constructs.install_window import InstallWindow
from constructs.notification_topic import NotificationTopic
from constructs.output_bucket import OutputBucket
from constructs.output_log import OutputLog

from patching.policy import Policy
from patching.policy.install import CutoffBehavior
from patching.policy.notifications import Per
from patching.quotas import RESOURCES_FOR_WINDOWS

ROOM = (RESOURCES_FOR_WINDOWS, 480)
"""Resources of windows in the first stack, beside everything else, and in every further one."""


@dataclass(frozen=True)
class Means:
    """What windows send and write with.

    Attributes:
        role: the role as which they send.
        output: where the output goes.
        notifications: who is told.
        log: the log group of those windows that want one; None if no window does.
    """

    role: DispatchRole
    output: OutputBucket
    notifications: NotificationTopic
    log: OutputLog | None


def batches(policy: Policy) -> list[list[str]]:
    """Return the names of the windows of each stack, in the order of the policy; the first stack may have none."""
    found: list[list[str]] = [[]]
    used = 0
    for name, install in policy.install.items():
        needed = 1 + len(install.target_groups) + install.enabled
        if used + needed > ROOM[min(len(found), len(ROOM)) - 1]:
            found.append([])
            used = 0
        found[-1].append(name)
        used += needed
    return found


def add_windows(scope: Construct, policy: Policy, names: Iterable[str], means: Means) -> dict[str, Told]:
    """Make the windows of these names; return what is to be told of them."""
    ids = []
    for name in names:
        install = policy.install[name]
        window = InstallWindow(
            scope,
            f"Install-{name}",
            name=policy.deployment.name(name),
            description=install.description,
            times=install.open_times,
            cutoff_hours=install.cutoff_hours,
            cancel_at_cutoff=install.cutoff_behavior is CutoffBehavior.CANCEL_TASK,
            targets=policy.install_targets(name),
            rate_control=install.rate_control,
            task=policy.install_task(name),
            delivery_timeout_seconds=install.delivery_timeout_seconds,
            role=means.role,
            output=means.output,
            log=means.log if install.cloudwatch_logs else None,
            notifications=means.notifications,
            events=[str(event) for event in policy.notifications.commands.events],
            per_node=policy.notifications.commands.per is Per.NODE,
            enabled=install.enabled,
        )
        ids.append(window.window_id)
    return {"WindowExecutions": window_executions(ids)} if ids and policy.notifications.window_executions else {}


def add_events(scope: Construct, policy: Policy, told: dict[str, Told], notifications: NotificationTopic) -> None:
    """Make the rules that tell of events, if there is anything to tell."""
    if told:
        EventNotifications(scope, "Events", environment=policy.environment, told=told, notifications=notifications)
