"""Patch baselines: what they approve, from when on, and at which compliance level.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-linux-rules.html,
https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-installing-patches.html and
https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PatchRule.html. What AWS takes and then does nothing
with is in `patching.baseline_checks`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Self

from patching.errors import InvalidValueError, is_token
from patching.operating_system import OperatingSystem, PatchFamily, operating_system
from patching.patch_source import MAX_SOURCES, PatchSource

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

MAX_DESCRIPTION = 1_024
MAX_RULES = 10
MAX_FILTERS = 4
MAX_FILTER_VALUES = 20
_MAX_FILTER_VALUE = 64
MAX_LISTED_PATCHES = 50
MAX_APPROVAL_DELAY = 360
_NAME = re.compile(r"[A-Za-z0-9_.-]{3,128}")
_ANY = "*"


class ComplianceLevel(StrEnum):
    """How serious it is when a patch that a rule approves is missing; the baseline's word, not the vendor's."""

    CRITICAL = "CRITICAL"
    HIGH = "HIGH"
    MEDIUM = "MEDIUM"
    LOW = "LOW"
    INFORMATIONAL = "INFORMATIONAL"
    UNSPECIFIED = "UNSPECIFIED"

    @property
    def rank(self) -> int:
        """A number that is higher for a more serious level."""
        return _RANKS[self]


_RANKS = {level: len(ComplianceLevel) - place for place, level in enumerate(ComplianceLevel)}


class RejectedPatchesAction(StrEnum):
    """What becomes of a rejected patch that another one depends on."""

    ALLOW_AS_DEPENDENCY = "ALLOW_AS_DEPENDENCY"
    """It may come in as a dependency, which Windows does not know, and counts as INSTALLED_OTHER. AWS's own default."""

    BLOCK = "BLOCK"
    """Neither it nor what depends on it is installed; one that is there already is INSTALLED_REJECTED."""


class AvailableSecurityUpdates(StrEnum):
    """What it means for a node of Windows that a security update is out which its baseline does not approve yet."""

    COMPLIANT = "COMPLIANT"
    """The node stays compliant."""

    NON_COMPLIANT = "NON_COMPLIANT"
    """The node is not compliant until the update is approved and installed."""


@dataclass(frozen=True)
class Patch:
    """One release of a package, or one update of Windows, as a baseline sees it.

    Attributes:
        name: package name, or KB number.
        version: version and release of the package (`epoch:version-release`); empty for Windows.
        arch: architecture of the package; empty for Windows.
        released: when the vendor published it, or last changed its notice: approval delays count from here.
        classification: the vendor's, such as Security; empty where a repository says nothing of it.
        severity: the vendor's, such as Important; the package priority for apt.
        product: the product name that a PRODUCT filter compares with, such as AmazonLinux2023.
        section: section of the archive, for apt.
        family: product family, for Windows.
        advisory: identifier of the notice it came with.
        cves: identifiers of the vulnerabilities that it closes.
        security: whether it came from a security repository, for apt.
    """

    name: str
    version: str
    arch: str
    released: datetime
    classification: str = ""
    severity: str = ""
    product: str = ""
    section: str = ""
    family: str = ""
    advisory: str = ""
    cves: tuple[str, ...] = ()
    security: bool = False

    def value(self, key: str) -> str:
        """Return what a filter with this key compares with."""
        match key:
            case "PRODUCT":
                return self.product
            case "CLASSIFICATION":
                return self.classification
            case "SEVERITY" | "MSRC_SEVERITY" | "PRIORITY":
                return self.severity
            case "SECTION":
                return self.section
            case "PRODUCT_FAMILY":
                return self.family
            case "PATCH_SET":
                return "OS" if self.family in ("", "Windows") else "APPLICATION"
            case _:
                return ""

    @property
    def has_notice(self) -> bool:
        """Tell whether the repository's advisories know it; without one it is no security update by AWS's reading."""
        return bool(self.classification and self.severity) or bool(self.advisory)

    def identifiers(self) -> tuple[str, ...]:
        """Return every form in which a list of approved or rejected patches may name it."""
        epoch, _, version_release = self.version.rpartition(":")
        version = version_release.rpartition("-")[0] or version_release
        forms = [self.name]
        if self.arch:
            forms += [f"{self.name}.{self.arch}", f"{self.name}.{self.arch}:{self.version}"]
        if self.version:
            forms += [
                version,
                version_release,
                f"{epoch or 0}:{version_release}",
                f"{self.name}.{self.arch}:{epoch or 0}:{version_release}",
                f"{self.name}-{version}",
                f"{self.name}-{version_release}",
                f"{self.name}-{version_release}.{self.arch}",
                f"{self.name}-{epoch or 0}:{version_release}",
                f"{self.name}-{epoch or 0}:{version_release}.{self.arch}",
                f"{epoch or 0}:{self.name}-{version_release}.{self.arch}",
            ]
        return (*forms, *filter(None, (self.advisory,)), *self.cves)


@dataclass(frozen=True)
class PatchFilter:
    """One key of a filter group with the values that it lets through.

    A value is compared without regard to case; `*` lets everything through, also a patch that has no value.
    """

    key: str
    values: tuple[str, ...]

    def matches(self, patch: Patch) -> bool:
        """Tell whether the patch gets through."""
        value = patch.value(self.key).casefold()
        return _ANY in self.values or value in {known.casefold() for known in self.values}


def filters_from(mapping: Mapping[str, Iterable[str]], system: OperatingSystem) -> tuple[PatchFilter, ...]:
    """Make a filter group from keys and their values.

    Raises:
        InvalidValueError: a key that this operating system has not, more than 4 keys, not 1 to 20 values, or one that
            has not 1 to 64 characters.
    """
    filters = tuple(PatchFilter(key, tuple(values)) for key, values in mapping.items())
    check_filters(filters, system)
    return filters


def check_filters(filters: Sequence[PatchFilter], system: OperatingSystem) -> None:
    """Refuse a filter group that AWS would refuse; raise `InvalidValueError` as `filters_from` does."""
    if len(filters) > MAX_FILTERS:
        message = f"{len(filters)} filters, but AWS takes {MAX_FILTERS} at most in one group"
        raise InvalidValueError(message)
    for one in filters:
        if one.key not in system.filter_keys:
            message = f"filter {one.key} is not one that {system} has; expected one of {', '.join(system.filter_keys)}"
            raise InvalidValueError(message)
        if not 1 <= len(one.values) <= MAX_FILTER_VALUES:
            message = f"filter {one.key} has {len(one.values)} values, but AWS takes 1 to {MAX_FILTER_VALUES}"
            raise InvalidValueError(message)
        for value in one.values:
            if not 1 <= len(value) <= _MAX_FILTER_VALUE:
                message = (
                    f"filter {one.key} has a value of {len(value)} characters, but AWS takes 1 to {_MAX_FILTER_VALUE}"
                )
                raise InvalidValueError(message)


@dataclass(frozen=True)
class ApprovalRule:
    """Patches that are approved by themselves once they are old enough.

    Attributes:
        filters: every one of them has to let the patch through.
        approve_after_days: days after the release from which on it is approved, 0 to 360.
        approve_until_date: instead of the delay: approved if released on this day (UTC) or before.
        compliance_level: how serious it is when an approved patch is missing; UNSPECIFIED by default.
        enable_non_security: Linux only: also what no security notice or repository has. Off by default.

    Raises:
        InvalidValueError: both a delay and a date, or a delay outside 0 to 360.
    """

    filters: tuple[PatchFilter, ...] = ()
    approve_after_days: int | None = None
    approve_until_date: date | None = None
    compliance_level: ComplianceLevel = ComplianceLevel.UNSPECIFIED
    enable_non_security: bool = False

    def __post_init__(self) -> None:
        if self.approve_after_days is not None and self.approve_until_date is not None:
            message = "a rule has approve_after_days or approve_until_date, not both; take one out"
            raise InvalidValueError(message)
        if self.approve_after_days is not None and not 0 <= self.approve_after_days <= MAX_APPROVAL_DELAY:
            message = (
                f"approve_after_days {self.approve_after_days} is not a number of days from 0 to {MAX_APPROVAL_DELAY}"
            )
            raise InvalidValueError(message)

    def selects(self, patch: Patch, system: OperatingSystem) -> bool:
        """Tell whether the rule is about this patch, whatever its date."""
        if not all(one.matches(patch) for one in self.filters):
            return False
        return self.enable_non_security or _is_security(patch, system)

    def approved_from(self, patch: Patch, system: OperatingSystem) -> datetime | None:
        """Return when a patch that the rule selects is approved; None for one that its date leaves out."""
        if not system.dates_patches:
            return patch.released
        if self.approve_until_date is not None:
            return patch.released if patch.released.astimezone(UTC).date() <= self.approve_until_date else None
        return patch.released + timedelta(days=self.approve_after_days or 0)

    def to_api(self) -> dict[str, Any]:
        """Write the rule as the API takes it."""
        rule: dict[str, Any] = {
            "PatchFilterGroup": {
                "PatchFilters": [{"Key": one.key, "Values": list(one.values)} for one in self.filters],
            },
            "ComplianceLevel": str(self.compliance_level),
            "EnableNonSecurity": self.enable_non_security,
        }
        if self.approve_until_date is not None:
            rule["ApproveUntilDate"] = self.approve_until_date.isoformat()
        else:
            rule["ApproveAfterDays"] = self.approve_after_days or 0
        return rule

    @classmethod
    def from_api(cls, rule: Mapping[str, Any], system: OperatingSystem) -> Self:
        """Read a rule as the API writes it."""
        group = rule.get("PatchFilterGroup", {}).get("PatchFilters", [])
        until = rule.get("ApproveUntilDate")
        delay = rule.get("ApproveAfterDays")
        return cls(
            filters_from({one["Key"]: one["Values"] for one in group}, system),
            None if delay is None else int(delay),
            date.fromisoformat(until) if until else None,
            ComplianceLevel(rule.get("ComplianceLevel", ComplianceLevel.UNSPECIFIED)),
            str(rule.get("EnableNonSecurity", False)).lower() == "true",
        )


@dataclass(frozen=True)
class Decision:
    """What a baseline says of a patch.

    Attributes:
        approved: it is to be installed, on the day that was asked about.
        rejected: the list of rejected patches names it.
        level: how serious it is when it is missing.
    """

    approved: bool
    rejected: bool = False
    level: ComplianceLevel = ComplianceLevel.UNSPECIFIED


def _check_texts(name: str, description: str) -> None:
    if not is_token(name) and not _NAME.fullmatch(name):
        message = f"baseline name {name!r} is not 3 to 128 letters, digits, '_', '.' or '-'"
        raise InvalidValueError(message)
    if len(description) > MAX_DESCRIPTION and not is_token(description):
        message = f"a description of {len(description)} characters, but AWS takes {MAX_DESCRIPTION:,} at most"
        raise InvalidValueError(message)


@dataclass(frozen=True)
class PatchBaseline:
    """Which patches are approved for one operating system.

    Attributes:
        name: 3 to 128 letters, digits, `_`, `.` and `-`.
        operating_system: the one it is for; the only thing that a deployed baseline cannot change.
        rules: approval rules; a patch is approved if one of them approves it.
        global_filters: what does not get through these is not approved by any rule.
        approved: patches approved by name, whatever the rules say.
        approved_level: their compliance level; UNSPECIFIED by default.
        approved_non_security: Linux only: approve by name also what no security notice names.
        rejected: patches never approved, by name; this beats everything else.
        rejected_action: what becomes of a rejected patch that another depends on.
        default: the account's default for its system, in the Region.
        description: for people.
        sources: Linux only: repositories that are used instead of those that a node is configured with.
        available_security_updates: Windows only: whether a security update that is not approved yet keeps a node from
            being compliant; AWS documents no default, and the service then counts it as compliant.

    Raises:
        InvalidValueError: a name, or a number of rules or listed patches, that AWS would refuse.
    """

    name: str
    operating_system: OperatingSystem
    rules: tuple[ApprovalRule, ...] = ()
    global_filters: tuple[PatchFilter, ...] = ()
    approved: tuple[str, ...] = ()
    approved_level: ComplianceLevel = ComplianceLevel.UNSPECIFIED
    approved_non_security: bool = False
    rejected: tuple[str, ...] = ()
    rejected_action: RejectedPatchesAction = RejectedPatchesAction.ALLOW_AS_DEPENDENCY
    default: bool = False
    description: str = field(default="", compare=False)
    sources: tuple[PatchSource, ...] = ()
    available_security_updates: AvailableSecurityUpdates | None = None

    def __post_init__(self) -> None:
        _check_texts(self.name, self.description)
        for filters in (self.global_filters, *(rule.filters for rule in self.rules)):
            check_filters(filters, self.operating_system)
        if len(self.rules) > MAX_RULES:
            message = f"{len(self.rules)} approval rules, but AWS takes {MAX_RULES} at most"
            raise InvalidValueError(message)
        for what, patches in (("approved", self.approved), ("rejected", self.rejected)):
            if len(patches) > MAX_LISTED_PATCHES:
                message = f"{len(patches)} {what} patches, but AWS takes {MAX_LISTED_PATCHES} at most"
                raise InvalidValueError(message)
        if self.approved_non_security or any(rule.enable_non_security for rule in self.rules):
            check_linux("non-security updates", self.operating_system)
        if self.sources:
            check_linux("patch sources", self.operating_system)
        if len(self.sources) > MAX_SOURCES:
            message = f"{len(self.sources)} patch sources, but AWS takes {MAX_SOURCES} at most"
            raise InvalidValueError(message)
        if self.available_security_updates:
            check_windows("the compliance of available security updates", self.operating_system)

    def decide(self, patch: Patch, now: datetime) -> Decision:
        """Say whether the baseline approves this patch at this time.

        Several rules may select one patch: it is approved if one of them approves it, at the most serious level of
        those that do.
        """
        if self.rejects(patch):
            return Decision(approved=False, rejected=True)
        levels = [level for since, level in self.approvals(patch) if since <= now]
        if self.approves_by_name(patch):
            levels.append(self.approved_level)
        if not levels:
            return Decision(approved=False)
        return Decision(approved=True, level=max(levels, key=lambda level: level.rank))

    def rejects(self, patch: Patch) -> bool:
        """Tell whether the list of rejected patches names this one."""
        return _listed(patch, self.rejected)

    def approves_by_name(self, patch: Patch) -> bool:
        """Tell whether the list of approved patches names this one, and may: on Linux it is for security updates.

        See `ApprovedPatchesEnableNonSecurity` in
        https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CreatePatchBaseline.html.
        """
        return _listed(patch, self.approved) and (
            self.approved_non_security or _is_security(patch, self.operating_system)
        )

    def approvals(self, patch: Patch) -> list[tuple[datetime, ComplianceLevel]]:
        """Return from when on each rule that selects this patch approves it, and at which compliance level.

        What does not get through the global filters no rule approves.
        """
        if not all(one.matches(patch) for one in self.global_filters):
            return []
        return [
            (since, rule.compliance_level)
            for rule in self.rules
            if rule.selects(patch, self.operating_system)
            and (since := rule.approved_from(patch, self.operating_system)) is not None
        ]

    def to_api(self) -> dict[str, Any]:
        """Write the baseline as CreatePatchBaseline takes it; what is empty is left out."""
        api: dict[str, Any] = {"Name": self.name, "OperatingSystem": str(self.operating_system)}
        if self.description:
            api["Description"] = self.description
        if self.rules:
            api["ApprovalRules"] = {"PatchRules": [rule.to_api() for rule in self.rules]}
        if self.global_filters:
            api["GlobalFilters"] = {
                "PatchFilters": [{"Key": one.key, "Values": list(one.values)} for one in self.global_filters]
            }
        if self.approved:
            api["ApprovedPatches"] = list(self.approved)
            api["ApprovedPatchesComplianceLevel"] = str(self.approved_level)
        if self.approved_non_security:
            api["ApprovedPatchesEnableNonSecurity"] = True
        if self.rejected:
            api["RejectedPatches"] = list(self.rejected)
            api["RejectedPatchesAction"] = str(self.rejected_action)
        if self.sources:
            api["Sources"] = [one.to_api() for one in self.sources]
        if self.available_security_updates:
            api["AvailableSecurityUpdatesComplianceStatus"] = str(self.available_security_updates)
        return api

    @classmethod
    def from_api(cls, api: Mapping[str, Any]) -> Self:
        """Read a baseline as CreatePatchBaseline takes it."""
        system = operating_system(api.get("OperatingSystem", OperatingSystem.WINDOWS))
        return cls(
            name=api["Name"],
            operating_system=system,
            rules=tuple(
                ApprovalRule.from_api(rule, system) for rule in api.get("ApprovalRules", {}).get("PatchRules", [])
            ),
            global_filters=filters_from(
                {one["Key"]: one["Values"] for one in api.get("GlobalFilters", {}).get("PatchFilters", [])}, system
            ),
            approved=tuple(api.get("ApprovedPatches", [])),
            approved_level=ComplianceLevel(api.get("ApprovedPatchesComplianceLevel", ComplianceLevel.UNSPECIFIED)),
            approved_non_security=str(api.get("ApprovedPatchesEnableNonSecurity", False)).lower() == "true",
            rejected=tuple(api.get("RejectedPatches", [])),
            rejected_action=RejectedPatchesAction(
                api.get("RejectedPatchesAction", RejectedPatchesAction.ALLOW_AS_DEPENDENCY)
            ),
            description=api.get("Description", ""),
            sources=tuple(PatchSource.from_api(one) for one in api.get("Sources", [])),
            available_security_updates=_available_security_updates(api),
        )


def _is_security(patch: Patch, system: OperatingSystem) -> bool:
    """Tell whether a patch is taken where updates that are not for security are left out.

    See https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-linux-rules.html.
    """
    match system.family:
        case PatchFamily.APT:
            return patch.security
        case PatchFamily.RPM:
            # Advisories of any classification count here, bug fixes too: what the option adds is what has none.
            return patch.has_notice
        case _:
            return True


def check_linux(what: str, system: OperatingSystem) -> None:
    """Refuse what only a baseline of Linux can have.

    Follows https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CreatePatchBaseline.html.
    """
    if system.family not in (PatchFamily.RPM, PatchFamily.APT):
        message = f"{what} are a matter of Linux only, not of {system}; take them out"
        raise InvalidValueError(message)


def check_windows(what: str, system: OperatingSystem) -> None:
    """Refuse what only a baseline of Windows can have; see `check_linux`."""
    if system.family is not PatchFamily.WINDOWS:
        message = f"{what} is a matter of Windows only, not of {system}; take it out"
        raise InvalidValueError(message)


def _available_security_updates(api: Mapping[str, Any]) -> AvailableSecurityUpdates | None:
    said = api.get("AvailableSecurityUpdatesComplianceStatus")
    return AvailableSecurityUpdates(said) if said else None


def _listed(patch: Patch, names: Iterable[str]) -> bool:
    identifiers = [identifier.casefold() for identifier in patch.identifiers()]
    return any(fnmatchcase(identifier, name.casefold()) for name in names for identifier in identifiers)
