"""What exceptions must not be: about nothing, against each other, or over.

That they end is a rule of this project; what they name follows
https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-approved-rejected-package-name-formats.html.
"""

from __future__ import annotations

from datetime import timedelta
from itertools import combinations

from patching.baseline import MAX_LISTED_PATCHES
from patching.baseline_checks import rejecting
from patching.errors import InvalidValueError
from patching.policy.baselines import Action, PatchException, check_entry
from patching.policy.content import PolicyContent
from patching.policy.part import Findings, Place, Reading

_WARN_BEFORE = timedelta(days=14)


def check(policy: PolicyContent, findings: Findings, reading: Reading) -> None:
    """An exception is one to a baseline of the policy, says something new, and has an end that has not come.

    Refused:
    - `exceptions.*.baselines`: a baseline that the policy has not
    - `exceptions.*.patch`: a name that means nothing on the baseline's system; a patch that the same list of the
      baseline names without an end; one that the other list names, as rejected beats approved
    - `exceptions.*.until`: a day that has passed, so that no exception outlives the agreement on it

    Warned of:
    - `exceptions.*.until`: a day that comes within two weeks
    """
    for name, exception in policy.exceptions.items():
        at: Place = ("exceptions", name)
        rejects = exception.action is Action.REJECT
        for index, other in enumerate(exception.baselines):
            if other not in policy.baselines:
                message = f"there is no baseline {other!r}; expected one of {', '.join(policy.baselines)}"
                findings.add((*at, "baselines", index), message)
                continue
            baseline = policy.baselines[other]
            try:
                check_entry(exception.patch, baseline, rejected=rejects)
            except InvalidValueError as error:
                findings.add((*at, "patch"), f"{error} (baseline {other})")
        owner = " ".join(exception.owner.split())
        days = (exception.until - reading.today).days
        if days < 0:
            message = (
                f"the exception ended on {exception.until}, {-days} day{'' if days == -1 else 's'} ago; take it out, "
                f"or agree on a new day with its owner, {owner}"
            )
            findings.add((*at, "until"), message)
        elif exception.until - reading.today <= _WARN_BEFORE:
            when = "today" if days == 0 else f"in {days} day{'' if days == 1 else 's'}"
            message = f"the exception ends {when}, on {exception.until}; its owner is {owner}"
            reading.warn((*at, "until"), message)
    for pair in combinations(policy.exceptions.items(), 2):
        _check_pair(*pair, findings)
    for name, baseline in policy.baselines.items():
        deployed = [one for one in policy.exceptions.values() if name in one.baselines]
        lists = {Action.APPROVE: baseline.approved_patches, Action.REJECT: baseline.rejected_patches}
        for action, listed in lists.items():
            _check_listed(name, action, [*listed, *(one.patch for one in deployed if one.action is action)], findings)


def _check_listed(name: str, action: Action, listed: list[str], findings: Findings) -> None:
    """With the exceptions, a baseline's lists hold no more than AWS takes.

    Refused:
    - `baselines.*`: more than 50 approved or rejected patches, with those that exceptions add

    Follows https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CreatePatchBaseline.html.
    """
    if len(set(listed)) > MAX_LISTED_PATCHES:
        what = "approved" if action is Action.APPROVE else "rejected"
        message = (
            f"{len(set(listed))} {what} patches with the exceptions of this baseline, but AWS takes "
            f"{MAX_LISTED_PATCHES}; take some out"
        )
        findings.add(("baselines", name), message)


def _check_pair(these: tuple[str, PatchException], those: tuple[str, PatchException], findings: Findings) -> None:
    """Two exceptions to one baseline say different things of different patches.

    Refused:
    - `exceptions.*.patch`: a patch that another exception to the same baseline is about, or rejects while this one
      approves it

    Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-predefined-and-custom-patch-baselines.html.
    """
    (first, one), (second, other) = these, those
    if not set(one.baselines) & set(other.baselines):
        return
    at = ("exceptions", second, "patch")
    if one.action is other.action and one.patch == other.patch:
        findings.add(at, f"exception {first} is about {one.patch!r} too, for the same baseline; make one of the two")
    approves, rejects = (one, other) if one.action is Action.APPROVE else (other, one)
    if one.action is not other.action and rejecting(approves.patch, [rejects.patch]):
        message = (
            f"exceptions {first} and {second}: one approves {approves.patch!r}, the other rejects {rejects.patch!r}, "
            "and rejected beats approved; take one of them out"
        )
        findings.add(at, message)
