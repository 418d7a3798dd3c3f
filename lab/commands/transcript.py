"""What the script of AWS-RunPatchBaseline prints in the lab.

Real payloads print much more. Kept of them is what people read and scripts parse: the settings, the counts, and the
summary that is sent as inventory.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

from lab.nodes.node import ManagedNode, PatchStates
from lab.nodes.patch_operation import PatchOperation
from lab.patches.findings import Findings
from lab.world.output import Output
from patching.compliance import PatchState
from patching.operating_system import PatchFamily
from patching.run_patch_baseline import Operation, RunPatchBaseline

_NOTICE = "[simulated] This is the lab's stand-in for the script of AWS-RunPatchBaseline; nothing was run."


def no_override(node: ManagedNode, parameters: Mapping[str, Sequence[str]]) -> str:
    """Return the standard output of a script that ended before it began, for want of what was to override."""
    given = {name: values[0] for name, values in parameters.items() if values and values[0]}
    return (
        f"{_NOTICE}\nInstance Id: {node.id}\nOperation type: {given['Operation']}\n"
        f"Install Override List: {given.get('InstallOverrideList', '')}\n"
        f"Baseline Override: {given.get('BaselineOverride', '')}\n"
        "Nothing was scanned or installed: what was to override the baseline could not be used.\n"
    )


def finished(node: ManagedNode, task: RunPatchBaseline, states: PatchStates, operation: PatchOperation) -> Output:
    """Return the standard output of a script that came to its end."""
    lines = [f"Baseline Override: {task.baseline_override}"] if task.baseline_override else []
    if task.override_list:
        lines.append(f"Install Override List: {task.override_list}")
        lines += [f"Listed, with nothing to install: {name}" for name in operation.not_found]
    if task.operation is Operation.INSTALL:
        lines += [f"Installed: {name}" for name in operation.installed] or ["Nothing to install."]
    product = f"{node.catalogue.platform_name} {node.catalogue.platform_version}"
    return Output(
        f"{_NOTICE}\nInstance Id: ",
        node.id,
        _used(product, states.patch_group, states.baseline_id, task.operation),
        states.snapshot_id,
        f"\nReboot Option: {states.reboot}\n",
        "".join(f"{line}\n" for line in lines),
        _found(states.findings, states.available_updates_comply, bool(task.baseline_override)),
        f"{_reboot_line(node, task, rebooted=operation.rebooted)}\n",
    )


@lru_cache(maxsize=1024)
def _used(product: str, patch_group: str, baseline_id: str, operation: Operation) -> str:
    return (
        f"\nProduct: {product}\nPatch Group: {patch_group}\nPatch Baseline: {baseline_id}\n"
        f"Operation type: {operation}\nSnapshot Id: "
    )


@lru_cache(maxsize=1024)
def _found(findings: Findings, available_updates_comply: bool, overridden: bool) -> str:  # noqa: FBT001 kept by them
    lines = _lines(findings, PatchState.MISSING, "Missing") + _lines(findings, PatchState.FAILED, "Failed")
    if overridden:
        # No compliance is recorded, so that the output has to name all that keeps the node from it.
        for state in (PatchState.INSTALLED_REJECTED, PatchState.INSTALLED_PENDING_REBOOT):
            lines += _lines(findings, state, state)
    lines.append(
        ", ".join(
            f"{label} count: {findings.count(state)}"
            for label, state in (
                ("Installed", PatchState.INSTALLED),
                ("Installed Other", PatchState.INSTALLED_OTHER),
                ("Installed Rejected", PatchState.INSTALLED_REJECTED),
                ("Pending Reboot", PatchState.INSTALLED_PENDING_REBOOT),
                ("Missing", PatchState.MISSING),
                ("Failed", PatchState.FAILED),
                ("Not Applicable", PatchState.NOT_APPLICABLE),
            )
        )
    )
    lacking = findings.lacking(available_updates_comply=available_updates_comply)
    lines.append(f"Instance is {'Non-Compliant' if lacking else 'Compliant'}")
    return "".join(f"{line}\n" for line in lines)


def _lines(findings: Findings, state: PatchState, label: str) -> list[str]:
    return [f"{label}: {report.title}" for report in findings.reports if report.state is state]


def _reboot_line(node: ManagedNode, task: RunPatchBaseline, *, rebooted: bool) -> str:
    if task.operation is Operation.SCAN:
        return "Reboot is not permitted for a scan."
    if rebooted:
        code = 3010 if node.catalogue.system.family is PatchFamily.WINDOWS else 194
        return f"Rebooted (patching exit code {code}); this report was made after the restart."
    if node.pending_reboot:
        return "Reboot is not permitted because RebootOption is NoReboot."
    return "Reboot is not required."
