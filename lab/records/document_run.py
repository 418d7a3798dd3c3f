"""Running a document on a node: its steps in order, and what makes the agent pass over one or end the document.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/documents-schemas-features.html,
https://docs.aws.amazon.com/systems-manager/latest/userguide/documents-command-ssm-plugin-reference.html#shared-inputs
and, where these leave it open, the source of the agent (https://github.com/aws/amazon-ssm-agent, runpluginutil): a step
that fails does not keep the next one from running, and exit codes 168 and 169 end the document.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from lab.nodes.evaluations import Evaluations
from lab.nodes.node import ManagedNode
from lab.patches.baselines import Baselines
from lab.patches.catalogue import Catalogue
from lab.records.command import Status, StepRun
from lab.records.documents import Document, timeout_of
from lab.world.cloud import Cloud
from lab.world.ids import Ids
from lab.world.output import Output
from patching.command_document import Step
from patching.command_plugins import PLUGINS

Course = Generator[timedelta, None, None]
"""Something that goes on in time: it yields how long each part takes, and goes on when that has passed."""

EXIT_WITH_SUCCESS = 168
EXIT_WITH_FAILURE = 169
STOPPED = 137
"""The code of a step that the agent ended because it took too long."""
_WITHOUT_PRECONDITIONS = ("1.2", "2.0")


@dataclass(frozen=True)
class Job:
    """What the documents that one command runs on one node have in common.

    Attributes:
        node: the node.
        command_id: the command.
        association_id: the association that sent it; empty for a command of its own.
        now: tells the lab's time.
        log: takes what happens, in words.
        ids: where new ids come from.
        cloud: the rest of the account.
        baselines: the patch baselines.
        catalogues: the operating systems that the lab knows.
        evaluations: what scans find.
    """

    node: ManagedNode
    command_id: str
    association_id: str
    now: Callable[[], datetime]
    log: Callable[[str], None]
    ids: Ids
    cloud: Cloud
    baselines: Baselines
    catalogues: tuple[Catalogue, ...]
    evaluations: Evaluations


@dataclass(frozen=True)
class Place:
    """Where in which document a step stands.

    Attributes:
        document: the document.
        parameters: what it was given.
        step: the step, with the values of the parameters in it.
        depth: how many documents are around it that run each other.
    """

    document: Document
    parameters: Mapping[str, list[str]]
    step: Step
    depth: int


Action = Callable[[Job, Place, StepRun], Course]
"""What a plugin does; it leaves its exit code and its output with the step's run."""


def new_runs(document: Document) -> list[StepRun]:
    """Return the runs of a document's steps, before any of it has begun."""
    return [StepRun(step.name, step.action, folder=str(step.inputs.get("id", ""))) for step in document.command.steps]


def run_document(
    job: Job,
    document: Document,
    parameters: Mapping[str, list[str]],
    runs: Iterable[StepRun],
    actions: Mapping[str, Action],
    depth: int = 0,
    steps: Sequence[Step] | None = None,
) -> Course:
    """Run the steps of a document on a node, one after the other.

    Args:
        job: the node, and what the documents of the command share.
        document: the document.
        parameters: what it is given.
        runs: where each step leaves how it went.
        actions: what the plugins do, by their names.
        depth: how many documents are around this one.
        steps: its steps, with the values of the parameters in them, if somebody knows them already.
    """
    steps = document.command.resolved_steps(parameters) if steps is None else steps
    ended_by = ""
    for step, run in zip(steps, runs, strict=True):
        run.started = job.now()
        last = step is steps[-1]
        reason = f"step {ended_by} ended the document" if ended_by and not (step.is_finally and last) else ""
        reason = reason or _unsupported(step, job.node) or _unsatisfied(step, job.node)
        if reason and document.schema_version in _WITHOUT_PRECONDITIONS:
            run.status, run.code, run.error = Status.FAILED, 1, f"Step {step.name} failed: {reason}.\n"
        elif reason:
            run.skipped, run.status, run.code = True, Status.SUCCESS, 0
            run.printed = _passed_over(reason, step.name)
        else:
            run.status = Status.IN_PROGRESS
            course = actions[step.action](job, Place(document, parameters, step, depth), run)
            in_time = yield from _in_time(course, timedelta(seconds=timeout_of(step)))
            if not in_time:
                run.status, run.code = Status.TIMED_OUT, STOPPED
                run.error += f"failed to run commands: {step.name} timed out after {timeout_of(step)} seconds\n"
            ends = _conclude(step, run)
            ended_by = ended_by or ends
        run.ended = job.now()


@lru_cache(maxsize=256)
def _passed_over(reason: str, name: str) -> Output:
    return Output(f"Step execution skipped due to {reason}. Step name: {name}")


def _in_time(course: Course, left: timedelta) -> Generator[timedelta, None, bool]:
    """Let something go on as long as it may, and tell whether it came to its end."""
    for takes in course:
        if takes > left:
            course.close()
            yield left
            return False
        left -= takes
        yield takes
    return True


def _conclude(step: Step, run: StepRun) -> str:
    """Give a step that has run its status, and return its name if the document ends with it."""
    if run.status is Status.TIMED_OUT:
        return step.name if step.on_failure == "exit" else ""
    failed = run.code not in (0, EXIT_WITH_SUCCESS)
    if failed and step.on_failure == "successAndExit":
        failed, run.code = False, EXIT_WITH_SUCCESS
    run.status = Status.FAILED if failed else Status.SUCCESS
    exits = (
        run.code in (EXIT_WITH_SUCCESS, EXIT_WITH_FAILURE)
        or (failed and step.on_failure == "exit")
        or (not failed and step.on_success == "exit")
    )
    return step.name if exits else ""


def _unsupported(step: Step, node: ManagedNode) -> str:
    if node.catalogue.system.platform_type in PLUGINS[step.action].platforms:
        return ""
    return f"unsupported plugin: {step.action}"


def _unsatisfied(step: Step, node: ManagedNode) -> str:
    if step.precondition is None:
        return ""
    platform = str(node.catalogue.system.platform_type)
    one, other = (platform if value == "platformType" else value for value in step.precondition)
    if one == other:
        return ""
    return f"unsatisfied preconditions: '\"StringEquals\": [{', '.join(step.precondition)}]'"
