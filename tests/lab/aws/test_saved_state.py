"""A lab that is saved, killed and loaded is the one that it was, and goes on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lab import saved_file
from lab.local_aws import ROOT, LocalAws
from lab.world.errors import LabError
from tests.lab.aws.saved_world import Saved, answers, build, connect, killing_at, move, node, running, start, stop
from tests.lab.aws.world import SCAN
from tests.lab.patches.test_catalogue_file import LINUX

pytestmark = pytest.mark.xdist_group("saved-state")


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Saved:
    """A save, what its lab answered, and a window of it. The lab was killed while it was saved a second time."""
    folder = tmp_path_factory.mktemp("saved")
    catalogue, file = folder / "mine.json", folder / "saves" / "lab.save"
    file.parent.mkdir()
    catalogue.write_text(json.dumps(LINUX))
    process, aws = start("--port", "0", "--catalogue", str(catalogue))
    try:
        window, asked = build(aws)
        aws.chaos({"slow": 0.5, "seed": 3})
        before = running(aws, window, asked)
        aws.save(file)
        known = answers(aws, asked)
        # More than the sockets between them hold, so that the server is still at it.
        connect(aws)("s3").put_object(Bucket="output", Key="big", Body=os.urandom(16 << 20))
        with killing_at(aws, 100_000) as cut, pytest.raises(LabError, match="does not answer"):
            cut.save(file)
        assert process.wait(10) == -signal.SIGKILL
    finally:
        stop(process)
    return Saved(file, known, window, before, asked)


@pytest.fixture(scope="module")
def loaded(saved: Saved) -> Iterator[LocalAws]:
    process, aws = start("--load", str(saved.file))
    yield aws
    stop(process)


def test_everything_answers_the_same(loaded: LocalAws, saved: Saved) -> None:
    known, now = saved.known, answers(loaded, saved.asked)
    assert now.keys() == known.keys()
    different = [key for key in known if now[key] != known[key]]
    assert different == []
    empty = [key for key in known if not any(known[key].values() if isinstance(known[key], dict) else [known[key]])]
    assert empty == []
    assert known["s3:list_objects_v2"]["KeyCount"] > 16


def test_what_ran_when_it_was_saved_had_come_to_its_end(loaded: LocalAws, saved: Saved) -> None:
    assert saved.running == {"runbook": "InProgress", "window": "IN_PROGRESS", "command": "Pending"}
    ended = {"runbook": "Failed", "window": "SUCCESS", "command": "Success"}
    assert running(loaded, saved.window, saved.asked) == ended


def test_a_catalogue_of_ones_own_is_part_of_it(loaded: LocalAws) -> None:
    ssm = connect(loaded)("ssm")
    made = ssm.create_activation(IamRole="sender")
    known = loaded.register(made["ActivationId"], made["ActivationCode"], image="mine")
    ssm.send_command(InstanceIds=[known], **SCAN)
    move(loaded, minutes=10)
    (patch,) = ssm.describe_instance_patches(InstanceId=known)["Patches"]
    assert (patch["Title"], patch["State"]) == ("tool.x86_64:1.0-1", "InstalledOther")


def test_windows_and_associations_still_fire(loaded: LocalAws, saved: Saved) -> None:
    ssm, window = connect(loaded)("ssm"), saved.window
    before = len(saved.known[window])
    runs = len(saved.known["ssm.describe_association_executions"]["AssociationExecutions"])
    move(loaded, days=2)
    executions = ssm.describe_maintenance_window_executions(WindowId=window)["WindowExecutions"]
    assert len(executions) == before + 2
    assert {one["Status"] for one in executions} == {"SUCCESS"}
    now = ssm.describe_association_executions(**saved.asked["describe_association_executions"])["AssociationExecutions"]
    assert len(now) == runs + 2


def test_new_things_can_be_made(loaded: LocalAws) -> None:
    client = connect(loaded)
    ec2 = client("ec2")
    subnet = next(one for one in ec2.describe_subnets()["Subnets"] if one["CidrBlock"] == "10.9.1.0/24")["SubnetId"]
    image = ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
    made = ec2.run_instances(ImageId=image, MinCount=2, MaxCount=2, SubnetId=subnet)["Instances"]
    assert len({one["PrivateIpAddress"] for one in made}) == 2
    assert loaded.populate(5) == 5
    client("cloudformation").delete_stack(StackName="mine")
    assert client("cloudformation").describe_stacks()["Stacks"] == []


def test_a_save_that_cannot_be_written_leaves_the_last_one_whole(
    loaded: LocalAws, saved: Saved, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = saved.file
    before = file.read_bytes()

    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("lab.saved_file.os.fsync", fail)
    with pytest.raises(LabError, match=r"lab\.save: cannot be written: No space left on device"):
        loaded.save(file)
    assert file.read_bytes() == before
    assert list(file.parent.iterdir()) == [file]


WRITES_HALF = """
import os, sys
from pathlib import Path
from lab import saved_file

opened = os.fdopen

def fdopen(*arguments):
    file = opened(*arguments)

    class Slow:
        def __enter__(self): return self
        def __exit__(self, *_): pass
        def write(self, data):
            file.write(data[: len(data) // 2])
            file.flush()
            print("half", flush=True)
            sys.stdin.read()  # for ever: somebody kills it
    return Slow()

saved_file.os.fdopen = fdopen
saved_file.write(Path(sys.argv[1]), Path(sys.argv[2]).read_bytes())
"""


def test_one_that_is_killed_while_it_writes_leaves_the_last_save_and_a_half_one_that_is_refused(
    saved: Saved, tmp_path: Path
) -> None:
    file = tmp_path / "lab.save"
    file.write_bytes(saved.file.read_bytes())
    whole = file.read_bytes()
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITES_HALF, str(file), str(saved.file)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert writer.stdout
    assert writer.stdout.readline() == "half\n"
    stop(writer)
    assert writer.returncode == -signal.SIGKILL
    assert file.read_bytes() == whole
    (half,) = [one for one in tmp_path.iterdir() if one != file]
    assert half.name.startswith(".lab.save.")
    assert 0 < half.stat().st_size < len(whole)
    with pytest.raises(LabError, match="the save is damaged"):
        saved_file.read(half)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: b"", "not a save of the lab"),
        (lambda data: b"PK\x03\x04", "not a save of the lab"),
        (lambda data: data[:-1], "the save is damaged"),
        (lambda data: data[:-1] + bytes([data[-1] ^ 1]), "the save is damaged"),
        (
            lambda data: data.replace(f'"format": {saved_file.FORMAT}'.encode(), b'"format": 9', 1),
            "a save of format 9; this version of patchops reads",
        ),
    ],
)
def test_what_is_no_whole_save_is_refused_on_one_line(
    saved: Saved, tmp_path: Path, change: Callable[[bytes], bytes], message: str
) -> None:
    file = tmp_path / "broken"
    file.write_bytes(change(saved.file.read_bytes()))
    with pytest.raises(LabError, match=message) as error:
        saved_file.read(file)
    assert "\n" not in str(error.value)
    assert str(error.value).startswith(f"{file}: ")


def test_the_command_saves_and_says_how_far_the_clock_moved(
    loaded: LocalAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from cli import main  # noqa: PLC0415 imports the whole of it

    ssm = connect(loaded)("ssm")
    monkeypatch.setattr("lab.local_aws.required", lambda: loaded)
    loaded.pace(speed=1)
    ssm.send_command(
        DocumentName="AWS-RunPatchBaseline", InstanceIds=[node(ssm)], Parameters={"Operation": ["Install"]}
    )
    monkeypatch.setattr("sys.argv", ["patchops", "lab", "save", str(tmp_path / "again.save")])
    with pytest.raises(SystemExit) as ended:
        main.main()
    assert not ended.value.code
    moved, saved_to = capsys.readouterr().err.splitlines()
    assert moved.startswith("the clock moved from ")
    assert saved_to.startswith(f"saved to {tmp_path}/again.save (")
    saved_file.read(tmp_path / "again.save")


def test_a_pace_that_was_chosen_is_gone_on_with() -> None:
    from lab.aws.account.plane import Plane  # noqa: PLC0415 imports moto

    saved, loaded = Plane(speed=7), Plane()
    with saved.at_rest() as state:
        loaded.resume(state)
    assert loaded.speed == 7
    saved.stop()
    loaded.stop()
