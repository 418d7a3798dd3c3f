"""A lab that is saved, killed and loaded is the one that it was, and goes on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from lab import saved_file
from lab.errors import LabError
from lab.local_aws import ROOT, LocalAws
from tests.lab.aws.world import trust

pytestmark = pytest.mark.xdist_group("saved-state")

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
    ("lambda", "list_functions", {}),
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


def connect(aws: LocalAws) -> Callable[[str], Any]:
    def client(service: str) -> Any:
        return boto3.client(  # type: ignore[call-overload]
            service,
            endpoint_url=aws.url,
            region_name=REGION,
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
            config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
        )

    return client


def build(aws: LocalAws) -> str:
    """Make something of everything, let a day go by, and return the id of a window that opens every day."""
    client = connect(aws)
    aws.populate(16)
    iam = client("iam")
    sender = iam.create_role(RoleName="sender", AssumeRolePolicyDocument=trust("ssm.amazonaws.com"))["Role"]["Arn"]
    everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    iam.put_role_policy(RoleName="sender", PolicyName="all", PolicyDocument=json.dumps(everything))
    client("s3").create_bucket(Bucket="output")
    client("s3").put_object(Bucket="output", Key="mine", Body=b"mine")
    key = client("kms").create_key()["KeyMetadata"]["KeyId"]
    client("kms").create_alias(AliasName="alias/mine", TargetKeyId=key)
    queue = client("sqs").create_queue(QueueName="told")["QueueUrl"]
    arn = client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    topic = client("sns").create_topic(Name="told")["TopicArn"]
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
    move(aws, days=1)
    return str(window)


def node(ssm: Any) -> str:
    return str(ssm.describe_instance_information(MaxResults=5)["InstanceInformationList"][0]["InstanceId"])


def move(aws: LocalAws, **by: float) -> None:
    aws.advance(datetime.fromisoformat(aws.status()["now"]) + timedelta(**by))


def answers(aws: LocalAws) -> dict[str, Any]:
    """Ask for every list, and for what is told of one node, object and window."""
    client = connect(aws)
    found: dict[str, Any] = {}
    for service, operation, arguments in LISTS:
        reply = getattr(client(service), operation)(**arguments)
        found[f"{service}:{operation}"] = {key: value for key, value in reply.items() if key != "ResponseMetadata"}
    ssm = client("ssm")
    one = node(ssm)
    found["states"] = ssm.describe_instance_patch_states(InstanceIds=[one])["InstancePatchStates"]
    found["patches"] = ssm.describe_instance_patches(InstanceId=one)["Patches"]
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


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any], str]:
    """A save, what its lab answered, and a window of it. The lab was killed, while somebody saved it a second time."""
    process, aws = start("--port", "0")
    try:
        window = build(aws)
        file = tmp_path_factory.mktemp("saved") / "lab.save"
        aws.chaos({"slow": 0.5, "seed": 3})
        aws.save(file)
        known = answers(aws)
        os.kill(aws.pid, signal.SIGKILL)
        with pytest.raises(LabError):
            aws.save(file)
    finally:
        stop(process)
    return file, known, window


@pytest.fixture(scope="module")
def loaded(saved: tuple[Path, dict[str, Any], str]) -> Iterator[LocalAws]:
    process, aws = start("--load", str(saved[0]))
    yield aws
    stop(process)


def test_everything_answers_the_same(loaded: LocalAws, saved: tuple[Path, dict[str, Any], str]) -> None:
    known, now = saved[1], answers(loaded)
    assert now.keys() == known.keys()
    different = [key for key in known if now[key] != known[key]]
    assert different == []
    assert known["ssm:list_commands"]["Commands"]
    assert known["s3:list_objects_v2"]["KeyCount"] > 16


def test_windows_and_associations_still_fire(loaded: LocalAws, saved: tuple[Path, dict[str, Any], str]) -> None:
    ssm, window = connect(loaded)("ssm"), saved[2]
    before = len(saved[1][window])
    commands = len(saved[1]["ssm:list_commands"]["Commands"])
    move(loaded, days=2)
    executions = ssm.describe_maintenance_window_executions(WindowId=window)["WindowExecutions"]
    assert len(executions) == before + 2
    assert {one["Status"] for one in executions} == {"SUCCESS"}
    assert len(ssm.list_commands()["Commands"]) == commands + 4


def test_new_things_can_be_made(loaded: LocalAws) -> None:
    client = connect(loaded)
    ec2 = client("ec2")
    subnet = next(one for one in ec2.describe_subnets()["Subnets"] if one["CidrBlock"] == "10.9.1.0/24")["SubnetId"]
    image = ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
    made = ec2.run_instances(ImageId=image, MinCount=2, MaxCount=2, SubnetId=subnet)["Instances"]
    assert len({one["PrivateIpAddress"] for one in made}) == 2
    assert loaded.populate(5) == 5
    client("cloudformation").delete_stack(StackName="mine")
    assert client("cloudformation").describe_stacks()["Stacks"] == []


def test_a_save_that_cannot_be_written_leaves_the_last_one_whole(
    loaded: LocalAws, saved: tuple[Path, dict[str, Any], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = saved[0]
    before = file.read_bytes()

    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("lab.saved_file.os.fsync", fail)
    with pytest.raises(LabError, match=r"lab\.save: cannot be written: No space left on device"):
        loaded.save(file)
    assert file.read_bytes() == before
    assert list(file.parent.iterdir()) == [file]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: b"", "not a save of the lab"),
        (lambda data: b"PK\x03\x04", "not a save of the lab"),
        (lambda data: data[:-1], "the save is damaged"),
        (lambda data: data[:-1] + bytes([data[-1] ^ 1]), "the save is damaged"),
        (
            lambda data: data.replace(b'"format": 1', b'"format": 9', 1),
            "a save of format 9; this version of patchops reads",
        ),
    ],
)
def test_what_is_no_whole_save_is_refused_on_one_line(
    saved: tuple[Path, dict[str, Any], str], tmp_path: Path, change: Callable[[bytes], bytes], message: str
) -> None:
    file = tmp_path / "broken"
    file.write_bytes(change(saved[0].read_bytes()))
    with pytest.raises(LabError, match=message) as error:
        saved_file.read(file)
    assert "\n" not in str(error.value)
    assert str(error.value).startswith(f"{file}: ")


def test_the_command_saves_and_says_how_far_the_clock_moved(
    loaded: LocalAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from cli import main  # noqa: PLC0415 imports the whole of it

    ssm = connect(loaded)("ssm")
    monkeypatch.setattr("lab.local_aws.required", lambda: loaded)
    loaded.pace(speed=1)
    ssm.send_command(
        DocumentName="AWS-RunPatchBaseline", InstanceIds=[node(ssm)], Parameters={"Operation": ["Install"]}
    )
    monkeypatch.setattr("sys.argv", ["patchops", "lab", "save", str(tmp_path / "again.save")])
    with pytest.raises(SystemExit) as ended:
        main.main()
    assert not ended.value.code
    moved, saved_to = capsys.readouterr().err.splitlines()
    assert moved.startswith("the clock moved from ")
    assert saved_to.startswith(f"saved to {tmp_path}/again.save (")
    saved_file.read(tmp_path / "again.save")
