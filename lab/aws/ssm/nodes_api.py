"""The operations on managed nodes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from lab.associations.association_results import AssociationResult, overall, results_on
from lab.aws.ssm.listing import paged
from lab.aws.ssm.operation import Reply, Request, operation, without_empty
from lab.engine import Engine
from lab.nodes.node import ManagedNode
from lab.world.errors import ApiError
from patching.operating_system import PlatformType

_CHOICES: dict[str, tuple[str, ...]] = {
    "PingStatus": ("Online", "ConnectionLost", "Inactive"),
    "PlatformTypes": tuple(PlatformType),
    "ResourceType": ("ManagedInstance", "EC2Instance"),
    "AssociationStatus": ("Success", "Pending", "Failed"),
    "SourceTypes": (
        "AWS::EC2::Instance",
        "AWS::SSM::ManagedInstance",
        "AWS::IoT::Thing",
        "Microsoft.Compute/virtualMachines",
        "compute.googleapis.com/Instance",
    ),
}
"""Filters' values as the API reference lists them."""

_LEGACY_KEYS = (
    "InstanceIds",
    "AgentVersion",
    "PingStatus",
    "PlatformTypes",
    "ActivationIds",
    "IamRole",
    "ResourceType",
    "AssociationStatus",
)
_KEYS = (*_LEGACY_KEYS, "SourceIds", "SourceTypes", "tag-key", "tag:")
_PROPERTY_KEYS = (*_LEGACY_KEYS, "DocumentName")
_OPERATORS: dict[str, Callable[[str, Sequence[str]], bool]] = {
    "Equal": lambda found, values: found in values,
    "NotEqual": lambda found, values: found not in values,
    "BeginWith": lambda found, values: found.startswith(tuple(values)),
    "LessThan": lambda found, values: any(_numbers(found) < _numbers(value) for value in values),
    "GreaterThan": lambda found, values: any(_numbers(found) > _numbers(value) for value in values),
}
_ID = re.compile(r"i-(\w{8}|\w{17})|mi-\w{17}")


@operation
def describe_instance_information(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeInstanceInformation.html.

    Nodes that are stopped are left out.
    """
    if request.get("Filters") and request.get("InstanceInformationFilterList"):
        message = "Filters and InstanceInformationFilterList exclude each other; give one of them."
        raise ApiError("ValidationException", message)
    wanted = _filters(request.get("Filters") or (), _KEYS)
    wanted |= _filters(request.get("InstanceInformationFilterList") or (), _LEGACY_KEYS)
    if any(key.startswith("tag") for key in wanted) and not all(key.startswith("tag") for key in wanted):
        raise ApiError("InvalidFilterKey", "Filters for tags cannot be combined with others.")
    reply = paged(
        engine,
        request,
        "InstanceInformationList",
        lambda: (
            node
            for node in _candidates(engine, wanted.get("InstanceIds"))
            if not node.stopped and all(_has(engine, node, key, values) for key, values in wanted.items())
        ),
        default_size=10,
    )
    return {**reply, "InstanceInformationList": [_information(engine, one) for one in reply["InstanceInformationList"]]}


@operation
def describe_instance_properties(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeInstanceProperties.html."""
    tests = [(one["key"], one["valueSet"], "Equal") for one in request.get("InstancePropertyFilterList") or ()] + [
        (one["Key"], one["Values"], one.get("Operator") or "Equal") for one in request.get("FiltersWithOperator") or ()
    ]
    for key, _, operator in tests:
        if key not in _PROPERTY_KEYS and not key.startswith("tag:"):
            raise ApiError(
                "InvalidFilterKey", f"{key} is not a valid filter key; it is one of {_listed(_PROPERTY_KEYS)}."
            )
        if operator not in _OPERATORS:
            raise ApiError("InvalidInstancePropertyFilterValue", f"{operator} is none of {_listed(_OPERATORS)}.")
    ids = next((values for key, values, operator in tests if (key, operator) == ("InstanceIds", "Equal")), None)
    reply = paged(
        engine,
        request,
        "InstanceProperties",
        lambda: (
            node
            for node in _candidates(engine, ids)
            if all(
                any(_OPERATORS[operator](value, values) for value in _values(engine, node, key))
                for key, values, operator in tests
            )
        ),
    )
    return {**reply, "InstanceProperties": [_properties(engine, one) for one in reply["InstanceProperties"]]}


def _candidates(engine: Engine, ids: Sequence[str] | None) -> list[ManagedNode]:
    """Return the nodes that may be among those that are asked for: all of them, unless they are asked for by ids."""
    if ids is None:
        return engine.fleet.nodes()
    return [node for node in map(engine.fleet.get, dict.fromkeys(ids)) if node is not None]


@operation
def get_connection_status(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetConnectionStatus.html."""
    node = engine.fleet.get(request["Target"])
    connected = node is not None and node.online
    return {"Target": request["Target"], "Status": "connected" if connected else "notconnected"}


def _filters(given: Iterable[Mapping[str, Sequence[str]]], known: Sequence[str]) -> dict[str, Sequence[str]]:
    """Return filters by their keys.

    Raises:
        ApiError: a key that there is not, or a value that nothing could have.
    """
    found: dict[str, Sequence[str]] = {}
    for one in given:
        key, values = str(one.get("Key") or one["key"]), one.get("Values") or one["valueSet"]
        if key not in known and not (key.startswith("tag:") and "tag:" in known):
            raise ApiError("InvalidFilterKey", f"{key} is not a valid filter key; valid ones are {_listed(known)}.")
        for value in values:
            choices = _CHOICES.get(key)
            if (choices and value not in choices) or (key == "InstanceIds" and not _ID.fullmatch(value)):
                expected = _listed(choices) if choices else "an id such as i-0123456789abcdef0"
                message = f"{value} is not a valid value of {key}; expected {expected}."
                raise ApiError("InvalidInstanceInformationFilterValue", message)
        found[key] = values
    return found


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)


def _numbers(version: str) -> list[tuple[int, str]]:
    """Return what versions are compared by: their parts, numbers as numbers."""
    return [(int(part), "") if part.isdecimal() else (0, part) for part in version.split(".")]


def _ping(node: ManagedNode) -> str:
    return "Online" if node.online else "ConnectionLost"


def _has(engine: Engine, node: ManagedNode, key: str, values: Sequence[str]) -> bool:
    return any(value in values for value in _values(engine, node, key))


def _values(engine: Engine, node: ManagedNode, key: str) -> Iterable[str]:
    """Return what a filter with this key compares with."""
    if key == "tag-key":
        return node.tags
    if key.startswith("tag:"):
        name = key.removeprefix("tag:")
        return (node.tags[name],) if name in node.tags else ()
    match key:
        case "AssociationStatus":
            return (overall(_results(engine, node)),)
        case "DocumentName":
            return [one.association.document for one in _results(engine, node)] or ("",)
        case _:
            found = {
                "InstanceIds": node.id,
                "AgentVersion": node.agent_version,
                "PingStatus": _ping(node),
                "PlatformTypes": str(node.catalogue.system.platform_type),
                "ActivationIds": node.activation_id,
                "IamRole": _role(node),
                "ResourceType": _kind(node),
                "SourceIds": node.id,
                "SourceTypes": _source(node),
            }
            return (found[key],)


def _role(node: ManagedNode) -> str:
    """Return the name of the role that a machine outside of EC2 has; that of an instance is not told."""
    return node.role.partition(":role/")[2] if node.hybrid else ""


def _kind(node: ManagedNode) -> str:
    return "ManagedInstance" if node.hybrid else "EC2Instance"


def _source(node: ManagedNode) -> str:
    return "AWS::SSM::ManagedInstance" if node.hybrid else "AWS::EC2::Instance"


def _results(engine: Engine, node: ManagedNode) -> list[AssociationResult]:
    return list(results_on(node, engine.state_manager.associations.values()))


def _common(engine: Engine, node: ManagedNode) -> Reply:
    """Return what both operations that describe nodes tell of one."""
    found: Reply = {
        "InstanceId": node.id,
        "PingStatus": _ping(node),
        "LastPingDateTime": node.last_ping,
        "AgentVersion": node.agent_version,
        "PlatformType": node.catalogue.system.platform_type,
        "PlatformName": node.catalogue.platform_name,
        "PlatformVersion": node.catalogue.platform_version,
        "ResourceType": _kind(node),
        "ComputerName": node.computer_name,
        "SourceId": node.id,
        "SourceType": _source(node),
    }
    if node.hybrid:
        found |= {"ActivationId": node.activation_id, "IamRole": _role(node), "RegistrationDate": node.registered}
    results = _results(engine, node)
    if results:
        found |= _of_associations(results)
    return found


def _of_associations(results: Sequence[AssociationResult]) -> Reply:
    status = overall(results)
    succeeded = [one.execution.created for one in results if one.status == "Success"]
    return {
        "AssociationStatus": status,
        "LastAssociationExecutionDate": max(one.execution.created for one in results),
        **({"LastSuccessfulAssociationExecutionDate": max(succeeded)} if succeeded else {}),
        "AssociationOverview": {
            "DetailedStatus": status,
            "InstanceAssociationStatusAggregatedCount": dict(Counter(one.status for one in results)),
        },
    }


def _information(engine: Engine, node: ManagedNode) -> Reply:
    return {
        **_common(engine, node),
        "IsLatestVersion": node.agent_version == engine.newest_agent(),
        "IPAddress": node.ip,
        **({"Name": node.name} if node.name else {}),
    }


def _properties(engine: Engine, node: ManagedNode) -> Reply:
    instance = node.instance
    of_instance = (
        {
            "InstanceType": instance.type,
            "InstanceRole": instance.profile,
            "KeyName": instance.key_name,
            "InstanceState": "running" if instance.running else "stopped",
            "Architecture": "x86_64",
            "IPAddress": instance.public_ip,
            "AvailabilityZone": instance.zone,
        }
        if instance
        else {}
    )
    return _common(engine, node) | without_empty({"Name": node.tags.get("Name") or node.name, **of_instance})
