"""What a window or an association does to a node, in words.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-aws-runpatchbaseline.html,
https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-aws-runpatchbaselinewithhooks.html and
https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_RegisterTaskWithMaintenanceWindow.html.
"""

from __future__ import annotations

from patching.run_patch_baseline import NO_HOOK, Hooks, Operation, RebootOption, RunPatchBaseline
from patching.schedule_words import joined

_HOOKS = {
    "pre_install": "before anything is installed",
    "post_install": "after the installation and before the reboot",
    "on_exit": "at the very end, whatever failed",
}


def operation_in_words(task: RunPatchBaseline) -> str:
    """Say what it does to a node."""
    if task.operation is Operation.SCAN:
        return "reports what is missing, and changes nothing"
    if task.override_list:
        return f"installs what the list {task.override_list} names, whatever the baseline approves"
    return "installs what the baseline approves"


def reboot_in_words(option: RebootOption) -> str:
    """Say whether nodes reboot."""
    if option is RebootOption.NO_REBOOT:
        return (
            "never reboots a node: patches that need it wait, and the node is not compliant until somebody reboots it"
        )
    return "reboots a node after anything was installed on it"


def hooks_in_words(hooks: Hooks | None) -> str:
    """Say which documents run around an installation."""
    named = {key: getattr(hooks, key) for key in _HOOKS} if hooks else {}
    parts = [f"{name} {_HOOKS[key]}" for key, name in named.items() if name != NO_HOOK]
    return f"runs {joined(parts)}" if parts else "runs no hooks"


def cutoff_in_words(*, cancels: bool) -> str:
    """Say what becomes at the cutoff of a command that is running."""
    if cancels:
        return "at the cutoff it is cancelled: nodes that have not begun do not begin"
    return "what is running at the cutoff goes on, and nodes that wait still begin"
