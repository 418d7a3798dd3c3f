"""What a node needs besides AmazonSSMManagedInstanceCore.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/setup-instance-permissions.html.
"""

from __future__ import annotations

from aws_cdk import Acknowledgment, Validations
from aws_cdk import aws_iam as iam
from constructs import Construct
from constructs.output_bucket import OutputBucket


class NodePolicy(Construct):
    """A managed policy to attach to the role of every node: it may write its output, under the prefix only.

    Args:
        scope: where it is made.
        id: its name there.
        name: the policy's name, to attach it by.
        output: where the output goes.
    """

    def __init__(self, scope: Construct, id: str, *, name: str, output: OutputBucket) -> None:  # noqa: A002 CDK's own name
        super().__init__(scope, id)
        self.policy = iam.ManagedPolicy(
            self, "Resource", managed_policy_name=name, description="Patching: write command output to the bucket"
        )
        output.grant_write(self.policy)
        Validations.of(self.policy).acknowledge(
            Acknowledgment(
                id=f"AwsSolutions-IAM5[Resource::<{output.logical_id}.Arn>/{output.prefix}/*]",
                reason="The objects under the prefix, whose names hold the ids of commands and nodes to come.",
            )
        )
