"""What a role needs that sends commands to an environment's nodes.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/run-command-setting-up.html.
"""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from constructs import Construct
from constructs.acknowledgment import acknowledge

from patching.deployment import ENVIRONMENT_TAG
from patching.form import DOCUMENT

_FOLLOWING = (
    "ssm:CancelCommand",
    "ssm:GetCommandInvocation",
    "ssm:ListCommandInvocations",
    "ssm:ListCommands",
)


def document_arn(scope: Construct, name: str) -> str:
    """Return the ARN of a document; one of AWS's own has no account.

    Raises:
        InvalidValueError: not the name of a document.
    """
    DOCUMENT.check(name)
    stack = Stack.of(scope)
    account = "" if name.startswith("AWS-") else stack.account
    return f"arn:{stack.partition}:ssm:{stack.region}:{account}:document/{name}"


def grant_commands(policy: iam.ManagedPolicy, *, environment: str, documents: Sequence[str]) -> None:
    """Allow to send these documents to the nodes of one environment, and to follow what was sent."""
    stack = Stack.of(policy)
    # The document and the nodes are two statements: the condition on a node's tag would never hold for a document.
    iam.Grant.add_to_principal(
        grantee=policy,
        actions=["ssm:SendCommand"],
        resource_arns=[document_arn(policy, name) for name in documents],
    )
    iam.Grant.add_to_principal(
        grantee=policy,
        actions=["ssm:SendCommand"],
        resource_arns=[
            f"arn:{stack.partition}:ec2:{stack.region}:{stack.account}:instance/*",
            f"arn:{stack.partition}:ssm:{stack.region}:{stack.account}:managed-instance/*",
        ],
        conditions={"StringEquals": {f"ssm:resourceTag/{ENVIRONMENT_TAG}": environment}},
    )
    iam.Grant.add_to_principal(grantee=policy, actions=list(_FOLLOWING), resource_arns=["*"])
    acknowledge(
        policy,
        "Every node of the environment: which ones is said by the condition on their tag.",
        "AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:ec2:<AWS::Region>:<AWS::AccountId>:instance/*]",
        "AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:ssm:<AWS::Region>:<AWS::AccountId>:managed-instance/*]",
    )
    acknowledge(
        policy,
        "Cancelling, listing and reading commands cannot be limited to a resource in IAM.",
        "AwsSolutions-IAM5[Resource::*]",
    )
