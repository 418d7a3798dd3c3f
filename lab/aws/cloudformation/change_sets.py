"""What a change set tells of a change before it is made, and whether there is any.

Follows
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-changesets-view.html and
https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ResourceChange.html. moto tells the names alone,
and compares templates where CloudFormation compares what they come to.
"""

# ruff: noqa: SLF001 moto's own classes

from __future__ import annotations

import json
import traceback
from collections.abc import Callable, Iterator, Mapping
from copy import copy
from typing import Any

import moto.cloudformation.parsing as cloudformation
from moto.cloudformation.exceptions import ValidationError
from moto.cloudformation.models import ChangeSet, CloudFormationBackend, Stack
from moto.cloudformation.parsing import ResourceMap
from moto.cloudformation.responses import CloudFormationResponse
from moto.core.exceptions import ServiceException

from lab.aws.cloudformation.stack_changes import (
    KEPT,
    Properties,
    in_order,
    properties_of,
    reason_of,
    references,
    wanted,
)

UNKNOWN = "{{changeSet:KNOWN_AFTER_APPLY}}"
"""What CloudFormation writes for a value that there is only once the change has been made."""

_ATTRIBUTES = ("Metadata", "CreationPolicy", "UpdatePolicy", "DeletionPolicy", "UpdateReplacePolicy")
_VALUES = ("Path", "BeforeValue", "AfterValue", "AttributeChangeType")
_CONTEXTS = ("BeforeContext", "AfterContext")


def install() -> None:
    """Have moto's change sets tell this, for as long as the process lives."""
    ChangeSet.diff = _diff
    CloudFormationBackend.create_change_set = _judging(CloudFormationBackend.create_change_set)
    CloudFormationBackend.update_stack = _refusing_nothing(CloudFormationBackend.update_stack)
    CloudFormationResponse._validate_different_update = _leaving_change_sets(
        CloudFormationResponse._validate_different_update
    )


def described(change_set: ChangeSet, *, values: bool) -> ChangeSet:
    """Return a change set as it is shown: with the values of properties, or without them."""
    if values:
        return change_set
    shown = copy(change_set)
    shown.changes = [_without_values(one) for one in change_set.changes]
    return shown


def _without_values(change: dict[str, Any]) -> dict[str, Any]:
    details = [
        {**one, "Target": {key: value for key, value in one["Target"].items() if key not in _VALUES}}
        for one in change["Details"]
    ]
    return {**{key: value for key, value in change.items() if key not in _CONTEXTS}, "Details": details}


def _judging(original: Callable[..., tuple[str, str]]) -> Callable[..., tuple[str, str]]:
    """Let a change set fail that changes nothing, as CloudFormation does, and no other one."""

    def create(backend: CloudFormationBackend, *args: Any, **kwargs: Any) -> tuple[str, str]:  # noqa: ANN401 moto's own signature
        if kwargs["change_set_type"] == "CREATE":
            _make_room(backend, kwargs["stack_name"], kwargs["change_set_name"])
        change_set_id, stack_id = original(backend, *args, **kwargs)
        change_set, stack = backend.change_sets[change_set_id], backend.stacks[stack_id]
        changes = change_set.change_set_type == "CREATE" or bool(change_set.changes)
        if changes or not stack.has_template(change_set.template) or (change_set.tags or {}) != stack.tags:
            change_set.status, change_set.execution_status, change_set.status_reason = (
                "CREATE_COMPLETE",
                "AVAILABLE",
                None,
            )
        else:
            change_set.status, change_set.execution_status = "FAILED", "UNAVAILABLE"
            change_set.status_reason = (
                "The submitted information didn't contain changes. Submit different information to create a change set."
            )
        return change_set_id, stack_id

    return create


def _make_room(backend: CloudFormationBackend, stack_name: str, change_set_name: str) -> None:
    """Refuse to create a stack that is there; one that was never made goes, as moto would make another one beside it.

    Raises:
        ValidationError: there is a stack of this name.
    """
    for stack in [one for one in backend.stacks.values() if one.name == stack_name]:
        if stack.status != "REVIEW_IN_PROGRESS":
            raise ValidationError(
                message=f"Stack [{stack_name}] already exists and cannot be created again with the changeSet "
                f"[{change_set_name}]."
            )
        del backend.stacks[stack.stack_id]


def _refusing_nothing(original: Callable[..., Any]) -> Callable[..., Any]:
    """Refuse to update a stack to what it is; moto looks at that only where parameters are given."""

    def update(backend: CloudFormationBackend, name: str, template: str, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 moto's own signature
        stack = backend.get_stack(name)
        given = backend._resolve_update_parameters(instance=stack, incoming_params=kwargs.get("parameters") or [])
        tags = kwargs.get("tags")
        if stack.has_template(template) and (tags is None or tags == stack.tags):
            preview = _Preview(stack, Stack.parse_template(template), _named_again(stack, given))
            if not list(preview.changes()):
                raise ValidationError(message="No updates are to be performed.")
        return original(backend, name, template, *args, **kwargs)

    return update


def _leaving_change_sets(original: Callable[..., None]) -> Callable[..., None]:
    """Let a change set that changes nothing be made, and fail then; moto would refuse the request for one."""

    def validate(response: CloudFormationResponse, *args: Any) -> None:  # noqa: ANN401 moto's own signature
        if response._get_action() != "CreateChangeSet":
            original(response, *args)

    return validate


class _NotYet:
    """Stands in for a resource that only the change makes."""

    physical_resource_id = UNKNOWN

    def get_cfn_attribute(self, attribute_name: str) -> str:  # noqa: ARG002 moto's own signature
        return UNKNOWN


def _diff(change_set: ChangeSet) -> list[dict[str, Any]]:
    """Return what a change set would do, in the order in which it would: what goes comes last."""
    stack = change_set.stack
    change_set.parameters = _named_again(stack, change_set.parameters)
    try:
        return list(_Preview(stack, change_set.template_dict, change_set.parameters).changes())
    except ServiceException:
        raise
    except Exception as error:
        # What a function of the template cannot work out, such as Fn::Select of more than there is.
        traceback.print_exc()
        raise ValidationError(message=f"Template error: {reason_of(error)}") from error


def _named_again(stack: Stack, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Have a parameter that keeps its value, and reads it from Parameter Store, read it again.

    moto puts in what was read at the last time.
    """
    slots, resources = stack.template_dict.get("Parameters", {}), stack.resource_map

    def named(key: str, value: Any) -> Any:  # noqa: ANN401 a parameter's value
        stored = str(slots.get(key, {}).get("Type", "")).startswith("AWS::SSM::Parameter::")
        if stored and value == resources.resolved_parameters.get(key):
            return resources.input_parameters.get(key, slots[key].get("Default"))
        return value

    return {key: named(key, value) for key, value in parameters.items()}


class _Preview:
    """What a template would change in a stack."""

    def __init__(self, stack: Stack, template: dict[str, Any], parameters: dict[str, Any]) -> None:
        now: ResourceMap = stack.resource_map
        self._old: dict[str, Any] = now._resource_json_map
        self._new: dict[str, Any] = template["Resources"]
        self._there = {name: one for name, one in now._parsed_resources.items() if name in self._old}
        self._was: dict[str, Properties] = getattr(now, "lab_resolved", {})
        self._old_values = now.resolved_parameters
        # A map of its own, in which nothing is made: `_NotYet` stands for what is not there.
        self._map = copy(now)
        self._map._template, self._map._resource_json_map = template, self._new
        self._map._parsed_resources = {**now._parsed_resources}
        self._map.input_parameters, self._map.resolved_parameters = parameters, {}
        self._map.load_mapping()
        self._map.load_parameters()
        self._map.load_conditions()

    def changes(self) -> Iterator[dict[str, Any]]:
        """Yield what changes, each after what it refers to, and then what goes."""
        for name in in_order(self._new):
            definition = self._new[name]
            if not wanted(self._map, definition):
                continue
            if name not in self._there:
                self._map._parsed_resources[name] = _NotYet()
                yield {"Action": "Add", **self._named(name, definition), "Scope": [], "Details": []}
            elif change := self._modified(name, definition):
                yield change
        for name in reversed(list(in_order(self._old))):
            if name in self._there and (name not in self._new or not wanted(self._map, self._new[name])):
                policy = "Retain" if self._old[name].get("DeletionPolicy") in KEPT else "Delete"
                named = self._named(name, self._old[name])
                yield {"Action": "Remove", **named, "PolicyAction": policy, "Scope": [], "Details": []}

    def _named(self, name: str, definition: dict[str, Any]) -> dict[str, Any]:
        found = getattr(self._there.get(name), "physical_resource_id", None)
        named = {"LogicalResourceId": name, "ResourceType": definition["Type"]}
        return {**named, "PhysicalResourceId": found} if found else named

    def _modified(self, name: str, definition: dict[str, Any]) -> dict[str, Any] | None:
        old, was = self._old[name], self._was.get(name, {})
        comes_to = properties_of(self._map, definition)
        details = [
            self._detail(key, old, definition, was, comes_to)
            for key in {**was, **comes_to}
            if was.get(key) != comes_to.get(key)
        ]
        details += [_plain(key, old, definition) for key in _ATTRIBUTES if old.get(key) != definition.get(key)]
        if not details:
            return None
        replacement = _replacement(details)
        change = {"Action": "Modify", **self._named(name, definition), "Replacement": replacement}
        if replacement == "True":
            kept = definition.get("UpdateReplacePolicy") in KEPT
            change["PolicyAction"] = "ReplaceAndRetain" if kept else "ReplaceAndDelete"
        if replacement != "False":
            self._map._parsed_resources[name] = _NotYet()
        return {
            **change,
            "Scope": sorted({one["Target"]["Attribute"] for one in details}),
            "Details": details,
            "BeforeContext": json.dumps({**_contexts(old), "Properties": was}, default=str),
            "AfterContext": json.dumps({**_contexts(definition), "Properties": comes_to}, default=str),
        }

    def _detail(
        self, key: str, old: dict[str, Any], new: dict[str, Any], was: Properties, comes_to: Properties
    ) -> dict[str, Any]:
        before, after = (one.get("Properties", {}).get(key) for one in (old, new))
        tags = key == "Tags"
        target = {
            "Attribute": "Tags" if tags else "Properties",
            **({} if tags else {"Name": key}),
            "RequiresRecreation": "Never" if tags else _recreation(new["Type"], key, comes_to),
            "Path": f"/Properties/{key}",
            **_values(was.get(key), comes_to.get(key)),
        }
        if before != after:
            return {"Target": target, "Evaluation": "Static", "ChangeSource": "DirectModification"}
        source, entity = self._cause(after)
        evaluation = "Static" if source == "ParameterReference" else "Dynamic"
        return {"Target": target, "Evaluation": evaluation, "ChangeSource": source, "CausingEntity": entity}

    def _cause(self, value: Any) -> tuple[str, str]:  # noqa: ANN401 a template's value
        """Return why a value that is written as before comes to another one, and what it refers to."""
        for name in references(value):
            if name in self._new:
                if isinstance(self._map._parsed_resources.get(name), _NotYet):
                    attribute = f'"Fn::GetAtt": ["{name}"' in json.dumps(value)
                    return ("ResourceAttribute" if attribute else "ResourceReference"), name
            elif self._map.resolved_parameters.get(name) != self._old_values.get(name):
                return "ParameterReference", name
        return "Automatic", ""


def _recreation(kind: str, key: str, properties: Properties) -> str:
    """Tell whether a change of a property makes the resource anew."""
    found = cloudformation.resource_class_from_type(kind)
    if hasattr(found, "replaced_by"):
        return "Always" if key in found.replaced_by(properties) else "Never"
    if hasattr(found, "replaces_on"):
        return "Always" if key in found.replaces_on else "Never"
    return "Conditionally"  # one of moto's own, of which the lab does not know


def _replacement(details: list[dict[str, Any]]) -> str:
    needs = {(one["Target"]["RequiresRecreation"], one["Evaluation"]) for one in details}
    if ("Always", "Static") in needs:
        return "True"
    return "False" if {recreation for recreation, _ in needs} == {"Never"} else "Conditional"


def _plain(key: str, old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    target = {"Attribute": key, "RequiresRecreation": "Never", "Path": f"/{key}", **_values(old.get(key), new.get(key))}
    return {"Target": target, "Evaluation": "Static", "ChangeSource": "DirectModification"}


def _values(before: Any, after: Any) -> dict[str, str]:  # noqa: ANN401 a template's values
    kind = "Add" if before is None else "Remove" if after is None else "Modify"
    told = {"BeforeValue": before, "AfterValue": after}
    texts = {
        key: one if isinstance(one, str) else json.dumps(one, default=str)
        for key, one in told.items()
        if one is not None
    }
    return {**texts, "AttributeChangeType": kind}


def _contexts(definition: dict[str, Any]) -> dict[str, Any]:
    return {key: definition[key] for key in _ATTRIBUTES if key in definition}
