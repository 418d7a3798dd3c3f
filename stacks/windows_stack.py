"""Windows for which the patching stack has no room."""

from __future__ import annotations

from collections.abc import Iterable

from aws_cdk import Stack
from constructs import Construct

from patching.policy import Policy
from stacks.windows import Means, add_events, add_windows


class WindowsStack(Stack):
    """Further windows of an environment; what they send and write with is in its patching stack."""

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002 CDK's own name
        *,
        policy: Policy,
        number: int,
        names: Iterable[str],
        means: Means,
    ) -> None:
        super().__init__(
            scope,
            id,
            stack_name=policy.deployment.name(f"windows-{number}"),
            description=f"Further windows of the environment {policy.environment}",
        )
        add_events(self, policy, add_windows(self, policy, names, means), means.notifications)
