"""Which resources are added, changed, replaced and removed between two assemblies.

Follows https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-update-behaviors.html:
what cannot be changed in place is replaced, and what refers to it by such a property is replaced with it.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from patching.template_rules.assembly import KINDS
from review.cloud_assembly import CloudAssembly
from review.facts import identity
from review.model import Effect, ResourceChange
from review.replacement import Kind, kind

_KEPT = ("Retain", "RetainExceptOnCreate")
_ATTRIBUTES = (
    "Type",
    "DeletionPolicy",
    "UpdateReplacePolicy",
    "Condition",
    "DependsOn",
    "CreationPolicy",
    "UpdatePolicy",
)
_MISSING = object()
Raw = Mapping[str, Any]


@dataclass(frozen=True)
class _Pair:
    """A resource before and after; None where it is not there."""

    stack: str
    logical_id: str
    before: Raw | None
    after: Raw | None

    @property
    def id(self) -> str:
        return f"{self.stack}/{self.logical_id}"

    @property
    def raw(self) -> Raw:
        found = self.after if self.after is not None else self.before
        return found if found is not None else {}

    @property
    def type(self) -> str:
        return str(self.raw.get("Type", ""))

    @property
    def changed(self) -> tuple[str, ...]:
        """The properties, and the attributes of the resource, that differ."""
        if self.before is None or self.after is None:
            return ()
        old, new = self.before.get("Properties") or {}, self.after.get("Properties") or {}
        names = dict.fromkeys((*old, *new))
        differing = [name for name in names if old.get(name, _MISSING) != new.get(name, _MISSING)]
        return (*differing, *(name for name in _ATTRIBUTES if self.before.get(name) != self.after.get(name)))


def resource_changes(before: CloudAssembly, after: CloudAssembly) -> list[ResourceChange]:
    """Return what becomes of every resource that does not stay as it is, in the order of the templates."""
    pairs = {one.id: one for one in _pairs(before, after)}
    replaced = _replaced(pairs)
    labels = {identity(one): one.path for whole in (before, after) for one in whole.assembly.resources}
    gone = set(before.templates) - set(after.templates)
    return [
        _change(one, replaced.get(one.id, ((), ())), labels, gone)
        for one in pairs.values()
        if one.before is None or one.after is None or one.changed or one.id in replaced
    ]


def _pairs(before: CloudAssembly, after: CloudAssembly) -> Iterator[_Pair]:
    for stack in dict.fromkeys((*after.templates, *before.templates)):
        old = before.templates.get(stack, {}).get("Resources") or {}
        new = after.templates.get(stack, {}).get("Resources") or {}
        for logical_id in dict.fromkeys((*new, *old)):
            yield _Pair(stack, logical_id, old.get(logical_id), new.get(logical_id))


def _replaced(pairs: Mapping[str, _Pair]) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    """Return the properties for which resources are replaced, and those for which they may be, by resource."""
    found: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {}
    todo = [one for one in pairs.values() if one.before is not None and one.after is not None]
    for one in todo:
        if one.before is not None and one.before.get("Type") != one.type:
            found[one.id] = (("Type",), ())
            continue
        names = _names_of(kind(one.type), one.changed)
        if any(names):
            found[one.id] = names
    spreading = True
    while spreading:
        spreading = False
        for one in todo:
            surely = found.get(one.id, ((), ()))[0]
            for name in kind(one.type).replacing.difference(surely):
                value = (one.raw.get("Properties") or {}).get(name)
                if any(found.get(f"{one.stack}/{other}", ((), ()))[0] for other in _references(value)):
                    surely, maybe = found.get(one.id, ((), ()))
                    found[one.id] = ((*surely, name), maybe)
                    spreading = True
    return found


def _names_of(of: Kind, changed: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return (
        tuple(name for name in changed if name in of.replacing),
        tuple(name for name in changed if name in of.maybe_replacing),
    )


def _references(value: Any) -> Iterator[str]:  # noqa: ANN401 a template holds anything
    """Yield the logical ids that a part of a template refers to by `Ref` and `Fn::GetAtt`."""
    if isinstance(value, Mapping):
        if isinstance(value.get("Ref"), str):
            yield value["Ref"]
        attribute = value.get("Fn::GetAtt")
        if isinstance(attribute, list | str) and attribute:
            yield attribute[0] if isinstance(attribute, list) else attribute.partition(".")[0]
        for one in value.values():
            yield from _references(one)
    elif isinstance(value, list):
        for one in value:
            yield from _references(one)


def _change(
    one: _Pair, because: tuple[tuple[str, ...], tuple[str, ...]], labels: Mapping[str, str], gone: set[str]
) -> ResourceChange:
    surely, maybe = because
    match one.before, one.after:
        case None, _:
            effect = Effect.ADDED
        case _, None:
            effect = Effect.REMOVED
        case _ if surely:
            effect = Effect.REPLACED
        case _ if maybe:
            effect = Effect.MAY_BE_REPLACED
        case _:
            effect = Effect.CHANGED
    return ResourceChange(
        id=one.id,
        path=labels.get(one.id) or one.id,
        type=one.type,
        effect=effect,
        properties=tuple(dict.fromkeys((*one.changed, *surely))),
        because=surely or maybe,
        data_loss=_data_loss(one, effect),
        note=_note(one, effect, gone),
        diff=_diff(one),
    )


def _data_loss(one: _Pair, effect: Effect) -> str:
    """Say what is lost for good.

    See https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html.
    """
    if one.before is None or not kind(str(one.before.get("Type", ""))).stateful:
        return ""
    if effect is Effect.REMOVED and one.before.get("DeletionPolicy") not in _KEPT:
        return _LOST.get(one.type, "what is in it is deleted with it")
    if effect in (Effect.REPLACED, Effect.MAY_BE_REPLACED):
        # The template of the change decides, as that is what CloudFormation has when it cleans up.
        policy = (one.after or {}).get("UpdateReplacePolicy")
        if policy not in _KEPT:
            lost = _LOST.get(one.type, "what is in it is deleted with it")
            return lost if effect is Effect.REPLACED else f"if it is replaced, {lost}"
    return ""


_LOST = {
    "AWS::KMS::Key": "what is encrypted with the key can be read by nobody any more, once the key is deleted",
    "AWS::S3::Bucket": "the bucket's objects are lost; as long as there are any, CloudFormation fails to delete it",
    "AWS::Logs::LogGroup": "the logs in it are deleted with it",
    "AWS::EC2::Instance": "the instance's volumes are deleted with it",
}


def _note(one: _Pair, effect: Effect, gone: set[str]) -> str:
    if effect is Effect.REMOVED:
        if one.stack in gone:
            return f"the whole stack {one.stack} is gone from the app; it stays deployed until somebody destroys it"
        if (one.before or {}).get("DeletionPolicy") in _KEPT:
            return "it stays in the account, and no stack knows it any more"
    if effect is Effect.REPLACED and one.before is not None and one.after is not None:
        key = KINDS[one.type].named_by if one.type in KINDS else ""
        old, new = (one.before.get("Properties") or {}), (one.after.get("Properties") or {})
        if key and key in new and old.get(key) == new.get(key):
            return f"{key} stays the same: CloudFormation makes the new one first, and fails as the name is taken"
    return ""


def _diff(one: _Pair) -> str:
    old, new = (_lines(side) for side in (one.before, one.after))
    return "\n".join(list(difflib.unified_diff(old, new, "before", "after", lineterm="", n=2))[2:])


def _lines(raw: Raw | None) -> list[str]:
    if raw is None:
        return []
    shown = {key: value for key, value in raw.items() if key != "Metadata"}
    return json.dumps(shown, indent=1, sort_keys=True, ensure_ascii=False).splitlines()
