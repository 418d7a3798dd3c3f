"""The operator policy allows what the commands of `patchops` need, and no more than that."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest

from lab.world.access import allowed
from tests.iam_calls import ARN, Call, record, refused
from tests.patchops import Patchops
from tests.workshop.conftest import Ran

pytestmark = pytest.mark.xdist_group("workshop")

PROD = ("--environment", "lab", "--tag", "Workload=Prod")
ENVIRONMENT = ("--environment", "lab")
COMMANDS = (
    ("documents", "--name-prefix", "AWS-RunPatch"),
    ("documents", "show", "AWS-RunPatchBaseline"),
    ("nodes", *ENVIRONMENT),
    ("plan", *ENVIRONMENT),
    ("scan", *ENVIRONMENT),
    ("install", *PROD, "--yes", "--override-list", "LIST"),
    ("compliance", *ENVIRONMENT),
    ("drift", *ENVIRONMENT),
    ("windows", *ENVIRONMENT),
    ("calendar", *ENVIRONMENT),
    ("runs", *ENVIRONMENT),
    ("watch", "COMMAND"),
    ("run", "show", "COMMAND"),
    ("run", "cancel", "COMMAND"),
    ("logs", "COMMAND", "NODE"),
)
"""What operators use. Switching windows off is left to those who deploy, as IAM cannot allow that and no other change;
so is `doctor`, which looks at roles and networks."""
NOT_BY_PATCHOPS = {
    "ssm:DescribeDocumentPermission": "who else may use a document of one's own; the lab has none",
    "ssm:DescribeAssociationExecutionTargets": "no association patches while the commands of this test are sent",
    "ssm:DescribeAssociationExecutions": "as above",
    "ssm:GetCalendarState": "the lab's policy has no calendar",
    "resource-groups:ListGroupResources": "the lab's policy has no resource group",
    "tag:GetResources": "AWS asks for it besides, of those who list a group's resources",
}


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
def launched(ran: Ran) -> Iterator[dict[str, str]]:
    """A node that lacks patches, which after the workshop no other does."""
    ec2 = boto3.client("ec2", **_connection(ran))
    reservations = ec2.describe_instances(Filters=[{"Name": "tag:Name", "Values": ["patchops-lab-prod-1"]}])
    ((like,),) = (one["Instances"] for one in reservations["Reservations"])
    tags = [{"Key": "Environment", "Value": "lab"}, {"Key": "PatchGroup", "Value": "lab-prod"}]
    request: Any = {
        "ImageId": like["ImageId"],
        "MinCount": 1,
        "MaxCount": 1,
        "SubnetId": like["SubnetId"],
        "SecurityGroupIds": [one["GroupId"] for one in like["SecurityGroups"]],
        "IamInstanceProfile": {"Arn": like["IamInstanceProfile"]["Arn"]},
    }
    request["TagSpecifications"] = [{"ResourceType": "instance", "Tags": tags}]
    (made,) = ec2.run_instances(**request)["Instances"]
    # One that is no managed node, which a plan tells of.
    (unmanaged,) = ec2.run_instances(**{key: value for key, value in request.items() if key != "IamInstanceProfile"})[
        "Instances"
    ]
    ran.aws.advance(datetime.fromisoformat(ran.aws.status()["now"]) + timedelta(minutes=10))
    yield {"NODE": made["InstanceId"]}
    ec2.terminate_instances(InstanceIds=[made["InstanceId"], unmanaged["InstanceId"]])


@pytest.fixture
def made(
    ran: Ran, launched: dict[str, str], patchops: Patchops, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> list[Call]:
    """What IAM is asked while an operator uses every command."""
    listed = tmp_path / "list.yaml"
    listed.write_text("patches:\n  - id: 'kernel*'\n")
    kms = boto3.client("kms", **_connection(ran))
    arn = kms.describe_key(KeyId="alias/patchops-lab-output")["KeyMetadata"]["Arn"]
    asked = record(monkeypatch, arn)
    words = {**launched, "LIST": str(listed)}
    for command in COMMANDS:
        result = patchops(*(words.get(word, word) for word in command))
        assert result.code in (0, 3), (command, result.err)
        if command[0] == "scan":
            words["COMMAND"] = json.loads(patchops("runs", *ENVIRONMENT, "--output", "json").out)[0]["command_id"]
    return asked


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
