"""What someone may who operates an environment by hand, with `patchops` or the console.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/run-command-setting-up.html and
https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssystemsmanager.html.
"""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from constructs import Construct
from constructs.acknowledgment import acknowledge
from constructs.commands import document_arn, grant_commands
from constructs.notification_topic import NotificationTopic
from constructs.output_bucket import OutputBucket

from patching.deployment import ENVIRONMENT_TAG, OVERRIDES_PREFIX
from patching.form import PRINCIPAL

READ_ANYTHING = (
    "ec2:DescribeInstances",
    "ec2:DescribeTags",
    "resource-groups:ListGroupResources",
    "ssm:DescribeInstanceInformation",
    "ssm:DescribeInstanceProperties",
    "ssm:DescribeMaintenanceWindowExecutionTaskInvocations",
    "ssm:DescribeMaintenanceWindowExecutionTasks",
    "ssm:DescribeMaintenanceWindowSchedule",
    "ssm:DescribeMaintenanceWindows",
    "ssm:DescribePatchBaselines",
    "ssm:DescribePatchGroups",
    "ssm:ListAssociations",
    "ssm:ListDocuments",
    "tag:GetResources",
)
"""Reading that IAM cannot limit to a resource."""

READ_OWN = {
    ("ssm:DescribeInstancePatchStates", "ssm:DescribeInstancePatches"): ("ec2:instance", "ssm:managed-instance"),
    (
        "ssm:DescribeMaintenanceWindowExecutions",
        "ssm:DescribeMaintenanceWindowTargets",
        "ssm:DescribeMaintenanceWindowTasks",
    ): ("ssm:maintenancewindow",),
    ("ssm:DescribeAssociation",): ("ssm:association",),
}
"""Reading that a tag limits to the environment's own nodes, windows and associations."""


class OperatorPolicy(Construct):
    """A managed policy, and a role that has it where someone is trusted.

    It may send some documents to the nodes of one environment, with its topic and its bucket, and read how it went,
    what the windows do and which patches are missing. It may put into the bucket what an installation by hand does
    otherwise than the baselines say. It may change nothing else: no window either. `patchops doctor`, which looks at
    roles and networks, needs more.

    Args:
        scope: where it is made.
        id: its name there.
        name: name of the policy and of the role.
        environment: value of the nodes' tag `Environment`.
        documents: names of the documents that may be sent.
        stack_name: the stack whose outputs say where bucket and topic are.
        output: the bucket, whose output may be read.
        notifications: the topic, whose publish role may be handed to Systems Manager.
        trusted: ARNs of who may take on the role; without any, there is no role.
        require_mfa: only with a second factor.

    Raises:
        InvalidValueError: someone is trusted who is no role, user or account.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002 CDK's own name
        *,
        name: str,
        environment: str,
        documents: Sequence[str],
        stack_name: str,
        output: OutputBucket,
        notifications: NotificationTopic,
        trusted: Sequence[str] = (),
        require_mfa: bool = True,
    ) -> None:
        super().__init__(scope, id)
        for principal in trusted:
            PRINCIPAL.check(principal)
        stack = Stack.of(self)
        self.policy = iam.ManagedPolicy(
            self,
            "Resource",
            managed_policy_name=name,
            description=f"Scan and install the nodes of {environment} by hand, and read how it went",
        )
        grant_commands(self.policy, environment=environment, documents=documents)
        notifications.grant_pass_publish_role(self.policy)
        output.grant_read(self.policy)
        output.grant_write_overrides(self.policy)
        here = f"{stack.region}:{stack.account}"
        for actions, kinds in READ_OWN.items():
            iam.Grant.add_to_principal(
                grantee=self.policy,
                actions=list(actions),
                resource_arns=[f"arn:{stack.partition}:{kind.replace(':', f':{here}:')}/*" for kind in kinds],
                conditions={"StringEquals": {f"aws:ResourceTag/{ENVIRONMENT_TAG}": environment}},
            )
        for reading, resources in (
            (
                ["ssm:DescribeDocument", "ssm:DescribeDocumentPermission", "ssm:GetDocument"],
                [document_arn(self, one) for one in documents],
            ),
            (["cloudformation:DescribeStacks"], [f"arn:{stack.partition}:cloudformation:{here}:stack/{stack_name}/*"]),
            # A node may have got any baseline, one of AWS's as well: that is what there is to find out.
            (["ssm:GetPatchBaseline"], [f"arn:{stack.partition}:ssm:{stack.region}:*:patchbaseline/*"]),
            (
                ["ssm:GetMaintenanceWindowTask"],
                [f"arn:{stack.partition}:ssm:{here}:{kind}/*" for kind in ("maintenancewindow", "windowtask")],
            ),
            # A calendar may be called anything, and be shared by another account.
            (["ssm:GetCalendarState"], [f"arn:{stack.partition}:ssm:{stack.region}:*:document/*"]),
            (list(READ_ANYTHING), ["*"]),
        ):
            iam.Grant.add_to_principal(grantee=self.policy, actions=reading, resource_arns=resources)
        there = "<AWS::Region>:<AWS::AccountId>"
        acknowledge(
            self.policy,
            "Reading the environment's windows, tasks and associations, whose ids are not known before they are made.",
            *(
                f"AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:ssm:{there}:{kind}/*]"
                for kind in ("association", "maintenancewindow", "windowtask")
            ),
        )
        acknowledge(
            self.policy,
            "A node may have got any baseline, one of AWS's as well: that is what there is to find out.",
            "AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:ssm:<AWS::Region>:*:patchbaseline/*]",
        )
        acknowledge(
            self.policy,
            "A calendar may be called anything, and be shared by another account; its state is all that is read.",
            "AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:ssm:<AWS::Region>:*:document/*]",
        )
        acknowledge(
            self.policy,
            "The environment's own stack: the last part of its ARN is made up anew with every stack.",
            f"AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:cloudformation:{there}:stack/{stack_name}/*]",
        )
        acknowledge(
            self.policy,
            "The objects under the prefix, whose names hold the ids of commands and nodes to come.",
            f"AwsSolutions-IAM5[Resource::<{output.logical_id}.Arn>/{output.prefix}/*]",
            f"AwsSolutions-IAM5[Resource::<{output.logical_id}.Arn>/{OVERRIDES_PREFIX}/*]",
        )
        if trusted:
            conditions = {"Bool": {"aws:MultiFactorAuthPresent": "true"}} if require_mfa else {}
            self.role = iam.Role(
                self,
                "Role",
                role_name=name,
                assumed_by=iam.CompositePrincipal(
                    *(iam.PrincipalWithConditions(iam.ArnPrincipal(arn), conditions) for arn in trusted)
                ),
                description=f"People who patch {environment} by hand",
                managed_policies=[self.policy],
            )
