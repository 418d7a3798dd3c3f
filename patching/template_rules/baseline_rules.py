"""Rules about patch baselines: who gets them."""

from __future__ import annotations

from collections.abc import Iterator

from patching.template_rules.assembly import Resource, texts
from patching.template_rules.finding import Found, Rule, Whole
from patching.template_rules.text import is_known

BASELINE = "AWS::SSM::PatchBaseline"


def baseline_for_nobody(whole: Whole) -> Iterator[Found]:
    """Find patch baselines that have no patch group, and are not the default of their operating system.

    No node ever gets such a baseline. See
    https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-patch-groups.html.
    """
    for baseline in whole.assembly.of(BASELINE):
        groups, default = baseline.listed("PatchGroups"), baseline.properties.get("DefaultBaseline", False)
        if groups or str(default).lower() != "false" or whole.assembly.is_named(baseline, but_by="AWS::Events::Rule"):
            continue
        message = (
            "no node ever gets this baseline: it has no patch groups, and is not the default of its system; name "
            "groups in PatchGroups, or set DefaultBaseline"
        )
        yield Found(baseline, message)


def baselines_in_conflict(whole: Whole) -> Iterator[Found]:
    """Find baselines of one operating system for one patch group, or as its default: only one of them can be.

    See https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-patch-groups.html.
    """
    groups: dict[tuple[str, str], Resource] = {}
    defaults: dict[str, Resource] = {}
    for baseline in whole.assembly.of(BASELINE):
        system = baseline.properties.get("OperatingSystem", "WINDOWS")
        if baseline.is_conditional or not is_known(system):
            continue
        for group in (one for one in texts(baseline.listed("PatchGroups")) if is_known(one)):
            other = groups.setdefault((system, group), baseline)
            if other is not baseline:
                message = (
                    f"{other.logical_id} is the baseline of {system} for the patch group {group} already, and a group "
                    "has one of each system; take the group out here or there"
                )
                yield Found(baseline, message, "PatchGroups")
        if str(baseline.properties.get("DefaultBaseline")).lower() == "true":
            other = defaults.setdefault(system, baseline)
            if other is not baseline:
                message = (
                    f"{other.logical_id} is the default baseline of {system} already, and a system has one; take "
                    "DefaultBaseline out here or there"
                )
                yield Found(baseline, message, "DefaultBaseline")


RULES: tuple[Rule, ...] = (baseline_for_nobody, baselines_in_conflict)
