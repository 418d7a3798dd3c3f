"""The nodes of a lab."""

from __future__ import annotations

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from constructs import Construct
from constructs.fleet_network import FleetNetwork
from constructs.fleet_node import FleetNode
from constructs.node_role import NodeRole

from patching.policy import Fleet, Policy


class FleetStack(Stack):
    """A network and the instances in it, tagged as the policy says."""

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002 CDK's own name
        *,
        policy: Policy,
        fleet: Fleet,
        node_policy: iam.IManagedPolicy,
    ) -> None:
        super().__init__(
            scope,
            id,
            stack_name=policy.deployment.fleet_stack,
            description=f"Nodes of the environment {policy.environment}",
        )
        network = FleetNetwork(self, "Network")
        profile = NodeRole(self, "NodeRole", node_policy=node_policy).profile
        for node in fleet.nodes:
            FleetNode(
                self,
                f"Node-{node.name}",
                name=policy.deployment.name(node.name),
                operating_system=node.operating_system,
                image_parameter=node.image_parameter,
                instance_type=node.instance_type,
                volume_gib=node.volume_gib,
                tags=policy.node_tags(node),
                vpc=network.vpc,
                security_group=network.security_group,
                profile=profile,
            )
