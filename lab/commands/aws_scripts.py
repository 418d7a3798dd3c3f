"""What the scripts in AWS's documents do on a simulated node, which are not there themselves.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-aws-runpatchbaseline.html and
https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-aws-runpatchbaselinewithhooks.html. The
latter says what the two verifying scripts decide, but not what the steps are called.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

from lab.commands import transcript
from lab.commands.windows_update import (
    find_windows_updates,
    install_missing_windows_updates,
    install_windows_updates,
)
from lab.nodes.override_list import fetched, fetched_baselines
from lab.nodes.patch_operation import PatchOperation
from lab.patches.snapshots import Snapshot
from lab.records.command import StepRun
from lab.records.document_run import EXIT_WITH_SUCCESS, Action, Course, Job, Place
from lab.world.network import patching_refusal
from patching.compliance import PatchState
from patching.errors import InvalidValueError
from patching.operating_system import PlatformType
from patching.run_patch_baseline import (
    DOCUMENT_NAME,
    DOCUMENT_WITH_HOOKS,
    STEPS,
    Operation,
    RebootOption,
    RunPatchBaseline,
)

_LOOK = timedelta(seconds=2)
_BASELINE_TAGS = re.compile(r"Key=(?P<key>[^,]+),Values=(?P<values>.+)")
_OVERRIDES = ("InstallOverrideList", "BaselineOverride")


def patch(job: Job, place: Place, run: StepRun) -> Course:
    """Scan the node, or install what is missing, and report."""
    yield from _patch(job, place, run, lambda task: _snapshot(job, task))


def patch_for_association(job: Job, place: Place, run: StepRun) -> Course:
    """Scan the node, or install what is missing, with a baseline that has a tag, and report for an association only.

    Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-aws-runpatchbaselineassociation.html.
    """
    association_id = _value(place, "AssociationId") or job.association_id
    problem = "AssociationId names no association." if not association_id else ""
    if job.node.hybrid:
        problem = "AWS-RunPatchBaselineAssociation is not for machines outside of EC2."
    if problem:
        yield _LOOK
        run.code, run.error = 1, f"{problem}\n"
        return
    yield from _patch(job, place, run, lambda task: _tagged_snapshot(job, place, task), association_id)


def _patch(
    job: Job, place: Place, run: StepRun, snapshot_for: Callable[[RunPatchBaseline], Snapshot], association_id: str = ""
) -> Course:
    node, started = job.node, job.now()
    refusal = patching_refusal(node.network, node.role)
    if refusal:
        yield _LOOK
        # What AWS documents for a node that cannot fetch the scripts, with the reason that AWS does not tell.
        run.code = 156
        run.error = f"[simulated] Unable to download payload: {refusal}\nfailed to run commands: exit status 156\n"
        return
    if any(any(place.parameters.get(name, ())) for name in _OVERRIDES):
        yield _LOOK
    try:
        task = RunPatchBaseline.from_api(dict(place.parameters))
        override_list = fetched(job.cloud, node, task.override_list) if task.override_list else None
        snapshot = snapshot_for(task)
    except InvalidValueError as error:
        run.code, run.output, run.error = 1, transcript.no_override(node, place.parameters), f"{error}\n"
        return
    operation = PatchOperation(
        node,
        task,
        snapshot,
        job.evaluations,
        snapshot_id=task.snapshot_id or job.ids.uuid(),
        command_id=job.command_id,
        started=started,
        override_list=override_list,
        association_id=association_id,
    )
    yield operation.work()
    reboot = operation.install(job.now())
    if reboot:
        job.log(f"{node.id} reboots")
        yield reboot
    states = operation.report(job.now())
    run.printed = transcript.finished(node, task, states, operation)
    run.code = int(operation.failed)
    run.error = f"{node.problem}\n" if operation.failed else ""


def _snapshot(job: Job, task: RunPatchBaseline) -> Snapshot:
    """Return the baseline that the node is held against: the registered one, or one that overrides it."""
    system, group = job.node.catalogue.system, job.node.patch_group()
    if not task.baseline_override:
        return job.baselines.snapshot(task.snapshot_id, system, group, job.now())

    def take() -> Snapshot:
        override = fetched_baselines(job.cloud, job.node, task.baseline_override)
        baseline_id = override.ids.get(system) or job.baselines.effective(system, group).id
        return Snapshot(baseline_id, override.for_system(system), job.now())

    if not task.snapshot_id:
        return take()
    # Under a snapshot's id the list is read once: what becomes of it afterwards changes nothing for the other nodes.
    return job.baselines.snapshots.find((task.snapshot_id, system, task.baseline_override), job.now(), take)


def _tagged_snapshot(job: Job, place: Place, task: RunPatchBaseline) -> Snapshot:
    """Return the one baseline that has the tag which BaselineTags names, or the registered one if none has it.

    Raises:
        InvalidValueError: several baselines have it, or the node's role may not look for them.
    """
    tags = _value(place, "BaselineTags")
    if not tags:
        return _snapshot(job, task)
    match = _BASELINE_TAGS.fullmatch(tags)
    if not match:
        message = f"BaselineTags {tags!r} is not of the form Key=KEY,Values=VALUE,VALUE"
        raise InvalidValueError(message)
    for action in ("ssm:DescribePatchBaselines", "tag:GetResources"):
        _check_allowed(job, action, "*")
    found = [
        one
        for one in job.baselines.all()
        if one.baseline.operating_system is job.node.catalogue.system
        and job.baselines.tags.of("PatchBaseline", one.id).get(match["key"]) in match["values"].split(",")
    ]
    if len(found) > 1:
        message = f"only one patch baseline may have the tag {tags}, and {', '.join(one.id for one in found)} have it"
        raise InvalidValueError(message)
    if not found:
        return _snapshot(job, task)
    arn = f"arn:aws:ssm:{job.cloud.region}:{job.cloud.account}:patchbaseline/{found[0].id}"
    _check_allowed(job, "ssm:GetPatchBaseline", arn)
    return Snapshot(found[0].id, found[0].baseline, job.now())


def _check_allowed(job: Job, action: str, resource: str) -> None:
    if not job.cloud.allowed(job.node.role, action, resource):
        message = f"{job.node.role} does not allow {action} on {resource}"
        raise InvalidValueError(message)


def verify_patch_states(job: Job, place: Place, run: StepRun) -> Course:
    """Decide by the scan whether there is anything to install or a reboot to make up for."""
    yield _LOOK
    if _value(place, "Operation") == Operation.SCAN:
        _end(run, "the operation is a scan")
    elif _count(job, PatchState.MISSING):
        _go_on(run, f"{_count(job, PatchState.MISSING)} patches are missing")
    elif not _count(job, PatchState.INSTALLED_PENDING_REBOOT):
        _end(run, "nothing is missing, and no reboot is pending")
    elif _value(place, "RebootOption") == RebootOption.NO_REBOOT:
        _end(run, "nothing is missing, and the reboot that is pending is not wanted")
    else:
        _go_on(run, "a reboot is pending")


def verify_reboot(job: Job, place: Place, run: StepRun) -> Course:
    """Decide by what was installed whether the node is rebooted."""
    yield _LOOK
    if _value(place, "RebootOption") == RebootOption.NO_REBOOT:
        _end(run, "RebootOption is NoReboot")
    elif not _count(job, PatchState.INSTALLED_PENDING_REBOOT):
        _end(run, "no patch waits for a reboot")
    else:
        _go_on(run, "patches wait for a reboot")


def _value(place: Place, name: str) -> str:
    declared = place.document.command.parameters[name].declared
    return str(place.parameters.get(name, [declared.get("default", "")])[0])


def _count(job: Job, state: PatchState) -> int:
    return job.node.states.count(state) if job.node.states else 0


def _end(run: StepRun, why: str) -> None:
    run.code, run.output = EXIT_WITH_SUCCESS, f"[simulated] Nothing further is done: {why}.\n"


def _go_on(run: StepRun, why: str) -> None:
    run.code, run.output = 0, f"[simulated] Going on: {why}.\n"


SCRIPTS: dict[tuple[str, str], Action] = {
    **{(DOCUMENT_NAME, step): patch for step in STEPS.values()},
    **{("AWS-RunPatchBaselineAssociation", step): patch_for_association for step in STEPS.values()},
    ("AWS-ApplyPatchBaseline", "aws:runPowerShellScript"): patch,
    ("AWS-InstallWindowsUpdates", "InstallWindowsUpdates"): install_windows_updates,
    ("AWS-FindWindowsUpdates", "aws:runPowerShellScript"): find_windows_updates,
    ("AWS-InstallMissingWindowsUpdates", "aws:runPowerShellScript"): install_missing_windows_updates,
    **{
        (DOCUMENT_WITH_HOOKS, f"{name}{platform}"): action
        for name, action in (("VerifyPatchStates", verify_patch_states), ("VerifyReboot", verify_reboot))
        for platform in (PlatformType.LINUX, PlatformType.WINDOWS)
    },
}
"""What the scripts do, by the names of their document and step."""
