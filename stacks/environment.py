"""One environment: the stacks that a policy becomes."""

from __future__ import annotations

from aws_cdk import Stage, Tags
from constructs import Construct

from patching.deployment import ENVIRONMENT_TAG
from patching.policy import Policy
from stacks.patching_stack import PatchingStack
from stacks.policy_metadata import TOLD, told
from stacks.windows import batches
from stacks.windows_stack import WindowsStack


class Environment(Stage):
    """A stage with the stack that patches, those with windows that it has no room for, and the one with the fleet."""

    def __init__(self, scope: Construct, id: str, *, policy: Policy) -> None:  # noqa: A002 CDK's own name
        super().__init__(scope, id)
        self.patching = PatchingStack(self, "Patching", policy=policy)
        self.patching.node.add_metadata(TOLD, told(policy))
        for number, names in enumerate(batches(policy)[1:], 2):
            assert self.patching.means is not None  # noqa: S101 there are windows
            WindowsStack(self, f"Windows{number}", policy=policy, number=number, names=names, means=self.patching.means)
        if policy.fleet is not None:
            # A tenth of a second, for what only labs have.
            from stacks.fleet_stack import FleetStack  # noqa: PLC0415

            FleetStack(self, "Fleet", policy=policy, fleet=policy.fleet, patching=self.patching)
        for key, value in policy.tags.items():
            Tags.of(self).add(key, value)
        Tags.of(self).add(ENVIRONMENT_TAG, policy.environment)
