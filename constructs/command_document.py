"""A command document of one's own.

Follows https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ssm-document.html.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aws_cdk import aws_ssm as ssm
from constructs import Construct

from patching.command_document import CommandDocument as Content
from patching.command_document import check_name


class CommandDocument(Construct):
    """A command document; a change of its content becomes a new version, which is the default from then on.

    Args:
        scope: where it is made.
        id: its name there.
        name: the document's name; a deployed document is replaced if it changes.
        content: what it holds, in schema 2.2.

    Raises:
        InvalidValueError: Systems Manager would refuse the name or the content.
    """

    def __init__(self, scope: Construct, id: str, *, name: str, content: Mapping[str, Any]) -> None:  # noqa: A002 CDK's own name
        super().__init__(scope, id)
        check_name(name)
        Content.parse(content)
        self.resource = ssm.CfnDocument(
            self,
            "Resource",
            name=name,
            content=dict(content),
            document_type="Command",
            document_format="JSON",
            # Without it CloudFormation replaces the document, which a document with a name of its own cannot be.
            update_method="NewVersion",
        )
