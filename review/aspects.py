"""What can be said of a window or an association, one aspect at a time: as a sentence, and as a difference."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from patching.rate_control import RateControl
from patching.run_patch_baseline import DOCUMENT_WITH_HOOKS, RunPatchBaseline
from patching.run_words import cutoff_in_words, hooks_in_words, operation_in_words, reboot_in_words
from patching.schedule import Schedule
from patching.schedule_words import joined, when
from patching.template_rules.assembly import Resource
from review.facts import identity
from review.model import Area, Weight
from review.patching_facts import NodeAssociation, Sent, Task, Window

_PLACES = re.compile(r"(\{old\}|\{new\})")
_KNOWN_PARAMETERS = {
    *("Operation", "RebootOption", "SnapshotId", "InstallOverrideList", "PreInstallHookDocName"),
    *("PostInstallHookDocName", "OnExitHookDocName"),
}


@dataclass(frozen=True)
class Aspect:
    """One thing that can be said of something.

    Attributes:
        key: which thing; the same before and after a change.
        value: what it is, in words that fit both sentences.
        sentence: how it is said; `{}` is the value.
        change: how a change of it is said, after the name; `{old}` and `{new}` are the values.
        area: what a change of it is about.
        weight: how much a reviewer has to look at a change of it.
        properties: the properties that say it, as resource id and name.
        suffix: what is said once after both values if it is the same in both, as a time zone is.
    """

    key: str
    value: str
    sentence: str
    change: str
    area: Area
    weight: Weight = Weight.PLAIN
    properties: tuple[tuple[str, str], ...] = ()
    suffix: str = ""
    silent: bool = False
    """Whether it goes without saying, and only a change of it is told."""

    def said(self) -> str:
        """Return the sentence."""
        text = self.sentence.replace("{}", f"{self.value} {self.suffix}".strip())
        return f"{text[0].upper()}{text[1:]}"


def difference(subject: str, old: Aspect | None, new: Aspect | None) -> str:
    """Say how an aspect of something changes; nothing if it does not."""
    if old is None or new is None:
        only = new or old
        if only is None:
            return ""
        text = only.said()
        return f"{subject} {'now' if new else 'no longer'}: {text[0].lower()}{text[1:]}"
    if (old.value, old.suffix) == (new.value, new.suffix):
        return ""
    if old.suffix == new.suffix:
        ends = f" {new.suffix}" if new.suffix else ""
        return f"{subject} {_filled(new.change, old.value, f'{new.value}{ends}')}"
    values = (f"{one.value} {one.suffix}".strip() for one in (old, new))
    return f"{subject} {_filled(new.change, *values)}"


def _filled(change: str, old: str, new: str) -> str:
    """Put values in their places; a value may have braces of its own."""
    text = "".join({"{old}": old, "{new}": new}.get(part, part) for part in _PLACES.split(change))
    return text.replace("moves from on ", "moves from ").replace(" to on ", " to ")


def of_window(window: Window) -> Iterator[Aspect]:
    """Yield what can be said of a window."""
    own = identity(window.resource)
    yield _schedule(window.schedule, window.expression, "Opens {}", own)
    days = [f"from {window.start} on" if window.start else "", f"until {window.end}" if window.end else ""]
    limits = " and ".join(filter(None, days)) or "without a first or last day"
    yield Aspect(
        *("days", limits, "Opens {}", "opens {new} instead of {old}", Area.SCHEDULE, Weight.CAUTION),
        _of(own, "StartDate", "EndDate"),
        silent=not (window.start or window.end),
    )
    hours = _hours(window.duration_hours)
    yield Aspect(
        *("duration", hours, "Is open for {}", "is open for {new} instead of {old}", Area.SCHEDULE, Weight.CAUTION),
        _of(own, "Duration"),
    )
    yield Aspect(
        *("cutoff", _hours(window.cutoff_hours), "Stops starting tasks {} before its end"),
        *("stops starting tasks {new} before its end instead of {old}", Area.WINDOW, Weight.CAUTION),
        _of(own, "Cutoff"),
    )
    groups = tuple(name for one in window.members for name in _of(identity(one), "Targets", "WindowId"))
    state = "installs nothing: it has no task" if not window.tasks else "has a task"
    yield Aspect(
        *("state", state, "It {}", "now {new} (before: {old})", Area.WINDOW, Weight.CAUTION), silent=bool(window.tasks)
    )
    for number, task in enumerate(window.tasks):
        yield from _of_task(task, f"{number}" if number else "", groups)


def of_association(one: NodeAssociation) -> Iterator[Aspect]:
    """Yield what can be said of an association."""
    own = identity(one.resource)
    if one.expression:
        yield _schedule(one.schedule, one.expression, "Runs {}", own, "ScheduleExpression")
    else:
        yield Aspect("schedule", "without a schedule", "Runs {}", "runs {new} instead of {old}", Area.SCHEDULE)
    at_once = (
        "as soon as it is deployed or changed, and then by its schedule" if one.runs_when_made else "by its schedule"
    )
    yield Aspect(
        *("at-once", at_once, "Runs {}", "runs {new} instead of {old}", Area.ASSOCIATION, Weight.CAUTION),
        _of(own, "ApplyOnlyAtCronInterval"),
        silent=not one.runs_when_made,
    )
    yield from _of_sent(one.sent, "", Area.ASSOCIATION, _of(own, "Targets"))
    yield Aspect(
        *("severity", one.severity, "A node that does not keep to it counts as {}"),
        *("counts a node that does not keep to it as {new} instead of {old}", Area.ASSOCIATION, Weight.PLAIN),
        _of(own, "ComplianceSeverity"),
    )
    if one.calendars:
        yield Aspect(
            *("calendars", joined(list(one.calendars)), "Runs only while these calendars are open: {}"),
            *("keeps to the calendars {new} instead of {old}", Area.SCHEDULE, Weight.CAUTION),
            _of(own, "CalendarNames"),
        )


def _of_task(task: Task, key: str, groups: tuple[tuple[str, str], ...]) -> Iterator[Aspect]:
    own = identity(task.resource)
    yield from _of_sent(task.sent, key, Area.WINDOW, (*groups, *_of(own, "Targets", "ServiceRoleArn")))
    cancels = task.cutoff_behavior == "CANCEL_TASK"
    yield Aspect(
        *(f"cutoff-behavior{key}", cutoff_in_words(cancels=cancels), "{}", "now: {new} (before: {old})"),
        *(Area.WINDOW, Weight.CAUTION),
        _of(own, "CutoffBehavior"),
    )
    topic, events, per = task.notified
    if topic:
        each = "each node" if per == "Invocation" else "the command as a whole"
        told = f"{topic} of {events or 'everything'}, for {each}"
    else:
        told = "nobody"
    yield Aspect(f"told{key}", told, "Tells {}", "tells {new} instead of {old}", Area.NOTIFICATION, Weight.CAUTION)
    where = task.sent.output or "nowhere"
    yield Aspect(f"output{key}", where, "Writes its output to {}", "writes to {new} instead of {old}", Area.OUTPUT)


def _of_sent(sent: Sent, key: str, area: Area, targets: tuple[tuple[str, str], ...]) -> Iterator[Aspect]:
    own = identity(sent.command.sender)
    does = operation_in_words(sent.patching) if sent.patching else f"runs {sent.document}"
    yield Aspect(
        *(f"operation{key}", does, "It {}", "now {new} (before: {old})", area, Weight.DANGER),
        _of(own, "TaskArn", "Name", "TaskType"),
    )
    yield Aspect(
        *(f"targets{key}", sent.targets, "For {}", "is for {new} instead of {old}", area, Weight.CAUTION),
        targets,
    )
    for name, text, change in _pace(sent.rate):
        yield Aspect(
            *(f"{name}{key}", text, "{}", change, area, Weight.CAUTION),
            _of(own, "MaxConcurrency", "MaxErrors"),
        )
    if sent.is_install and sent.patching is not None:
        yield from _of_installation(sent.patching, sent.document, key, area)
    others = [f"{name}={','.join(values)}" for name, values in sent.parameters.items() if name not in _KNOWN_PARAMETERS]
    if others:
        yield Aspect(
            *(f"parameters{key}", joined(others), "With the parameters {}", "takes {new} instead of {old}"),
            *(area, Weight.CAUTION),
        )
    if sent.role:
        yield Aspect(
            *(f"role{key}", sent.role, "Sends as the role {}", "sends as {new} instead of {old}"),
            *(Area.PERMISSION, Weight.CAUTION),
            _of(own, "ServiceRoleArn", "AssociationDispatchAssumeRole"),
        )


def _of_installation(task: RunPatchBaseline, document: str, key: str, area: Area) -> Iterator[Aspect]:
    reboot = reboot_in_words(task.reboot)
    yield Aspect(f"reboot{key}", reboot, "It {}", "now {new} (before: {old})", area, Weight.CAUTION)
    if task.hooks or document == DOCUMENT_WITH_HOOKS:
        hooks = hooks_in_words(task.hooks)
        yield Aspect(f"hooks{key}", hooks, "It {}", "now {new} (before: {old})", area, Weight.CAUTION)


def _pace(rate: RateControl | None) -> Iterable[tuple[str, str, str]]:
    change = "takes {new} instead of {old}"
    if rate is None:
        return [("pace", "how many nodes at a time is not known before the deployment", change)]
    pace, _, errors = rate.in_words().partition("; ")
    return [("pace", pace, change), ("errors", errors, "now {new} (before: {old})")]


def _schedule(schedule: Schedule | None, expression: str, sentence: str, own: str, name: str = "Schedule") -> Aspect:
    properties = _of(own, name, "ScheduleTimezone", "ScheduleOffset")
    value = when(schedule) if schedule else expression
    suffix = schedule.timezone if schedule and schedule.kind != "rate" else ""
    change = "moves from {old} to {new}"
    return Aspect("schedule", value, sentence, change, Area.SCHEDULE, Weight.CAUTION, properties, suffix)


def _hours(number: int | None) -> str:
    return "an unknown time" if number is None else f"{number} hour{'' if number == 1 else 's'}"


def _of(own: str, *names: str) -> tuple[tuple[str, str], ...]:
    return tuple((own, name) for name in names)


def members(window: Window) -> tuple[Resource, ...]:
    """Return the resources that a window is made of."""
    return (window.resource, *window.members)
