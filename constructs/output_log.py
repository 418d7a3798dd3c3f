"""The log group that commands write their output to, beside the bucket.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-rc-setting-up-cwlogs.html and
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html.
"""

from __future__ import annotations

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from constructs import Construct
from constructs.acknowledgment import acknowledge, as_in_findings

from patching.retention import log_retention


class OutputLog(Construct):
    """An encrypted log group.

    Args:
        scope: where it is made.
        id: its name there.
        name: the log group's name.
        key: the key that encrypts it; CloudWatch Logs is allowed to use it for this group.
        retention_days: days after which output is deleted, rounded up to what CloudWatch Logs takes.
        keep_on_destroy: leave the group in the account when the stack is destroyed.

    Raises:
        InvalidValueError: a retention that is not 1 to 3,650 days.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002 CDK's own name
        *,
        name: str,
        key: kms.IKey,
        retention_days: int,
        keep_on_destroy: bool,
    ) -> None:
        super().__init__(scope, id)
        stack = Stack.of(self)
        self.name = name
        self._arn = f"arn:{stack.partition}:logs:{stack.region}:{stack.account}:log-group:{name}"
        key.add_to_resource_policy(
            iam.PolicyStatement(
                actions=["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"],
                resources=["*"],
                principals=[iam.ServicePrincipal(f"logs.{stack.region}.amazonaws.com")],
                conditions={"ArnEquals": {"kms:EncryptionContext:aws:logs:arn": self._arn}},
            )
        )
        self.resource = logs.CfnLogGroup(
            self,
            "Resource",
            log_group_name=name,
            kms_key_id=key.key_arn,
            retention_in_days=log_retention(retention_days),
        )
        self.resource.apply_removal_policy(RemovalPolicy.RETAIN if keep_on_destroy else RemovalPolicy.DESTROY)

    def grant_write(self, policy: iam.ManagedPolicy) -> None:
        """Allow to write streams of the group, and to see whether group and stream are there, as the agent does."""
        stack = Stack.of(self)
        iam.Grant.add_to_principal(
            grantee=policy,
            actions=["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
            resource_arns=[self._arn, f"{self._arn}:log-stream:*"],
        )
        every = f"arn:{stack.partition}:logs:{stack.region}:{stack.account}:log-group:*"
        iam.Grant.add_to_principal(grantee=policy, actions=["logs:DescribeLogGroups"], resource_arns=[every])
        account = "arn:<AWS::Partition>:logs:<AWS::Region>:<AWS::AccountId>:log-group:"
        acknowledge(
            policy,
            "The streams of the environment's own log group, whose names hold the ids of commands and nodes to come.",
            f"AwsSolutions-IAM5[Resource::{account}{as_in_findings(self, self.name)}:log-stream:*]",
        )
        acknowledge(
            policy,
            "Listing log groups cannot be limited to one; the agent lists them to see whether its own is there.",
            f"AwsSolutions-IAM5[Resource::{account}*]",
        )
