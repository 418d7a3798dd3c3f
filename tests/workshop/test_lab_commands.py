"""The lab's own commands as a person uses them: processes that start, are interrupted, and go."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
import urllib.request
from pathlib import Path

import pytest

from lab.local_aws import ROOT
from tests.workshop.conftest import PATCHOPS

pytestmark = pytest.mark.xdist_group("commands")


def patchops(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([PATCHOPS, *arguments], env=environment, capture_output=True, text=True, check=False)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # One that has ended stays in Linux's list until its parent asks after it, which in a container may be never.
    if not Path("/proc/self/stat").exists():
        return True
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def gone_within(pid: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not alive(pid)


def test_up_prints_exports_and_nothing_else_is_the_same_when_run_twice_and_down_stops_it(
    environment: dict[str, str],
) -> None:
    first = patchops(environment, "lab", "up")
    assert first.returncode == 0
    assert all(line.startswith("export AWS_") for line in first.stdout.splitlines())
    assert "AWS_ENDPOINT_URL=http://127.0.0.1:" in first.stdout
    assert patchops(environment, "lab", "up").stdout == first.stdout
    status = json.loads(patchops(environment, "lab", "status", "-o", "json").stdout)
    assert status["now"] == "2026-11-16T00:00:00+00:00"
    moved = patchops(environment, "lab", "advance", "1w2d")
    assert "2026-11-25 00:00 UTC" in moved.stderr
    backwards = patchops(environment, "lab", "advance", "--to", "2026-11-16T00:00+00:00")
    assert (backwards.returncode, len(backwards.stderr.splitlines())) == (1, 1)
    port = re.search(r":(\d+)", first.stdout)
    assert port
    other = {**environment, "PATCHOPS_BUILD": environment["PATCHOPS_BUILD"] + "/other"}
    taken = patchops(other, "lab", "up", "--port", port[1])
    assert taken.returncode == 1
    assert f"port {port[1]} is taken" in taken.stderr
    assert len(taken.stderr.splitlines()) == 1
    assert "stopped" in patchops(environment, "lab", "down").stderr
    assert gone_within(status["pid"], 5)
    assert "no local AWS was running" in patchops(environment, "lab", "down").stderr


def test_without_a_local_aws_the_lab_says_how_to_start_one(environment: dict[str, str]) -> None:
    result = patchops(environment, "lab", "status")
    assert result.returncode == 1
    assert result.stderr == 'patchops: no local AWS is running; start one with: eval "$(patchops lab up)"\n'


def server_of(process: subprocess.Popen[str]) -> int:
    """Return the process id of the workshop's server, once it has said where it listens."""
    assert process.stdout
    url = next(found[1] for line in process.stdout if (found := re.search(r"listens at (http://\S+);", line)))
    with urllib.request.urlopen(f"{url}/lab/status") as response:
        return int(json.load(response)["pid"])


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 130), (signal.SIGKILL, -9)])
def test_a_workshop_that_is_ended_leaves_no_server_behind(
    environment: dict[str, str], sent: signal.Signals, code: int
) -> None:
    process = subprocess.Popen(
        [PATCHOPS, "lab", "workshop"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # Where the suite runs in the background of a script, an interruption is ignored, which a process inherits.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 one thread
    )
    server = server_of(process)
    assert alive(server)
    process.send_signal(sent)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == code
    assert "Traceback" not in errors
    assert gone_within(server, 10)


def test_a_policy_with_a_mistake_is_told_by_its_line(environment: dict[str, str], tmp_path: Path) -> None:
    policy = tmp_path / "bad.yaml"
    policy.write_text((ROOT / "config" / "lab.yaml").read_text().replace("cutoff_hours: 1", "cutoff_hours: 5"))
    result = patchops(environment, "lab", "deploy", str(policy))
    assert result.returncode == 1
    first, second = result.stderr.splitlines()
    assert re.search(r"bad\.yaml:\d+: install\.test\.cutoff_hours: 5 is not below duration_hours 3", first)
    assert re.search(r"bad\.yaml:\d+: install\.prod\.cutoff_hours: 5 is not below duration_hours 4", second)


def test_a_lab_is_followed_saved_stopped_and_loaded(environment: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "lab.save"
    assert patchops(environment, "lab", "up", "--nodes", "2").returncode == 0
    following = subprocess.Popen(
        [PATCHOPS, "lab", "events", "--follow", "--last", "1"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 one thread; as above
    )
    assert following.stdout
    assert "registered as a managed node" in following.stdout.readline()
    assert patchops(environment, "lab", "chaos", "--fail", "5%").returncode == 0
    assert "chaos: " in following.stdout.readline()  # what happened after it had begun
    following.send_signal(signal.SIGINT)
    _, errors = following.communicate(timeout=30)
    assert (following.returncode, errors) == (0, "")

    before = json.loads(patchops(environment, "lab", "status", "-o", "json").stdout)
    saved = patchops(environment, "lab", "save", str(file))
    assert (saved.returncode, saved.stderr.startswith(f"saved to {file} (")) == (0, True)
    busy = patchops(environment, "lab", "load", str(file))
    assert busy.stderr == "patchops: a local AWS is running already; stop it first: patchops lab down\n"
    assert patchops(environment, "lab", "down").returncode == 0
    loaded = patchops(environment, "lab", "load", str(file))
    assert (loaded.returncode, loaded.stderr.startswith(f"local AWS loaded from {file}, at http://127.0.0.1:")) == (
        0,
        True,
    )
    assert all(line.startswith("export AWS_") for line in loaded.stdout.splitlines())
    after = json.loads(patchops(environment, "lab", "status", "-o", "json").stdout)
    assert (after["regions"], after["chaos"], after["now"]) == (before["regions"], before["chaos"], before["now"])
    assert len(after["regions"]["us-east-1"]["managed"]) == 2
