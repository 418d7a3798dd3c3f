"""Rehearsing one plan, or two with the same patches and the same faults."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from multiprocessing import get_context

from review.rehearsal.arrivals import rates_in_words
from review.rehearsal.course import Course, Setting
from review.rehearsal.figures import counted_days, figures
from review.rehearsal.model import Rehearsal, Rehearsals
from review.rehearsal.plan import Plan

_WORTH_A_PROCESS = 20_000
"""Days of nodes, of which fewer take less than the beginning of another process."""
ASSUMPTIONS = (
    "the patches are made up, at the rates that are named; both plans get the same ones",
    (
        "the nodes are made up too: those of the policy's fleet, so many times over, or else dealt out evenly over "
        "what windows target and baselines have patch groups for"
    ),
    "nodes are up to date when the rehearsal begins, always on, and reach what they need; permissions are not asked",
    "a scan takes no time and never fails; hooks succeed; how long an installation takes is made up",
    "what does not patch (inventory, agent updates) is left out",
)


def rehearse(plans: Sequence[Plan], setting: Setting, progress: Callable[[date], None] | None = None) -> Rehearsals:
    """Rehearse plans, two of them at one time.

    Args:
        plans: one plan, or two that are put side by side.
        setting: how; the same for both.
        progress: called with every day that has gone by, of the first plan.

    Raises:
        ReviewError: a plan for which no node could be made.
    """
    if len(plans) > 1 and setting.nodes * setting.days > _WORTH_A_PROCESS:
        # A process each: there are two cores, and either takes its time.
        with ProcessPoolExecutor(len(plans) - 1, mp_context=get_context("spawn")) as pool:
            others = [pool.submit(_rehearse, plan, setting) for plan in plans[1:]]
            found = [_rehearse(plans[0], setting, progress), *(one.result() for one in others)]
    else:
        found = [_rehearse(one, setting, progress) for one in plans]
    systems = [one.content.operating_system for plan in plans for one in plan.baselines]
    return Rehearsals(
        first=setting.first,
        days=setting.days,
        nodes=setting.nodes,
        chaos=setting.chaos,
        seed=setting.seed,
        counted_days=counted_days(setting.days),
        rates=rates_in_words(systems),
        assumptions=ASSUMPTIONS,
        plans=tuple(found),
    )


def _rehearse(plan: Plan, setting: Setting, progress: Callable[[date], None] | None = None) -> Rehearsal:
    course = Course(plan, setting)
    course.run(progress)
    return figures(course)
