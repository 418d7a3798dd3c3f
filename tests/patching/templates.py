"""A small template, written by hand, in which everything works; tests break one thing in it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from patching.template_rules import findings

Template = dict[str, Any]
GONE = object()
"""In the place of a value: the key is taken out."""


def ref(name: str) -> dict[str, Any]:
    return {"Ref": name}


def att(name: str, attribute: str = "Arn") -> dict[str, Any]:
    return {"Fn::GetAtt": [name, attribute]}


def sub(text: str) -> dict[str, Any]:
    return {"Fn::Sub": text}


def allow(actions: list[str], resource: Any, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": resource, **more}


def policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def role(service: str, *statements: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "AssumeRolePolicyDocument": policy(
                {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": service}}
            ),
            "Policies": [{"PolicyName": "Own", "PolicyDocument": policy(*statements)}],
            **more,
        },
    }


def window(name: str, **more: Any) -> dict[str, Any]:
    return {
        "Type": "AWS::SSM::MaintenanceWindow",
        "Properties": {"Name": name, "Schedule": "cron(0 2 ? * SUN *)", "Duration": 3, "Cutoff": 1, **more},
    }


def target(window_name: str, workload: str) -> dict[str, Any]:
    return {
        "Type": "AWS::SSM::MaintenanceWindowTarget",
        "Properties": {
            "WindowId": ref(window_name),
            "ResourceType": "INSTANCE",
            "Targets": [{"Key": "tag:Workload", "Values": [workload]}],
        },
    }


PUBLISH = allow(["sns:Publish"], ref("Topic"))
USE_KEY = allow(["kms:GenerateDataKey*", "kms:Decrypt"], att("Key"))
LOGS = "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:/demo/output:log-stream:*"
ROOT = {"AWS": sub("arn:${AWS::Partition}:iam::${AWS::AccountId}:root")}

GOOD: Template = {
    "Parameters": {"Given": {"Type": "String"}},
    "Conditions": {"Sometimes": {"Fn::Equals": [ref("Given"), "yes"]}},
    "Resources": {
        "Key": {
            "Type": "AWS::KMS::Key",
            "Properties": {
                "KeyPolicy": policy(
                    allow(["kms:*"], "*", Principal=ROOT),
                    allow(
                        ["kms:Decrypt", "kms:GenerateDataKey*"], "*", Principal={"Service": "cloudwatch.amazonaws.com"}
                    ),
                    allow(["kms:Encrypt"], "*", Principal={"Service": sub("logs.${AWS::Region}.amazonaws.com")}),
                )
            },
        },
        "Output": {
            "Type": "AWS::S3::Bucket",
            "Properties": {
                "BucketEncryption": {
                    "ServerSideEncryptionConfiguration": [
                        {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": att("Key")}}
                    ]
                }
            },
        },
        "Logs": {
            "Type": "AWS::Logs::LogGroup",
            "Properties": {"LogGroupName": "/demo/output", "KmsKeyId": att("Key")},
        },
        "Topic": {"Type": "AWS::SNS::Topic", "Properties": {"KmsMasterKeyId": ref("Key")}},
        "TopicPolicy": {
            "Type": "AWS::SNS::TopicPolicy",
            "Properties": {
                "Topics": [ref("Topic")],
                "PolicyDocument": policy(
                    allow(["sns:Publish"], ref("Topic"), Principal={"Service": "cloudwatch.amazonaws.com"})
                ),
            },
        },
        "Publisher": role("ssm.amazonaws.com", PUBLISH, USE_KEY),
        "Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": {"AlarmActions": [ref("Topic")]}},
        "EventRole": role("events.amazonaws.com", PUBLISH, USE_KEY),
        "EventRule": {
            "Type": "AWS::Events::Rule",
            "Properties": {"Targets": [{"Id": "Topic", "Arn": ref("Topic"), "RoleArn": att("EventRole")}]},
        },
        "Sender": role(
            "ssm.amazonaws.com",
            allow(
                ["ssm:SendCommand"],
                sub("arn:${AWS::Partition}:ssm:${AWS::Region}::document/AWS-RunPatchBaselineWithHooks"),
            ),
            allow(
                ["ssm:SendCommand"],
                sub("arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}:instance/*"),
                Condition={"StringEquals": {"ssm:resourceTag/Environment": "demo"}},
            ),
            allow(
                ["iam:PassRole"],
                att("Publisher"),
                Condition={"StringEquals": {"iam:PassedToService": "ssm.amazonaws.com"}},
            ),
        ),
        "Window": window("demo"),
        "Target": target("Window", "Web"),
        "Task": {
            "Type": "AWS::SSM::MaintenanceWindowTask",
            "Properties": {
                "WindowId": ref("Window"),
                "TaskType": "RUN_COMMAND",
                "TaskArn": "AWS-RunPatchBaselineWithHooks",
                "Priority": 1,
                "Targets": [{"Key": "WindowTargetIds", "Values": [ref("Target")]}],
                "MaxConcurrency": "1",
                "MaxErrors": "1",
                "ServiceRoleArn": att("Sender"),
                "TaskInvocationParameters": {
                    "MaintenanceWindowRunCommandParameters": {
                        "Parameters": {"Operation": ["Install"], "PreInstallHookDocName": [ref("Hook")]},
                        "OutputS3BucketName": ref("Output"),
                        "OutputS3KeyPrefix": "out",
                        "CloudWatchOutputConfig": {
                            "CloudWatchOutputEnabled": True,
                            "CloudWatchLogGroupName": ref("Logs"),
                        },
                        "ServiceRoleArn": att("Publisher"),
                        "NotificationConfig": {"NotificationArn": ref("Topic"), "NotificationEvents": ["All"]},
                    }
                },
            },
        },
        "Hook": {
            "Type": "AWS::SSM::Document",
            "Properties": {
                "DocumentType": "Command",
                "Content": {
                    "schemaVersion": "2.2",
                    "parameters": {"service": {"type": "String", "default": "web", "allowedPattern": "^[a-z]+$"}},
                    "mainSteps": [
                        {
                            "name": "stop",
                            "action": "aws:runShellScript",
                            "inputs": {"runCommand": ["systemctl stop {{ service }}"]},
                        }
                    ],
                },
            },
        },
        "NodePolicy": {
            "Type": "AWS::IAM::ManagedPolicy",
            "Properties": {
                "PolicyDocument": policy(
                    allow(["s3:PutObject"], sub("${Output.Arn}/out/*")),
                    allow(["logs:PutLogEvents"], sub(LOGS)),
                    USE_KEY,
                )
            },
        },
        "Scan": {
            "Type": "AWS::SSM::Association",
            "Properties": {
                "Name": "AWS-RunPatchBaseline",
                "Parameters": {"Operation": ["Scan"]},
                "ScheduleExpression": "cron(0 20 * * ? *)",
                "ApplyOnlyAtCronInterval": True,
                "Targets": [{"Key": "tag:Environment", "Values": ["demo"]}],
                "AssociationDispatchAssumeRole": att("Sender"),
                "OutputLocation": {
                    "S3Location": {"OutputS3BucketName": ref("Output"), "OutputS3KeyPrefix": "out/scan"}
                },
            },
        },
        "Linux": {
            "Type": "AWS::SSM::PatchBaseline",
            "Properties": {"Name": "linux", "OperatingSystem": "AMAZON_LINUX_2023", "PatchGroups": ["web", "batch"]},
        },
        "Windows": {"Type": "AWS::SSM::PatchBaseline", "Properties": {"Name": "windows", "DefaultBaseline": True}},
    },
}

FLEET: Template = {
    "Resources": {
        "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {}},
        "Subnet": {"Type": "AWS::EC2::Subnet", "Properties": {"VpcId": ref("Vpc")}},
        "Table": {"Type": "AWS::EC2::RouteTable", "Properties": {"VpcId": ref("Vpc")}},
        "TableOfSubnet": {
            "Type": "AWS::EC2::SubnetRouteTableAssociation",
            "Properties": {"SubnetId": ref("Subnet"), "RouteTableId": ref("Table")},
        },
        "S3": {
            "Type": "AWS::EC2::VPCEndpoint",
            "Properties": {
                "VpcId": ref("Vpc"),
                "ServiceName": sub("com.amazonaws.${AWS::Region}.s3"),
                "VpcEndpointType": "Gateway",
                "RouteTableIds": [ref("Table")],
            },
        },
        **{
            name: {
                "Type": "AWS::EC2::VPCEndpoint",
                "Properties": {
                    "VpcId": ref("Vpc"),
                    "ServiceName": sub(f"com.amazonaws.${{AWS::Region}}.{name.lower()}"),
                    "VpcEndpointType": "Interface",
                },
            }
            for name in ("Ssm", "SsmMessages")
        },
        "NodeRole": role(
            "ec2.amazonaws.com",
            ManagedPolicyArns=[
                sub("arn:${AWS::Partition}:iam::aws:policy/AmazonSSMManagedInstanceCore"),
                {"Fn::ImportValue": "demo-node-policy"},
            ],
        ),
        "Profile": {"Type": "AWS::IAM::InstanceProfile", "Properties": {"Roles": [ref("NodeRole")]}},
        "Node": {
            "Type": "AWS::EC2::Instance",
            "Metadata": {"aws:cdk:path": "demo/Fleet/Node/Resource"},
            "Properties": {
                "SubnetId": ref("Subnet"),
                "IamInstanceProfile": ref("Profile"),
                "Tags": [{"Key": "Workload", "Value": "Web"}, {"Key": "Environment", "Value": "demo"}],
            },
        },
    }
}
"""Nodes in a stack of their own, which takes their policy from the other."""

EXPORTS = {"NodePolicy": {"Value": ref("NodePolicy"), "Export": {"Name": "demo-node-policy"}}}


def changed(template: Template, changes: Mapping[str, Any]) -> Template:
    """Return a copy with other values: `{"Window.Cutoff": 3}` is about the property of the resource Window."""
    found: Template = json.loads(json.dumps(template))
    for place, value in changes.items():
        name, *keys = place.split(".")
        if not keys:
            found["Resources"][name] = value
            continue
        node: Any = found["Resources"][name]
        keys = keys if keys[0] in {"Condition", "Metadata"} else ["Properties", *keys]
        for key in keys[:-1]:
            node = node[int(key)] if isinstance(node, list) else node[key]
        last: Any = int(keys[-1]) if isinstance(node, list) else keys[-1]
        if value is GONE:
            del node[last]
        else:
            node[last] = value
    return found


def found(changes: Mapping[str, Any], *, fleet: Mapping[str, Any] | None = None) -> list[tuple[str, str]]:
    """Return rule and logical id of each finding; with `fleet`, also with the second stack, changed so."""
    templates = {"good": changed(GOOD, changes)}
    if fleet is not None:
        templates["good"]["Outputs"] = EXPORTS
        templates["fleet"] = changed(FLEET, fleet)
    return [(one.rule, one.logical_id) for one in findings(templates)]
