"""One environment: the stacks that a policy becomes."""

from __future__ import annotations

from aws_cdk import Stage, Tags
from constructs import Construct

from patching.deployment import ENVIRONMENT_TAG
from patching.policy import Policy
from stacks.fleet_stack import FleetStack
from stacks.patching_stack import PatchingStack


class Environment(Stage):
    """A stage with the stack that patches and, if the policy has a fleet, the stack with its nodes."""

    def __init__(self, scope: Construct, id: str, *, policy: Policy) -> None:  # noqa: A002 CDK's own name
        super().__init__(scope, id)
        self.patching = PatchingStack(self, "Patching", policy=policy)
        if policy.fleet is not None:
            FleetStack(self, "Fleet", policy=policy, fleet=policy.fleet, node_policy=self.patching.node_policy)
        for key, value in policy.tags.items():
            Tags.of(self).add(key, value)
        Tags.of(self).add(ENVIRONMENT_TAG, policy.environment)
