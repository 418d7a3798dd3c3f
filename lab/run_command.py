"""Run Command: sends a document to nodes, under rate control, and tells how it went.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/send-commands-multiple.html,
https://docs.aws.amazon.com/systems-manager/latest/userguide/monitor-commands.html and
https://docs.aws.amazon.com/systems-manager/latest/userguide/monitoring-sns-notifications.html.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from lab import transcript
from lab.baselines import Baselines
from lab.clock import Clock
from lab.cloud import Cloud
from lab.command import Command, Invocation, Notification, Status, StepRun, iso
from lab.documents import Document, owned_by_aws
from lab.errors import ApiError
from lab.fleet import Fleet
from lab.ids import Ids
from lab.log_output import LogOutput
from lab.network import patching_refusal, s3_refusal
from lab.node import ManagedNode
from lab.patch_operation import PatchOperation
from lab.service_events import ServiceEvents
from patching.rate_control import RateControl
from patching.run_patch_baseline import DOCUMENT_NAME, STEPS, RunPatchBaseline
from patching.targets import Targets

SERVICE = "ssm.amazonaws.com"
_PICK_UP = timedelta(seconds=2)
"""How long a node takes to fetch a command."""

_LOOK_AGAIN = timedelta(minutes=1)
"""How often a command that waits for a node asks whether it has come back."""

DEFAULT_DELIVERY_TIMEOUT = 3600


class RunCommand:
    """The commands of an account and Region.

    Args:
        cloud: the rest of the account.
        clock: the lab's clock.
        ids: where command ids come from.
        fleet: the managed nodes.
        baselines: the patch baselines.
        events: told of every change of a status.
        log: takes what happens, in words.
    """

    def __init__(
        self,
        *,
        cloud: Cloud,
        clock: Clock,
        ids: Ids,
        fleet: Fleet,
        baselines: Baselines,
        events: ServiceEvents,
        log: Callable[[str], None],
    ) -> None:
        self._cloud = cloud
        self._clock = clock
        self._ids = ids
        self._fleet = fleet
        self._baselines = baselines
        self._events = events
        self._log = log
        self._log_output = LogOutput(cloud, log)
        self._busy_until: dict[str, datetime] = {}
        self.commands: dict[str, Command] = {}

    def send(  # noqa: PLR0913 SendCommand's own parameters
        self,
        *,
        document_name: str,
        parameters: dict[str, list[str]],
        targets: Targets,
        more_targets: Sequence[Targets] = (),
        rate_control: RateControl,
        bucket: str = "",
        prefix: str = "",
        notification: Notification | None = None,
        comment: str = "",
        delivery_timeout_seconds: int = DEFAULT_DELIVERY_TIMEOUT,
        sender_role: str = "",
        document_version: str = "",
        log_group: str = "",
    ) -> Command:
        """Send a document to the nodes that are targeted now, and start with them as rate control allows.

        Args:
            document_name: the document; the lab runs AWS-RunPatchBaseline.
            parameters: its parameters.
            targets: the nodes.
            more_targets: further nodes; one that matches any of these is targeted as well.
            rate_control: how many at one time, and when to stop.
            bucket: where output goes; nowhere by default.
            prefix: the folder in it.
            notification: who is told; nobody by default.
            comment: for people.
            delivery_timeout_seconds: how long a node may take to fetch the command.
            sender_role: the role that sends it, whose permissions are checked; empty for a caller that is trusted.
            document_version: the version that was asked for.
            log_group: log group that output goes to; none by default.

        Raises:
            ApiError: a document or parameters that cannot be run, a node that is not managed, a role that cannot be
                assumed.
        """
        document = owned_by_aws().get(document_name)
        if document is None or document.name != DOCUMENT_NAME:
            known = "is not simulated: the lab runs AWS-RunPatchBaseline" if document else "does not exist"
            raise ApiError("InvalidDocument", f"Document {document_name} {known}.")
        document.check(parameters)
        for name in ("InstallOverrideList", "BaselineOverride"):
            if any(parameters.get(name, ())):
                raise ApiError("InvalidParameters", f"The lab does not emulate the parameter {name}.")
        matching = {node.id: node for group in (targets, *more_targets) for node in self._resolve(group)}
        nodes = list(matching.values())
        if notification and not self._cloud.trusts(notification.role, SERVICE):
            raise ApiError("InvalidRole", f"{SERVICE} cannot assume {notification.role or 'a role that is not given'}.")
        if sender_role:
            self._check_sender(sender_role, document, notification)
        now = self._clock.now
        command = Command(
            id=self._ids.uuid(),
            document=document.name,
            document_version=document_version,
            parameters=parameters,
            targets=targets,
            by_id=targets.keys[0][0] == "InstanceIds",
            rate_control=rate_control,
            requested=now,
            expires=now + timedelta(seconds=delivery_timeout_seconds + document.execution_timeout()),
            delivery_timeout_seconds=delivery_timeout_seconds,
            comment=comment,
            bucket=bucket,
            prefix=prefix,
            notification=notification,
            sender_role=sender_role,
            log_group=log_group,
        )
        for node in nodes:
            command.invocations[node.id] = Invocation(
                node_id=node.id,
                node_name=node.tags.get("Name", ""),
                requested=now,
                steps=[StepRun(step.name, step.action) for step in document.steps],
            )
        self.commands[command.id] = command
        self._log(f"command {command.id}: {document.name} {parameters} sent to {len(nodes)} nodes")
        self._clock.at(now + _PICK_UP, lambda: self._begin(command), work=True)
        return command

    def get(self, command_id: str) -> Command:
        """Return a command by its id."""
        command = self.commands.get(command_id)
        if command is None:
            raise ApiError("InvalidCommandId", f"Command {command_id} does not exist.")
        return command

    def cancel(self, command: Command, *, details: str = "Cancelled") -> None:
        """Start no further node; what is under way goes on to its end, as there is no guarantee to stop it."""
        command.stopped = True
        for invocation in command.invocations.values():
            if invocation.status is Status.PENDING:
                self._drop_pending(invocation)
                self._change(command, invocation, Status.CANCELLED, details)
        if command.status is Status.PENDING:
            self._change_command(command, Status.CANCELLED, details)
        elif command.running:
            command.status, command.details = Status.CANCELLING, str(Status.CANCELLING)
        else:
            self._settle(command)

    def _resolve(self, targets: Targets) -> list[ManagedNode]:
        if targets.keys[0][0] != "InstanceIds":
            return self._fleet.select(targets)
        nodes = []
        for node_id in targets.keys[0][1]:
            node = self._fleet.get(node_id)
            if node is None:
                raise ApiError(
                    "InvalidInstanceId",
                    f"Instances [[{node_id}]] not in a valid state for account {self._cloud.account}",
                )
            nodes.append(node)
        return nodes

    def _check_sender(self, role: str, document: Document, notification: Notification | None) -> None:
        arn = f"arn:aws:ssm:{self._cloud.region}::document/{document.name}"
        if not self._cloud.allowed(role, "ssm:SendCommand", arn):
            raise ApiError("AccessDeniedException", f"{role} is not authorized to perform ssm:SendCommand on {arn}.")
        if notification and not self._cloud.allowed(
            role, "iam:PassRole", notification.role, {"iam:PassedToService": SERVICE}
        ):
            raise ApiError(
                "AccessDeniedException", f"{role} is not authorized to perform iam:PassRole on {notification.role}."
            )

    # The course of a command.

    def _begin(self, command: Command) -> None:
        if command.status.final:
            return
        if not command.invocations:
            self._change_command(command, Status.SUCCESS, "NoInstancesInTag")
            return
        self._change_command(command, Status.IN_PROGRESS)
        self._start_more(command)

    def _start_more(self, command: Command) -> None:
        """Start as many nodes as rate control allows now."""
        targets = len(command.invocations)
        limit = command.rate_control.concurrent(targets)
        for invocation in command.invocations.values():
            if command.running >= min(limit, command.allowed_at_once):
                break
            if invocation.status is Status.PENDING and invocation.pending_event is None:
                self._deliver(command, invocation)
        self._settle(command)

    def _deliver(self, command: Command, invocation: Invocation) -> None:
        node = self._fleet.get(invocation.node_id)
        if node is not None and command.sender_role and not self._may_send_to(command.sender_role, node):
            self._log(f"command {command.id}: {command.sender_role} may not send to {node.id}")
            self._change(command, invocation, Status.FAILED, "AccessDenied")
            return
        if node is None or not node.online:
            expires = command.requested + timedelta(seconds=command.delivery_timeout_seconds)
            look = min(self._clock.now + _LOOK_AGAIN, expires)
            invocation.pending_event = self._clock.at(
                look, lambda: self._look_again(command, invocation, expires), work=True
            )
            return
        self._run(command, invocation, node)

    def _may_send_to(self, role: str, node: ManagedNode) -> bool:
        arn = f"arn:aws:ec2:{self._cloud.region}:{self._cloud.account}:instance/{node.id}"
        context = {f"ssm:resourceTag/{key}": value for key, value in node.tags.items()}
        return self._cloud.allowed(role, "ssm:SendCommand", arn, context)

    def _look_again(self, command: Command, invocation: Invocation, expires: datetime) -> None:
        """Deliver to a node that has come back; give up on one that has not when the command expires."""
        invocation.pending_event = None
        if invocation.status is Status.PENDING and self._clock.now >= expires:
            self._change(command, invocation, Status.TIMED_OUT, "DeliveryTimedOut")
        self._start_more(command)

    def _run(self, command: Command, invocation: Invocation, node: ManagedNode) -> None:
        self._change(command, invocation, Status.IN_PROGRESS)
        platform = node.catalogue.system.platform_type
        now = self._clock.now
        for step, run in zip(owned_by_aws()[command.document].steps, invocation.steps, strict=True):
            if step.platform != platform:
                run.status, run.code, run.output = Status.SUCCESS, 0, transcript.skipped(step)
                run.started = run.ended = now
        self._operate(command, invocation, node)

    def _operate(self, command: Command, invocation: Invocation, node: ManagedNode) -> None:
        now = self._clock.now
        free = self._busy_until.get(node.id, now)
        if free > now:
            # Two runs on one node would fight for the package database: the later one waits.
            self._clock.at(free, lambda: self._operate(command, invocation, node), work=True)
            return
        task = RunPatchBaseline.from_api(command.parameters)
        operation = PatchOperation(
            node,
            task,
            self._baselines.effective(node.catalogue.system, node.patch_group()),
            snapshot_id=task.snapshot_id or self._ids.uuid(),
            command_id=command.id,
            started=now,
        )
        run = next(one for one in invocation.steps if one.name == STEPS[node.catalogue.system.platform_type])
        run.status, run.started = Status.IN_PROGRESS, now
        refusal = patching_refusal(node.network, node.role)
        if refusal:
            # What AWS documents for a node that cannot fetch the scripts, with the reason that AWS does not tell.
            run.status, run.code, run.ended = Status.FAILED, 156, now + _PICK_UP
            run.error = f"[simulated] Unable to download payload: {refusal}\nfailed to run commands: exit status 156\n"
            self._clock.at(run.ended, lambda: self._finish(command, invocation, node), work=True)
            return
        done = now + operation.work()
        self._busy_until[node.id] = done

        def installed() -> None:
            reboot = operation.install(self._clock.now)
            if reboot:
                self._log(f"{node.id} reboots")
                self._busy_until[node.id] = self._clock.now + reboot
            self._clock.at(self._clock.now + reboot, reported, work=True)

        def reported() -> None:
            states = operation.report(self._clock.now)
            run.output = transcript.finished(node, task, states, operation.installed, rebooted=operation.rebooted)
            run.status, run.code = (Status.FAILED, 1) if operation.failed else (Status.SUCCESS, 0)
            run.error = f"{node.fault}\n" if operation.failed else ""
            run.ended = self._clock.now
            self._finish(command, invocation, node)

        self._clock.at(done, installed, work=True)

    def _finish(self, command: Command, invocation: Invocation, node: ManagedNode) -> None:
        self._store_output(command, invocation, node)
        self._log_output.store(command, invocation, node)
        self._events.patch_compliance(node)
        failed = any(run.status is Status.FAILED for run in invocation.steps)
        invocation.counts_as_error = failed
        self._change(command, invocation, Status.FAILED if failed else Status.SUCCESS)
        if not failed:
            # One node at first, then two, then four: each that succeeds makes room for one more, up to the limit.
            command.allowed_at_once += 1
        if command.errors >= command.rate_control.stops_after(len(command.invocations)) and not command.stopped:
            command.stopped = True
            for waiting in command.invocations.values():
                if waiting.status is Status.PENDING:
                    self._drop_pending(waiting)
                    self._change(command, waiting, Status.FAILED, "Terminated")
        self._start_more(command)

    def _drop_pending(self, invocation: Invocation) -> None:
        if invocation.pending_event is not None:
            self._clock.cancel(invocation.pending_event)
            invocation.pending_event = None

    def _settle(self, command: Command) -> None:
        """Give the command its final status once every node has one."""
        if command.status.final or not all(one.status.final for one in command.invocations.values()):
            return
        reached = [one for one in command.invocations.values() if one.details not in ("AccessDenied", "Undeliverable")]
        if command.status is Status.CANCELLING or any(one.status is Status.CANCELLED for one in reached):
            self._change_command(command, Status.CANCELLED)
        elif not reached or command.errors >= command.rate_control.stops_after(len(command.invocations)):
            self._change_command(command, Status.FAILED)
        elif all(one.status is Status.SUCCESS for one in reached):
            self._change_command(command, Status.SUCCESS)
        elif all(one.details == "DeliveryTimedOut" for one in reached):
            self._change_command(command, Status.TIMED_OUT, "DeliveryTimedOut")
        else:
            self._change_command(command, Status.FAILED, "Incomplete")

    # Who is told, and what is kept.

    def _change(self, command: Command, invocation: Invocation, status: Status, details: str | None = None) -> None:
        invocation.to(status, details)
        self._events.invocation(command, invocation)
        for watch in command.watchers:
            watch(invocation)
        if command.notification and command.notification.per_invocation and command.notification.wants(status):
            self._publish(command, command.notification, command.invocation_summary(invocation))

    def _change_command(self, command: Command, status: Status, details: str | None = None) -> None:
        command.status, command.details = status, details or str(status)
        if status.final:
            self._log(f"command {command.id}: {command.details}")
        self._events.command(command)
        for watch in command.watchers:
            watch(None)
        if command.notification and not command.notification.per_invocation and command.notification.wants(status):
            self._publish(command, command.notification, command.summary())

    def _publish(self, command: Command, notification: Notification, summary: dict[str, object]) -> None:
        problem = self._cannot_publish(notification)
        if not problem:
            message = json.dumps({**summary, "eventTime": iso(self._clock.now)}, separators=(",", ":"))
            try:
                self._cloud.publish(notification.topic, f"EC2 Run Command Notification {self._cloud.region}", message)
            except KeyError:
                problem = f"there is no topic {notification.topic}"
        if problem:
            # As on AWS, a notification that cannot be sent does not fail the command, and nobody is told.
            self._log(f"command {command.id}: not notified: {problem}")

    def _cannot_publish(self, notification: Notification) -> str:
        role, topic = notification.role, notification.topic
        if not self._cloud.trusts(role, SERVICE):
            return f"{SERVICE} cannot assume {role}"
        if not self._cloud.allowed(role, "sns:Publish", topic):
            return f"{role} does not allow sns:Publish on {topic}"
        key = self._cloud.topic_key(topic)
        for action in ("kms:GenerateDataKey", "kms:Decrypt") if key else ():
            if not self._cloud.allowed(role, action, str(key)):
                return f"{role} does not allow {action} on {key}"
        return ""

    def _store_output(self, command: Command, invocation: Invocation, node: ManagedNode) -> None:
        if not command.bucket:
            return
        for run in invocation.steps:
            for stream, text in (("stdout", run.output), ("stderr", run.error)):
                if not text or run.started == run.ended:
                    continue
                key = command.output_key(invocation, run, stream)
                problem = self._cannot_write(node, command.bucket, key)
                if not problem:
                    try:
                        self._cloud.put_object(command.bucket, key, text.encode())
                        invocation.output_stored = True
                    except KeyError:
                        problem = f"there is no bucket {command.bucket}"
                if problem:
                    # As on AWS, output that cannot be stored does not fail the command.
                    self._log(f"command {command.id}: output of {node.id} not stored: {problem}")

    def _cannot_write(self, node: ManagedNode, bucket: str, key: str) -> str:
        role, arn = node.role, f"arn:aws:s3:::{bucket}/{key}"
        refusal = s3_refusal(node.network, role, "s3:PutObject", arn)
        if refusal:
            return refusal
        if not self._cloud.allowed(role, "s3:PutObject", arn):
            return f"{role} does not allow s3:PutObject on {arn}"
        encryption_key = self._cloud.bucket_key(bucket)
        if encryption_key and not self._cloud.allowed(role, "kms:GenerateDataKey", encryption_key):
            return f"{role} does not allow kms:GenerateDataKey on {encryption_key}"
        return ""
