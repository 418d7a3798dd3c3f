from __future__ import annotations

import pytest
from aws_cdk import Stack
from constructs.encryption_key import EncryptionKey
from constructs.output_bucket import OutputBucket
from constructs.output_log import OutputLog

from patching.errors import InvalidValueError
from tests.cdk import Resources, app

pytestmark = pytest.mark.xdist_group("constructs")


def test_the_bucket_is_encrypted_with_the_key_that_it_is_given(patching: Resources) -> None:
    assert patching["Output"].properties["BucketEncryption"]["ServerSideEncryptionConfiguration"] == [
        {
            "BucketKeyEnabled": True,
            "ServerSideEncryptionByDefault": {"KMSMasterKeyID": "<Key.Arn>", "SSEAlgorithm": "aws:kms"},
        }
    ]


def test_the_bucket_refuses_anything_but_tls(patching: Resources) -> None:
    both = ["<Output.Arn>", "<Output.Arn>/*"]
    deny = {"Action": "s3:*", "Effect": "Deny", "Principal": {"AWS": "*"}, "Resource": both}
    assert patching["Output/Policy"].properties["Bucket"] == "<Output>"
    assert patching.statements("Output/Policy") == [
        deny | {"Condition": {"Bool": {"aws:SecureTransport": "false"}}},
        deny | {"Condition": {"NumericLessThan": {"s3:TlsVersion": 1.2}}},
    ]


def test_the_bucket_has_no_public_access_and_no_acls(patching: Resources) -> None:
    bucket = patching["Output"].properties
    assert bucket["PublicAccessBlockConfiguration"] == {
        "BlockPublicAcls": True,
        "BlockPublicPolicy": True,
        "IgnorePublicAcls": True,
        "RestrictPublicBuckets": True,
    }
    assert bucket["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    assert "AccessControl" not in bucket


def test_the_bucket_keeps_versions_and_forgets_what_is_old(patching: Resources) -> None:
    bucket = patching["Output"].properties
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert bucket["LifecycleConfiguration"]["Rules"] == [
        {
            "Id": "Retention",
            "Status": "Enabled",
            "ExpirationInDays": 45,
            "NoncurrentVersionExpiration": {"NoncurrentDays": 1},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
        }
    ]


def test_the_bucket_goes_with_its_stack_or_stays(patching: Resources, kept: Resources) -> None:
    policies = ("DeletionPolicy", "UpdateReplacePolicy")
    assert [patching["Output"].whole[policy] for policy in policies] == ["Delete", "Delete"]
    assert [kept["Output"].whole[policy] for policy in policies] == ["Retain", "Retain"]


def test_nothing_else_is_made_to_empty_it(patching: Resources) -> None:
    assert {resource.type for resource in patching.values()}.isdisjoint(
        {"AWS::Lambda::Function", "AWS::CloudFormation::CustomResource", "Custom::S3AutoDeleteObjects"}
    )


@pytest.mark.parametrize("days", [0, 3651])
def test_output_is_kept_for_1_to_3650_days(days: int) -> None:
    stack = Stack(app(), "Stack")
    key = EncryptionKey(stack, "Key", alias="demo", keep_on_destroy=False).key
    with pytest.raises(InvalidValueError, match=f"{days} is not a number of days from 1 to 3,650"):
        OutputBucket(stack, "Output", key=key, prefix="out", retention_days=days, keep_on_destroy=False)
    with pytest.raises(InvalidValueError, match=f"{days} is not a number of days from 1 to 3,650"):
        OutputLog(stack, "Log", name="/demo", key=key, retention_days=days, keep_on_destroy=False)
