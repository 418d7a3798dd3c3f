"""Run Command: sends a document to nodes, under rate control, and tells how it went.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/send-commands-multiple.html and
https://docs.aws.amazon.com/systems-manager/latest/userguide/monitor-commands.html.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import timedelta

from lab.commands.command_course import CommandCourse
from lab.commands.command_permissions import check_notification, check_sender
from lab.commands.command_targets import by_id, resolve
from lab.nodes.fleet import Fleet
from lab.records.command import DEFAULT_DELIVERY_TIMEOUT, Command, Invocation, Notification
from lab.records.document_run import new_runs
from lab.records.documents import find
from lab.world.clock import Clock
from lab.world.cloud import Cloud
from lab.world.errors import ApiError
from lab.world.ids import Ids
from lab.world.stop_alarms import NO_ALARMS, StopAlarms
from patching.rate_control import RateControl
from patching.targets import Targets

HISTORY = timedelta(days=30)
"""For how long commands are told of: https://docs.aws.amazon.com/systems-manager/latest/userguide/run-command.html."""


class RunCommand:
    """The commands of an account and Region.

    Args:
        cloud: the rest of the account.
        clock: the lab's clock.
        ids: where command ids come from.
        fleet: the managed nodes.
        course: lets the commands take their course.
        log: takes what happens, in words.
    """

    def __init__(
        self,
        *,
        cloud: Cloud,
        clock: Clock,
        ids: Ids,
        fleet: Fleet,
        course: CommandCourse,
        log: Callable[[str], None],
    ) -> None:
        self._cloud = cloud
        self._clock = clock
        self._ids = ids
        self._fleet = fleet
        self._course = course
        self._log = log
        self.after = course.after
        self.commands: dict[str, Command] = {}

    def send(  # noqa: PLR0913 as many as SendCommand has
        self,
        *,
        document_name: str,
        parameters: dict[str, list[str]],
        targets: Targets,
        more_targets: Sequence[Targets] = (),
        among: Collection[str] = (),
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
        alarms: StopAlarms = NO_ALARMS,
    ) -> Command:
        """Send a document to the nodes that are targeted now, and start with them as rate control allows.

        Args:
            document_name: the document, by its name or ARN.
            parameters: its parameters.
            targets: the nodes.
            more_targets: further nodes; one that matches any of these is targeted as well.
            among: ids of nodes; of the targeted nodes, only these get it. All do by default.
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
            alarms: what stops it; nothing by default.

        Raises:
            ApiError: a document or parameters that cannot be run, a node that is not managed or has another platform,
                a role that cannot be assumed.
        """
        document = find(self._cloud, document_name, document_version)
        document.check(parameters)
        nodes = resolve(self._cloud, self._fleet, (targets, *more_targets))
        nodes = [node for node in nodes if not among or node.id in among]
        named = by_id(targets)
        for node in nodes if named else ():
            if not document.supports(node.catalogue.system.platform_type):
                raise ApiError(
                    "UnsupportedPlatformType",
                    f"{document.name} is for {', '.join(document.platform_types)}; {node.id} runs "
                    f"{node.catalogue.system.platform_type}.",
                )
        if notification:
            check_notification(self._cloud, notification)
        if sender_role:
            check_sender(self._cloud, sender_role, document, notification)
        self._forget()
        now = self._clock.now
        command = Command(
            id=self._ids.uuid(),
            document=document.name,
            document_version=document_version,
            parameters=parameters,
            targets=targets,
            by_id=named,
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
            alarms=alarms,
        )
        command.add(
            Invocation(place, node.id, node.tags.get("Name", ""), now, new_runs(document))
            for place, node in enumerate(nodes)
        )
        self.commands[command.id] = command
        self._log(f"command {command.id}: {document.name} {parameters} sent to {len(nodes)} nodes")
        self._course.start(command, document)
        return command

    def recent(self) -> list[Command]:
        """Return the commands of the last 30 days, the newest first."""
        since = self._clock.now - HISTORY
        return [one for one in reversed(self.commands.values()) if one.requested >= since]

    def _forget(self) -> None:
        """Drop commands that are too old to be told of."""
        since = self._clock.now - HISTORY
        while self.commands:
            oldest = next(iter(self.commands.values()))
            if oldest.requested >= since or not oldest.status.final:
                break
            del self.commands[oldest.id]
            self._course.forget(oldest)

    def get(self, command_id: str) -> Command:
        """Return a command by its id."""
        command = self.commands.get(command_id)
        if command is None or command.requested < self._clock.now - HISTORY:
            raise ApiError("InvalidCommandId", f"Command {command_id} does not exist.")
        return command

    def cancel(self, command: Command, node_ids: Collection[str] = (), *, details: str = "Cancelled") -> None:
        """Start no further node; what is under way goes on to its end, as there is no guarantee to stop it.

        Args:
            command: the command.
            node_ids: the nodes that are not to be started; all by default.
            details: how the command ends if none of it had begun.
        """
        self._course.cancel(command, node_ids, details=details)
