"""The workshop's guides: every command in them runs, and both languages have the same ones."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from lab.local_aws import ROOT
from tests.lab.aws.clients.install import FOLDER, is_installed

pytestmark = pytest.mark.xdist_group("commands")

GUIDES = ("workshop.md", "workshop.ko.md")
DONE = {
    "make setup",
    "source .venv/bin/activate",
    'eval "$(patchops lab up)"',
    "patchops lab deploy",
    "patchops lab down",
}
"""What the README's steps begin and end with, too."""


def commands(guide: str) -> list[str]:
    """Return the blocks of commands of a guide."""
    return re.findall(r"```sh\n(.*?)```", (ROOT / "docs" / guide).read_text(encoding="utf-8"), re.DOTALL)


def test_both_guides_have_the_same_commands() -> None:
    english, korean = map(commands, GUIDES)
    assert english == korean
    assert set("\n".join(english).splitlines()) >= DONE


def test_both_guides_have_the_same_sections_and_questions() -> None:
    def shape(guide: str) -> list[str]:
        text = (ROOT / "docs" / guide).read_text(encoding="utf-8")
        return re.findall(r"^## \d|<summary>|```sh", text, re.MULTILINE)

    english, korean = map(shape, GUIDES)
    assert english == korean
    assert english.count("<summary>") >= 10


def by_hand(*, guide: bool) -> str:
    """Return what the README says to do step by step and, within it, the rest of the workshop's guide."""
    (steps,) = re.findall(r"### Step by step.*?```sh\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert set(re.sub(r" +#.*", "", steps).splitlines()) >= DONE
    more = [line for block in commands(GUIDES[0]) for line in block.splitlines() if line not in DONE] if guide else []
    # This test runs in the environment that the first two make. The guide is for the fleet before it grows.
    lines = [line for line in steps.splitlines() if line not in ("make setup", "source .venv/bin/activate")]
    grows = next(at for at, line in enumerate(lines) if line.startswith("patchops lab populate"))
    script = "\n".join([*lines[:grows], *more, *lines[grows:]])
    return script.replace("patchops lab up", "patchops lab up --speed 20000")


def test_every_command_of_the_readme_and_the_guides_runs(environment: dict[str, str], tmp_path: Path) -> None:
    aws_cli = is_installed("aws-cli")
    path = f"{FOLDER / 'aws-cli' / 'bin'}{os.pathsep}{environment['PATH']}"
    script = by_hand(guide=aws_cli).replace("lab.save", str(tmp_path / "lab.save"))
    ended = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=ROOT,
        env=environment | {"PATH": path},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    assert "local AWS stopped" in ended.stderr
    if not aws_cli:
        pytest.skip("the README's commands ran, those of the guides did not: aws-cli is not installed (make clients)")
