"""A patch baseline with its patch groups.

Follows https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ssm-patchbaseline.html.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aws_cdk import aws_ssm as ssm
from constructs import Construct

from patching.baseline import PatchBaseline as Baseline
from patching.baseline_checks import check_baseline
from patching.errors import InvalidValueError
from patching.patch_group import check_groups


class PatchBaseline(Construct):
    """A patch baseline, registered for patch groups.

    Args:
        scope: where it is made.
        id: its name there; a deployed baseline is replaced if it changes.
        baseline: what it approves.
        patch_groups: values of the tag `PatchGroup` of the nodes that use it.

    Raises:
        InvalidValueError: a filter value or a product that the operating system has not, an approval by date where
            there are none, a listed patch that names nothing there or is in both lists, nothing approved at all,
            groups that AWS does not take, or a baseline that no node could get.
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
        check_baseline(baseline)
        check_groups(patch_groups)
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
