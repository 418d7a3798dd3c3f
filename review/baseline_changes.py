"""What changes in a patch baseline, in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from patching.baseline import ApprovalRule, PatchBaseline
from patching.baseline_words import (
    approval_in_words,
    rejection_in_words,
    rule_in_words,
    selected_in_words,
    system_in_words,
    updates_in_words,
)
from patching.operating_system import OperatingSystem
from patching.schedule_words import joined
from review.model import Weight
from review.patching_facts import Baseline

Said = tuple[str, Weight]


def baseline_changes(old: Baseline, new: Baseline) -> Iterator[Said]:
    """Yield what changes from one form of a baseline to the other, each with how much a reviewer has to look at it."""
    name = f"baseline {new.name}"
    if old.name != new.name:
        yield f"baseline {old.name} is called {new.name}", Weight.PLAIN
    before, after = old.content, new.content
    if before is None or after is None:
        return
    if before.operating_system is not after.operating_system:
        systems = [system_in_words(one.operating_system) for one in (after, before)]
        yield f"{name} is for {systems[0]} instead of {systems[1]}", Weight.CAUTION
    for text, weight in _rules(before, after):
        yield f"{name} {text}", weight
    yield from _listed(name, before, after)
    if before.global_filters != after.global_filters:
        limits = [_limit(one) for one in (after, before)]
        yield f"{name} now approves by its rules {limits[0]} (before: {limits[1]})", Weight.CAUTION
    if before.default != after.default:
        system = system_in_words(after.operating_system)
        verb = "becomes" if after.default else "is no longer"
        yield f"{name} {verb} the default of {system} for every node whose patch group names no other", Weight.CAUTION
    yield from _groups(name, old.groups, new.groups)
    yield from _rest(name, before, after)


def _limit(baseline: PatchBaseline) -> str:
    filters = baseline.global_filters
    return f"nothing but {selected_in_words(filters, baseline.operating_system)}" if filters else "without a limit"


def _rules(old: PatchBaseline, new: PatchBaseline) -> Iterator[Said]:
    """Pair the rules by what they select, and the rest by their order."""
    system = new.operating_system
    before, after = list(old.rules), list(new.rules)
    pairs: list[tuple[ApprovalRule | None, ApprovalRule | None]] = []
    for rule in list(after):
        twin = next((one for one in before if _selects_as(one, rule)), None)
        if twin is not None:
            pairs.append((twin, rule))
            before.remove(twin)
            after.remove(rule)
    while before and after:
        pairs.append((before.pop(0), after.pop(0)))
    pairs += [(one, None) for one in before] + [(None, one) for one in after]
    for first, second in pairs:
        if first is None and second is not None:
            yield f"has a new rule: {rule_in_words(second, system)}", Weight.CAUTION
        elif second is None and first is not None:
            yield f"loses a rule: {rule_in_words(first, old.operating_system)}", Weight.CAUTION
        elif first is not None and second is not None:
            yield from _rule(first, second, old.operating_system, system)


def _selects_as(one: ApprovalRule, other: ApprovalRule) -> bool:
    return {(f.key, frozenset(f.values)) for f in one.filters} == {(f.key, frozenset(f.values)) for f in other.filters}


def _rule(old: ApprovalRule, new: ApprovalRule, before: OperatingSystem, system: OperatingSystem) -> Iterator[Said]:
    if not _selects_as(old, new):
        yield f"has another rule: {rule_in_words(new, system)} (before: {rule_in_words(old, before)})", Weight.CAUTION
        return
    what = selected_in_words(new.filters, system)
    approvals = [approval_in_words(rule, of) for rule, of in ((new, system), (old, before))]
    if approvals[0] != approvals[1]:
        delays = [rule.approve_after_days or 0 for rule in (old, new)]
        dated = old.approve_until_date or new.approve_until_date or not (before.dates_patches and system.dates_patches)
        days = abs(delays[1] - delays[0])
        span = f"{days} day{'' if days == 1 else 's'} {'later' if delays[1] > delays[0] else 'earlier'}"
        if dated:
            yield f"approves otherwise: {what} {approvals[0]} instead of {approvals[1]}", Weight.CAUTION
        else:
            counted = f"{delays[1]} instead of {delays[0]} days after their release"
            yield f"approves {span}: {what} {counted}", Weight.CAUTION
    if old.compliance_level is not new.compliance_level:
        yield f"counts missing {what} as {new.compliance_level} instead of {old.compliance_level}", Weight.PLAIN
    if old.enable_non_security != new.enable_non_security:
        verb = "also approves" if new.enable_non_security else "no longer approves"
        yield f"{verb} what no security notice names: {what}", Weight.CAUTION


def _listed(name: str, old: PatchBaseline, new: PatchBaseline) -> Iterator[Said]:
    for verb, before, after in (("approves", old.approved, new.approved), ("rejects", old.rejected, new.rejected)):
        added, removed = (
            [one for one in these if one not in those] for these, those in ((after, before), (before, after))
        )
        if added:
            yield f"{name} {verb} {joined(added)} by name", Weight.CAUTION
        if removed:
            yield f"{name} no longer {verb} {joined(removed)} by name", Weight.CAUTION
    if old.rejected_action is not new.rejected_action:
        actions = [rejection_in_words(one.rejected_action) for one in (new, old)]
        yield f"{name} treats rejected patches otherwise: {actions[0]} (before: {actions[1]})", Weight.CAUTION
    if old.approved_level is not new.approved_level and old.approved and new.approved:
        levels = f"{new.approved_level} instead of {old.approved_level}"
        yield f"{name} counts missing patches that are approved by name as {levels}", Weight.PLAIN
    if old.approved_non_security != new.approved_non_security:
        verb = "also approves" if new.approved_non_security else "no longer approves"
        yield f"{name} {verb} by name what no security notice names", Weight.CAUTION


def _groups(name: str, old: Sequence[str], new: Sequence[str]) -> Iterator[Said]:
    added, removed = [one for one in new if one not in old], [one for one in old if one not in new]
    if added:
        yield f"{name} is now for the patch group{'s' if len(added) > 1 else ''} {joined(added)}", Weight.CAUTION
    if removed:
        groups = f"patch group{'s' if len(removed) > 1 else ''} {joined(removed)}"
        yield f"{name} is no longer for the {groups}: their nodes get the default of their system", Weight.CAUTION


def _rest(name: str, old: PatchBaseline, new: PatchBaseline) -> Iterator[Said]:
    sources = {one.name: one for one in old.sources}, {one.name: one for one in new.sources}
    for source in sources[1].keys() - sources[0].keys():
        yield f"{name} takes patches from the repository {source} as well", Weight.CAUTION
    for source in sources[0].keys() - sources[1].keys():
        yield f"{name} no longer takes patches from the repository {source}", Weight.CAUTION
    for source in sorted(sources[0].keys() & sources[1].keys()):
        if sources[0][source] != sources[1][source]:
            yield f"{name} reaches the repository {source} otherwise", Weight.CAUTION
    if old.available_security_updates is not new.available_security_updates and new.available_security_updates:
        text = updates_in_words(new.available_security_updates)
        yield f"{name}: {text[0].lower()}{text[1:]}", Weight.CAUTION
