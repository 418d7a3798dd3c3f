"""The rule that two windows do not install on one node at one time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from itertools import combinations

from patching.deployment import ENVIRONMENT_TAG
from patching.errors import InvalidValueError
from patching.open_times import OpenTimes, first_common, in_a_year, union
from patching.run_patch_baseline import Operation
from patching.schedule import Schedule
from patching.targets import may_share
from patching.template_rules.assembly import Resource, listed, texts
from patching.template_rules.commands import PATCHING, TASK, WINDOW, Command, target_groups
from patching.template_rules.finding import Found, Rule, Whole
from patching.template_rules.text import is_known

Tags = Mapping[str, list[str]]


@dataclass(frozen=True)
class _Installing:
    """A window that installs: when, and on which nodes."""

    window: Resource
    times: OpenTimes
    groups: list[Tags]


def windows_meet(whole: Whole) -> Iterator[Found]:
    """Find windows that install on nodes of one tag at one time, in the year to come: two runs break each other.

    A rate is left out, as it counts from the making of its window; so is the tag Environment, which every target may
    have. See https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-aws-runpatchbaseline.html.
    """
    begin = datetime.combine(datetime.now(UTC).date(), time(), UTC)
    for one, other in combinations(_installing(whole), 2):
        together = _together(one, other)
        if one.window is other.window or not together:
            continue
        meeting = first_common(union(in_a_year(one.times, begin)), union(in_a_year(other.times, begin)))
        if meeting:
            message = (
                f"the windows {one.window.logical_id} and {other.window.logical_id} both install on nodes with "
                f"{together}, and both are open from {meeting.in_words()}; move one of them, or part their targets"
            )
            yield Found(other.window, message, "Schedule")


RULES: tuple[Rule, ...] = (windows_meet,)


def _installing(whole: Whole) -> Iterator[_Installing]:
    """Yield the windows whose tasks surely install, as far as it is known when and where."""
    for command in whole.commands:
        window = whole.assembly.find(command.sender.properties.get("WindowId"), WINDOW)
        if command.sender.type != TASK or window is None or not _installs(command):
            continue
        times = _times(window)
        groups = [tags for group in target_groups(command.sender) if (tags := _tags(group))]
        if times is not None and groups:
            yield _Installing(window, times, groups)


def _installs(command: Command) -> bool:
    return command.document in PATCHING and command.known_parameters.get("Operation") == [Operation.INSTALL]


def _times(window: Resource) -> OpenTimes | None:
    """Return when a window is open; None where it is not known, or not a time that AWS takes."""
    properties = window.properties
    texts_of = [properties.get(key) for key in ("Schedule", "ScheduleTimezone", "StartDate", "EndDate")]
    numbers = [str(properties.get(key) or 0) for key in ("Duration", "ScheduleOffset")]
    if not all(one is None or is_known(one) for one in texts_of) or not all(one.isdigit() for one in numbers):
        return None
    expression, zone, start, end = (str(one) if one else "" for one in texts_of)
    try:
        schedule = Schedule.parse(expression, timezone=zone or "UTC", offset_days=int(numbers[1]))
        times = OpenTimes(schedule, int(numbers[0]), _day(start), _day(end))
    except (InvalidValueError, ValueError):
        return None
    return times if times.is_known else None


def _day(text: str) -> date | None:
    return datetime.fromisoformat(text).date() if text else None


def _tags(group: list[object]) -> Tags:
    """Return the tags of a target group; none if not all of them are known."""
    found: dict[str, list[str]] = {}
    for target in group:
        if not isinstance(target, Mapping):
            return {}
        key, values = str(target.get("Key")), list(texts(listed(target.get("Values"))))
        if not key.startswith("tag:") or not all(map(is_known, (key, *values))):
            return {}
        found[key.removeprefix("tag:")] = values
    return found


def _together(one: _Installing, other: _Installing) -> str:
    """Return the tags, in words, that nodes of both windows have; empty if none are known."""
    for these in one.groups:
        for those in other.groups:
            if may_share(_own(these), _own(those)):
                common = {key: sorted(set(these[key]) & set(those[key])) for key in _own(these) if key in those}
                return ", ".join(f"{key}={'|'.join(values)}" for key, values in common.items())
    return ""


def _own(tags: Tags) -> Tags:
    """Return the tags without the environment's, unless that is the only one."""
    return {key: values for key, values in tags.items() if key != ENVIRONMENT_TAG} or tags
