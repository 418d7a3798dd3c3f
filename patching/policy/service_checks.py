"""Services of which one group of nodes has to be up at any time.

Services are a matter of this project; when windows are open follows
https://docs.aws.amazon.com/systems-manager/latest/userguide/maintenance-windows-schedule-options.html.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce

from patching.open_times import Period, common, union
from patching.policy.content import PolicyContent
from patching.policy.install import Service, TargetTags
from patching.policy.part import Findings, Reading
from patching.targets import may_share


def check(policy: PolicyContent, times: Mapping[str, Sequence[Period]], findings: Findings, reading: Reading) -> None:
    """Find services whose groups can all be down at one time, and groups that no window patches.

    Warned of:
    - `services.*`: a window with a rate for one of its groups, as it is not known when that is open

    Args:
        policy: the policy.
        times: when the enabled windows are open, for those of which that is known.
        findings: where to note what is wrong.
        reading: where to note what is not known.
    """
    for name, service in policy.services.items():
        windows = [
            _windows(policy, name, index, findings=findings, reading=reading) for index in range(len(service.groups))
        ]
        for one in sorted({one for group in windows for one in group if one not in times}):
            message = (
                f"window {one} patches a group of the service; whether all groups are down with it is not known, as a "
                "rate counts from the creation of its window; write a cron expression"
            )
            reading.warn(("services", name), message)
        _check_times(name, service, windows, times, findings)


def _windows(policy: PolicyContent, name: str, index: int, *, findings: Findings, reading: Reading) -> list[str]:
    """Return the enabled windows that patch a group, and note if there is none.

    Refused:
    - `services.*.groups`: a group that no window patches

    Warned of:
    - `services.*.groups`: tags that no window names, where one may select the group's nodes by other tags
    """
    tags: TargetTags = policy.services[name].groups[index]
    enabled = {window: install for window, install in policy.install.items() if install.enabled}
    found = [
        window for window, install in enabled.items() if any(may_share(tags, group) for group in install.target_groups)
    ]
    if not found:
        at = ("services", name, "groups", index)
        others = [
            window
            for window, install in enabled.items()
            if any(not tags.keys() & group.keys() for group in install.target_groups)
        ]
        if others:
            message = (
                f"whether a window patches this group is not known: none names its tags, and {', '.join(others)} may "
                "select its nodes by other ones; name the group by tags that its window has"
            )
            reading.warn(at, message)
        else:
            findings.add(at, "no window patches this group; add one, or take the group out")
    return found


def _check_times(
    name: str,
    service: Service,
    windows: Sequence[Sequence[str]],
    times: Mapping[str, Sequence[Period]],
    findings: Findings,
) -> None:
    """Of every service a group is up at any time.

    Refused:
    - `services.*`: a time in the year to come at which windows for all of its groups are open, as none of them would
      be sure to be up
    """
    groups = [union(period for window in group for period in times.get(window, ())) for group in windows]
    together = reduce(lambda these, those: list(common(these, those)), groups)
    if not together:
        return
    alone = [window for window in windows[0] if all(window in group for group in windows)]
    mend = (
        f"window {alone[0]} patches all of them; give each group a window of its own"
        if alone
        else "move one of the windows"
    )
    message = (
        f"windows for all {len(service.groups)} groups of the service are open from {together[0].in_words()}: none of "
        f"them is sure to be up; {mend}"
    )
    findings.add(("services", name), message)
