"""The course of a command: which node has its turn, what a document does there, and when the command is over.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/send-commands-multiple.html and
https://docs.aws.amazon.com/systems-manager/latest/userguide/monitor-commands.html.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection
from datetime import timedelta
from functools import partial

from lab.commands.command_outcome import outcome
from lab.commands.command_permissions import may_send_to
from lab.commands.command_results import CommandResults
from lab.commands.plugins import ACTIONS
from lab.nodes.evaluations import Evaluations
from lab.nodes.fleet import Fleet
from lab.nodes.node import ManagedNode
from lab.patches.baselines import Baselines
from lab.patches.catalogue import Catalogue
from lab.records.command import Command, Invocation, Status
from lab.records.document_run import Course, Job, run_document
from lab.records.documents import Document
from lab.records.service_events import ServiceEvents
from lab.world.clock import Clock
from lab.world.cloud import Cloud
from lab.world.ids import Ids
from patching.command_document import Step

_PICK_UP = timedelta(seconds=2)
"""How long a node takes to fetch a command."""

_LOOK_AGAIN = timedelta(minutes=1)
"""How often a command that waits for a node asks whether it has come back."""


class CommandCourse:
    """Lets the commands of an account and Region take their course.

    Args:
        cloud: the rest of the account.
        clock: the lab's clock.
        ids: where new ids come from.
        fleet: the managed nodes.
        baselines: the patch baselines.
        catalogues: the operating systems that the lab knows.
        events: told of every change of a status.
        results: takes what comes of a command.
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
        results: CommandResults,
        log: Callable[[str], None],
    ) -> None:
        self._cloud = cloud
        self._clock = clock
        self._ids = ids
        self._fleet = fleet
        self._baselines = baselines
        self.after: list[Callable[[ManagedNode], None]] = []
        """Told of a node that has come to the end of a command."""

        self._catalogues = catalogues
        self._events = events
        self._results = results
        self._log = log
        self._evaluations = Evaluations()
        self._documents: dict[str, tuple[Document, tuple[Step, ...]]] = {}
        self._waiting: dict[str, deque[Callable[[], None]]] = {}

    def start(self, command: Command, document: Document) -> None:
        """Have a command begin once its nodes fetch it, and give up on it when it expires."""
        self._documents[command.id] = document, document.command.resolved_steps(command.parameters)
        self._clock.at(self._clock.now + _PICK_UP, lambda: self._begin(command), work=True)
        command.expiry = self._clock.at(command.expires, partial(self._expire, command))

    def forget(self, command: Command) -> None:
        """Keep nothing of a command that is over."""
        del self._documents[command.id]

    def cancel(self, command: Command, node_ids: Collection[str] = (), *, details: str = "Cancelled") -> None:
        """Start no further node, or none of these; see `RunCommand.cancel`."""
        chosen = [one for one in command.invocations.values() if not node_ids or one.node_id in node_ids]
        command.stopped = command.stopped or not node_ids
        for invocation in chosen:
            if invocation.status.waiting:
                self._drop_pending(invocation)
                self._change(command, invocation, Status.CANCELLED, details)
        if node_ids and command.finished < len(command.invocations):
            return
        if command.status is Status.PENDING:
            self._change_command(command, Status.CANCELLED, details)
        elif command.running:
            command.status, command.details = Status.CANCELLING, str(Status.CANCELLING)
        else:
            self._settle(command)

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
        if self._stopped_by_alarm(command):
            return
        command.starting = True
        limit = command.rate_control.concurrent(len(command.invocations))
        while command.running < min(limit, command.allowed_at_once):
            invocation = command.next_startable()
            if invocation is None:
                break
            self._deliver(command, invocation)
        command.starting = False
        self._settle(command)

    def _stopped_by_alarm(self, command: Command) -> bool:
        """Start no further node once one of the command's alarms is on."""
        if not command.alarms.names or command.stopped or command.status.final:
            return False
        command.triggered = command.alarms.triggered(self._cloud)
        if command.triggered:
            self._log(f"command {command.id}: stopped by the alarm {', '.join(command.triggered)}")
            self.cancel(command)
        return bool(command.triggered)

    def _deliver(self, command: Command, invocation: Invocation) -> None:
        node = self._fleet.get(invocation.node_id)
        if node is None:
            self._change(command, invocation, Status.FAILED, "Undeliverable")
            return
        if command.sender_role and not may_send_to(self._cloud, command.sender_role, node):
            self._log(f"command {command.id}: {command.sender_role} may not send to {node.id}")
            self._change(command, invocation, Status.FAILED, "AccessDenied")
            return
        if not self._documents[command.id][0].supports(node.catalogue.system.platform_type):
            self._change(command, invocation, Status.FAILED, "InvalidPlatform")
            return
        if not node.online:
            if invocation.status is Status.PENDING:
                self._change(command, invocation, Status.DELAYED)
            self._try_again(command, invocation)
            return
        self._run(command, invocation, node)

    def _try_again(self, command: Command, invocation: Invocation) -> None:
        """Look in a minute whether a node has come back, as long as it may still take the command."""
        again = self._clock.now + _LOOK_AGAIN
        if again > command.requested + timedelta(seconds=command.delivery_timeout_seconds):
            # From now on it would not run any more; that it did not arrive is told once the command expires.
            again = command.expires
        invocation.pending_event = self._clock.at(again, lambda: self._look_again(command, invocation), work=True)

    def _look_again(self, command: Command, invocation: Invocation) -> None:
        """Deliver to a node that has come back; give up on one that has not when the command expires."""
        invocation.pending_event = None
        if self._clock.now >= command.expires:
            self._expire(command)
            return
        command.make_startable(invocation)
        self._start_more(command)

    def _expire(self, command: Command) -> None:
        """Give up on what has not ended by now: no answer has come from these nodes."""
        if command.status.final:
            return
        command.stopped = True
        for invocation in command.invocations.values():
            if not invocation.status.final:
                self._drop_pending(invocation)
                self._change(command, invocation, Status.TIMED_OUT, "DeliveryTimedOut")
        self._settle(command)

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
        there = self._fleet.get(node.id)
        if (there is None or not there.online) and not invocation.status.final:
            # Its agent is not there to go on, and the status stays as it is until it is back or the command expires.
            again = self._clock.now + _LOOK_AGAIN
            self._clock.at(again, lambda: self._go_on(course, command, invocation, node), work=True)
            return
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
        if invocation.status.final:
            return  # the command has expired in the meantime
        statuses = {run.status for run in invocation.steps}
        failed = not statuses.isdisjoint((Status.FAILED, Status.TIMED_OUT))
        command.errors += failed
        if Status.TIMED_OUT in statuses and Status.FAILED not in statuses:
            self._change(command, invocation, Status.TIMED_OUT, "ExecutionTimedOut")
        else:
            self._change(command, invocation, Status.FAILED if failed else Status.SUCCESS)
        for tell in self.after:
            tell(node)
        if not failed:
            # One node at first, then two, then four: each that succeeds makes room for one more, up to the limit.
            command.allowed_at_once += 1
        if command.errors >= command.rate_control.stops_after(len(command.invocations)) and not command.stopped:
            command.stopped = True
            for waiting in command.invocations.values():
                if waiting.status.waiting:
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
        status, details = outcome(command)
        self._change_command(command, status, details)

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
            if command.expiry:
                self._clock.cancel(command.expiry)
            self._log(f"command {command.id}: {command.details}")
        self._events.command(command)
        for watch in command.watchers:
            watch(None)
        if command.notification and not command.notification.per_invocation and command.notification.wants(status):
            self._results.publish(command, command.notification, command.summary())
