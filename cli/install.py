"""`patchops install`."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Annotated

import typer

from cli import run_options
from cli.command import Call, command
from cli.options import (
    FOUND,
    EnvironmentName,
    Instances,
    ResourceGroup,
    Tags,
    checked,
    rate_control,
    required_targets,
    usage,
)
from cli.run_options import (
    AtMost,
    Calendars,
    Comment,
    Concurrency,
    DespiteCalendar,
    MaxErrors,
    Sent,
    Wait,
    WindowName,
    Yes,
)
from cli.window_task import from_window
from ops import (
    compliance,
    compliance_tables,
    guards,
    overrides,
    patch_plan,
    patch_plan_tables,
    run,
    tables,
    window_task,
)
from ops.compliance_summary import Counting, Summary
from ops.environment import Environment
from ops.patch_plan import Adding
from ops.progress import Progress
from ops.run import Plan
from patching.deployment import Deployment
from patching.run_patch_baseline import Hooks, RebootOption, RunPatchBaseline

_HOOKS = {"pre-install": "pre_install", "post-install": "post_install", "on-exit": "on_exit"}


@dataclass(frozen=True)
class InstallResult:
    """How an installation ended.

    Attributes:
        install: the installation.
        scan: the scan after it; null if none was made, and compliance is not proven.
        compliance: what the scan's reports add up to; null without a scan.
        problems: what could not be read, in words; the nodes it concerns are unknown.
    """

    install: Progress
    scan: Progress | None
    compliance: Summary | None
    problems: tuple[str, ...]


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    command(
        app,
        "install",
        needs=(
            *run_options.NEEDS,
            *window_task.NEEDS,
            *guards.CALENDAR_NEEDS,
            *patch_plan.NEEDS,
            *overrides.NEEDS,
            *compliance.NEEDS,
        ),
        result=InstallResult | Sent,
        examples=(
            "install --environment lab --tag Workload=Prod --concurrency 1 --max-errors 1",
            "install --environment lab --window prod --yes",
            "install --environment lab --tag Workload=Test --hook pre-install=stop-app --hook on-exit=start-app",
            "install --environment lab --instance i-0123456789abcdef0 --override-list hotfix.yaml --at-most 1",
            "install --environment lab --baseline-override everything.json --reboot NoReboot",
        ),
    )(install)


def install(
    call: Call,
    environment: EnvironmentName = None,
    tag: Tags = None,
    instance: Instances = None,
    resource_group: ResourceGroup = None,
    window: WindowName = None,
    concurrency: Concurrency = None,
    max_errors: MaxErrors = None,
    reboot: Annotated[
        RebootOption | None,
        typer.Option(help="RebootIfNeeded by default. NoReboot leaves what was installed pending: not compliant."),
    ] = None,
    hook: Annotated[
        list[str] | None,
        typer.Option(
            metavar="WHEN=DOCUMENT",
            help="A document that runs pre-install, post-install or on-exit; repeat for several.",
        ),
    ] = None,
    override_list: Annotated[
        str | None,
        typer.Option(metavar="FILE|s3://...", help="A list of patches that are installed instead of what is approved."),
    ] = None,
    baseline_override: Annotated[
        str | None,
        typer.Option(
            metavar="FILE|s3://...", help="Baselines that are used this time; a file is checked and uploaded."
        ),
    ] = None,
    at_most: AtMost = None,
    calendar: Calendars = None,
    despite_calendar: DespiteCalendar = False,
    scan: Annotated[
        bool, typer.Option("--scan/--no-scan", help="Scan at the end: an installation alone proves no compliance.")
    ] = True,
    yes: Yes = False,
    wait: Wait = True,
    comment: Comment = "",
) -> None:
    """Install what the baselines approve and the nodes lack, reboot them, and scan them to prove it."""
    if window:
        if hook or override_list or baseline_override or reboot:
            usage("--window does what its task does: leave --hook, --override-list, --baseline-override, --reboot out")
        targeted = tag or instance or resource_group
        plan = from_window(call, window, environment, targeted, concurrency, max_errors)
    else:
        found = run_options.environment_of(call, environment)
        targets = required_targets(environment, tag, instance, resource_group)
        pace = rate_control(concurrency or "1", max_errors or "0")
        task = _task(call, found, reboot or RebootOption.REBOOT_IF_NEEDED, hook, override_list, baseline_override)
        plan = run.plan(call.session, task, targets, rate_control=pace, environment=found, comment=comment)
    run_options.check(
        call,
        plan,
        at_most=at_most,
        calendars=calendar,
        environment=environment,
        despite_calendar=despite_calendar,
    )
    if not yes:
        _ask(call, plan, environment)
    command_id = run_options.send(call, plan, "Install")
    if not wait:
        call.terminal.say("an installation alone proves no compliance: scan the nodes after it")
        run_options.show_sent(call, command_id)
        return
    installed = run_options.ended(call, command_id)
    result = _prove(call, plan, installed) if scan else InstallResult(installed, None, None, ())
    shown = [tables.progress(installed), *tables.steps(installed)]
    if result.compliance:
        shown.append(compliance_tables.severities(result.compliance))
    call.terminal.show(result, shown)
    call.terminal.problems(result.problems)
    compliant = result.compliance is None or result.compliance.all_compliant
    if not (installed.succeeded and compliant and (result.scan is None or result.scan.succeeded)):
        raise typer.Exit(FOUND)


def _task(
    call: Call,
    environment: Environment | None,
    reboot: RebootOption,
    hook: list[str] | None,
    override_list: str | None,
    baseline_override: str | None,
) -> RunPatchBaseline:
    hooks = _hooks(hook, environment.deployment if environment else None) if hook else None
    if hooks and override_list:
        usage("give --hook or --override-list: the document with hooks takes no list")
    listed = overrides.override_list(call.session, override_list, environment) if override_list else ""
    instead = overrides.baseline_override(call.session, baseline_override, environment) if baseline_override else ""
    return checked(
        "--hook",
        lambda: RunPatchBaseline.install(
            reboot=reboot,
            snapshot_id=str(uuid.uuid4()),
            hooks=hooks,
            override_list=listed,
            baseline_override=instead,
        ),
    )


def _hooks(given: list[str], deployment: Deployment | None) -> Hooks:
    """Read hooks; a document is one of AWS's, or of the environment by its name in the policy."""
    named: dict[str, str] = {}
    for one in given:
        when, equals, document = one.partition("=")
        if when not in _HOOKS or not equals or not document:
            usage(f"--hook {one!r} is not WHEN=DOCUMENT, where WHEN is {', '.join(_HOOKS)}")
        if _HOOKS[when] in named:
            usage(f"--hook {when} is given twice; one document runs at a time")
        plain = document.startswith(("AWS-", "arn:")) or deployment is None
        named[_HOOKS[when]] = document if plain or deployment is None else deployment.name(document)
    return checked("--hook", lambda: Hooks(**named))


def _ask(call: Call, plan: Plan, environment: str | None) -> None:
    """Show the plan's summary, and ask whether to go on."""
    adding = Adding(plan.rate_control)
    problems: list[str] = []
    parameters = plan.task.to_api()
    reboot = RebootOption(parameters.get("RebootOption", [RebootOption.REBOOT_IF_NEEDED])[0])
    for one in patch_plan.plans(
        call.session,
        plan.targets,
        problems,
        reboot=reboot,
        deployment=Deployment(environment) if environment else None,
        patches=False,
    ):
        adding.add(one)
    for problem in problems:
        call.terminal.warn(f"patchops: not read: {problem}")
    summary = adding.summary()
    call.terminal.err.print(patch_plan_tables.summary(summary).rich())
    if {"InstallOverrideList", "BaselineOverride"} & parameters.keys():
        call.terminal.warn("What is installed follows from the override, not from the baselines as this plan does.")
    end = "and reboots them" if reboot is RebootOption.REBOOT_IF_NEEDED else "without a reboot"
    run_options.ask(call, plan, f"Installs patches on these {len(plan.nodes)} nodes {end}", "--yes to install")


def _prove(call: Call, plan: Plan, installed: Progress) -> InstallResult:
    """Scan the nodes after an installation, by the same snapshot of the baselines, and judge what they report."""
    snapshot = plan.task.to_api().get("SnapshotId", [str(uuid.uuid4())])[0]
    call.terminal.say("An installation alone proves no compliance: the nodes are scanned.")
    scan = Plan(
        task=RunPatchBaseline.scan(snapshot_id=snapshot),
        targets=plan.targets,
        nodes=plan.nodes,
        rate_control=rate_control("50", "100%"),
        environment=plan.environment,
        comment="After the installation",
    )
    begun = call.session.now().replace(microsecond=0)
    scanned = run_options.ended(call, run_options.send(call, scan, "Scan"))
    problems: list[str] = []
    counting = Counting(call.session.now)
    for report in compliance.judge(call.session, plan.nodes, problems, patches=False):
        counting.add(compliance.judged_since(report, begun))
    return InstallResult(installed, scanned, counting.summary(), tuple(problems))
