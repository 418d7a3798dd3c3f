from __future__ import annotations

import os
import subprocess
import sys
from datetime import date
from pathlib import Path

from aws_cdk import App

from patching.policy_file import read_policy
from stacks.environment import Environment
from tests.cdk import CONTEXT, EVERYTHING, ROOT

SYNTHESIZE = """
import sys
from datetime import date
from pathlib import Path

from tests.stacks.test_reproducible import synthesize

synthesize(Path(sys.argv[1]), date.fromisoformat(sys.argv[2]))
"""

ELSEWHERE = {"PYTHONHASHSEED": "1", "TZ": "America/Los_Angeles", "LC_ALL": "de_DE.UTF-8", "USER": "alice"}
"""Another machine. On this one, hashes are seeded anew in every process."""


def synthesize(folder: Path, today: date) -> None:
    """Do what app.py does, on a day that is given; what only judges the templates is left out."""
    made = App(context=CONTEXT, outdir=str(folder), builtin_cloud_formation_validation=False)
    policy = read_policy(EVERYTHING, today=today)
    Environment(made, policy.environment, policy=policy)
    made.synth()


def synthesize_elsewhere(folder: Path, today: date) -> None:
    """Synthesize in a process of its own, in another folder and with another home."""
    home = folder / "home"
    home.mkdir(parents=True)
    settings = {
        "PATH": os.environ["PATH"],
        "NODE_OPTIONS": os.environ["NODE_OPTIONS"],
        "PYTHONPATH": str(ROOT),
        "HOME": str(home),
        # Where jsii keeps the CDK unpacked: 200 MB, which another home would have to unpack anew.
        "JSII_RUNTIME_PACKAGE_CACHE_ROOT": str(Path.home() / ".cache" / "aws" / "jsii" / "package-cache"),
    }
    ended = subprocess.run(
        [sys.executable, "-c", SYNTHESIZE, str(folder / "out"), today.isoformat()],
        cwd=folder,
        env=settings | ELSEWHERE,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_a_policy_becomes_the_same_bytes_on_any_machine_and_day(tmp_path: Path) -> None:
    synthesize(tmp_path / "here", date(2026, 2, 1))
    synthesize_elsewhere(tmp_path / "somewhere" / "else", date(2026, 12, 20))
    here, there = files(tmp_path / "here"), files(tmp_path / "somewhere" / "else" / "out")
    assert {"manifest.json", "tree.json", "assembly-everything/manifest.json"} <= here.keys()
    assert sum(name.endswith(".template.json") for name in here) == 2
    assert {name for name, content in there.items() if content != here.get(name)} == set()
    assert there.keys() == here.keys()
    assert str(tmp_path).encode() not in b"".join(here.values())
