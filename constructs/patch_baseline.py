"""A patch baseline with its patch groups.

Follows https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ssm-patchbaseline.html.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aws_cdk import aws_ssm as ssm
from constructs import Construct

from patching.baseline import PatchBaseline as Baseline
from patching.baseline import check_listed, check_values
from patching.errors import InvalidValueError
from patching.quotas import MAX_PATCH_GROUPS


class PatchBaseline(Construct):
    """A patch baseline, registered for patch groups.

    Args:
        scope: where it is made.
        id: its name there; a deployed baseline is replaced if it changes.
        baseline: what it approves.
        patch_groups: values of the tag `PatchGroup` of the nodes that use it.

    Raises:
        InvalidValueError: a filter value that no patch of the operating system has, a listed patch that names nothing
            there, more groups than AWS takes, or a baseline that no node could get.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002 CDK's own name
        *,
        baseline: Baseline,
        patch_groups: Sequence[str],
    ) -> None:
        super().__init__(scope, id)
        for filters in (baseline.global_filters, *(rule.filters for rule in baseline.rules)):
            check_values(filters, baseline.operating_system)
        for patches, rejected in ((baseline.approved, False), (baseline.rejected, True)):
            for patch in patches:
                check_listed(patch, baseline.operating_system, rejected)
        if len(patch_groups) > MAX_PATCH_GROUPS:
            message = f"{len(patch_groups)} patch groups, but AWS takes {MAX_PATCH_GROUPS} at most for one baseline"
            raise InvalidValueError(message)
        if not patch_groups and not baseline.default:
            message = f"no node can ever get the baseline {baseline.name}: name a patch group, or make it the default"
            raise InvalidValueError(message)
        api = baseline.to_api()
        self.resource = ssm.CfnPatchBaseline(
            self,
            "Resource",
            name=baseline.name,
            operating_system=str(baseline.operating_system),
            description=baseline.description or None,
            approval_rules=_camel(api.get("ApprovalRules")),
            global_filters=_camel(api.get("GlobalFilters")),
            approved_patches=api.get("ApprovedPatches"),
            approved_patches_compliance_level=api.get("ApprovedPatchesComplianceLevel"),
            approved_patches_enable_non_security=api.get("ApprovedPatchesEnableNonSecurity"),
            rejected_patches=api.get("RejectedPatches"),
            rejected_patches_action=api.get("RejectedPatchesAction"),
            sources=_camel(api.get("Sources")),
            available_security_updates_compliance_status=api.get("AvailableSecurityUpdatesComplianceStatus"),
            default_baseline=baseline.default or None,
            patch_groups=list(patch_groups) or None,
        )


def _camel(node: Any) -> Any:  # noqa: ANN401 JSON is anything
    """Write the API's keys as the CDK's untyped properties want them: with a small first letter."""
    if isinstance(node, dict):
        return {key[0].lower() + key[1:]: _camel(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_camel(value) for value in node]
    return node
