"""Who operates the fleet by hand, and machines outside of AWS that are a part of it."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from patching.deployment import ENVIRONMENT_TAG
from patching.form import PRINCIPAL
from patching.patch_group import check_tag_key
from patching.policy import pages
from patching.policy.part import Findings, Matching, Part, Tag, TagKey


class Operators(Part, json_schema_extra=pages.OPERATORS):
    """Who may scan and install by hand: the operator policy is always made, a role only where someone is trusted."""

    trusted: list[Annotated[str, Matching(PRINCIPAL)]] = Field(
        default_factory=list,
        description="ARNs of IAM roles, users or accounts (`root`) that may take on the operator role, which has "
        "the operator policy. Without any there is no role: attach the policy `patchops-ENVIRONMENT-operator` to "
        "a role of your own.",
        json_schema_extra=pages.PRINCIPALS,
    )
    require_mfa: bool = Field(
        default=True,
        description="They may take it on only with a second factor (`aws:MultiFactorAuthPresent`). A role that people "
        "have by single sign-on cannot show one: write `false` for it.",
        json_schema_extra=pages.MFA,
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        """Find who is trusted twice.

        Refused:
        - `trusted`: one that is in the list already

        Follows https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html.
        """
        findings = Findings()
        findings.add_repeated(("trusted",), self.trusted)
        findings.report()
        return self


class Hybrid(Part, json_schema_extra=pages.HYBRID_ACTIVATION):
    """Machines outside of AWS, which register themselves with an activation.

    Their role is made; the activation, which CloudFormation does not know, is not: the stack's output
    `CreateActivationCommand` is the call that makes it.
    """

    tags: dict[TagKey, Tag] = Field(
        min_length=1,
        description="Tags of the activation, which its machines get besides `Environment`: those that a window "
        "selects, and `PatchGroup` for their baseline.",
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        """Find tags that the machines would not get, or that Patch Manager would not read.

        Refused:
        - `tags`: `Environment`, which is set by `environment`
        - `tags`: a patch group in another spelling than `PatchGroup` or `Patch Group`, which Patch Manager does not
          read

        Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/hybrid-activation-managed-nodes.html and
        https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-patch-groups.html.
        """
        findings = Findings()
        if ENVIRONMENT_TAG in self.tags:
            findings.add(("tags", ENVIRONMENT_TAG), f"the tag {ENVIRONMENT_TAG} is set by environment; take it out")
        for key in self.tags:
            findings.make(("tags", key), check_tag_key, key)
        findings.report()
        return self
