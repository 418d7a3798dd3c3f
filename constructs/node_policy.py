"""What a node needs besides AmazonSSMManagedInstanceCore.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/setup-instance-permissions.html.
"""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import aws_iam as iam
from constructs import Construct
from constructs.acknowledgment import acknowledge
from constructs.output_bucket import OutputBucket
from constructs.output_log import OutputLog

from patching.deployment import OVERRIDES_PREFIX


class NodePolicy(Construct):
    """A managed policy to attach to the role of every node: it may write its output, under the prefix only.

    It may read what installations by hand do otherwise than the baselines say, which operators put into the bucket.

    Where windows ask for it, a node may also write to the log group, and read the override lists.

    Args:
        scope: where it is made.
        id: its name there.
        name: the policy's name, to attach it by.
        output: where the output goes.
        log: the log group that output goes to as well; none by default.
        override_lists: ARNs of the S3 objects that windows name as override lists.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002 CDK's own name
        *,
        name: str,
        output: OutputBucket,
        log: OutputLog | None = None,
        override_lists: Sequence[str] = (),
    ) -> None:
        super().__init__(scope, id)
        self.policy = iam.ManagedPolicy(
            self, "Resource", managed_policy_name=name, description="Patching: write command output to the bucket"
        )
        output.grant_write(self.policy)
        output.grant_read_overrides(self.policy)
        if log is not None:
            log.grant_write(self.policy)
        if override_lists:
            iam.Grant.add_to_principal(
                grantee=self.policy, actions=["s3:GetObject"], resource_arns=list(override_lists)
            )
        acknowledge(
            self.policy,
            "The objects under the prefix, whose names hold the ids of commands and nodes to come.",
            f"AwsSolutions-IAM5[Resource::<{output.logical_id}.Arn>/{output.prefix}/*]",
            f"AwsSolutions-IAM5[Resource::<{output.logical_id}.Arn>/{OVERRIDES_PREFIX}/*]",
        )
