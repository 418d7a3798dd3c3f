"""The patch baselines of a policy, and the exceptions to them."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from patching.baseline import (
    MAX_DESCRIPTION,
    ApprovalRule,
    AvailableSecurityUpdates,
    ComplianceLevel,
    PatchBaseline,
    PatchFilter,
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
    check_together,
    check_values,
    rejecting,
)
from patching.errors import InvalidValueError
from patching.operating_system import OperatingSystem
from patching.patch_source import PatchSource
from patching.policy import pages
from patching.policy.part import Findings, Key, Part, Place, Tag
from patching.product import check_product
from patching.quotas import MAX_PATCH_GROUPS

Filters = dict[str, list[str]]


def _check_filters(filters: Filters, system: OperatingSystem, at: Place, findings: Findings) -> None:
    """Check a filter group: each key, each of its values, and how many there are.

    Follows https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PatchFilter.html.
    """
    for key, values in filters.items():
        if not findings.make((*at, key), filters_from, {key: values}, system):
            continue
        for index, value in enumerate(values):
            findings.make((*at, key, index), check_values, filters_from({key: [value]}, system), system)
    if all(key in system.filter_keys for key in filters):
        findings.make(at, filters_from, {key: ["*"] for key in filters}, system)


def _filters(filters: Filters) -> list[PatchFilter]:
    """Make filters that nobody has checked."""
    return [PatchFilter(key, tuple(values)) for key, values in filters.items()]


class Rule(Part, json_schema_extra=pages.PATCH_RULE):
    """An approval rule of a baseline: which patches it is about, and from when on it approves them."""

    filters: Filters = Field(
        default_factory=dict,
        description="Filter keys of the operating system, at most 4, each with 1 to 20 values that it lets through; "
        "a patch has to get through all of them. `*` lets everything through, and values are compared without regard "
        "to case. Without any filter the rule is about every patch.",
        json_schema_extra=pages.PATCH_FILTER,
    )
    approve_after_days: int | None = Field(
        default=None,
        ge=0,
        le=360,
        description="Days after its release from which on a patch is approved; 0 without this and "
        "`approve_until_date`. On Windows an update that is replaced while it waits is withdrawn, and its successor "
        "waits anew: with a long delay none of them may ever be installed.",
    )
    approve_until_date: date | None = Field(
        default=None,
        description="Instead of a delay: approve what was released on this day (UTC) or before.",
    )
    compliance_level: Annotated[ComplianceLevel, Field(strict=False)] = Field(
        default=ComplianceLevel.UNSPECIFIED,
        description="How serious it is when a patch that the rule approves is missing.",
    )
    enable_non_security: bool = Field(
        default=False,
        description="Linux only: approve also what no security notice and no security repository has.",
        json_schema_extra=pages.SELECTED_PATCHES,
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


class Source(Part, json_schema_extra=pages.PATCH_SOURCES):
    """An alternative repository of a Linux baseline, by its name of 3 to 50 letters, digits, `_`, `-` and `.`.

    With one, the repositories that the node has configured are not asked: name these as well if they are to be.
    """

    products: list[str] = Field(
        min_length=1,
        max_length=20,
        description="Versions of the system that it is for, as a `PRODUCT` filter names them, such as `Ubuntu24.04`; "
        "`*` for all of them.",
    )
    configuration: str = Field(
        min_length=1,
        max_length=1024,
        description="The repository's own configuration: for dnf, yum and zypper the section of a `.repo` file, for "
        "apt one line of `sources.list`. It is no place for passwords: everyone who may read the baseline reads it.",
        examples=["deb https://mirror.example.com/ubuntu noble-security main"],
    )


class Baseline(Part, json_schema_extra=pages.CREATE_BASELINE):
    """A patch baseline: which patches of one operating system are approved, from when on, and for which nodes.

    A rejected patch stays out whatever approves it; then come the patches approved by name; then the rules.
    """

    operating_system: Annotated[OperatingSystem, Field(strict=False)] = Field(
        description="The system it is for. A deployed baseline cannot change it, and is replaced.",
        json_schema_extra=pages.SUPPORTED_SYSTEMS,
    )
    description: str = Field(
        default="", max_length=MAX_DESCRIPTION, description="What people read of it in the console."
    )
    patch_groups: list[Annotated[Tag, Field(min_length=1)]] = Field(
        default_factory=list,
        max_length=MAX_PATCH_GROUPS,
        description="Values of the tag `PatchGroup` of the nodes that get it. Only a default baseline can do without.",
        json_schema_extra=pages.PATCH_GROUPS,
    )
    default: bool = Field(
        default=False,
        description="Make it the account's default of its system in the Region: nodes without a patch group, or with "
        "one that no baseline has, get it, whatever environment they are of.",
        json_schema_extra=pages.DEFAULT_BASELINE,
    )
    rules: list[Rule] = Field(
        default_factory=list,
        max_length=10,
        description="Approval rules; a patch is approved if one of them approves it.",
        json_schema_extra=pages.PATCH_RULE,
    )
    global_filters: Filters = Field(
        default_factory=dict,
        description="Filters, written as those of a rule: what does not get through them is approved by no rule, but "
        "still by `approved_patches`. The console does not show them.",
        json_schema_extra=pages.PATCH_FILTER,
    )
    approved_patches: list[str] = Field(
        default_factory=list,
        max_length=50,
        description="Patches approved by name, whatever the rules and their dates say: on Windows `KB5031364` or "
        "`MS10-048`, with dnf, yum and zypper a package with `*` and its version if need be, a CVE or an advisory, "
        "with apt the bare name of a package.",
        json_schema_extra=pages.PATCH_NAMES,
    )
    approved_patches_compliance_level: Annotated[ComplianceLevel, Field(strict=False)] = Field(
        default=ComplianceLevel.UNSPECIFIED, description="How serious it is when one of `approved_patches` is missing."
    )
    approved_patches_enable_non_security: bool = Field(
        default=False, description="Linux only: install `approved_patches` also where no security notice names them."
    )
    rejected_patches: list[str] = Field(
        default_factory=list,
        max_length=50,
        description="Patches never approved, by name; this beats everything else. With dnf, yum and zypper no CVE and "
        "no Bugzilla number.",
        json_schema_extra=pages.PATCH_NAMES,
    )
    rejected_patches_action: Annotated[RejectedPatchesAction, Field(strict=False)] = Field(
        default=RejectedPatchesAction.ALLOW_AS_DEPENDENCY,
        description="What becomes of the patches of `rejected_patches` that others depend on.",
    )
    sources: dict[str, Source] = Field(
        default_factory=dict,
        max_length=20,
        description="Linux only: alternative repositories by their names. They take the place of those that the node "
        "has configured: name these as well if they are to be asked.",
        json_schema_extra=pages.PATCH_SOURCES,
    )
    available_security_updates: Annotated[AvailableSecurityUpdates, Field(strict=False)] | None = Field(
        default=None,
        description="Windows only: what a node is for which a security update is out that its baseline does not "
        "approve yet. Left out, AWS decides; it documents no default.",
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        """Find what AWS would refuse of a baseline, or would take and never do.

        Refused:
        - `rules.filters`, `global_filters`: a key that the system has not, a value that no patch of it has (AWS takes
          it, and approves nothing), more than 4 keys, not 1 to 20 values
        - `rules.filters`, `global_filters`: a product of another system, or one that is spelt otherwise
        - `rules.filters`: values of which `global_filters` let none through, so that the rule approves nothing
        - `rules`: `approve_after_days` beside `approve_until_date`
        - `rules`: either of them for Debian, Raspberry Pi OS and Ubuntu, whose packages carry no reliable date
        - `rules`: neither rules nor `approved_patches`, which approves nothing
        - `rules.enable_non_security`, `approved_patches_enable_non_security`, `sources`: for a system other than Linux
        - `available_security_updates`: for a system other than Windows
        - `approved_patches`, `rejected_patches`: a name that means nothing on the system; one twice
        - `rejected_patches`: `*`, which rejects everything
        - `approved_patches`: one that `rejected_patches` names as well, or covers with `*`, as rejected beats approved
        - `patch_groups`: none, unless the baseline is a default, as no node would ever get it; one twice
        - `sources`: a name that is not 3 to 50 letters, digits, `_`, `-` and `.`; a product of another system

        Follows https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CreatePatchBaseline.html,
        https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PatchRule.html,
        https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PatchFilter.html and
        https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-patch-groups.html.
        """
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
            for key, values in rule.filters.items():
                every = _filters(self.global_filters)
                findings.make((*at, "filters", key), check_together, _filters({key: values}), every)
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

    @property
    def patch_sources(self) -> tuple[PatchSource, ...]:
        """The alternative sources of the domain."""
        return tuple(PatchSource(name, tuple(one.products), one.configuration) for name, one in self.sources.items())

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
            sources=self.patch_sources,
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


class PatchException(Part, json_schema_extra=pages.OWN):
    """A patch that is treated otherwise than the rules say, for a while, with someone who answers for it.

    It is deployed as one entry more of its baselines' approved or rejected patches.
    """

    patch: str = Field(
        min_length=1,
        max_length=100,
        description="The patch or package, written as in `approved_patches` or `rejected_patches`.",
        json_schema_extra=pages.PATCH_NAMES,
    )
    baselines: list[Key] = Field(min_length=1, description="Baselines of this policy that it is an exception to.")
    action: Annotated[Action, Field(strict=False)] = Field(
        default=Action.REJECT,
        description="Whether the patch is kept out, or installed at once.",
        json_schema_extra=pages.CREATE_BASELINE,
    )
    reason: str = Field(min_length=10, max_length=500, description="Why, for those who review it.")
    owner: str = Field(min_length=1, max_length=200, description="The person or team that answers for it.")
    until: date = Field(
        description="The last day (UTC) on which it holds. From two weeks before, every synthesis says that it ends; "
        "from the day after, the policy is refused until it is taken out or renewed."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        """Find a baseline that is named twice.

        Refused:
        - `baselines`: one that is in the list already

        Follows https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CreatePatchBaseline.html.
        """
        findings = Findings()
        findings.add_repeated(("baselines",), self.baselines)
        findings.report()
        return self


def check_entry(patch: str, baseline: Baseline, *, rejected: bool) -> None:
    """Refuse a patch that an exception cannot add to a baseline's list.

    Raises:
        InvalidValueError: not a patch of the baseline's system, or one that the list names already.

    Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-approved-rejected-package-name-formats.html.
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
