"""Fetching a list of patches, or of baselines, that overrides what is registered: as the node that is to use it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from lab.nodes.node import ManagedNode
from lab.world.cloud import Cloud
from lab.world.network import s3_refusal
from patching.baseline_override import BaselineOverride
from patching.errors import InvalidValueError
from patching.install_override_list import InstallOverrideList, OverrideListLocation

_T = TypeVar("_T")


def fetched(cloud: Cloud, node: ManagedNode, text: str) -> InstallOverrideList:
    """Return the override list that lies at a place in S3.

    See
    https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-aws-runpatchbaseline.html#patch-manager-aws-runpatchbaseline-parameters-installoverridelist.

    Raises:
        InvalidValueError: it cannot be read, or is no override list.
    """
    return _parsed(cloud, node, text, InstallOverrideList.parse, "override list")


def fetched_baselines(cloud: Cloud, node: ManagedNode, text: str) -> BaselineOverride:
    """Return the baselines that lie at a place in S3.

    See https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-baselineoverride-parameter.html.

    Raises:
        InvalidValueError: they cannot be read, or are no baselines.
    """
    return _parsed(cloud, node, text, BaselineOverride.parse, "list of baselines")


def _parsed(cloud: Cloud, node: ManagedNode, text: str, parse: Callable[[str], _T], what: str) -> _T:
    """Read what lies at a place: the node's role what is named by s3://; what is named by https:// everybody."""
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
        return parse(body.decode())
    except UnicodeDecodeError:
        message = f"{text} is no {what}: it is not UTF-8 text"
        raise InvalidValueError(message) from None
    except InvalidValueError as error:
        message = f"{text} is no {what}: {error}"
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
