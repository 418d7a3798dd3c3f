"""Everything that patches: output, notifications, baselines, the scan and the windows."""

from __future__ import annotations

from aws_cdk import CfnOutput, Stack
from constructs import Construct
from constructs.dispatch_role import DispatchRole
from constructs.encryption_key import EncryptionKey
from constructs.install_window import InstallWindow
from constructs.node_policy import NodePolicy
from constructs.notification_topic import NotificationTopic
from constructs.output_bucket import OutputBucket
from constructs.patch_baseline import PatchBaseline
from constructs.scan_association import ScanAssociation

from patching.deployment import OUTPUT_PREFIX, Output
from patching.policy import Policy


class PatchingStack(Stack):
    """Patches the nodes of one environment, by their tags."""

    def __init__(self, scope: Construct, id: str, *, policy: Policy) -> None:  # noqa: A002 CDK's own name
        deployment = policy.deployment
        super().__init__(
            scope,
            id,
            stack_name=deployment.patching_stack,
            description=f"Patching of the environment {policy.environment}",
        )
        keep = policy.output.keep_on_destroy

        key = EncryptionKey(self, "Key", alias=deployment.name("output"), keep_on_destroy=keep).key
        output = OutputBucket(
            self,
            "Output",
            key=key,
            prefix=OUTPUT_PREFIX,
            retention_days=policy.output.retention_days,
            keep_on_destroy=keep,
        )
        notifications = NotificationTopic(
            self, "Notifications", name=deployment.name("notifications"), key=key, emails=policy.notifications.emails
        )
        self.node_policy = NodePolicy(self, "NodePolicy", name=deployment.name("node"), output=output).policy

        for name, baseline in policy.baselines.items():
            PatchBaseline(
                self,
                f"Baseline-{name}",
                baseline=baseline.patch_baseline(deployment.name(name)),
                patch_groups=baseline.patch_groups,
            )

        ScanAssociation(
            self,
            "Scan",
            name=deployment.name("scan"),
            schedule=policy.scan.schedule,
            targets=policy.scan_targets,
            rate_control=policy.scan.rate_control,
            environment=policy.environment,
            output=output,
            run_at_deployment=policy.scan.run_at_deployment,
            compliance_severity=policy.scan.compliance_severity,
        )

        if policy.install:
            self._windows(policy, output, notifications)

        for name, value in (
            (Output.BUCKET, output.bucket.bucket_name),
            (Output.TOPIC, notifications.topic.topic_arn),
            (Output.PUBLISH_ROLE, notifications.publish_role.role_arn),
        ):
            CfnOutput(self, str(name), value=value)

    def _windows(self, policy: Policy, output: OutputBucket, notifications: NotificationTopic) -> None:
        """Make the windows, and the one role as which all of them send."""
        window_role = DispatchRole(
            self, "WindowRole", environment=policy.environment, description="Maintenance windows install as this role"
        ).role
        notifications.grant_pass_publish_role(window_role)
        for name, install in policy.install.items():
            InstallWindow(
                self,
                f"Install-{name}",
                name=policy.deployment.name(name),
                schedule=install.window_schedule,
                duration_hours=install.duration_hours,
                cutoff_hours=install.cutoff_hours,
                targets=policy.install_targets(name),
                rate_control=install.rate_control,
                task=install.task,
                role=window_role,
                output=output,
                notifications=notifications,
            )
