"""AWS::SSM::Document: a document of the account, which moto keeps.

Follows https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ssm-document.html.
moto's own class makes a document anew at every change, and knows no content that is an object.
"""

from __future__ import annotations

import json
from typing import Any

from moto.core.common_models import CloudFormationModel
from moto.ssm.exceptions import DuplicateDocumentContent
from moto.ssm.models import SimpleSystemManagerBackend, ssm_backends

from lab.aws.cloudformation.resource import Properties, Resource

_NEW_VERSION = "NewVersion"


class DocumentResource(Resource, CloudFormationModel):
    """A document, with its versions."""

    type_name = "AWS::SSM::Document"
    name_property = "Name"
    replaces_on = frozenset({"Name", "DocumentType"})

    @classmethod
    def replaced_by(cls, properties: Properties) -> frozenset[str]:
        if properties.get("UpdateMethod") == _NEW_VERSION:
            return cls.replaces_on
        return cls.replaces_on | {"Attachments", "Content", "DocumentFormat", "Requires", "TargetType", "VersionName"}

    @classmethod
    def create(cls, properties: Properties, account_id: str, region: str) -> Resource:
        ssm_backends[account_id][region].create_document(
            content=_content(properties),
            requires=properties.get("Requires"),
            attachments=properties.get("Attachments"),
            name=properties["Name"],
            version_name=properties.get("VersionName"),
            document_type=properties.get("DocumentType", "Command"),
            document_format=properties.get("DocumentFormat", "JSON"),
            target_type=properties.get("TargetType"),
            tags=properties.get("Tags"),
        )
        return cls(properties["Name"], properties, account_id, region)

    def change(self, properties: Properties) -> None:
        """Make another version, and have it be the default one, if anything but the tags has changed."""
        backend = self._backend
        try:
            described = backend.update_document(
                content=_content(properties),
                attachments=properties.get("Attachments"),
                name=self._physical_id,
                version_name=properties.get("VersionName"),
                document_version="$LATEST",
                document_format=properties.get("DocumentFormat", "JSON"),
                target_type=properties.get("TargetType"),
            )
            backend.update_document_default_version(self._physical_id, described["DocumentVersion"])
        except DuplicateDocumentContent:
            # CloudFormation takes content that is there already for done.
            pass
        tags = {tag["Key"]: tag["Value"] for tag in properties.get("Tags", ())}
        gone = set(backend.list_tags_for_resource("Document", self._physical_id)) - set(tags)
        backend.remove_tags_from_resource("Document", self._physical_id, list(gone))
        backend.add_tags_to_resource("Document", self._physical_id, tags)

    def delete(self, account_id: str, region_name: str) -> None:  # noqa: ARG002
        self._backend.delete_document(self._physical_id, document_version="", version_name="", force=True)

    @property
    def _backend(self) -> SimpleSystemManagerBackend:
        return ssm_backends[self.account_id][self.region]


def _content(properties: Properties) -> str:
    """Return the content as text: in a template it may be an object as well."""
    content: Any = properties["Content"]
    return content if isinstance(content, str) else json.dumps(content)
