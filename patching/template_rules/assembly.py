"""The CloudFormation templates that are deployed together, with their references resolved as far as is known.

Follows https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html; what
`Ref` and `Fn::GetAtt` return is said there on the page of each type of resource.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from patching.template_rules.text import FIRST_NAME, PSEUDO, UNKNOWN

_SUBSTITUTED = re.compile(r"\$\{(!?)([^}]*)\}")


@dataclass(frozen=True)
class Kind:
    """How a type of resource is named and referred to.

    Attributes:
        named_by: the property that names it; empty if AWS always does.
        arn: its ARN after the partition; `{name}` and `{path}` stand in it.
        attribute: the attribute that is the ARN.
        ref_is_arn: whether `Ref` is the ARN too, and not the name.
    """

    named_by: str
    arn: str
    attribute: str = "Arn"
    ref_is_arn: bool = False


_HERE = f"{PSEUDO['AWS::Region']}:{PSEUDO['AWS::AccountId']}"
_IAM = f"iam::{PSEUDO['AWS::AccountId']}"
KINDS = {
    "AWS::IAM::Role": Kind("RoleName", _IAM + ":role{path}{name}"),
    "AWS::IAM::InstanceProfile": Kind("InstanceProfileName", _IAM + ":instance-profile{path}{name}"),
    "AWS::IAM::ManagedPolicy": Kind("ManagedPolicyName", _IAM + ":policy{path}{name}", "PolicyArn", ref_is_arn=True),
    "AWS::KMS::Alias": Kind("AliasName", f"kms:{_HERE}:" + "{name}", ""),
    "AWS::KMS::Key": Kind("", f"kms:{_HERE}:key/" + "{name}"),
    "AWS::Logs::LogGroup": Kind("LogGroupName", f"logs:{_HERE}:log-group:" + "{name}:*"),
    "AWS::S3::Bucket": Kind("BucketName", "s3:::{name}"),
    "AWS::SNS::Topic": Kind("TopicName", f"sns:{_HERE}:" + "{name}", "TopicArn", ref_is_arn=True),
    "AWS::SSM::Document": Kind("Name", f"ssm:{_HERE}:document/" + "{name}", ""),
}
PARTITION = f"arn:{PSEUDO['AWS::Partition']}:"


class _Absent:
    """The place of a property that `AWS::NoValue` takes away."""


_ABSENT = _Absent()


@dataclass(eq=False)
class Resource:
    """A resource of a template.

    Attributes:
        assembly: where it is.
        template: name of its template.
        logical_id: its name there.
        type: such as AWS::SNS::Topic.
        raw: the resource as the template has it.
    """

    assembly: Assembly
    template: str
    logical_id: str
    type: str
    raw: Mapping[str, Any]

    @cached_property
    def properties(self) -> Mapping[str, Any]:
        """Its properties; what is not known is `UNKNOWN`, or has it in it."""
        resolved = self.assembly.resolve(self.raw.get("Properties") or {}, self.template)
        return resolved if isinstance(resolved, Mapping) else {}

    @property
    def is_conditional(self) -> bool:
        """Whether it is made only if a condition holds."""
        return "Condition" in self.raw

    @property
    def path(self) -> str:
        """Its construct path without `Resource` at the end; empty if the template does not tell."""
        path = (self.raw.get("Metadata") or {}).get("aws:cdk:path", "")
        return str(path).removesuffix("/Resource")

    @cached_property
    def name(self) -> str:
        """Its name or id."""
        kind = KINDS.get(self.type)
        own = self._property(kind.named_by) if kind else None
        return own if isinstance(own, str) and UNKNOWN not in own else self.assembly.mark(self, "name")

    @cached_property
    def arn(self) -> str:
        """Its ARN; unknown for types that are not in `KINDS`."""
        kind = KINDS.get(self.type)
        path = self._property("Path")
        return PARTITION + kind.arn.format(name=self.name, path=path or "/") if kind else UNKNOWN

    def _property(self, key: str) -> Any:  # noqa: ANN401 a property is anything
        """Resolve one property alone: a name must not depend on everything that the resource refers to."""
        return self.assembly.resolve((self.raw.get("Properties") or {}).get(key), self.template)

    def listed(self, key: str) -> list[Any]:
        """Return a property as a list: one with an unknown entry if it is not known."""
        return listed(self.properties.get(key))


@dataclass
class Assembly:
    """Templates that are deployed into one account and Region, by their names."""

    templates: Mapping[str, Mapping[str, Any]]
    _marks: dict[tuple[str, str, str], str] = field(default_factory=dict)

    @cached_property
    def resources(self) -> list[Resource]:
        """Every resource, in the order of the templates."""
        return [
            Resource(self, name, logical_id, str(raw.get("Type", "")), raw)
            for name, template in self.templates.items()
            for logical_id, raw in (template.get("Resources") or {}).items()
            if isinstance(raw, Mapping)
        ]

    def of(self, *types: str) -> list[Resource]:
        """Return the resources of some types."""
        return [one for kind in types for one in self._by_type.get(kind, ())]

    def find(self, text: object, *types: str) -> Resource | None:
        """Return the resource of one of these types that a name, an id or an ARN stands for; None if it is not here."""
        if not isinstance(text, str):
            return None
        return next((found for kind in types if (found := self._by_text.get((kind, text)))), None)

    def resolve(self, node: Any, template: str) -> Any:  # noqa: ANN401 a template holds anything
        """Return a part of a template with its intrinsic functions replaced by what they give."""
        if isinstance(node, list):
            return [one for entry in node if (one := self.resolve(entry, template)) is not _ABSENT]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            ((function, argument),) = node.items()
            if function == "Ref" or str(function).startswith("Fn::"):
                return self._called(str(function), argument, template)
        return {key: one for key, value in node.items() if (one := self.resolve(value, template)) is not _ABSENT}

    def mark(self, resource: Resource, attribute: str) -> str:
        """Return the character that stands for a name or attribute that is only known when the resource is made."""
        key = (resource.template, resource.logical_id, attribute)
        return self._marks.setdefault(key, chr(FIRST_NAME + len(self._marks)))

    def is_named(self, resource: Resource, *, but_by: str) -> bool:
        """Tell whether an output, or a resource of another type than `but_by`, names a resource in any way."""
        outputs = self.resolve(self.templates[resource.template].get("Outputs"), resource.template)
        others = [one.properties for one in self.resources if one.type != but_by]
        at = (resource.template, resource.logical_id)
        marks = {mark for (*owner, _), mark in self._marks.items() if tuple(owner) == at}
        return any(not marks.isdisjoint(text) for text in _strings([*others, outputs]))

    def shown(self, text: str) -> str:
        """Write a text for people, with `<...>` for what is not known."""
        names = {mark: f"<{logical_id}>" for (_, logical_id, _), mark in self._marks.items()}
        names |= {mark: f"<{name}>" for name, mark in PSEUDO.items()} | {UNKNOWN: "<?>"}
        return "".join(names.get(character, character) for character in text)

    @cached_property
    def _by_type(self) -> dict[str, list[Resource]]:
        found: dict[str, list[Resource]] = {}
        for one in self.resources:
            found.setdefault(one.type, []).append(one)
        return found

    @cached_property
    def _by_id(self) -> dict[tuple[str, str], Resource]:
        return {(one.template, one.logical_id): one for one in self.resources}

    @cached_property
    def _by_text(self) -> dict[tuple[str, str], Resource]:
        found: dict[tuple[str, str], Resource] = {}
        for one in self.resources:
            for text in (one.name, one.arn):
                if UNKNOWN not in text:
                    found.setdefault((one.type, text), one)
        return found

    @cached_property
    def _exports(self) -> dict[str, tuple[str, Any]]:
        """The values that templates export, with their templates; a name that two of them export is not known."""
        found: dict[str, list[tuple[str, Any]]] = {}
        for name, template in self.templates.items():
            for output in (template.get("Outputs") or {}).values():
                export = self.resolve((output.get("Export") or {}).get("Name"), name)
                if isinstance(export, str):
                    found.setdefault(export, []).append((name, output.get("Value")))
        return {export: values[0] for export, values in found.items() if len(values) == 1}

    def _called(self, function: str, argument: Any, template: str) -> Any:  # noqa: ANN401 see resolve
        match function, argument:
            case "Ref", str(name):
                return self._ref(name, template)
            case "Fn::GetAtt", [str(name), str(attribute)]:
                return self._attribute(name, attribute, template)
            case "Fn::GetAtt", str(both) if "." in both:
                name, _, attribute = both.partition(".")
                return self._attribute(name, attribute, template)
            case "Fn::Join", [str(separator), list(parts)]:
                return _joined(separator, self.resolve(parts, template))
            case "Fn::Sub", str(text):
                return self._substituted(text, {}, template)
            case "Fn::Sub", [str(text), dict(values)]:
                return self._substituted(text, self.resolve(values, template), template)
            case "Fn::ImportValue", name:
                exporter, value = self._exports.get(self.resolve(name, template), ("", UNKNOWN))
                return self.resolve(value, exporter)
            case "Fn::Split", [str(separator), source]:
                text = self.resolve(source, template)
                return text.split(separator) if isinstance(text, str) and UNKNOWN not in text else UNKNOWN
            case "Fn::Select", [int() | str() as index, source]:
                return _selected(index, self.resolve(source, template))
            case _:
                return UNKNOWN

    def _ref(self, name: str, template: str) -> Any:  # noqa: ANN401 text, or the place of nothing
        if name == "AWS::NoValue":
            return _ABSENT
        if name == "AWS::StackId":
            return f"{PARTITION}cloudformation:{_HERE}:stack/{PSEUDO['AWS::StackName']}/{PSEUDO[name]}"
        if name in PSEUDO:
            return PSEUDO[name]
        resource = self._by_id.get((template, name))
        if resource is None:
            return UNKNOWN
        return resource.arn if resource.type in KINDS and KINDS[resource.type].ref_is_arn else resource.name

    def _attribute(self, name: str, attribute: str, template: str) -> str:
        resource = self._by_id.get((template, name))
        if resource is None:
            return UNKNOWN
        kind = KINDS.get(resource.type)
        if kind and attribute == kind.attribute:
            return resource.arn
        return self.mark(resource, attribute)

    def _substituted(self, text: str, values: Mapping[str, Any], template: str) -> str:
        def value(match: re.Match[str]) -> str:
            literal, name = match.groups()
            if literal:
                return f"${{{name}}}"
            if name in values:
                found = values[name]
            else:
                logical_id, dot, attribute = name.partition(".")
                found = self._attribute(logical_id, attribute, template) if dot else self._ref(name, template)
            return found if isinstance(found, str) else UNKNOWN

        return _SUBSTITUTED.sub(value, text)


def listed(value: Any) -> list[Any]:  # noqa: ANN401 a template has one or several of anything
    """Return one or several values as a list; none for a property that is not there."""
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]


def texts(values: Iterable[Any]) -> Iterator[str]:
    """Yield values as text; what is not text is unknown."""
    for value in values:
        yield value if isinstance(value, str) else UNKNOWN


def _strings(node: Any) -> Iterator[str]:  # noqa: ANN401 a template holds anything
    """Yield every text in a resolved part of a template."""
    if isinstance(node, str):
        yield node
    elif isinstance(node, Mapping | list):
        for value in node.values() if isinstance(node, Mapping) else node:
            yield from _strings(value)


def _joined(separator: str, parts: list[Any]) -> str:
    return separator.join(str(part) if isinstance(part, str | int | float) else UNKNOWN for part in parts)


def _selected(index: int | str, values: Any) -> Any:  # noqa: ANN401 an entry of a list is anything
    if isinstance(values, list) and str(index).isdigit() and int(index) < len(values):
        return values[int(index)]
    return UNKNOWN
