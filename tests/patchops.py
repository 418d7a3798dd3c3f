"""Running `patchops` in the process of a test: starting Python anew takes longer than most commands."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import botocore.session
import pytest
from botocore.loaders import create_loader


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
_LOADER = cache(create_loader)


def share_models(patch: pytest.MonkeyPatch) -> None:
    """Let sessions use the same service models: each command makes a session, whose own would take half of its time.

    Clients change what they share, which nothing may see that serves AWS in this process.
    """
    patch.setattr(botocore.session, "create_loader", _LOADER)


def run(monkeypatch: pytest.MonkeyPatch, capture: pytest.CaptureFixture[str], *arguments: str) -> Result:
    """Run a command line, and return how it ended."""
    from cli import main  # noqa: PLC0415 only the process that runs such tests is to wait for it

    monkeypatch.setattr("sys.argv", ["patchops", *arguments])
    capture.readouterr()
    with pytest.raises(SystemExit) as ended:
        main.main()
    out, err = capture.readouterr()
    return Result(int(ended.value.code or 0), out, err)
