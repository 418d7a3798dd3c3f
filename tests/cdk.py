"""The one place where tests make CDK apps and read what comes out of them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aws_cdk import App, Stack
from aws_cdk.assertions import Template

from patching.policy import Policy
from stacks.environment import Environment

ROOT = Path(__file__).parents[1]
EVERYTHING = ROOT / "tests" / "policies" / "everything.yaml"
"""The policy that has every key."""
_STACK = re.compile("Patching|Fleet|Stack|Windows[0-9]+")
CONTEXT: dict[str, Any] = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"] | {
    "aws:cdk:enable-path-metadata": True
}  # which the CDK CLI sets as well


def app() -> App:
    """Make an app with cdk.json's context, which pytest does not read, and without the slow template validation."""
    return App(context=CONTEXT, builtin_cloud_formation_validation=False)


@dataclass(frozen=True)
class Resource:
    """A resource of a template, with its references written as `<Path.Attribute>`."""

    type: str
    properties: dict[str, Any]
    whole: dict[str, Any]


class Resources(dict[str, Resource]):
    """The resources of a stack by their construct path, without the stack's own and without `Resource`."""

    def __init__(self, template: Mapping[str, Any]) -> None:
        self.template = template
        paths = {name: _path(resource) for name, resource in template["Resources"].items()}
        assert len(set(paths.values())) == len(paths), "two resources have one path"
        for name, resource in template["Resources"].items():
            plain = _rendered(resource, paths)
            self[paths[name]] = Resource(plain["Type"], plain.get("Properties", {}), plain)

    def of(self, kind: str) -> dict[str, dict[str, Any]]:
        """Return the properties of every resource of a type, by path."""
        return {path: resource.properties for path, resource in self.items() if resource.type == kind}

    def statements(self, path: str) -> list[dict[str, Any]]:
        """Return the statements of the policy at this path."""
        statements: list[dict[str, Any]] = self[path].properties["PolicyDocument"]["Statement"]
        return statements


@dataclass(frozen=True)
class Stacks:
    """What a policy becomes."""

    patching: Resources
    fleet: Resources | None
    windows: tuple[Resources, ...] = ()

    @property
    def all(self) -> Iterator[Resources]:
        """Yield the stacks in the order in which they are deployed."""
        yield self.patching
        yield from self.windows
        if self.fleet is not None:
            yield self.fleet


def template(stack: Stack) -> Resources:
    return Resources(Template.from_stack(stack).to_json())


def synthesize(policy: Policy) -> Stacks:
    environment = Environment(app(), policy.environment, policy=policy)
    stacks = {child.node.id: child for child in environment.node.children if isinstance(child, Stack)}
    assert len(stacks) == len(environment.node.children)
    fleet = stacks.pop("Fleet", None)
    patching = template(stacks.pop("Patching"))
    return Stacks(patching, template(fleet) if fleet else None, tuple(template(stack) for stack in stacks.values()))


def build(make: Callable[[Stack], object]) -> Resources:
    """Synthesize a stack of its own with what is made in it."""
    stack = Stack(app(), "Stack")
    make(stack)
    return template(stack)


def normalised(resources: Resources) -> dict[str, Any]:
    """Return a template without what changes by itself: hashes of assets and the version of the bootstrap."""
    text = re.sub(r"\b[0-9a-f]{64}\b", "HASH", json.dumps(resources.template))
    plain: dict[str, Any] = json.loads(text)
    plain.get("Parameters", {}).pop("BootstrapVersion", None)
    plain.get("Rules", {}).pop("CheckBootstrapVersion", None)
    return {key: value for key, value in plain.items() if value}


def _path(resource: Mapping[str, Any]) -> str:
    parts = str(resource["Metadata"]["aws:cdk:path"]).split("/")
    stack = next(index for index, part in enumerate(parts) if _STACK.fullmatch(part))
    return "/".join(part for part in parts[stack + 1 :] if part != "Resource")


def _rendered(node: Any, paths: Mapping[str, str]) -> Any:
    match node:
        case {"Ref": str(name)}:
            return f"<{paths.get(name, name)}>"
        case {"Fn::GetAtt": [name, attribute]}:
            return f"<{paths.get(name, name)}.{attribute}>"
        case {"Fn::ImportValue": str(name)}:
            return f"<{name}>"
        case {"Fn::Join": [str(separator), list(parts)]}:
            return separator.join(str(_rendered(part, paths)) for part in parts)
        case {"Fn::Select": [int(), {"Fn::Split": [str(), text]}]}:
            return _rendered(text, paths)  # a part of it; which one is left out
        case dict():
            return {key: _rendered(value, paths) for key, value in node.items()}
        case list():
            return [_rendered(value, paths) for value in node]
        case _:
            return node
