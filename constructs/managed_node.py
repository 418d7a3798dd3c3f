"""What AWS wants on the role of every managed node.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/setup-instance-permissions.html.
"""

from __future__ import annotations

from aws_cdk import aws_iam as iam
from constructs import Construct
from constructs.acknowledgment import acknowledge


def core_policy(role: Construct) -> iam.IManagedPolicy:
    """Return AWS's policy for managed nodes, and say on the role's construct why it may be there."""
    acknowledge(
        role,
        "What AWS wants on a managed node; none of its actions but reading parameters takes a resource.",
        "AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/AmazonSSMManagedInstanceCore]",
    )
    return iam.ManagedPolicy.from_aws_managed_policy_name("AmazonSSMManagedInstanceCore")
