"""Stacks with every construct in them, which the fixtures of these tests make once."""

from __future__ import annotations

from datetime import date
from functools import partial

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from constructs.command_alarms import CommandAlarms
from constructs.command_document import CommandDocument
from constructs.dispatch_role import DispatchRole
from constructs.encryption_key import EncryptionKey
from constructs.event_notifications import (
    EventNotifications,
    association_failures,
    compliance_changes,
    window_executions,
)
from constructs.fleet_network import FleetNetwork
from constructs.fleet_node import FleetNode
from constructs.hybrid_role import HybridRole
from constructs.install_window import InstallWindow
from constructs.node_association import NodeAssociation
from constructs.node_policy import NodePolicy
from constructs.node_role import NodeRole
from constructs.notification_topic import NotificationTopic, Subscribers
from constructs.operator_policy import OperatorPolicy
from constructs.output_bucket import OutputBucket
from constructs.output_log import OutputLog
from constructs.patch_baseline import PatchBaseline
from constructs.patching_dashboard import PatchingDashboard

from patching.baseline import (
    ApprovalRule,
    ComplianceLevel,
    PatchFilter,
    RejectedPatchesAction,
)
from patching.baseline import PatchBaseline as Baseline
from patching.open_times import OpenTimes
from patching.operating_system import OperatingSystem
from patching.policy.fleet import Network, NetworkKind
from patching.rate_control import RateControl
from patching.run_patch_baseline import Hooks, RunPatchBaseline
from patching.schedule import Schedule
from patching.targets import Targets
from tests.cdk import Resources, build

EVERYTHING = Baseline(
    "demo-everything",
    OperatingSystem.AMAZON_LINUX_2023,
    rules=(
        ApprovalRule((PatchFilter("SEVERITY", ("Critical",)),), 7, None, ComplianceLevel.CRITICAL),
        ApprovalRule(approve_until_date=date(2026, 1, 31), enable_non_security=True),
    ),
    global_filters=(PatchFilter("PRODUCT", ("*",)),),
    approved=("CVE-2025-0001",),
    approved_level=ComplianceLevel.HIGH,
    approved_non_security=True,
    rejected=("kernel*",),
    rejected_action=RejectedPatchesAction.BLOCK,
    description="Everything",
)


def _patching(stack: Stack, *, keep: bool) -> None:
    key = EncryptionKey(stack, "Key", alias="demo-key", keep_on_destroy=keep).key
    output = OutputBucket(stack, "Output", key=key, prefix="out", retention_days=45, keep_on_destroy=keep)
    notifications = NotificationTopic(
        stack,
        "Notifications",
        name="demo-topic",
        key=key,
        subscribers=Subscribers() if keep else Subscribers(emails=["a@example.com", "b@example.com"]),
    )
    NodePolicy(stack, "NodePolicy", name="demo-node", output=output)
    PatchBaseline(
        stack,
        "Baseline",
        baseline=Baseline("demo-little", OperatingSystem.UBUNTU, approved=("curl",)) if keep else EVERYTHING,
        patch_groups=["one", "two"],
    )
    NodeAssociation(
        stack,
        "Scan",
        name="demo-scan",
        document="AWS-RunPatchBaseline",
        parameters=RunPatchBaseline.scan().to_api(),
        schedule=Schedule.rate(1, "day") if keep else Schedule.cron("0 20 * * ? *"),
        targets=Targets.tag("Environment", "demo"),
        rate_control=RateControl("30%", "20%"),
        environment="demo",
        output=output,
        run_at_deployment=keep,
        compliance_severity=ComplianceLevel.HIGH,
    )
    role = DispatchRole(stack, "WindowRole", environment="demo", documents=["AWS-RunPatchBaseline"], description="demo")
    notifications.grant_pass_publish_role(role.policy)
    InstallWindow(
        stack,
        "Window",
        name="demo-window",
        times=OpenTimes(Schedule.cron("0 2 ? * TUE#2 *", timezone="Europe/Berlin", offset_days=0 if keep else 4), 5),
        cutoff_hours=2,
        targets=[Targets.tags({"Workload": ["Prod", "Test"], "Environment": "demo"})],
        rate_control=RateControl("10%", 3),
        task=RunPatchBaseline.install(reboot="NoReboot"),
        role=role,
        output=output,
        notifications=notifications,
    )


def patching() -> Resources:
    """Every construct that patches, once."""
    return build(lambda stack: _patching(stack, keep=False))


def kept() -> Resources:
    """The same with the other choice wherever there is one: kept on destroy, no e-mails, scanning at deployment."""
    return build(lambda stack: _patching(stack, keep=True))


SUBSCRIBERS = Subscribers(
    emails=["a@example.com"],
    queues=["arn:aws:sqs:eu-west-1:123456789012:patching"],
    functions=["arn:aws:lambda:eu-west-1:123456789012:function:patching"],
    urls=["https://hooks.example.com/patching"],
)
DRAIN = {
    "schemaVersion": "2.2",
    "description": "Takes the node out of service",
    "mainSteps": [{"action": "aws:runShellScript", "name": "drain", "inputs": {"runCommand": ["drain"]}}],
}


def _watched(stack: Stack) -> None:
    key = EncryptionKey(stack, "Key", alias="demo-key", keep_on_destroy=True).key
    output = OutputBucket(stack, "Output", key=key, prefix="out", retention_days=45, keep_on_destroy=True)
    log = OutputLog(stack, "Log", name="/demo", key=key, retention_days=45, keep_on_destroy=False)
    topic = NotificationTopic(stack, "Notifications", name="demo-topic", key=key, subscribers=SUBSCRIBERS)
    node = NodePolicy(
        stack,
        "NodePolicy",
        name="demo-node",
        output=output,
        log=log,
        override_lists=["arn:aws:s3:::lists/june.yaml"],
    )
    CommandDocument(stack, "Document", name="demo-drain", content=DRAIN)
    alarms = CommandAlarms(stack, "Alarms", name="demo-commands", notifications=topic)
    PatchingDashboard(
        stack,
        "Dashboard",
        name="demo-dashboard",
        environment="demo",
        windows=["prod: Sundays"],
        alarms=[one.attr_arn for one in alarms.alarms],
    )
    EventNotifications(
        stack,
        "Events",
        environment="demo",
        told={
            "Associations": association_failures(["scan-id", "inventory-id"]),
            "Compliance": compliance_changes(["pb-0123456789abcdef0"]),
            "Windows": window_executions([f"mw-{number:017x}" for number in range(120)]),
        },
        notifications=topic,
    )
    HybridRole(stack, "Hybrid", name="demo-hybrid", node_policy=node.policy, tags={"Role": "office", "Team": "A B"})
    for name, trusted, mfa in (
        ("Operators", ["arn:aws:iam::123456789012:role/ops", "arn:aws:iam::123456789012:root"], True),
        ("Colleagues", ["arn:aws:iam::123456789012:role/ops"], False),
        ("Nobody", [], True),
    ):
        OperatorPolicy(
            stack,
            name,
            name=f"demo-{name.lower()}",
            environment="demo",
            documents=["AWS-RunPatchBaseline", "demo-drain"],
            stack_name="demo-stack",
            output=output,
            notifications=topic,
            trusted=trusted,
            require_mfa=mfa,
        )
    role = DispatchRole(stack, "WindowRole", environment="demo", documents=["demo-drain"], description="demo")
    InstallWindow(
        stack,
        "Window",
        name="demo-window",
        description="Every Sunday",
        times=OpenTimes(Schedule.cron("0 2 ? * SUN *", timezone="Asia/Seoul"), 5, date(2026, 2, 1), date(2026, 3, 31)),
        cutoff_hours=0,
        cancel_at_cutoff=True,
        delivery_timeout_seconds=900,
        targets=[Targets.tag("Role", "web"), Targets.tag("Role", "db")],
        rate_control=RateControl(1, 0),
        task=RunPatchBaseline.install(hooks=Hooks(pre_install="demo-drain", on_exit="demo-drain")),
        role=role,
        output=output,
        notifications=topic,
        events=["Failed", "TimedOut"],
        per_node=False,
        log=log,
    )
    InstallWindow(
        stack,
        "Disabled",
        name="demo-disabled",
        times=OpenTimes(Schedule.rate(7, "days"), 1),
        cutoff_hours=0,
        targets=[Targets.tag("Role", "web")],
        rate_control=RateControl(1, 0),
        task=RunPatchBaseline.install(),
        role=role,
        output=output,
        notifications=topic,
        enabled=False,
    )


def watched() -> Resources:
    """What tells, watches and operates, with everyone who can be told."""
    return build(_watched)


NETWORKS = {
    "nat": Network(),
    "public": Network(kind=NetworkKind.PUBLIC),
    "isolated": Network(kind=NetworkKind.ISOLATED),
    "existing": Network(
        kind=NetworkKind.EXISTING,
        vpc_id="vpc-0123456789abcdef0",
        subnet_ids=["subnet-0123456789abcdef0"],
        availability_zones=["eu-west-1a"],
        internet=False,
    ),
}


def networks() -> dict[str, Resources]:
    """A network of every kind, with a node in it."""

    def make(stack: Stack, network: Network) -> None:
        made = FleetNetwork(
            stack,
            "Network",
            network=network,
            written_buckets=["arn:aws:s3:::written"],
            read_objects=["arn:aws:s3:::lists/june.yaml"],
            logs=True,
        )
        FleetNode(
            stack,
            "Node",
            name="demo-node",
            operating_system=OperatingSystem.AMAZON_LINUX_2023,
            image_parameter="/aws/service/ami-amazon-linux-latest/al2023",
            instance_type="t3.small",
            volume_gib=30,
            tags={},
            network=made,
            profile=iam.InstanceProfile.from_instance_profile_name(stack, "Profile", "node"),
        )

    return {kind: build(partial(make, network=network)) for kind, network in NETWORKS.items()}


def fleet() -> Resources:
    """A network with a node of each kind."""

    def make(stack: Stack) -> None:
        key = EncryptionKey(stack, "Key", alias="demo-key", keep_on_destroy=False).key
        output = OutputBucket(stack, "Output", key=key, prefix="out", retention_days=1, keep_on_destroy=False)
        policy = NodePolicy(stack, "NodePolicy", name="demo-node", output=output).policy
        network = FleetNetwork(stack, "Network", network=Network())
        profile = NodeRole(stack, "NodeRole", node_policy=policy).profile
        for name, system, image in (
            ("linux", OperatingSystem.AMAZON_LINUX_2023, "/aws/service/ami-amazon-linux-latest/al2023"),
            ("ecs", OperatingSystem.AMAZON_LINUX_2023, "/aws/service/ecs/optimized-ami/image_id"),
            ("ubuntu", OperatingSystem.UBUNTU, "/aws/service/canonical/ubuntu/ami-id"),
            ("windows", OperatingSystem.WINDOWS, "/aws/service/ami-windows-latest/2022"),
        ):
            FleetNode(
                stack,
                name,
                name=f"demo-{name}",
                operating_system=system,
                image_parameter=image,
                instance_type="t3.medium",
                volume_gib=42,
                tags={"Workload": "Prod", "PatchGroup": "demo-prod"},
                network=network,
                profile=profile,
            )

    return build(make)
