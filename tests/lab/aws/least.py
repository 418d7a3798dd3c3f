"""An environment with every kind of policy of ours in it, and what is to be seen of it in an hour.

It is deployed as the CDK would, and then looked at and changed within the process: an hour takes milliseconds.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from moto.cloudwatch.models import cloudwatch_backends
from moto.ec2.models import ec2_backends
from moto.iam.models import iam_backends
from moto.kms.models import kms_backends
from moto.logs.models import logs_backends
from moto.s3.models import s3_backends
from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends

from lab.aws.account.account import ACCOUNT
from lab.aws.server import LocalAws
from lab.engine import Engine
from lab.world.publishing import Delivery
from patching.policy_file import parse_policy
from tests.cdk import synthesize
from tests.lab.aws.deployed import Deployed
from tests.lab.aws.world import Connect

REGION = "ap-northeast-2"
ON_CALL = f"arn:aws:iam::{ACCOUNT}:role/on-call"
QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:told"
FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:told"
_POLICY = f"""
environment: least
fleet:
  network: {{kind: isolated}}
  nodes:
    - name: web
      operating_system: AMAZON_LINUX_2023
      tags: {{PatchGroup: web}}
hybrid: {{tags: {{PatchGroup: web}}}}
baselines:
  linux: {{operating_system: AMAZON_LINUX_2023, patch_groups: [web], rules: [{{}}]}}
scan: {{schedule_utc: rate(1 hour), run_at_deployment: true}}
documents: {{before: before.yaml}}
install:
  hooked:
    targets: {{PatchGroup: web}}
    schedule: rate(1 hour)
    duration_hours: 1
    hooks: {{pre_install: before}}
    cloudwatch_logs: true
  listed:
    targets: {{PatchGroup: web}}
    schedule: rate(1 hour)
    duration_hours: 1
    override_list: s3://least-lists/urgent.yaml
notifications: {{queues: ["{QUEUE}"], functions: ["{FUNCTION}"]}}
monitoring: {{alarms: true}}
operators: {{trusted: ["{ON_CALL}"]}}
output: {{keep_on_destroy: false}}
"""
_HOOK = """
schemaVersion: "2.2"
mainSteps:
  - name: before
    action: aws:runShellScript
    inputs: {runCommand: [echo before]}
"""
_LET_IN = {
    "Version": "2012-10-17",
    "Statement": {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": QUEUE,
    },
}
"""The queue's own policy, which is its owner's matter."""


@dataclass(frozen=True)
class Held:
    """A policy where moto keeps it.

    Attributes:
        kind: the type of the resource that it is of.
        name: the resource's logical id, without what the CDK adds to tell ids apart.
        holder: moto's object, which has the document.
        attribute: under this name, as text, bytes or a dictionary.
    """

    kind: str
    name: str
    holder: Any
    attribute: str

    @property
    def document(self) -> dict[str, Any]:
        kept = getattr(self.holder, self.attribute)
        if isinstance(kept, dict):
            return copy.deepcopy(kept)
        text = kept.decode() if isinstance(kept, bytes) else kept
        return dict(json.loads(text if text.lstrip().startswith("{") else unquote(text)))

    def put(self, document: dict[str, Any]) -> None:
        """Make this the policy, in the form in which moto keeps it."""
        kept, text = getattr(self.holder, self.attribute), json.dumps(document)
        form: Any = document if isinstance(kept, dict) else text.encode() if isinstance(kept, bytes) else text
        setattr(self.holder, self.attribute, form)


class World:
    """A deployed environment of which an hour passes again and again.

    Args:
        server: the local AWS.
        connect: makes clients of it.
        folder: an empty folder for the policy's documents.
    """

    def __init__(self, server: LocalAws, connect: Connect, folder: Path) -> None:
        self._plane = server.plane
        (folder / "before.yaml").write_text(_HOOK, encoding="utf-8")
        policy = parse_policy(_POLICY, folder=folder, today=date(2026, 11, 23))
        connect("sqs", REGION).create_queue(QueueName="told", Attributes={"Policy": json.dumps(_LET_IN)})
        s3 = connect("s3", REGION)
        s3.create_bucket(Bucket="least-lists", CreateBucketConfiguration={"LocationConstraint": REGION})
        s3.put_object(Bucket="least-lists", Key="urgent.yaml", Body=b"patches: [{id: bash.x86_64}]")
        self.stacks = synthesize(policy)
        self._cloudformation = connect("cloudformation", REGION)
        self._deployed = Deployed(self._cloudformation, connect("ssm", REGION), policy, self.stacks)
        self._deployed.deploy()
        (self.log_group,) = (physical for kind, _, physical in self.resources if kind == "AWS::Logs::LogGroup")
        # What runs every hour is done well before half past.
        with self._plane.engine(REGION) as engine:
            engine.clock.advance(engine.clock.now + timedelta(minutes=30))

    def destroy(self) -> None:
        """Empty the bucket, as `make destroy` does, and delete the stacks."""
        self._bucket.keys.clear()
        self._deployed.destroy()

    @property
    def resources(self) -> Iterator[tuple[str, str, str]]:
        """Yield the type, the logical id and the physical one of every resource that is deployed."""
        for stack in ("patching", "fleet"):
            found = self._cloudformation.describe_stack_resources(StackName=f"patchops-least-{stack}")
            for one in found["StackResources"]:
                logical = re.sub(r"(Resource)?[0-9A-F]{8}$", "", one["LogicalResourceId"])
                yield one["ResourceType"], logical, one["PhysicalResourceId"]

    @property
    def policies(self) -> Iterator[Held]:
        """Yield every policy that is deployed."""
        iam, ec2 = iam_backends[ACCOUNT]["aws"], ec2_backends[ACCOUNT][REGION]
        for kind, name, physical in self.resources:
            match kind:
                case "AWS::IAM::ManagedPolicy":
                    (version,) = iam.managed_policies[physical].versions
                    yield Held(kind, name, version, "document")
                case "AWS::IAM::Role":
                    yield Held(kind, name, iam.get_role(physical), "assume_role_policy_document")
                case "AWS::SNS::Topic":
                    yield Held(kind, name, sns_backends[ACCOUNT][REGION].topics[physical], "_policy_json")
                case "AWS::KMS::Key":
                    yield Held(kind, name, kms_backends[ACCOUNT][REGION].keys[physical], "policy")
                case "AWS::S3::Bucket":
                    yield Held(kind, name, self._bucket, "policy")
                case "AWS::EC2::VPCEndpoint" if "S3" in name:
                    yield Held(kind, name, ec2.vpc_end_points[physical], "policy_document")

    def held(self, kind: str, name: str = "") -> Held:
        """Return the one policy of a type and, if it is given, of a name."""
        (found,) = (one for one in self.policies if one.kind == kind and name in ("", one.name))
        return found

    def hour(self) -> dict[str, Any]:
        """Let an hour pass, in which the scan and both windows run and an alarm rings; return what was seen of it."""
        self._plane.changed()
        with self._plane.engine(REGION) as engine:
            commands, keys, streams = set(engine.run_command.commands), set(self._bucket.keys), self._streams
            engine.publishing.deliveries.clear()
            # Or moto would count all that were ever told, at each one.
            sqs_backends[ACCOUNT][REGION].queues["told"]._messages.clear()
            alarms = cloudwatch_backends[ACCOUNT][REGION]
            for state in ("ALARM", "OK"):
                alarms.set_alarm_state("patchops-least-commands-failed", "for a test", "{}", state)
            engine.clock.advance(engine.clock.now + timedelta(hours=1))
            return {
                "nodes": [node.online for node in engine.fleet.nodes()],
                "commands": sorted(
                    (one.document, one.details)
                    for command, one in engine.run_command.commands.items()
                    if command not in commands
                ),
                "output": sorted({key.split("/")[-2] for key in set(self._bucket.keys) - keys}),
                "streams": len(self._streams - streams) > 0,
                "told": sorted({_told(one) for one in engine.publishing.deliveries}),
                "scan": [one.executions[-1].status for one in engine.state_manager.associations.values()],
                "windows": _windows(engine),
            }

    @property
    def _bucket(self) -> Any:
        buckets = s3_backends[ACCOUNT]["aws"].buckets
        (name,) = [name for name in buckets if name.startswith("patchops-least")]
        return buckets[name]

    @property
    def _streams(self) -> set[str]:
        return set(logs_backends[ACCOUNT][REGION].groups[self.log_group].streams)


def _windows(engine: Engine) -> list[str]:
    found = sorted(engine.windows.windows.values(), key=lambda window: window.name)
    return [window.executions[-1].status for window in found]


def _told(delivery: Delivery) -> tuple[str, str, bool]:
    """Return the service that was told, what about, and whether it arrived."""
    told = json.loads(delivery.message)
    what = told.get("summary") or ("An alarm" if "AlarmName" in told else "Run Command")
    return delivery.to.split(":")[2], what, not delivery.problem
