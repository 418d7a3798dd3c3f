"""What changes between two assemblies, in words: what runs, where and when, who may do what, and all the rest."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from patching.schedule_words import joined
from patching.template_rules.assembly import Resource
from review.aspects import Aspect, difference, members, of_association, of_window
from review.baseline_changes import baseline_changes
from review.exceptions import exception_changes
from review.facts import Facts, identity, tags_of
from review.grants import in_words
from review.model import Area, Change, Effect, Grant, ResourceChange, Weight
from review.patching_facts import NodeAssociation, Window
from review.resource_words import area, noun, of_resource, title
from review.services import service_changes

_ORDER = list(Area)
_WEIGHTS = list(Weight)
_TAGS = "Tags"
_POLICIES = {
    *("AWS::IAM::ManagedPolicy", "AWS::IAM::Policy", "AWS::IAM::RolePolicy", "AWS::Lambda::Permission"),
    *("AWS::S3::BucketPolicy", "AWS::SNS::TopicPolicy", "AWS::SQS::QueuePolicy"),
}
_POLICY_PROPERTIES = {
    "AWS::IAM::Role": ("AssumeRolePolicyDocument", "Policies", "ManagedPolicyArns"),
    "AWS::KMS::Key": ("KeyPolicy",),
}
_NOT_OF_BASELINES = ("Description", "Tags", "DependsOn", "DeletionPolicy", "UpdateReplacePolicy", "Condition")
"""What the words of a baseline never say."""
_LOOKED_AT = ("AWS::SNS::Subscription", "AWS::SSM::Document", "AWS::EC2::Instance", "AWS::IAM::Role")
"""Somebody who is told, what runs on nodes, nodes, and who may do something: new ones are looked at."""
_LONGEST = 120
T = TypeVar("T", Window, NodeAssociation)


def changes(before: Facts, after: Facts, resources: Iterable[ResourceChange], grants: Iterable[Grant]) -> list[Change]:
    """Return every change, the weightiest first, each at least once.

    Args:
        before: what was there.
        after: what will be there.
        resources: the resources that change; what no sentence is about is told property by property.
        grants: the permissions of both, marked.
    """
    told = _Told(before, after, {one.id: one for one in resources})
    told.windows()
    told.associations()
    told.baselines()
    told.exceptions()
    told.permissions(grants)
    told.rest()
    return sorted(told.said, key=lambda one: (_WEIGHTS.index(one.weight), _ORDER.index(one.area)))


class _Told:
    """What has been said, and of which resources and properties."""

    def __init__(self, before: Facts, after: Facts, resources: dict[str, ResourceChange]) -> None:
        self._before, self._after, self._resources = before, after, resources
        self.said: list[Change] = []
        self._whole: set[str] = set()
        self._properties: set[tuple[str, str]] = set()

    def _say(self, area: Area, weight: Weight, text: str, resources: Iterable[str] = ()) -> None:
        change = Change(area=area, weight=weight, text=text, resources=tuple(resources))
        if change not in self.said:
            self.said.append(change)

    def windows(self) -> None:
        """Tell of maintenance windows."""

        def sentence(one: Window) -> str:
            aspects = {aspect.key: aspect for aspect in of_window(one)}
            who = aspects["targets"].said()[4:] if "targets" in aspects else "nothing"
            return f"{aspects['operation'].value if one.tasks else 'does nothing'} on {who}"

        old, new = ({identity(one.resource): one for one in facts.windows} for facts in (self._before, self._after))
        self._compare(old, new, "window", of_window, members, sentence, Area.WINDOW)

    def associations(self) -> None:
        """Tell of associations."""

        def sentence(one: NodeAssociation) -> str:
            aspects = {aspect.key: aspect for aspect in of_association(one)}
            return f"{aspects['operation'].value} on {one.sent.targets}"

        old, new = (
            {identity(one.resource): one for one in facts.associations} for facts in (self._before, self._after)
        )
        self._compare(old, new, "association", of_association, lambda one: (one.resource,), sentence, Area.ASSOCIATION)

    def _compare(
        self,
        old: dict[str, T],
        new: dict[str, T],
        kind: str,
        say: Callable[[T], Iterator[Aspect]],
        parts: Callable[[T], tuple[Resource, ...]],
        sentence: Callable[[T], str],
        about: Area,
    ) -> None:
        for key in dict.fromkeys((*new, *old)):
            before, after = old.get(key), new.get(key)
            if before is not None and after is not None:
                self._differences(f"{kind} {after.name}", say(before), say(after), key)
                continue
            one = after or before
            if one is None:
                continue
            when = next((aspect.said() for aspect in say(one) if aspect.key == "schedule"), "")
            ids = [identity(part) for part in parts(one)]
            self._whole.update(ids)
            when = f"{when[0].lower()}{when[1:]}"
            text = f"is new: it {when} and {sentence(one)}" if after else f"is gone: it {when}"
            self._say(about, Weight.CAUTION, f"{kind} {one.name} {text}", ids)

    def _differences(self, subject: str, old: Iterable[Aspect], new: Iterable[Aspect], key: str) -> None:
        before, after = ({one.key: one for one in aspects} for aspects in (old, new))
        for name in dict.fromkeys((*after, *before)):
            first, second = before.get(name), after.get(name)
            text = difference(subject, first, second)
            one = second or first
            if text and one is not None:
                # The parts of a window that say so may be new or gone: they are told by this.
                said = {pair for aspect in (first, second) if aspect for pair in aspect.properties}
                self._properties |= said
                self._whole |= {own for own, _ in said if self._is_part(own, key)}
                ids = dict.fromkeys((key, *(own for own, _ in sorted(said) if own in self._resources)))
                self._say(one.area, one.weight, text, [own for own in ids if own in self._resources])

    def _is_part(self, own: str, of: str) -> bool:
        change = self._resources.get(own)
        return own != of and change is not None and change.effect in (Effect.ADDED, Effect.REMOVED)

    def baselines(self) -> None:
        """Tell of patch baselines."""
        old, new = ({identity(one.resource): one for one in facts.baselines} for facts in (self._before, self._after))
        for key in dict.fromkeys((*new, *old)):
            before, after = old.get(key), new.get(key)
            if before is not None and after is not None:
                if before.content is None or after.content is None:
                    continue
                for text, weight in baseline_changes(before, after):
                    self._say(Area.BASELINE, weight, text, [key])
                self._said_of_baseline(key)
                continue
            one = after or before
            if one is not None:
                groups = f" for the patch groups {joined(list(one.groups))}" if one.groups else ""
                text = (
                    f"is new{groups}" if after else f"is gone: nodes of{groups.removeprefix(' for')} get their default"
                )
                self._whole.add(key)
                self._say(Area.BASELINE, Weight.CAUTION, f"baseline {one.name} {text}", [key])

    def _said_of_baseline(self, key: str) -> None:
        """Note what the words of a baseline say, whatever of it changes."""
        change = self._resources.get(key)
        names = change.properties if change else ()
        self._properties |= {(key, name) for name in names if name not in _NOT_OF_BASELINES}

    def exceptions(self) -> None:
        """Tell of exceptions to baselines, and of services: what no template shows."""
        for text, weight in exception_changes(self._before.whole, self._after.whole):
            self._say(Area.EXCEPTION, weight, text)
        for text, weight in service_changes(self._before.whole, self._after.whole):
            self._say(Area.WINDOW, weight, text)

    def permissions(self, grants: Iterable[Grant]) -> None:
        """Tell of permissions that are new or gone."""
        for one in grants:
            if not one.change:
                continue
            more = one.may == (one.change == "added")
            everybody = more and (one.who.startswith("everybody") or one.actions == ("*",))
            weight = Weight.DANGER if everybody else Weight.CAUTION if more else Weight.PLAIN
            self._say(Area.PERMISSION, weight, in_words(one), [one.resource_id])
        for change in self._resources.values():
            if change.type in _POLICIES and change.effect is not Effect.REPLACED:
                self._whole.add(change.id)
            self._properties |= {(change.id, name) for name in _POLICY_PROPERTIES.get(change.type, ())}

    def rest(self) -> None:
        """Tell of all else, and of what is replaced or lost."""
        old, new = ({identity(one): one for one in facts.assembly.resources} for facts in (self._before, self._after))
        tags: dict[str, list[str]] = {}
        for change in self._resources.values():
            facts, one = (self._after, new[change.id]) if change.id in new else (self._before, old[change.id])
            name = title(facts, one)
            self._replaced_or_lost(change, name)
            if change.id in self._whole:
                continue
            if change.effect in (Effect.ADDED, Effect.REMOVED):
                text = "is new" if change.effect is Effect.ADDED else "is gone"
                said = joined([aspect.said() for aspect in of_resource(facts, one) if not aspect.silent])
                more = f": {said[0].lower()}{said[1:]}" if said and one.type != "AWS::SNS::Subscription" else ""
                open_network = any(
                    aspect.weight is Weight.DANGER and aspect.area is Area.NETWORK for aspect in of_resource(facts, one)
                )
                added = change.effect is Effect.ADDED
                looks = Weight.CAUTION if change.type in _LOOKED_AT and added else Weight.PLAIN
                weight = Weight.DANGER if open_network and added else looks
                self._say(area(change.type), weight, f"{name} {text}{more}", [change.id])
                continue
            self._differences(name, of_resource(self._before, old[change.id]), of_resource(facts, one), change.id)
            for key in change.properties:
                if (change.id, key) in self._properties:
                    continue
                if key == _TAGS:
                    for text in _tag_changes(old[change.id], one):
                        tags.setdefault(text, []).append(change.id)
                elif key != "DependsOn":
                    self._say(
                        area(change.type), _weight(key), _property(name, key, old[change.id], one, facts), [change.id]
                    )
        for text, ids in tags.items():
            count = f"{len(ids)} resources" if len(ids) > 1 else "one resource"
            self._say(Area.OTHER, Weight.PLAIN, f"{text} on {count}", ids)

    def _replaced_or_lost(self, change: ResourceChange, name: str) -> None:
        if change.effect in (Effect.REPLACED, Effect.MAY_BE_REPLACED):
            why = joined(list(change.because))
            surely = change.effect is Effect.REPLACED
            verb = "is replaced" if surely else "may be replaced"
            note = f"; {change.note}" if change.note else ""
            text = (
                f"{name} {verb}: {why} cannot be changed in place{note}"
                if surely
                else f"{name} {verb}, for {why}{note}"
            )
            self._say(area(change.type), Weight.DANGER if surely else Weight.CAUTION, text, [change.id])
        if change.data_loss:
            self._say(area(change.type), Weight.DANGER, f"{name}: data is lost: {change.data_loss}", [change.id])


def _tag_changes(old: Resource, new: Resource) -> Iterator[str]:
    before, after = (tags_of(one) for one in (old, new))
    for key in dict.fromkeys((*after, *before)):
        match before.get(key), after.get(key):
            case None, str(value):
                yield f"the tag {key}={value} is new"
            case str(value), None:
                yield f"the tag {key}={value} is gone"
            case str(first), str(second) if first != second:
                yield f"the tag {key} is {second} instead of {first}"


def _weight(key: str) -> Weight:
    return Weight.CAUTION if key in ("DeletionPolicy", "UpdateReplacePolicy") else Weight.PLAIN


def _property(name: str, key: str, old: Resource, new: Resource, facts: Facts) -> str:
    values = []
    for one in (old, new):
        raw = one.raw.get(key) if key in one.raw else one.properties.get(key)
        values.append(_value(raw, facts))
    if values[0] == values[1]:
        return f"{name}: {key} changes: read its raw difference"
    if not values[0]:
        return f"{name}: {key} is now {values[1]}"
    if not values[1]:
        return f"{name}: {key} is no longer set (before: {values[0]})"
    return f"{name}: {key} is {values[1]} instead of {values[0]}"


def _value(raw: Any, facts: Facts) -> str:  # noqa: ANN401 a property is anything
    if raw is None:
        return ""
    text = facts.shown(raw if isinstance(raw, str) else json.dumps(raw, sort_keys=True, ensure_ascii=False))
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def summary(change: ResourceChange) -> str:
    """Say what becomes of a resource, for lists."""
    return f"{noun(change.type)} {change.path} {change.effect}"
