"""An account with something in every corner, for the tests of what the local AWS answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.lab.aws.replies import Replies

Connect = Callable[..., Any]

SCAN = {"DocumentName": "AWS-RunPatchBaseline", "Parameters": {"Operation": ["Scan"]}}
FLEET = [{"Key": "tag:Fleet", "Values": ["a"]}]
NOBODY = [{"Key": "tag:Fleet", "Values": ["none"]}]
NODES = 11
CALENDAR = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nX-CALENDAR-TYPE:DEFAULT_OPEN\r\nEND:VCALENDAR\r\n"
GONE = "01234567-89ab-cdef-0123-456789abcdef"


@dataclass
class World:
    """An account with something in every corner, and more of it than fits on one page."""

    ssm: Any
    s3: Any
    nodes: list[str]
    command: str
    baseline: str
    spare: str
    window: str
    target: str
    task: str
    execution: str
    task_execution: str
    association: str
    association_execution: str
    sender: str
    calendar: str
    replies: Replies
    advance: Callable[..., dict[str, Any]]
    register: Callable[..., str]


def task_of(window: str, target: str, sender: str) -> dict[str, Any]:
    return {
        "WindowId": window,
        "TaskArn": "AWS-RunPatchBaseline",
        "TaskType": "RUN_COMMAND",
        "Targets": [{"Key": "WindowTargetIds", "Values": [target]}],
        "ServiceRoleArn": sender,
        "MaxConcurrency": "1",
        "MaxErrors": "0",
        "Priority": 1,
        "Name": "scan",
        "Description": "Scan nobody",
        "CutoffBehavior": "CANCEL_TASK",
        "TaskInvocationParameters": {
            "RunCommand": {
                "Parameters": {"Operation": ["Scan"]},
                "OutputS3BucketName": "output",
                "OutputS3KeyPrefix": "runs",
                "DocumentVersion": "$DEFAULT",
                "ServiceRoleArn": sender,
                "NotificationConfig": {
                    "NotificationArn": "arn:aws:sns:us-east-1:123456789012:gone",
                    "NotificationEvents": ["All"],
                    "NotificationType": "Command",
                },
            }
        },
    }


def window_named(name: str) -> dict[str, Any]:
    return {
        "Name": name,
        "Description": "A window",
        "Schedule": "rate(1 hour)",
        "ScheduleTimezone": "Europe/Berlin",
        "Duration": 2,
        "Cutoff": 1,
        "AllowUnassociatedTargets": False,
    }


def make_roles(connect: Connect) -> dict[str, str]:
    """The ARNs of two roles: `node`, with an instance profile of that name, and `sender`, which may do everything."""
    iam = connect("iam")
    arns = {}
    for name, service in (("node", "ec2.amazonaws.com"), ("sender", "ssm.amazonaws.com")):
        arns[name] = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust(service))["Role"]["Arn"]
    everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    for name in arns:
        iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=json.dumps(everything))
    iam.create_instance_profile(InstanceProfileName="node")
    iam.add_role_to_instance_profile(InstanceProfileName="node", RoleName="node")
    return arns


def launching(connect: Connect) -> Callable[..., list[str]]:
    """Return what launches instances of an old Amazon Linux in a Region, with tags, and returns their ids."""

    def run(region: str, count: int = 1, **tags: str) -> list[str]:
        name = "/aws/service/ecs/optimized-ami/amazon-linux-2023/al2023-ami-ecs-hvm-2023.0.20251108-kernel-6.1-x86_64"
        image = connect("ssm", region).get_parameter(Name=f"{name}/image_id")["Parameter"]["Value"]
        ec2 = connect("ec2", region)
        described = [{"Key": key, "Value": value} for key, value in {"Fleet": "a", **tags}.items()]
        made = [
            ec2.run_instances(
                ImageId=image,
                MinCount=1,
                MaxCount=1,
                IamInstanceProfile={"Name": "node"},
                TagSpecifications=[{"ResourceType": "instance", "Tags": described}],
            )
            for _ in range(count)
        ]
        return [one["Instances"][0]["InstanceId"] for one in made]

    return run


def build(
    connect: Connect,
    roles: dict[str, str],
    launch: Callable[..., list[str]],
    advance: Callable[..., dict[str, Any]],
    register: Callable[..., str],
) -> World:
    """Make everything, let eleven hours pass so that all of it has run, and switch the schedules off."""
    ssm, sender = connect("ssm"), roles["sender"]
    nodes = launch("us-east-1", NODES - 1, PatchGroup="prod", Name="web") + launch("us-east-1")
    connect("s3").create_bucket(Bucket="output")
    topic = connect("sns").create_topic(Name="told")["TopicArn"]
    rule = {
        "PatchFilterGroup": {"PatchFilters": [{"Key": "CLASSIFICATION", "Values": ["Security"]}]},
        "ApproveAfterDays": 0,
        "ComplianceLevel": "CRITICAL",
    }
    baselines = [
        ssm.create_patch_baseline(
            Name=name,
            OperatingSystem="AMAZON_LINUX_2023",
            Description="For tests",
            ApprovalRules={"PatchRules": [rule]},
            ApprovedPatches=["bash"],
            RejectedPatches=["curl*"],
            RejectedPatchesAction="BLOCK",
        )["BaselineId"]
        for name in ("prod", "spare")
    ]
    for group in ("prod", "other"):
        ssm.register_patch_baseline_for_patch_group(BaselineId=baselines[0], PatchGroup=group)
    ssm.create_document(Name="Freeze", Content=CALENDAR, DocumentType="ChangeCalendar", DocumentFormat="TEXT")
    command = ssm.send_command(
        **SCAN,
        Targets=FLEET,
        Comment="For tests",
        MaxConcurrency="100%",
        OutputS3BucketName="output",
        OutputS3KeyPrefix="runs",
        ServiceRoleArn=sender,
        NotificationConfig={"NotificationArn": topic, "NotificationEvents": ["All"], "NotificationType": "Command"},
    )["Command"]["CommandId"]
    association = ssm.create_association(
        Name="AWS-RunPatchBaseline",
        AssociationName="scan",
        Parameters={"Operation": ["Scan"]},
        Targets=FLEET,
        ScheduleExpression="rate(1 day)",
        ComplianceSeverity="HIGH",
        AssociationDispatchAssumeRole=sender,
        OutputLocation={"S3Location": {"OutputS3BucketName": "output", "OutputS3KeyPrefix": "scans"}},
    )["AssociationDescription"]["AssociationId"]
    ssm.create_association(Name="AWS-RunPatchBaseline", Parameters={"Operation": ["Scan"]}, InstanceId=nodes[0])
    window = ssm.create_maintenance_window(**window_named("main"))["WindowId"]
    for number in range(10):
        ssm.create_maintenance_window(**window_named(f"spare-{number}"))
    targets = [
        ssm.register_target_with_maintenance_window(
            WindowId=window, ResourceType="INSTANCE", Targets=NOBODY, Name=f"target-{number}", Description="Nobody"
        )["WindowTargetId"]
        for number in range(11)
    ]
    tasks = [
        ssm.register_task_with_maintenance_window(**task_of(window, targets[0], sender))["WindowTaskId"]
        for _ in range(11)
    ]
    advance(hours=11, minutes=10)
    ssm.start_associations_once(AssociationIds=[association])
    advance(minutes=10)
    for one in ssm.describe_maintenance_windows()["WindowIdentities"]:
        ssm.update_maintenance_window(WindowId=one["WindowId"], Enabled=False)
    execution = ssm.describe_maintenance_window_executions(WindowId=window)["WindowExecutions"][0]["WindowExecutionId"]
    return World(
        ssm=ssm,
        s3=connect("s3"),
        nodes=nodes,
        command=command,
        baseline=baselines[0],
        spare=baselines[1],
        window=window,
        target=targets[0],
        task=tasks[0],
        execution=execution,
        task_execution=ssm.get_maintenance_window_execution(WindowExecutionId=execution)["TaskIds"][0],
        association=association,
        association_execution=ssm.describe_association_executions(AssociationId=association)["AssociationExecutions"][
            0
        ]["ExecutionId"],
        sender=sender,
        calendar="Freeze",
        replies=Replies(ssm),
        advance=advance,
        register=register,
    )


def fresh_window(world: World) -> str:
    return str(world.ssm.create_maintenance_window(**window_named("fresh"))["WindowId"])


def fresh_association(world: World) -> str:
    made = world.ssm.create_association(Name="AWS-RunPatchBaseline", Parameters={"Operation": ["Scan"]}, Targets=NOBODY)
    return str(made["AssociationDescription"]["AssociationId"])


def activation(world: World) -> tuple[str, str, str]:
    """Make an activation, and return its id, its code and its role's name."""
    made = world.ssm.create_activation(IamRole="sender", DefaultInstanceName="rack")
    return made["ActivationId"], made["ActivationCode"], "sender"


def machine(world: World) -> str:
    """Register a machine outside of EC2, and return its id."""
    made, code, _ = activation(world)
    return world.register(made, code)


def rack() -> dict[str, Any]:
    """Return an inventory item of a type of our own."""
    return {
        "TypeName": "Custom:Rack",
        "SchemaVersion": "1.0",
        "CaptureTime": "2026-11-16T08:00:00Z",
        "Content": [{"Place": "7"}],
    }


def custom_inventory(world: World) -> str:
    """Put inventory of a type of our own, and return the type's name."""
    world.ssm.put_inventory(InstanceId=world.nodes[0], Items=[rack()])
    return str(rack()["TypeName"])


def deletion(world: World) -> str:
    """Delete inventory of a type of our own, and return the id of the deletion."""
    return str(world.ssm.delete_inventory(TypeName=custom_inventory(world))["DeletionId"])


def inventory_bucket(world: World) -> dict[str, Any]:
    """Return the bucket of the world, once Systems Manager may write to it, as a destination of a data sync."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "ssm.amazonaws.com"},
        "Action": ["s3:GetBucketAcl", "s3:PutObject"],
        "Resource": ["arn:aws:s3:::output", "arn:aws:s3:::output/*"],
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    world.s3.put_bucket_policy(Bucket="output", Policy=policy)
    return {"BucketName": "output", "Prefix": "inventory", "SyncFormat": "JsonSerDe", "Region": "us-east-1"}


def data_sync(world: World) -> str:
    """Have a data sync named fresh, and return its type."""
    if not any(one["SyncName"] == "fresh" for one in world.ssm.list_resource_data_sync()["ResourceDataSyncItems"]):
        world.ssm.create_resource_data_sync(SyncName="fresh", S3Destination=inventory_bucket(world))
    return "SyncToDestination"


def stopping() -> dict[str, Any]:
    """A runbook that stops an instance that is not there."""
    return {"DocumentName": "AWS-StopEC2Instance", "Parameters": {"InstanceId": ["i-0123456789abcdef0"]}}


def automation(world: World) -> str:
    return str(world.ssm.start_automation_execution(**stopping())["AutomationExecutionId"])


def finished_automation(world: World) -> str:
    made = automation(world)
    world.advance(minutes=5)
    return made


def waiting_automation(world: World) -> str:
    """Start a runbook that waits for a long time."""
    steps = [{"name": "wait", "action": "aws:sleep", "inputs": {"Duration": "P20D"}}]
    content = json.dumps({"schemaVersion": "0.3", "mainSteps": steps})
    if not world.ssm.list_documents(Filters=[{"Key": "Name", "Values": ["Waiting"]}])["DocumentIdentifiers"]:
        world.ssm.create_document(Name="Waiting", DocumentType="Automation", Content=content)
    return str(world.ssm.start_automation_execution(DocumentName="Waiting")["AutomationExecutionId"])


def error_code(call: Callable[[], Any]) -> str:
    """Return the code of the error that a call is answered with."""
    with pytest.raises(ClientError) as error:
        call()
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert error.value.response["Error"]["Message"]
    return error.value.response["Error"]["Code"]


def trust(service: str) -> str:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
