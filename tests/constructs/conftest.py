from __future__ import annotations

from datetime import date

import pytest
from aws_cdk import Stack
from constructs.dispatch_role import DispatchRole
from constructs.encryption_key import EncryptionKey
from constructs.fleet_network import FleetNetwork
from constructs.fleet_node import FleetNode
from constructs.install_window import InstallWindow
from constructs.node_association import NodeAssociation
from constructs.node_policy import NodePolicy
from constructs.node_role import NodeRole
from constructs.notification_topic import NotificationTopic, Subscribers
from constructs.output_bucket import OutputBucket
from constructs.patch_baseline import PatchBaseline

from patching.baseline import (
    ApprovalRule,
    ComplianceLevel,
    PatchFilter,
    RejectedPatchesAction,
)
from patching.baseline import PatchBaseline as Baseline
from patching.open_times import OpenTimes
from patching.operating_system import OperatingSystem
from patching.policy.fleet import Network
from patching.rate_control import RateControl
from patching.run_patch_baseline import RunPatchBaseline
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


@pytest.fixture(scope="session")
def patching() -> Resources:
    """Every construct that patches, once."""
    return build(lambda stack: _patching(stack, keep=False))


@pytest.fixture(scope="session")
def kept() -> Resources:
    """The same with the other choice wherever there is one: kept on destroy, no e-mails, scanning at deployment."""
    return build(lambda stack: _patching(stack, keep=True))


@pytest.fixture(scope="session")
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
