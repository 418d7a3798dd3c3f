"""Buckets, roles and keys in a stack: made, changed and deleted."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

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


def test_a_role_has_all_that_its_template_says(stack: Stack, connect: Connect) -> None:
    iam = connect("iam", REGION)

    def described() -> tuple[int, str, list[Properties], str]:
        found = iam.get_role(RoleName="made")["Role"]
        boundary = found.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn", "")
        return found["MaxSessionDuration"], boundary, found.get("Tags", []), found.get("Description", "")

    tags = [{"Key": "Stage", "Value": "test"}]
    said: Properties = {
        "MaxSessionDuration": 7200,
        "PermissionsBoundary": READ,
        "Tags": tags,
        "Description": "For operators",
    }
    made = stack.deploy(One=role(CORE, **said))
    assert described() == (7200, READ, tags, "For operators")
    assert stack.deploy(One=role(CORE, Description="For nodes")) == made
    assert described() == (3600, "", [], "For nodes")


def test_another_name_or_path_makes_another_role(stack: Stack, connect: Connect) -> None:
    iam = connect("iam", REGION)
    made: dict[str, Any] = {"Profile": ("AWS::IAM::InstanceProfile", {"Roles": [{"Ref": "One"}]})}

    def profiled(profile: str) -> list[str]:
        return [
            one["RoleName"] for one in iam.get_instance_profile(InstanceProfileName=profile)["InstanceProfile"]["Roles"]
        ]

    profile = stack.deploy(One=role(), **made)["Profile"]
    assert stack.deploy(One=role(RoleName="renamed"), **made)["Profile"] == profile
    assert (profiled(profile), gone(iam.get_role, RoleName="made")) == (["renamed"], True)
    stack.attempt(One=role(RoleName="renamed", Path="/operators/"), **made)
    assert "Rename renamed" in stack.reasons
    assert profiled(profile) == ["renamed"]


def managed(*actions: str, **more: Any) -> Resource:
    statement = {"Effect": "Allow", "Action": list(actions or ("ssm:SendCommand",)), "Resource": "*"}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    return "AWS::IAM::ManagedPolicy", {"ManagedPolicyName": "ours", "PolicyDocument": document, **more}


def attached(iam: Any, role_name: str) -> list[str]:
    return [one["PolicyName"] for one in iam.list_attached_role_policies(RoleName=role_name)["AttachedPolicies"]]


def test_a_managed_policy_comes_changes_in_place_is_replaced_and_goes(stack: Stack, connect: Connect) -> None:
    iam = connect("iam", REGION)

    def actions(arn: str) -> list[str]:
        version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        found = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
        return list(found["Statement"][0]["Action"])

    other = role(RoleName="other")
    made = stack.deploy(One=role(), Two=other, Policy=managed(Roles=[{"Ref": "One"}]))
    assert made["Policy"].endswith(":policy/ours")
    assert (attached(iam, "made"), attached(iam, "other")) == (["ours"], [])
    changed = managed("ssm:CancelCommand", Roles=[{"Ref": "Two"}])
    assert stack.deploy(One=role(CORE), Two=other, Policy=changed) == made
    assert (attached(iam, "other"), actions(made["Policy"])) == (["ours"], ["ssm:CancelCommand"])
    assert attached(iam, "made") == ["AmazonSSMManagedInstanceCore"]
    # A role that changes keeps the policies that name it.
    stack.deploy(One=role(CORE), Two=role(RoleName="other", Description="Changed"), Policy=changed)
    assert attached(iam, "other") == ["ours"]
    for _ in range(5):  # More changes than a policy may have versions.
        stack.deploy(One=role(CORE), Two=other, Policy=changed)
        stack.deploy(One=role(CORE), Two=other, Policy=managed())
    replaced = stack.deploy(One=role(), Two=other, Policy=managed(ManagedPolicyName="new", Path="/ops/"))
    assert replaced["Policy"].endswith(":policy/ops/new")
    assert gone(iam.get_policy, PolicyArn=made["Policy"])
    stack.delete()
    assert gone(iam.get_policy, PolicyArn=replaced["Policy"])


def test_a_role_names_a_managed_policy_of_its_stack(stack: Stack, connect: Connect) -> None:
    made: dict[str, Resource] = {"Policy": managed(), "One": role(ManagedPolicyArns=[{"Ref": "Policy"}])}
    stack.deploy(**made)
    assert attached(connect("iam", REGION), "made") == ["ours"]
    stack.delete()
    assert not stack.exists


def test_a_policy_that_somebody_else_has_attached_cannot_be_deleted(
    stack: Stack, connect: Connect, roles: dict[str, str]
) -> None:
    iam = connect("iam", REGION)
    arn = stack.deploy(Policy=managed())["Policy"]
    iam.attach_role_policy(RoleName="node", PolicyArn=arn)
    stack.delete()
    assert stack.status == "DELETE_FAILED"
    assert "Cannot delete a policy attached to entities." in stack.reasons
    iam.detach_role_policy(RoleName="node", PolicyArn=arn)


def sized(characters: int, **more: Any) -> Properties:
    """Return a policy document of so many characters, not counting white space."""
    statement = {"Sid": "", "Effect": "Allow", "Action": "ssm:SendCommand", "Resource": "*", **more}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    statement["Sid"] = "x" * (characters - len(json.dumps(document, separators=(",", ":"))))
    return document


def test_a_managed_policy_has_6144_characters_at_most_besides_white_space(stack: Stack, connect: Connect) -> None:
    largest, too_large = (managed(PolicyDocument=sized(characters)) for characters in (6144, 6145))
    assert stack.attempt(Policy=too_large) == "ROLLBACK_COMPLETE"
    assert "Cannot exceed quota for PolicySize: 6144" in stack.reasons
    stack.delete()
    arn = stack.deploy(Policy=largest)["Policy"]
    assert stack.attempt(Policy=too_large) == "UPDATE_ROLLBACK_COMPLETE"
    document = json.dumps(too_large[1]["PolicyDocument"])
    with pytest.raises(ClientError, match="LimitExceeded"):
        connect("iam", REGION).create_policy_version(PolicyArn=arn, PolicyDocument=document)


def test_a_role_has_10240_characters_of_inline_policies_at_most(stack: Stack, connect: Connect) -> None:
    def inline(*characters: int) -> list[Properties]:
        return [{"PolicyName": f"p{n}", "PolicyDocument": sized(size)} for n, size in enumerate(characters)]

    assert stack.attempt(One=role(Policies=inline(5120, 5121))) == "ROLLBACK_COMPLETE"
    assert "Maximum policy size of 10240 bytes exceeded for role made" in stack.reasons
    assert gone(connect("iam", REGION).get_role, RoleName="made")
    stack.delete()
    stack.deploy(One=role(Policies=inline(5120, 5120)))
    stack.deploy(One=role(Policies=inline(5119, 5121)))


def test_a_role_has_2048_characters_of_trust_policy_at_most(stack: Stack) -> None:
    def trusting(characters: int) -> Resource:
        statement = {"Action": "sts:AssumeRole", "Principal": {"Service": "ssm.amazonaws.com"}}
        document = sized(characters, **statement)
        del document["Statement"][0]["Resource"]  # With the comma, 15 characters.
        return role(AssumeRolePolicyDocument=document)

    stack.deploy(One=trusting(2048 + 15))
    assert stack.attempt(One=trusting(2049 + 15)) == "UPDATE_ROLLBACK_COMPLETE"
    assert "Cannot exceed quota for ACLSizePerRole: 2048" in stack.reasons
