"""Running `patchops` in the process of a test: starting Python anew takes longer than most commands."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest


@dataclass(frozen=True)
class Result:
    """How a command ended, and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Patchops = Callable[..., Result]


def run(monkeypatch: pytest.MonkeyPatch, capture: pytest.CaptureFixture[str], *arguments: str) -> Result:
    """Run a command line, and return how it ended."""
    from cli import main  # noqa: PLC0415 only the process that runs such tests is to wait for it

    monkeypatch.setattr("sys.argv", ["patchops", *arguments])
    capture.readouterr()
    with pytest.raises(SystemExit) as ended:
        main.main()
    out, err = capture.readouterr()
    return Result(int(ended.value.code or 0), out, err)
