"""Stacks of CloudFormation for the tests, made by change sets as the CDK makes them, and what they are made of."""

from __future__ import annotations

import json
from typing import Any

from botocore.exceptions import ClientError

from tests.lab.aws.world import Connect, trust

REGION = "eu-west-1"
Properties = dict[str, Any]
Resource = tuple[str, Properties] | tuple[str, Properties, str]
"""A type, its properties, and its DeletionPolicy if it has one."""


class Stack:
    """A stack of the resources that a test wants."""

    def __init__(self, connect: Connect, name: str, region: str = REGION) -> None:
        self._cloudformation = connect("cloudformation", region)
        self.name = name

    def deploy(self, outputs: Properties | None = None, /, **resources: Resource) -> dict[str, str]:
        """Make or change the stack, and return the physical ids by the logical ones."""
        assert self.attempt(outputs, **resources).endswith("E_COMPLETE"), self.reasons
        return self.ids

    def attempt(self, outputs: Properties | None = None, /, **resources: Resource) -> str:
        """Make or change the stack, and return its status."""
        template = {
            "Resources": {
                name: {"Type": kind, "Properties": values, **({"DeletionPolicy": policy[0]} if policy else {})}
                for name, (kind, values, *policy) in resources.items()
            },
            **({"Outputs": outputs} if outputs else {}),
        }
        kind = "UPDATE" if self.exists else "CREATE"
        self._cloudformation.create_change_set(
            StackName=self.name,
            ChangeSetName="change",
            ChangeSetType=kind,
            TemplateBody=json.dumps(template),
            Capabilities=["CAPABILITY_NAMED_IAM"],
        )
        made = self._cloudformation.describe_change_set(StackName=self.name, ChangeSetName="change")
        if made["ExecutionStatus"] == "AVAILABLE":
            self._cloudformation.execute_change_set(StackName=self.name, ChangeSetName="change")
        return self.status

    @property
    def exists(self) -> bool:
        found = self._cloudformation.list_stacks()["StackSummaries"]
        return any(one["StackName"] == self.name and one["StackStatus"] != "DELETE_COMPLETE" for one in found)

    @property
    def _described(self) -> dict[str, Any]:
        (stack,) = self._cloudformation.describe_stacks(StackName=self.name)["Stacks"]
        return dict(stack)

    @property
    def status(self) -> str:
        return str(self._described["StackStatus"])

    @property
    def outputs(self) -> dict[str, str]:
        return {one["OutputKey"]: one["OutputValue"] for one in self._described["Outputs"]}

    @property
    def ids(self) -> dict[str, str]:
        found = self._cloudformation.describe_stack_resources(StackName=self.name)["StackResources"]
        return {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in found}

    @property
    def reasons(self) -> str:
        events = self._cloudformation.describe_stack_events(StackName=self.name)["StackEvents"]
        return " ".join(one.get("ResourceStatusReason", "") for one in events)

    def delete(self) -> None:
        self._cloudformation.delete_stack(StackName=self.name)


def gone(call: Any, **arguments: Any) -> bool:
    try:
        call(**arguments)
    except ClientError:
        return True
    return False


def baseline(**changes: Any) -> tuple[str, Properties]:
    filters = {"PatchFilters": [{"Key": "CLASSIFICATION", "Values": ["Security"]}]}
    rule = {"PatchFilterGroup": filters, "ApproveAfterDays": 7, "ComplianceLevel": "HIGH"}
    properties = {
        "Name": "one",
        "OperatingSystem": "AMAZON_LINUX_2023",
        "ApprovalRules": {"PatchRules": [rule]},
        "PatchGroups": ["prod", "test"],
    }
    return "AWS::SSM::PatchBaseline", {**properties, **changes}


def association(**changes: Any) -> tuple[str, Properties]:
    properties = {
        "Name": "AWS-RunPatchBaseline",
        "AssociationName": "scan",
        "Parameters": {"Operation": ["Scan"]},
        "Targets": [{"Key": "tag:Fleet", "Values": ["none"]}],
        "ScheduleExpression": "rate(1 day)",
        "MaxConcurrency": "10%",
    }
    return "AWS::SSM::Association", {**properties, **changes}


def window(**changes: Any) -> tuple[str, Properties]:
    properties = {
        "Name": "nightly",
        "Description": "Every night",
        "Schedule": "cron(0 2 * * ? *)",
        "ScheduleTimezone": "Asia/Seoul",
        "Duration": 3,
        "Cutoff": 1,
        "AllowUnassociatedTargets": False,
    }
    return "AWS::SSM::MaintenanceWindow", {**properties, **changes}


def target(**changes: Any) -> tuple[str, Properties]:
    properties = {
        "WindowId": {"Ref": "Window"},
        "ResourceType": "INSTANCE",
        "Targets": [{"Key": "tag:Fleet", "Values": ["a"]}],
        "Name": "fleet",
    }
    return "AWS::SSM::MaintenanceWindowTarget", {**properties, **changes}


def task(role: str, **changes: Any) -> tuple[str, Properties]:
    properties = {
        "WindowId": {"Ref": "Window"},
        "TaskArn": "AWS-RunPatchBaseline",
        "TaskType": "RUN_COMMAND",
        "Targets": [{"Key": "WindowTargetIds", "Values": [{"Ref": "Target"}]}],
        "ServiceRoleArn": role,
        "MaxConcurrency": "1",
        "MaxErrors": "0",
        "Priority": 1,
        "TaskInvocationParameters": {"MaintenanceWindowRunCommandParameters": {"Parameters": {"Operation": ["Scan"]}}},
    }
    return "AWS::SSM::MaintenanceWindowTask", {**properties, **changes}


def policy(*actions: str, effect: str = "Allow", **more: Any) -> Properties:
    statement = {"Effect": effect, "Principal": "*", "Action": list(actions), "Resource": "*", **more}
    return {"Version": "2012-10-17", "Statement": [statement]}


CORE = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"
READ = "arn:aws:iam::aws:policy/ReadOnlyAccess"


def role(*managed: str, service: str = "ec2.amazonaws.com", **more: Any) -> tuple[str, Properties]:
    properties = {"RoleName": "made", "AssumeRolePolicyDocument": json.loads(trust(service))}
    return "AWS::IAM::Role", {**properties, "ManagedPolicyArns": list(managed), **more}


def image(ssm: Any, name: str) -> str:
    found = ssm.get_parameter(Name=f"/aws/service/ami-amazon-linux-latest/{name}")
    return str(found["Parameter"]["Value"])
