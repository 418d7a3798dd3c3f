"""`patchops lab faults`, `calls` and `permit`: what goes wrong at the local AWS, what is called, and who may."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.options import Output, OutputFormat, Terminal, usage
from lab import local_aws
from lab.world.errors import LabError
from ops.table import table

_KINDS = (
    "throttle, expired-token, access-denied, internal-error, unavailable, delay, cut-before (the request has no "
    "effect), cut-after (it has, and there is no reply), cut-within (half a reply)"
)


def faults(
    calls: Annotated[
        str, typer.Argument(help="The calls: ssm:SendCommand, or ssm:Describe*, or *.", metavar="CALLS")
    ] = "",
    do: Annotated[str, typer.Argument(help=f"What happens to them: {_KINDS}.", metavar="FAULT")] = "",
    first: Annotated[int, typer.Option(help="Number of the first such call that it happens to.", min=1)] = 1,
    times: Annotated[int | None, typer.Option(help="To how many calls; to all by default.", min=1)] = None,
    milliseconds: Annotated[int, typer.Option(help="How long a delay is.", min=0)] = 0,
    clear: Annotated[bool, typer.Option("--clear", help="Let nothing go wrong any more.")] = False,
    output: Output = OutputFormat.TABLE,
) -> None:
    """Let calls to the local AWS go wrong, and show which do; with CALLS and FAULT one more, which begins to count."""
    if bool(calls) != bool(do):
        usage("give CALLS and FAULT, or none of them to see what goes wrong")
    if clear and calls:
        usage("give a fault or --clear, not both")
    running = local_aws.required()
    known = running.faults()
    if calls:
        one = {"calls": calls, "do": do, "first": first, "times": times, "milliseconds": milliseconds}
        known = running.set_faults([*known, one])
    elif clear:
        known = running.set_faults([])
    shown = table(
        "Faults",
        ("Calls", "Fault", "First", "Times", "Milliseconds", "Calls seen"),
        (
            (one["calls"], one["do"], one["first"], one["times"] or "all", one["milliseconds"] or "", one["seen"])
            for one in known
        ),
    )
    if not known:
        print("nothing goes wrong", file=sys.stderr)
    Terminal(output).show({"faults": known}, [shown] if known else [])


def calls(
    reset: Annotated[bool, typer.Option("--reset", help="Begin to count anew.")] = False,
    output: Output = OutputFormat.TABLE,
) -> None:
    """Show how often each operation of the local AWS was called."""
    counted = local_aws.required().calls(reset=reset)
    Terminal(output).show({"calls": counted}, [table("Calls", ("Operation", "Calls"), counted.items())])


def permit(
    access_key: Annotated[str, typer.Argument(help="An access key's id; any that you choose.", metavar="KEY")],
    policy: Annotated[
        str, typer.Argument(help="A file with an IAM policy; - for the standard input.", metavar="FILE")
    ] = "",
    everything: Annotated[bool, typer.Option("--everything", help="Check nothing of this key any more.")] = False,
) -> None:
    """Allow what is signed with an access key only what an IAM policy allows, to see whether the policy is enough."""
    if bool(policy) == everything:
        usage("give a file with a policy, or --everything")
    running = local_aws.required()
    if everything:
        running.permit(access_key, None)
        print(f"what {access_key} asks for is not checked any more", file=sys.stderr)
        return
    running.permit(access_key, _read(policy))
    print(f"AWS_ACCESS_KEY_ID={access_key} may do what {policy} allows, and nothing else", file=sys.stderr)


def _read(policy: str) -> dict[str, Any]:
    """Read a policy document.

    Raises:
        LabError: it cannot be read, or is none.
    """
    try:
        document = json.loads(sys.stdin.read() if policy == "-" else Path(policy).read_text(encoding="utf-8"))
    except OSError as error:
        raise LabError(f"{policy}: {error.strerror or error}") from None
    except ValueError as error:
        raise LabError(f"{policy}: not a policy in JSON: {error}") from None
    if not isinstance(document, dict) or "Statement" not in document:
        raise LabError(f"{policy}: not an IAM policy: expected an object with a Statement")
    return document
