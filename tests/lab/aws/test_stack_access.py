"""Buckets, roles and keys in a stack: made, changed and deleted."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.lab.aws.stacks import CORE, READ, REGION, Properties, Resource, Stack, gone, policy, role
from tests.lab.aws.world import Connect

pytestmark = pytest.mark.xdist_group("local-aws")


def test_a_bucket_comes_with_all_that_is_said_of_it_changes_in_place_and_goes(stack: Stack, connect: Connect) -> None:
    s3 = connect("s3", REGION)
    encryption = [
        {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}, "BucketKeyEnabled": True},
    ]
    properties: Properties = {
        "BucketEncryption": {"ServerSideEncryptionConfiguration": encryption},
        "VersioningConfiguration": {"Status": "Enabled"},
        "PublicAccessBlockConfiguration": dict.fromkeys(
            ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"), True
        ),
        "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
        "LifecycleConfiguration": {"Rules": [{"Id": "old", "Status": "Enabled", "ExpirationInDays": 30}]},
    }
    name = stack.deploy(One=("AWS::S3::Bucket", properties))["One"]
    (rule,) = s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["BucketKeyEnabled"]
    assert s3.get_bucket_versioning(Bucket=name)["Status"] == "Enabled"
    assert all(s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"].values())
    owner = s3.get_bucket_ownership_controls(Bucket=name)["OwnershipControls"]["Rules"]
    assert owner == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    lifecycle = {"Rules": [{"Id": "old", "Status": "Enabled", "Prefix": "runs/", "ExpirationInDays": 90}]}
    assert stack.deploy(One=("AWS::S3::Bucket", {**properties, "LifecycleConfiguration": lifecycle}))["One"] == name
    (rule,) = s3.get_bucket_lifecycle_configuration(Bucket=name)["Rules"]
    assert (rule["Expiration"]["Days"], rule["Filter"]["Prefix"]) == (90, "runs/")
    stack.delete()
    assert name not in [one["Name"] for one in s3.list_buckets()["Buckets"]]


def test_the_policy_of_a_bucket_comes_changes_and_goes(stack: Stack, connect: Connect) -> None:
    s3 = connect("s3", REGION)
    bucket: tuple[str, Properties] = ("AWS::S3::Bucket", {})

    def with_policy(action: str) -> tuple[str, Properties]:
        return "AWS::S3::BucketPolicy", {"Bucket": {"Ref": "One"}, "PolicyDocument": policy(action)}

    name = stack.deploy(One=bucket, Policy=with_policy("s3:GetObject"))["One"]
    stack.deploy(One=bucket, Policy=with_policy("s3:PutObject"))
    assert json.loads(s3.get_bucket_policy(Bucket=name)["Policy"]) == policy("s3:PutObject")
    stack.deploy(One=bucket)
    assert gone(s3.get_bucket_policy, Bucket=name)


def test_a_role_comes_with_its_managed_policies_changes_in_place_and_goes(stack: Stack, connect: Connect) -> None:
    iam = connect("iam", REGION)

    def attached() -> list[str]:
        return [one["PolicyArn"] for one in iam.list_attached_role_policies(RoleName="made")["AttachedPolicies"]]

    stack.deploy(One=role(CORE))
    assert attached() == [CORE]
    stack.deploy(One=role(READ, service="ssm.amazonaws.com"))
    assert attached() == [READ]
    trusted = iam.get_role(RoleName="made")["Role"]["AssumeRolePolicyDocument"]
    assert trusted["Statement"][0]["Principal"] == {"Service": "ssm.amazonaws.com"}
    stack.delete()
    assert gone(iam.get_role, RoleName="made")


def test_the_inline_policies_of_a_role_change_with_it(stack: Stack, connect: Connect) -> None:
    iam = connect("iam", REGION)

    def inline(name: str) -> list[Properties]:
        statement = {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "*"}
        return [{"PolicyName": name, "PolicyDocument": {"Version": "2012-10-17", "Statement": [statement]}}]

    stack.deploy(One=role(Policies=inline("old")))
    stack.deploy(One=role(Policies=inline("new")))
    assert iam.list_role_policies(RoleName="made")["PolicyNames"] == ["new"]


def test_a_key_comes_with_its_tags_changes_in_place_and_goes(stack: Stack, connect: Connect) -> None:
    kms = connect("kms", REGION)

    def key(**changes: Any) -> tuple[str, Properties]:
        tags = [{"Key": "Stage", "Value": "test"}]
        return "AWS::KMS::Key", {"KeyPolicy": policy("kms:*"), "Tags": tags, "EnableKeyRotation": True, **changes}

    made = stack.deploy(One=key())["One"]
    assert kms.list_resource_tags(KeyId=made)["Tags"] == [{"TagKey": "Stage", "TagValue": "test"}]
    assert kms.get_key_rotation_status(KeyId=made)["KeyRotationEnabled"]
    assert stack.deploy(One=key(EnableKeyRotation=False, KeyPolicy=policy("kms:Decrypt")))["One"] == made
    assert not kms.get_key_rotation_status(KeyId=made)["KeyRotationEnabled"]
    stored = kms.get_key_policy(KeyId=made, PolicyName="default")["Policy"]
    assert (json.loads(stored) if isinstance(stored, str) else stored) == policy("kms:Decrypt")
    stack.delete()
    assert gone(kms.describe_key, KeyId=made)


def test_an_alias_moves_to_another_key_and_is_replaced_by_one_of_another_name(stack: Stack, connect: Connect) -> None:
    kms = connect("kms", REGION)

    def key() -> Resource:
        return "AWS::KMS::Key", {"KeyPolicy": policy("kms:*")}

    def alias(name: str, of: str) -> Resource:
        return "AWS::KMS::Alias", {"AliasName": f"alias/{name}", "TargetKeyId": {"Ref": of}}

    def found() -> dict[str, str]:
        listed = kms.list_aliases()["Aliases"]
        return {one["AliasName"]: one["TargetKeyId"] for one in listed if one["AliasName"].startswith("alias/our-")}

    made = stack.deploy(One=key(), Two=key(), Alias=alias("our-old", "One"))
    assert found() == {"alias/our-old": made["One"]}
    stack.deploy(One=key(), Two=key(), Alias=alias("our-old", "Two"))
    assert found() == {"alias/our-old": made["Two"]}
    stack.deploy(One=key(), Two=key(), Alias=alias("our-new", "Two"))
    assert found() == {"alias/our-new": made["Two"]}
    stack.deploy(One=key(), Two=key())
    assert found() == {}
