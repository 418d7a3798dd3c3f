"""Output of commands in a bucket: objects like all others."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from lab.world.output import Output
from tests.lab.aws.world import Connect

if TYPE_CHECKING:
    from lab.aws.server import LocalAws

pytestmark = pytest.mark.xdist_group("local-aws")

BUCKET = "output-objects"
Put = Callable[..., None]


@pytest.fixture(scope="module")
def s3(connect: Connect) -> Any:
    client = connect("s3")
    client.create_bucket(Bucket=BUCKET)
    return client


@pytest.fixture(scope="module")
def put(local_aws: LocalAws, s3: Any) -> Put:
    def write(key: str, *parts: str) -> None:
        local_aws.plane.prepare("us-east-1")
        local_aws.plane.accounts["us-east-1"].put_object(BUCKET, key, Output(*parts))

    return write


def answer(s3: Any, key: str, **more: Any) -> dict[str, Any]:
    """Return an object with its content and what it is told with, but for what no two have in common."""
    reply = s3.get_object(Bucket=BUCKET, Key=key, **more)
    headers = reply.pop("ResponseMetadata")["HTTPHeaders"]
    kept = {name: value for name, value in headers.items() if name.startswith("x-amz-server") or name == "etag"}
    for name in ("LastModified", "VersionId", "ChecksumCRC32", "ChecksumType"):
        reply.pop(name, None)
    return {**reply, **kept, "Body": reply["Body"].read()}


@pytest.mark.parametrize("encrypted", [False, True])
def test_an_object_with_output_is_as_one_that_somebody_put(s3: Any, put: Put, encrypted: bool) -> None:
    if encrypted:
        default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "arn:aws:kms:us-east-1:123456789012:key/1"}
        rule = {"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": True}
        s3.put_bucket_encryption(Bucket=BUCKET, ServerSideEncryptionConfiguration={"Rules": [rule]})
    put("ours", "a", "bc")
    s3.put_object(Bucket=BUCKET, Key="theirs", Body=b"abc")
    assert answer(s3, "ours") == {**answer(s3, "theirs"), "ContentType": "binary/octet-stream"}
    head = s3.head_object(Bucket=BUCKET, Key="ours")
    assert (head["ContentLength"], head.get("ServerSideEncryption")) == (3, "aws:kms" if encrypted else None)


def test_it_is_listed_copied_tagged_and_deleted(s3: Any, put: Put) -> None:
    put("folder/one", "1")
    put("folder/two", "22")
    found = s3.list_objects_v2(Bucket=BUCKET, Prefix="folder/")["Contents"]
    assert [(one["Key"], one["Size"]) for one in found] == [("folder/one", 1), ("folder/two", 2)]
    s3.copy_object(Bucket=BUCKET, Key="copy", CopySource=f"{BUCKET}/folder/two")
    assert answer(s3, "copy")["Body"] == b"22"
    tags = [{"Key": "a", "Value": "b"}]
    s3.put_object_tagging(Bucket=BUCKET, Key="folder/one", Tagging={"TagSet": tags})
    assert s3.get_object_tagging(Bucket=BUCKET, Key="folder/one")["TagSet"] == tags
    s3.delete_object(Bucket=BUCKET, Key="folder/one")
    assert [one["Key"] for one in s3.list_objects_v2(Bucket=BUCKET, Prefix="folder/")["Contents"]] == ["folder/two"]


def test_a_bucket_with_versions_keeps_them(s3: Any, put: Put) -> None:
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    put("versions", "old")
    put("versions", "new")
    versions = s3.list_object_versions(Bucket=BUCKET, Prefix="versions")["Versions"]
    bodies = [answer(s3, "versions", VersionId=one["VersionId"])["Body"] for one in versions]
    assert sorted(bodies) == [b"new", b"old"]
    assert answer(s3, "versions")["Body"] == b"new"
