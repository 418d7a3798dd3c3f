"""Whether what an environment's commands use is there: topic, bucket, key, and roles that may be handed over.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/monitoring-sns-notifications.html.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import unquote

from botocore.exceptions import BotoCoreError, ClientError

from ops import environment as environments
from ops.environment import Environment
from ops.errors import in_words
from ops.finding import Finding, Verdict
from ops.permissions import Need, On
from ops.session import Session

NEEDS = (
    *environments.NEEDS,
    Need(On.TOPIC, "sns:GetTopicAttributes"),
    Need(On.BUCKET, "s3:GetEncryptionConfiguration"),
    Need(On.KEY, "kms:DescribeKey"),
    Need(On.ROLES, "iam:GetRole"),
)
_SERVICE = "ssm.amazonaws.com"
_GONE = ("NotFound", "NotFoundException", "NoSuchBucket", "NoSuchEntity", "404", "NotFoundError")

Row = tuple[bool, str, str]


def check(session: Session, environment: Environment) -> Iterator[Finding]:
    """Yield what was found about the environment's topic, bucket, key and roles."""
    again = "deploy the environment again, which makes it anew"
    looks: tuple[tuple[str, str, Callable[[], Iterator[Row]]], ...] = (
        ("topic", environment.topic, lambda: _topic(session, environment)),
        ("bucket", environment.bucket, lambda: _bucket(session, environment)),
        ("role passing", environment.publish_role, lambda: _role(session, environment)),
    )
    for name, subject, look in looks:
        try:
            for fine, text, remedy in look():
                yield Finding(name, subject, "", Verdict.OK if fine else Verdict.PROBLEM, text, remedy)
        except (BotoCoreError, ClientError) as error:
            code = error.response["Error"].get("Code", "") if isinstance(error, ClientError) else ""
            if code in _GONE:
                yield Finding(name, subject, "", Verdict.PROBLEM, "it is not there any more", again)
            else:
                yield Finding(name, subject, "", Verdict.UNKNOWN, in_words(error))


def _topic(session: Session, environment: Environment) -> Iterator[Row]:
    attributes = session.sns.get_topic_attributes(TopicArn=environment.topic)["Attributes"]
    yield True, "the topic is there", ""
    key = attributes.get("KmsMasterKeyId", "")
    if key:
        yield from _key(session, key, "the topic")


def _bucket(session: Session, environment: Environment) -> Iterator[Row]:
    rules = session.s3.get_bucket_encryption(Bucket=environment.bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    yield True, "the bucket is there", ""
    for rule in rules:
        key = rule.get("ApplyServerSideEncryptionByDefault", {}).get("KMSMasterKeyID", "")
        if key:
            yield from _key(session, key, "the bucket")


def _key(session: Session, key: str, what: str) -> Iterator[Row]:
    state = session.kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"]
    if state == "Enabled":
        yield True, f"the key of {what} is enabled", ""
    else:
        yield (
            False,
            f"the key of {what} is {state}: nothing can be written that it encrypts",
            f"`aws kms enable-key --key-id {key}`, or cancel its deletion first",
        )


def _role(session: Session, environment: Environment) -> Iterator[Row]:
    name = environment.publish_role.rpartition("/")[2]
    document: Any = session.iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]
    trust = json.loads(unquote(document)) if isinstance(document, str) else document
    if _SERVICE in json.dumps(trust.get("Statement", [])):
        yield True, f"{_SERVICE} may take on the role that publishes", ""
    else:
        yield (
            False,
            f"{_SERVICE} may not take on the role that publishes: commands that notify are refused (InvalidRole)",
            "deploy the environment again, which gives the role its trust policy back",
        )
