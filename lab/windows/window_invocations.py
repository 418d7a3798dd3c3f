"""The tasks of a window that are no commands: one invocation a target, each with what it is invoked with.

Functions and state machines are not run: what they are given is kept, and whether the window's role may give it is
checked. Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/maintenance-window-tasks-pseudo-parameters.html
and https://docs.aws.amazon.com/systems-manager/latest/userguide/maintenance-windows-targetless-tasks.html.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from lab.automation.automation import CANCELLED, FAILED, SUCCESS, TIMED_OUT, Automation, Automations
from lab.commands.command_results import SERVICE
from lab.commands.command_targets import resolve
from lab.nodes.fleet import Fleet
from lab.records.window import (
    AUTOMATION,
    LAMBDA,
    STEP_FUNCTIONS,
    TaskExecution,
    TaskInvocation,
    Window,
    WindowExecution,
    WindowTask,
)
from lab.world.clock import Clock
from lab.world.cloud import Cloud
from lab.world.errors import ApiError
from lab.world.ids import Ids
from patching.targets import Targets

_PSEUDO = re.compile(r"\{\{\s*([A-Z_]+)\s*\}\}")
_ACTIONS = {LAMBDA: "lambda:InvokeFunction", STEP_FUNCTIONS: "states:StartExecution"}
_ENDED = {SUCCESS: "SUCCESS", FAILED: "FAILED", TIMED_OUT: "TIMED_OUT", CANCELLED: "CANCELLED"}
_NOT_RUN = "[simulated] The lab keeps what it was invoked with, and runs no functions and no state machines."
_WITHOUT_ROLE = "the service-linked role may not invoke it: the task needs a service role"


class WindowInvocations:
    """Invokes what tasks name.

    Args:
        automations: runs runbooks.
        cloud: the account.
        clock: the lab's clock.
        ids: where the ids of invocations come from.
        fleet: the managed nodes.
        log: takes what happens, in words.
    """

    def __init__(
        self,
        automations: Automations,
        cloud: Cloud,
        clock: Clock,
        ids: Ids,
        fleet: Fleet,
        log: Callable[[str], None],
    ) -> None:
        self._automations = automations
        self._cloud = cloud
        self._clock = clock
        self._ids = ids
        self._fleet = fleet
        self._log = log

    def start(self, window: Window, execution: WindowExecution, run: TaskExecution) -> None:
        """Invoke a task on each of its targets, or once if it has none.

        Raises:
            ApiError: there are no such targets any more.
        """
        targets = list(self._targets(window, run.task))
        run.invocations = [self._invocation(execution, run, *target) for target in targets]
        self._invoke_more(run)

    def _invoke_more(self, run: TaskExecution) -> None:
        """Invoke for as many targets as rate control allows now: runbooks take their time."""
        rate, total = run.task.rate_control, len(run.invocations)
        for invocation in run.invocations:
            running = sum(one.status == "IN_PROGRESS" for one in run.invocations)
            errors = sum(one.status in ("FAILED", "TIMED_OUT") for one in run.invocations)
            if invocation.status != "PENDING" or running >= rate.concurrent(total):
                continue
            if errors >= rate.stops_after(total):
                invocation.status, invocation.ended = "CANCELLED", self._clock.now
            elif run.task.kind == AUTOMATION:
                self._automate(run, invocation)
            else:
                self._invoke(run.task, invocation)
                invocation.ended = self._clock.now

    def _automate(self, run: TaskExecution, invocation: TaskInvocation) -> None:
        given = json.loads(invocation.parameters)
        invocation.started = self._clock.now
        try:
            automation = self._automations.start(
                run.task.document,
                given.get("DocumentVersion") or "",
                given.get("Parameters") or {},
                role=run.task.service_role,
            )
        except ApiError as error:
            invocation.status, invocation.details, invocation.ended = "FAILED", error.message, self._clock.now
            return
        invocation.status, invocation.execution_id = "IN_PROGRESS", automation.id
        automation.watchers.append(lambda ended: self._automated(run, invocation, ended))

    def _automated(self, run: TaskExecution, invocation: TaskInvocation, automation: Automation) -> None:
        invocation.status = _ENDED[automation.status]
        invocation.details, invocation.ended = automation.failure, self._clock.now
        self._invoke_more(run)

    def cancel(self, run: TaskExecution) -> None:
        """Stop what is still under way."""
        waiting = [one for one in run.invocations if one.status == "PENDING"]
        for invocation in waiting:
            invocation.status, invocation.ended = "CANCELLED", self._clock.now
        for invocation in run.invocations:
            if invocation.status == "IN_PROGRESS":
                self._automations.stop(self._automations.get(invocation.execution_id), at_once=True)

    def _targets(self, window: Window, task: WindowTask) -> Iterator[tuple[str, str]]:
        """Yield the nodes, each with the window's target that it comes from, or nothing once for a task without any."""
        if task.direct_targets is not None:
            yield from ((node.id, "") for node in resolve(self._cloud, self._fleet, [task.direct_targets]))
            return
        if not task.target_ids:
            yield "", ""
            return
        groups_of(window, task)
        seen: set[str] = set()
        for target_id in task.target_ids:
            target = window.targets.get(target_id)
            for node in resolve(self._cloud, self._fleet, [target.targets]) if target else ():
                if node.id not in seen:
                    seen.add(node.id)
                    yield node.id, target_id

    def _invocation(
        self, execution: WindowExecution, run: TaskExecution, node_id: str, window_target_id: str
    ) -> TaskInvocation:
        invocation_id = self._ids.uuid()
        values = {
            "TARGET_ID": node_id,
            "TARGET_TYPE": "INSTANCE" if node_id else "",
            "WINDOW_ID": execution.window_id,
            "WINDOW_TASK_ID": run.task.id,
            "WINDOW_TARGET_ID": window_target_id,
            "WINDOW_EXECUTION_ID": execution.id,
            "TASK_EXECUTION_ID": run.id,
            "INVOCATION_ID": invocation_id,
        }
        parameters = json.dumps(_filled(run.task.invoked_with, values), separators=(",", ":"))
        return TaskInvocation(invocation_id, node_id, window_target_id, self._clock.now, parameters)

    def _invoke(self, task: WindowTask, invocation: TaskInvocation) -> None:
        problem = self._forbidden(task)
        invocation.status, invocation.details = ("FAILED", problem) if problem else ("SUCCESS", _NOT_RUN)
        to = f" for {invocation.target_id}" if invocation.target_id else ""
        what = f"{task.document}{to}, with {invocation.parameters}"
        self._log(f"window task {task.name or task.id}: {f'not invoked, {problem}: ' if problem else 'invoked '}{what}")

    def _forbidden(self, task: WindowTask) -> str:
        """Say why a task's role may not invoke what it names; empty if it may."""
        if not task.service_role:
            return _WITHOUT_ROLE
        if not self._cloud.trusts(task.service_role, SERVICE):
            return f"{SERVICE} cannot assume {task.service_role}"
        action = _ACTIONS[task.kind]
        if not self._cloud.allowed(task.service_role, action, task.document):
            return f"{task.service_role} does not allow {action} on {task.document}"
        return ""


def groups_of(window: Window, task: WindowTask) -> list[Targets]:
    """Return the targets of a task, whether it names groups of its window or nodes of its own; one match is enough.

    Raises:
        ApiError: the groups that it names are gone.
    """
    if task.direct_targets is not None:
        return [task.direct_targets]
    groups = [window.targets[target_id].targets for target_id in task.target_ids if target_id in window.targets]
    if not groups:
        raise ApiError("ValidationException", "The targets of the task do not exist any more.")
    return groups


def _filled(value: Any, values: Mapping[str, str]) -> Any:  # noqa: ANN401 JSON is anything
    """Put the values of pseudo parameters into what a task is invoked with; others stay as they are."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if isinstance(value, str):
        return _PSEUDO.sub(lambda match: values.get(match[1], match[0]), value)
    if isinstance(value, Mapping):
        return {key: _filled(one, values) for key, one in value.items()}
    if isinstance(value, list):
        return [_filled(one, values) for one in value]
    return value
