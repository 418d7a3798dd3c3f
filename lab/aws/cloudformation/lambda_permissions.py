"""AWS::Lambda::Permission: who may invoke a function.

Follows https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-permission.html. The
lab runs no functions: any that a template names is taken to be there, as the functions that are told of patching belong
to others. What is sent to one is noted, and goes nowhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count

from moto.core.common_models import CloudFormationModel

from lab.aws.cloudformation.resource import Properties, Resource
from lab.world import access

_NUMBERS = count(1)
_STATEMENTS: dict[str, Properties] = {}


def permits(function: str, service: str, context: Mapping[str, str]) -> bool:
    """Tell whether the permissions that templates made let a service invoke a function, given by its ARN."""
    return access.permits(
        {"Statement": list(_STATEMENTS.values())}, service, "lambda:InvokeFunction", function, context
    )


class LambdaPermissionResource(Resource, CloudFormationModel):
    """A permission to invoke a function. Nothing of it can be changed in place."""

    type_name = "AWS::Lambda::Permission"
    replaces_on = frozenset({"Action", "EventSourceToken", "FunctionName", "Principal", "SourceAccount", "SourceArn"})
    attributes = ("Id",)

    @classmethod
    def create(cls, properties: Properties, account_id: str, region: str) -> Resource:
        made = cls(f"permission-{next(_NUMBERS)}", properties, account_id, region)
        principal = properties["Principal"]
        conditions = {}
        if properties.get("SourceArn"):
            conditions["ArnLike"] = {"aws:SourceArn": properties["SourceArn"]}
        if properties.get("SourceAccount"):
            conditions["StringEquals"] = {"aws:SourceAccount": properties["SourceAccount"]}
        _STATEMENTS[made.physical_resource_id] = {
            "Effect": "Allow",
            "Principal": {"Service": principal} if principal.endswith(".amazonaws.com") else {"AWS": principal},
            "Action": properties["Action"],
            "Resource": _arn(properties["FunctionName"], account_id, region),
            "Condition": conditions,
        }
        return made

    def change(self, properties: Properties) -> None:
        """Keep it: there is nothing that could change."""

    def delete(self, account_id: str, region_name: str) -> None:  # noqa: ARG002
        _STATEMENTS.pop(self._physical_id, None)


def _arn(function: str, account: str, region: str) -> str:
    """Return the ARN of a function that may be named by its name, by a part of its ARN or by the whole."""
    if function.startswith("arn:"):
        return function
    name = function.removeprefix(f"{account}:function:")
    return f"arn:aws:lambda:{region}:{account}:function:{name}"
