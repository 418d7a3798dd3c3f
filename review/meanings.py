"""What every window, association and baseline means, and who is told of what, in plain words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from patching.baseline_words import baseline_in_words
from review.aspects import Aspect, of_association, of_window
from review.facts import Facts
from review.model import Meaning
from review.resource_words import noun, of_resource, title

_TELLING = ("AWS::SNS::Subscription", "AWS::Events::Rule", "AWS::CloudWatch::Alarm")


def meanings(facts: Facts) -> tuple[Meaning, ...]:
    """Return all of them, in the order of the templates."""
    return (
        *(Meaning(kind="window", name=one.name, sentences=_said(of_window(one))) for one in facts.windows),
        *(
            Meaning(kind="association", name=one.name, sentences=_said(of_association(one)))
            for one in facts.associations
        ),
        *(
            Meaning(
                kind="baseline",
                name=one.name,
                sentences=tuple(baseline_in_words(one.content, one.groups)) if one.content else (_UNREADABLE,),
            )
            for one in facts.baselines
        ),
        *_told(facts),
    )


_UNREADABLE = "What it approves is not known before the deployment, or not what Patch Manager takes"


def _said(aspects: Iterable[Aspect]) -> tuple[str, ...]:
    return tuple(one.said() for one in aspects if not one.silent)


def _told(facts: Facts) -> Iterator[Meaning]:
    subscribers: list[str] = []
    for one in facts.assembly.of("AWS::SNS::Subscription"):
        subscribers += _said(of_resource(facts, one))
    if subscribers:
        yield Meaning(kind="notification", name="who is told", sentences=tuple(subscribers))
    for one in facts.assembly.of("AWS::Events::Rule"):
        yield Meaning(kind=noun(one.type), name=facts.label(one), sentences=_said(of_resource(facts, one)))
    for one in facts.assembly.of("AWS::CloudWatch::Alarm"):
        text = facts.shown(one.properties.get("AlarmDescription") or title(facts, one))
        yield Meaning(kind="alarm", name=facts.label(one), sentences=(text,))
