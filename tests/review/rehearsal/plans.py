"""Small plans to rehearse."""

from __future__ import annotations

from datetime import date

from patching.policy_file import parse_policy
from review.rehearsal.course import Course, Setting
from review.rehearsal.figures import figures
from review.rehearsal.model import Rehearsal
from review.rehearsal.plan import Plan, of_policy

FIRST = date(2026, 12, 1)

TEXT = """\
environment: prod
baselines:
  linux:
    operating_system: AMAZON_LINUX_2023
    patch_groups: [web, db]
    rules:
      - approve_after_days: {delay}
scan:
  schedule_utc: cron(0 12 * * ? *)
install:
  night:
    targets: {targets}
    schedule: {schedule}
    duration_hours: 6
    cutoff_hours: 1
    concurrency: {concurrency}
    max_errors: {errors}
    reboot: {reboot}
"""


def plan(
    *,
    delay: int = 0,
    targets: str = "{Tier: a}",
    concurrency: str = "100%",
    errors: str = "100%",
    reboot: str = "RebootIfNeeded",
    schedule: str = "cron(0 2 * * ? *)",
) -> Plan:
    """Return the plan of a policy with one baseline and one window that opens every night, or as said."""
    text = TEXT.format(
        delay=delay, targets=targets, concurrency=concurrency, errors=errors, reboot=reboot, schedule=schedule
    )
    return of_policy(parse_policy(text, today=FIRST), "policy")


def rehearsed(made: Plan, *, days: int = 30, nodes: int = 6, chaos: float = 0, seed: int = 0) -> Rehearsal:
    """Return the figures of a plan."""
    course = Course(made, Setting(FIRST, days, nodes, chaos, seed))
    course.run()
    return figures(course)
