"""The workshop's guides: every command in them runs, and both languages have the same ones."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from lab.local_aws import ROOT
from tests.lab.aws.clients.install import FOLDER, is_installed
from tests.workshop.conftest import Ran

pytestmark = pytest.mark.xdist_group("workshop")

GUIDES = ("workshop.md", "workshop.ko.md")
DONE = {
    "make setup",
    "source .venv/bin/activate",
    'eval "$(patchops lab up)"',
    "patchops lab deploy",
    "patchops lab down",
}
"""What the fixtures do already, and what the test of the README's steps runs."""


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


def test_every_command_of_the_guides_runs(ran: Ran, tmp_path: Path) -> None:
    if not is_installed("aws-cli"):
        pytest.skip("aws-cli is not installed; make clients installs it, or says why it cannot be")
    (tmp_path / "local-aws.json").write_text(json.dumps({"url": ran.aws.url, "pid": ran.aws.pid}))
    script = "\n".join(line for block in commands(GUIDES[0]) for line in block.splitlines() if line not in DONE)
    bins = (FOLDER / "aws-cli" / "bin", Path(sys.executable).parent)
    ended = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", f"set -x\n{script}"],
        cwd=ROOT,
        env={
            "PATH": os.pathsep.join([*map(str, bins), os.environ["PATH"]]),
            "HOME": str(tmp_path),
            "PATCHOPS_BUILD": str(tmp_path),
            **ran.aws.environment(),
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    assert "NON_COMPLIANT" not in ended.stdout.rpartition("patchops-lab-prod-2")[0][-400:]
