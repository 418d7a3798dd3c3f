"""`patchops review`: the page that a reviewer reads."""

from __future__ import annotations

import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cli.options import FOUND, PolicyEnvironment
from review import synthesis
from review.build import review as build
from review.cloud_assembly import NOTHING, CloudAssembly, read
from review.errors import ReviewError
from review.facts import Facts
from review.model import Review, Weight
from review.rehearsal.course import Setting
from review.rehearsal.plan import of_facts
from review.rehearsal.rehearse import rehearse
from review.render import to_html, to_json, to_markdown

DEFAULT_POLICY = "config/lab.yaml"
REHEARSED_NODES = 1000


class ReviewFormat(StrEnum):
    """How a review is written to standard output."""

    MARKDOWN = "markdown"
    JSON = "json"


def review(
    config: Annotated[str, typer.Option("--config", "-c", help="The policy file that is reviewed.")] = DEFAULT_POLICY,
    environment: PolicyEnvironment = None,
    assembly: Annotated[
        str | None, typer.Option(metavar="DIR", help="Review this cloud assembly instead of synthesizing the policy.")
    ] = None,
    against: Annotated[
        str | None,
        typer.Option(metavar="REF|DIR", help="Tell what changes against a commit, or against a cloud assembly."),
    ] = None,
    html: Annotated[str | None, typer.Option(metavar="FILE", help="Write the page to this file.")] = None,
    output: Annotated[
        ReviewFormat | None,
        typer.Option("--output", "-o", help="What is written to standard output; markdown, if no page is written."),
    ] = None,
    first: Annotated[
        str | None, typer.Option("--from", metavar="DATE", help="First day of the calendar; today (UTC) by default.")
    ] = None,
    nodes: Annotated[
        int | None,
        typer.Option(min=1, max=1_000_000, help="Nodes that each window selects, where the templates do not tell."),
    ] = None,
    rehearse_days: Annotated[
        int | None,
        typer.Option("--rehearse", metavar="DAYS", min=2, max=730, help="Rehearse so many days as well, see rehearse."),
    ] = None,
) -> None:
    """Write what a reviewer decides on: what changes, runs when, who may do what, whether it is safe, what it costs.

    Needs no credentials. Exits with 3 if a rule is broken or data is lost.
    """
    day = first_day(first)
    made = _review(config, environment, assembly, against, day, nodes, rehearse_days)
    if html:
        write_page(Path(html), to_html(made))
        print(f"{made.verdict.headline}; the page is {html}", file=sys.stderr)
    if output is ReviewFormat.JSON:
        print(to_json(made))
    elif output is ReviewFormat.MARKDOWN or not html:
        print(to_markdown(made), end="")
    if made.verdict.data_losses or (made.verdict.violations and made.verdict.weight is Weight.DANGER):
        raise typer.Exit(FOUND)


def _review(
    config: str,
    environment: str | None,
    assembly: str | None,
    against: str | None,
    day: date,
    nodes: int | None,
    rehearse_days: int | None,
) -> Review:
    notes: list[str] = []
    with ExitStack() as stack, ThreadPoolExecutor(2) as pool:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="patchops-review-")))
        other = None
        before_name = ""
        if against and Path(against).is_dir():
            before_name = against
            other = pool.submit(read, Path(against))
        elif against:
            commit = synthesis.commit(against)
            before_name = f"{config} at {commit.name}" if not assembly else commit.name
            if synthesis.pins_differ(commit):
                notes.append(f"{commit.name} wants other packages than are installed; it was synthesized with these")
            files = stack.enter_context(synthesis.worktree(commit))
            policy = synthesis.within(config)
            if synthesis.has_policy(policy, files):
                source = synthesis.Source(policy, environment)
                other = pool.submit(_synthesized, source, folder / "before", files, before_name)
            else:
                notes.append(f"{commit.name} has no {policy}: everything is new")
                other = pool.submit(lambda: NOTHING)
        if assembly:
            subject, after = assembly, read(Path(assembly))
        else:
            subject = f"{config} of this checkout"
            changed = synthesis.uncommitted()
            if changed and against:
                files_changed = f"{changed} changed file{'' if changed == 1 else 's'}"
                notes.append(f"This checkout has {files_changed} that no commit has; they are reviewed as well")
            source = synthesis.Source(_from_root(config), environment)
            after = _synthesized(source, folder / "after", synthesis.ROOT, "")
        before = other.result() if other else None
    if before is not None and before.environment and before.environment != after.environment:
        notes.append(
            f"Two environments are compared, {before.environment} and {after.environment}: all names differ, and with "
            "them every resource"
        )
    for note in notes:
        print(f"note: {note}", file=sys.stderr)
    rehearsal = None
    if rehearse_days:
        sides = [(after, subject), *([(before, before_name)] if before and before.templates else [])]
        setting = Setting(day, rehearse_days, nodes or REHEARSED_NODES)
        rehearsal = rehearse([of_facts(Facts(side), name) for side, name in sides], setting)
    return build(
        *(after, before), day=day, subject=subject, against=before_name, nodes=nodes, notes=notes, rehearsal=rehearsal
    )


def _synthesized(source: synthesis.Source, out: Path, root: Path, name: str) -> CloudAssembly:
    synthesis.synthesize(source, out, root=root, name=name)
    return read(out)


def _from_root(config: str) -> str:
    """Return how the app, which runs in its own folder, finds a policy."""
    path = Path(config).resolve()
    return path.relative_to(synthesis.ROOT).as_posix() if path.is_relative_to(synthesis.ROOT) else str(path)


def first_day(text: str | None) -> date:
    """Return the first day that was given; today (UTC) by default."""
    if text is None:
        return datetime.now(UTC).date()
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"--from {text!r} is not a day like 2026-11-30") from None


def write_page(path: Path, text: str) -> None:
    """Write a page."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ReviewError(f"{path}: cannot be written: {error.strerror}") from None
