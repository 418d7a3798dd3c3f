"""The patch baselines of a policy, and the exceptions to them."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from patching.baseline import (
    ApprovalRule,
    AvailableSecurityUpdates,
    ComplianceLevel,
    PatchBaseline,
    RejectedPatchesAction,
    check_linux,
    check_windows,
    filters_from,
)
from patching.baseline_checks import (
    check_approves,
    check_contradiction,
    check_dates,
    check_listed,
    check_values,
    rejecting,
)
from patching.errors import InvalidValueError
from patching.operating_system import OperatingSystem
from patching.patch_source import PatchSource
from patching.policy.part import Findings, Key, Part, Place, Tag
from patching.product import check_product
from patching.quotas import MAX_PATCH_GROUPS

Filters = dict[str, list[str]]


def _check_filters(filters: Filters, system: OperatingSystem, at: Place, findings: Findings) -> None:
    """Check a filter group: each key, each of its values, and how many there are."""
    for key, values in filters.items():
        if not findings.make((*at, key), filters_from, {key: values}, system):
            continue
        for index, value in enumerate(values):
            findings.make((*at, key, index), check_values, filters_from({key: [value]}, system), system)
    if all(key in system.filter_keys for key in filters):
        findings.make(at, filters_from, {key: ["*"] for key in filters}, system)


class Rule(Part):
    """An approval rule of a baseline."""

    filters: Filters = Field(
        default_factory=dict,
        description="Filter keys of the operating system with the values that they let through; a patch has to get "
        "through all of them. Without any, the rule is about every patch.",
    )
    approve_after_days: int | None = Field(
        default=None,
        ge=0,
        le=360,
        description="Days after the release from which on a patch is approved; 0 by default.",
    )
    approve_until_date: date | None = Field(
        default=None, description="Instead of a delay: approve what was released on this day (UTC) or before."
    )
    compliance_level: Annotated[ComplianceLevel, Field(strict=False)] = Field(
        default=ComplianceLevel.UNSPECIFIED, description="How serious it is when an approved patch is missing."
    )
    enable_non_security: bool = Field(
        default=False, description="Linux only: approve also what no security notice or security repository has."
    )

    def without_filters(self) -> ApprovalRule:
        """Make the rule of the domain as far as it does not depend on the operating system."""
        return ApprovalRule((), self.approve_after_days, self.approve_until_date, self.compliance_level)

    def approval_rule(self, system: OperatingSystem) -> ApprovalRule:
        """Make the rule of the domain."""
        return ApprovalRule(
            filters_from(self.filters, system),
            self.approve_after_days,
            self.approve_until_date,
            self.compliance_level,
            self.enable_non_security,
        )


class Source(Part):
    """An alternative repository of a Linux baseline: with one, the node's own repositories are not asked."""

    products: list[str] = Field(
        min_length=1,
        max_length=20,
        description="Versions of the system that it is for, as a PRODUCT filter names them, such as Ubuntu24.04; * for "
        "all of them.",
    )
    configuration: str = Field(
        min_length=1,
        max_length=1024,
        description="The repository's own configuration: for dnf, yum and zypper the section of a .repo file, for apt "
        "one line of sources.list. It is no place for passwords: everyone who may read the baseline reads it.",
    )


class Baseline(Part):
    """A patch baseline."""

    operating_system: Annotated[OperatingSystem, Field(strict=False)] = Field(description="The system it is for.")
    description: str = Field(default="", max_length=1024, description="What people read of it in the console.")
    patch_groups: list[Annotated[Tag, Field(min_length=1)]] = Field(
        default_factory=list,
        max_length=MAX_PATCH_GROUPS,
        description="Values of the nodes' tag PatchGroup. Only a default baseline can do without.",
    )
    default: bool = Field(
        default=False,
        description="Make it the account's default of its system in the Region: nodes without a patch group, or with "
        "one that no baseline has, get it, whatever environment they are of.",
    )
    rules: list[Rule] = Field(
        default_factory=list,
        max_length=10,
        description="Approval rules; a patch is approved if one of them approves it.",
    )
    global_filters: Filters = Field(
        default_factory=dict, description="What does not get through these is approved by no rule."
    )
    approved_patches: list[str] = Field(
        default_factory=list, max_length=50, description="Patches approved by name, whatever the rules say."
    )
    approved_patches_compliance_level: Annotated[ComplianceLevel, Field(strict=False)] = Field(
        default=ComplianceLevel.UNSPECIFIED, description="How serious it is when one of approved_patches is missing."
    )
    approved_patches_enable_non_security: bool = Field(
        default=False, description="Linux only: install approved_patches also where no security notice names them."
    )
    rejected_patches: list[str] = Field(
        default_factory=list, max_length=50, description="Patches never approved, by name; this beats everything else."
    )
    rejected_patches_action: Annotated[RejectedPatchesAction, Field(strict=False)] = Field(
        default=RejectedPatchesAction.ALLOW_AS_DEPENDENCY,
        description="BLOCK also keeps out what depends on a rejected patch.",
    )
    sources: dict[str, Source] = Field(
        default_factory=dict,
        max_length=20,
        description="Linux only: alternative repositories by their names (3 to 50 letters, digits, _, - and .). They "
        "take the place of those that the node has configured: name these as well if they are to be asked.",
    )
    available_security_updates: Annotated[AvailableSecurityUpdates, Field(strict=False)] | None = Field(
        default=None,
        description="Windows only: whether a security update that is there but not approved yet leaves a node "
        "COMPLIANT or makes it NON_COMPLIANT. AWS's own default is COMPLIANT.",
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        findings = Findings()
        self._check_rules(findings)
        self._check_lists(findings)
        self._check_sources(findings)
        findings.add_repeated(("patch_groups",), self.patch_groups)
        if self.available_security_updates:
            what = "the compliance of available security updates"
            findings.make(("available_security_updates",), check_windows, what, self.operating_system)
        if not self.patch_groups and not self.default:
            message = (
                "no node can ever get this baseline: it has no patch_groups, and is not the default of its system; "
                "name a group, or write default: true"
            )
            findings.add((), message)
        findings.make((), check_approves, self.rules, self.approved_patches)
        findings.report()
        findings.make((), self.patch_baseline, "checked")
        findings.report()
        return self

    def _check_rules(self, findings: Findings) -> None:
        system = self.operating_system
        for index, rule in enumerate(self.rules):
            at = ("rules", index)
            _check_filters(rule.filters, system, (*at, "filters"), findings)
            if findings.make(at, rule.without_filters):
                key = "approve_after_days" if rule.approve_after_days else "approve_until_date"
                findings.make((*at, key), check_dates, rule.without_filters(), system)
            if rule.enable_non_security:
                findings.make((*at, "enable_non_security"), check_linux, "non-security updates", system)
        _check_filters(self.global_filters, system, ("global_filters",), findings)

    def _check_lists(self, findings: Findings) -> None:
        system = self.operating_system
        for key, patches in (("approved_patches", self.approved_patches), ("rejected_patches", self.rejected_patches)):
            for index, patch in enumerate(patches):
                findings.make((key, index), check_listed, patch, system, key == "rejected_patches")
            findings.add_repeated((key,), patches)
        for index, patch in enumerate(self.approved_patches):
            findings.make(("approved_patches", index), check_contradiction, patch, self.rejected_patches)
        if self.approved_patches_enable_non_security:
            findings.make(("approved_patches_enable_non_security",), check_linux, "non-security updates", system)

    def _check_sources(self, findings: Findings) -> None:
        if self.sources:
            findings.make(("sources",), check_linux, "patch sources", self.operating_system)
        for name, source in self.sources.items():
            findings.make(("sources", name), PatchSource, name, tuple(source.products), source.configuration)
            for index, product in enumerate(source.products):
                findings.make(("sources", name, "products", index), check_product, product, self.operating_system)

    def patch_baseline(
        self, name: str, *, approved: tuple[str, ...] = (), rejected: tuple[str, ...] = ()
    ) -> PatchBaseline:
        """Make the baseline of the domain.

        Args:
            name: the name that it is deployed with.
            approved: what exceptions approve besides.
            rejected: what exceptions reject besides.
        """
        return PatchBaseline(
            name=name,
            operating_system=self.operating_system,
            rules=tuple(rule.approval_rule(self.operating_system) for rule in self.rules),
            global_filters=filters_from(self.global_filters, self.operating_system),
            approved=(*self.approved_patches, *approved),
            approved_level=self.approved_patches_compliance_level,
            approved_non_security=self.approved_patches_enable_non_security,
            rejected=(*self.rejected_patches, *rejected),
            rejected_action=self.rejected_patches_action,
            sources=tuple(
                PatchSource(name, tuple(source.products), source.configuration) for name, source in self.sources.items()
            ),
            available_security_updates=self.available_security_updates,
            default=self.default,
            description=self.description,
        )


class Action(StrEnum):
    """What an exception does to the patch that it names."""

    REJECT = "reject"
    """It is not installed, and not missed: an entry of rejected_patches."""

    APPROVE = "approve"
    """It is installed although no rule approves it, or not yet: an entry of approved_patches."""


class PatchException(Part):
    """A patch that is treated otherwise than the rules say, for a while, with someone who answers for it."""

    patch: str = Field(
        min_length=1, max_length=100, description="The patch or package, as the baseline's lists take it."
    )
    baselines: list[Key] = Field(min_length=1, description="Baselines of this policy that it is an exception to.")
    action: Annotated[Action, Field(strict=False)] = Field(
        default=Action.REJECT, description="reject: it is not installed. approve: it is installed at once."
    )
    reason: str = Field(min_length=10, max_length=500, description="Why, for those who review it.")
    owner: str = Field(min_length=1, max_length=200, description="The person or team that answers for it.")
    until: date = Field(
        description="The last day (UTC) on which it holds. From two weeks before, every synthesis says that it ends; "
        "from the day after, the policy is refused until it is taken out or renewed."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        findings = Findings()
        findings.add_repeated(("baselines",), self.baselines)
        findings.report()
        return self


def check_entry(patch: str, baseline: Baseline, *, rejected: bool) -> None:
    """Refuse a patch that an exception cannot add to a baseline's list.

    Raises:
        InvalidValueError: not a patch of the baseline's system, or one that the list names already.
    """
    check_listed(patch, baseline.operating_system, rejected)
    if patch in (baseline.rejected_patches if rejected else baseline.approved_patches):
        key = "rejected_patches" if rejected else "approved_patches"
        message = f"{patch!r} is in {key} already, without an end; take it out there or here"
        raise InvalidValueError(message)
    for one in baseline.approved_patches if rejected else ():
        if rejecting(one, [patch]):
            message = f"{one!r} is in approved_patches, and rejected beats approved; take it out there or here"
            raise InvalidValueError(message)
    if not rejected:
        check_contradiction(patch, baseline.rejected_patches)
