"""A lab with something of everything to be saved, and what it answers."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, partial
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from lab.local_aws import ROOT, LocalAws
from tests.lab.aws.ssm.test_ssm_operations import READS
from tests.lab.aws.world import SCAN, automation, custom_inventory, launching, machine, make_roles
from tests.lab.aws.world import build as world_of

REGION = "us-east-1"
Server = tuple[subprocess.Popen[str], LocalAws]
LISTS: list[tuple[str, str, dict[str, Any]]] = [
    ("ec2", "describe_instances", {}),
    ("ec2", "describe_images", {"Owners": ["amazon"]}),
    ("ec2", "describe_vpcs", {}),
    ("ec2", "describe_subnets", {}),
    ("ec2", "describe_security_groups", {}),
    ("ec2", "describe_network_interfaces", {}),
    ("ec2", "describe_route_tables", {}),
    ("ec2", "describe_tags", {}),
    ("iam", "list_roles", {}),
    ("iam", "list_instance_profiles", {}),
    ("iam", "get_role_policy", {"RoleName": "sender", "PolicyName": "all"}),
    ("s3", "list_buckets", {}),
    ("s3", "list_objects_v2", {"Bucket": "output"}),
    ("sns", "list_topics", {}),
    ("sns", "list_subscriptions", {}),
    ("sqs", "list_queues", {}),
    ("kms", "list_keys", {}),
    ("kms", "list_aliases", {}),
    ("logs", "describe_log_groups", {}),
    ("events", "list_rules", {}),
    ("cloudwatch", "describe_alarms", {}),
    ("cloudformation", "describe_stacks", {}),
    ("ssm", "describe_instance_information", {"MaxResults": 50}),
    ("ssm", "describe_patch_baselines", {}),
    ("ssm", "describe_patch_groups", {}),
    ("ssm", "list_commands", {}),
    ("ssm", "list_command_invocations", {"Details": True}),
    ("ssm", "list_associations", {}),
    ("ssm", "describe_maintenance_windows", {}),
    ("ssm", "list_compliance_summaries", {}),
    ("ssm", "list_resource_compliance_summaries", {}),
    ("ssm", "list_documents", {"Filters": [{"Key": "Owner", "Values": ["Self"]}]}),
    ("ssm", "describe_parameters", {}),
]


def start(*arguments: str) -> Server:
    process = subprocess.Popen(
        [sys.executable, "-m", "lab.aws.server", "--speed", "100000", "--with-parent", *arguments],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    said = json.loads(process.stdout.readline())
    return process, LocalAws(said["url"], said["pid"])


def stop(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def connect(aws: LocalAws) -> Callable[..., Any]:
    @cache
    def client(service: str, region: str = REGION) -> Any:
        return boto3.client(  # type: ignore[call-overload]
            service,
            endpoint_url=aws.url,
            region_name=region,
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
            config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
        )

    return client


Arguments = dict[str, dict[str, Any]]


def build(aws: LocalAws) -> tuple[str, Arguments]:
    """Make something of everything, let a day go by, and leave a window open and a runbook and a command running.

    Return the id of a window that opens every day, and what to ask of each operation of Systems Manager that reads.
    """
    client = connect(aws)
    aws.populate(16)
    arns = make_roles(client)
    sender = arns["sender"]
    world = world_of(client, arns, launching(client), partial(move, aws), partial(aws.register, image="ROCKY_LINUX"))
    custom_inventory(world)
    machine(world)
    world.ssm.put_compliance_items(
        ResourceId=world.nodes[0],
        ResourceType="ManagedInstance",
        ComplianceType="Custom:Backup",
        ExecutionSummary={"ExecutionTime": datetime.fromisoformat(aws.status()["now"])},
        Items=[{"Id": "1", "Title": "Backup", "Severity": "HIGH", "Status": "NON_COMPLIANT"}],
    )
    asked = {operation: make(world) for operation, make in READS.items()}
    asked["describe_activations"] = asked["describe_automation_executions"] = {}
    client("s3").put_object(Bucket="output", Key="mine", Body=b"mine")
    key = client("kms").create_key()["KeyMetadata"]["KeyId"]
    client("kms").create_alias(AliasName="alias/mine", TargetKeyId=key)
    queue = client("sqs").create_queue(QueueName="told")["QueueUrl"]
    arn = client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    topic = client("sns").create_topic(Name="heard")["TopicArn"]
    client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    client("logs").create_log_group(logGroupName="mine")
    client("events").put_rule(Name="mine", EventPattern=json.dumps({"source": ["aws.ssm"]}))
    resources = {"Topic": {"Type": "AWS::SNS::Topic"}}
    client("cloudformation").create_stack(StackName="mine", TemplateBody=json.dumps({"Resources": resources}))
    vpc = client("ec2").create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    client("ec2").create_subnet(VpcId=vpc, CidrBlock="10.9.1.0/24")
    ssm = client("ssm")
    ssm.put_parameter(Name="/mine", Value="1", Type="String")
    steps = [{"action": "aws:runShellScript", "name": "one", "inputs": {"runCommand": ["ls"]}}]
    content = json.dumps({"schemaVersion": "2.2", "mainSteps": steps})
    ssm.create_document(Name="Mine", Content=content, DocumentType="Command")
    ssm.create_association(
        Name="AWS-RunPatchBaseline",
        Parameters={"Operation": ["Scan"]},
        Targets=[{"Key": "tag:Environment", "Values": ["lab"]}],
        ScheduleExpression="rate(1 day)",
        MaxConcurrency="50%",
        OutputLocation={"S3Location": {"OutputS3BucketName": "output"}},
    )
    window = ssm.create_maintenance_window(
        Name="daily", Schedule="cron(0 3 * * ? *)", Duration=2, Cutoff=1, AllowUnassociatedTargets=True
    )["WindowId"]
    ssm.register_task_with_maintenance_window(
        WindowId=window,
        TaskArn="AWS-RunPatchBaseline",
        TaskType="RUN_COMMAND",
        ServiceRoleArn=sender,
        Targets=[{"Key": "InstanceIds", "Values": [node(ssm)]}],
        MaxConcurrency="1",
        MaxErrors="0",
        TaskInvocationParameters={"RunCommand": {"Parameters": {"Operation": ["Install"]}}},
    )
    client("cloudwatch").put_metric_alarm(
        AlarmName="mine",
        Namespace="AWS/SSM-RunCommand",
        MetricName="CommandsSucceeded",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=0,
        ComparisonOperator="GreaterThanThreshold",
    )
    move(aws, days=1)
    # The window opens at three, and nothing goes on by itself before the save.
    aws.pace(speed=0.001)
    now = datetime.fromisoformat(aws.status()["now"])
    aws.advance(now.replace(hour=3, minute=0, second=5) + timedelta(days=now.hour >= 3))
    asked["get_automation_execution"] = {"AutomationExecutionId": automation(world)}
    ssm.send_command(InstanceIds=world.nodes[:2], **SCAN)
    return str(window), asked


def node(ssm: Any) -> str:
    return str(ssm.describe_instance_information(MaxResults=5)["InstanceInformationList"][0]["InstanceId"])


def move(aws: LocalAws, **by: float) -> dict[str, Any]:
    return aws.advance(datetime.fromisoformat(aws.status()["now"]) + timedelta(**by))


def answers(aws: LocalAws, asked: Arguments) -> dict[str, Any]:
    """Ask every operation of Systems Manager that reads, other services for their lists, and the lab."""
    client = connect(aws)
    found: dict[str, Any] = {}
    for service, operation, arguments in LISTS:
        reply = getattr(client(service), operation)(**arguments)
        found[f"{service}:{operation}"] = {key: value for key, value in reply.items() if key != "ResponseMetadata"}
    ssm = client("ssm")
    for operation, arguments in asked.items():
        pages = ssm.get_paginator(operation).paginate if ssm.can_paginate(operation) else None
        reply = pages(**arguments).build_full_result() if pages else getattr(ssm, operation)(**arguments)
        found[f"ssm.{operation}"] = {key: value for key, value in reply.items() if key != "ResponseMetadata"}
    found["object"] = client("s3").get_object(Bucket="output", Key="mine")["Body"].read()
    written = found["s3:list_objects_v2"]["Contents"][0]["Key"]
    found["output"] = client("s3").get_object(Bucket="output", Key=written)["Body"].read()
    for window in ssm.describe_maintenance_windows()["WindowIdentities"]:
        reply = ssm.describe_maintenance_window_executions(WindowId=window["WindowId"])
        found[window["WindowId"]] = reply["WindowExecutions"]
    found["events"] = aws.events()
    found["chaos"] = aws.chaos()
    state = aws.status()
    found["regions"] = state["regions"]
    found["now"] = state["now"]
    text = json.dumps(found, default=str).replace(aws.url, "")
    return dict(json.loads(text))


@contextmanager
def killing_at(aws: LocalAws, size: int) -> Iterator[LocalAws]:
    """Stand between a client and the server, and kill the server once it has answered with so many bytes."""
    _, _, port = aws.url.rpartition(":")
    with socket.create_server(("127.0.0.1", 0)) as door:

        def relay() -> None:
            client, _ = door.accept()
            with client, socket.create_connection(("127.0.0.1", int(port))) as server:
                asked = b""
                while not asked.endswith(b"\r\n\r\n{}"):  # the headers come first, and the body may come later
                    asked += client.recv(65_536)
                server.sendall(asked)
                said = b""
                while len(said) < size:
                    said += server.recv(65_536)
                os.kill(aws.pid, signal.SIGKILL)
                client.sendall(said)

        thread = threading.Thread(target=relay, daemon=True)
        thread.start()
        yield LocalAws(f"http://127.0.0.1:{door.getsockname()[1]}", aws.pid)
        thread.join(10)


@dataclass(frozen=True)
class Saved:
    """A save of a lab that had something of everything.

    Attributes:
        file: the save.
        known: what the lab answered, when what ran had come to its end.
        window: a window that opens every day.
        running: what ran when it was saved.
        asked: what was asked of each operation.
    """

    file: Path
    known: dict[str, Any]
    window: str
    running: dict[str, str]
    asked: Arguments


def running(aws: LocalAws, window: str, asked: Arguments) -> dict[str, str]:
    """Return the status of a runbook, of a window's last opening and of the last command."""
    ssm = connect(aws)("ssm")
    runbook = ssm.get_automation_execution(**asked["get_automation_execution"])["AutomationExecution"]
    opening = ssm.describe_maintenance_window_executions(WindowId=window)["WindowExecutions"][0]
    command = ssm.list_commands()["Commands"][0]
    return {
        "runbook": runbook["AutomationExecutionStatus"],
        "window": opening["Status"],
        "command": command["Status"],
    }
