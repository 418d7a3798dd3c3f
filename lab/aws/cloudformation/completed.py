"""The types of CloudFormation that moto makes only in part: its own class makes them, and these complete them.

Each class here follows the resource's page in
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/. They take the place of moto's classes for these
types because they are defined later.
"""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Iterable
from typing import Any, ClassVar

from moto.core.common_models import CloudFormationModel
from moto.kms.models import Alias, Key, kms_backends
from moto.s3.cloud_formation import cfn_to_api_encryption
from moto.s3.models import FakeBucket, s3_backends

from lab.aws.cloudformation.resource import PARTITION, Properties, refuse_same_name


class Completed:
    """What these types have in common. The resources that they make are moto's own objects."""

    moto_class: ClassVar[Any]
    name_property: ClassVar[str] = ""
    replaces_on: ClassVar[tuple[str, ...]] = ()
    """Properties whose change makes a new resource."""

    deleted_last: ClassVar[bool] = False
    """Whether a resource that is replaced is still there, for `stack_changes` to delete."""

    attributes: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def cloudformation_name_type(cls) -> str:
        return cls.name_property

    @classmethod
    def cloudformation_type(cls) -> str:
        return str(cls.moto_class.cloudformation_type())

    @classmethod
    def has_cfn_attr(cls, attr: str) -> bool:
        return attr in cls.attributes or bool(cls.moto_class.has_cfn_attr(attr))

    @classmethod
    def create_from_cloudformation_json(
        cls,
        resource_name: str,
        cloudformation_json: dict[str, Any],
        account_id: str,
        region_name: str,
        **kwargs: Any,  # noqa: ANN401, ARG003 moto's own signature
    ) -> Any:  # noqa: ANN401 moto's own class
        properties = cloudformation_json["Properties"]
        prepared = {**cloudformation_json, "Properties": cls.prepared(properties)}
        resource = cls.make(resource_name, prepared, account_id, region_name)
        try:
            cls.complete(resource, properties, account_id, region_name)
        except Exception:
            # What could only be made in part does not stay.
            if hasattr(resource, "delete"):
                resource.delete(account_id, region_name)
            else:
                name = resource.physical_resource_id
                cls.delete_from_cloudformation_json(name, cloudformation_json, account_id, region_name)
            raise
        return resource

    @classmethod
    def make(cls, resource_name: str, definition: dict[str, Any], account_id: str, region: str) -> Any:  # noqa: ANN401 moto's own classes
        """Make what `complete` completes."""
        return cls.moto_class.create_from_cloudformation_json(resource_name, definition, account_id, region)

    @classmethod
    def update_from_cloudformation_json(
        cls,
        original_resource: Any,  # noqa: ANN401 moto's own class
        new_resource_name: str,  # noqa: ARG003
        cloudformation_json: dict[str, Any],
        account_id: str,
        region_name: str,
    ) -> Any:  # noqa: ANN401
        cls.complete(original_resource, cloudformation_json["Properties"], account_id, region_name)
        return original_resource

    @classmethod
    def delete_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: dict[str, Any], account_id: str, region_name: str
    ) -> None:
        cls.moto_class.delete_from_cloudformation_json(resource_name, cloudformation_json, account_id, region_name)

    @classmethod
    def prepared(cls, properties: Properties) -> Properties:
        """Return the properties as moto's class can take them."""
        return properties

    @classmethod
    @abstractmethod
    def complete(cls, resource: Any, properties: Properties, account_id: str, region: str) -> None:  # noqa: ANN401
        """Give a resource what moto leaves out, when it is made and when it is changed."""


class Replaced(Completed):
    """A resource that is made anew when one of some properties changes."""

    @classmethod
    def create_from_cloudformation_json(
        cls,
        resource_name: str,
        cloudformation_json: dict[str, Any],
        account_id: str,
        region_name: str,
        **kwargs: Any,  # noqa: ANN401 moto's own signature
    ) -> Any:  # noqa: ANN401
        made = super().create_from_cloudformation_json(
            resource_name, cloudformation_json, account_id, region_name, **kwargs
        )
        made.lab_properties = cloudformation_json["Properties"]
        return made

    @classmethod
    def update_from_cloudformation_json(
        cls,
        original_resource: Any,  # noqa: ANN401
        new_resource_name: str,
        cloudformation_json: dict[str, Any],
        account_id: str,
        region_name: str,
    ) -> Any:  # noqa: ANN401
        old, new = original_resource.lab_properties, cloudformation_json["Properties"]
        if any(old.get(name) != new.get(name) for name in cls.replaces_on):
            refuse_same_name(old, new, cls.name_property)
            return cls.create_from_cloudformation_json(new_resource_name, cloudformation_json, account_id, region_name)
        super().update_from_cloudformation_json(
            original_resource, new_resource_name, cloudformation_json, account_id, region_name
        )
        original_resource.lab_properties = new
        return original_resource


class BucketResource(Completed, CloudFormationModel):
    """A bucket with all that our templates say of it; moto makes only its encryption and tags."""

    moto_class = FakeBucket
    name_property = "BucketName"
    replaces_on = ("BucketName",)

    @classmethod
    def update_from_cloudformation_json(
        cls,
        original_resource: FakeBucket,
        new_resource_name: str,
        cloudformation_json: dict[str, Any],
        account_id: str,
        region_name: str,
    ) -> FakeBucket:
        name = cloudformation_json["Properties"].get("BucketName", original_resource.name)
        change = super().update_from_cloudformation_json if name == original_resource.name else _replace_bucket
        return change(original_resource, new_resource_name, cloudformation_json, account_id, region_name)

    @classmethod
    def complete(cls, resource: FakeBucket, properties: Properties, account_id: str, region: str) -> None:  # noqa: ARG003
        _configure(account_id, resource.name, properties)


_replace_bucket = FakeBucket.update_from_cloudformation_json


def _configure(account_id: str, name: str, properties: Properties) -> None:
    backend = s3_backends[account_id][PARTITION]
    if "BucketEncryption" in properties:
        encryption = cfn_to_api_encryption(properties["BucketEncryption"])
        encryption["Rule"]["BucketKeyEnabled"] = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"][
            0
        ].get("BucketKeyEnabled", False)
        backend.put_bucket_encryption(name, encryption)
    if "VersioningConfiguration" in properties:
        backend.put_bucket_versioning(name, properties["VersioningConfiguration"]["Status"])
    if "PublicAccessBlockConfiguration" in properties:
        backend.put_public_access_block(name, properties["PublicAccessBlockConfiguration"])
    if "OwnershipControls" in properties:
        backend.put_bucket_ownership_controls(name, properties["OwnershipControls"]["Rules"][0]["ObjectOwnership"])
    if "LifecycleConfiguration" in properties:
        rules = [_lifecycle_rule(rule) for rule in properties["LifecycleConfiguration"]["Rules"]]
        backend.put_bucket_lifecycle_configuration(name, rules)


def _lifecycle_rule(rule: Properties) -> Properties:
    """Write a rule as PutBucketLifecycleConfiguration takes it."""
    api: Properties = {"ID": rule.get("Id"), "Status": rule["Status"], "Filter": {"Prefix": rule.get("Prefix", "")}}
    if "ExpirationInDays" in rule:
        api["Expiration"] = {"Days": rule["ExpirationInDays"]}
    if "NoncurrentVersionExpiration" in rule:
        api["NoncurrentVersionExpiration"] = dict(rule["NoncurrentVersionExpiration"])
    if "AbortIncompleteMultipartUpload" in rule:
        api["AbortIncompleteMultipartUpload"] = dict(rule["AbortIncompleteMultipartUpload"])
    return api


class KeyResource(Completed, CloudFormationModel):
    """A KMS key. moto trips over its tags, whose keys have other names in a template than in the API."""

    moto_class = Key

    @classmethod
    def prepared(cls, properties: Properties) -> Properties:
        return {**properties, "Tags": []}

    @classmethod
    def complete(cls, resource: Key, properties: Properties, account_id: str, region: str) -> None:
        resource.policy = json.dumps(properties["KeyPolicy"])
        resource.key_rotation_status = properties.get("EnableKeyRotation", False)
        kms_backends[account_id][region].tag_resource(resource.id, tags_of(properties))


class AliasResource(Completed, CloudFormationModel):
    """An alias of a key. moto would look for another name where there is none yet."""

    moto_class = Alias
    replaces_on = ("AliasName",)
    deleted_last = True

    @classmethod
    def update_from_cloudformation_json(
        cls,
        original_resource: Alias,
        new_resource_name: str,
        cloudformation_json: dict[str, Any],
        account_id: str,
        region_name: str,
    ) -> Any:  # noqa: ANN401
        renamed = cloudformation_json["Properties"]["AliasName"] != original_resource.alias_name
        if renamed:
            return Alias.create_from_cloudformation_json(
                new_resource_name, cloudformation_json, account_id, region_name
            )
        return Alias.update_from_cloudformation_json(
            original_resource, new_resource_name, cloudformation_json, account_id, region_name
        )

    @classmethod
    def complete(cls, resource: Alias, properties: Properties, account_id: str, region: str) -> None:
        """Leave it as moto makes it."""


def tags_of(properties: Properties) -> dict[str, str]:
    """Return the tags that a template gives a resource, by their keys."""
    tags: Iterable[dict[str, str]] = properties.get("Tags", ())
    return {tag["Key"]: tag["Value"] for tag in tags}
