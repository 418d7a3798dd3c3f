"""Clients that people use, unmodified, each with nodes in a Region of its own."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.lab.aws.clients.install import FOLDER, is_installed
from tests.lab.aws.world import Connect

if TYPE_CHECKING:
    from lab.aws.server import LocalAws
else:
    LocalAws = Any  # imports moto, which takes seconds

ONE_PROCESS = """
import contextlib, io, json, sys
from awscli.clidriver import create_clidriver
for line in sys.stdin:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = create_clidriver().main(json.loads(line))
    print(json.dumps([code, out.getvalue(), err.getvalue()]), flush=True)
"""
"""The AWS CLI's own main, once for each line: starting it takes longer than what it does."""


@dataclass
class Client:
    """A client that is installed, in one Region of the local AWS.

    Attributes:
        bin: folder of its programs.
        environment: with which they run.
        region: the Region.
        nodes: ids of the nodes there, all with the tag Workload=Prod.
    """

    bin: Path
    environment: dict[str, str]
    region: str
    nodes: list[str]

    def run(self, program: str, *arguments: str | Path, codes: tuple[int, ...] = (0,)) -> str:
        """Run a program of it, and return what it writes to its standard output."""
        ended = subprocess.run(
            [self.bin / program, *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert ended.returncode in codes, ended.stdout + ended.stderr
        return ended.stdout


Installed = Callable[..., Client]


@pytest.fixture(scope="session")
def installed(local_aws: LocalAws, launch: Callable[..., list[str]], tmp_path_factory: Any) -> Installed:
    """Take a client by its name, with nodes in a Region that no other test uses."""

    def take(name: str, region: str, nodes: int = 2) -> Client:
        if not is_installed(name):
            pytest.skip(f"{name} is not installed; make clients installs it, or says why it cannot be")
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path_factory.mktemp(name)),
            "AWS_ENDPOINT_URL": local_aws.url,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_DEFAULT_REGION": region,
        }
        return Client(FOLDER / name / "bin", environment, region, launch(region, nodes, Workload="Prod"))

    return take


Aws = Callable[..., Any]


@pytest.fixture(scope="session")
def aws_cli(installed: Installed) -> Client:
    return installed("aws-cli", "eu-central-2")


@pytest.fixture(scope="session")
def aws(aws_cli: Client) -> Iterator[Aws]:
    """Run the AWS CLI: `aws("ssm list-documents", "--max-items", "5")`, and read the JSON that it writes."""
    process = subprocess.Popen(
        [aws_cli.bin / "python", "-c", ONE_PROCESS],
        env=aws_cli.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin
    assert process.stdout
    requests, answers = process.stdin, process.stdout

    def run(command: str, *arguments: str, code: int = 0) -> Any:
        print(json.dumps([*command.split(), *arguments]), file=requests, flush=True)
        ended, out, err = json.loads(answers.readline())
        assert ended == code, out + err
        if code:
            return err
        try:
            return json.loads(out) if out.strip() else None
        except ValueError:
            return out.strip()

    yield run
    requests.close()
    answers.close()
    process.wait(10)


@dataclass(frozen=True)
class Told:
    """Where output and notifications go: a bucket, and a topic with a queue that keeps what it is told."""

    bucket: str
    topic: str
    queue: str
    role: str


@pytest.fixture(scope="session")
def told(connect: Connect, aws_cli: Client, roles: dict[str, str]) -> Told:
    region = aws_cli.region
    connect("s3", region).create_bucket(
        Bucket="clients-output", CreateBucketConfiguration={"LocationConstraint": region}
    )
    topic = connect("sns", region).create_topic(Name="clients")["TopicArn"]
    sqs = connect("sqs", region)
    queue = sqs.create_queue(QueueName="clients")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    connect("sns", region).subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    allow = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "sns.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": arn,
            }
        ],
    }
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": json.dumps(allow)})
    return Told("clients-output", topic, queue, roles["sender"])
