"""Synthesizing a policy: as this checkout has it, and as another commit has it.

No credentials and no network are needed, and none are handed on: an app that is synthesized is code of whoever wrote
the commit. Another commit is synthesized in a worktree of its own, with this checkout's packages.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from review.errors import ReviewError

ROOT = Path(__file__).resolve().parents[1]
_PINS = ("requirements.txt", "package-lock.json")
_HANDED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ", "SYSTEMROOT", "JSII_NODE")
_MADE_BY_THE_CDK = {"aws:cdk:enable-path-metadata": True}
"""Context that the CDK's command adds to cdk.json's."""


@dataclass(frozen=True)
class Source:
    """Something that is synthesized.

    Attributes:
        policy: the policy file, as the command line names it.
        environment: takes the place of the file's own environment; None for that.
    """

    policy: str
    environment: str | None = None


@dataclass(frozen=True)
class Commit:
    """A commit by what it was asked for with, and its id."""

    ref: str
    sha: str

    @property
    def name(self) -> str:
        """How people call it."""
        return f"{self.ref} ({self.sha[:8]})" if not self.sha.startswith(self.ref) else self.sha[:8]


def synthesize(source: Source, out: Path, *, root: Path = ROOT, name: str = "") -> None:
    """Synthesize a policy into a directory; findings of validation do not stop it.

    Args:
        source: what is synthesized; its policy may be named relative to the current directory.
        out: where the cloud assembly goes.
        root: the checkout whose app does it.
        name: what it is called in an error; the policy by default.

    Raises:
        ReviewError: it does not synthesize.
    """
    if not (root / "app.py").is_file() or not (root / "cdk.json").is_file():
        raise ReviewError(
            f"{name or root}: there is no app here that could be synthesized: app.py and cdk.json are missing"
        )
    try:
        context: dict[str, Any] = json.loads((root / "cdk.json").read_text(encoding="utf-8")).get("context") or {}
    except ValueError:
        raise ReviewError(f"{name or source.policy}: does not synthesize: cdk.json is not JSON") from None
    context = context | _MADE_BY_THE_CDK | {"config": source.policy}
    if source.environment:
        context["environment"] = source.environment
    ended = subprocess.run(
        [sys.executable, "app.py"],
        cwd=root,
        env={**_environment(), "CDK_OUTDIR": str(out), "CDK_CONTEXT_JSON": json.dumps(context)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    complete = (out / "manifest.json").is_file() and (out / "validation-report.json").is_file()
    if ended.returncode and not complete:
        reason = _reason(ended.stderr)
        # A mistake in the policy names its file and line already.
        named = reason.startswith(source.policy) and not name
        raise ReviewError(reason if named else f"{name or source.policy}: does not synthesize: {reason}")


def commit(ref: str, *, root: Path = ROOT) -> Commit:
    """Return the commit that a name stands for.

    Raises:
        ReviewError: no git repository, or no commit of this name.
    """
    if ref.startswith("-"):
        raise ReviewError(f"{ref!r} is no name of a commit; expected a branch, a tag or a commit such as origin/main")
    found = _git(["rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}"], root)
    if found.returncode:
        if _git(["rev-parse", "--git-dir"], root).returncode:
            raise ReviewError(f"{ref}: {root} is no git repository; name a directory with a cloud assembly instead")
        raise ReviewError(
            f"{ref}: there is no such commit, and no such directory; name a branch, a tag, a commit or a cloud "
            "assembly (a shallow clone has one commit only: git fetch --unshallow)"
        )
    return Commit(ref, found.stdout.strip())


def uncommitted(*, root: Path = ROOT) -> int:
    """Return how many files of the checkout differ from its commit."""
    found = _git(["status", "--porcelain", "--untracked-files=no"], root)
    return len(found.stdout.splitlines()) if not found.returncode else 0


def pins_differ(of: Commit, *, root: Path = ROOT) -> bool:
    """Tell whether a commit wants other packages than this checkout has."""
    return _git(["diff", "--quiet", of.sha, "--", *_PINS], root).returncode == 1


@contextmanager
def worktree(of: Commit, *, root: Path = ROOT) -> Iterator[Path]:
    """Give the files of a commit in a directory of their own, for as long as it is needed."""
    with tempfile.TemporaryDirectory(prefix="patchops-review-") as folder:
        path = Path(folder) / "checkout"
        made = _git(["worktree", "add", "--detach", "--quiet", str(path), of.sha], root)
        if made.returncode:
            raise ReviewError(f"{of.name}: cannot be checked out: {_reason(made.stderr)}")
        try:
            yield path
        finally:
            _git(["worktree", "remove", "--force", str(path)], root)


def has_policy(path: str, folder: Path) -> bool:
    """Tell whether a commit's files have a policy, named relative to the checkout."""
    return (folder / path).is_file()


def within(policy: str, *, root: Path = ROOT) -> str:
    """Return a policy's name relative to the checkout.

    Raises:
        ReviewError: it is not in the checkout, so that another commit cannot have it.
    """
    path = Path(policy).resolve()
    if not path.is_relative_to(root):
        raise ReviewError(
            f"{policy}: is not in {root}, so that no other commit has it; compare with a cloud assembly instead"
        )
    return path.relative_to(root).as_posix()


def _environment() -> Mapping[str, str]:
    """Return what an app is run with: no credentials, and nothing that other tools have left."""
    return {name: os.environ[name] for name in _HANDED_ON if name in os.environ} | {"PYTHONDONTWRITEBYTECODE": "1"}


def _git(arguments: list[str], root: Path) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(  # noqa: S603 arguments of ours, and names that git takes for nothing else
            ["git", "-C", str(root), *arguments],  # noqa: S607 whichever git people use
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except FileNotFoundError:
        raise ReviewError(
            "git is not installed; install it, or compare with a directory that is a cloud assembly"
        ) from None


def _reason(text: str) -> str:
    """Return why a command failed: the last line of a traceback, or else the first line of what it said."""
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("warning: ")]
    if not lines:
        return "it says nothing"
    traced = any(line.startswith("Traceback (most recent call last)") for line in lines)
    if traced:
        return lines[-1]
    more = len(lines) - 1
    return lines[0] + (f" (and {more} more line{'' if more == 1 else 's'})" if more else "")
