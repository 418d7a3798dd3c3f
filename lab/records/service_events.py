"""The events of Systems Manager, in the shapes that AWS documents.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/monitoring-systems-manager-event-examples.html and
https://docs.aws.amazon.com/systems-manager/latest/userguide/reference-eventbridge-events.html. The events of windows'
tasks being registered are left out, as their shape is not documented.
"""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime
from functools import lru_cache
from typing import Any

from lab.nodes.node import ManagedNode, node_arn
from lab.records.association import Association, AssociationExecution
from lab.records.command import UNTOLD, Command, Invocation, Status, iso
from lab.records.documents import owned_by_aws
from lab.records.window import TaskExecution, Window, WindowExecution
from lab.world.event_bus import EventBus
from lab.world.metrics import RUN_COMMAND, Metrics
from patching.targets import Targets

_METRICS = {
    Status.SUCCESS: "CommandsSucceeded",
    Status.FAILED: "CommandsFailed",
    Status.TIMED_OUT: "CommandsDeliveryTimedOut",
}


class ServiceEvents:
    """Tells the event bus of an account and Region what Systems Manager does, and counts how commands end.

    Args:
        bus: the event bus.
        metrics: the metrics.
        account: the account's number.
        region: the Region.
    """

    def __init__(self, bus: EventBus, metrics: Metrics, account: str, region: str) -> None:
        self._bus = bus
        self._metrics = metrics
        self._account = account
        self._region = region
        self._compliance: dict[tuple[str, str], str] = {}
        self._associations: dict[str, dict[str, str]] = {}

    # Run Command.

    def command(self, command: Command) -> None:
        """A command's status has changed."""
        if command.status in UNTOLD:
            return
        if command.status in _METRICS:
            self._metrics.count(RUN_COMMAND, _METRICS[command.status])
        self._bus.emit(
            "EC2 Command Status-change Notification",
            [self._instance(node_id) for node_id in command.invocations],
            {
                "command-id": command.id,
                "document-name": command.document,
                "expire-after": iso(command.expires),
                "parameters": command.parameters,
                "requested-date-time": iso(command.requested),
                "status": str(command.status),
            },
        )

    def invocation(self, command: Command, invocation: Invocation) -> None:
        """The status of a command on a node has changed."""
        if invocation.status in UNTOLD:
            return
        self._bus.emit(
            "EC2 Command Invocation Status-change Notification",
            [self._instance(invocation.node_id)],
            {
                "command-id": command.id,
                "document-name": command.document,
                "instance-id": invocation.node_id,
                "requested-date-time": iso(invocation.requested),
                "status": str(invocation.status),
            },
        )

    # Compliance.

    def patch_compliance(self, node: ManagedNode) -> None:
        """A node has reported its patches: tell if it complies now and did not before, or the other way round."""
        if node.states is None:
            return
        lacking = node.states.non_compliant
        details = {"patch-baseline-id": node.states.baseline_id, "severity": node.states.level.lower()}
        self._complies(node.id, "Patch", compliant=not lacking, details=details)

    def _complies(self, node_id: str, kind: str, *, compliant: bool, details: dict[str, str]) -> None:
        status = "compliant" if compliant else "non_compliant"
        if self._compliance.get((node_id, kind)) == status:
            return
        self._compliance[node_id, kind] = status
        self._bus.emit(
            "Configuration Compliance State Change",
            [f"arn:aws:ssm:{self._region}:{self._account}:managed-instance/{node_id}"],
            {
                "resource-type": "managed-instance",
                "resource-id": node_id,
                "compliance-status": status,
                "compliance-type": kind,
                **details,
            },
        )

    # State Manager.

    def association(self, association: Association, execution: AssociationExecution) -> None:
        """The status of an association has changed."""
        invocations = execution.command.invocations.values() if execution.command else ()
        counts = Counter(str(one.status) for one in invocations)
        self._bus.emit(
            "EC2 State Manager Association State Change",
            [self._document(association.document)],
            {
                **self._about(association),
                "association-version": str(execution.version),
                "last-updated-date": iso(association.created),
                "status": execution.status,
                "association-status-aggregated-count": _compact(dict(counts)),
                **({"schedule-expression": association.schedule.expression} if association.schedule else {}),
                "association-cwe-version": "1.0",
            },
        )

    def association_target(self, association: Association, invocation: Invocation, now: datetime) -> None:
        """The status of an association on one node has changed."""
        if invocation.status in UNTOLD:
            return
        self._bus.emit(
            "EC2 State Manager Instance Association State Change",
            [self._instance(invocation.node_id), self._document(association.document)],
            {
                **self._about(association),
                "instance-id": invocation.node_id,
                "status": str(invocation.status),
                "detailed-status": invocation.details,
                "error-code": "",
                "execution-summary": "",
                "output-url": "",
                "instance-association-cwe-version": "1",
            },
        )
        if invocation.status.final:
            known = self._associations.setdefault(invocation.node_id, {})
            known[association.id] = str(invocation.status)
            compliant = all(status == Status.SUCCESS for status in known.values())
            details = {"last-runtime": _seconds(now)}
            self._complies(invocation.node_id, "Association", compliant=compliant, details=details)

    def _about(self, association: Association) -> dict[str, Any]:
        executions = association.executions
        succeeded = next((one for one in reversed(executions) if one.status == Status.SUCCESS), None)
        return {
            "association-id": association.id,
            "document-name": association.document,
            "document-version": "Optional.empty",
            "targets": _targets(association.targets),
            "creation-date": iso(association.created),
            **({"last-successful-execution-date": _seconds(succeeded.created)} if succeeded else {}),
            **({"last-execution-date": _seconds(executions[-1].created)} if executions else {}),
        }

    # Maintenance windows.

    def window(self, window: Window) -> None:
        """A window has been enabled or disabled."""
        detail = {"window-id": window.id, "status": "ENABLED" if window.enabled else "DISABLED"}
        self._bus.emit("Maintenance Window State-change Notification", [self._window(window.id)], detail)

    def window_target(self, window_id: str, target_id: str, *, registered: bool) -> None:
        """A target has been registered with a window, or taken from it."""
        self._bus.emit(
            "Maintenance Window Target Registration Notification",
            [self._window(window_id), f"arn:aws:ssm:{self._region}:{self._account}:windowtarget/{target_id}"],
            {
                "window-target-id": target_id,
                "window-id": window_id,
                "status": "REGISTERED" if registered else "DEREGISTERED",
            },
        )

    def window_execution(self, execution: WindowExecution) -> None:
        """The status of an opening has changed."""
        self._bus.emit(
            "Maintenance Window Execution State-change Notification",
            [self._window(execution.window_id)],
            {
                "start-time": iso(execution.started),
                **({"end-time": iso(execution.ended)} if execution.ended else {}),
                "window-id": execution.window_id,
                "window-execution-id": execution.id,
                "status": execution.status,
            },
        )

    def window_task(self, execution: WindowExecution, run: TaskExecution, now: datetime) -> None:
        """The status of a task in an opening has changed, and so has that of its one invocation."""
        over = run.status not in ("PENDING", "IN_PROGRESS")
        about = {
            "start-time": iso(run.started),
            **({"end-time": iso(now)} if over else {}),
            "window-id": execution.window_id,
            "window-execution-id": execution.id,
            "task-execution-id": run.id,
            "status": run.status,
        }
        window = [self._window(execution.window_id)]
        self._bus.emit("Maintenance Window Task Execution State-change Notification", window, about)
        if run.task.target_ids:
            target = {"window-target-id": run.task.target_ids[0], "owner-information": run.owner_information}
            kind = "Maintenance Window Task Target Invocation State-change Notification"
            self._bus.emit(kind, window, {**about, **target})

    def _instance(self, node_id: str) -> str:
        return node_arn(node_id, self._region, self._account)

    def _document(self, name: str) -> str:
        """Return the ARN of a document that may be given by it already."""
        if name.startswith("arn:"):
            return name
        account = "" if name in owned_by_aws() else self._account
        return f"arn:aws:ssm:{self._region}:{account}:document/{name}"

    def _window(self, window_id: str) -> str:
        return f"arn:aws:ssm:{self._region}:{self._account}:maintenancewindow/{window_id}"


def _compact(value: Any) -> str:  # noqa: ANN401 JSON is anything
    return json.dumps(value, separators=(",", ":"))


@lru_cache(maxsize=256)
def _targets(targets: Targets) -> str:
    return _compact([{"key": one["Key"], "values": one["Values"]} for one in targets.to_api()])


@lru_cache(maxsize=1024)
def _seconds(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
