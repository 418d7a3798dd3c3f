"""How `patchops` finds its commands: whoever runs one waits for its module only."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
import typer

from cli import main

HEAVY = ("aws_cdk", "icalendar", "moto", "patching.policy", "pydantic", "review")


def names(app: typer.Typer) -> set[str]:
    registered: list[Any] = [*app.registered_commands, *app.registered_groups]
    return {one.name for one in registered}


def test_every_command_is_found_in_its_module_alone() -> None:
    for module, commands in main.MODULES.items():
        for command in commands:
            expected = names(main.app()) if module == "permissions" else set(commands)
            assert names(main.app(command)) == expected, command
    assert names(main.app()) == {one for commands in main.MODULES.values() for one in commands}


@pytest.mark.parametrize("asked", ["", "--help", "complience"])
def test_whoever_names_no_command_sees_them_all(asked: str) -> None:
    assert names(main.app(asked)) == names(main.app())


def test_a_review_of_compliance_waits_for_nothing_that_it_does_not_need() -> None:
    code = f"import sys, cli.main; cli.main.app('compliance'); print([one for one in {HEAVY} if one in sys.modules])"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "[]"


def test_who_interrupts_a_command_is_told_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    app = typer.Typer()

    @app.command()
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("cli.main.app", lambda _: app)
    monkeypatch.setattr("sys.argv", ["patchops"])
    with pytest.raises(SystemExit) as ended:
        main.main()
    assert ended.value.code == 130
    assert capsys.readouterr().err == "patchops: interrupted\n"
