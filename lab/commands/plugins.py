"""What the plugins do on a simulated node. No script is run, and nothing is fetched or put anywhere.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/documents-command-ssm-plugin-reference.html and
https://docs.aws.amazon.com/systems-manager/latest/userguide/run-command-handle-exit-status.html. How long things take
is made up.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from lab.commands import aws_scripts
from lab.nodes.inventory_collection import collect
from lab.nodes.patch_operation import DURATIONS
from lab.patches.catalogue import agent_version, agent_versions
from lab.records.command import Status, StepRun
from lab.records.document_run import Action, Course, Job, Place, new_runs, run_document
from lab.records.documents import Document, find
from lab.world.errors import ApiError
from patching import yaml_file
from patching.operating_system import PlatformType

MOMENT = timedelta(seconds=5)
"""What anything takes whose duration nobody can know."""

_MAX_DEPTH = 3
_EXIT = re.compile(r"exit\s+([0-9]+)\s*;?", re.IGNORECASE)
_SLEEP = re.compile(r"(?:start-)?sleep\s+(?:-s(?:econds)?\s+)?([0-9]{1,6})s?\s*;?", re.IGNORECASE)
_REBOOT = {PlatformType.LINUX: 194, PlatformType.MACOS: 194, PlatformType.WINDOWS: 3010}


def exit_code(script: list[str], platform: PlatformType) -> int:
    """Return the code that a script is taken to end with: that of an `exit N` in its last line, and 0 without one.

    A shell keeps the lowest eight bits of the number.
    """
    lines = [line.strip() for command in script for line in command.splitlines()]
    lines = [line for line in lines if line and not line.startswith("#")]
    match = _EXIT.fullmatch(lines[-1]) if lines else None
    code = int(match[1]) if match else 0
    return code if platform is PlatformType.WINDOWS else code % 256


def slept(script: list[str]) -> timedelta:
    """Return how long a script is taken to run by the lines of it that say `sleep N`, or `Start-Sleep N`."""
    lines = (line.strip() for command in script for line in command.splitlines())
    return timedelta(seconds=sum(int(match[1]) for line in lines if (match := _SLEEP.fullmatch(line))))


def run_script(job: Job, place: Place, run: StepRun) -> Course:
    """Take a script for run, or do what the script of an AWS document does.

    A script that asks for a reboot is run again after it, and is then taken to have nothing left to do: see
    https://docs.aws.amazon.com/systems-manager/latest/userguide/send-commands-reboot.html.
    """
    own = aws_scripts.SCRIPTS.get((place.document.name, place.step.name))
    if own and place.document.arn.startswith(f"arn:aws:ssm:{job.cloud.region}::"):
        yield from own(job, place, run)
        return
    platform = job.node.catalogue.system.platform_type
    commands = place.step.inputs.get("runCommand") or []
    script = [commands] if isinstance(commands, str) else [str(one) for one in commands]
    yield MOMENT + slept(script)
    run.code = exit_code(script, platform)
    lines = [f"[simulated] {place.step.action}: {len(script)} commands were not run; taken to end with {run.code}."]
    if run.code == _REBOOT[platform]:
        yield from reboot(job)
        run.code = 0
        lines.append("[simulated] Rebooted; run again, the commands are taken to have nothing left to do.")
    run.output = "\n".join(lines) + "\n"
    if run.code not in (0, 168):
        run.error = f"failed to run commands: exit status {run.code}\n"


def reboot(job: Job) -> Course:
    """Restart the node."""
    job.log(f"{job.node.id} reboots")
    yield DURATIONS[job.node.catalogue.system.platform_type].reboot
    job.node.reboot(job.now())


def run_another_document(job: Job, place: Place, run: StepRun) -> Course:
    """Run a document of Systems Manager in the place of a step; the node's role reads it.

    The depth is what the agent allows (plugins/rundocument in its source).
    """
    yield MOMENT
    try:
        document, parameters = _another_document(job, place)
    except ApiError as error:
        run.code, run.error = 1, f"{error.message}\n"
        return
    runs = new_runs(document)
    yield from run_document(job, document, parameters, runs, ACTIONS, place.depth + 1)
    run.output = "".join(_with_newline(one.output) for one in runs)
    run.error = "".join(_with_newline(one.error) for one in runs)
    run.code = int(any(one.status in (Status.FAILED, Status.TIMED_OUT) for one in runs))


def _another_document(job: Job, place: Place) -> tuple[Document, dict[str, list[str]]]:
    inputs = dict(place.step.inputs)
    if place.parameters.get("sourceType") == ["SSMDocument"] and place.document.name == "AWS-RunDocument":
        # Which the agent fetches first, and then runs from a file.
        name = _parameters(place.parameters.get("sourceInfo", ["{}"])[0]).get("name", [""])[0]
        inputs |= {"documentType": "SSMDocument", "documentPath": name}
    if inputs["documentType"] != "SSMDocument":
        raise ApiError("InvalidDocument", "The lab's nodes have no files: there is no document on a path to run.")
    if place.depth >= _MAX_DEPTH:
        raise ApiError("InvalidDocument", f"Documents run each other more than {_MAX_DEPTH} deep.")
    reference, version = _reference(str(inputs["documentPath"]))
    document = find(job.cloud, reference, version)
    if not job.cloud.allowed(job.node.role, "ssm:GetDocument", document.arn):
        raise ApiError("AccessDenied", f"{job.node.role} does not allow ssm:GetDocument on {document.arn}.")
    parameters = _parameters(inputs.get("documentParameters") or {})
    document.check(parameters)
    return document, parameters


def _reference(path: str) -> tuple[str, str]:
    """Take a `name:version` apart; the colons of an ARN before its name mark no version."""
    folder, slash, name = path.rpartition("/")
    name, _, version = name.partition(":")
    return f"{folder}{slash}{name}", version


def _parameters(given: Any) -> dict[str, list[str]]:  # noqa: ANN401 a mapping, or the text of one
    if isinstance(given, str):
        try:
            given = yaml_file.load(given)
        except yaml_file.NO_YAML:
            given = None
    if not isinstance(given, Mapping):
        raise ApiError("InvalidParameters", "documentParameters is no mapping of names to values.")
    return {
        str(name): [one if isinstance(one, str) else json.dumps(one) for one in _list(value)]
        for name, value in given.items()
    }


def _list(value: Any) -> list[Any]:  # noqa: ANN401 as above
    return value if isinstance(value, list) else [value]


def _with_newline(text: str) -> str:
    return text if not text or text.endswith("\n") else f"{text}\n"


def update_agent(job: Job, place: Place, run: StepRun) -> Course:
    """Bring the agent to the newest version that the catalogues know, or to the one that is asked for."""
    yield MOMENT
    node, now = job.node, job.now()
    known = agent_versions(job.catalogues, now)
    wanted = str(place.step.inputs.get("targetVersion") or known[-1])
    before = node.agent_version
    if wanted not in known:
        run.code, run.error = 1, f"There is no version {wanted} of amazon-ssm-agent; the newest one is {known[-1]}.\n"
        return
    if known.index(wanted) < known.index(before) and str(place.step.inputs["allowDowngrade"]).lower() != "true":
        run.code, run.error = 1, f"amazon-ssm-agent {before} is newer than {wanted}, and allowDowngrade is false.\n"
        return
    node.updated_agent = wanted
    package = node.catalogue.agent_package
    if package is not None:
        versions = [agent_version(one.version) for one in package.releases]
        if wanted in versions:
            node.installed[package.key] = versions.index(wanted)
    run.code = 0
    run.output = f"[simulated] amazon-ssm-agent updated from {before} to {wanted}.\n"


def gather_inventory(job: Job, place: Place, run: StepRun) -> Course:
    """Collect the node's inventory. The plugin runs for an association only, and says so otherwise."""
    yield MOMENT
    if not job.association_id:
        run.code, run.error = 1, "The aws:softwareInventory plugin can only be invoked via ssm-associate.\n"
        return
    items = collect(job.node, {name: str(value) for name, value in place.step.inputs.items()}, job.now())
    job.node.inventory |= {item.type: item for item in items}
    found = ", ".join(item.type for item in items)
    run.code = 0
    run.output = f"[simulated] Inventory of {job.node.id}: {found or 'nothing'}.\n"


def stand_in(job: Job, place: Place, run: StepRun) -> Course:  # noqa: ARG001 as every action
    """Take a plugin for run that would change what the lab does not model."""
    yield MOMENT
    run.code = 0
    run.output = f"[simulated] {place.step.action} was not run; taken to succeed.\n"


def refuse(job: Job, place: Place, run: StepRun) -> Course:  # noqa: ARG001 as every action
    """Fail a plugin that would change what the lab does model, if only it could."""
    yield MOMENT
    run.code, run.error = 1, f"The lab does not emulate {place.step.action}.\n"


ACTIONS: dict[str, Action] = {
    "aws:applications": stand_in,
    "aws:cloudWatch": refuse,
    "aws:configureDocker": stand_in,
    "aws:configurePackage": stand_in,
    "aws:domainJoin": stand_in,
    "aws:downloadContent": stand_in,
    "aws:psModule": stand_in,
    "aws:refreshAssociation": refuse,
    "aws:runDockerAction": stand_in,
    "aws:runDocument": run_another_document,
    "aws:runPowerShellScript": run_script,
    "aws:runShellScript": run_script,
    "aws:softwareInventory": gather_inventory,
    "aws:updateAgent": stand_in,
    "aws:updateSsmAgent": update_agent,
}
"""What each plugin does."""
