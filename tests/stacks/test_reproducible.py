from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.cdk import CONTEXT, ROOT
from tests.stacks.policies import EVERYTHING

SYNTHESIZE = """
import sys
from datetime import date

from aws_cdk import App

from patching.policy_file import read_policy
from stacks.environment import Environment

policy = read_policy(sys.argv[1], today=date.fromisoformat(sys.argv[2]))
app = App()
Environment(app, policy.environment, policy=policy)
app.synth()
"""
"""What app.py does, on a day that is given; what only judges the templates is left out."""

HERE = {"PYTHONHASHSEED": "1", "TZ": "Asia/Seoul", "LC_ALL": "C", "USER": "alice"}
THERE = {"PYTHONHASHSEED": "2", "TZ": "America/Los_Angeles", "LC_ALL": "de_DE.UTF-8", "USER": "bob"}


def synthesize(folder: Path, today: str, machine: dict[str, str]) -> subprocess.Popen[str]:
    """Begin to synthesize in a process of its own, from another folder and with another home."""
    home = folder / "home"
    home.mkdir(parents=True)
    settings = {
        "PATH": os.environ["PATH"],
        "NODE_OPTIONS": os.environ["NODE_OPTIONS"],
        "PYTHONPATH": str(ROOT),
        "HOME": str(home),
        "CDK_OUTDIR": str(folder / "out"),
        "CDK_CONTEXT_JSON": json.dumps(CONTEXT),
        "CDK_VALIDATION": "false",
        # Where jsii keeps the CDK unpacked: 200 MB, which another home would have to unpack anew.
        "JSII_RUNTIME_PACKAGE_CACHE_ROOT": str(Path.home() / ".cache" / "aws" / "jsii" / "package-cache"),
    }
    return subprocess.Popen(
        [sys.executable, "-c", SYNTHESIZE, str(EVERYTHING), today],
        cwd=folder,
        env=settings | machine,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def files(folder: Path) -> dict[str, bytes]:
    out = folder / "out"
    return {str(path.relative_to(out)): path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()}


def test_a_policy_becomes_the_same_bytes_on_any_machine_and_day(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "somewhere" / "else"
    for process in (synthesize(here, "2026-02-01", HERE), synthesize(there, "2026-12-20", THERE)):
        said, _ = process.communicate(timeout=120)
        assert process.returncode == 0, said
    found = files(here)
    assert {"manifest.json", "tree.json", "assembly-everything/manifest.json"} <= found.keys()
    assert sum(name.endswith(".template.json") for name in found) == 2
    assert {name for name, content in files(there).items() if content != found.get(name)} == set()
    assert files(there).keys() == found.keys()
    assert str(tmp_path).encode() not in b"".join(found.values())
