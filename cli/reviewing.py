"""Carrying out `patchops review`: from what was asked to what is written."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import typer

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

REHEARSED_NODES = 1000


@dataclass(frozen=True)
class Asked:
    """What is reviewed, and how.

    Attributes:
        config: the policy file.
        environment: takes the place of the file's environment.
        assembly: a cloud assembly that is reviewed instead.
        against: a commit or a cloud assembly that is compared with; nothing if None.
        day: the first day of the calendar.
        nodes: nodes that each window selects.
        rehearse_days: how many days are rehearsed; none if None.
    """

    config: str
    environment: str | None
    assembly: str | None
    against: str | None
    day: date
    nodes: int | None
    rehearse_days: int | None


def carry_out(asked: Asked, html: str | None, formats: Sequence[str]) -> bool:
    """Review, write the page and the formats, and tell whether a rule is broken or data is lost."""
    made = _made(asked)
    if html:
        write_page(Path(html), to_html(made))
        print(f"{made.verdict.headline}; the page is {html}", file=sys.stderr)
    if "json" in formats:
        print(to_json(made))
    if "markdown" in formats:
        print(to_markdown(made), end="")
    return bool(made.verdict.data_losses or (made.verdict.violations and made.verdict.weight is Weight.DANGER))


def _made(asked: Asked) -> Review:
    notes: list[str] = []
    with ExitStack() as stack, ThreadPoolExecutor(2) as pool:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="patchops-review-")))
        before_name, other = _compared(asked, folder, notes, stack, pool)
        if asked.assembly:
            subject, after = asked.assembly, read(Path(asked.assembly))
        else:
            subject = f"{asked.config} of this checkout"
            changed = synthesis.uncommitted()
            if changed and asked.against:
                files = f"{changed} changed file{'' if changed == 1 else 's'}"
                notes.append(f"This checkout has {files} that no commit has; they are reviewed as well")
            source = synthesis.Source(_from_root(asked.config), asked.environment)
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
    if asked.rehearse_days:
        sides = [(after, subject), *([(before, before_name)] if before and before.templates else [])]
        setting = Setting(asked.day, asked.rehearse_days, asked.nodes or REHEARSED_NODES)
        rehearsal = rehearse([of_facts(Facts(side), name) for side, name in sides], setting)
    return build(
        after,
        before,
        day=asked.day,
        subject=subject,
        against=before_name,
        nodes=asked.nodes,
        notes=notes,
        rehearsal=rehearsal,
    )


def _compared(
    asked: Asked, folder: Path, notes: list[str], stack: ExitStack, pool: ThreadPoolExecutor
) -> tuple[str, Future[CloudAssembly] | None]:
    """Return what is compared with, as it will be read, and what it is called; add what there is to know of it."""
    against = asked.against
    if not against:
        return "", None
    if Path(against).is_dir():
        return against, pool.submit(read, Path(against))
    commit = synthesis.commit(against)
    name = commit.name if asked.assembly else f"{asked.config} at {commit.name}"
    if synthesis.pins_differ(commit):
        notes.append(f"{commit.name} wants other packages than are installed; it was synthesized with these")
    files = stack.enter_context(synthesis.worktree(commit))
    policy = synthesis.within(asked.config)
    if not synthesis.has_policy(policy, files):
        notes.append(f"{commit.name} has no {policy}: everything is new")
        return name, pool.submit(lambda: NOTHING)
    source = synthesis.Source(policy, asked.environment)
    return name, pool.submit(_synthesized, source, folder / "before", files, name)


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
