"""The role as which Systems Manager sends documents to an environment's nodes.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/configuring-maintenance-window-permissions-cli.html.
"""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import aws_iam as iam
from constructs import Construct
from constructs.commands import grant_commands


class DispatchRole(Construct):
    """A role that may send some documents to the nodes of one environment, and follow what it sent.

    Args:
        scope: where it is made.
        id: its name there.
        environment: value of the nodes' tag `Environment`.
        documents: names of the documents.
        description: what uses the role.

    Raises:
        InvalidValueError: not the name of a document.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002 CDK's own name
        *,
        environment: str,
        documents: Sequence[str],
        description: str,
    ) -> None:
        super().__init__(scope, id)
        self.role = iam.Role(
            self, "Resource", assumed_by=iam.ServicePrincipal("ssm.amazonaws.com"), description=description
        )
        self.arn = self.role.role_arn
        self.policy = iam.ManagedPolicy(self, "Policy", description=description, roles=[self.role])
        grant_commands(self.policy, environment=environment, documents=documents)
