from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cdk import CONTEXT, ROOT
from tests.patching.policies import changed

pytestmark = pytest.mark.xdist_group("app")


def run_app(out: Path, **context: str) -> subprocess.CompletedProcess[str]:
    """Run app.py as the CDK CLI does, with template validation and cdk-nag."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("CDK_", "AWS_"))}
    return subprocess.run(
        [sys.executable, "app.py"],
        cwd=ROOT,
        env=environment | {"CDK_OUTDIR": str(out), "CDK_CONTEXT_JSON": json.dumps(CONTEXT | context)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_the_shortest_policy_passes_validation_and_nag_for_the_environment_that_the_context_names(
    tmp_path: Path,
) -> None:
    ended = run_app(tmp_path, config="config/minimal.yaml", environment="alice")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    report = json.loads((tmp_path / "validation-report.json").read_text(encoding="utf-8"))
    assert report["pluginReports"] == []
    manifest = json.loads((tmp_path / "assembly-alice" / "manifest.json").read_text(encoding="utf-8"))
    names = {one["properties"].get("stackName") for one in manifest["artifacts"].values() if "properties" in one}
    assert "patchops-alice-patching" in names


def test_a_broken_policy_is_answered_with_its_line_and_no_traceback(tmp_path: Path) -> None:
    policy = tmp_path / "broken.yaml"
    policy.write_text(changed(("cutoff_hours: 1", "cutoff_hours: 4")), encoding="utf-8")
    ended = run_app(tmp_path / "out", config=str(policy))
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"{policy}:23: install.prod.cutoff_hours: 4 is not below duration_hours 4")
    assert "Traceback" not in ended.stdout + ended.stderr
