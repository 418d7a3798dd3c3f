"""What the script of AWS-RunPatchBaseline prints in the lab.

Real payloads print much more. Kept of them is what people read and scripts parse: the settings, the counts, and the
summary that is sent as inventory.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lab.node import ManagedNode, PatchReport, PatchStates
from lab.patch_operation import PatchOperation
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


def finished(node: ManagedNode, task: RunPatchBaseline, states: PatchStates, operation: PatchOperation) -> str:
    """Return the standard output of a script that came to its end."""
    lines = [
        _NOTICE,
        f"Instance Id: {node.id}",
        f"Product: {node.catalogue.platform_name} {node.catalogue.platform_version}",
        f"Patch Group: {states.patch_group}",
        f"Patch Baseline: {states.baseline_id}",
        f"Operation type: {task.operation}",
        f"Snapshot Id: {states.snapshot_id}",
        f"Reboot Option: {states.reboot}",
    ]
    if task.baseline_override:
        lines.append(f"Baseline Override: {task.baseline_override}")
    if task.override_list:
        lines.append(f"Install Override List: {task.override_list}")
        lines += [f"Listed, with nothing to install: {name}" for name in operation.not_found]
    if task.operation is Operation.INSTALL:
        lines += [f"Installed: {name}" for name in operation.installed] or ["Nothing to install."]
    lines += [f"Missing: {report.title}" for report in _in_state(states, PatchState.MISSING)]
    lines += [f"Failed: {report.title}" for report in _in_state(states, PatchState.FAILED)]
    if task.baseline_override:
        # No compliance is recorded, so that the output has to name all that keeps the node from it.
        for state in (PatchState.INSTALLED_REJECTED, PatchState.INSTALLED_PENDING_REBOOT):
            lines += [f"{state}: {report.title}" for report in _in_state(states, state)]
    lines.append(
        ", ".join(
            f"{label} count: {states.count(state)}"
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
    lines.append(f"Instance is {'Non-Compliant' if states.non_compliant else 'Compliant'}")
    lines.append(_reboot_line(node, task, rebooted=operation.rebooted))
    return "\n".join(lines) + "\n"


def _in_state(states: PatchStates, state: PatchState) -> list[PatchReport]:
    return [report for report in states.reports if report.state is state]


def _reboot_line(node: ManagedNode, task: RunPatchBaseline, *, rebooted: bool) -> str:
    if task.operation is Operation.SCAN:
        return "Reboot is not permitted for a scan."
    if rebooted:
        code = 3010 if node.catalogue.system.family is PatchFamily.WINDOWS else 194
        return f"Rebooted (patching exit code {code}); this report was made after the restart."
    if node.pending_reboot:
        return "Reboot is not permitted because RebootOption is NoReboot."
    return "Reboot is not required."
