"""When the windows of a policy are open in the year that follows, and what must not happen then.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/maintenance-windows-schedule-options.html and, for
runs that overlap, https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-aws-runpatchbaseline.html.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from functools import reduce
from itertools import combinations
from typing import TYPE_CHECKING

from patching.open_times import OpenTimes, Period, common, first_common, most_open, union
from patching.policy.install import Install
from patching.policy.part import Findings, Reading
from patching.targets import may_share, value_set

if TYPE_CHECKING:
    from patching.policy.policy import Policy

_YEAR = timedelta(days=366)
_SCAN_HOURS = 1
"""How long a scan is taken to last: the lower bound of a window, since AWS names none."""

Times = dict[str, list[Period]]


def check(policy: Policy, findings: Findings, reading: Reading) -> None:
    """Find windows that meet, services that go down as a whole, and windows that never open."""
    begin = datetime.combine(reading.today, time(), UTC)
    times: Times = {}
    for name, install in policy.install.items():
        if install.open_times.is_known:
            times[name] = list(install.open_times.periods(begin, begin + _YEAR))
            if not times[name]:
                reading.warn(("install", name, "schedule"), _never_opens(install))
    enabled = {name: periods for name, periods in times.items() if policy.install[name].enabled}
    _check_hybrid(policy, findings)
    _check_overlaps(policy, enabled, findings, reading)
    _check_open(policy, enabled, findings)
    _check_services(policy, enabled, findings)
    _check_scan(policy, enabled, begin, reading)


def _never_opens(install: Install) -> str:
    days = f" from {install.start_date}" if install.start_date else ""
    days += f" to {install.end_date}" if install.end_date else ""
    return (
        f"the window does not open in the year to come: {install.schedule}{days}; give it a later time, or take it out"
    )


def _check_overlaps(policy: Policy, times: Times, findings: Findings, reading: Reading) -> None:
    """Two windows for one tag must not be open at one time: two runs on one node break each other."""
    enabled = [name for name, install in policy.install.items() if install.enabled]
    for first, second in combinations(enabled, 2):
        tags = _shared(policy.install[first], policy.install[second])
        if tags is None:
            continue
        at = ("install", second, "schedule")
        if first not in times or second not in times:
            message = (
                f"windows {first} and {second} both patch nodes with {tags}; whether they meet is not known, as a rate "
                "counts from the creation of its window; write a cron expression"
            )
            reading.warn(at, message)
            continue
        meeting = first_common(times[first], times[second])
        if meeting:
            message = (
                f"windows {first} and {second} both patch nodes with {tags}, and both are open from "
                f"{meeting.in_words()}; two runs on one node break each other: move one of them, or part their targets"
            )
            findings.add(at, message)


def _shared(these: Install, those: Install) -> str | None:
    """Return the tags, in words, that target groups of both windows have in common; None if they have none."""
    for one in these.target_groups:
        for other in those.target_groups:
            if may_share(one, other):
                return ", ".join(
                    f"{key}={'|'.join(sorted(value_set(one[key]) & value_set(other[key])))}"
                    for key in one
                    if key in other
                )
    return None


def _check_open(policy: Policy, times: Times, findings: Findings) -> None:
    """AWS runs five windows at one time; a further one does not start.

    Follows https://docs.aws.amazon.com/general/latest/gr/ssm.html.
    """
    names, at = most_open(times)
    limit = policy.quotas.windows_open
    if at and len(names) > limit:
        message = (
            f"{len(names)} windows are open at one time ({', '.join(names)} on {at:%Y-%m-%d %H:%M} UTC), but AWS runs "
            f"{limit}; move some, or, if AWS has raised that for you, say so in quotas.windows_open"
        )
        findings.add(("install", names[-1], "schedule"), message)


def _check_services(policy: Policy, times: Times, findings: Findings) -> None:
    """Of every service a group is up at any time, and every group is patched by a window."""
    for name, service in policy.services.items():
        groups: list[list[Period]] = []
        for index, tags in enumerate(service.groups):
            windows = [
                window
                for window, install in policy.install.items()
                if install.enabled and any(may_share(tags, group) for group in install.target_groups)
            ]
            if not windows:
                message = "no window patches this group; add one, or take the group out"
                findings.add(("services", name, "groups", index), message)
            groups.append(union(period for window in windows for period in times.get(window, ())))
        together = reduce(lambda these, those: list(common(these, those)), groups)
        if together:
            message = (
                f"windows for all {len(groups)} groups of the service are open from {together[0].in_words()}: none of "
                "them is sure to be up; move one of the windows"
            )
            findings.add(("services", name), message)


def _check_hybrid(policy: Policy, findings: Findings) -> None:
    """An activation's machines are found by its tags: without a window for them they are never patched."""
    if policy.hybrid and policy.install:
        tags = policy.hybrid.tags
        if not any(
            all(tags.get(key) in value_set(values) for key, values in group.items())
            for install in policy.install.values()
            for group in install.target_groups
        ):
            message = "no window patches machines with these tags; give them the tags that a window selects"
            findings.add(("hybrid", "tags"), message)


def _check_scan(policy: Policy, times: Times, begin: datetime, reading: Reading) -> None:
    """A scan while a window installs meets it on the node: one of the two fails, or reports what is half done."""
    if policy.scan.schedule.kind == "rate":
        return
    scans = list(OpenTimes(policy.scan.schedule, _SCAN_HOURS).periods(begin, begin + _YEAR))
    for name, periods in times.items():
        inside = next((scan for scan in scans for one in periods if one.begin <= scan.begin < one.end), None)
        if inside:
            message = (
                f"the scan begins on {inside.begin:%Y-%m-%d %H:%M} UTC, while window {name} is open; scan before "
                "or after it, so that the two do not meet on a node"
            )
            reading.warn(("scan", "schedule_utc"), message)
