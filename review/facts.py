"""Reading what the templates of an environment say of patching."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from functools import cached_property
from typing import Any

from patching.baseline import PatchBaseline
from patching.deployment import ENVIRONMENT_TAG
from patching.errors import InvalidValueError
from patching.rate_control import RateControl
from patching.run_patch_baseline import RunPatchBaseline
from patching.schedule import Schedule, point_in_time, zone
from patching.targets import Targets
from patching.template_rules.assembly import Resource, listed
from patching.template_rules.commands import (
    ASSOCIATION,
    PATCHING,
    TARGET,
    TASK,
    WINDOW,
    Command,
    commands,
    run_command,
    target_groups,
)
from patching.template_rules.text import is_known
from review.cloud_assembly import CloudAssembly
from review.patching_facts import Baseline, NodeAssociation, Sent, Task, Window

_MARK = re.compile(r"<([A-Za-z0-9]+)>")
BASELINE, INSTANCE = "AWS::SSM::PatchBaseline", "AWS::EC2::Instance"


class Facts:
    """What an environment's templates say."""

    def __init__(self, whole: CloudAssembly) -> None:
        self.whole = whole
        self.assembly = whole.assembly

    def shown(self, value: object) -> str:
        """Write a value for people, with `<...>` for what only CloudFormation knows."""
        text = self.assembly.shown(value if isinstance(value, str) else str(value))
        return _MARK.sub(lambda mark: f"<{self._labels.get(mark[1], mark[1])}>", text)

    @cached_property
    def _labels(self) -> dict[str, str]:
        return {one.logical_id: self.label(one) for one in self.assembly.resources}

    @cached_property
    def windows(self) -> tuple[Window, ...]:
        """The maintenance windows."""
        sent = {id(one.sender): one for one in commands(self.assembly)}
        return tuple(self._window(one, sent) for one in self.assembly.of(WINDOW))

    @cached_property
    def associations(self) -> tuple[NodeAssociation, ...]:
        """The associations."""
        sent = (one for one in commands(self.assembly) if one.sender.type == ASSOCIATION)
        return tuple(self._association(one) for one in sent)

    @cached_property
    def baselines(self) -> tuple[Baseline, ...]:
        """The patch baselines."""
        return tuple(self._baseline(one) for one in self.assembly.of(BASELINE))

    @cached_property
    def nodes(self) -> tuple[tuple[Resource, dict[str, str]], ...]:
        """The instances of the templates, with their tags."""
        return tuple((one, tags_of(one)) for one in self.assembly.of(INSTANCE))

    def selected(self, groups: tuple[Targets, ...]) -> int | None:
        """Return how many instances of the templates these targets select; None if the nodes are elsewhere."""
        if not self.nodes or not groups:
            return None
        return sum(any(group.match("", tags) for group in groups) for _, tags in self.nodes)

    def _window(self, one: Resource, sent: Mapping[int, Command]) -> Window:
        properties = one.properties
        tasks = [task for task in self.assembly.of(TASK) if self._is_of(task, one)]
        groups = [target for target in self.assembly.of(TARGET) if self._is_of(target, one)]
        schedule = _schedule(
            properties.get("Schedule"), properties.get("ScheduleTimezone"), properties.get("ScheduleOffset")
        )
        return Window(
            one,
            self._name(one, "Name"),
            schedule,
            self.shown(f"{properties.get('Schedule')} {properties.get('ScheduleTimezone') or 'UTC'}"),
            _number(properties.get("Duration")),
            _number(properties.get("Cutoff")) or 0,
            _day(properties.get("StartDate"), schedule),
            _day(properties.get("EndDate"), schedule),
            tuple(self._task(task, sent[id(task)]) for task in tasks if id(task) in sent),
            (*groups, *tasks),
        )

    def _is_of(self, member: Resource, window: Resource) -> bool:
        return self.assembly.find(member.properties.get("WindowId"), WINDOW) is window

    def _task(self, task: Resource, command: Command) -> Task:
        told: Any = (run_command(task) or {}).get("NotificationConfig")
        told = told if isinstance(told, Mapping) else {}
        topic = self.assembly.find(told.get("NotificationArn"), "AWS::SNS::Topic")
        events = ", ".join(self.shown(one) for one in listed(told.get("NotificationEvents")))
        notified = (self.label(topic) if topic else self.shown(told.get("NotificationArn") or ""), events)
        return Task(
            task,
            self._sent(command),
            str(task.properties.get("CutoffBehavior") or "CONTINUE_TASK"),
            (*notified, self.shown(told.get("NotificationType") or "")),
        )

    def _association(self, command: Command) -> NodeAssociation:
        one = command.sender
        properties = one.properties
        expression = properties.get("ScheduleExpression")
        return NodeAssociation(
            one,
            self._name(one, "AssociationName"),
            _schedule(expression, "UTC", properties.get("ScheduleOffset")),
            self.shown(expression) if expression else "",
            self._sent(command),
            str(properties.get("ApplyOnlyAtCronInterval", "")).lower() != "true",
            self.shown(properties.get("ComplianceSeverity") or "UNSPECIFIED"),
            tuple(self.shown(name) for name in listed(properties.get("CalendarNames"))),
        )

    def _sent(self, command: Command) -> Sent:
        properties = command.sender.properties
        groups, words = [], []
        for group in target_groups(command.sender):
            made = _targets(group)
            if made:
                groups.append(made)
            words.append(self.shown(self._within(made)) if made else self.shown(group))
        role = properties.get("ServiceRoleArn") or properties.get("AssociationDispatchAssumeRole") or ""
        found = self.assembly.find(role, "AWS::IAM::Role")
        return Sent(
            command,
            self.shown(command.document),
            {self.shown(key): tuple(map(self.shown, values)) for key, values in command.parameters.items()},
            tuple(groups),
            " or ".join(words) or "no node",
            _rate(properties.get("MaxConcurrency"), properties.get("MaxErrors")),
            _patching(command),
            self.label(found) if found else self.shown(role),
            self._output(command),
        )

    def _output(self, command: Command) -> str:
        bucket = self.assembly.find(command.bucket, "AWS::S3::Bucket")
        name = self.label(bucket) if bucket else self.shown(command.bucket)
        places = [f"the bucket {name}, under {self.shown(command.prefix) or '/'}" if command.bucket else ""]
        places.append(f"the log group {self.shown(command.log_group)}" if command.log_group else "")
        return " and ".join(filter(None, places))

    def _within(self, group: Targets) -> str:
        """Say which nodes a group selects of the environment, which all groups name."""
        common = (f"tag:{ENVIRONMENT_TAG}", (self.whole.environment,))
        rest = tuple(one for one in group.keys if one != common)
        return f"nodes with {Targets(rest).in_words()}" if rest else "every node of the environment"

    def _baseline(self, one: Resource) -> Baseline:
        properties = dict(one.properties)
        default = str(properties.pop("DefaultBaseline", "")).lower() == "true"
        content = None
        try:
            read = PatchBaseline.from_api(properties)
            if _is_text(read):
                content = PatchBaseline(**{**vars(read), "default": default})
        except (InvalidValueError, KeyError, ValueError, TypeError, AttributeError):
            pass  # a template may have anything: its words are then its properties'
        groups = tuple(self.shown(name) for name in listed(properties.get("PatchGroups")))
        return Baseline(one, self._name(one, "Name"), content, groups)

    def _name(self, one: Resource, key: str) -> str:
        name = one.properties.get(key)
        return self.whole.short(self.shown(name)) if name else self.label(one)

    def label(self, one: Resource) -> str:
        """Return what people call a resource: its construct's path within its stack, or its logical id."""
        parts = [part for part in one.path.split("/") if part != "Resource"]
        environment = self.whole.environment.split("/") if self.whole.environment else []
        within = parts[len(environment) + 1 :]  # the stage and the stack are known
        return "/".join(within) or one.logical_id


def identity(one: Resource) -> str:
    """Return a resource's stack and logical id."""
    return f"{one.template}/{one.logical_id}"


def _is_text(baseline: PatchBaseline) -> bool:
    """Tell whether all that a baseline names is text: a template may have anything in its lists."""
    filters = [*baseline.global_filters, *(one for rule in baseline.rules for one in rule.filters)]
    named = [baseline.name, *baseline.approved, *baseline.rejected]
    named += [value for one in filters for value in (one.key, *one.values)]
    named += [value for one in baseline.sources for value in (one.name, one.configuration, *one.products)]
    return all(isinstance(one, str) for one in named)


def tags_of(one: Resource) -> dict[str, str]:
    """Return a resource's tags."""
    found = (tag for tag in one.listed("Tags") if isinstance(tag, Mapping))
    return {str(tag.get("Key")): str(tag.get("Value")) for tag in found}


def _schedule(expression: object, timezone: object, offset: object) -> Schedule | None:
    timezone = timezone or "UTC"
    if not is_known(expression) or not is_known(timezone):
        return None
    try:
        return Schedule.parse(str(expression), timezone=str(timezone), offset_days=_number(offset) or 0)
    except InvalidValueError:
        return None


def _day(text: object, schedule: Schedule | None) -> date | None:
    if not is_known(text) or not text:
        return None
    try:
        moment = point_in_time(str(text))
        return moment.astimezone(zone(schedule.timezone if schedule else "UTC")).date()
    except InvalidValueError:
        return None


def _number(value: object) -> int | None:
    return int(value) if isinstance(value, int | str) and str(value).isdigit() else None


def _targets(group: list[Any]) -> Targets | None:
    try:
        return Targets.from_api(
            [{"Key": str(one["Key"]), "Values": [str(value) for value in listed(one["Values"])]} for one in group]
        )
    except (InvalidValueError, KeyError, TypeError):
        return None


def _rate(concurrency: object, errors: object) -> RateControl | None:
    try:
        return RateControl(
            *(str(default if one is None else one) for one, default in ((concurrency, "50"), (errors, "0")))
        )
    except InvalidValueError:
        return None


def _patching(command: Command) -> RunPatchBaseline | None:
    if command.document not in PATCHING:
        return None
    try:
        return RunPatchBaseline.from_api(command.known_parameters, command.document)
    except InvalidValueError:
        return None
