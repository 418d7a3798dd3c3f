"""The role as which Systems Manager sends AWS-RunPatchBaseline to an environment's nodes.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/configuring-maintenance-window-permissions-cli.html
for windows and, for the scope of SendCommand,
https://docs.aws.amazon.com/systems-manager/latest/userguide/run-command-setting-up.html.
"""

from __future__ import annotations

from aws_cdk import Acknowledgment, Stack, Validations
from aws_cdk import aws_iam as iam
from constructs import Construct

from patching.deployment import ENVIRONMENT_TAG
from patching.run_patch_baseline import DOCUMENT_NAME


class DispatchRole(Construct):
    """A role that may send AWS-RunPatchBaseline to the nodes of one environment, and follow what it sent.

    Args:
        scope: where it is made.
        id: its name there.
        environment: value of the nodes' tag `Environment`.
        description: what uses the role.
    """

    def __init__(self, scope: Construct, id: str, *, environment: str, description: str) -> None:  # noqa: A002 CDK's own name
        super().__init__(scope, id)
        stack = Stack.of(self)
        self.role = iam.Role(
            self, "Resource", assumed_by=iam.ServicePrincipal("ssm.amazonaws.com"), description=description
        )
        # The document and the nodes are two statements: the condition on a node's tag would never hold for a document.
        # A document of AWS has an ARN without an account.
        iam.Grant.add_to_principal(
            grantee=self.role,
            actions=["ssm:SendCommand"],
            resource_arns=[f"arn:{stack.partition}:ssm:{stack.region}::document/{DOCUMENT_NAME}"],
        )
        nodes = [
            f"arn:{stack.partition}:ec2:{stack.region}:{stack.account}:instance/*",
            f"arn:{stack.partition}:ssm:{stack.region}:{stack.account}:managed-instance/*",
        ]
        iam.Grant.add_to_principal(
            grantee=self.role,
            actions=["ssm:SendCommand"],
            resource_arns=nodes,
            conditions={"StringEquals": {f"ssm:resourceTag/{ENVIRONMENT_TAG}": environment}},
        )
        iam.Grant.add_to_principal(
            grantee=self.role,
            actions=[
                "ssm:CancelCommand",
                "ssm:GetCommandInvocation",
                "ssm:ListCommandInvocations",
                "ssm:ListCommands",
            ],
            resource_arns=["*"],
        )
        Validations.of(self.role).acknowledge(
            *(
                Acknowledgment(
                    id=f"AwsSolutions-IAM5[Resource::{resource}]",
                    reason="Every node of the environment: which ones is said by the condition on their tag.",
                )
                for resource in (
                    "arn:<AWS::Partition>:ec2:<AWS::Region>:<AWS::AccountId>:instance/*",
                    "arn:<AWS::Partition>:ssm:<AWS::Region>:<AWS::AccountId>:managed-instance/*",
                )
            ),
            Acknowledgment(
                id="AwsSolutions-IAM5[Resource::*]",
                reason="Cancelling, listing and reading commands cannot be limited to a resource in IAM.",
            ),
        )
