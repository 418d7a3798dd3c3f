"""The maintenance windows of a policy, and the services that have to stay up meanwhile."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date
from enum import StrEnum
from typing import Annotated, Self

from pydantic import AfterValidator, Field, WithJsonSchema, model_validator
from pydantic import Tag as Alternative

from patching.deployment import ENVIRONMENT_TAG
from patching.install_override_list import MAX_LOCATION
from patching.maintenance_window import MAX_DESCRIPTION, check_cutoff, check_day, check_days
from patching.open_times import OpenTimes
from patching.patch_group import check_tag_key
from patching.policy import pages
from patching.policy.part import (
    BY_FORM,
    Concurrency,
    Findings,
    Key,
    MaxErrors,
    Part,
    Place,
    ScheduleExpression,
    TagKey,
    TagValues,
    for_editors,
)
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

ListAddress = Annotated[
    str,
    WithJsonSchema(
        {
            "type": "string",
            "maxLength": MAX_LOCATION,
            **for_editors(re.compile(r"(s3|https)://.+"), "an object in S3: s3://BUCKET/KEY or its https address"),
        }
    ),
]


def _check_groups(groups: Sequence[TargetTags], place: Callable[[int], Place], findings: Findings) -> None:
    """Check groups of tags that stand at these places: each by itself, and that none is there twice.

    Follows https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_Target.html.
    """
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
    """It goes on, and nodes that wait still begin. AWS's own default."""

    CANCEL_TASK = "CANCEL_TASK"
    """It is cancelled: nodes that have not begun do not begin; on others AWS tries to stop it, without a promise."""


class InstallHooks(Part, json_schema_extra=pages.HOOKS):
    """Documents of this policy that run on a node around its installation (AWS-RunPatchBaselineWithHooks).

    They run without parameters. Where nothing is missing, only `on_exit` runs. The nodes need SSM Agent 3.0.502 or
    newer.
    """

    pre_install: Key | None = Field(
        default=None, description="Name of the document that runs first; if it fails, nothing is installed."
    )
    post_install: Key | None = Field(
        default=None,
        description="Name of the document that runs after the installation and before the reboot; if it fails, the "
        "node is not rebooted.",
    )
    on_exit: Key | None = Field(
        default=None,
        description="Name of the document that runs at the very end, after the reboot if there is one, and whatever "
        "failed before.",
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        """Find hooks that are none.

        Refused:
        - `pre_install`, `post_install`, `on_exit`: none of them, as then there is nothing to run

        Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-aws-runpatchbaselinewithhooks.html.
        """
        findings = Findings()
        if not self.named():
            findings.add((), "no hook is named; name pre_install, post_install or on_exit, or take hooks out")
        findings.report()
        return self

    def named(self) -> dict[str, str]:
        """Return the documents that are named, by the key of their hook."""
        return {key: name for key in InstallHooks.model_fields if (name := getattr(self, key)) is not None}


class Install(Part, json_schema_extra=pages.CREATE_WINDOW):
    """A maintenance window in which the baselines' approved patches are installed."""

    description: str = Field(
        default="", max_length=MAX_DESCRIPTION, description="What people read of it in the console."
    )
    targets: TargetGroups = Field(
        description="Tags of the nodes that it patches, besides `Environment`. A node has to have all of them, each "
        "with the value, or with one of up to 50 values. A list of such groups selects the nodes of any of them.",
        examples=[{"Workload": "Prod"}, [{"Service": "shop", "Ring": ["a", "b"]}, {"Service": "search"}]],
        json_schema_extra=pages.WINDOW_TARGETS,
    )
    enabled: bool = Field(
        default=True,
        description="With `false` the window is made without its task: it opens, and installs nothing. "
        "(CloudFormation cannot switch a window off.)",
        json_schema_extra=pages.DISABLED_WINDOWS,
    )
    schedule: ScheduleExpression = Field(
        description="When it opens, in its time zone: `cron(MINUTE HOUR DAY MONTH WEEKDAY YEAR)` with `?` for one of "
        "the two days, `rate(...)`, which counts from the making of the window, or, once, `at(...)`.",
        examples=["cron(0 2 ? * SUN *)", "cron(0 2 ? * TUE#2 *)", "cron(0 2 L * ? *)", "at(2027-01-31T02:00:00)"],
        json_schema_extra=pages.SCHEDULES,
    )
    timezone: Annotated[str, AfterValidator(_timezone)] = Field(
        default="UTC",
        description="IANA name of the zone in which the schedule is read. The window keeps its local time when the "
        "clocks change.",
        examples=["Asia/Seoul", "Europe/Berlin", "UTC"],
        json_schema_extra=pages.WINDOW_SCHEDULES,
    )
    schedule_offset_days: int = Field(
        default=0,
        ge=0,
        le=6,
        description="Days to wait after the time that a cron expression gives: with `TUE#2` and 4, the Saturday after "
        "the second Tuesday.",
        json_schema_extra=pages.WINDOW_SCHEDULES,
    )
    start_date: date | None = Field(
        default=None,
        description="The first day, in the time zone, on which it opens; at once by default.",
        json_schema_extra=pages.WINDOW_SCHEDULES,
    )
    end_date: date | None = Field(
        default=None,
        description="The last day, in the time zone, on which it opens; no end by default.",
        json_schema_extra=pages.WINDOW_SCHEDULES,
    )
    duration_hours: int = Field(ge=1, le=24, description="Hours that the window is open.")
    cutoff_hours: int = Field(
        default=0,
        ge=0,
        le=23,
        description="Hours before its end from which on it starts no task any more; below `duration_hours`. What "
        "becomes of an installation that has begun, `cutoff_behavior` says.",
    )
    cutoff_behavior: Annotated[CutoffBehavior, Field(strict=False)] = Field(
        default=CutoffBehavior.CONTINUE_TASK,
        description="What becomes at the cutoff of a command that is running.",
        json_schema_extra=pages.REGISTER_TASK,
    )
    concurrency: Concurrency = Field(
        default=1,
        description="Nodes that are patched at one time, as a number or as a share of the targets.",
        json_schema_extra=pages.RATE_CONTROL,
    )
    max_errors: MaxErrors = Field(
        default=0,
        description="Failures that are tolerated, as a number or as a share of the targets. The one after them keeps "
        "further nodes from starting: with 0 the first, with 1 the second. Nodes that run go on, and a node that did "
        "not take the command does not count.",
        json_schema_extra=pages.RATE_CONTROL,
    )
    reboot: Annotated[RebootOption, Field(strict=False)] = Field(
        default=RebootOption.REBOOT_IF_NEEDED,
        description="What happens at the end of an installation.",
        json_schema_extra=pages.RUN_PATCH_BASELINE,
    )
    hooks: InstallHooks | None = Field(
        default=None,
        description="Documents of this policy to run around the installation.",
        json_schema_extra=pages.HOOKS,
    )
    override_list: ListAddress | None = Field(
        default=None,
        description="Address of a list of patches in YAML that are installed instead of what the baseline approves; "
        "compliance is still reported by the baseline. The nodes are allowed to read it from S3; behind an https "
        "address it has to be public. Not together with `hooks`.",
        examples=["s3://my-bucket/lists/2026-11.yaml"],
        json_schema_extra=pages.OVERRIDE_LISTS,
    )
    delivery_timeout_seconds: int | None = Field(
        default=None,
        ge=30,
        le=2_592_000,
        description="Seconds within which a node has to take the command: not the time that it may run. By default "
        "AWS's own, 3,600.",
        json_schema_extra=pages.COMMAND_TIMEOUTS,
    )
    cloudwatch_logs: bool = Field(
        default=False,
        description="Write the output not only to the bucket, but also to the log group `/patchops/ENVIRONMENT/STACK`, "
        "where `STACK` is a part of the stack's id: an environment that is deployed again does not meet a group that "
        "was kept.",
        json_schema_extra=pages.COMMAND_LOGS,
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        """Find what AWS would refuse of a window, and a window that could never install.

        Refused:
        - `schedule`: not an expression of Systems Manager; one that names a day that never comes; one that comes more
          often than every five minutes, which AWS does not support
        - `schedule`: an offset with a rate or a single time
        - `concurrency`, `max_errors`: neither a number nor a per cent value that AWS takes
        - `targets`: `Environment`, which every target has already; the same tags twice; more than 50 values of a tag;
          a key with `+`, which no target can name
        - `targets`: a patch group in another spelling than `PatchGroup` or `Patch Group`, which Patch Manager does not
          read
        - `cutoff_hours`: not below `duration_hours`, as the window would never start anything
        - `start_date`, `end_date`: outside of the years 1970 to 2199, which AWS's schedules know
        - `end_date`: before `start_date`, as the window would never open
        - `override_list`: no object in S3, or a name with one of `'`, `"`, `$` and a backtick, which the document
          refuses
        - `override_list`: beside `hooks`, whose document takes no list

        Follows https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CreateMaintenanceWindow.html,
        https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_RegisterTaskWithMaintenanceWindow.html,
        https://docs.aws.amazon.com/systems-manager/latest/userguide/maintenance-windows-schedule-options.html and
        https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-aws-runpatchbaseline.html.
        """
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


class Service(Part, json_schema_extra=pages.OWN):
    """A service that runs on several groups of nodes, of which one has to be up at any time.

    Nothing is deployed for it: it is a promise that the windows of the policy are held to.
    """

    description: str = Field(default="", description="What it is, for people.")
    groups: list[TargetTags] = Field(
        min_length=2,
        description="The groups by their tags, written as the targets of a window. No time may come at which windows "
        "for all of them are open.",
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        """Find groups that no window could have as its targets.

        Refused:
        - `groups`: what the targets of a window must not be, and the same tags twice

        Follows https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_Target.html.
        """
        findings = Findings()
        _check_groups(self.groups, lambda index: ("groups", index), findings)
        findings.report()
        return self
