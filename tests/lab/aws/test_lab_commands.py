"""`patchops lab populate`, `chaos`, `events`, `pace` and `status` as a person types them."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.exceptions import ClientError

from lab import local_aws as client
from tests.patchops import Patchops, Result
from tests.patchops import run as run_here

if TYPE_CHECKING:
    from lab.aws.server import LocalAws

pytestmark = pytest.mark.xdist_group("local-aws")

REGION = "ap-southeast-7"


@pytest.fixture
def patchops(local_aws: LocalAws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Patchops:
    monkeypatch.setenv("AWS_REGION", REGION)
    monkeypatch.setattr(client, "required", lambda: client.LocalAws(local_aws.url, 1))

    def run(*arguments: str) -> Result:
        return run_here(monkeypatch, capsys, "lab", *arguments)

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
        (("permit", "AKIATRY"), "give a file with a policy, or --everything"),
        (("permit", "AKIATRY", "p.json", "--everything"), "give a file with a policy, or --everything"),
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
        (("permit", "AKIATRY", "/nowhere/p.json"), "/nowhere/p.json: No such file or directory"),
        (("load", "/nowhere/lab.save"), "/nowhere/lab.save: No such file or directory"),
        (("up", "--catalogue", "/nowhere/mine.json"), "/nowhere/mine.json: No such file or directory"),
    ],
)
def test_what_cannot_be_done_is_told_on_one_line(patchops: Patchops, arguments: tuple[str, ...], message: str) -> None:
    result = patchops(*arguments)
    assert result.code == 1
    assert message in result.err
    assert len(result.err.splitlines()) == 1


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    file = tmp_path / "policy.json"
    statement = {"Effect": "Allow", "Action": "ssm:ListCommands", "Resource": "*"}
    file.write_text(json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    return file


def test_a_key_may_do_what_a_policy_allows_until_it_is_not_checked_any_more(
    patchops: Patchops, local_aws: LocalAws, policy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ssm = boto3.client(
        "ssm",
        endpoint_url=local_aws.url,
        region_name=REGION,
        aws_access_key_id="AKIATRY",
        aws_secret_access_key="testing",
    )
    permitted = patchops("permit", "AKIATRY", str(policy))
    assert (permitted.code, permitted.err) == (
        0,
        f"AWS_ACCESS_KEY_ID=AKIATRY may do what {policy} allows, and nothing else\n",
    )
    ssm.list_commands()
    with pytest.raises(ClientError, match="not authorized to perform: ssm:ListAssociations"):
        ssm.list_associations()
    assert patchops("permit", "AKIATRY", "--everything").code == 0
    ssm.list_associations()
    monkeypatch.setattr("sys.stdin", io.StringIO(policy.read_text()))
    assert patchops("permit", "AKIATRY", "-").code == 0
    assert patchops("permit", "AKIATRY", "--everything").code == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "not an IAM policy: expected an object with a Statement"),
        ("{", "not a policy in JSON: Expecting property name"),
        ('{"Statement": [{"Effect": "Maybe"}]}', "a statement of the policy has no Effect of Allow or Deny"),
    ],
)
def test_what_is_no_policy_is_told_on_one_line(patchops: Patchops, policy: Path, text: str, message: str) -> None:
    policy.write_text(text)
    result = patchops("permit", "AKIATRY", str(policy))
    assert (result.code, result.err.count("\n")) == (1, 1)
    assert message in result.err
