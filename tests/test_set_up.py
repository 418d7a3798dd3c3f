"""What the set-up says when something is missing on the machine."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[1]
SCRIPT = ROOT / ".ci" / "set_up.py"


@pytest.fixture
def set_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    spec = importlib.util.spec_from_file_location("set_up", SCRIPT)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "LOG", str(tmp_path / "set-up.log"))
    return module


def said_of(set_up: ModuleType, log: str, capsys: pytest.CaptureFixture[str]) -> str:
    Path(set_up.LOG).write_text(log)
    with pytest.raises(SystemExit) as ended:
        set_up.explain("install uv")
    assert ended.value.code == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    return said


def test_a_python_that_is_too_old_is_told_in_one_line() -> None:
    old = (
        "import sys, runpy; sys.version_info = (3, 9, 18, 'final', 0); runpy.run_path(sys.argv[1], run_name='__main__')"
    )
    result = subprocess.run([sys.executable, "-c", old, str(SCRIPT)], capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert result.stderr == ("set-up: Python 3.9 is too old; 3.11 or newer is needed: make PYTHON=python3.12 ...\n")


def test_the_script_can_be_read_by_an_old_python() -> None:
    compile(SCRIPT.read_text(), str(SCRIPT), "exec", dont_inherit=True)
    assert not [line for line in SCRIPT.read_text().splitlines() if ' f"' in line or ":=" in line]


@pytest.mark.parametrize(
    ("log", "message"),
    [
        ("ERROR: ... Temporary failure in name resolution", "no network, or no way to the package registry"),
        ("npm error code ECONNREFUSED", "no network, or no way to the package registry"),
        ("OSError: [Errno 28] No space left on device", "no space left on the disk"),
        ("Error: ... ensurepip is not available", "this Python has no venv module"),
        ("collecting\nERROR: hashes do not match", "failed: ERROR: hashes do not match"),
    ],
)
def test_what_went_wrong_is_told_in_one_line(
    set_up: ModuleType, capsys: pytest.CaptureFixture[str], log: str, message: str
) -> None:
    assert message in said_of(set_up, log, capsys)


def test_it_is_done_again_when_a_pin_changes(
    set_up: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pins = tmp_path / "pins.txt"
    pins.write_text("moto==5.2.5")
    monkeypatch.setattr(set_up, "PINS", (str(pins),))
    before = set_up.wanted()
    assert set_up.wanted() == before
    pins.write_text("moto==5.2.6")
    assert set_up.wanted() != before


def test_make_alone_lists_the_targets_with_a_line_each() -> None:
    result = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True)
    listed = [line.split()[1] for line in result.stdout.splitlines()]
    assert set(listed) >= {"setup", "lab", "test", "lint", "synth", "deploy", "destroy", "bench", "clean"}
    assert all(len(line.split()) > 3 for line in result.stdout.splitlines())
