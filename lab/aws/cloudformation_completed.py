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
from moto.ec2.models import ec2_backends
from moto.ec2.models.instances import Instance
from moto.iam.models import ManagedPolicy, Role, iam_backends
from moto.kms.models import Alias, Key, kms_backends
from moto.s3.cloud_formation import cfn_to_api_encryption
from moto.s3.models import FakeBucket, s3_backends

from lab.aws.resource import PARTITION, Properties


class Completed:
    """What these types have in common. The resources that they make are moto's own objects."""

    moto_class: ClassVar[Any]
    name_property: ClassVar[str] = ""
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
        **kwargs: Any,  # noqa: ANN401 moto's own signature
    ) -> Any:  # noqa: ANN401 moto's own class
        properties = cloudformation_json["Properties"]
        prepared = {**cloudformation_json, "Properties": cls.prepared(properties)}
        resource = cls.moto_class.create_from_cloudformation_json(
            resource_name, prepared, account_id, region_name, **kwargs
        )
        cls.complete(resource, properties, account_id, region_name)
        return resource

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


class BucketResource(Completed, CloudFormationModel):
    """A bucket with all that our templates say of it; moto makes only its encryption and tags."""

    moto_class = FakeBucket
    name_property = "BucketName"

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


class RoleResource(Completed, CloudFormationModel):
    """A role with its managed policies, which moto leaves out, and with what a template changes of it."""

    moto_class = Role
    name_property = "RoleName"

    @classmethod
    def complete(cls, resource: Role, properties: Properties, account_id: str, region: str) -> None:  # noqa: ARG003
        resource.assume_role_policy_document = json.dumps(properties["AssumeRolePolicyDocument"])
        resource.description = properties.get("Description", "")
        inline = {one["PolicyName"]: one["PolicyDocument"] for one in properties.get("Policies", ())}
        for name in set(resource.policies) - set(inline) - _policies_of_their_own(account_id, resource):
            resource.delete_policy(name)
        for name, document in inline.items():
            resource.put_policy(name, document)
        _attach(account_id, resource, properties)

    @classmethod
    def delete_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: dict[str, Any], account_id: str, region_name: str
    ) -> None:
        for role in iam_backends[account_id][PARTITION].roles.values():
            if role.name == resource_name:
                _attach(account_id, role, {})
        Role.delete_from_cloudformation_json(resource_name, cloudformation_json, account_id, region_name)


def _policies_of_their_own(account_id: str, role: Role) -> set[str]:
    """Return the inline policies of a role that are resources by themselves, of the type AWS::IAM::Policy."""
    policies = iam_backends[account_id][PARTITION].inline_policies.values()
    return {policy.policy_name for policy in policies if role.name in policy.role_names}


def _attach(account_id: str, role: Role, properties: Properties) -> None:
    """Have a role have just the managed policies that its properties name."""
    backend = iam_backends[account_id][PARTITION]
    wanted = set(properties.get("ManagedPolicyArns", ()))
    for arn in set(role.managed_policies) - wanted:
        backend.detach_role_policy(arn, role.name)
    for arn in sorted(wanted - set(role.managed_policies)):
        backend.attach_role_policy(arn, role.name)


class ManagedPolicyResource(Completed, CloudFormationModel):
    """A managed policy, which moto cannot change."""

    moto_class = ManagedPolicy
    attributes = ("PolicyArn",)

    @classmethod
    def complete(cls, resource: ManagedPolicy, properties: Properties, account_id: str, region: str) -> None:  # noqa: ARG003
        for version in resource.versions:
            if version.is_default:
                version.document = json.dumps(properties["PolicyDocument"])


class KeyResource(Completed, CloudFormationModel):
    """A KMS key. moto trips over its tags, whose keys have other names in a template than in the API."""

    moto_class = Key

    @classmethod
    def prepared(cls, properties: Properties) -> Properties:
        return {**properties, "Tags": []}

    @classmethod
    def complete(cls, resource: Key, properties: Properties, account_id: str, region: str) -> None:
        resource.policy = properties["KeyPolicy"]
        resource.key_rotation_status = properties.get("EnableKeyRotation", False)
        kms_backends[account_id][region].tag_resource(resource.id, tags_of(properties))


class AliasResource(Completed, CloudFormationModel):
    """An alias of a key. moto would look for another name where there is none yet."""

    moto_class = Alias
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


class InstanceResource(Completed, CloudFormationModel):
    """An instance with its security groups, metadata options and volumes, which moto leaves out."""

    moto_class = Instance
    deleted_last = True
    attributes = ("AvailabilityZone", "PrivateDnsName", "PublicDnsName", "PrivateIp", "PublicIp", "InstanceId", "VpcId")

    @classmethod
    def create_from_cloudformation_json(
        cls,
        resource_name: str,  # noqa: ARG003
        cloudformation_json: dict[str, Any],
        account_id: str,
        region_name: str,
        **kwargs: Any,  # noqa: ANN401, ARG003
    ) -> Instance:
        return _launch(cloudformation_json["Properties"], account_id, region_name)

    @classmethod
    def update_from_cloudformation_json(
        cls,
        original_resource: Instance,
        new_resource_name: str,
        cloudformation_json: dict[str, Any],
        account_id: str,
        region_name: str,
    ) -> Instance:
        properties = cloudformation_json["Properties"]
        if original_resource.image_id == properties["ImageId"]:
            return super().update_from_cloudformation_json(
                original_resource, new_resource_name, cloudformation_json, account_id, region_name
            )
        return _launch(properties, account_id, region_name)

    @classmethod
    def complete(cls, resource: Instance, properties: Properties, account_id: str, region: str) -> None:
        wanted = tags_of(properties)
        kept = {"aws:cloudformation:stack-name", "aws:cloudformation:stack-id", "aws:cloudformation:logical-id"}
        gone = {tag["key"]: None for tag in resource.get_tags() if tag["key"] not in {*wanted, *kept}}
        if gone:
            ec2_backends[account_id][region].delete_tags([resource.id], gone)
        resource.add_tags(wanted)
        resource.instance_type = properties.get("InstanceType", resource.instance_type)


def tags_of(properties: Properties) -> dict[str, str]:
    """Return the tags that a template gives a resource, by their keys."""
    tags: Iterable[dict[str, str]] = properties.get("Tags", ())
    return {tag["Key"]: tag["Value"] for tag in tags}


def _launch(properties: Properties, account_id: str, region: str) -> Any:  # noqa: ANN401 moto's own class
    backend = ec2_backends[account_id][region]
    tags = tags_of(properties)
    volume_tags = tags if properties.get("PropagateTagsToVolumeOnCreation") else {}
    reservation = backend.run_instances(
        image_id=properties["ImageId"],
        count=1,
        user_data=properties.get("UserData"),
        security_group_names=[],
        security_group_ids=list(properties.get("SecurityGroupIds", ())),
        instance_type=properties.get("InstanceType", "m1.small"),
        is_instance_type_default="InstanceType" not in properties,
        subnet_id=properties.get("SubnetId"),
        ebs_optimized=properties.get("EbsOptimized", False),
        metadata_options=properties.get("MetadataOptions", {}),
        block_device_mappings=properties.get("BlockDeviceMappings", []),
        region_name=region,
        tags={"instance": tags, "volume": volume_tags},
    )
    instance = reservation.instances[0]
    if properties.get("IamInstanceProfile"):
        backend.associate_iam_instance_profile(instance.id, iam_instance_profile_name=properties["IamInstanceProfile"])
    return instance
