"""The nodes that a rehearsal makes, from what a plan targets: so many of each kind that a window or a baseline names.

A policy says which tags it patches, not how many nodes have them. So the nodes are dealt out evenly over the windows'
target groups, each with a patch group: the one that its group names, or else one whose name resembles the window's or
its tags', or else one that no window's name resembles.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, islice, product

from patching.deployment import ENVIRONMENT_TAG, PATCH_GROUP_TAG
from patching.operating_system import OperatingSystem
from patching.patch_group import PATCH_GROUP_TAGS
from patching.targets import Targets
from review.errors import ReviewError
from review.rehearsal.plan import Plan, PlannedWindow

MOST_SHAPES = 200
"""Kinds of nodes of one target group, whose values may be many."""


@dataclass(frozen=True)
class Shape:
    """A kind of node.

    Attributes:
        system: its operating system.
        tags: its tags.
        window: the window for which it is made; empty for one that no window names.
    """

    system: OperatingSystem
    tags: tuple[tuple[str, str], ...]
    window: str


def shapes(plan: Plan) -> tuple[Shape, ...]:
    """Return the kinds of nodes of a plan.

    Raises:
        ReviewError: no baseline has a patch group or is a default, or no window names a patch group that one has.
    """
    if plan.fleet:
        return tuple(Shape(system, tuple(sorted(tags.items())), _window_of(plan, tags)) for system, tags in plan.fleet)
    systems = _systems(plan)
    if not systems:
        raise ReviewError(f"{plan.name}: no baseline has a patch group, so that no node would get one of them")
    named = {value for window in plan.windows for group in window.groups for value in _patch_groups(group)}
    alike = {window.name: [one for one in systems if _resemble(window, one)] for window in plan.windows}
    spoken_for = named.union(*alike.values())
    free = [one for one in systems if one not in spoken_for]
    open_windows = [one for one in plan.windows if not any(_patch_groups(group) for group in one.groups)]
    found: dict[Shape, None] = {}
    for window in plan.windows:
        # What no window's name resembles is shared out among those that name no patch group themselves.
        shared = free[open_windows.index(window) :: len(open_windows)] if window in open_windows else []
        for group in window.groups:
            found |= dict.fromkeys(_of_group(plan, window, group, (*alike[window.name], *shared), systems))
    for name in [] if open_windows else free:
        tags = _tags(plan, {PATCH_GROUP_TAG: name} if name else {})
        found |= dict.fromkeys(Shape(system, tags, "") for system in systems[name])
    if not found:
        raise ReviewError(f"{plan.name}: its windows name no patch group that a baseline has; no node could be made")
    return tuple(found)


def _systems(plan: Plan) -> dict[str, list[OperatingSystem]]:
    """Return the operating systems of each patch group; without any, of the defaults."""
    found: dict[str, list[OperatingSystem]] = {}
    for one in plan.baselines:
        for group in one.groups:
            found.setdefault(group, []).append(one.content.operating_system)
    defaults = [one.content.operating_system for one in plan.baselines if one.content.default]
    return found or ({"": defaults} if defaults else {})


def _window_of(plan: Plan, tags: dict[str, str]) -> str:
    fitting = (one.name for one in plan.windows if any(group.match("", tags) for group in one.groups))
    return next(fitting, "")


def dealt(kinds: Sequence[Shape], count: int) -> Iterator[Shape]:
    """Deal out so many nodes evenly over the kinds."""
    return islice(cycle(kinds), count)


def _of_group(
    plan: Plan,
    window: PlannedWindow,
    group: Targets,
    others: Sequence[str],
    systems: dict[str, list[OperatingSystem]],
) -> Iterator[Shape]:
    keys = [
        (key.removeprefix("tag:"), values)
        for key, values in group.keys
        if key.startswith("tag:") and key != _ENVIRONMENT
    ]
    combinations = islice(product(*(values for _, values in keys)), MOST_SHAPES)
    for number, values in enumerate(combinations):
        tags = dict(zip((key for key, _ in keys), values, strict=True))
        own = next((tags[key] for key in PATCH_GROUP_TAGS if key in tags), None)
        groups = [own] if own is not None else list(others) or [list(systems)[number % len(systems)]]
        for one in groups:
            whole = tags if own is not None or not one else {**tags, PATCH_GROUP_TAG: one}
            for system in systems.get(one, ()):
                yield Shape(system, _tags(plan, whole), window.name)


_ENVIRONMENT = f"tag:{ENVIRONMENT_TAG}"


def _tags(plan: Plan, tags: dict[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted({**tags, ENVIRONMENT_TAG: plan.environment}.items()))


def _patch_groups(group: Targets) -> tuple[str, ...]:
    return next((values for key, values in group.keys if key.removeprefix("tag:") in PATCH_GROUP_TAGS), ())


def _resemble(window: PlannedWindow, patch_group: str) -> bool:
    if not patch_group or any(_patch_groups(group) for group in window.groups):
        return False
    words = [window.name]
    words += [value for group in window.groups for key, values in group.keys if key != _ENVIRONMENT for value in values]
    return any(_alike(word.casefold(), patch_group.casefold()) for word in words)


def _alike(one: str, other: str) -> bool:
    shorter, longer = sorted((one, other), key=len)
    return len(shorter) > 2 and longer.startswith(shorter)  # noqa: PLR2004 shorter words resemble too much
