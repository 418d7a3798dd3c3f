"""What IAM is asked when a client makes a request to the lab, whose nodes and windows all have its tag."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from botocore.client import BaseClient
from botocore.model import OperationModel

from lab.world.access import allowed

ARN = "arn:aws:{}:us-east-1:123456789012:{}"
TAG = {"ssm:resourceTag/Environment": "lab", "aws:ResourceTag/Environment": "lab"}
_INSTANCE = ARN.format("ec2", "instance/i-0123456789abcdef0")

KEY = ARN.format("kms", "key/0")
Call = tuple[str, str, dict[str, str]]
"""An action, the resource that it is asked for, and the condition keys that hold then."""

_ACTIONS = {"s3:GetBucketEncryption": "s3:GetEncryptionConfiguration", "s3:ListObjectsV2": "s3:ListBucket"}


def calls(model: OperationModel, request: dict[str, Any], key: str) -> Iterator[Call]:  # noqa: C901, PLR0912 a table
    """Yield what IAM is asked for one request, in an account with one key of its own."""
    action = f"{model.service_model.signing_name}:{model.name}"
    action = _ACTIONS.get(action, action)
    match action:
        case "ssm:SendCommand":
            yield action, _document(request["DocumentName"]), {}
            yield action, _INSTANCE, TAG
            if request.get("ServiceRoleArn"):
                yield "iam:PassRole", request["ServiceRoleArn"], {"iam:PassedToService": "ssm.amazonaws.com"}
        case "ssm:DescribeDocument" | "ssm:GetDocument" | "ssm:DescribeDocumentPermission":
            yield action, _document(request["Name"]), {}
        case "ssm:GetCalendarState":
            for name in request["CalendarNames"]:
                yield action, _document(name), {}
        case "ssm:DescribeInstancePatchStates" | "ssm:DescribeInstancePatches":
            yield action, _INSTANCE, TAG
        case "ssm:GetPatchBaseline":
            yield action, ARN.format("ssm", f"patchbaseline/{request['BaselineId']}"), {}
        case "ssm:DescribeAssociation":
            yield action, ARN.format("ssm", f"association/{request['AssociationId']}"), TAG
        case "ssm:GetMaintenanceWindowTask":
            yield action, ARN.format("ssm", f"maintenancewindow/{request['WindowId']}"), TAG
            yield action, ARN.format("ssm", f"windowtask/{request['WindowTaskId']}"), {}
        case (
            "ssm:DescribeMaintenanceWindowExecutions"
            | "ssm:DescribeMaintenanceWindowTargets"
            | "ssm:DescribeMaintenanceWindowTasks"
            | "ssm:UpdateMaintenanceWindow"
        ):
            yield action, ARN.format("ssm", f"maintenancewindow/{request['WindowId']}"), TAG
        case "cloudformation:DescribeStacks":
            yield action, ARN.format("cloudformation", f"stack/{request['StackName']}/0"), {}
        case "s3:ListBucket":
            yield action, f"arn:aws:s3:::{request['Bucket']}", {"s3:prefix": request["Prefix"]}
        case "s3:GetEncryptionConfiguration":
            yield action, f"arn:aws:s3:::{request['Bucket']}", {}
        case "s3:GetObject" | "s3:PutObject":
            yield action, f"arn:aws:s3:::{request['Bucket']}/{request['Key']}", {}
            yield "kms:Decrypt", key, {}
            if action == "s3:PutObject":
                yield "kms:GenerateDataKey", key, {}
        case "kms:DescribeKey":
            yield action, key, {}
        case "sns:GetTopicAttributes":
            yield action, request["TopicArn"], {}
        case "iam:GetRole" | "iam:ListAttachedRolePolicies":
            yield action, f"arn:aws:iam::123456789012:role/{request['RoleName']}", {}
        case "iam:GetInstanceProfile":
            yield action, f"arn:aws:iam::123456789012:instance-profile/{request['InstanceProfileName']}", {}
        case _:
            yield action, "*", {}


def record(monkeypatch: pytest.MonkeyPatch, key: str = KEY) -> list[Call]:
    """Return a list that takes what IAM is asked from now on, for every request of this process."""
    asked: list[Call] = []
    whole = BaseClient._make_api_call  # type: ignore[attr-defined]

    def recording(self: Any, name: str, request: dict[str, Any]) -> Any:
        asked.extend(calls(self.meta.service_model.operation_model(name), request, key))
        return whole(self, name, request)

    monkeypatch.setattr(BaseClient, "_make_api_call", recording)
    return asked


def refused(asked: Iterable[Call], document: dict[str, Any]) -> set[str]:
    """Return the actions that a policy does not allow."""
    return {action for action, resource, context in asked if not allowed([document], action, resource, context)}


def _document(name: str) -> str:
    return f"arn:aws:ssm:us-east-1:{'' if name.startswith('AWS-') else '123456789012'}:document/{name}"
