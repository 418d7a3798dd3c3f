"""Fetching an override list, as the node that is to install it."""

from __future__ import annotations

from lab.cloud import Cloud
from lab.network import s3_refusal
from lab.node import ManagedNode
from patching.errors import InvalidValueError
from patching.install_override_list import InstallOverrideList, OverrideListLocation


def fetched(cloud: Cloud, node: ManagedNode, text: str) -> InstallOverrideList:
    """Return the override list that lies at a place in S3.

    The node's role reads what is named by s3://; what is named by https:// everybody has to be able to read. See
    https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-aws-runpatchbaseline.html#patch-manager-aws-runpatchbaseline-parameters-installoverridelist.

    Raises:
        InvalidValueError: it cannot be read, or is no override list.
    """
    at = OverrideListLocation.parse(text)
    if at.public and not cloud.is_public(at.bucket, at.key):
        message = f"{text} is not public; name a list in a private bucket as s3://{at.bucket}/{at.key}"
        raise InvalidValueError(message)
    problem = _cannot_read(cloud, node, at)
    if problem:
        message = f"{text} cannot be read: {problem}"
        raise InvalidValueError(message)
    try:
        body = cloud.get_object(at.bucket, at.key)
    except KeyError as error:
        message = f"{text} cannot be read: there is no {error.args[0]}"
        raise InvalidValueError(message) from None
    try:
        return InstallOverrideList.parse(body.decode())
    except UnicodeDecodeError:
        message = f"{text} is no override list: it is not UTF-8 text"
        raise InvalidValueError(message) from None
    except InvalidValueError as error:
        message = f"{text} is no override list: {error}"
        raise InvalidValueError(message) from None


def _cannot_read(cloud: Cloud, node: ManagedNode, at: OverrideListLocation) -> str:
    # What is public is fetched as nobody.
    arn, role = f"arn:aws:s3:::{at.bucket}/{at.key}", "" if at.public else node.role
    refusal = s3_refusal(node.network, role, "s3:GetObject", arn)
    if refusal or at.public:
        return refusal
    if not cloud.allowed(role, "s3:GetObject", arn):
        return f"{role} does not allow s3:GetObject on {arn}"
    key = cloud.bucket_key(at.bucket)
    if key and not cloud.allowed(role, "kms:Decrypt", key):
        return f"{role} does not allow kms:Decrypt on {key}"
    return ""
