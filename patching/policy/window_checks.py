"""When the windows of a policy are open in the year that follows, and what must not happen then.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/maintenance-windows-schedule-options.html and, for
runs that overlap, https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-aws-runpatchbaseline.html.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, time, timedelta
from itertools import combinations, pairwise

from patching.open_times import OpenTimes, Period, first_begun_in, first_common, in_a_year, most_open, union
from patching.policy import service_checks
from patching.policy.content import PolicyContent
from patching.policy.install import Install
from patching.policy.part import Findings, Reading
from patching.targets import matches, may_share, value_set

Times = dict[str, list[Period]]


def check(policy: PolicyContent, findings: Findings, reading: Reading) -> None:
    """Find windows that meet, services that go down as a whole, and windows that never open."""
    begin = datetime.combine(reading.today, time(), UTC)
    enabled: Times = {}
    for name, install in policy.install.items():
        periods = _periods(name, install, begin, reading)
        if install.enabled and install.open_times.is_known:
            enabled[name] = periods
    _check_hybrid(policy, findings)
    _check_overlaps(policy, enabled, findings, reading)
    _check_open(policy, enabled, findings)
    service_checks.check(policy, enabled, findings, reading)
    _check_scan(policy, enabled, begin, reading)


def _periods(name: str, install: Install, begin: datetime, reading: Reading) -> list[Period]:
    """Return when a window is open, as far as that is known, and warn where it never is, or meets itself.

    Warned of:
    - `install.*.schedule`: a window that does not open in the year to come
    - `install.*.schedule`: a window that comes while it is still open, as AWS skips that opening
    """
    at = ("install", name, "schedule")
    if not install.open_times.is_known:
        every = install.window_schedule.every
        if every and every < timedelta(hours=install.duration_hours):
            message = (
                f"{install.schedule} comes while the window is still open for {install.duration_hours} h: AWS skips "
                "those openings; open it less often, or for a shorter time"
            )
            reading.warn(at, message)
        if install.end_date and install.end_date < begin.date():
            reading.warn(at, _never_opens(install))
        return []
    periods = in_a_year(install.open_times, begin)
    if not periods:
        reading.warn(at, _never_opens(install))
    again = next((later for one, later in pairwise(periods) if later.begin < one.end), None)
    if again:
        message = (
            f"on {again.begin:%Y-%m-%d %H:%M} UTC the window comes while it is still open for {install.duration_hours} "
            "h: AWS skips that opening; open it less often, or for a shorter time"
        )
        reading.warn(at, message)
    return union(periods)


def _never_opens(install: Install) -> str:
    days = f" from {install.start_date}" if install.start_date else ""
    days += f" to {install.end_date}" if install.end_date else ""
    return (
        f"the window does not open in the year to come: {install.schedule}{days}; give it a later time, or take it out"
    )


def _check_overlaps(policy: PolicyContent, times: Times, findings: Findings, reading: Reading) -> None:
    """Two windows for one node must not be open at one time: two runs on one node break each other.

    Refused:
    - `install.*.schedule`: a window that is open at one time, in the year to come, with another one for the same nodes:
      those whose targets share a tag and a value, and those that both select a node of the policy's own

    Warned of:
    - `install.*.schedule`: two windows for the same nodes, one of them with a rate: whether they meet is not known

    Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-aws-runpatchbaseline.html.
    """
    enabled = [name for name, install in policy.install.items() if install.enabled]
    for first, second in combinations(enabled, 2):
        one, other = policy.install[first], policy.install[second]
        nodes = _shared(policy, one, other)
        if nodes is None:
            continue
        at = ("install", second, "schedule")
        if first not in times or second not in times:
            if not _are_apart(one, other):
                message = (
                    f"windows {first} and {second} both patch {nodes}; whether they meet is not known, as a rate "
                    "counts from the creation of its window; write a cron expression"
                )
                reading.warn(at, message)
            continue
        meeting = first_common(times[first], times[second])
        if meeting:
            message = (
                f"windows {first} and {second} both patch {nodes}, and both are open from {meeting.in_words()}; two "
                "runs on one node break each other: move one of them, or part their targets"
            )
            findings.add(at, message)


def _shared(policy: PolicyContent, these: Install, those: Install) -> str | None:
    """Return the nodes, in words, that target groups of both windows select; None if no such node is known.

    Groups that have no tag in common may select one node all the same: that is known of the policy's own nodes only.
    """
    for one in these.target_groups:
        for other in those.target_groups:
            if may_share(one, other):
                common = ", ".join(
                    f"{key}={'|'.join(sorted(value_set(one[key]) & value_set(other[key])))}"
                    for key in one
                    if key in other
                )
                return f"nodes with {common}"
    for name, tags in _machines(policy):
        if all(any(matches(tags, group) for group in install.target_groups) for install in (these, those)):
            return name
    return None


def _machines(policy: PolicyContent) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Yield what the policy knows of nodes: their names in words, and their tags."""
    for node in policy.fleet.nodes if policy.fleet else ():
        yield f"node {node.name}", policy.node_tags(node)
    if policy.hybrid:
        yield "the machines of the hybrid activation", policy.hybrid_tags


def _are_apart(one: Install, other: Install) -> bool:
    """Tell whether one window is over before the other one begins, whatever their schedules."""
    day = timedelta(days=2)  # the zones' difference, and the hours that a window that opens at last stays open
    return any(
        these.end_date and those.start_date and these.end_date + day < those.start_date
        for these, those in ((one, other), (other, one))
    )


def _check_open(policy: PolicyContent, times: Times, findings: Findings) -> None:
    """AWS runs five windows at one time; a further one does not start.

    Refused:
    - `install.*.schedule`: a window that would be open at one time with more others than AWS runs, or than
      `quotas.windows_open` says

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


def _check_hybrid(policy: PolicyContent, findings: Findings) -> None:
    """An activation's machines are found by its tags: without a window for them they are never patched.

    Refused:
    - `hybrid.tags`: tags that no enabled window selects, where there are such windows: the machines would never be
      patched
    """
    enabled = [install for install in policy.install.values() if install.enabled]
    if policy.hybrid and enabled:
        tags = policy.hybrid_tags
        if not any(matches(tags, group) for install in enabled for group in install.target_groups):
            message = "no window patches machines with these tags; give them the tags that a window selects"
            findings.add(("hybrid", "tags"), message)


def _check_scan(policy: PolicyContent, times: Times, begin: datetime, reading: Reading) -> None:
    """A scan while a window installs meets it on the node: one of the two fails, or reports what is half done.

    Warned of:
    - `scan.schedule_utc`, `inventory.schedule_utc`, `agent_updates.schedule_utc`: a single time that has passed
    - `scan.schedule_utc`: a scan that begins while a window is open, as the two may meet on a node
    """
    for key, association in (
        ("scan", policy.scan),
        ("inventory", policy.inventory),
        ("agent_updates", policy.agent_updates),
    ):
        if association and association.schedule.kind == "at" and not association.schedule.next_runs(begin, 1):
            message = f"{association.schedule_utc} is over: it never runs; give it a later time, or a cron expression"
            reading.warn((key, "schedule_utc"), message)
    if policy.scan.schedule.kind == "rate" or not times:
        return
    # The hours are of no account: it is the beginning of a scan that must not lie within a window.
    scans = in_a_year(OpenTimes(policy.scan.schedule, duration_hours=1), begin)
    for name, periods in times.items():
        inside = first_begun_in(scans, periods)
        if inside:
            message = (
                f"the scan begins on {inside.begin:%Y-%m-%d %H:%M} UTC, while window {name} is open; scan before "
                "or after it, so that the two do not meet on a node"
            )
            reading.warn(("scan", "schedule_utc"), message)
