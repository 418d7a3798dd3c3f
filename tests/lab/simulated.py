"""An engine without a server: a cloud of dictionaries, a handful of patches, and a clock that the tests move."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, SupportsBytes

from lab.engine import Engine
from lab.nodes.node import ManagedNode
from lab.patches.catalogue import Catalogue
from lab.patches.catalogue_file import parse
from lab.records.command import Command, Invocation, Notification, StepRun
from lab.world import access
from lab.world.clock import Clock
from lab.world.cloud import Alarm, Instance, RuleTarget, StoredDocument, Topic
from patching.baseline import ApprovalRule, PatchBaseline, PatchFilter
from patching.operating_system import OperatingSystem
from patching.rate_control import RateControl
from patching.run_patch_baseline import RunPatchBaseline
from patching.targets import Targets

NODE_ROLE = "arn:aws:iam::123456789012:role/node"
SENDER = "arn:aws:iam::123456789012:role/sender"
PUBLISHER = "arn:aws:iam::123456789012:role/publisher"
TOPIC = "arn:aws:sns:us-east-1:123456789012:topic"
KEY = "arn:aws:kms:us-east-1:123456789012:key/1"
LEAVES_IT_TO_IAM = {
    "Statement": {
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
        "Action": "kms:*",
        "Resource": "*",
    }
}
"""The policy of a key as AWS makes it by default."""


def day(text: str) -> datetime:
    """Read `2026-03-15`, or `2026-03-15 18:30`, as UTC."""
    return datetime.fromisoformat(f"{text}+00:00" if ":" in text else f"{text} 00:00+00:00")


def _catalogue(system: str, image: str, **packages: Any) -> Catalogue:
    return parse(
        {
            "operating_system": system,
            "product": "Tiny",
            "platform_name": f"Tiny {system}",
            "platform_version": "1",
            "agent_version": "3.0.0.0",
            "images": [{"name": image, "parameters": [], "built": "2026-02-01T00:00:00Z"}],
            **packages,
        }
    )


def _release(version: str, released: str, classification: str = "", cve: str = "") -> dict[str, Any]:
    notice = {"classification": classification, "severity": "Important", "advisory": f"ADV-{version}"}
    return {
        "version": version,
        "released": f"{released}T00:00:00Z",
        **(notice if classification else {}),
        "cves": [cve] if cve else [],
    }


LINUX = _catalogue(
    "AMAZON_LINUX_2023",
    "linux",
    packages=[
        {
            "name": "tool",
            "arch": "x86_64",
            "releases": [
                _release("1.0-1", "2026-01-01"),
                _release("1.1-1", "2026-03-01", "Security", "CVE-0000-1"),
                _release("1.2-1", "2026-03-11", "Security", "CVE-0000-2"),
                _release("1.3-1", "2026-04-30", "Security", "CVE-0000-3"),
            ],
        },
        {
            "name": "plain",
            "arch": "noarch",
            "releases": [_release("1.0-1", "2026-01-01"), _release("1.1-1", "2026-03-01")],
        },
        {"name": "absent", "arch": "noarch", "releases": [_release("1.0-1", "2026-02-20", "Security")]},
    ],
)
UBUNTU = _catalogue(
    "UBUNTU",
    "ubuntu",
    packages=[
        {
            "name": name,
            "arch": "amd64",
            "section": "libs",
            "priority": "Required",
            "releases": [
                {"version": "1", "released": "2026-01-01T00:00:00Z"},
                {"version": "2", "released": "2026-03-14T00:00:00Z", "security": security},
            ],
        }
        for name, security in (("secure", True), ("feature", False))
    ],
)
WINDOWS = _catalogue(
    "WINDOWS",
    "windows",
    updates=[
        {
            "kb": f"KB{month}",
            "title": f"2026-0{month} Cumulative Update (KB{month})",
            "released": f"2026-0{month}-10T18:00:00Z",
            "classification": "SecurityUpdates",
            "severity": "Critical",
            "family": "Windows",
            "product": "Tiny",
            "supersedes": [f"KB{month - 1}"],
        }
        for month in (1, 2, 3)
    ],
)


def trusting(*services: str, **more: Any) -> dict[str, Any]:
    """Return a trust policy."""
    return {
        "Statement": {"Effect": "Allow", "Principal": {"Service": list(services)}, "Action": "sts:AssumeRole", **more}
    }


class FakeCloud:
    """An account in which everything is allowed until a test forbids it."""

    account = "123456789012"
    region = "us-east-1"

    def __init__(self) -> None:
        self.looks = 0
        self.running: dict[str, Instance] = {}
        self.policies: dict[str, list[dict[str, Any]]] = {}
        self.distrusted: set[str] = set()
        self.trust: dict[str, dict[str, Any]] = {}
        self.bucket_keys: dict[str, str] = {}
        self.bucket_policies: dict[str, dict[str, Any]] = {}
        self.topic_keys: dict[str, str] = {}
        self.topic_policy: dict[str, Any] = {"Statement": []}
        self.key_policies: dict[str, dict[str, Any]] = {}
        self.rules: list[tuple[str, RuleTarget]] = []
        """What is told of an event, with the type of the event."""
        self.objects: dict[str, str] = {}
        self.public: set[str] = set()
        self.documents: dict[str, StoredDocument] = {}
        self.logs: dict[str, dict[str, list[str]]] = {}
        self.metrics: list[tuple[str, str, dict[str, str], float]] = []
        self.alarmed: dict[str, Alarm] = {}
        self.groups: dict[str, list[str]] = {}
        self.messages: list[dict[str, Any]] = []
        self.subjects: list[str] = []

    def forbid(self, role: str, action: str, resource: str = "*") -> None:
        self._documents(role).append({"Statement": {"Effect": "Deny", "Action": action, "Resource": resource}})

    def _documents(self, role: str) -> list[dict[str, Any]]:
        everything = {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
        return self.policies.setdefault(role, [everything])

    def changes(self) -> int:
        self.looks += 1
        return self.looks

    def instances(self) -> Iterable[Instance]:
        return list(self.running.values())

    def change_state(self, instance_id: str, state: str) -> None:
        if state == "terminated":
            del self.running[instance_id]
        else:
            self.running[instance_id] = replace(self.running[instance_id], running=state == "running")

    def allowed(self, role: str, action: str, resource: str, context: Mapping[str, str] | None = None) -> bool:
        return bool(role) and access.allowed(self._documents(role), action, resource, context)

    def trusts(self, role: str, service: str, context: Mapping[str, str] | None = None) -> bool:
        document = self.trust.get(role, trusting("ssm.amazonaws.com", "events.amazonaws.com", "ec2.amazonaws.com"))
        return bool(role) and role not in self.distrusted and access.trusts(document, service, context)

    def bucket_key(self, bucket: str) -> str | None:
        return self.bucket_keys.get(bucket)

    def bucket_policy(self, bucket: str) -> Mapping[str, Any] | None:
        return self.bucket_policies.get(bucket, {"Statement": []}) if bucket == "output" else None

    def topic(self, topic: str) -> Topic | None:
        return Topic(self.topic_policy, self.topic_keys.get(topic, "")) if topic == TOPIC else None

    def key_policy(self, key: str) -> dict[str, Any] | None:
        return self.key_policies.get(key)

    def matching_targets(self, event: Mapping[str, Any]) -> Iterable[RuleTarget]:
        return [target for kind, target in self.rules if kind == event["detail-type"]]

    def put_object(self, bucket: str, key: str, body: SupportsBytes) -> None:
        if bucket != "output":
            raise KeyError(bucket)
        self.objects[key] = bytes(body).decode()

    def get_object(self, bucket: str, key: str) -> bytes:
        if bucket != "output":
            raise KeyError(f"bucket {bucket}")
        if key not in self.objects:
            raise KeyError(f"object {key}")
        return self.objects[key].encode()

    def is_public(self, bucket: str, key: str) -> bool:
        return key in self.public

    def document(self, name: str, version: str) -> StoredDocument | None:
        stored = self.documents.get(name)
        if stored and version not in ("", "$DEFAULT", "$LATEST", stored.version):
            return replace(stored, content="")
        return stored

    def put_metric(self, namespace: str, name: str, dimensions: Mapping[str, str], value: float) -> None:
        self.metrics.append((namespace, name, dict(dimensions), value))

    def alarms(self) -> Iterable[Alarm]:
        return list(self.alarmed.values())

    def alarm_state(self, name: str) -> str | None:
        return self.alarmed[name].state if name in self.alarmed else None

    def group_members(self, name: str) -> list[str] | None:
        return self.groups.get(name)

    def set_alarm_state(self, name: str, state: str, reason: str) -> None:
        self.alarmed[name] = replace(self.alarmed[name], state=state)

    def has_log_group(self, group: str) -> bool:
        return group in self.logs

    def put_log_events(self, group: str, stream: str, lines: Iterable[str]) -> None:
        self.logs.setdefault(group, {})[stream] = list(lines)

    def publish(self, topic: str, subject: str, message: str) -> None:
        if topic != TOPIC:
            raise KeyError(topic)
        self.messages.append(json.loads(message))
        self.subjects.append(subject)


class Lab:
    """An engine with its cloud and clock; on 15 March 2026 at first."""

    def __init__(self, *catalogues: Catalogue, start: str = "2026-03-15") -> None:
        self.cloud = FakeCloud()
        self.clock = Clock(day(start))
        self.engine = Engine(self.cloud, self.clock, catalogues=catalogues or (LINUX, UBUNTU, WINDOWS))

    def emitted(self, kind: str) -> list[dict[str, Any]]:
        """Return the details of the events of a type."""
        return [event["detail"] for event in self.engine.event_bus.events if event["detail-type"] == kind]

    @property
    def log(self) -> str:
        return "\n".join(entry.text for entry in self.engine.entries)

    def launch(self, image: str = "linux", role: str = NODE_ROLE, **tags: str) -> ManagedNode:
        """Start an instance with a tag `Fleet: a`, and return the node that it becomes."""
        number = len(self.cloud.running) + 1
        instance = Instance(f"i-{number:08x}", image, True, role, {"Fleet": "a", **tags}, f"10.0.0.{number}")
        self.cloud.running[instance.id] = instance
        node = self.engine.fleet.get(instance.id)
        assert node is not None
        return node

    def change(self, node: ManagedNode, **to: Any) -> None:
        """Change an instance, and have the fleet look at it."""
        self.cloud.running[node.id] = replace(self.cloud.running[node.id], **to)
        self.engine.fleet.nodes()

    def approve(self, *, delay: int = 0, group: str = "", **fields: Any) -> PatchBaseline:
        """Make a baseline for Linux that approves what has a notice, the default one unless it is for a group."""
        made = baseline(delay=delay, **fields)
        stored = self.engine.baselines.create(made, self.clock.now)
        if group:
            self.engine.baselines.register(stored.id, group)
        else:
            self.engine.baselines.set_default(stored.id)
        return made

    def send(
        self,
        task: RunPatchBaseline | None = None,
        rate: RateControl | None = None,
        targets: Targets | None = None,
        **more: Any,
    ) -> Command:
        """Send a command, without letting any time go by: an installation on all of the fleet, one node at a time."""
        task = task or RunPatchBaseline.install()
        return self.engine.run_command.send(
            document_name=task.document,
            parameters=task.to_api(),
            targets=targets or Targets.tag("Fleet", "a"),
            rate_control=rate or RateControl(1, 0),
            **more,
        )

    def run(
        self,
        task: RunPatchBaseline | None = None,
        rate: RateControl | None = None,
        targets: Targets | None = None,
        **more: Any,
    ) -> Command:
        """Send a command and let it come to its end."""
        command = self.send(task, rate, targets, **more)
        self.clock.finish_work()
        return command

    def add_document(self, name: str, *steps: dict[str, Any], **parameters: dict[str, Any]) -> None:
        """Give the account a document of these steps."""
        content = {"schemaVersion": "2.2", "parameters": parameters, "mainSteps": list(steps)}
        self.cloud.documents[name] = StoredDocument("Command", "1", json.dumps(content))

    def run_document(self, name: str, parameters: dict[str, list[str]] | None = None, **more: Any) -> Command:
        """Send a document to all of the fleet, and let the command come to its end."""
        given = {"targets": Targets.tag("Fleet", "a"), "rate_control": RateControl("100%", "100%"), **more}
        command = self.engine.run_command.send(document_name=name, parameters=parameters or {}, **given)
        self.clock.finish_work()
        return command

    def scan(self, node: ManagedNode) -> dict[str, str]:
        """Scan a node, and return the states of its packages."""
        self.run(RunPatchBaseline.scan(), targets=Targets.instances(node.id))
        return reported(node)


def shell(name: str, *commands: str, **inputs: Any) -> dict[str, Any]:
    """Return a step that runs these commands on Linux; `precondition` is a pair."""
    pair = inputs.pop("precondition", None)
    step = {"action": "aws:runShellScript", "name": name, "inputs": {"runCommand": list(commands) or ["ls"], **inputs}}
    return {**step, "precondition": {"StringEquals": list(pair)}} if pair else step


def went(command: Command) -> dict[str, str]:
    """Return how each step of a command went on its only node: its status, or `skipped`."""
    (only,) = invocations(command)
    return {step.name: "skipped" if step.skipped else str(step.status) for step in only.steps}


def step_of(command: Command, name: str) -> StepRun:
    """Return a step of a command on its only node."""
    (only,) = invocations(command)
    return next(step for step in only.steps if step.name == name)


def reported(node: ManagedNode) -> dict[str, str]:
    """Return the state that a node reported for each package, or for each update of Windows."""
    assert node.states is not None
    return {one.patch.name: one.state.value for one in node.states.reports}


def baseline(
    system: OperatingSystem = OperatingSystem.AMAZON_LINUX_2023,
    *,
    delay: int = 0,
    classifications: Iterable[str] = (),
    name: str = "test",
    **fields: Any,
) -> PatchBaseline:
    """Make a baseline of one rule."""
    given = {key: fields.pop(key) for key in ("enable_non_security", "compliance_level") if key in fields}
    values = tuple(classifications)
    filters = (PatchFilter("CLASSIFICATION", values),) if values else ()
    rule = ApprovalRule(filters, approve_after_days=delay, **given)
    return PatchBaseline(name=name, operating_system=system, rules=(rule,), **fields)


def notification(*events: str, per_invocation: bool = False) -> Notification:
    return Notification(TOPIC, events or ("All",), per_invocation, PUBLISHER)


def invocations(command: Command) -> list[Invocation]:
    return list(command.invocations.values())


def work_of(invocation: Invocation) -> StepRun:
    """Return the step that did the work on a node of Linux."""
    return next(step for step in invocation.steps if step.name == "PatchLinux")


def started(invocation: Invocation) -> datetime:
    moment = work_of(invocation).started
    assert moment is not None
    return moment


def ended(invocation: Invocation) -> datetime:
    moment = work_of(invocation).ended
    assert moment is not None
    return moment


def seconds(number: int) -> timedelta:
    return timedelta(seconds=number)


def fleet(lab: Lab, size: int, *, broken: tuple[int, ...] = ()) -> list[ManagedNode]:
    """Launch nodes that lack a patch; those of these numbers, from 0, cannot install it."""
    lab.approve()
    nodes = [lab.launch() for _ in range(size)]
    for number in broken:
        nodes[number].fault = "No space left on device"
    return nodes


def details(command: Command) -> list[str]:
    return [one.details for one in invocations(command)]
