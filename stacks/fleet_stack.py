"""The nodes of a lab."""

from __future__ import annotations

from aws_cdk import Stack
from constructs import Construct
from constructs.fleet_network import FleetNetwork
from constructs.fleet_node import FleetNode
from constructs.node_role import NodeRole

from patching.deployment import OVERRIDES_PREFIX
from patching.policy import Policy
from patching.policy.fleet import Fleet, NetworkKind
from stacks.patching_stack import PatchingStack


class FleetStack(Stack):
    """A network and the instances in it, tagged as the policy says."""

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002 CDK's own name
        *,
        policy: Policy,
        fleet: Fleet,
        patching: PatchingStack,
    ) -> None:
        super().__init__(
            scope,
            id,
            stack_name=policy.deployment.fleet_stack,
            description=f"Nodes of the environment {policy.environment}",
        )
        isolated = fleet.network.kind is NetworkKind.ISOLATED
        read = [
            *patching.override_lists,
            *(f"arn:{self.partition}:s3:::{bucket}/*" for bucket in _mirrors(policy)),
        ]
        if isolated:
            read.append(patching.output.bucket.arn_for_objects(f"{OVERRIDES_PREFIX}/*"))
        network = FleetNetwork(
            self,
            "Network",
            network=fleet.network,
            written_buckets=[patching.output.bucket.bucket_arn] if isolated else [],
            read_objects=read if isolated else [],
            logs=any(install.cloudwatch_logs for install in policy.install.values()),
        )
        profile = NodeRole(self, "NodeRole", node_policy=patching.node_policy).profile
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
                network=network,
                profile=profile,
            )


def _mirrors(policy: Policy) -> list[str]:
    """Return the buckets of the alternative sources that nodes of the fleet use."""
    found = [bucket for source in policy.fleet_sources.values() for bucket in source.addresses.values() if bucket]
    return list(dict.fromkeys(found))
