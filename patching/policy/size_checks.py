"""What becomes too large for AWS: policies of IAM, and the templates of CloudFormation.

The sizes of what a policy does not choose are upper bounds of what the stacks make; tests/stacks/test_sizes.py measures
them. Follows https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html and
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html.
"""

from __future__ import annotations

import json
from collections.abc import Sized
from typing import Any

from patching.install_override_list import OverrideListLocation
from patching.policy.content import PolicyContent
from patching.policy.part import Findings
from patching.quotas import (
    MAX_MANAGED_POLICY,
    MAX_RESOURCES,
    MAX_TEMPLATE_BYTES,
    MAX_TRUST_POLICY,
    RESOURCES_FOR_WINDOWS,
)

OTHER_RESOURCES = 60
"""Of the first stack, beside baselines, documents, subscriptions and windows."""
OTHER_BYTES = 400_000
"""Of a stack, beside baselines, documents and targets."""
OPERATOR_POLICY = 3_700
"""Characters of the operator policy, beside documents of one's own."""
NODE_POLICY = 1_350
"""Characters of the node policy, beside override lists."""
TRUST_POLICY = 250
"""Characters of the operator role's trust policy, beside who is trusted."""

DOCUMENT_ARN = len('"arn:aws-us-gov:ssm:ap-southeast-1:123456789012:document/",')
OBJECT_ARN = len('"arn:aws-us-gov:s3:::/",')
_QUOTES = len('"",')
_INDENT = 8
"""Characters by which a line of a template is indented, beyond what it is by itself."""


def check(policy: PolicyContent, findings: Findings) -> None:
    """Find what would only fail when it is deployed, as it is too large."""
    _check_policies(policy, findings)
    _check_resources(policy, findings)
    _check_bytes(policy, findings)


def _check_policies(policy: PolicyContent, findings: Findings) -> None:
    """A policy of IAM has so many characters at most.

    Refused:
    - `documents`: so many of them, or such long names, that the operator policy would exceed 6,144 characters
    - `install`: so many override lists, or such long addresses, that the node policy would exceed 6,144 characters
    - `operators.trusted`: so many that the role's trust policy would exceed 2,048 characters

    Follows https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html.
    """
    names = policy.document_names.values()
    needed = OPERATOR_POLICY + sum(DOCUMENT_ARN + len(name) for name in names)
    if needed > MAX_MANAGED_POLICY:
        message = (
            f"the names of {len(names)} documents make an operator policy of {needed:,} characters, but IAM takes "
            f"{MAX_MANAGED_POLICY:,}; take some out, or give them shorter names"
        )
        findings.add(("documents",), message)
    texts = {install.override_list for install in policy.install.values() if install.override_list}
    lists = {OverrideListLocation.parse(text) for text in texts}
    needed = NODE_POLICY + sum(OBJECT_ARN + len(one.bucket) + len(one.key) for one in lists)
    if needed > MAX_MANAGED_POLICY:
        message = (
            f"the override lists of {len(lists)} windows make a node policy of {needed:,} characters, but IAM takes "
            f"{MAX_MANAGED_POLICY:,}; let windows share lists, or give them shorter names"
        )
        findings.add(("install",), message)
    needed = TRUST_POLICY + sum(_QUOTES + len(arn) for arn in policy.operators.trusted)
    if needed > MAX_TRUST_POLICY:
        message = (
            f"{len(policy.operators.trusted)} principals make a trust policy of {needed:,} characters, but IAM takes "
            f"{MAX_TRUST_POLICY:,}; trust fewer, such as one role that people take on before"
        )
        findings.add(("operators", "trusted"), message)


def _check_resources(policy: PolicyContent, findings: Findings) -> None:
    """One template has 500 resources at most; windows have room kept for them, and further stacks.

    Refused:
    - `baselines`, `documents`, `notifications`: baselines, documents and subscriptions that make more resources than
      one template has room for

    Follows https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html.
    """
    told = policy.notifications
    parts: dict[str, Sized] = {
        "baselines": policy.baselines,
        "documents": policy.documents,
        "notifications": [*told.emails, *told.queues, *told.functions, *told.functions, *told.urls],
    }
    number = sum(map(len, parts.values()))
    room = MAX_RESOURCES - RESOURCES_FOR_WINDOWS - OTHER_RESOURCES
    if number > room:
        message = (
            f"baselines, documents and subscriptions make {number} resources, but one stack has room for {room} of "
            "them; take some out, or part the policy in two environments"
        )
        findings.add((max(parts, key=lambda part: len(parts[part])),), message)


def _check_bytes(policy: PolicyContent, findings: Findings) -> None:
    """One template has a megabyte at most.

    Refused:
    - `baselines`, `documents`, `install`: baselines, documents and targets of windows with more bytes than one template
      has room for

    Follows https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html.
    """
    sizes = {
        "baselines": sum(_size(one.patch_baseline("sized").to_api()) for one in policy.baselines.values()),
        "documents": sum(_size(document.content) for document in policy.documents.values()),
        "install": sum(_size(group) for install in policy.install.values() for group in install.target_groups),
    }
    room = MAX_TEMPLATE_BYTES - OTHER_BYTES
    if sum(sizes.values()) > room:
        message = (
            f"baselines, documents and the targets of windows have {sum(sizes.values()):,} bytes in a template, which "
            f"has room for {room:,} of them; make them shorter, or part the policy in two environments"
        )
        findings.add((max(sizes, key=lambda part: sizes[part]),), message)


def _size(part: Any) -> int:  # noqa: ANN401 JSON is anything
    text = json.dumps(part, indent=1, default=str)
    return len(text.encode()) + _INDENT * text.count("\n")
