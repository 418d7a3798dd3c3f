"""`patchops scan`."""

from __future__ import annotations

import uuid

import typer

from cli import run_options
from cli.command import Call, command
from cli.options import EnvironmentName, Instances, ResourceGroup, Tags, rate_control, required_targets
from cli.run_options import AtMost, Comment, Concurrency, MaxErrors, Sent, Wait, WindowName
from cli.window_task import from_window
from ops import run, window_task
from ops.progress import Progress
from patching.run_patch_baseline import RunPatchBaseline


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    command(
        app,
        "scan",
        needs=(*run_options.NEEDS, *window_task.NEEDS),
        result=Progress | Sent,
        examples=(
            "scan --environment lab --tag Workload=Prod",
            "scan --environment lab --window prod",
            "scan --environment lab --concurrency 10% --quiet --output json",
            "scan --instance i-0123456789abcdef0 --no-wait",
        ),
    )(scan)


def scan(
    call: Call,
    environment: EnvironmentName = None,
    tag: Tags = None,
    instance: Instances = None,
    resource_group: ResourceGroup = None,
    window: WindowName = None,
    concurrency: Concurrency = None,
    max_errors: MaxErrors = None,
    at_most: AtMost = None,
    wait: Wait = True,
    comment: Comment = "",
) -> None:
    """Compare nodes with their baselines and report; nothing is changed on them."""
    task = RunPatchBaseline.scan(snapshot_id=str(uuid.uuid4()))
    if window:
        plan = from_window(call, window, environment, tag or instance or resource_group, concurrency, max_errors, task)
    else:
        plan = run.plan(
            call.session,
            task,
            required_targets(environment, tag, instance, resource_group),
            rate_control=rate_control(concurrency or "50", max_errors or "0"),
            environment=run_options.environment_of(call, environment),
            comment=comment,
        )
    run_options.check(call, plan, at_most=at_most)
    run_options.carry_out(call, plan, "Scan", wait=wait)
