"""Options that several commands share, and what they are turned into."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Annotated, NoReturn, TypeVar

import typer
from rich.console import Console

from ops.session import Session
from ops.table import Table, to_json
from patching.deployment import ENVIRONMENT_TAG
from patching.errors import InvalidValueError
from patching.rate_control import RateControl
from patching.targets import Targets

OK, ERROR, USAGE, FOUND = 0, 1, 2, 3
"""Exit codes: all is well; it could not be done; it was asked wrongly; it ran, and found something."""

T = TypeVar("T")
_WIDTH_OFF_TERMINAL = 200


class OutputFormat(StrEnum):
    """How a result is written."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


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
PolicyEnvironment = Annotated[
    str | None, typer.Option("--environment", "-e", help="Takes the place of the file's environment.")
]
Tags = Annotated[
    list[str] | None, typer.Option("--tag", metavar="KEY=VALUE", help="Nodes with this tag; repeat it to narrow down.")
]
Instances = Annotated[
    list[str] | None, typer.Option("--instance", metavar="ID", help="Nodes by their ids; repeat it for several.")
]


class Terminal:
    """Where a command writes: results to standard output, all else to standard error."""

    def __init__(self, output: OutputFormat) -> None:
        self.output = output
        self.out = Console(width=None if sys.stdout.isatty() else _WIDTH_OFF_TERMINAL, highlight=False)
        self.err = Console(stderr=True, width=None if sys.stderr.isatty() else _WIDTH_OFF_TERMINAL, highlight=False)

    def show(self, value: object, tables: Iterable[Table]) -> None:
        """Write a result in the form that was asked for."""
        match self.output:
            case OutputFormat.JSON:
                print(to_json(value))
            case OutputFormat.CSV:
                print("\n".join(table.csv() for table in tables if table.columns), end="")
            case OutputFormat.TABLE:
                for table in tables:
                    self.out.print(table.rich())

    def say(self, text: str) -> None:
        """Write progress or a warning."""
        self.err.print(text, soft_wrap=True, markup=False)


def session(profile: str | None, region: str | None, endpoint_url: str | None) -> Session:
    """Connect."""
    return Session(profile=profile, region=region, endpoint_url=endpoint_url)


def targets(environment: str | None, tags: list[str] | None, instances: list[str] | None) -> Targets | None:
    """Make targets from the options; None if none was given."""
    if tags and instances:
        usage("give --tag or --instance, not both")
    if instances:
        return _checked("--instance", lambda: Targets.instances(*instances))
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
    return _checked("--tag", lambda: Targets.tags(wanted)) if wanted else None


def required_targets(environment: str | None, tags: list[str] | None, instances: list[str] | None) -> Targets:
    """Make targets from the options, of which at least one has to be given."""
    found = targets(environment, tags, instances)
    if found is None:
        usage("say which nodes: --environment NAME, --tag KEY=VALUE or --instance ID")
    return found


def rate_control(concurrency: str, max_errors: str) -> RateControl:
    """Make rate control from the options."""
    return _checked("--concurrency or --max-errors", lambda: RateControl(concurrency, max_errors))


def usage(message: str) -> NoReturn:
    """Refuse a command line."""
    raise typer.BadParameter(message)


def confirm(unattended: str) -> None:
    """Ask whether to go on; where nobody can be asked, say how that is done unattended.

    Raises:
        typer.Abort: the answer is no.
    """
    if not sys.stdin.isatty():
        usage(f"nobody is there to be asked: give {unattended}")
    if not typer.confirm("Go on?", err=True):
        raise typer.Abort


def _checked(option: str, make: Callable[[], T]) -> T:
    try:
        return make()
    except InvalidValueError as error:
        usage(f"{option}: {error}")
