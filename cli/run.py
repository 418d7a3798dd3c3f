"""`patchops scan`, `patchops install` and `patchops run`."""

from __future__ import annotations

import uuid
from typing import Annotated

import typer
from rich.live import Live

from cli.options import (
    FOUND,
    EndpointUrl,
    EnvironmentName,
    Instances,
    Output,
    OutputFormat,
    Profile,
    Region,
    Tags,
    Terminal,
    confirm,
    rate_control,
    required_targets,
    session,
    usage,
)
from ops import environment as environments
from ops import run, tables
from ops.session import Session
from ops.table import table
from patching.deployment import Deployment
from patching.rate_control import RateControl
from patching.run_patch_baseline import RebootOption, RunPatchBaseline
from patching.targets import Targets

Concurrency = Annotated[str, typer.Option(help="Nodes that run at one time, as a number or per cent.")]
MaxErrors = Annotated[str, typer.Option(help="Failures that are tolerated: the one after them stops the rest.")]
Wait = Annotated[bool, typer.Option("--wait/--no-wait", help="Follow the command to its end.")]
Comment = Annotated[str, typer.Option(help="Comment of the command, for people.")]


def scan(
    environment: EnvironmentName = None,
    tag: Tags = None,
    instance: Instances = None,
    concurrency: Concurrency = "50",
    max_errors: MaxErrors = "0",
    wait: Wait = True,
    comment: Comment = "",
    output: Output = OutputFormat.TABLE,
    profile: Profile = None,
    region: Region = None,
    endpoint_url: EndpointUrl = None,
) -> None:
    """Compare nodes with their baselines and report; nothing is changed on them."""
    connection = session(profile, region, endpoint_url)
    task = RunPatchBaseline.scan(snapshot_id=str(uuid.uuid4()))
    targets = required_targets(environment, tag, instance)
    plan = _plan(connection, task, targets, rate_control(concurrency, max_errors), environment, comment)
    _carry_out(connection, plan, Terminal(output), wait=wait)


def install(
    environment: EnvironmentName = None,
    tag: Tags = None,
    instance: Instances = None,
    concurrency: Concurrency = "1",
    max_errors: MaxErrors = "0",
    reboot: Annotated[
        RebootOption, typer.Option(help="NoReboot leaves what was installed pending, which is not compliant.")
    ] = RebootOption.REBOOT_IF_NEEDED,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    wait: Wait = True,
    comment: Comment = "",
    output: Output = OutputFormat.TABLE,
    profile: Profile = None,
    region: Region = None,
    endpoint_url: EndpointUrl = None,
) -> None:
    """Install what the baselines approve and the nodes lack, and reboot them."""
    connection = session(profile, region, endpoint_url)
    task = RunPatchBaseline.install(reboot=reboot, snapshot_id=str(uuid.uuid4()))
    targets = required_targets(environment, tag, instance)
    plan = _plan(connection, task, targets, rate_control(concurrency, max_errors), environment, comment)
    terminal = Terminal(output)
    if not yes:
        end = "and reboots them" if reboot is RebootOption.REBOOT_IF_NEEDED else "without a reboot"
        _confirm(plan, f"Installs patches on these {len(plan.nodes)} nodes {end}", "--yes to install", terminal)
    _carry_out(connection, plan, terminal, wait=wait)


def document(
    name: Annotated[str, typer.Argument(help="Name of a document in the policy, or, with AWS-, of one of AWS's.")],
    environment: Annotated[
        str,
        typer.Option(
            "--environment",
            "-e",
            help="Environment whose document and whose nodes are meant; says where output and notifications go.",
        ),
    ],
    parameter: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="Parameter of the document; repeat it for several, or for a list."),
    ] = None,
    tag: Tags = None,
    instance: Instances = None,
    concurrency: Concurrency = "1",
    max_errors: MaxErrors = "0",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    wait: Wait = True,
    comment: Comment = "",
    output: Output = OutputFormat.TABLE,
    profile: Profile = None,
    region: Region = None,
    endpoint_url: EndpointUrl = None,
) -> None:
    """Run a document of the policy on nodes, as a window's hook would."""
    connection = session(profile, region, endpoint_url)
    whole = name if name.startswith("AWS-") else Deployment(environment).name(name)
    task = run.RunDocument(whole, _parameters(parameter or []))
    targets = required_targets(environment, tag, instance)
    plan = _plan(connection, task, targets, rate_control(concurrency, max_errors), environment, comment)
    terminal = Terminal(output)
    if not yes:
        _confirm(plan, f"Runs {whole} on these {len(plan.nodes)} nodes", "--yes to run it", terminal)
    _carry_out(connection, plan, terminal, wait=wait)


def _parameters(given: list[str]) -> dict[str, list[str]]:
    values: dict[str, list[str]] = {}
    for one in given:
        name, equals, value = one.partition("=")
        if not (name and equals):
            usage(f"--parameter {one!r} is not NAME=VALUE, such as --parameter seconds=60")
        values.setdefault(name, []).append(value)
    return values


def _plan(
    connection: Session,
    task: run.Task,
    targets: Targets,
    rate_control: RateControl,
    environment: str | None,
    comment: str,
) -> run.Plan:
    """Look which nodes are meant, and where output and notifications go."""
    found = environments.find(connection, environment) if environment else None
    return run.plan(connection, task, targets, rate_control=rate_control, environment=found, comment=comment)


def _confirm(plan: run.Plan, what: str, unattended: str, terminal: Terminal) -> None:
    terminal.err.print(tables.nodes(plan.nodes).rich())
    terminal.say(f"{what}: {plan.rate_control.in_words()}.")
    confirm(unattended)


def _carry_out(connection: Session, plan: run.Plan, terminal: Terminal, *, wait: bool) -> None:
    command_id = run.send(connection, plan)
    what = plan.task.operation if isinstance(plan.task, RunPatchBaseline) else plan.task.document
    terminal.say(f"Command {command_id}: {what} on {len(plan.nodes)} nodes, {plan.rate_control.in_words()}")
    if not wait:
        terminal.show({"command_id": command_id}, [table("", ("Command",), [(command_id,)])])
        return
    ended = run.with_output(connection, follow(connection, command_id, terminal))
    terminal.show(ended, [tables.progress(ended), *tables.steps(ended)])
    if not ended.succeeded:
        raise typer.Exit(FOUND)


def follow(connection: Session, command_id: str, terminal: Terminal) -> run.Progress:
    """Follow a command to its end: as a table that changes on a terminal, as a line a change elsewhere."""
    try:
        if terminal.err.is_terminal:
            with Live(console=terminal.err, transient=True, auto_refresh=False) as live:
                return run.watch(
                    connection,
                    command_id,
                    lambda state: live.update(tables.progress(state).rich(), refresh=True),
                )
        return run.watch(connection, command_id, lambda state: terminal.say(one_line(state)))
    except KeyboardInterrupt:
        terminal.say(
            f"no longer watching; the command goes on: aws ssm list-command-invocations --command-id {command_id}"
        )
        raise


def one_line(state: run.Progress) -> str:
    """Say in one line how far a command is."""
    nodes = ", ".join(f"{node.name or node.node_id} {node.details}" for node in state.nodes)
    return f"  {state.at.strftime('%H:%M:%S')} {state.details}: {nodes or 'no node yet'}"
