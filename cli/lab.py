"""`patchops lab`: a local AWS, step by step or as a whole workshop."""

from __future__ import annotations

import os
import shlex
import sys
from datetime import datetime
from typing import Annotated

import typer

from cli import lab_state, lab_status, lab_traffic, lab_world, teardown
from cli.options import ERROR, PolicyEnvironment
from lab import local_aws, workshop
from lab.patches import catalogue_file
from lab.world.errors import LabError
from ops.session import Session
from ops.table import moment
from patching.policy_file import read_policy

app = typer.Typer(help="The local AWS: a fleet to practise on, without an account.", no_args_is_help=True)
app.command()(lab_traffic.faults)
app.command()(lab_world.chaos)
app.command()(lab_state.load)
app.command()(lab_state.pace)
app.command()(lab_state.save)
app.command()(lab_status.status)
app.command()(lab_world.events)
app.command()(lab_world.populate)
app.command()(lab_traffic.calls)
app.command()(lab_traffic.permit)

Policy = Annotated[str, typer.Argument(help="The policy file.")]
_SHOWN_EVENTS = 30


def add_to(whole: typer.Typer) -> None:
    """Add the commands."""
    whole.add_typer(app, name="lab")


@app.command()
def up(
    port: Annotated[int, typer.Option(help="Port on the loopback interface; any free one by default.")] = 0,
    speed: Annotated[
        float | None, typer.Option(help="Lab seconds that go by in a second while something runs.", min=0.1)
    ] = None,
    nodes: Annotated[int, typer.Option(help="Nodes to add: see populate.", min=0)] = 0,
    run: Annotated[
        bool, typer.Option("--running", help="Let time go by also while nothing runs: windows open by themselves.")
    ] = False,
    catalogue: Annotated[
        str, typer.Option(help="A JSON file with patches of your own, in the place of the made-up ones of its system.")
    ] = "",
) -> None:
    """Start a local AWS in the background; use it with: eval "$(patchops lab up)"."""
    if catalogue:
        catalogue_file.read(catalogue)  # what is wrong with it is told here, and all of it
    running, started = local_aws.up(port=port, speed=speed, catalogue=catalogue, running=run)
    if catalogue and not started:
        raise LabError("a local AWS is running already, with another catalogue; stop it first: patchops lab down")
    if not started and (run or speed is not None):
        running.pace(speed=speed, running=run or None)
    print(f"local AWS {'started' if started else 'is running already'} at {running.url}", file=sys.stderr)
    if nodes:
        print(f"{running.populate(nodes)} nodes added", file=sys.stderr)
    for name, value in running.environment().items():
        print(f"export {name}={shlex.quote(value)}")


@app.command()
def deploy(policy: Policy = local_aws.DEFAULT_POLICY, environment: PolicyEnvironment = None) -> None:
    """Bootstrap the local AWS and deploy a policy to it, with the CDK's own command."""
    # A mistake in the policy is told at once, not after half a minute of the CDK's own output.
    read_policy(policy, environment=environment)
    local_aws.deploy(local_aws.required(), policy, environment, sys.stderr.fileno())


@app.command()
def destroy(policy: Policy = local_aws.DEFAULT_POLICY, environment: PolicyEnvironment = None) -> None:
    """Destroy what a policy deployed to the local AWS, its output bucket included."""
    running = local_aws.required()
    os.environ.update(running.environment())
    teardown.carry_out(Session(), read_policy(policy, environment=environment), yes=True)
    local_aws.destroy(running, policy, environment, sys.stderr.fileno())


@app.command()
def advance(
    span: Annotated[str, typer.Argument(help="How far: 30m, 12h, 7d, 2w.", metavar="DURATION")] = "",
    to: Annotated[str, typer.Option(help="A time instead, with its zone: 2026-11-18T02:00+09:00.")] = "",
) -> None:
    """Move the lab's clock, letting windows, scans and new patches happen on the way."""
    running = local_aws.required()
    before = datetime.fromisoformat(running.status()["now"])
    known = len(running.events())
    if bool(span) == bool(to):
        raise typer.BadParameter("give a span such as 7d, or --to with a time")
    try:
        target = before + local_aws.duration(span) if span else datetime.fromisoformat(to)
    except ValueError:
        raise typer.BadParameter(f"--to {to!r} is not a time like 2026-11-18T02:00+09:00") from None
    now = datetime.fromisoformat(running.advance(target)["now"])
    happened = running.events()[known:]
    for at, text in happened[-_SHOWN_EVENTS:]:
        print(f"{moment(at)}  {text}")
    if len(happened) > _SHOWN_EVENTS:
        print(f"(the last {_SHOWN_EVENTS} of {len(happened)} events)", file=sys.stderr)
    print(f"it is now {moment(now)}", file=sys.stderr)


@app.command()
def register(
    activation: Annotated[str, typer.Option(help="Id of the activation, as CreateActivation gave it.")],
    code: Annotated[str, typer.Option(help="Its code.")],
    system: Annotated[
        str, typer.Option(help="What is installed: an operating system, such as UBUNTU, or one of the lab's images.")
    ] = "AMAZON_LINUX_2023",
    name: Annotated[str, typer.Option(help="Host name of the machine; one is made up by default.")] = "",
    count: Annotated[int, typer.Option(help="How many machines.", min=1, max=1000)] = 1,
) -> None:
    """Register simulated machines outside of EC2 with a hybrid activation, as their agents would."""
    running = local_aws.required()
    for number in range(1, count + 1):
        host = f"{name}-{number}" if name and count > 1 else name
        print(running.register(activation, code, image=system, computer_name=host))


@app.command()
def down() -> None:
    """Stop the local AWS; what was in it and was not saved is gone."""
    stopped = local_aws.down()
    print("local AWS stopped" if stopped else "no local AWS was running", file=sys.stderr)


@app.command(name="workshop")
def run_workshop() -> None:
    """Run the whole workshop on a local AWS of its own, and leave what happened in build/lab/."""
    if not workshop.run_all():
        raise typer.Exit(ERROR)
