"""The bucket that commands write their output to, and the key that encrypts it.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/setup-instance-permissions.html and
https://docs.aws.amazon.com/systems-manager/latest/userguide/run-command-setting-up.html.
"""

from __future__ import annotations

from typing import cast

from aws_cdk import CfnElement, Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct
from constructs.acknowledgment import HIPAA, NIST, PCI, acknowledge, in_packs

from patching.deployment import OVERRIDES_PREFIX
from patching.retention import check_retention


class OutputBucket(Construct):
    """A private, versioned bucket for command output.

    It is encrypted with the key that it is given, refuses anything but TLS, has no public access and no ACLs, and
    forgets its objects after a while.

    Args:
        scope: where it is made.
        id: its name there.
        key: the key that encrypts the objects.
        prefix: the folder that commands write under.
        retention_days: days after which an object is deleted; one version back is kept for one day more.
        keep_on_destroy: leave the bucket in the account when the stack is destroyed.

    Raises:
        InvalidValueError: a retention that is not 1 to 3,650 days.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002 CDK's own name
        *,
        key: kms.IKey,
        prefix: str,
        retention_days: int,
        keep_on_destroy: bool,
    ) -> None:
        super().__init__(scope, id)
        check_retention(retention_days)
        self.prefix = prefix
        self._key = key
        self.bucket = s3.Bucket(
            self,
            "Resource",
            encryption=s3.BucketEncryption.KMS,
            encryption_key=key,
            bucket_key_enabled=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            versioned=True,
            lifecycle_rules=[
                s3.LifecycleRule(
                    id="Retention",
                    expiration=Duration.days(retention_days),
                    noncurrent_version_expiration=Duration.days(1),
                    abort_incomplete_multipart_upload_after=Duration.days(1),
                )
            ],
            removal_policy=RemovalPolicy.RETAIN if keep_on_destroy else RemovalPolicy.DESTROY,
        )
        self.name = self.bucket.bucket_name
        acknowledge(
            self.bucket,
            "The bucket holds command output, itself a log; who reads and writes it is in CloudTrail.",
            "AwsSolutions-S1",
            *in_packs("S3BucketLoggingEnabled", NIST, HIPAA, PCI),
        )
        acknowledge(
            self.bucket,
            "Command output is looked at for days and then deleted; the commands' results are kept by Systems Manager.",
            *in_packs("S3BucketReplicationEnabled", NIST, HIPAA, PCI),
        )

    @property
    def logical_id(self) -> str:
        """The bucket's logical id in the template."""
        stack = Stack.of(self)
        return str(stack.resolve(stack.get_logical_id(cast("CfnElement", self.bucket.node.default_child))))

    def grant_read(self, grantee: iam.IGrantable) -> None:
        """Allow to list and read what is under the prefix."""
        iam.Grant.add_to_principal(
            grantee=grantee,
            actions=["s3:ListBucket"],
            resource_arns=[self.bucket.bucket_arn],
            conditions={"StringLike": {"s3:prefix": [f"{self.prefix}/*"]}},
        )
        iam.Grant.add_to_principal(
            grantee=grantee, actions=["s3:GetObject"], resource_arns=[self.bucket.arn_for_objects(f"{self.prefix}/*")]
        )
        iam.Grant.add_to_principal(grantee=grantee, actions=["kms:Decrypt"], resource_arns=[self._key.key_arn])

    def grant_read_overrides(self, grantee: iam.IGrantable) -> None:
        """Allow to read what installations by hand do otherwise. `grant_write` lets nodes decrypt it."""
        iam.Grant.add_to_principal(
            grantee=grantee,
            actions=["s3:GetObject"],
            resource_arns=[self.bucket.arn_for_objects(f"{OVERRIDES_PREFIX}/*")],
        )

    def grant_write_overrides(self, grantee: iam.IGrantable) -> None:
        """Allow to say what installations by hand do otherwise."""
        iam.Grant.add_to_principal(
            grantee=grantee,
            actions=["s3:PutObject"],
            resource_arns=[self.bucket.arn_for_objects(f"{OVERRIDES_PREFIX}/*")],
        )
        iam.Grant.add_to_principal(
            grantee=grantee, actions=["kms:GenerateDataKey", "kms:Decrypt"], resource_arns=[self._key.key_arn]
        )

    def grant_write(self, grantee: iam.IGrantable) -> None:
        """Allow to write objects under the prefix, and nothing else.

        The agent asks for the bucket's encryption first, and a write to a bucket with a key of its own needs the key:
        a data key for every object, and to decrypt it again for one that is uploaded in parts.
        """
        iam.Grant.add_to_principal(
            grantee=grantee, actions=["s3:PutObject"], resource_arns=[self.bucket.arn_for_objects(f"{self.prefix}/*")]
        )
        iam.Grant.add_to_principal(
            grantee=grantee, actions=["s3:GetEncryptionConfiguration"], resource_arns=[self.bucket.bucket_arn]
        )
        iam.Grant.add_to_principal(
            grantee=grantee, actions=["kms:GenerateDataKey", "kms:Decrypt"], resource_arns=[self._key.key_arn]
        )
