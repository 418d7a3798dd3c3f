"""What every command has: options for connection and output, examples, permissions, a form of JSON."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, get_type_hints

import typer

from cli.options import EndpointUrl, Explain, Output, OutputFormat, Profile, Quiet, Region, Terminal
from ops.permissions import Needs
from ops.session import Session

_PROGRAM = "patchops"


@dataclass(frozen=True)
class Call:
    """One use of a command.

    Attributes:
        session: the connection.
        terminal: where it writes.
    """

    session: Session
    terminal: Terminal


@dataclass(frozen=True)
class Command:
    """A command, as it is documented and tested.

    Attributes:
        path: its words: `run show`.
        needs: the permissions that it needs.
        result: the model of what it writes as JSON; None if it writes none.
        examples: command lines, without the program's name.
    """

    path: str
    needs: Needs
    result: Any
    examples: tuple[str, ...]


COMMANDS: dict[str, Command] = {}
"""The commands that talk to AWS, by their paths."""


def command(
    app: typer.Typer,
    path: str,
    *,
    needs: Needs,
    result: Any,  # noqa: ANN401 any model
    examples: Sequence[str],
    group: bool = False,
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Make a function a command, whose first argument is the `Call`.

    Args:
        app: what the command belongs to.
        path: its words: `run show`.
        needs: the permissions that it needs.
        result: the model of what it writes as JSON; None if it writes none.
        examples: command lines for its help, without the program's name.
        group: whether it has commands below itself, and is what is done without one of them.
    """
    COMMANDS[path] = Command(path, needs, result, tuple(examples))
    epilog = "\n\n".join(("Examples:", *(f"{_PROGRAM} {one}" for one in examples)))

    def register(function: Callable[..., None]) -> Callable[..., None]:
        whole = _with_common_options(function, with_output=result is not None)
        if group:
            app.callback(invoke_without_command=True, epilog=epilog)(whole)
        else:
            app.command(path.rpartition(" ")[2], epilog=epilog)(whole)
        return function

    return register


def _with_common_options(function: Callable[..., None], *, with_output: bool) -> Callable[..., None]:
    """Return a function with the options that all commands share, which calls this one."""

    def whole(**options: Any) -> None:  # noqa: ANN401 options are of any type
        context = options.get("context")
        if context is not None and context.invoked_subcommand is not None:
            return
        terminal = Terminal(options.pop("output", OutputFormat.TABLE), quiet=options.pop("quiet"))
        explain = (lambda text: terminal.warn(f"= {text}")) if options.pop("explain") else None
        names = ("profile", "region", "endpoint_url")
        session = Session(**{name: options.pop(name) for name in names}, explain=explain)
        function(Call(session, terminal), **options)

    hints = get_type_hints(function, include_extras=True)
    own = list(inspect.signature(function).parameters.values())[1:]
    common: dict[str, tuple[Any, Any]] = {"output": (Output, OutputFormat.TABLE)} if with_output else {}
    common |= {"quiet": (Quiet, False), "explain": (Explain, False)}
    common |= {"profile": (Profile, None), "region": (Region, None), "endpoint_url": (EndpointUrl, None)}
    parameters = [
        *(one.replace(annotation=hints[one.name], kind=inspect.Parameter.KEYWORD_ONLY) for one in own),
        *(
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)
            for name, (kind, default) in common.items()
        ),
    ]
    whole.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    whole.__annotations__ = {one.name: one.annotation for one in parameters}
    whole.__name__, whole.__doc__ = function.__name__, function.__doc__
    return whole
