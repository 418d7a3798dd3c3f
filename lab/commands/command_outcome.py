"""How a command ends once every node has a final status.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/monitor-commands.html.
"""

from __future__ import annotations

from lab.records.command import Command, Status

_NOT_REACHED = ("AccessDenied", "InvalidPlatform", "Undeliverable")
"""Of these invocations the status says nothing, unless there are no others."""


def outcome(command: Command) -> tuple[Status, str]:
    """Return the final status of a command, and its details."""
    reached = [one for one in command.invocations.values() if one.details not in _NOT_REACHED]
    enough = command.rate_control.stops_after(len(command.invocations))
    if command.status is Status.CANCELLING or any(one.status is Status.CANCELLED for one in reached):
        return Status.CANCELLED, "Cancelled"
    if not reached:
        return Status.FAILED, "Failed"
    if command.errors >= enough:
        timed_out = sum(one.details == "ExecutionTimedOut" for one in reached)
        return (Status.TIMED_OUT, "ExecutionTimedOut") if timed_out == command.errors else (Status.FAILED, "Failed")
    if all(one.status is Status.SUCCESS for one in reached):
        return Status.SUCCESS, "Success"
    if sum(one.details == "DeliveryTimedOut" for one in reached) >= min(enough, len(reached)):
        return Status.TIMED_OUT, "DeliveryTimedOut"
    return Status.FAILED, "Incomplete"
