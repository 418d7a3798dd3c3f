"""`patchops lab populate`, `chaos`, `events`, `pace` and `status` as a person types them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from lab import local_aws as client

if TYPE_CHECKING:
    from lab.aws.server import LocalAws

pytestmark = pytest.mark.xdist_group("local-aws")

REGION = "ap-southeast-7"


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str


Patchops = Callable[..., Result]


@pytest.fixture
def patchops(local_aws: LocalAws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Patchops:
    from cli import main  # noqa: PLC0415 imports the whole of it

    monkeypatch.setenv("AWS_REGION", REGION)
    monkeypatch.setattr(client, "required", lambda: client.LocalAws(local_aws.url, 1))

    def run(*arguments: str) -> Result:
        monkeypatch.setattr("sys.argv", ["patchops", "lab", *arguments])
        with pytest.raises(SystemExit) as ended:
            main.main()
        out, err = capsys.readouterr()
        return Result(int(ended.value.code or 0), out, err)

    return run


def test_nodes_are_added_differ_and_are_counted(patchops: Patchops) -> None:
    added = patchops("populate", "60", "--system", "UBUNTU", "--system", "MACOS")
    assert (added.code, added.out, added.err) == (0, "", "60 nodes added\n")
    shown = patchops("chaos", "--unreachable", "60%", "--two-reboots", "0.1", "--seed", "2", "-o", "json")
    try:
        answer = json.loads(shown.out)
        assert (answer["rates"]["unreachable"], answer["rates"]["two_reboots"]) == (0.6, 0.1)
        status = json.loads(patchops("status", "-o", "json").out)
        assert status["regions"][REGION]["systems"] == {"MACOS": 30, "UBUNTU": 30}
        assert status["chaos"]["unreachable"] == 0.6
        table = patchops("status").out
        assert "its agent does not answer" in table
        assert "unreachable 60%, two reboots 10%; seed 2" in table
        assert "MACOS" in table
    finally:
        reset = patchops("chaos", "--reset")
    assert "60%" not in reset.out
    assert "chaos: none" in patchops("events", "--last", "0").out


def test_events_come_as_lines_of_json_too(patchops: Patchops) -> None:
    patchops("chaos", "--reset")
    lines = [json.loads(line) for line in patchops("events", "--last", "2", "-o", "json").out.splitlines()]
    assert [set(one) for one in lines] == [{"at", "text", "number"}] * 2
    assert lines[0]["number"] < lines[1]["number"]


def test_the_pace_is_chosen(patchops: Patchops) -> None:
    assert patchops("pace", "--speed", "5000").err == "5000 lab seconds go by in a second, while something runs\n"
    assert "all the time" in patchops("pace", "--running", "--speed", "1").err
    assert "while something runs" in patchops("pace", "--waiting", "--speed", "100000").err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("chaos", "--fail", "lots"), "--fail 'lots' is not a share from 0% to 100%"),
        (("chaos", "--two-reboots", "101%"), "--two-reboots '101%' is not a share from 0% to 100%"),
        (("chaos", "--fail", "5%", "--reset"), "give rates or --reset, not both"),
        (("pace",), "give --speed, --running or --waiting"),
        (("populate", "0"), "Invalid value"),
    ],
)
def test_what_makes_no_sense_is_wrong_usage(patchops: Patchops, arguments: tuple[str, ...], message: str) -> None:
    result = patchops(*arguments)
    assert result.code == 2
    assert message in result.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("populate", "5", "--system", "BEOS"), "'BEOS' is not an operating system that Patch Manager supports"),
        (("populate", "70000"), "70000 more nodes are not from 1 to"),
        (("load", "/nowhere/lab.save"), "/nowhere/lab.save: No such file or directory"),
        (("up", "--catalogue", "/nowhere/mine.json"), "/nowhere/mine.json: No such file or directory"),
    ],
)
def test_what_cannot_be_done_is_told_on_one_line(patchops: Patchops, arguments: tuple[str, ...], message: str) -> None:
    result = patchops(*arguments)
    assert result.code == 1
    assert message in result.err
    assert len(result.err.splitlines()) == 1
