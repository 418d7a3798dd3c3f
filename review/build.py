"""Making the review of one cloud assembly, compared with another or with nothing."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from review import replacement
from review.calendar import calendar
from review.changes import changes
from review.cloud_assembly import CloudAssembly
from review.costs import costs
from review.facts import Facts
from review.grants import atoms, grants
from review.meanings import meanings
from review.model import Area, Change, Effect, Grant, ResourceChange, Review, Safety, Verdict, Weight
from review.picture import picture
from review.rehearsal.model import Rehearsals
from review.resource_changes import resource_changes
from review.safety import safety

_BROKEN = ("error", "fatal")
"""Severities of findings that stop a deployment."""


def review(
    after: CloudAssembly,
    before: CloudAssembly | None = None,
    *,
    day: date,
    subject: str = "",
    against: str = "",
    nodes: int | None = None,
    notes: Iterable[str] = (),
    rehearsal: Rehearsals | None = None,
) -> Review:
    """Review an assembly.

    Args:
        after: what will be deployed.
        before: what is compared with; nothing by default.
        day: the first day of the calendar, on which exceptions are judged as well.
        subject: what is reviewed, for people.
        against: what it is compared with, for people.
        nodes: nodes that each window selects, where the templates do not tell.
        notes: what else there is to know of how the assemblies came about.
        rehearsal: what would happen in the weeks to come; nothing by default.
    """
    new, old = Facts(after), Facts(before) if before is not None else None
    resources = resource_changes(before, after) if before is not None else []
    granted = grants(atoms(old) if old else None, atoms(new))
    said = changes(old, new, resources, granted) if old else None
    notes = list(notes)
    if before is not None and not replacement.is_available():
        notes.append("What is replaced is not known: the CDK's command is not installed (make setup)")
    safe = safety(before, after, day)
    return Review(
        environment=after.environment,
        subject=subject,
        against=against,
        day=day,
        notes=tuple(notes),
        verdict=_verdict(said, resources, granted, safe),
        changes=None if said is None else tuple(said),
        resources=tuple(resources),
        calendar=calendar(new, day, nodes=nodes),
        meanings=meanings(new),
        grants=granted,
        safety=safe,
        costs=costs(old, new),
        picture=picture(new, resources),
        rehearsal=rehearsal,
    )


def _verdict(
    said: list[Change] | None, resources: list[ResourceChange], granted: Iterable[Grant], safe: Safety
) -> Verdict:
    effects = [one.effect for one in resources]
    replaced = effects.count(Effect.REPLACED) + effects.count(Effect.MAY_BE_REPLACED)
    losses = sum(bool(one.data_loss) for one in resources)
    weights = [one.weight for one in said or ()]
    broken = any(one.severity in _BROKEN for one in safe.findings)
    weight = Weight.DANGER if broken else next((one for one in Weight if one in weights), Weight.PLAIN)
    return Verdict(
        weight=weight,
        headline=_headline(said, losses, replaced, weight, broken=broken),
        changes=len(said or ()),
        added=effects.count(Effect.ADDED),
        changed=effects.count(Effect.CHANGED),
        replaced=replaced,
        removed=effects.count(Effect.REMOVED),
        data_losses=losses,
        permission_changes=sum(bool(one.change) for one in granted),
        schedule_changes=sum(one.area is Area.SCHEDULE for one in said or ()),
        violations=len(safe.findings),
    )


def _headline(said: list[Change] | None, losses: int, replaced: int, weight: Weight, *, broken: bool) -> str:
    if broken:
        return "Rules are broken: this must not be deployed as it is"
    if said is None:
        return "Nothing to compare with: this is what is deployed"
    if losses:
        return "Data is lost: read the red lines before anything else"
    if replaced:
        return "Something is replaced: read the red lines before anything else"
    if weight is Weight.DANGER:
        return "Something dangerous changes: read the red lines before anything else"
    if not said:
        return "Nothing changes"
    if weight is Weight.CAUTION:
        return "What runs, when, on what, or who may do what changes; nothing is replaced and nothing is lost"
    return "Small changes; nothing is replaced and nothing is lost"
