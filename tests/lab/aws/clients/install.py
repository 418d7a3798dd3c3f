"""Installs the clients of other people that the local AWS is tested with, each in an environment of its own.

`python -m tests.lab.aws.clients.install [NAME...]`; without names all of them. What is there already is left alone. A
client that cannot be installed is named, and is no error: its tests are skipped.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

PINS = Path(__file__).parent / "pins"
FOLDER = Path(__file__).parents[4] / "build" / "clients"
NAMES = tuple(sorted(path.stem for path in PINS.glob("*.txt")))


def is_installed(name: str) -> bool:
    """Tell whether a client is there as it is pinned."""
    stamp = FOLDER / name / "installed"
    return stamp.exists() and stamp.read_text(encoding="utf-8") == _pinned(name)


def install(name: str) -> str:
    """Install a client; return why it could not be done, or nothing."""
    if is_installed(name):
        return ""
    folder = FOLDER / name
    shutil.rmtree(folder, ignore_errors=True)
    python = folder / "bin" / "python"
    uv = Path(sys.executable).parent / "uv"
    commands: tuple[list[str | Path], ...] = (
        [uv, "venv", "--quiet", "--python", sys.executable, folder],
        [uv, "pip", "install", "--quiet", "--python", python, "--require-hashes", "-r", PINS / f"{name}.txt"],
    )
    for command in commands:
        try:
            ended = subprocess.run(command, capture_output=True, text=True, check=False)
        except OSError as error:
            return f"{uv}: {error.strerror}"
        if ended.returncode:
            return " ".join(ended.stderr.split())[-300:]
    (folder / "installed").write_text(_pinned(name), encoding="utf-8")
    return ""


def main() -> None:
    """Install the clients that are named."""
    for name in sys.argv[1:] or NAMES:
        if name not in NAMES:
            sys.exit(f"there is no client {name!r}; expected one of {', '.join(NAMES)}")
        if not is_installed(name):
            print(f"clients: install {name} ...", file=sys.stderr)
        reason = install(name)
        if reason:
            print(f"clients: {name} could not be installed, its tests are skipped: {reason}", file=sys.stderr)


def _pinned(name: str) -> str:
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    return f"{version} {hashlib.sha256((PINS / f'{name}.txt').read_bytes()).hexdigest()}"


if __name__ == "__main__":
    main()
