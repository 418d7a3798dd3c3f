"""Every action that a policy of ours allows is one without which something stops working, or has its reason here."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterator
from datetime import date
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from ops import teardown
from ops.session import Session
from patching.policy_file import parse_policy
from tests.cdk import synthesize
from tests.lab.aws.deployed import Deployed
from tests.lab.aws.world import Connect

pytestmark = pytest.mark.xdist_group("local-aws")

REGION = "ap-northeast-2"
POLICY = """
environment: least
fleet:
  nodes:
    - name: web
      operating_system: AMAZON_LINUX_2023
      tags: {PatchGroup: web}
baselines:
  linux: {operating_system: AMAZON_LINUX_2023, patch_groups: [web], rules: [{}]}
scan: {schedule_utc: rate(1 hour), run_at_deployment: true}
documents: {before: before.yaml}
install:
  hooked:
    targets: {PatchGroup: web}
    schedule: rate(1 hour)
    duration_hours: 1
    hooks: {pre_install: before}
    cloudwatch_logs: true
  listed:
    targets: {PatchGroup: web}
    schedule: rate(1 hour)
    duration_hours: 1
    override_list: s3://least-lists/urgent.yaml
notifications: {queues: ["arn:aws:sqs:ap-northeast-2:123456789012:told"]}
output: {keep_on_destroy: false}
"""
HOOK = """
schemaVersion: "2.2"
mainSteps:
  - name: before
    action: aws:runShellScript
    inputs: {runCommand: [echo before]}
"""
LET_IN = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": f"arn:aws:sqs:{REGION}:123456789012:told",
        }
    ],
}
"""The queue's own policy, which is its owner's matter."""
FOLLOWING = "what AWS's own example of a window's role has, to follow the command; the lab does not ask for it"
REASONS = {
    **{
        (role, f"ssm:{action}"): FOLLOWING
        for role in ("ScanDispatchRolePolicy", "WindowRolePolicy")
        for action in ("CancelCommand", "GetCommandInvocation", "ListCommandInvocations", "ListCommands")
    },
    ("node", "s3:GetEncryptionConfiguration"): "the agent asks for the bucket's encryption before it writes",
    ("node", "kms:Decrypt"): "what S3 needs for an output so large that it is uploaded in parts; the lab's are small",
}
"""Actions that nothing in the lab misses, by policy, with why they are there."""


class World:
    """A deployed environment of which an hour passes again and again."""

    def __init__(self, connect: Connect, advance: Callable[..., Any]) -> None:
        self._connect = connect
        self._advance = advance
        self._ssm = connect("ssm", REGION)
        self.queue = connect("sqs", REGION).create_queue(QueueName="told", Attributes={"Policy": json.dumps(LET_IN)})[
            "QueueUrl"
        ]

    def hour(self) -> dict[str, Any]:
        """Let an hour pass, in which the scan and both windows run, and return what was to be seen of it."""
        before = (self._keys(), self._streams(), self._commands())
        self._advance(minutes=60)
        keys, streams, commands = self._keys() - before[0], self._streams() - before[1], self._commands() - before[2]
        return {
            "commands": sorted((document, status) for _, document, status in commands),
            "output": sorted({key.split("/")[-2] for key in keys}),
            "objects": len(keys) > 0,
            "streams": len(streams) > 0,
            "told": sorted(self._messages()),
            "scan": self._scan(),
            "windows": self._windows(),
        }

    def empty(self) -> None:
        """Delete what the bucket holds, as `make destroy` does."""
        teardown.empty(cast("Session", SimpleNamespace(s3=self._connect("s3", REGION))), self._bucket)

    @cached_property
    def _bucket(self) -> str:
        found = self._connect("s3", REGION).list_buckets()["Buckets"]
        (name,) = [one["Name"] for one in found if one["Name"].startswith("patchops-least")]
        return str(name)

    def _keys(self) -> set[str]:
        pages = self._connect("s3", REGION).get_paginator("list_objects_v2").paginate(Bucket=self._bucket)
        return {one["Key"] for page in pages for one in page.get("Contents", [])}

    def _streams(self) -> set[str]:
        pages = self._connect("logs", REGION).get_paginator("describe_log_streams")
        found = pages.paginate(logGroupName="/patchops/least")
        return {one["logStreamName"] for page in found for one in page["logStreams"]}

    def _commands(self) -> set[tuple[str, str, str]]:
        pages = self._ssm.get_paginator("list_commands").paginate()
        return {
            (one["CommandId"], one["DocumentName"], one["StatusDetails"]) for page in pages for one in page["Commands"]
        }

    def _messages(self) -> set[str]:
        """Return the first words of what was told."""
        sqs, found = self._connect("sqs", REGION), set()
        while messages := sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get("Messages", []):
            for one in messages:
                text = json.loads(one["Body"])["Message"]
                found.add(json.loads(text).get("summary", "Run Command"))
                sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=one["ReceiptHandle"])
        return found

    def _scan(self) -> str:
        (one,) = self._ssm.list_associations()["Associations"]
        return str(one["Overview"]["Status"])

    def _windows(self) -> list[str]:
        windows = self._ssm.describe_maintenance_windows()["WindowIdentities"]
        found = []
        for one in sorted(windows, key=lambda window: window["Name"]):
            runs = self._ssm.describe_maintenance_window_executions(WindowId=one["WindowId"])["WindowExecutions"]
            found.append(str(max(runs, key=lambda run: run["StartTime"])["Status"]))
        return found


@pytest.fixture(scope="module")
def least(
    connect: Connect, advance: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[World, dict[str, dict[str, Any]]]]:
    """The environment, and the policies of its roles by their ARNs."""
    folder: Path = tmp_path_factory.mktemp("least")
    (folder / "before.yaml").write_text(HOOK, encoding="utf-8")
    policy = parse_policy(POLICY, folder=folder, today=date(2026, 11, 23))
    s3 = connect("s3", REGION)
    s3.create_bucket(Bucket="least-lists", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(Bucket="least-lists", Key="urgent.yaml", Body=b"patches: [{id: bash.x86_64}]")
    world = World(connect, advance)
    deployed = Deployed(connect("cloudformation", REGION), connect("ssm", REGION), policy, synthesize(policy))
    deployed.deploy()
    arns = [
        one["PhysicalResourceId"]
        for stack in ("patching", "fleet")
        for one in connect("cloudformation", REGION).describe_stack_resources(StackName=f"patchops-least-{stack}")[
            "StackResources"
        ]
        if one["ResourceType"] == "AWS::IAM::ManagedPolicy" and "operator" not in one["PhysicalResourceId"]
    ]
    iam = connect("iam", REGION)
    yield world, {arn: document_of(iam, arn) for arn in arns}
    world.empty()
    deployed.destroy()


def document_of(iam: Any, arn: str) -> dict[str, Any]:
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    document = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
    return dict(json.loads(document) if isinstance(document, str) else document)


def put(iam: Any, arn: str, document: dict[str, Any]) -> None:
    """Make this the policy's document; it keeps one version only."""
    old = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=json.dumps(document), SetAsDefault=True)
    iam.delete_policy_version(PolicyArn=arn, VersionId=old)


def kind(arn: str) -> str:
    """Return the part of a policy's name that says whose it is."""
    return re.sub(r"[0-9A-F]{8}-[0-9A-Z]+$", "", arn).rpartition("-")[2]


def without_each(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the document without each action of each statement in turn."""
    for index, statement in enumerate(document["Statement"]):
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        for action in actions:
            changed = copy.deepcopy(document)
            changed["Statement"][index]["Action"] = [one for one in actions if one != action]
            if not changed["Statement"][index]["Action"]:
                del changed["Statement"][index]
            yield action, changed


def test_without_any_action_something_stops_working(
    least: tuple[World, dict[str, dict[str, Any]]], connect: Connect
) -> None:
    world, documents = least
    iam = connect("iam", REGION)
    world.hour()
    whole = world.hour()
    assert whole["told"] == ["A maintenance window opened or ended", "Run Command"]
    assert whole["windows"] == ["SUCCESS", "SUCCESS"]
    assert whole["streams"]
    superfluous = set()
    for arn, document in documents.items():
        for action, changed in without_each(document):
            put(iam, arn, changed)
            if world.hour() == whole:
                superfluous.add((kind(arn), action))
            put(iam, arn, document)
    assert world.hour() == whole
    assert superfluous == set(REASONS)
