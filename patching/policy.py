"""The patch policy: one file that says which nodes are patched with what, when and how, and who is told.

`patching.policy_file` reads it from YAML. What is checked here is checked when the file is read, before anything is
synthesized or deployed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Annotated, ClassVar, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from patching.baseline import (
    ApprovalRule,
    ComplianceLevel,
    PatchBaseline,
    RejectedPatchesAction,
    check_values,
    filters_from,
)
from patching.deployment import ENVIRONMENT_TAG, PATCH_GROUP_TAG, Deployment
from patching.errors import InvalidValueError
from patching.operating_system import OperatingSystem
from patching.rate_control import RateControl
from patching.run_patch_baseline import RebootOption, RunPatchBaseline
from patching.schedule import Schedule, zone
from patching.targets import Targets

MAX_PATCH_GROUPS = 25
MAX_BASELINES = 50
MAX_WINDOWS = 50
_KEY = re.compile(r"[a-z][a-z0-9-]{0,39}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_TAG = re.compile(r"[\w .:/=+\-@]*")
_SSM_PARAMETER = re.compile(r"/aws/service/[A-Za-z0-9_.\-/]+")
_INSTANCE_TYPE = re.compile(r"[a-z][a-z0-9-]*\.[a-z0-9-]+")


Place = tuple[str | int, ...]


class _Findings:
    """What is wrong with one part of the policy, each thing at the key that it belongs to.

    All of it leaves the part as one error, whose context `policy_file` takes apart again.
    """

    def __init__(self) -> None:
        self._found: list[tuple[Place, str]] = []

    def add(self, at: Place, message: str) -> None:
        """Note a problem."""
        self._found.append((at, message))

    def make(self, at: Place, factory: Callable[..., object], *arguments: object) -> None:
        """Make a value object, and note what it says of the key that it was made from."""
        try:
            factory(*arguments)
        except InvalidValueError as error:
            self.add(at, str(error))

    def report(self) -> None:
        """Refuse the part if anything was found."""
        if self._found:
            raise PydanticCustomError(FINDINGS, "the part breaks rules", {"found": self._found})


FINDINGS = "findings"
"""Type of the error that holds several findings in its context."""


def _matching(pattern: re.Pattern[str], expected: str) -> Callable[[str], str]:
    def check(value: str) -> str:
        if not pattern.fullmatch(value):
            message = f"{value!r} is not {expected}"
            raise ValueError(message)
        return value

    return check


def _environment(value: str) -> str:
    return Deployment(value).environment


def _timezone(value: str) -> str:
    zone(value)
    return value


def _own_tag(value: str) -> str:
    if value.lower().startswith("aws:"):
        message = f"{value!r} is not a tag of yours: the prefix aws: is reserved"
        raise ValueError(message)
    return value


Key = Annotated[str, AfterValidator(_matching(_KEY, "1 to 40 lower-case letters, digits and hyphens after a letter"))]
Tag = Annotated[
    str, Field(max_length=256), AfterValidator(_matching(_TAG, "a tag: letters, digits, spaces and _.:/=+-@"))
]
TagValue = Annotated[Tag, Field(min_length=1)]
TagKey = Annotated[Tag, Field(min_length=1, max_length=128), AfterValidator(_own_tag)]
Names = Annotated[list[TagValue], Field(min_length=1)]
Filters = dict[str, list[str]]


def _checked_filters(filters: Filters, system: OperatingSystem) -> None:
    check_values(filters_from(filters, system), system)


class _Part(BaseModel):
    """A part of the policy: no key that is not known, no value of another type than the one that is meant."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", frozen=True, strict=True)


class Rule(_Part):
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


class Baseline(_Part):
    """A patch baseline."""

    operating_system: Annotated[OperatingSystem, Field(strict=False)] = Field(description="The system it is for.")
    description: str = Field(default="", max_length=1024, description="What people read of it in the console.")
    patch_groups: list[Annotated[Tag, Field(min_length=1)]] = Field(
        min_length=1,
        max_length=MAX_PATCH_GROUPS,
        description="Values of the nodes' tag PatchGroup.",
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
    rejected_patches: list[str] = Field(
        default_factory=list, max_length=50, description="Patches never approved, by name; this beats everything else."
    )
    rejected_patches_action: Annotated[RejectedPatchesAction, Field(strict=False)] = Field(
        default=RejectedPatchesAction.ALLOW_AS_DEPENDENCY,
        description="BLOCK also keeps out what depends on a rejected patch.",
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        findings = _Findings()
        system = self.operating_system
        for index, rule in enumerate(self.rules):
            findings.make(("rules", index, "filters"), _checked_filters, rule.filters, system)
            findings.make(("rules", index), rule.without_filters)
            if not system.dates_patches and (rule.approve_after_days or rule.approve_until_date):
                key = "approve_after_days" if rule.approve_after_days else "approve_until_date"
                message = (
                    f"{system} does not support approval by date: its packages carry no reliable one, and AWS approves "
                    f"them at once whatever is written here; take {key} out"
                )
                findings.add(("rules", index, key), message)
        findings.make(("global_filters",), _checked_filters, self.global_filters, system)
        if not self.rules and not self.approved_patches:
            findings.add((), "a baseline without rules and approved_patches approves nothing; add one of them")
        findings.report()
        findings.make((), self.patch_baseline, "checked")
        findings.report()
        return self

    def patch_baseline(self, name: str) -> PatchBaseline:
        """Make the baseline of the domain, under the name that it is deployed with."""
        return PatchBaseline(
            name=name,
            operating_system=self.operating_system,
            rules=tuple(rule.approval_rule(self.operating_system) for rule in self.rules),
            global_filters=filters_from(self.global_filters, self.operating_system),
            approved=tuple(self.approved_patches),
            approved_level=self.approved_patches_compliance_level,
            rejected=tuple(self.rejected_patches),
            rejected_action=self.rejected_patches_action,
            description=self.description,
        )


class Scan(_Part):
    """The State Manager association that scans every node of the environment."""

    schedule_utc: str = Field(
        description="cron(...) or rate(...) as an association takes it. Associations know no time zone: this is UTC."
    )
    run_at_deployment: bool = Field(
        default=False, description="Scan also at once when the association is made or changed, not only on schedule."
    )
    concurrency: int | str = Field(default="100%", description="Nodes that scan at one time, as a number or per cent.")
    max_errors: int | str = Field(default="100%", description="Failures after which no further node starts.")
    compliance_severity: Annotated[ComplianceLevel, Field(strict=False)] = Field(
        default=ComplianceLevel.UNSPECIFIED, description="How serious it is when the scan itself could not run."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        findings = _Findings()
        findings.make(("schedule_utc",), lambda: Schedule.parse(self.schedule_utc).for_association())
        findings.make(("concurrency",), RateControl, self.concurrency)
        findings.make(("max_errors",), RateControl, 1, self.max_errors)
        if self.compliance_severity is ComplianceLevel.INFORMATIONAL:
            message = "an association's severity is CRITICAL, HIGH, MEDIUM, LOW or UNSPECIFIED, not INFORMATIONAL"
            findings.add(("compliance_severity",), message)
        if not self.run_at_deployment and self.schedule_utc.startswith("rate("):
            message = (
                f"{self.schedule_utc}: AWS runs an association with a rate when it is made, whatever is asked; write a "
                "cron expression, or run_at_deployment: true"
            )
            findings.add(("schedule_utc",), message)
        findings.report()
        return self

    @property
    def schedule(self) -> Schedule:
        """The schedule of the domain."""
        return Schedule.parse(self.schedule_utc)

    @property
    def rate_control(self) -> RateControl:
        """The rate control of the domain."""
        return RateControl(self.concurrency, self.max_errors)


class Install(_Part):
    """A maintenance window that installs."""

    targets: dict[TagKey, TagValue | Names] = Field(
        min_length=1,
        max_length=4,
        description="Tags of the nodes that it patches, besides the tag Environment. A node has to have all of them, "
        "each with the value or one of the values.",
    )
    schedule: str = Field(description="cron(...), rate(...) or at(...).")
    timezone: Annotated[str, AfterValidator(_timezone)] = Field(
        default="UTC", description="IANA name of the zone in which the schedule is read."
    )
    duration_hours: int = Field(ge=1, le=24, description="Hours that the window is open.")
    cutoff_hours: int = Field(
        default=0, ge=0, le=23, description="Hours before its end from which on it starts nothing more."
    )
    concurrency: int | str = Field(default=1, description="Nodes patched at one time, as a number or per cent.")
    max_errors: int | str = Field(default=0, description="Failures after which no further node starts.")
    reboot: Annotated[RebootOption, Field(strict=False)] = Field(
        default=RebootOption.REBOOT_IF_NEEDED,
        description="NoReboot leaves what was installed pending a reboot, which is not compliant.",
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        findings = _Findings()
        findings.make(("schedule",), lambda: self.window_schedule)
        findings.make(("concurrency",), RateControl, self.concurrency)
        findings.make(("max_errors",), RateControl, 1, self.max_errors)
        findings.make(("targets",), Targets.tags, self.targets)
        if ENVIRONMENT_TAG in self.targets:
            message = f"the tag {ENVIRONMENT_TAG} is a part of every target already, by environment; take it out"
            findings.add(("targets", ENVIRONMENT_TAG), message)
        if self.cutoff_hours >= self.duration_hours:
            message = (
                f"{self.cutoff_hours} is not below duration_hours {self.duration_hours}; a window stops starting tasks "
                "cutoff_hours before it ends"
            )
            findings.add(("cutoff_hours",), message)
        findings.report()
        return self

    @property
    def window_schedule(self) -> Schedule:
        """The schedule of the domain."""
        return Schedule.parse(self.schedule, timezone=self.timezone)

    @property
    def rate_control(self) -> RateControl:
        """The rate control of the domain."""
        return RateControl(self.concurrency, self.max_errors)

    @property
    def task(self) -> RunPatchBaseline:
        """What the window runs."""
        return RunPatchBaseline.install(reboot=self.reboot)


class Notifications(_Part):
    """Who is told what."""

    emails: list[Annotated[str, AfterValidator(_matching(_EMAIL, "an e-mail address"))]] = Field(
        default_factory=list, description="Each gets a mail from AWS that asks to confirm the subscription."
    )


class Retention(_Part):
    """What becomes of the output of commands."""

    retention_days: int = Field(default=90, ge=1, le=3650, description="Days after which output is deleted.")
    keep_on_destroy: bool = Field(
        default=True, description="Leave the bucket and its key in the account when the stack is destroyed."
    )


class Node(_Part):
    """A node of the lab's fleet."""

    name: Key = Field(description="Its name, after that of the environment.")
    operating_system: Annotated[OperatingSystem, Field(strict=False)] = Field(description="What its image holds.")
    image: Annotated[str, AfterValidator(_matching(_SSM_PARAMETER, "a public parameter: /aws/service/..."))] | None = (
        Field(
            default=None,
            description="Public SSM parameter that holds the image's id; the system's newest image by default.",
        )
    )
    instance_type: Annotated[str, AfterValidator(_matching(_INSTANCE_TYPE, "an instance type like t3.small"))] = Field(
        default="t3.small", description="Type of the instance."
    )
    volume_gib: int = Field(default=30, ge=8, le=1024, description="Size of the root volume in GiB.")
    tags: dict[TagKey, Tag] = Field(
        default_factory=dict, description="Its tags, such as Workload and PatchGroup; Environment and Name are added."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        findings = _Findings()
        if self.image is None and self.operating_system not in LATEST_IMAGES:
            known = ", ".join(sorted(LATEST_IMAGES))
            message = f"no newest image is known for {self.operating_system} (only for {known}); name one"
            findings.add(("image",), message)
        if self.operating_system is OperatingSystem.MACOS:
            message = "a Mac needs a dedicated host, which a lab fleet does not make; use a policy without a fleet"
            findings.add(("operating_system",), message)
        for reserved in (ENVIRONMENT_TAG, "Name"):
            if reserved in self.tags:
                source = "environment" if reserved == ENVIRONMENT_TAG else "name"
                message = f"the tag {reserved} is set by {source}; take it out"
                findings.add(("tags", reserved), message)
        if "Patch Group" in self.tags:
            message = "write PatchGroup without a space: EC2 refuses the other where tags are in the metadata service"
            findings.add(("tags", "Patch Group"), message)
        findings.report()
        return self

    @property
    def image_parameter(self) -> str:
        """The public parameter that holds the image's id."""
        return self.image or LATEST_IMAGES[self.operating_system]


LATEST_IMAGES: Mapping[OperatingSystem, str] = {
    OperatingSystem.AMAZON_LINUX_2023: "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64",
    OperatingSystem.UBUNTU: "/aws/service/canonical/ubuntu/server/24.04/stable/current/amd64/hvm/ebs-gp3/ami-id",
    OperatingSystem.WINDOWS: "/aws/service/ami-windows-latest/Windows_Server-2022-English-Full-Base",
}
"""Public parameters with the newest image, for the systems that the lab has nodes of."""


class Fleet(_Part):
    """Nodes that are made for a lab. A policy without a fleet patches nodes that exist already, by their tags."""

    nodes: list[Node] = Field(min_length=1, max_length=50, description="The instances to make.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        findings = _Findings()
        seen: dict[str, int] = {}
        for index, node in enumerate(self.nodes):
            if node.name in seen:
                message = f"{node.name!r} is the name of node {seen[node.name] + 1} already; names are unique"
                findings.add(("nodes", index, "name"), message)
            seen[node.name] = index
        findings.report()
        return self


class Policy(_Part):
    """A patch policy, as the file has it."""

    environment: Annotated[str, AfterValidator(_environment)] = Field(
        description="Part of every name and the value of the tag Environment: 2 to 20 lower-case letters, digits and "
        "hyphens."
    )
    description: str = Field(default="", description="What the environment is, for people.")
    tags: dict[TagKey, Tag] = Field(default_factory=dict, description="Tags of every resource that takes tags.")
    fleet: Fleet | None = Field(
        default=None,
        description="Nodes to make for a lab. Without it, nodes that exist already are patched, by their tags.",
    )
    baselines: dict[Key, Baseline] = Field(
        min_length=1, max_length=MAX_BASELINES, description="Patch baselines by their names: what is approved when."
    )
    scan: Scan = Field(description="When every node of the environment is scanned.")
    install: dict[Key, Install] = Field(
        default_factory=dict, max_length=MAX_WINDOWS, description="Maintenance windows that install, by their names."
    )
    notifications: Notifications = Field(default_factory=Notifications, description="Who is told of installations.")
    output: Retention = Field(default_factory=Retention, description="What becomes of the output of commands.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        findings = _Findings()
        if ENVIRONMENT_TAG in self.tags:
            message = f"the tag {ENVIRONMENT_TAG} is set by environment; take it out"
            findings.add(("tags", ENVIRONMENT_TAG), message)
        groups: dict[tuple[OperatingSystem, str], str] = {}
        for name, baseline in self.baselines.items():
            for index, group in enumerate(baseline.patch_groups):
                other = groups.setdefault((baseline.operating_system, group), name)
                if other != name:
                    message = (
                        f"baseline {other} has the patch group {group!r} of {baseline.operating_system} already; a "
                        "group has one baseline of each operating system"
                    )
                    findings.add(("baselines", name, "patch_groups", index), message)
        for index, node in enumerate(self.fleet.nodes if self.fleet else ()):
            group = node.tags.get(PATCH_GROUP_TAG, "")
            if (node.operating_system, group) not in groups:
                known = sorted(known for system, known in groups if system is node.operating_system)
                where = ("fleet", "nodes", index, "tags", *((PATCH_GROUP_TAG,) if group else ()))
                message = (
                    f"no baseline of {node.operating_system} has the patch group {group!r}: AWS would silently use its "
                    f"default baseline; expected one of {', '.join(known) or 'none, for there is no such baseline'}"
                )
                findings.add(where, message)
        findings.report()
        return self

    @property
    def deployment(self) -> Deployment:
        """The names of what the policy deploys."""
        return Deployment(self.environment)

    def install_targets(self, name: str) -> Targets:
        """Return the nodes that a window patches: its tags, and the environment's."""
        return Targets.tags({**self.install[name].targets, ENVIRONMENT_TAG: self.environment})

    @property
    def scan_targets(self) -> Targets:
        """Every node of the environment.

        By that tag alone, because an association takes one tag key only; see
        https://docs.aws.amazon.com/systems-manager/latest/userguide/state-manager-associations-creating.html
        """
        return Targets.tag(ENVIRONMENT_TAG, self.environment)

    def node_tags(self, node: Node) -> dict[str, str]:
        """Return the tags by which a node of the fleet is found."""
        return {**node.tags, ENVIRONMENT_TAG: self.environment}
