"""`patchops before-destroy`: what `make destroy` does before it destroys."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.options import EndpointUrl, OutputFormat, PolicyEnvironment, Profile, Region, Terminal, confirm
from ops import teardown
from ops.session import Session
from patching.policy import Policy
from patching.policy_file import read_policy


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("before-destroy")(before_destroy)


def before_destroy(
    policy: Annotated[str, typer.Argument(help="The policy file.")],
    environment: PolicyEnvironment = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    profile: Profile = None,
    region: Region = None,
    endpoint_url: EndpointUrl = None,
) -> None:
    """Get out of the way of `cdk destroy`: give AWS's default baselines back, empty the bucket if it is not kept."""
    connection = Session(profile=profile, region=region, endpoint_url=endpoint_url)
    carry_out(connection, read_policy(policy, environment=environment), yes=yes)


def carry_out(connection: Session, policy: Policy, *, yes: bool) -> None:
    """Do so for a policy's environment, if it is deployed."""
    terminal = Terminal(OutputFormat.TABLE)
    bucket = teardown.bucket_of(connection, policy.environment)
    if bucket is None:
        terminal.say(f"the environment {policy.environment} is not deployed here; there is nothing to do")
        return
    defaults = teardown.default_baselines(connection, policy.environment)
    kept = policy.output.keep_on_destroy
    count = 0 if kept else teardown.count_versions(connection, bucket)
    if (count or defaults) and not yes:
        terminal.say(f"Deletes {count} objects of the bucket {bucket}, and then the environment {policy.environment}.")
        for system, name in defaults.items():
            terminal.say(f"AWS's own baseline becomes the default of {system} again, instead of {name}.")
        confirm("--yes (make destroy YES=1)")
    for system in defaults:
        terminal.say(f"{teardown.restore_default(connection, system)} is the default of {system} again")
    if kept:
        terminal.say(f"the bucket {bucket} and its key stay in the account: output.keep_on_destroy is true")
        return
    terminal.say(f"{teardown.empty(connection, bucket)} objects deleted from {bucket}")
