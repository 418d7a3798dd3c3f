"""How a stack comes from one template to the next, and back again if it cannot get there.

Follows https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-update-behaviors.html:
what the new template adds and changes comes first, in the order of what refers to what; what it no longer has, and what
was replaced, is deleted last. A failure undoes all of it. moto deletes first, compares templates instead of what they
come to, and leaves a failed update where it stopped.
"""

# ruff: noqa: SLF001 moto's own classes

from __future__ import annotations

import re
import traceback
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from typing import Any

import moto.cloudformation.parsing as cloudformation
from moto.cloudformation.exceptions import ValidationError
from moto.cloudformation.models import CloudFormationBackend, Stack
from moto.cloudformation.parsing import ResourceMap

Properties = dict[str, Any]
KEPT = ("Retain", "RetainExceptOnCreate")
_SUBSTITUTED = re.compile(r"\$\{([^!}.]+)")


def install() -> None:
    """Have moto's stacks change like this, for as long as the process lives."""
    ResourceMap.create = _create(ResourceMap.create)
    ResourceMap.update = _update
    ResourceMap.delete = _delete
    CloudFormationBackend.execute_change_set = _failing_like_a_stack(CloudFormationBackend.execute_change_set)
    CloudFormationBackend.delete_stack = _failing_to_delete(CloudFormationBackend.delete_stack)
    Stack.delete = _forgetting_outputs(Stack.delete)


class UndoError(Exception):
    """A change failed, and so did undoing it.

    Attributes:
        cause: why the change failed.
    """

    def __init__(self, cause: Exception, left: Mapping[str, Exception]) -> None:
        super().__init__(_told(left))
        self.cause = cause


def reason_of(error: Exception) -> str:
    """Return what an error of moto, or of the lab, says."""
    return str(getattr(error, "message", None) or getattr(error, "description", None) or repr(error))


def _create(original: Callable[[ResourceMap, dict[str, Any]], bool]) -> Callable[[ResourceMap, dict[str, Any]], bool]:
    """Remember what the templates of CreateStack came to, by which a later change is judged."""

    def create(resources: ResourceMap, template: dict[str, Any]) -> bool:
        ready = original(resources, template)
        resources.lab_resolved = {
            name: properties_of(resources, definition)
            for name, definition in template["Resources"].items()
            if wanted(resources, definition)
        }
        return ready

    return create


def _update(resources: ResourceMap, template: dict[str, Any], parameters: dict[str, Any] | None = None) -> None:
    """Bring a stack to a template."""
    change = _Change(resources, template, parameters)
    try:
        change.carry_out()
    except Exception as error:
        change.undo(error)
        raise
    resources.lab_left = change.clean_up()


class _Change:
    """The way from what a stack has to what a template says."""

    def __init__(self, resources: ResourceMap, template: dict[str, Any], parameters: dict[str, Any] | None) -> None:
        self._resources = resources
        self._template = template
        self._parameters = parameters or resources.input_parameters
        self._definitions: dict[str, Any] = template["Resources"]
        self._old_template = resources._template
        self._old_definitions: dict[str, Any] = resources._resource_json_map
        self._old_parameters = resources.input_parameters
        self._old_values = dict(resources.resolved_parameters)
        self._old = {name: one for name, one in resources._parsed_resources.items() if name in self._old_definitions}
        self._resolved: dict[str, Properties] = dict(getattr(resources, "lab_resolved", {}))
        self._changed: list[str] = []

    @property
    def _current(self) -> dict[str, Any]:
        parsed: dict[str, Any] = self._resources._parsed_resources
        return parsed

    def carry_out(self) -> None:
        """Make and change what the template says, in the order of what refers to what."""
        moved = [
            name
            for name, definition in self._definitions.items()
            if name in self._old and definition["Type"] != self._old_definitions[name]["Type"]
        ]
        if moved:
            raise ValidationError(
                message="Update of resource type is not permitted. The new template modifies resource type of the "
                f"following resources: [{', '.join(moved)}]"
            )
        self._use(self._template, self._definitions)
        self._resources.input_parameters = self._parameters
        self._resources.load_parameters()
        self._resources.load_conditions()
        for name in in_order(self._definitions):
            definition = self._definitions[name]
            if not wanted(self._resources, definition):
                continue
            properties = properties_of(self._resources, definition)
            if name not in self._old:
                _ = self._resources[name]
            elif properties != self._resolved.get(name):
                self._changed.append(name)
                self._apply(name, definition)
            self._resolved[name] = properties

    def undo(self, cause: Exception) -> None:
        """Put everything back as it was.

        Raises:
            UndoError: it cannot be.
        """
        made = {}
        for name in reversed(list(in_order(self._definitions))):
            now, before = self._current.get(name), self._old.get(name)
            if now is None or now is before:
                continue
            if before is None or _is_deleted_last(self._definitions[name]):
                made[name] = (now, self._definitions[name])
                self._current.pop(name)
                if before is not None:
                    self._current[name] = before
        left = _delete_all(self._resources, made)
        self._use(self._old_template, self._old_definitions)
        self._resources.input_parameters = self._old_parameters
        self._resources.resolved_parameters = self._old_values
        self._current.update(self._old_values)
        self._resources.load_conditions()
        for name in self._changed:
            try:
                self._apply(name, self._old_definitions[name])
            except Exception as problem:  # noqa: BLE001 whatever it is, the stack has to say so
                left[name] = problem
        if left:
            raise UndoError(cause, left) from cause

    def clean_up(self) -> dict[str, Exception]:
        """Delete what is no longer there and what was replaced; return what could not be deleted, with the reasons."""
        going = {}
        for name in reversed(list(in_order(self._old_definitions))):
            if name not in self._old:
                continue
            definition = self._old_definitions[name]
            removed = name not in self._definitions or not wanted(self._resources, self._definitions[name])
            if removed:
                self._current.pop(name, None)
                self._resolved.pop(name, None)
            replaced = self._current.get(name) is not self._old[name] and _is_deleted_last(definition)
            policy = definition.get("DeletionPolicy" if removed else "UpdateReplacePolicy")
            if (removed or replaced) and policy not in KEPT:
                going[name] = (self._old[name], definition)
        self._resources.lab_resolved = self._resolved
        return _delete_all(self._resources, going)

    def _apply(self, name: str, definition: dict[str, Any]) -> None:
        resources = self._resources
        self._current[name] = cloudformation.parse_and_update_resource(
            name,
            deepcopy(definition),
            resources,
            account_id=resources._account_id,
            region_name=resources._region_name,
        )

    def _use(self, template: dict[str, Any], definitions: dict[str, Any]) -> None:
        self._resources._template = template
        self._resources._resource_json_map = definitions
        self._resources.load_mapping()


def _is_deleted_last(definition: dict[str, Any]) -> bool:
    """Tell whether a resource that was replaced is still there; those of moto's own classes are gone by then."""
    return bool(getattr(cloudformation.resource_class_from_type(definition["Type"]), "deleted_last", False))


def properties_of(resources: ResourceMap, definition: dict[str, Any]) -> Properties:
    """Return what a resource's properties come to."""
    # A copy: moto's classes write into what they are given.
    return dict(cloudformation.clean_json(deepcopy(definition.get("Properties", {})), resources))


def _told(left: Mapping[str, Exception]) -> str:
    return f"[{', '.join(left)}]. " + ". ".join(f"{name}: {reason_of(error)}" for name, error in left.items())


def _delete(resources: ResourceMap) -> None:
    """Delete everything that is not to be kept, what refers to others before these.

    Raises:
        ValidationError: something could not be deleted.
    """
    definitions = resources._resource_json_map
    parsed = resources._parsed_resources
    going = {
        name: (parsed[name], definitions[name])
        for name in reversed(list(in_order(definitions)))
        if parsed.get(name) is not None and definitions[name].get("DeletionPolicy") not in KEPT
    }
    left = _delete_all(resources, going)
    for name in going:
        if name not in left:
            parsed.pop(name)
    if left:
        raise ValidationError(message=f"The following resource(s) failed to delete: {_told(left)}")


def _delete_all(resources: ResourceMap, going: dict[str, tuple[Any, dict[str, Any]]]) -> dict[str, Exception]:
    """Delete resources, again and again as long as one more goes; return what is left, with the reasons."""
    while going:
        left: dict[str, Exception] = {}
        for name, (resource, definition) in going.items():
            try:
                _delete_one(resources, resource, definition)
            except Exception as error:  # noqa: BLE001 moto's services have errors of many kinds
                left[name] = error
        if len(left) == len(going):
            return left
        going = {name: going[name] for name in left}
    return {}


def _delete_one(resources: ResourceMap, resource: Any, definition: dict[str, Any]) -> None:  # noqa: ANN401 moto's own classes
    kind = cloudformation.resource_class_from_type(definition["Type"])
    deleting = getattr(kind, "moto_class", kind).delete_from_cloudformation_json
    if not hasattr(resource, "delete") and hasattr(deleting, "__isabstractmethod__"):
        # moto would say that it is deleted, and leave it.
        raise ValidationError(message=f"The local AWS cannot delete {definition['Type']}")
    resources._delete_resource(resource, definition)


def wanted(resources: ResourceMap, definition: dict[str, Any]) -> bool:
    """Tell whether a resource's condition lets it be."""
    condition = definition.get("Condition")
    return not condition or bool(resources.lazy_condition_map[condition])


def in_order(definitions: Mapping[str, Any]) -> Iterator[str]:
    """Yield the logical ids of a template so that each comes after those that it refers to or depends on."""
    done: set[str] = set()

    def visit(name: str) -> Iterator[str]:
        if name in done:
            return
        done.add(name)
        depends = definitions[name].get("DependsOn", [])
        named = {
            *([depends] if isinstance(depends, str) else depends),
            *references(definitions[name].get("Properties")),
        }
        for other in sorted(named & set(definitions)):
            yield from visit(other)
        yield name

    for name in definitions:
        yield from visit(name)


def references(value: Any) -> Iterator[str]:  # noqa: ANN401 a template's values
    """Yield the names that a value of a template refers to."""
    if isinstance(value, list):
        for one in value:
            yield from references(one)
    elif isinstance(value, dict):
        for key, one in value.items():
            if key == "Ref":
                yield str(one)
            elif key == "Fn::GetAtt":
                yield one.partition(".")[0] if isinstance(one, str) else str(one[0])
            elif key == "Fn::Sub":
                yield from _SUBSTITUTED.findall(one if isinstance(one, str) else one[0])
            yield from references(one)


def _failing_like_a_stack(original: Callable[..., None]) -> Callable[..., None]:
    """Have a stack fail and roll back when a resource cannot be made; moto would only fail the request."""

    def execute(backend: CloudFormationBackend, change_set_name: str, stack_name: str | None = None) -> None:
        change_set = backend.describe_change_set(change_set_name)
        stack = backend.stacks[change_set.stack_id]
        creating = change_set.change_set_type == "CREATE"
        try:
            _share_exports(backend, stack)
            original(backend, change_set_name, stack_name)
            _register_exports(backend, stack)
            stack.tags = dict(change_set.tags or {})
            for name, error in stack.resource_map.lab_left.items():
                # What cannot be deleted stays behind, and the stack is changed all the same.
                stack._add_stack_event("DELETE_FAILED", resource_status_reason=f"{name}: {reason_of(error)}")
        except Exception as error:  # noqa: BLE001 whatever it is, a stack fails with it
            traceback.print_exc()
            cause = error.cause if isinstance(error, UndoError) else error
            stack._add_stack_event(f"{change_set.change_set_type}_FAILED", resource_status_reason=reason_of(cause))
            result = "FAILED" if isinstance(error, UndoError) else "COMPLETE"
            stack.status = f"ROLLBACK_{result}" if creating else f"UPDATE_ROLLBACK_{result}"
            stack._add_stack_event(
                stack.status, resource_status_reason=str(error) if isinstance(error, UndoError) else None
            )
            change_set.execution_status = "EXECUTE_FAILED"

    return execute


def _failing_to_delete(original: Callable[..., None]) -> Callable[..., None]:
    """Have a stack stay, as DELETE_FAILED with the reason, when something in it cannot be deleted."""

    def delete(backend: CloudFormationBackend, name_or_stack_id: str) -> None:
        stack = backend.stacks.get(name_or_stack_id)
        try:
            original(backend, name_or_stack_id)
        except Exception as error:
            if stack is None:
                # moto calls this method again with the id that it has found.
                raise
            traceback.print_exc()
            backend.stacks[stack.stack_id] = stack
            stack.status = "DELETE_FAILED"
            stack._add_stack_event(stack.status, resource_status_reason=reason_of(error))

    return delete


def _forgetting_outputs(original: Callable[[Stack], None]) -> Callable[[Stack], None]:
    """Let a deleted stack have no outputs; moto would make its resources anew to work them out."""

    def delete(stack: Stack) -> None:
        original(stack)
        stack.output_map._output_json_map = {}

    return delete


def _share_exports(backend: CloudFormationBackend, stack: Stack) -> None:
    """Let a stack that comes by a change set import from others; moto does so only for one that is created at once."""
    stack.cross_stack_resources = backend.exports
    stack.resource_map.cross_stack_resources = backend.exports


def _register_exports(backend: CloudFormationBackend, stack: Stack) -> None:
    """Give a stack that came by a change set its outputs and exports, which moto forgets."""
    stack._parse_template()
    stack.output_map = stack._create_output_map()
    for name in [name for name, export in backend.exports.items() if export.exporting_stack_id == stack.stack_id]:
        del backend.exports[name]
    for export in stack.exports:
        backend.exports[export.name] = export
