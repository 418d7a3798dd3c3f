"""The operations on hybrid activations and on the machines that registered with them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from botocore.utils import parse_timestamp

from lab.aws.ssm.operation import Reply, Request, operation, page, without_empty
from lab.engine import Engine
from lab.nodes.activations import Activation
from lab.world.errors import ApiError

_FIELDS = {"ActivationIds": "ActivationId", "DefaultInstanceName": "DefaultInstanceName", "IamRole": "IamRole"}


@operation
def create_activation(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CreateActivation.html."""
    expires = request.get("ExpirationDate")
    made = engine.activations.create(
        role=request["IamRole"],
        limit=request.get("RegistrationLimit") or 1,
        expires=_moment(expires) if expires is not None else None,
        description=request.get("Description") or "",
        name=request.get("DefaultInstanceName") or "",
        tags={one["Key"]: one["Value"] for one in request.get("Tags") or ()},
    )
    return {"ActivationId": made.id, "ActivationCode": made.code}


@operation
def describe_activations(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeActivations.html."""
    wanted = {}
    for one in request.get("Filters") or ():
        if one.get("FilterKey") not in _FIELDS:
            known = ", ".join(_FIELDS)
            raise ApiError(
                "InvalidFilter", f"{one.get('FilterKey')} is not a valid filter key; valid ones are {known}."
            )
        wanted[_FIELDS[one["FilterKey"]]] = one.get("FilterValues") or ()
    described = [_described(engine, one) for one in engine.activations.all.values()]
    found = [one for one in described if all(one.get(key, "") in values for key, values in wanted.items())]
    return page(request, "ActivationList", found)


@operation
def delete_activation(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DeleteActivation.html."""
    engine.activations.delete(request["ActivationId"])
    return {}


@operation
def deregister_managed_instance(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DeregisterManagedInstance.html."""
    engine.activations.deregister(request["InstanceId"])
    return {}


@operation
def update_managed_instance_role(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_UpdateManagedInstanceRole.html."""
    engine.activations.change_role(request["InstanceId"], request["IamRole"])
    return {}


def _moment(value: Any) -> datetime:  # noqa: ANN401 a number or a text, as the service model's timestamps are
    moment = parse_timestamp(value)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _described(engine: Engine, activation: Activation) -> Reply:
    return without_empty(
        {
            "ActivationId": activation.id,
            "Description": activation.description,
            "DefaultInstanceName": activation.name,
            "IamRole": activation.role,
            "RegistrationLimit": activation.limit,
            "RegistrationsCount": activation.registrations,
            "ExpirationDate": activation.expires,
            "Expired": engine.activations.expired(activation),
            "CreatedDate": activation.created,
            "Tags": [{"Key": key, "Value": value} for key, value in activation.tags.items()],
        }
    )
