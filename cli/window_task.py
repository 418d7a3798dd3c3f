"""Doing now what a deployed window's task does."""

from __future__ import annotations

from cli.command import Call
from cli.options import rate_control, usage
from ops import run, window_task
from patching.run_patch_baseline import RunPatchBaseline


def from_window(
    call: Call,
    name: str,
    environment: str | None,
    other_targets: object,
    concurrency: str | None,
    max_errors: str | None,
    instead: RunPatchBaseline | None = None,
) -> run.Plan:
    """Plan what a window's task does, or, with its nodes and pace, something else instead."""
    if environment is None:
        usage("--window needs --environment: a window belongs to one")
    if other_targets:
        usage("give --window, or --tag, --instance or --resource-group: a window has targets of its own")
    found = window_task.plan(call.session, environment, name, instead=instead)
    if concurrency is None and max_errors is None:
        return found
    kept = found.rate_control
    return found.at_pace(rate_control(concurrency or kept.max_concurrency, max_errors or kept.max_errors))
