"""The role of machines outside of AWS that register with an activation.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/hybrid-multicloud-service-role.html.
"""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from constructs import Construct
from constructs.managed_node import core_policy

from patching.tags import check_tags


class HybridRole(Construct):
    """A role for an activation, which CloudFormation cannot make itself: `command` is the call that does.

    Args:
        scope: where it is made.
        id: its name there.
        name: the role's name, by which an activation takes it.
        node_policy: see `NodePolicy`.
        tags: tags that the activation gives its machines.

    Raises:
        InvalidValueError: tags that AWS does not take.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002 CDK's own name
        *,
        name: str,
        node_policy: iam.IManagedPolicy,
        tags: Mapping[str, str],
    ) -> None:
        super().__init__(scope, id)
        check_tags(tags)
        stack = Stack.of(self)
        self.role = iam.Role(
            self,
            "Resource",
            role_name=name,
            assumed_by=iam.ServicePrincipal(
                "ssm.amazonaws.com",
                conditions={
                    "StringEquals": {"aws:SourceAccount": stack.account},
                    "ArnEquals": {"aws:SourceArn": f"arn:{stack.partition}:ssm:{stack.region}:{stack.account}:*"},
                },
            ),
            description="Machines outside of AWS: managed by Systems Manager",
            managed_policies=[core_policy(self), node_policy],
        )
        given = " ".join(f'"Key={key},Value={value}"' for key, value in tags.items())
        self.command = f"aws ssm create-activation --iam-role {name} --registration-limit 1 --tags {given}"
