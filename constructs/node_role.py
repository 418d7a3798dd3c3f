"""The role of the nodes of a lab's fleet.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/setup-instance-permissions.html.
"""

from __future__ import annotations

from aws_cdk import aws_iam as iam
from constructs import Construct
from constructs.managed_node import core_policy


class NodeRole(Construct):
    """A role, and its instance profile, with what Systems Manager needs and the policy that lets it write its output.

    Args:
        scope: where it is made.
        id: its name there.
        node_policy: see `NodePolicy`.
    """

    def __init__(self, scope: Construct, id: str, *, node_policy: iam.IManagedPolicy) -> None:  # noqa: A002 CDK's own name
        super().__init__(scope, id)
        self.role = iam.Role(
            self,
            "Resource",
            assumed_by=iam.ServicePrincipal("ec2.amazonaws.com"),
            description="Nodes of the fleet: managed by Systems Manager",
            managed_policies=[core_policy(self), node_policy],
        )
        self.profile = iam.InstanceProfile(self, "Profile", role=self.role)
