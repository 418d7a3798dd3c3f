"""The maintenance windows of a policy, and the services that have to stay up meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from enum import StrEnum
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator
from pydantic import Tag as Alternative

from patching.deployment import ENVIRONMENT_TAG
from patching.maintenance_window import check_cutoff, check_day, check_days
from patching.open_times import OpenTimes
from patching.patch_group import check_tag_key
from patching.policy.part import BY_FORM, Findings, Key, Part, Place, TagKey, TagValues
from patching.quotas import MAX_TARGETS_OF_TASK
from patching.rate_control import RateControl
from patching.run_patch_baseline import Hooks, RebootOption, RunPatchBaseline
from patching.schedule import Schedule, zone
from patching.targets import Targets


def _timezone(value: str) -> str:
    zone(value)
    return value


TargetTags = Annotated[dict[TagKey, TagValues], Field(min_length=1, max_length=4)]
TargetGroups = Annotated[
    Annotated[TargetTags, Alternative("one")]
    | Annotated[list[TargetTags], Field(min_length=1, max_length=MAX_TARGETS_OF_TASK), Alternative("many")],
    BY_FORM,
]


def _check_groups(groups: Sequence[TargetTags], place: Callable[[int], Place], findings: Findings) -> None:
    """Check groups of tags that stand at these places: each by itself, and that none is there twice."""
    for index, group in enumerate(groups):
        at = place(index)
        findings.make(at, Targets.tags, group)
        for key in group:
            findings.make((*at, key), check_tag_key, key)
        if ENVIRONMENT_TAG in group:
            message = f"the tag {ENVIRONMENT_TAG} is a part of every target already, by environment; take it out"
            findings.add((*at, ENVIRONMENT_TAG), message)
        if group in groups[:index]:
            findings.add(at, "the same tags are in the list already; take one out")


class CutoffBehavior(StrEnum):
    """What becomes of a running command when the cutoff of its window comes."""

    CONTINUE_TASK = "CONTINUE_TASK"
    """It is left to finish. AWS's own default."""

    CANCEL_TASK = "CANCEL_TASK"
    """It is cancelled: nodes that have not begun do not begin; on others AWS tries to stop it, without a promise."""


class InstallHooks(Part):
    """Documents of this policy that run on a node around its installation."""

    pre_install: Key | None = Field(default=None, description="Runs first; if it fails, nothing is installed.")
    post_install: Key | None = Field(default=None, description="Runs after the installation, before a reboot.")
    on_exit: Key | None = Field(default=None, description="Runs at the very end, after a reboot.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        findings = Findings()
        if not self.named():
            findings.add((), "no hook is named; name pre_install, post_install or on_exit, or take hooks out")
        findings.report()
        return self

    def named(self) -> dict[str, str]:
        """Return the documents that are named, by the key of their hook."""
        return {key: name for key in InstallHooks.model_fields if (name := getattr(self, key)) is not None}


class Install(Part):
    """A maintenance window that installs."""

    description: str = Field(default="", max_length=128, description="What people read of it in the console.")
    targets: TargetGroups = Field(
        description="Tags of the nodes that it patches, besides the tag Environment. A node has to have all of them, "
        "each with the value or one of the values. A list of such groups: nodes of any of them.",
    )
    enabled: bool = Field(
        default=True,
        description="false: the window is made without its task, so that it opens and installs nothing. "
        "(CloudFormation cannot switch a window off.)",
    )
    schedule: str = Field(description="cron(...), rate(...) or at(...).")
    timezone: Annotated[str, AfterValidator(_timezone)] = Field(
        default="UTC", description="IANA name of the zone in which the schedule is read."
    )
    schedule_offset_days: int = Field(
        default=0,
        ge=0,
        le=6,
        description="Days to wait after the time that the cron expression gives: with TUE#2 and 4, the Saturday after "
        "the second Tuesday.",
    )
    start_date: date | None = Field(
        default=None, description="The first day, in the time zone, on which it opens; at once by default."
    )
    end_date: date | None = Field(
        default=None, description="The last day, in the time zone, on which it opens; no end by default."
    )
    duration_hours: int = Field(ge=1, le=24, description="Hours that the window is open.")
    cutoff_hours: int = Field(
        default=0, ge=0, le=23, description="Hours before its end from which on it starts nothing more."
    )
    cutoff_behavior: Annotated[CutoffBehavior, Field(strict=False)] = Field(
        default=CutoffBehavior.CONTINUE_TASK,
        description="At the cutoff, what is running goes on (CONTINUE_TASK) or is cancelled (CANCEL_TASK).",
    )
    concurrency: int | str = Field(default=1, description="Nodes patched at one time, as a number or per cent.")
    max_errors: int | str = Field(default=0, description="Failures after which no further node starts.")
    reboot: Annotated[RebootOption, Field(strict=False)] = Field(
        default=RebootOption.REBOOT_IF_NEEDED,
        description="NoReboot leaves what was installed pending a reboot, which is not compliant.",
    )
    hooks: InstallHooks | None = Field(
        default=None,
        description="Documents of this policy to run around the installation (AWS-RunPatchBaselineWithHooks). The "
        "nodes need SSM Agent 3.0.502 or newer.",
    )
    override_list: str | None = Field(
        default=None,
        description="s3://BUCKET/KEY or https:// address of a list of patches in YAML to install instead of what the "
        "baseline approves. The nodes may read it from S3 then; an https address has to be public.",
    )
    delivery_timeout_seconds: int | None = Field(
        default=None,
        ge=30,
        le=2_592_000,
        description="Seconds within which a node has to take the command; it is not the time to install. "
        "AWS's own default is an hour.",
    )
    cloudwatch_logs: bool = Field(
        default=False, description="Write the output to the environment's log group too, besides the bucket."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        findings = Findings()
        findings.make(("schedule",), lambda: self.window_schedule)
        findings.make(("concurrency",), RateControl, self.concurrency)
        findings.make(("max_errors",), RateControl, 1, self.max_errors)
        many = isinstance(self.targets, list)
        _check_groups(self.target_groups, lambda index: ("targets", index) if many else ("targets",), findings)
        findings.make(("cutoff_hours",), check_cutoff, self.cutoff_hours, self.duration_hours)
        for key, day in (("start_date", self.start_date), ("end_date", self.end_date)):
            findings.make((key,), check_day, day)
        findings.make(("end_date",), check_days, self.start_date, self.end_date)
        if self.override_list is not None:
            findings.make(("override_list",), lambda: RunPatchBaseline.install(override_list=self.override_list or ""))
            if self.hooks is not None:
                message = "AWS-RunPatchBaselineWithHooks takes no override list; take hooks or override_list out"
                findings.add(("override_list",), message)
        findings.report()
        return self

    @property
    def target_groups(self) -> list[TargetTags]:
        """The groups of tags that it patches, without the environment's."""
        return self.targets if isinstance(self.targets, list) else [self.targets]

    @property
    def window_schedule(self) -> Schedule:
        """The schedule of the domain."""
        return Schedule.parse(self.schedule, timezone=self.timezone, offset_days=self.schedule_offset_days)

    @property
    def open_times(self) -> OpenTimes:
        """When the window is open."""
        return OpenTimes(self.window_schedule, self.duration_hours, self.start_date, self.end_date)

    @property
    def rate_control(self) -> RateControl:
        """The rate control of the domain."""
        return RateControl(self.concurrency, self.max_errors)

    def in_words(self) -> str:
        """Say when the window is open and whom it patches."""
        targets = " or ".join(Targets.tags(group).in_words() for group in self.target_groups)
        state = "" if self.enabled else "disabled; "
        hours = f"{self.schedule} {self.timezone}, {self.duration_hours} h"
        return f"{state}{hours}, {targets}; {self.rate_control.in_words()}"

    def task(self, documents: dict[str, str]) -> RunPatchBaseline:
        """Return what the window runs, given the deployed names of the policy's documents."""
        named = self.hooks.named() if self.hooks else {}
        hooks = Hooks(**{key: documents[name] for key, name in named.items()}) if named else None
        return RunPatchBaseline.install(reboot=self.reboot, hooks=hooks, override_list=self.override_list or "")


class Service(Part):
    """A service that runs on several groups of nodes, of which one has to be up at any time."""

    description: str = Field(default="", description="What it is, for people.")
    groups: list[TargetTags] = Field(
        min_length=2,
        description="The groups by their tags. A time at which windows for all of them are open is an error.",
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        findings = Findings()
        _check_groups(self.groups, lambda index: ("groups", index), findings)
        findings.report()
        return self
