"""Who operates the fleet by hand, and machines outside of AWS that are a part of it."""

from __future__ import annotations

import re
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from patching.deployment import ENVIRONMENT_TAG
from patching.patch_group import check_tag_key
from patching.policy.part import Findings, Part, Tag, TagKey, matching

_PRINCIPAL = re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:(root|role/[\w+=,.@/-]+|user/[\w+=,.@/-]+)")


class Operators(Part):
    """Who may scan and install by hand: the operator policy is always made, a role only where someone is trusted."""

    trusted: list[
        Annotated[str, AfterValidator(matching(_PRINCIPAL, "the ARN of an IAM role or user, or of an account's root"))]
    ] = Field(
        default_factory=list,
        description="ARNs of IAM roles, users or accounts (root) that may take on the operator role. Without any, "
        "attach the operator policy to a role of your own.",
    )
    require_mfa: bool = Field(
        default=True, description="They may only do so with a second factor; a role behind single sign-on cannot."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        findings = Findings()
        findings.add_repeated(("trusted",), self.trusted)
        findings.report()
        return self


class Hybrid(Part):
    """Machines outside of AWS, which register themselves with an activation."""

    tags: dict[TagKey, Tag] = Field(
        min_length=1,
        description="Tags of the activation, which its machines get: those that the windows select, and PatchGroup.",
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        findings = Findings()
        if ENVIRONMENT_TAG in self.tags:
            findings.add(("tags", ENVIRONMENT_TAG), f"the tag {ENVIRONMENT_TAG} is set by environment; take it out")
        for key in self.tags:
            findings.make(("tags", key), check_tag_key, key)
        findings.report()
        return self
