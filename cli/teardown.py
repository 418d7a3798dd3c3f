"""`patchops empty-output`: what `make destroy` does before it destroys."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.options import EndpointUrl, OutputFormat, PolicyEnvironment, Profile, Region, Terminal, confirm, session
from ops import teardown
from ops.session import Session
from patching.policy import Policy
from patching.policy_file import read_policy


def empty_output(
    policy: Annotated[str, typer.Argument(help="The policy file.")],
    environment: PolicyEnvironment = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    profile: Profile = None,
    region: Region = None,
    endpoint_url: EndpointUrl = None,
) -> None:
    """Empty the output bucket of an environment that is about to be destroyed, unless its policy keeps it."""
    connection = session(profile, region, endpoint_url)
    carry_out(connection, read_policy(policy, environment=environment), yes=yes)


def carry_out(connection: Session, policy: Policy, *, yes: bool) -> None:
    """Empty the output bucket of a policy's environment, if there is one and it is not kept."""
    terminal = Terminal(OutputFormat.TABLE)
    bucket = teardown.bucket_of(connection, policy.environment)
    if bucket is None:
        terminal.say(f"the environment {policy.environment} is not deployed here; there is nothing to empty")
        return
    if policy.output.keep_on_destroy:
        terminal.say(f"the bucket {bucket} and its key stay in the account: output.keep_on_destroy is true")
        return
    count = teardown.count_versions(connection, bucket)
    if count and not yes:
        terminal.say(f"Deletes the {count} objects in {bucket}, and then the environment {policy.environment}.")
        confirm("--yes (make destroy YES=1)")
    terminal.say(f"{teardown.empty(connection, bucket)} objects deleted from {bucket}")
