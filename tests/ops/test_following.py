"""What is said while a command runs, and what Ctrl-C does."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import typer

from cli import following
from cli.command import Call
from cli.terminal import OutputFormat, Terminal
from ops import progress
from ops.progress import NodeProgress, Progress
from ops.session import Session

NOW = datetime(2026, 11, 16, tzinfo=UTC)


def state(*details: str, status: str = "InProgress") -> Progress:
    nodes = tuple(NodeProgress(f"i-{index}", f"web-{index}", one, one, ()) for index, one in enumerate(details))
    done = sum(one == "Success" for one in details)
    return Progress("c-1", status, status, len(details), done, 0, NOW, nodes)


def test_only_nodes_that_came_further_are_told() -> None:
    told: dict[str, str] = {}
    first = list(following.lines(state("InProgress", "Pending"), told))
    assert first == ["  00:00:00 InProgress: 0 of 2 done", "           web-0 InProgress", "           web-1 Pending"]
    second = list(following.lines(state("Success", "Pending"), told))
    assert second == ["  00:00:00 InProgress: 1 of 2 done", "           web-0 Success"]


def test_a_command_on_no_node_did_not_succeed() -> None:
    assert not state(status="Success").succeeded
    assert state("Success", status="Success").succeeded
    assert not state("Success", "Failed", status="Success").succeeded


class Interrupted:
    """Watching that is interrupted once."""

    def __init__(self) -> None:
        self.looks = 0

    def __call__(self, *_: Any, **__: Any) -> Progress:
        self.looks += 1
        if self.looks == 1:
            raise KeyboardInterrupt
        return state("Cancelled", status="Cancelled")


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch) -> tuple[Call, list[str]]:
    cancelled: list[str] = []
    monkeypatch.setattr(progress, "watch", Interrupted())
    monkeypatch.setattr(progress, "cancel", lambda _, command: cancelled.append(command))
    return Call(Session(region="us-east-1"), Terminal(OutputFormat.TABLE, quiet=True)), cancelled


def asking(monkeypatch: pytest.MonkeyPatch, *, terminal: bool, answer: bool) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: terminal, raising=False)
    monkeypatch.setattr(typer, "confirm", lambda *_, **__: answer)


def test_ctrl_c_and_yes_cancel_the_command_and_follow_it_to_its_end(
    call: tuple[Call, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    asking(monkeypatch, terminal=True, answer=True)
    assert following.follow(call[0], "c-1").status == "Cancelled"
    assert call[1] == ["c-1"]


@pytest.mark.parametrize(("terminal", "answer"), [(True, False), (False, True)])
def test_ctrl_c_and_no_or_nobody_to_ask_only_stop_watching(
    call: tuple[Call, list[str]],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    terminal: bool,
    answer: bool,
) -> None:
    asking(monkeypatch, terminal=terminal, answer=answer)
    with pytest.raises(KeyboardInterrupt):
        following.follow(call[0], "c-1")
    assert call[1] == []
    assert "the command goes on, and is followed again by: patchops watch c-1" in capfd.readouterr().err
