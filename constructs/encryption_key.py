"""The key that encrypts an environment's output and notifications."""

from __future__ import annotations

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_kms as kms
from constructs import Construct

_SHORTEST_WAIT = Duration.days(7)


class EncryptionKey(Construct):
    """A customer managed KMS key, rotated every year.

    Args:
        scope: where it is made.
        id: its name there.
        alias: alias without `alias/`.
        keep_on_destroy: leave the key in the account when the stack is destroyed, so that what it encrypted stays
            readable. Otherwise it is scheduled for deletion, which takes 7 days and costs nothing meanwhile.
    """

    def __init__(self, scope: Construct, id: str, *, alias: str, keep_on_destroy: bool) -> None:  # noqa: A002 CDK's own name
        super().__init__(scope, id)
        self.key = kms.Key(
            self,
            "Resource",
            alias=alias,
            enable_key_rotation=True,
            pending_window=None if keep_on_destroy else _SHORTEST_WAIT,
            removal_policy=RemovalPolicy.RETAIN if keep_on_destroy else RemovalPolicy.DESTROY,
        )
