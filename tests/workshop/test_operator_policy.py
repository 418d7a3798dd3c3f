"""The operator policy allows what the commands of `patchops` need, and no more than that."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.model import OperationModel

from lab.access import allowed
from tests.workshop.conftest import Patchops, Ran

pytestmark = pytest.mark.xdist_group("workshop")

PROD = ("--environment", "lab", "--tag", "Workload=Prod")
COMMANDS = (
    ("documents", "--name-prefix", "AWS-RunPatch"),
    ("documents", "show", "AWS-RunPatchBaseline"),
    ("nodes", "--environment", "lab"),
    ("scan", "--environment", "lab"),
    ("install", *PROD, "--yes"),
    ("compliance", "--environment", "lab"),
    ("windows", "--environment", "lab"),
)
ARN = "arn:aws:{}:us-east-1:123456789012:{}"
NOT_BY_PATCHOPS = {
    "ssm:DescribeDocumentPermission": "who else may use a document of one's own; the lab has none",
    "ssm:CancelCommand": "stopping a command is done in the console, or with aws ssm cancel-command",
    "s3:GetObject": "the whole output is read in the console, or with aws s3 cp",
    "s3:ListBucket": "to find the output of a command",
    "kms:Decrypt": "the output is encrypted",
}

Call = tuple[str, str, dict[str, str]]
"""An action, the resource that it is asked for, and the condition keys that hold then."""


def calls(model: OperationModel, request: dict[str, Any]) -> Iterator[Call]:
    """Yield what IAM is asked when this request is made to the lab, whose nodes and windows all have its tag."""
    action = f"{model.service_model.signing_name}:{model.name}"
    tag = {"ssm:resourceTag/Environment": "lab", "aws:ResourceTag/Environment": "lab"}
    match action:
        case "ssm:SendCommand":
            yield action, f"arn:aws:ssm:us-east-1::document/{request['DocumentName']}", {}
            yield action, ARN.format("ec2", "instance/i-0123456789abcdef0"), tag
            yield "iam:PassRole", request["ServiceRoleArn"], {"iam:PassedToService": "ssm.amazonaws.com"}
        case "ssm:DescribeDocument" | "ssm:GetDocument" | "ssm:DescribeDocumentPermission":
            yield action, f"arn:aws:ssm:us-east-1::document/{request['Name']}", {}
        case "ssm:DescribeInstancePatchStates" | "ssm:DescribeInstancePatches":
            yield action, ARN.format("ec2", "instance/i-0123456789abcdef0"), tag
        case "ssm:GetPatchBaseline":
            yield action, ARN.format("ssm", f"patchbaseline/{request['BaselineId']}"), {}
        case "ssm:DescribeAssociation":
            yield action, ARN.format("ssm", f"association/{request['AssociationId']}"), tag
        case "ssm:GetMaintenanceWindowTask":
            yield action, ARN.format("ssm", f"maintenancewindow/{request['WindowId']}"), tag
            yield action, ARN.format("ssm", f"windowtask/{request['WindowTaskId']}"), {}
        case (
            "ssm:DescribeMaintenanceWindowExecutions"
            | "ssm:DescribeMaintenanceWindowTargets"
            | "ssm:DescribeMaintenanceWindowTasks"
        ):
            yield action, ARN.format("ssm", f"maintenancewindow/{request['WindowId']}"), tag
        case "cloudformation:DescribeStacks":
            yield action, ARN.format("cloudformation", f"stack/{request['StackName']}/0"), {}
        case _:
            yield action, "*", {}


@pytest.fixture(scope="module")
def policy(ran: Ran) -> dict[str, Any]:
    """The operator policy that is deployed."""
    iam = boto3.client("iam", **_connection(ran))
    (arn,) = [one["Arn"] for one in _policies(iam) if one["PolicyName"] == "patchops-lab-operator"]
    document: dict[str, Any] = iam.get_policy_version(PolicyArn=arn, VersionId="v1")["PolicyVersion"]["Document"]
    return document


def _policies(iam: Any) -> list[dict[str, Any]]:
    return [one for page in iam.get_paginator("list_policies").paginate(Scope="Local") for one in page["Policies"]]


def _connection(ran: Ran) -> dict[str, Any]:
    names = {"AWS_ENDPOINT_URL": "endpoint_url", "AWS_REGION": "region_name"}
    names |= {"AWS_ACCESS_KEY_ID": "aws_access_key_id", "AWS_SECRET_ACCESS_KEY": "aws_secret_access_key"}
    environment = ran.aws.environment()
    return {argument: environment[name] for name, argument in names.items()}


@pytest.fixture
def out_of_date(ran: Ran) -> Iterator[None]:
    """A node that lacks patches, which after the workshop no other does."""
    ec2 = boto3.client("ec2", **_connection(ran))
    reservations = ec2.describe_instances(Filters=[{"Name": "tag:Name", "Values": ["patchops-lab-prod-1"]}])
    ((like,),) = (one["Instances"] for one in reservations["Reservations"])
    (made,) = ec2.run_instances(
        ImageId=like["ImageId"],
        MinCount=1,
        MaxCount=1,
        SubnetId=like["SubnetId"],
        SecurityGroupIds=[one["GroupId"] for one in like["SecurityGroups"]],
        IamInstanceProfile={"Arn": like["IamInstanceProfile"]["Arn"]},
        TagSpecifications=[
            {
                "ResourceType": "instance",
                "Tags": [{"Key": "Environment", "Value": "lab"}, {"Key": "PatchGroup", "Value": "lab-prod"}],
            }
        ],
    )["Instances"]
    ran.aws.advance(datetime.fromisoformat(ran.aws.status()["now"]) + timedelta(minutes=10))
    yield
    ec2.terminate_instances(InstanceIds=[made["InstanceId"]])


@pytest.fixture
def made(out_of_date: None, patchops: Patchops, monkeypatch: pytest.MonkeyPatch) -> list[Call]:
    """What IAM is asked while an operator uses every command."""
    asked: list[Call] = []
    from botocore.client import BaseClient  # noqa: PLC0415 it is changed here only

    whole = BaseClient._make_api_call  # type: ignore[attr-defined]

    def recording(self: Any, name: str, request: dict[str, Any]) -> Any:
        asked.extend(calls(self.meta.service_model.operation_model(name), request))
        return whole(self, name, request)

    monkeypatch.setattr(BaseClient, "_make_api_call", recording)
    for command in COMMANDS:
        assert patchops(*command).code in (0, 3), command
    return asked


def refused(asked: list[Call], document: dict[str, Any]) -> set[str]:
    return {action for action, resource, context in asked if not allowed([document], action, resource, context)}


def test_the_operator_policy_is_all_that_the_commands_need_and_no_more(
    made: list[Call], policy: dict[str, Any]
) -> None:
    assert len(made) > 40
    assert refused(made, policy) == set()
    superfluous = set()
    for index, statement in enumerate(policy["Statement"]):
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        for action in actions:
            without = copy.deepcopy(policy)
            without["Statement"][index]["Action"] = [one for one in actions if one != action]
            if not refused(made, without):
                superfluous.add(action)
    assert superfluous == set(NOT_BY_PATCHOPS)


def test_another_environments_nodes_and_other_documents_are_refused(policy: dict[str, Any]) -> None:
    instance = ARN.format("ec2", "instance/i-0123456789abcdef0")
    other = {"ssm:resourceTag/Environment": "corp", "aws:ResourceTag/Environment": "corp"}
    assert not allowed([policy], "ssm:SendCommand", instance, other)
    assert not allowed([policy], "ssm:DescribeInstancePatches", instance, other)
    assert not allowed([policy], "ssm:SendCommand", "arn:aws:ssm:us-east-1::document/AWS-RunShellScript", {})
    assert not allowed([policy], "iam:PassRole", "arn:aws:iam::123456789012:role/admin", {})
    assert "*" not in json.dumps([one["Action"] for one in policy["Statement"]])
