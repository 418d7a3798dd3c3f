"""One local AWS with the lab deployed by the real CDK CLI and the workshop run on it, for all tests of this folder."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from rich.console import Console

from lab import local_aws
from lab.workshop import Workshop, run_sections
from ops.session import Session
from tests.patchops import Patchops, Result, share_models
from tests.patchops import run as run_here

SPEED = 20_000.0
PATCHOPS = str(Path(sys.executable).parent / "patchops")
UNJUDGED = {"CDK_VALIDATION": "false"}
"""Lets the CDK leave out what judges templates, half of a synthesis: `ran` is judged, and tests/stacks tests that."""


@dataclass(frozen=True)
class Ran:
    """A workshop that was run."""

    aws: local_aws.LocalAws
    folder: Path
    succeeded: bool
    printed: str


@pytest.fixture(scope="session")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    folder = tmp_path_factory.mktemp("workshop")
    with local_aws.running(speed=SPEED) as aws:
        with pytest.MonkeyPatch.context() as patch:
            _use(patch, aws)
            printed = io.StringIO()
            console = Console(file=printed, width=150, highlight=False)
            succeeded = run_sections(Workshop(aws, Session(), console, "lab", folder), local_aws.DEFAULT_POLICY)
        yield Ran(aws, folder, succeeded, printed.getvalue())


@pytest.fixture
def patchops(ran: Ran, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Patchops:
    """Run `patchops` against the local AWS, in this process: starting Python anew takes longer than most commands."""
    _use(monkeypatch, ran.aws)
    share_models(monkeypatch)
    for name, value in UNJUDGED.items():
        monkeypatch.setenv(name, value)

    def run(*arguments: str) -> Result:
        return run_here(monkeypatch, capfd, *arguments)

    return run


def _use(patch: pytest.MonkeyPatch, aws: local_aws.LocalAws) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        patch.delenv(name)
    for name, value in aws.environment().items():
        patch.setenv(name, value)


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[dict[str, str]]:
    """An environment with nothing of AWS in it, and a lab of its own, which is stopped in any case."""
    unwanted = ("AWS_", "PYTHONDONTWRITEBYTECODE")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(unwanted)}
    own = {**kept, **UNJUDGED, "PATCHOPS_BUILD": str(tmp_path), "PATH": f"{Path(sys.executable).parent}:{kept['PATH']}"}
    yield own
    if (tmp_path / local_aws._STATE.name).exists():
        subprocess.run([PATCHOPS, "lab", "down"], env=own, check=False, capture_output=True)
