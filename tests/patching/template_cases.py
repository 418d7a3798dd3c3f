"""Changes of the template in which everything works: those that break a rule, and those that do not."""

from __future__ import annotations

import json
from typing import Any

from tests.patching.templates import (
    GONE,
    GOOD,
    LOGS,
    PUBLISH,
    USE_KEY,
    allow,
    att,
    changed,
    policy,
    ref,
    role,
    sub,
    target,
    window,
)

COMMAND = "Task.TaskInvocationParameters.MaintenanceWindowRunCommandParameters"
SEND = "Sender.Policies.0.PolicyDocument.Statement"
GIVEN: dict[str, Any] = ref("Given")
"""A parameter: nobody knows what it is before the deployment."""

SOMETIMES: dict[str, Any] = {"Fn::If": ["Sometimes", "this", "that"]}
ELSEWHERE: dict[str, Any] = {"Fn::ImportValue": "exported-by-another-app"}
WITHOUT_OUTPUT = {f"{COMMAND}.OutputS3BucketName": GONE, f"{COMMAND}.CloudWatchOutputConfig": GONE}
CORE = sub("arn:${AWS::Partition}:iam::aws:policy/AmazonSSMManagedInstanceCore")
SECOND_WINDOW = {"Other": window("other"), "OtherTarget": target("Other", "Batch")}
EVENTS = {"Service": "events.amazonaws.com"}
CLOUDWATCH = {"Service": "cloudwatch.amazonaws.com"}
BUCKET_OF_ARN: dict[str, Any] = {
    f"{COMMAND}.OutputS3BucketName": {"Fn::Select": ["5", {"Fn::Split": [":", att("Output")]}]}
}
NEITHER = allow(["iam:CreateRole", "iam:PassRole"], [att("EventRole"), att("Publisher")], Effect="Deny")
TASK_OF_OTHER = changed(GOOD, {"Task.WindowId": ref("Other"), "Task.Targets.0.Values": [ref("OtherTarget")]})[
    "Resources"
]["Task"]
SENT_TO_ALL = policy(allow(["ssm:SendCommand"], "*"), allow(["iam:PassRole"], att("Publisher")))
INSTALLS_BY_A_DOCUMENT = {
    "Scan.Name": ref("Wrapper"),
    "Scan.Parameters": {"Operation": ["Install"]},
    "Scan.ApplyOnlyAtCronInterval": GONE,
    "Wrapper": {
        "Type": "AWS::SSM::Document",
        "Properties": {
            "Content": {
                "schemaVersion": "2.2",
                "parameters": {"Operation": {"type": "String", "default": "Scan"}},
                "mainSteps": [
                    {"name": "say", "action": "aws:runShellScript", "inputs": {"runCommand": ["echo patching"]}},
                    {
                        "name": "patch",
                        "action": "aws:runDocument",
                        "inputs": {
                            "documentType": "SSMDocument",
                            "documentPath": "AWS-RunPatchBaseline",
                            "documentParameters": {"Operation": "{{ Operation }}"},
                        },
                    },
                ],
            }
        },
    },
}

OF_STACK = {
    "Fn::Join": [
        "/",
        [
            "/x",
            {"Fn::Select": [0, {"Fn::Split": ["-", {"Fn::Select": [2, {"Fn::Split": ["/", ref("AWS::StackId")]}]}]}]},
        ],
    ]
}
"""A name that has a part of the stack's id in it."""


def second_window(schedule: Any = "cron(0 4 ? * SUN *)", **more: Any) -> dict[str, Any]:
    """Return what has to change for a second window, with a task like the first one's for the same nodes."""
    task = json.loads(json.dumps(GOOD["Resources"]["Task"]))
    task["Properties"] |= {"WindowId": ref("Other"), "Targets": [{"Key": "WindowTargetIds", "Values": [ref("Group")]}]}
    other = window("other", Schedule=schedule, **more)
    return {"Other": other, "Group": target("Other", "Web"), "OtherTask": task}


BROKEN: list[tuple[str, str, dict[str, Any]]] = [
    # Windows.
    ("task-without-output", "Task", WITHOUT_OUTPUT),
    ("task-without-output", "Task", WITHOUT_OUTPUT | {f"{COMMAND}.OutputS3BucketName": ref("AWS::NoValue")}),
    (
        "task-without-output",
        "Task",
        {**WITHOUT_OUTPUT, f"{COMMAND}.CloudWatchOutputConfig": {"CloudWatchOutputEnabled": False}},
    ),
    ("task-without-targets", "Task", {"Task.Targets": [], "Target": window("unused")}),
    (
        "task-for-another-windows-targets",
        "Task",
        SECOND_WINDOW | {"Task.Targets.0.Values": [ref("Target"), ref("OtherTarget")]},
    ),
    ("target-without-task", "Second", {"Second": target("Window", "Batch")}),
    ("cutoff-not-before-end", "Window", {"Window.Cutoff": 3}),
    ("cutoff-not-before-end", "Window", {"Window.Cutoff": "4"}),
    ("windows-meet", "Other", second_window()),
    ("windows-meet", "Other", second_window("cron(0 5 ? * SUN *)", ScheduleTimezone="Europe/Berlin")),
    ("windows-meet", "Other", second_window("cron(0 4 ? * SAT *)", ScheduleOffset=1)),
    ("windows-meet", "Other", {**second_window(), "Group.Targets.0.Values": ["Db", "Web"]}),
    ("schedule-refused", "Window", {"Window.Schedule": "cron(0 2 * * SUN *)"}),
    ("schedule-refused", "Window", {"Window.ScheduleTimezone": "Europe/Seoul"}),
    ("schedule-refused", "Scan", {"Scan.ScheduleExpression": "rate(10 minutes)"}),
    # Roles.
    (
        "role-not-trusting",
        "Sender",
        {"Sender.AssumeRolePolicyDocument.Statement.0.Principal.Service": "ec2.amazonaws.com"},
    ),
    (
        "role-not-trusting",
        "Publisher",
        {"Publisher.AssumeRolePolicyDocument.Statement.0.Principal.Service": "sns.amazonaws.com"},
    ),
    ("sender-may-not-send", "Sender", {f"{SEND}.0.Resource": sub("arn:aws:ssm:*::document/AWS-RunPatchBaseline")}),
    ("sender-may-not-send", "Sender", {f"{SEND}.0.Resource": sub("arn:aws:ssm:*:${AWS::AccountId}:document/*")}),
    (
        "sender-may-not-send",
        "Sender",
        {f"{SEND}.0.Condition": {"StringEquals": {"ssm:resourceTag/Environment": "demo"}}},
    ),
    ("sender-may-not-send", "Sender", {f"{SEND}.1.Action": ["ssm:ListCommands"]}),
    ("sender-may-not-send", "Sender", {"Task.TaskArn": "arn:aws:ssm:eu-west-1:123456789012:document/shared"}),
    ("publish-role-not-passed", "Sender", {f"{SEND}.2.Resource": att("EventRole")}),
    (
        "publish-role-not-passed",
        "Sender",
        {f"{SEND}.2.Condition": {"StringEquals": {"iam:PassedToService": "sns.amazonaws.com"}}},
    ),
    ("publish-role-not-passed", "Sender", {f"{SEND}.2.Resource": att("Publisher", "RoleId")}),
    ("publish-role-not-passed", "Sender", {f"{SEND}.2.Resource": "arn:aws:iam::123456789012:role/another"}),
    (
        "publish-role-not-passed",
        "Sender",
        {f"{SEND}.2": {"Effect": "Allow", "NotAction": ["ec2:*", "iam:*"], "Resource": "*"}},
    ),
    ("publish-role-not-passed", "Sender", {f"{SEND}.0": allow(["*"], "*"), f"{SEND}.2": NEITHER}),
    ("publish-role-not-passed", "Task", {"Task.ServiceRoleArn": GONE}),
    ("publish-role-not-passed", "Task", {f"{COMMAND}.ServiceRoleArn": GONE}),
    # Notifications.
    (
        "publisher-may-not-publish",
        "Publisher",
        {"Publisher.Policies.0.PolicyDocument.Statement.0.Resource": att("Output")},
    ),
    ("publisher-may-not-publish", "Publisher", {"Publisher.Policies.0.PolicyDocument": policy(PUBLISH)}),
    (
        "publisher-may-not-publish",
        "Publisher",
        {"Publisher.Policies.0.PolicyDocument.Statement.1.Action": ["kms:GenerateDataKey"]},
    ),
    ("event-not-delivered", "EventRole", {"EventRole.Policies": []}),
    ("event-not-delivered", "EventRole", {"EventRole": role("ssm.amazonaws.com", PUBLISH, USE_KEY)}),
    (
        "event-not-delivered",
        "Topic",
        {
            "EventRule.Targets.0.RoleArn": GONE,
            "Key.KeyPolicy.Statement.1.Principal": {"Service": ["cloudwatch.amazonaws.com", "events.amazonaws.com"]},
        },
    ),
    (
        "event-not-delivered",
        "Key",
        {
            "EventRule.Targets.0.RoleArn": GONE,
            "TopicPolicy.PolicyDocument.Statement.0.Principal": {"Service": [*CLOUDWATCH.values(), *EVENTS.values()]},
        },
    ),
    ("alarm-not-delivered", "Topic", {"TopicPolicy.PolicyDocument.Statement.0.Principal": EVENTS}),
    ("alarm-not-delivered", "Topic", {"TopicPolicy.PolicyDocument.Statement.0.Effect": "Deny"}),
    ("alarm-not-delivered", "Topic", {"TopicPolicy.PolicyDocument.Statement.0.Principal": GONE}),
    ("alarm-not-delivered", "Topic", {"Topic.KmsMasterKeyId": "alias/aws/sns"}),
    ("alarm-not-delivered", "Key", {"Key.KeyPolicy.Statement.1.Action": ["kms:Decrypt"]}),
    # Output.
    ("output-not-writable", "NodePolicy", {f"{COMMAND}.OutputS3KeyPrefix": "output"}),
    ("output-not-writable", "NodePolicy", {f"{COMMAND}.OutputS3KeyPrefix": "output"} | BUCKET_OF_ARN),
    (
        "output-not-writable",
        "NodePolicy",
        {
            f"{COMMAND}.OutputS3KeyPrefix": "output",
            "NodePolicy.PolicyDocument.Statement.0.Resource": ["arn:aws:s3:::another/*", sub("${Output.Arn}/out/*")],
        },
    ),
    ("output-not-writable", "NodePolicy", {"Scan.OutputLocation.S3Location.OutputS3KeyPrefix": "scan"}),
    ("output-not-writable", "NodePolicy", {"NodePolicy.PolicyDocument.Statement.2.Action": ["kms:Decrypt"]}),
    (
        "output-not-writable",
        "NodePolicy",
        {
            "NodePolicy.PolicyDocument.Statement.2.Action": ["kms:Decrypt"],
            "Key.KeyPolicy.Statement.0.Principal": {"AWS": ref("AWS::AccountId")},
        },
    ),
    (
        "output-not-writable",
        "NodePolicy",
        {
            f"{COMMAND}.OutputS3KeyPrefix": "output",
            "Machines": role("ssm.amazonaws.com", ManagedPolicyArns=[ref("NodePolicy"), CORE]),
        },
    ),
    (
        "output-not-writable",
        "NodePolicy",
        {
            f"{COMMAND}.OutputS3KeyPrefix": "output",
            "NodePolicy.PolicyDocument.Statement.0.Action": ["s3:GetObject", "s3:PutObject"],
        },
    ),
    (
        "log-not-writable",
        "NodePolicy",
        {"NodePolicy.PolicyDocument.Statement.1.Resource": sub(LOGS.replace("demo", "x"))},
    ),
    ("log-not-writable", "NodePolicy", {"Logs.LogGroupName": OF_STACK}),
    ("log-group-not-encrypted", "Logs", {"Key.KeyPolicy.Statement.2.Principal": CLOUDWATCH}),
    # Baselines.
    ("baseline-for-nobody", "Linux", {"Linux.PatchGroups": GONE}),
    ("baseline-for-nobody", "Windows", {"Windows.DefaultBaseline": False}),
    (
        "baselines-in-conflict",
        "Windows",
        {"Windows.OperatingSystem": "AMAZON_LINUX_2023", "Windows.PatchGroups": ["web"]},
    ),
    ("baselines-in-conflict", "Windows", {"Linux.OperatingSystem": GONE, "Linux.DefaultBaseline": True}),
    # Documents.
    (
        "association-installs-at-creation",
        "Scan",
        {"Scan.Parameters": {"Operation": ["Install"]}, "Scan.ApplyOnlyAtCronInterval": GONE},
    ),
    (
        "association-installs-at-creation",
        "Scan",
        {"Scan.Parameters": {"Operation": ["Install"]}, "Scan.ScheduleExpression": GONE},
    ),
    ("association-installs-at-creation", "Scan", INSTALLS_BY_A_DOCUMENT),
    ("parameters-refused", "Scan", {"Scan.Parameters.Operation": ["Scann"]}),
    ("parameters-refused", "Scan", {"Scan.Parameters": GONE}),
    ("parameters-refused", "Scan", {"Scan.Name": ref("Hook"), "Scan.Parameters": {"servce": ["web"]}}),
    ("parameters-refused", "Scan", {"Scan.Name": ref("Hook"), "Scan.Parameters": {"service": ["rm -rf"]}}),
    ("hook-not-runnable", "Hook", {"Hook.Content.parameters.service.default": GONE}),
    ("hook-not-runnable", "Hook", {"Hook.DocumentType": "Automation"}),
    (
        "document-not-a-command",
        "Task",
        {
            "Book": {"Type": "AWS::SSM::Document", "Properties": {"DocumentType": "Automation", "Content": {}}},
            "Task.TaskArn": ref("Book"),
            "Sender.Policies.0.PolicyDocument": SENT_TO_ALL,
        },
    ),
]

FINE: list[dict[str, Any]] = [
    # Windows.
    second_window("cron(0 5 ? * SUN *)"),
    second_window("rate(1 hour)"),
    second_window(SOMETIMES),
    second_window(EndDate="2020-01-01T00:00:00Z"),
    {**second_window(), "Group.Targets.0.Values": ["Db"]},
    {**second_window(), "Group.Targets.0.Values": SOMETIMES},
    {**second_window(), "Group.Targets.0.Key": "tag:Role"},
    {**second_window(), f"Other{COMMAND}.Parameters": {"Operation": ["Scan"]}},
    {f"{COMMAND}.CloudWatchOutputConfig": GONE},
    {f"{COMMAND}.OutputS3BucketName": GONE},
    {**WITHOUT_OUTPUT, f"{COMMAND}.OutputS3BucketName": SOMETIMES},
    {**WITHOUT_OUTPUT, f"{COMMAND}.CloudWatchOutputConfig": {"CloudWatchOutputEnabled": SOMETIMES}},
    {"Task.TaskInvocationParameters": SOMETIMES},
    {"Task.TaskType": "AUTOMATION", "Task.Targets": GONE, "Task.TaskInvocationParameters": GONE, "Target": window("x")},
    {"Task.Targets": GIVEN},
    {"Task.Targets": [{"Key": "InstanceIds", "Values": ["i-0123456789abcdef0"]}], "Target": window("x")},
    {"Task.Targets.0.Values": [ref("Target"), ELSEWHERE], "Second": target("Window", "Batch")},
    SECOND_WINDOW,
    SECOND_WINDOW | {"OtherTask": TASK_OF_OTHER},
    {
        "Second": target("Window", "Batch"),
        "SecondTask": changed(GOOD, {"Task.Targets.0.Values": GIVEN})["Resources"]["Task"],
    },
    {"Second": target("Window", "Batch") | {"Condition": "Sometimes"}},
    {"Window.Cutoff": GIVEN},
    {"Window.Schedule": GIVEN},
    {"Window.Schedule": sub("cron(0 ${Given} ? * SUN *)")},
    {"Window.Schedule": "rate(7 days)", "Window.ScheduleTimezone": "Asia/Seoul"},
    {"Window.Schedule": "at(2027-01-01T00:00:00)", "Window.Duration": "24", "Window.Cutoff": "0"},
    # Roles.
    {"Task.ServiceRoleArn": "arn:aws:iam::123456789012:role/made-elsewhere"},
    {"Task.ServiceRoleArn": ELSEWHERE},
    {"Task.ServiceRoleArn": GONE, f"{COMMAND}.NotificationConfig": GONE, f"{COMMAND}.ServiceRoleArn": GONE},
    {"Sender.AssumeRolePolicyDocument.Statement.0.Principal.Service": ["ec2.amazonaws.com", "ssm.amazonaws.com"]},
    {"Sender.AssumeRolePolicyDocument.Statement.0.Principal.Service": sub("ssm.${AWS::URLSuffix}")},
    {"Sender.AssumeRolePolicyDocument": SOMETIMES},
    {
        "Sender.AssumeRolePolicyDocument": policy(
            {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ec2.amazonaws.com"}},
            {"Effect": "Allow", "Action": ["sts:AssumeRole"], "Principal": {"Service": "ssm.amazonaws.com"}},
        )
    },
    {"Task.TaskArn": "arn:aws:ssm:eu-west-1::document/AWS-RunPatchBaselineWithHooks"},
    {f"{SEND}.0": allow(["*"], "*"), f"{SEND}.2": NEITHER | {"Condition": {"Bool": {"aws:SecureTransport": "false"}}}},
    {f"{SEND}.0.Resource": "*"},
    {f"{SEND}.0.Resource": "arn:aws:ssm:eu-west-1::document/AWS-RunPatchBaseline*"},
    {f"{SEND}.0.Resource": {"Fn::Join": ["", ["arn:", ref("AWS::Partition"), ":ssm:*:*:document/", GIVEN]]}},
    {f"{SEND}.0.Action": ["ssm:Send*"], f"{SEND}.2.Action": "IAM:passrole"},
    {f"{SEND}.1.Resource": "*"},
    {f"{SEND}.0.Condition": {"StringEqualsIfExists": {"ssm:resourceTag/Environment": "demo"}}},
    {f"{SEND}.1.Resource": "arn:aws:ssm:*:*:managed-instance/*"},
    {"Sender.Policies": [], "Sender.ManagedPolicyArns": [ELSEWHERE]},
    {
        "Sender.Policies": [],
        "Sender.ManagedPolicyArns": ["arn:aws:iam::aws:policy/service-role/AmazonSSMMaintenanceWindowRole"],
    },
    {
        "Sender.Policies": [],
        "Grant": {"Type": "AWS::IAM::Policy", "Properties": {"Roles": [ref("Sender")], "PolicyDocument": SENT_TO_ALL}},
    },
    {
        "Sender.Policies": [],
        "Sender.ManagedPolicyArns": [ref("Grant")],
        "Grant": {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": SENT_TO_ALL}},
    },
    {f"{SEND}.2.Resource": sub("arn:aws:iam::${AWS::AccountId}:role/*")},
    {f"{SEND}.2.Condition.StringEquals": {"iam:PassedToService": ["ssm.amazonaws.com", "ec2.amazonaws.com"]}},
    {f"{SEND}.2": {"Effect": "Allow", "NotAction": ["ec2:*"], "Resource": "*"}},
    {
        "Grant": {
            "Type": "AWS::IAM::Policy",
            "Properties": {
                "Roles": [ref("Sender")],
                "PolicyDocument": policy(
                    allow(
                        ["iam:PassRole"],
                        att("Publisher"),
                        Condition={"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}},
                    )
                ),
            },
        }
    },
    {"Publisher.RoleName": "publisher", f"{SEND}.2.Resource": "arn:aws:iam::123456789012:role/publisher"},
    {f"{COMMAND}.ServiceRoleArn": ELSEWHERE, f"{SEND}.2.Resource": GIVEN},
    # Notifications.
    {"Publisher.Policies.0.PolicyDocument": policy(allow(["*"], "*"))},
    {
        "Publisher.Policies": [],
        "TopicPolicy.PolicyDocument.Statement.0.Principal": {"AWS": att("Publisher"), **CLOUDWATCH},
        "Key.KeyPolicy.Statement.1.Principal": {"AWS": att("Publisher"), **CLOUDWATCH},
    },
    {"Topic.KmsMasterKeyId": GIVEN, "Publisher.Policies.0.PolicyDocument": policy(PUBLISH)},
    {
        "Topic.KmsMasterKeyId": ref("Alias"),
        "Alias": {"Type": "AWS::KMS::Alias", "Properties": {"TargetKeyId": ref("Key")}},
    },
    {f"{COMMAND}.NotificationConfig.NotificationArn": "arn:aws:sns:eu-west-1:123456789012:elsewhere"},
    {
        "EventRule.Targets.0.RoleArn": GONE,
        "TopicPolicy.PolicyDocument.Statement.0.Principal": {"Service": [*CLOUDWATCH.values(), *EVENTS.values()]},
        "Key.KeyPolicy.Statement.1.Principal": {"Service": [*CLOUDWATCH.values(), *EVENTS.values()]},
    },
    {"EventRule.Targets.0": {"Id": "Elsewhere", "Arn": "arn:aws:lambda:eu-west-1:123456789012:function:f"}},
    {"TopicPolicy.PolicyDocument.Statement.0.Principal": "*"},
    {
        "TopicPolicy.PolicyDocument.Statement.0": allow(
            ["sns:Publish"], ref("Topic"), NotPrincipal={"AWS": "arn:aws:iam::123456789012:role/x"}
        )
    },
    {"TopicPolicy.Topics": [ELSEWHERE]},
    {"Key.KeyPolicy": GONE, "Alarm.AlarmActions": [], "Logs.KmsKeyId": GONE},
    {"Alarm.AlarmActions": [ELSEWHERE], "TopicPolicy.PolicyDocument.Statement.0.Effect": "Deny"},
    # Output.
    {f"{COMMAND}.OutputS3BucketName": "made-elsewhere"},
    {f"{COMMAND}.OutputS3KeyPrefix": GIVEN},
    {f"{COMMAND}.OutputS3KeyPrefix": "x", "Other": role("lambda.amazonaws.com", ManagedPolicyArns=[ref("NodePolicy")])},
    {f"{COMMAND}.OutputS3KeyPrefix": "x", "NodePolicy.Groups": ["administrators"]},
    {f"{COMMAND}.OutputS3KeyPrefix": "x", f"{COMMAND}.OutputS3BucketName": {"Fn::Select": [0, GIVEN]}},
    {
        f"{COMMAND}.OutputS3KeyPrefix": "x",
        f"{COMMAND}.OutputS3BucketName": {"Fn::Select": [5, {"Fn::Split": [":", GIVEN]}]},
    },
    BUCKET_OF_ARN,
    {
        f"{COMMAND}.OutputS3KeyPrefix": "x",
        "Target.Targets": [
            {"Key": "tag:Workload", "Values": ["Web"]},
            {"Key": "resource-groups:Name", "Values": ["web"]},
        ],
    },
    {
        "NodePolicy.PolicyDocument.Statement.2.Action": ["kms:Decrypt"],
        "Key.KeyPolicy.Statement.1.Principal": {"AWS": "arn:aws:iam::123456789012:role/nodes", **CLOUDWATCH},
    },
    {"NodePolicy": role("ec2.amazonaws.com")},
    {"NodePolicy.PolicyDocument.Statement.0.Resource": sub("${Output.Arn}/*")},
    {"NodePolicy.PolicyDocument.Statement.0.Resource": sub("arn:aws:s3:::${Output}/*")},
    {"NodePolicy.PolicyDocument.Statement.0.Resource": "*", f"{COMMAND}.OutputS3KeyPrefix": "elsewhere"},
    {"NodePolicy.PolicyDocument.Statement.2.Action": ["kms:Decrypt"], "Output.BucketEncryption": GONE},
    {f"{COMMAND}.CloudWatchOutputConfig.CloudWatchLogGroupName": GONE},
    {f"{COMMAND}.CloudWatchOutputConfig.CloudWatchLogGroupName": GIVEN},
    {"Logs.KmsKeyId": ELSEWHERE, "Key.KeyPolicy.Statement.2.Principal": CLOUDWATCH},
    # Baselines.
    {"Linux.PatchGroups": GIVEN},
    {"Windows.DefaultBaseline": SOMETIMES},
    {"Linux.PatchGroups": GONE, "Elsewhere": {"Type": "Custom::Groups", "Properties": {"Baseline": ref("Linux")}}},
    {"Windows.PatchGroups": ["web"]},
    {"Windows.OperatingSystem": GIVEN, "Windows.PatchGroups": ["web"]},
    {"Windows.OperatingSystem": "AMAZON_LINUX_2023", "Windows.PatchGroups": ["web"], "Windows.Condition": "x"}
    | {"Windows": {**GOOD["Resources"]["Windows"], "Condition": "Sometimes"}},
    # Documents.
    {"Scan.ApplyOnlyAtCronInterval": GONE},
    {"Scan.Parameters": {"Operation": ["Install"]}},
    {"Scan.Parameters": {"Operation": [GIVEN]}, "Scan.ApplyOnlyAtCronInterval": GONE},
    {"Scan.Parameters": {"Operation": ["Install"]}, "Scan.ApplyOnlyAtCronInterval": SOMETIMES},
    INSTALLS_BY_A_DOCUMENT | {"Scan.Parameters": {"Operation": ["Scan"]}},
    {"Scan.Parameters": {"Operation": ["Scan"], "InstallOverrideList": [sub("s3://${Output}/list.yaml")]}},
    {"Scan.Parameters": GIVEN},
    {"Scan.Name": "AWS-GatherSoftwareInventory", "Scan.Parameters": {"applications": ["Enabled"]}},
    {"Scan.Name": ref("Hook"), "Scan.Parameters": {"service": ["nginx"]}},
    {"Scan.Name": ref("Hook"), "Scan.Parameters": {"service": [GIVEN]}},
    {"Scan.Name": ref("Hook"), "Scan.Parameters": {"service": ["rm -rf", GIVEN]}},
    {f"{COMMAND}.Parameters.PreInstallHookDocName": ["made-elsewhere"]},
    {f"{COMMAND}.Parameters.PreInstallHookDocName": ["AWS-Noop"]},
    {"Hook.Content": GIVEN},
    {"Hook.Content.schemaVersion": "1.2"},
]

FLEET_BROKEN: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = [
    ("output-not-writable", "NodeRole", {f"{COMMAND}.OutputS3KeyPrefix": "output"}, {}),
    (
        "output-not-writable",
        "NodeRole",
        {
            f"{COMMAND}.OutputS3KeyPrefix": "output",
            "Task.Targets.0.Values": [ref("Second"), ref("Target")],
            "Second": target("Window", "Batch"),
        },
        {},
    ),
    ("output-not-writable", "NodeRole", {"NodePolicy.PolicyDocument.Statement.2.Action": ["kms:Decrypt"]}, {}),
    ("log-not-writable", "NodeRole", {"NodePolicy.PolicyDocument.Statement.1.Action": ["logs:CreateLogStream"]}, {}),
    ("node-out-of-reach", "Node", {}, {"SsmMessages": window("none")}),
    ("node-out-of-reach", "Node", {}, {"S3.RouteTableIds": ["rtb-0123456789abcdef0"]}),
    (
        "node-out-of-reach",
        "Node",
        {},
        {"Ssm.VpcId": "vpc-0123456789abcdef0", "Node.SubnetId": GONE}
        | {"Node.NetworkInterfaces": [{"DeviceIndex": "0", "SubnetId": ref("Subnet")}]},
    ),
]

FLEET_FINE: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (
        {"NodePolicy.PolicyDocument.Statement": []},
        {"NodeRole.ManagedPolicyArns.0": "arn:aws:iam::123456789012:policy/x"},
    ),
    ({"NodePolicy.PolicyDocument.Statement": [allow(["*"], "*")]}, {}),
    ({"NodePolicy.PolicyDocument.Statement": GIVEN}, {}),
    (
        {
            "NodePolicy.PolicyDocument.Statement": [allow(["logs:*"], "*"), USE_KEY],
            "Let": {
                "Type": "AWS::S3::BucketPolicy",
                "Properties": {
                    "Bucket": ref("Output"),
                    "PolicyDocument": policy(allow(["s3:PutObject"], sub("${Output.Arn}/*"), Principal={"AWS": "*"})),
                },
            },
        },
        {},
    ),
    (
        {"NodePolicy.PolicyDocument.Statement.0.Action": ["s3:GetObject"]},
        {"Node.Tags": [{"Key": "Workload", "Value": "Batch"}]},
    ),
    ({}, {"Ssm": window("none"), "Out": {"Type": "AWS::EC2::Route", "Properties": {"RouteTableId": ref("Table")}}}),
    ({}, {"Ssm": window("none"), "Out": {"Type": "AWS::EC2::Route", "Properties": {"RouteTableId": GIVEN}}}),
    (
        {},
        {
            "Ssm": window("none"),
            "Out": {"Type": "AWS::EC2::VPNGatewayRoutePropagation", "Properties": {"RouteTableIds": [ref("Table")]}},
        },
    ),
    (
        {
            f"{COMMAND}.OutputS3KeyPrefix": "x",
            "Target.Targets": [{"Key": "tag:Workload", "Values": ["Web"]}, GIVEN],
        },
        {},
    ),
    ({}, {"Ssm": window("none"), "Node.SubnetId": "subnet-0123456789abcdef0"}),
    ({}, {"Ssm": window("none"), "Node.IamInstanceProfile": GONE}),
    ({}, {"Ssm": window("none"), "TableOfSubnet": window("x")}),
    ({}, {"Ssm.ServiceName": GIVEN}),
]
