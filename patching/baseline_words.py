"""What a patch baseline approves, in words.

Follows https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PatchRule.html and
https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-linux-rules.html.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from patching.baseline import (
    ApprovalRule,
    AvailableSecurityUpdates,
    ComplianceLevel,
    PatchBaseline,
    PatchFilter,
    RejectedPatchesAction,
)
from patching.operating_system import OperatingSystem
from patching.schedule_words import joined

_LABELS = {
    OperatingSystem.WINDOWS: "Windows",
    OperatingSystem.AMAZON_LINUX: "Amazon Linux",
    OperatingSystem.AMAZON_LINUX_2: "Amazon Linux 2",
    OperatingSystem.AMAZON_LINUX_2022: "Amazon Linux 2022",
    OperatingSystem.AMAZON_LINUX_2023: "Amazon Linux 2023",
    OperatingSystem.UBUNTU: "Ubuntu",
    OperatingSystem.REDHAT_ENTERPRISE_LINUX: "Red Hat Enterprise Linux",
    OperatingSystem.SUSE: "SUSE Linux Enterprise Server",
    OperatingSystem.CENTOS: "CentOS",
    OperatingSystem.ORACLE_LINUX: "Oracle Linux",
    OperatingSystem.DEBIAN: "Debian",
    OperatingSystem.MACOS: "macOS",
    OperatingSystem.RASPBIAN: "Raspberry Pi OS",
    OperatingSystem.ROCKY_LINUX: "Rocky Linux",
    OperatingSystem.ALMA_LINUX: "AlmaLinux",
}
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_SEVERITY = ("SEVERITY", "MSRC_SEVERITY")
_NOUNS = {"PRODUCT": "product", "PRODUCT_FAMILY": "product family", "PRIORITY": "priority", "SECTION": "section"}


def system_in_words(system: OperatingSystem) -> str:
    """Return the name of an operating system that people use."""
    return _LABELS[system]


def rule_in_words(rule: ApprovalRule, system: OperatingSystem) -> str:
    """Say which patches a rule approves, from when on, and how serious it is when one is missing."""
    verb = "are approved"
    level = rule.compliance_level
    counts = "" if level is ComplianceLevel.UNSPECIFIED else f"; a missing one counts as {level}"
    more = "; also those that no security notice names" if rule.enable_non_security else ""
    what = selected_in_words(rule.filters, system)
    return f"{what[0].upper()}{what[1:]} {verb} {approval_in_words(rule, system)}{more}{counts}"


def selected_in_words(filters: Sequence[PatchFilter], system: OperatingSystem) -> str:
    """Say which patches get through these filters: `Critical and Important security patches of Amazon Linux 2023`."""
    values = {one.key: [] if "*" in one.values else list(one.values) for one in filters}
    severities = [value for key in _SEVERITY for value in values.pop(key, [])]
    classes = [_CAMEL.sub(" ", one).lower() for one in values.pop("CLASSIFICATION", [])]
    noun = "" if classes and all(one.endswith(("s", "updates")) for one in classes) else "patches"
    kind = " ".join(filter(None, (joined(severities), joined(classes), noun)))
    if kind == "patches":
        kind = "all patches"
    if sets := values.pop("PATCH_SET", []):
        kind += f" ({joined(['the system itself' if one == 'OS' else 'applications' for one in sets])})"
    limits = [f"{_NOUNS.get(key, key)} {joined(list(found), 'or')}" for key, found in values.items() if found]
    return f"{kind} of {_LABELS[system]}{''.join(f', {one}' for one in limits)}"


def approval_in_words(rule: ApprovalRule, system: OperatingSystem) -> str:
    """Say from when on a rule approves what it selects: `7 days after their release`."""
    if not system.dates_patches:
        return "at once"
    if rule.approve_until_date is not None:
        return f"if they were released on {rule.approve_until_date} (UTC) or before"
    days = rule.approve_after_days or 0
    return f"{days} day{'' if days == 1 else 's'} after their release" if days else "as soon as they are released"


def baseline_in_words(baseline: PatchBaseline, groups: Sequence[str] = ()) -> Iterator[str]:
    """Yield sentences that say all that a baseline does; `groups` are the patch groups that use it."""
    system = _LABELS[baseline.operating_system]
    if groups:
        yield f"Used by nodes of {system} in the patch group{'s' if len(groups) > 1 else ''} {joined(list(groups))}"
    if baseline.default:
        yield f"The default of {system}: used by every node in the account and Region whose patch group names no other"
    for rule in baseline.rules:
        yield rule_in_words(rule, baseline.operating_system)
    if baseline.global_filters:
        through = selected_in_words(baseline.global_filters, baseline.operating_system)
        yield f"Rules approve nothing but {through}"
    if baseline.approved:
        yield approved_in_words(baseline)
    if baseline.rejected:
        yield f"Never approved: {joined(list(baseline.rejected))}; {rejection_in_words(baseline.rejected_action)}"
    for source in baseline.sources:
        products = joined(list(source.products))
        yield f"Repository {source.name} for {products}, instead of those that nodes have configured"
    if baseline.available_security_updates:
        yield updates_in_words(baseline.available_security_updates)


def approved_in_words(baseline: PatchBaseline) -> str:
    """Say which patches are approved by name."""
    level = baseline.approved_level
    counts = "" if level is ComplianceLevel.UNSPECIFIED else f"; a missing one counts as {level}"
    more = "; also what no security notice names" if baseline.approved_non_security else ""
    return f"Always approved: {joined(list(baseline.approved))}{more}{counts}"


def rejection_in_words(action: RejectedPatchesAction) -> str:
    """Say what becomes of a rejected patch that another one depends on."""
    if action is RejectedPatchesAction.BLOCK:
        return "not even as a dependency, and nothing that depends on it"
    return "they may come in as a dependency of others"


def updates_in_words(status: AvailableSecurityUpdates) -> str:
    """Say what a node of Windows is for which a security update is out that is not approved yet."""
    state = "compliant" if status is AvailableSecurityUpdates.COMPLIANT else "not compliant"
    return f"A node is {state} while a security update is out that is not approved yet"
