"""Options that several commands share, and what they are turned into."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, NoReturn, TypeVar

import typer

from cli.terminal import ERROR, FOUND, OK, USAGE, OutputFormat, Terminal
from patching.deployment import ENVIRONMENT_TAG
from patching.errors import InvalidValueError
from patching.rate_control import RateControl
from patching.targets import Targets

__all__ = ["ERROR", "FOUND", "OK", "USAGE", "OutputFormat", "Terminal"]

T = TypeVar("T")

Profile = Annotated[str | None, typer.Option(help="Profile of the AWS configuration.", rich_help_panel="Connection")]
Region = Annotated[str | None, typer.Option(help="Region; AWS_REGION by default.", rich_help_panel="Connection")]
EndpointUrl = Annotated[
    str | None,
    typer.Option(help="Where AWS is, for a local one; AWS_ENDPOINT_URL by default.", rich_help_panel="Connection"),
]
Output = Annotated[OutputFormat, typer.Option("--output", "-o", help="How the result is written to standard output.")]
EnvironmentName = Annotated[
    str | None,
    typer.Option(
        "--environment",
        "-e",
        help="Environment whose nodes are meant: adds its tag to the targets, and finds bucket, topic and role.",
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Leave progress out; mistakes are told all the same.")]
Explain = Annotated[
    bool, typer.Option("--explain", help="Write the `aws` command that does the same as each request, as it is made.")
]
PolicyEnvironment = Annotated[
    str | None, typer.Option("--environment", "-e", help="Takes the place of the file's environment.")
]
Tags = Annotated[
    list[str] | None, typer.Option("--tag", metavar="KEY=VALUE", help="Nodes with this tag; repeat it to narrow down.")
]
Instances = Annotated[
    list[str] | None, typer.Option("--instance", metavar="ID", help="Nodes by their ids; repeat it for several.")
]
ResourceGroup = Annotated[
    str | None, typer.Option("--resource-group", metavar="NAME", help="Nodes that are in this resource group.")
]


def targets(
    environment: str | None, tags: list[str] | None, instances: list[str] | None, group: str | None = None
) -> Targets | None:
    """Make targets from the options; None if none was given."""
    if sum(map(bool, (tags, instances, group))) > 1:
        usage("give --tag, --instance or --resource-group, not two of them")
    if instances:
        return checked("--instance", lambda: Targets.instances(*instances))
    if group:
        return checked("--resource-group", lambda: Targets.resource_group(group))
    wanted: dict[str, list[str]] = {}
    for one in tags or []:
        key, equals, value = one.partition("=")
        if not (key and equals and value):
            usage(f"--tag {one!r} is not KEY=VALUE, such as --tag Workload=Prod")
        wanted.setdefault(key, []).append(value)
    if environment and wanted.setdefault(ENVIRONMENT_TAG, [environment]) != [environment]:
        # It would be that environment's nodes with this one's bucket and topic: nobody can have meant it.
        other = ", ".join(wanted[ENVIRONMENT_TAG])
        usage(f"--environment {environment} and --tag {ENVIRONMENT_TAG}={other} contradict each other; give one")
    return checked("--tag", lambda: Targets.tags(wanted)) if wanted else None


def required_targets(
    environment: str | None, tags: list[str] | None, instances: list[str] | None, group: str | None = None
) -> Targets:
    """Make targets from the options, of which at least one has to be given."""
    found = targets(environment, tags, instances, group)
    if found is None:
        usage("say which nodes: --environment NAME, --tag KEY=VALUE, --instance ID or --resource-group NAME")
    return found


def rate_control(concurrency: str, max_errors: str) -> RateControl:
    """Make rate control from the options."""
    return checked("--concurrency or --max-errors", lambda: RateControl(concurrency, max_errors))


def usage(message: str) -> NoReturn:
    """Refuse a command line."""
    raise typer.BadParameter(message)


def moment_of(option: str, text: str) -> datetime:
    """Read a time, with its zone; a day alone begins in UTC."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        usage(f"{option} {text!r} is not a time; expected one like 2026-11-18 or 2026-11-18T02:00+09:00")
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def confirm(unattended: str) -> None:
    """Ask whether to go on; where nobody can be asked, say how that is done unattended.

    Raises:
        typer.Abort: the answer is no.
    """
    if not sys.stdin.isatty():
        usage(f"nobody is there to be asked: give {unattended}")
    if not typer.confirm("Go on?", err=True):
        raise typer.Abort


def checked(option: str, make: Callable[[], T]) -> T:
    """Make a value of an option; what it refuses is wrong usage."""
    try:
        return make()
    except InvalidValueError as error:
        usage(f"{option}: {error}")
