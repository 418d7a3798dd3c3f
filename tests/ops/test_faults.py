"""What goes wrong between `patchops` and AWS: nothing partial is shown as whole, and a mistake is one line."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lab.local_aws import LocalAws
from tests.ops.conftest import PROD, connect
from tests.patchops import Patchops

pytestmark = [pytest.mark.xdist_group("ops"), pytest.mark.usefixtures("impatient")]

ENVIRONMENT = ("--environment", "lab")
READING: dict[str, tuple[str, ...]] = {
    "nodes": ENVIRONMENT,
    "plan": PROD,
    "compliance": ENVIRONMENT,
    "drift": ENVIRONMENT,
    "doctor": ENVIRONMENT,
    "documents": ("--name-prefix", "AWS-RunPatch"),
    "documents show": ("AWS-RunPatchBaseline",),
    "runs": ENVIRONMENT,
    "windows": ENVIRONMENT,
    "calendar": ENVIRONMENT,
    "exceptions": ("config/enterprise.yaml", "--environment", "lab", "--deployed"),
    "watch": ("COMMAND",),
    "run show": ("COMMAND",),
    "logs": ("COMMAND", "NODE"),
}
CHANGING: dict[str, tuple[str, ...]] = {
    "scan": PROD,
    "install": (*PROD, "--yes"),
    "run document": ("AWS-RunShellScript", *PROD, "--parameter", "commands=uptime", "--yes"),
    "run cancel": ("COMMAND",),
    "windows disable": ("prod", *ENVIRONMENT),
    "windows enable": ("prod", *ENVIRONMENT),
}
NAMES: dict[str, str] = {}
ONCE = ("throttle", "cut-before", "cut-within", "cut-after", "unavailable", "internal-error")
PATCHOPS = Path(sys.executable).parent / "patchops"


@pytest.fixture
def words(patchops: Patchops, scanned: None) -> dict[str, str]:
    if not NAMES:
        NAMES["COMMAND"] = patchops("runs", "-o", "json", "--document", "AWS-RunPatchBaseline").json[0]["command_id"]
        NAMES["NODE"] = patchops("nodes", "--tag", "Name=patchops-lab-prod-1", "-o", "json").json[0]["id"]
    return NAMES


def line(path: str, words: dict[str, str]) -> tuple[str, ...]:
    return (*path.split(), *(words.get(one, one) for one in {**READING, **CHANGING}[path]), "-q", "--output", "json")


def without_times(text: str) -> Any:
    """Return what was written without its times: the lab's clock may go on between two looks."""
    return json.loads(re.sub(r"\d{4}-\d\d-\d\dT[\d:.+-]+", "then", text))


@pytest.mark.parametrize(
    ("path", "do"),
    [(path, ("throttle", "cut-before", "cut-within")[number % 3]) for number, path in enumerate(READING)],
)
def test_a_third_of_all_calls_may_fail_and_the_result_is_the_same(
    path: str, do: str, patchops: Patchops, account: LocalAws, words: dict[str, str]
) -> None:
    arguments = line(path, words)
    account.calls(reset=True)
    whole = patchops(*arguments)
    assert whole.code in (0, 3), whole.err
    number = sum(account.calls(reset=True).values())
    # Every third call: every second one would hit one of two that run side by side again and again.
    account.set_faults([{"calls": "*", "do": do, "first": one, "times": 1} for one in range(1, 2 * number, 3)])
    result = patchops(*arguments)
    assert result.code == whole.code, result.err
    assert without_times(result.out) == without_times(whole.out)


@pytest.mark.parametrize("path", READING)
def test_each_operation_in_turn_may_fail_once_and_the_result_is_the_same(
    path: str, patchops: Patchops, account: LocalAws, words: dict[str, str]
) -> None:
    arguments = line(path, words)
    account.calls(reset=True)
    whole = patchops(*arguments)
    for number, operation in enumerate(sorted(account.calls(reset=True))):
        account.set_faults([{"calls": operation, "do": ONCE[number % len(ONCE)], "times": 1}])
        result = patchops(*arguments)
        assert (result.code, without_times(result.out)) == (whole.code, without_times(whole.out)), result.err


def test_whichever_reply_of_a_scan_is_lost_no_command_is_sent_twice(
    patchops: Patchops, account: LocalAws, words: dict[str, str]
) -> None:
    account.calls(reset=True)
    assert patchops(*line("scan", words)).code == 0
    number = sum(account.calls(reset=True).values())
    ssm = connect(account, "ssm")
    for call in range(1, number + 1):
        comment = f"reply {call} lost"
        account.set_faults([{"calls": "*", "do": "cut-after", "first": call, "times": 1}])
        result = patchops(*line("scan", words), "--comment", comment)
        account.set_faults([])
        sent = [one for one in ssm.list_commands(MaxResults=50)["Commands"] if one["Comment"].startswith(comment)]
        assert len(sent) == 1, result.err
        assert (result.code, result.json["command_id"]) == (0, sent[0]["CommandId"])


def test_a_process_that_is_killed_while_it_watches_leaves_one_command_that_is_picked_up(
    patchops: Patchops, account: LocalAws, words: dict[str, str]
) -> None:
    account.calls(reset=True)
    account.set_faults([{"calls": "ssm:ListCommandInvocations", "do": "delay", "milliseconds": 60_000}])
    scan = subprocess.Popen([PATCHOPS, "scan", *PROD, "--comment", "killed"], stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: bool(account.calls().get("ssm:ListCommandInvocations")))
    finally:
        scan.kill()
        scan.wait()
    account.set_faults([])
    (run, *earlier) = patchops("runs", *ENVIRONMENT, "-o", "json").json
    assert (run["comment"], "killed" in [one["comment"] for one in earlier]) == ("killed", False)
    again = patchops("watch", run["command_id"], "-o", "json")
    assert (again.code, again.json["status"]) == (0, "Success")


def wait_until(true: Callable[[], bool]) -> None:
    """Wait for another process, no longer than it could take in any case."""
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.parametrize("path", READING)
def test_credentials_that_expire_on_the_way_end_it_with_1_and_a_line_that_says_so(
    path: str, patchops: Patchops, account: LocalAws, words: dict[str, str]
) -> None:
    arguments = line(path, words)
    account.calls(reset=True)
    patchops(*arguments)
    number = sum(account.calls(reset=True).values())
    account.set_faults([{"calls": "*", "do": "expired-token", "first": (number + 1) // 2}])
    result = patchops(*arguments)
    assert result.code == 1
    assert all(text.startswith("patchops: ") for text in result.err.splitlines()), result.err
    assert "the credentials have expired; sign in again" in result.err


FAULTS = (
    ("throttle", "AWS throttled the requests, also after retries; try again later"),
    ("access-denied", "no permission: "),
    ("cut-before", "is the Region right, the network there, and the local AWS running?"),
    ("cut-within", "is the Region right, the network there, and the local AWS running?"),
)


@pytest.mark.parametrize(
    ("path", "do", "said"),
    [(path, *FAULTS[number % len(FAULTS)]) for number, path in enumerate([*READING, *CHANGING])],
)
def test_a_fault_that_stays_is_one_line_and_exits_with_1(
    path: str, do: str, said: str, patchops: Patchops, account: LocalAws, words: dict[str, str]
) -> None:
    account.set_faults([{"calls": "*", "do": do}])
    result = patchops(*line(path, words))
    assert result.code == 1
    assert said in result.err
    assert result.err.count("\n") == 1 if path not in ("compliance", "plan", "drift", "exceptions", "doctor") else True
    assert "Traceback" not in result.err


def test_nodes_whose_states_could_not_be_read_are_unknown_and_named(
    patchops: Patchops, account: LocalAws, words: dict[str, str]
) -> None:
    account.set_faults([{"calls": "ssm:DescribeInstancePatchStates", "do": "access-denied"}])
    result = patchops("compliance", *ENVIRONMENT, "--output", "json")
    assert result.code == 1
    assert {one["compliance"] for one in result.json["nodes"]} == {"UNKNOWN"}
    assert result.json["summary"]["unknown"] == 4
    assert "not read: patch states of 4 nodes (i-" in result.err
    assert result.json["problems"]


def test_a_page_of_the_report_says_that_it_is_not_the_whole(
    patchops: Patchops, account: LocalAws, words: dict[str, str], tmp_path: Any
) -> None:
    account.set_faults([{"calls": "ssm:DescribeInstancePatchStates", "do": "access-denied"}])
    patchops("compliance", *ENVIRONMENT, "--html", str(tmp_path / "page.html"))
    page = (tmp_path / "page.html").read_text()
    assert "Not the whole" in page
    assert "patch states of 4 nodes" in page


def test_a_command_whose_watching_fails_goes_on_and_is_picked_up_again(
    patchops: Patchops, account: LocalAws, words: dict[str, str]
) -> None:
    account.set_faults([{"calls": "ssm:ListCommandInvocations", "do": "expired-token", "first": 1}])
    result = patchops("scan", *PROD, "-q", "--output", "json")
    assert result.code == 1
    said, _, command = result.err.strip().rpartition(" ")
    assert said.endswith("the command goes on, and is followed again by: patchops watch")
    account.set_faults([])
    again = patchops("watch", command, "--output", "json")
    assert (again.code, again.json["status"]) == (0, "Success")
