"""What only the policy as a whole shows: parts that contradict each other, or that never come to anything."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from patching.baseline import MAX_LISTED_PATCHES
from patching.command_document import hook_findings
from patching.deployment import ENVIRONMENT_TAG, PATCH_GROUP_TAG
from patching.errors import InvalidValueError
from patching.operating_system import OperatingSystem
from patching.policy import window_checks
from patching.policy.baselines import Action, check_entry
from patching.policy.part import Findings, Place, Reading
from patching.targets import value_set

if TYPE_CHECKING:
    from patching.policy.policy import Policy

_WARN_BEFORE = timedelta(days=14)


def check(policy: Policy, findings: Findings, reading: Reading) -> None:
    """Find what is wrong with the policy as a whole."""
    if ENVIRONMENT_TAG in policy.tags:
        findings.add(("tags", ENVIRONMENT_TAG), f"the tag {ENVIRONMENT_TAG} is set by environment; take it out")
    _check_quotas(policy, findings)
    _check_baselines(policy, findings)
    _check_groups(policy, findings)
    _check_exceptions(policy, findings, reading)
    _check_documents(policy, findings)
    window_checks.check(policy, findings, reading)


def _check_quotas(policy: Policy, findings: Findings) -> None:
    """Count what AWS counts; see https://docs.aws.amazon.com/general/latest/gr/ssm.html."""
    for key, quota, parts in (
        ("install", "windows", policy.install),
        ("baselines", "baselines", policy.baselines),
        ("documents", "documents", policy.documents),
    ):
        limit = getattr(policy.quotas, quota)
        if len(parts) > limit:
            message = (
                f"{len(parts)} {quota}, but AWS allows {limit} in an account and Region; if it has raised that for "
                f"you, say so in quotas.{quota}"
            )
            findings.add((key,), message)


def _check_baselines(policy: Policy, findings: Findings) -> None:
    """A group has one baseline of each system, and a system one default.

    Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-patch-groups.html.
    """
    groups: dict[tuple[OperatingSystem, str], str] = {}
    defaults: dict[OperatingSystem, str] = {}
    for name, baseline in policy.baselines.items():
        for index, group in enumerate(baseline.patch_groups):
            other = groups.setdefault((baseline.operating_system, group), name)
            if other != name:
                message = (
                    f"baseline {other} has the patch group {group!r} of {baseline.operating_system} already; a "
                    "group has one baseline of each operating system"
                )
                findings.add(("baselines", name, "patch_groups", index), message)
        if baseline.default and defaults.setdefault(baseline.operating_system, name) != name:
            message = (
                f"baseline {defaults[baseline.operating_system]} is the default of {baseline.operating_system} "
                "already; a system has one default"
            )
            findings.add(("baselines", name, "default"), message)


def _check_groups(policy: Policy, findings: Findings) -> None:
    """No node falls back to a default baseline of AWS's in silence, and no baseline is there for nobody.

    Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-patch-groups.html.
    """
    known = {(one.operating_system, group) for one in policy.baselines.values() for group in one.patch_groups}
    defaults = {one.operating_system for one in policy.baselines.values() if one.default}
    for index, node in enumerate(policy.fleet.nodes if policy.fleet else ()):
        group = node.tags.get(PATCH_GROUP_TAG, "")
        if (node.operating_system, group) not in known and node.operating_system not in defaults:
            names = sorted(name for system, name in known if system is node.operating_system)
            where = ("fleet", "nodes", index, "tags", *((PATCH_GROUP_TAG,) if group else ()))
            message = (
                f"no baseline of {node.operating_system} has the patch group {group!r}: AWS would silently use its "
                f"default baseline; expected one of {', '.join(names) or 'none, for there is no such baseline'}"
            )
            findings.add(where, message)
    groups = {group for _, group in known}
    for where, group in _named_groups(policy):
        if group not in groups:
            message = (
                f"no baseline has the patch group {group!r}: AWS would silently use its default baseline for such "
                f"nodes; expected one of {', '.join(sorted(groups)) or 'none, for no baseline has a group'}"
            )
            findings.add(where, message)
    if policy.fleet is not None:
        _check_reached(policy, findings)


def _named_groups(policy: Policy) -> Iterator[tuple[Place, str]]:
    """Yield the patch groups that other parts than baselines and nodes name, with their places."""
    if policy.hybrid and PATCH_GROUP_TAG in policy.hybrid.tags:
        yield ("hybrid", "tags", PATCH_GROUP_TAG), policy.hybrid.tags[PATCH_GROUP_TAG]
    for name, install in policy.install.items():
        for index, tags in enumerate(install.target_groups):
            at = ("install", name, "targets", *((index,) if isinstance(install.targets, list) else ()))
            for group in sorted(value_set(tags.get(PATCH_GROUP_TAG, ()))):
                yield (*at, PATCH_GROUP_TAG), group
    for name, service in policy.services.items():
        for index, tags in enumerate(service.groups):
            for group in sorted(value_set(tags.get(PATCH_GROUP_TAG, ()))):
                yield ("services", name, "groups", index, PATCH_GROUP_TAG), group


def _check_reached(policy: Policy, findings: Findings) -> None:
    """Where the policy makes the nodes itself, every baseline has to be for one of them."""
    nodes = policy.fleet.nodes if policy.fleet else []
    for name, baseline in policy.baselines.items():
        reached = baseline.default or any(
            node.operating_system is baseline.operating_system
            and node.tags.get(PATCH_GROUP_TAG) in baseline.patch_groups
            for node in nodes
        )
        if not reached and not (policy.hybrid and policy.hybrid.tags.get(PATCH_GROUP_TAG) in baseline.patch_groups):
            message = (
                f"no node can ever get this baseline: the fleet has no {baseline.operating_system} node of the patch "
                f"groups {', '.join(baseline.patch_groups)}; take it out, or add such a node"
            )
            findings.add(("baselines", name), message)


def _check_exceptions(policy: Policy, findings: Findings, reading: Reading) -> None:
    """An exception is one to a baseline of the policy, says something new, and has an end that has not come."""
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
        days = (exception.until - reading.today).days
        if days < 0:
            message = (
                f"the exception ended on {exception.until}, {-days} day{'' if days == -1 else 's'} ago; take it out, "
                f"or agree on a new day with its owner, {exception.owner}"
            )
            findings.add((*at, "until"), message)
        elif exception.until - reading.today <= _WARN_BEFORE:
            when = "today" if days == 0 else f"in {days} day{'' if days == 1 else 's'}"
            message = f"the exception ends {when}, on {exception.until}; its owner is {exception.owner}"
            reading.warn((*at, "until"), message)
    for name, baseline in policy.baselines.items():
        deployed = [one for one in policy.exceptions.values() if name in one.baselines]
        lists = {Action.APPROVE: baseline.approved_patches, Action.REJECT: baseline.rejected_patches}
        for action, listed in lists.items():
            _check_listed(name, action, [*listed, *(one.patch for one in deployed if one.action is action)], findings)


def _check_listed(name: str, action: Action, listed: list[str], findings: Findings) -> None:
    """With the exceptions, a baseline's lists hold no more than AWS takes."""
    if len(set(listed)) > MAX_LISTED_PATCHES:
        what = "approved" if action is Action.APPROVE else "rejected"
        message = (
            f"{len(set(listed))} {what} patches with the exceptions of this baseline, but AWS takes "
            f"{MAX_LISTED_PATCHES}; take some out"
        )
        findings.add(("baselines", name), message)


def _check_documents(policy: Policy, findings: Findings) -> None:
    """A hook is a document of the policy, and runs without parameters.

    Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-aws-runpatchbaselinewithhooks.html.
    """
    for name, install in policy.install.items():
        for key, document in (install.hooks.named() if install.hooks else {}).items():
            at = ("install", name, "hooks", key)
            if document not in policy.documents:
                known = ", ".join(policy.documents) or "none, for there are no documents"
                findings.add(at, f"there is no document {document!r}; expected one of {known}")
                continue
            for found in hook_findings(policy.documents[document].content):
                findings.add(at, f"document {document} cannot be a hook: {found.message}")
