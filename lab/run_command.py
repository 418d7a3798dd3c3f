"""Run Command: sends a document to nodes, under rate control, and tells how it went.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/send-commands-multiple.html and
https://docs.aws.amazon.com/systems-manager/latest/userguide/monitor-commands.html.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from lab.baselines import Baselines
from lab.catalogue import Catalogue
from lab.clock import Clock
from lab.cloud import Cloud
from lab.command import Command, Invocation, Notification, Status
from lab.command_results import SERVICE, CommandResults
from lab.document_run import Course, Job, new_runs, run_document
from lab.documents import Document, find
from lab.errors import ApiError
from lab.evaluations import Evaluations
from lab.fleet import Fleet
from lab.ids import Ids
from lab.node import ManagedNode
from lab.plugins import ACTIONS
from lab.publishing import Publishing
from lab.service_events import ServiceEvents
from patching.command_document import Step
from patching.rate_control import RateControl
from patching.targets import Targets

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
        catalogues: the operating systems that the lab knows.
        events: told of every change of a status.
        publishing: by which topics are told.
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
        catalogues: tuple[Catalogue, ...],
        events: ServiceEvents,
        publishing: Publishing,
        log: Callable[[str], None],
    ) -> None:
        self._cloud = cloud
        self._clock = clock
        self._ids = ids
        self._fleet = fleet
        self._baselines = baselines
        self._catalogues = catalogues
        self._events = events
        self._log = log
        self._results = CommandResults(cloud, clock, publishing, log)
        self._evaluations = Evaluations()
        self._documents: dict[str, tuple[Document, tuple[Step, ...]]] = {}
        self._waiting: dict[str, deque[Callable[[], None]]] = {}
        self.commands: dict[str, Command] = {}
        self.after: list[Callable[[ManagedNode], None]] = []
        """Told of a node that has come to the end of a command."""

    def send(  # noqa: PLR0913 as many as SendCommand has
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
        association_id: str = "",
        log_group: str = "",
    ) -> Command:
        """Send a document to the nodes that are targeted now, and start with them as rate control allows.

        Args:
            document_name: the document, by its name or ARN.
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
            document_version: the version of the document; its default one if it is empty.
            association_id: the association that sends it, if one does.
            log_group: log group that output goes to; none by default.

        Raises:
            ApiError: a document or parameters that cannot be run, a node that is not managed or has another platform,
                a role that cannot be assumed.
        """
        document = find(self._cloud, document_name, document_version)
        document.check(parameters)
        matching = {node.id: node for group in (targets, *more_targets) for node in self._resolve(group)}
        nodes = list(matching.values())
        by_id = targets.keys[0][0] == "InstanceIds"
        for node in nodes if by_id else ():
            if not document.supports(node.catalogue.system.platform_type):
                raise ApiError(
                    "UnsupportedPlatformType",
                    f"{document.name} is for {', '.join(document.platform_types)}; {node.id} runs "
                    f"{node.catalogue.system.platform_type}.",
                )
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
            by_id=by_id,
            rate_control=rate_control,
            requested=now,
            expires=now + timedelta(seconds=delivery_timeout_seconds + document.execution_timeout(parameters)),
            delivery_timeout_seconds=delivery_timeout_seconds,
            comment=comment,
            bucket=bucket,
            prefix=prefix,
            notification=notification,
            sender_role=sender_role,
            association_id=association_id,
            log_group=log_group,
        )
        command.add(
            Invocation(place, node.id, node.tags.get("Name", ""), now, new_runs(document))
            for place, node in enumerate(nodes)
        )
        self.commands[command.id] = command
        self._documents[command.id] = document, document.command.resolved_steps(parameters)
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
        if not self._cloud.trusts(role, SERVICE):
            raise ApiError("AccessDeniedException", f"{SERVICE} cannot assume {role}.")
        if not self._cloud.allowed(role, "ssm:SendCommand", document.arn):
            raise ApiError(
                "AccessDeniedException", f"{role} is not authorized to perform ssm:SendCommand on {document.arn}."
            )
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
        if command.starting:
            return  # whoever starts nodes already goes on with the next one
        command.starting = True
        limit = command.rate_control.concurrent(len(command.invocations))
        while command.running < min(limit, command.allowed_at_once):
            invocation = command.next_startable()
            if invocation is None:
                break
            self._deliver(command, invocation)
        command.starting = False
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
        arn = node.arn(self._cloud.region, self._cloud.account)
        context = {f"ssm:resourceTag/{key}": value for key, value in node.tags.items()}
        return self._cloud.allowed(role, "ssm:SendCommand", arn, context)

    def _look_again(self, command: Command, invocation: Invocation, expires: datetime) -> None:
        """Deliver to a node that has come back; give up on one that has not when the command expires."""
        invocation.pending_event = None
        if invocation.status is Status.PENDING and self._clock.now >= expires:
            self._change(command, invocation, Status.TIMED_OUT, "DeliveryTimedOut")
        else:
            command.make_startable(invocation)
        self._start_more(command)

    def _run(self, command: Command, invocation: Invocation, node: ManagedNode) -> None:
        """Run the command's document on a node, once whatever runs there already is done."""
        self._change(command, invocation, Status.IN_PROGRESS)
        job = Job(
            node=node,
            command_id=command.id,
            association_id=command.association_id,
            now=lambda: self._clock.now,
            log=self._log,
            ids=self._ids,
            cloud=self._cloud,
            baselines=self._baselines,
            catalogues=self._catalogues,
            evaluations=self._evaluations,
        )
        document, steps = self._documents[command.id]
        course = run_document(job, document, command.parameters, invocation.steps, ACTIONS, steps=steps)
        waiting = self._waiting.setdefault(node.id, deque())
        waiting.append(lambda: self._go_on(course, command, invocation, node))
        if len(waiting) == 1:
            waiting[0]()

    def _go_on(self, course: Course, command: Command, invocation: Invocation, node: ManagedNode) -> None:
        """Let a document run on until something of it takes time; at its end, begin with the node's next one."""
        try:
            takes = next(course)
        except StopIteration:
            waiting = self._waiting[node.id]
            waiting.popleft()
            self._finish(command, invocation, node)
            if waiting:
                waiting[0]()
            return
        again = self._clock.now + takes
        self._clock.at(again, lambda: self._go_on(course, command, invocation, node), work=True)

    def _finish(self, command: Command, invocation: Invocation, node: ManagedNode) -> None:
        self._results.store(command, invocation, node)
        self._events.patch_compliance(node)
        failed = any(run.status is Status.FAILED for run in invocation.steps)
        command.errors += failed
        self._change(command, invocation, Status.FAILED if failed else Status.SUCCESS)
        for tell in self.after:
            tell(node)
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
        if command.status.final or command.finished < len(command.invocations):
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

    def _change(self, command: Command, invocation: Invocation, status: Status, details: str | None = None) -> None:
        command.change(invocation, status, details)
        self._events.invocation(command, invocation)
        for watch in command.watchers:
            watch(invocation)
        if command.notification and command.notification.per_invocation and command.notification.wants(status):
            self._results.publish(command, command.notification, command.invocation_summary(invocation))

    def _change_command(self, command: Command, status: Status, details: str | None = None) -> None:
        command.status, command.details = status, details or str(status)
        if status.final:
            self._log(f"command {command.id}: {command.details}")
        self._events.command(command)
        for watch in command.watchers:
            watch(None)
        if command.notification and not command.notification.per_invocation and command.notification.wants(status):
            self._results.publish(command, command.notification, command.summary())
