"""Everything that patches: output, notifications, baselines, documents, associations and windows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aws_cdk import CfnOutput, Fn, Stack
from constructs import Construct
from constructs.command_alarms import CommandAlarms
from constructs.command_document import CommandDocument
from constructs.dispatch_role import DispatchRole
from constructs.encryption_key import EncryptionKey
from constructs.event_notifications import association_failures, compliance_changes
from constructs.hybrid_role import HybridRole
from constructs.node_association import NodeAssociation
from constructs.node_policy import NodePolicy
from constructs.notification_topic import NotificationTopic, Subscribers
from constructs.operator_policy import OperatorPolicy
from constructs.output_bucket import OutputBucket
from constructs.output_log import OutputLog
from constructs.patch_baseline import PatchBaseline
from constructs.patching_dashboard import PatchingDashboard

from patching.deployment import OUTPUT_PREFIX, Output
from patching.install_override_list import OverrideListLocation
from patching.policy import Policy
from patching.policy.associations import Association
from patching.run_patch_baseline import DOCUMENT_NAME, RunPatchBaseline
from stacks.windows import Means, add_events, add_windows, batches


class PatchingStack(Stack):
    """Patches the nodes of one environment, by their tags."""

    def __init__(self, scope: Construct, id: str, *, policy: Policy) -> None:  # noqa: A002 CDK's own name
        super().__init__(
            scope,
            id,
            stack_name=policy.deployment.patching_stack,
            description=f"Patching of the environment {policy.environment}",
        )
        self._policy = policy
        self._name = policy.deployment.name
        keep = policy.output.keep_on_destroy

        self._key = EncryptionKey(self, "Key", alias=self._name("output"), keep_on_destroy=keep).key
        self.output = OutputBucket(
            self,
            "Output",
            key=self._key,
            prefix=OUTPUT_PREFIX,
            retention_days=policy.output.retention_days,
            keep_on_destroy=keep,
        )
        log = self._log() if any(install.cloudwatch_logs for install in policy.install.values()) else None
        told = policy.notifications
        notifications = NotificationTopic(
            self,
            "Notifications",
            name=self._name("notifications"),
            key=self._key,
            subscribers=Subscribers(told.emails, told.queues, told.functions, told.urls),
        )
        node_policy = NodePolicy(
            self,
            "NodePolicy",
            name=self._name("node"),
            output=self.output,
            log=log,
            override_lists=[arn for arn, location in self.override_lists.items() if not location.public],
        )
        self.node_policy = node_policy.policy

        baselines = self._baselines()
        for name, document in policy.documents.items():
            CommandDocument(self, f"Document-{name}", name=self._name(name), content=document.content)
        associations = self._associations()
        events = {}
        if told.association_failures:
            events["AssociationFailures"] = association_failures(associations)
        if told.compliance_changes:
            events["ComplianceChanges"] = compliance_changes(baselines)
        self.means = self._means(notifications, log) if policy.install else None
        if self.means:
            events |= add_windows(self, policy, batches(policy)[0], self.means)
        add_events(self, policy, events, notifications)
        self._watch(notifications)
        operators = self._operators(notifications)

        outputs = {
            Output.BUCKET: self.output.name,
            Output.TOPIC: notifications.arn,
            Output.PUBLISH_ROLE: notifications.publish_role_arn,
            Output.NODE_POLICY: self.node_policy.managed_policy_arn,
            Output.OPERATOR_POLICY: operators.policy.managed_policy_arn,
        }
        if policy.hybrid:
            outputs[Output.ACTIVATION] = self._hybrid()
        for name, value in outputs.items():
            CfnOutput(self, str(name), value=value)

    @property
    def override_lists(self) -> dict[str, OverrideListLocation]:
        """The objects that the windows name as override lists, by their ARNs."""
        tasks = (self._policy.install_task(name) for name in self._policy.install)
        lists = [OverrideListLocation.parse(task.override_list) for task in tasks if task.override_list]
        return {f"arn:{self.partition}:s3:::{one.bucket}/{one.key}": one for one in lists}

    def _log(self) -> OutputLog:
        return OutputLog(
            self,
            "OutputLog",
            # A kept group stays when the environment goes: one that is deployed again must not want its name.
            name=f"/patchops/{self._policy.environment}/{_own_part(self.stack_id)}",
            key=self._key,
            retention_days=self._policy.output.retention_days,
            keep_on_destroy=self._policy.output.keep_on_destroy,
        )

    def _baselines(self) -> list[str]:
        """Make the baselines; return their ids."""
        return [
            PatchBaseline(
                self,
                f"Baseline-{name}",
                baseline=self._policy.patch_baseline(name),
                patch_groups=baseline.patch_groups,
            ).resource.ref
            for name, baseline in self._policy.baselines.items()
        ]

    def _associations(self) -> list[str]:
        """Make the associations; return their ids."""
        policy = self._policy
        made = [self._association(policy.scan, "Scan", "scan", DOCUMENT_NAME, RunPatchBaseline.scan().to_api())]
        if policy.inventory:
            made.append(
                self._association(policy.inventory, "Inventory", "inventory", "AWS-GatherSoftwareInventory", {})
            )
        if policy.agent_updates:
            made.append(
                self._association(policy.agent_updates, "AgentUpdates", "agent-updates", "AWS-UpdateSSMAgent", {})
            )
        return made

    def _association(
        self, part: Association, child: str, name: str, document: str, parameters: Mapping[str, Sequence[str]]
    ) -> str:
        return NodeAssociation(
            self,
            child,
            name=self._name(name),
            document=document,
            parameters=parameters,
            schedule=part.schedule,
            targets=self._policy.scan_targets,
            rate_control=part.rate_control,
            environment=self._policy.environment,
            output=self.output,
            run_at_deployment=part.run_at_deployment,
            compliance_severity=part.compliance_severity,
            calendars=part.calendars,
        ).resource.attr_association_id

    def _means(self, notifications: NotificationTopic, log: OutputLog | None) -> Means:
        """Make the one role as which all windows send."""
        documents = dict.fromkeys(self._policy.install_task(name).document for name in self._policy.install)
        role = DispatchRole(
            self,
            "WindowRole",
            environment=self._policy.environment,
            documents=list(documents),
            description="Maintenance windows install as this role",
        )
        notifications.grant_pass_publish_role(role.policy)
        return Means(role, self.output, notifications, log)

    def _watch(self, notifications: NotificationTopic) -> None:
        monitoring = self._policy.monitoring
        alarms: list[str] = []
        if monitoring and monitoring.alarms:
            made = CommandAlarms(self, "Alarms", name=self._name("commands"), notifications=notifications).alarms
            alarms = [alarm.attr_arn for alarm in made]
        if monitoring and monitoring.dashboard:
            PatchingDashboard(
                self,
                "Dashboard",
                name=self._name("dashboard"),
                environment=self._policy.environment,
                windows=[f"{name}: {install.in_words()}" for name, install in self._policy.install.items()],
                alarms=alarms,
            )

    def _operators(self, notifications: NotificationTopic) -> OperatorPolicy:
        policy = self._policy
        used = dict.fromkeys(policy.install_task(name).document for name in policy.install)
        return OperatorPolicy(
            self,
            "Operators",
            name=self._name("operator"),
            environment=policy.environment,
            documents=list(dict.fromkeys((DOCUMENT_NAME, *used, *policy.document_names.values()))),
            stack_name=policy.deployment.patching_stack,
            output=self.output,
            notifications=notifications,
            trusted=policy.operators.trusted,
            require_mfa=policy.operators.require_mfa,
        )

    def _hybrid(self) -> str:
        return HybridRole(
            self,
            "HybridRole",
            name=self._name("hybrid"),
            node_policy=self.node_policy,
            tags=self._policy.hybrid_tags,
        ).command


def _own_part(stack_id: str) -> str:
    """Return a part of a stack's id that no other stack of this name has had or will have."""
    return Fn.select(0, Fn.split("-", Fn.select(2, Fn.split("/", stack_id))))
