"""Automation: runs runbooks, step by step, on the lab's clock.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/systems-manager-automation.html and
https://docs.aws.amazon.com/systems-manager/latest/userguide/automation-action-reference.html.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from lab.automation.automation_actions import ACTIONS, Acting, StepFailedError
from lab.commands.command_results import SERVICE
from lab.commands.run_command import RunCommand
from lab.nodes.fleet import Fleet
from lab.records.command import Command
from lab.records.runbook import Runbook, RunbookStep, filled, read_runbook, selected
from lab.world.clock import Clock, Event
from lab.world.cloud import Cloud
from lab.world.errors import ApiError
from lab.world.ids import Ids
from patching.errors import InvalidValueError

IN_PROGRESS, SUCCESS, FAILED, TIMED_OUT, CANCELLED = "InProgress", "Success", "Failed", "TimedOut", "Cancelled"


@dataclass
class AutomationStep:
    """A step that was run, or is."""

    id: str
    step: RunbookStep
    started: datetime
    inputs: dict[str, Any] = field(default_factory=dict)
    status: str = IN_PROGRESS
    outputs: dict[str, Any] = field(default_factory=dict)
    failure: str = ""
    ended: datetime | None = None


@dataclass
class Automation:
    """A run of a runbook."""

    id: str
    runbook: Runbook
    given: dict[str, list[str]]
    started: datetime
    role: str = ""
    status: str = IN_PROGRESS
    steps: list[AutomationStep] = field(default_factory=list)
    failure: str = ""
    ended: datetime | None = None
    stopping: bool = False
    """Whether it ends once its step is done."""

    event: Event | None = None
    """When it goes on."""

    commands: list[Command] = field(default_factory=list)
    watchers: list[Callable[[Automation], None]] = field(default_factory=list)
    """Called when it has ended."""

    @property
    def current(self) -> AutomationStep | None:
        """The step that runs."""
        return self.steps[-1] if self.steps and not self.ended else None


class Automations:
    """The automations of an account and Region."""

    def __init__(
        self,
        *,
        cloud: Cloud,
        clock: Clock,
        ids: Ids,
        fleet: Fleet,
        run_command: RunCommand,
        log: Callable[[str], None],
    ) -> None:
        self._cloud = cloud
        self._clock = clock
        self._ids = ids
        self._fleet = fleet
        self._run_command = run_command
        self._log = log
        self.automations: dict[str, Automation] = {}

    def start(self, document: str, version: str, parameters: Mapping[str, list[str]], *, role: str = "") -> Automation:
        """Run a runbook.

        Args:
            document: its name or its ARN.
            version: its version; the default one if it is empty.
            parameters: its parameters.
            role: the role that starts it, which acts if the runbook names none; empty for a caller that is trusted.

        Raises:
            ApiError: there is no such runbook, it has actions that the lab does not run, parameters that it does not
                take, or a role that cannot be assumed.
        """
        runbook = read_runbook(self._cloud, document, version, ACTIONS)
        values = runbook.values(parameters)
        acting_as = str(filled(runbook.role, values) or role)
        if acting_as and not self._cloud.trusts(acting_as, SERVICE):
            message = f"{SERVICE} cannot assume {acting_as}."
            raise ApiError("InvalidAutomationExecutionParametersException", message)
        made = Automation(self._ids.uuid(), runbook, dict(parameters), self._clock.now, role=acting_as)
        self.automations[made.id] = made
        self._log(f"automation {made.id}: {runbook.name} {dict(parameters)} started")
        course = self._run(made, values)
        self._later(made, course, timedelta(seconds=1))
        return made

    def get(self, automation_id: str) -> Automation:
        """Return an automation by its id."""
        found = self.automations.get(automation_id)
        if found is None:
            raise ApiError("AutomationExecutionNotFoundException", f"There is no automation {automation_id}.")
        return found

    def stop(self, automation: Automation, *, at_once: bool) -> None:
        """Stop an automation, at once or when its step is done."""
        automation.stopping = True
        if at_once:
            for command in automation.commands:
                if not command.status.final:
                    self._run_command.cancel(command)
            if automation.current:
                automation.current.status, automation.current.ended = CANCELLED, self._clock.now
            self._end(automation, CANCELLED)

    def _later(self, automation: Automation, course: Generator[timedelta, None, None], takes: timedelta) -> None:
        again = self._clock.now + takes
        automation.event = self._clock.at(again, lambda: self._go_on(automation, course), work=True)

    def _go_on(self, automation: Automation, course: Generator[timedelta, None, None]) -> None:
        takes = next(course, None)
        if takes is not None:
            self._later(automation, course, takes)

    def _end(self, automation: Automation, status: str, failure: str = "") -> None:
        automation.status, automation.failure, automation.ended = status, failure, self._clock.now
        if automation.event:
            self._clock.cancel(automation.event)
        self._log(f"automation {automation.id}: {status}{': ' + failure if failure else ''}")
        for watch in automation.watchers:
            watch(automation)

    def _run(self, automation: Automation, values: Mapping[str, Any]) -> Generator[timedelta, None, None]:
        steps = automation.runbook.steps
        known = {**values, "automation:EXECUTION_ID": automation.id}
        known |= {"global:DATE": f"{self._clock.now:%Y-%m-%d}", "global:REGION": self._cloud.region}
        step: RunbookStep | None = steps[0]
        failed = ""
        while step is not None and not automation.stopping:
            run = AutomationStep(self._ids.uuid(), step, self._clock.now)
            automation.steps.append(run)
            yield from self._attempt(automation, run, known)
            run.ended = self._clock.now
            follows = _following(steps, run)
            if isinstance(follows, _Abort):
                self._end(automation, run.status, f"Step {step.name} failed: {run.failure}")
                return
            if run.status != SUCCESS and str(step.written.get("isCritical", True)).lower() == "true":
                failed = failed or f"Step {step.name} failed: {run.failure}"
            step = follows
        if automation.stopping:
            self._end(automation, CANCELLED)
        else:
            self._end(automation, FAILED if failed else SUCCESS, failed)

    def _attempt(
        self, automation: Automation, run: AutomationStep, known: dict[str, Any]
    ) -> Generator[timedelta, None, None]:
        """Run the action of a step, as often as it may be tried."""
        for _ in range(max(int(run.step.written.get("maxAttempts") or 1), 1)):
            run.status, run.failure = IN_PROGRESS, ""
            try:
                run.inputs = filled(dict(run.step.inputs), known)
                acting = Acting(
                    self._cloud,
                    self._fleet,
                    self._run_command,
                    lambda: self._clock.now,
                    automation.role,
                    automation.commands,
                )
                run.outputs = yield from self._in_time(run, ACTIONS[run.step.action](acting, run.inputs))
                if run.status == IN_PROGRESS:
                    run.status = SUCCESS
                    self._select_outputs(run, known)
            except StepFailedError as error:
                run.status, run.failure, run.outputs = FAILED, error.message, error.outputs
            except (ApiError, InvalidValueError) as error:
                run.status, run.failure = FAILED, getattr(error, "message", str(error))
            except (KeyError, ValueError, TypeError, AttributeError) as error:
                run.status, run.failure = FAILED, f"The inputs of the step make no sense: {error!r}."
            if run.status == SUCCESS:
                break
        known.update({f"{run.step.name}.{name}": value for name, value in run.outputs.items()})

    def _in_time(
        self, run: AutomationStep, course: Generator[timedelta, None, dict[str, Any]]
    ) -> Generator[timedelta, None, dict[str, Any]]:
        """Let an action go on as long as its step may take."""
        left = None if run.step.timeout is None else timedelta(seconds=run.step.timeout)
        while True:
            try:
                takes = next(course)
            except StopIteration as end:
                return dict(end.value or {})
            if left is not None and takes > left:
                course.close()
                yield left
                run.status, run.failure = TIMED_OUT, f"it took more than {run.step.timeout} seconds"
                return {}
            left = None if left is None else left - takes
            yield takes

    def _select_outputs(self, run: AutomationStep, known: Mapping[str, Any]) -> None:
        """Keep what a step names of what an API said."""
        if "" not in run.outputs:
            return
        said = run.outputs.pop("")
        for wanted in filled(list(run.step.written.get("outputs") or ()), known):
            run.outputs[str(wanted["Name"])] = selected(str(wanted["Selector"]), said)


class _Abort:
    """Says that an automation ends with a step that failed."""


_ABORT = _Abort()


def _following(steps: tuple[RunbookStep, ...], run: AutomationStep) -> RunbookStep | _Abort | None:
    """Return the step that follows one that has run; None if it was the last one."""
    by_name = {step.name: step for step in steps}
    written = run.step.written
    if run.status != SUCCESS:
        wanted = str(written.get("onFailure") or "Abort")
        if wanted.startswith("step:"):
            return by_name.get(wanted.removeprefix("step:"), _ABORT)
        if wanted != "Continue":
            return _ABORT
    if run.step.action == "aws:branch":
        chosen = run.outputs.get("NextStep")
        return by_name.get(str(chosen)) if chosen else _after(steps, run.step)
    if str(written.get("isEnd", False)).lower() == "true":
        return None
    return by_name.get(str(written["nextStep"])) if written.get("nextStep") else _after(steps, run.step)


def _after(steps: tuple[RunbookStep, ...], step: RunbookStep) -> RunbookStep | None:
    place = steps.index(step) + 1
    return steps[place] if place < len(steps) else None
