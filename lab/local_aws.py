"""Starting, finding and stopping a local AWS, and deploying to it with the CDK's own command."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from http.client import HTTPException
from pathlib import Path
from typing import IO, Any

from lab import saved_file
from lab.world.errors import LabError

ROOT = Path(__file__).resolve().parents[1]
BUILD = Path(os.environ.get("PATCHOPS_BUILD") or ROOT / "build")
"""Where the lab leaves what it makes; PATCHOPS_BUILD names another folder, which keeps two labs apart."""

DEFAULT_POLICY = "config/lab.yaml"
DEFAULT_REGION = "us-east-1"
_ACCOUNT = "123456789012"
_STATE = BUILD / "local-aws.json"
_LOG = BUILD / "local-aws.log"
_START_SECONDS = 60
_PATIENCE = 600.0
_STOP_SECONDS = 10
_DURATION = re.compile(r"(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?")


@dataclass(frozen=True)
class LocalAws:
    """A local AWS that runs.

    Attributes:
        url: where it listens.
        pid: its process.
    """

    url: str
    pid: int

    def environment(self) -> dict[str, str]:
        """Return the environment variables by which boto3, the AWS CLI and the CDK use it."""
        region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or DEFAULT_REGION
        return {
            "AWS_ENDPOINT_URL": self.url,
            # Keys of its own: the CDK remembers an account for each access key.
            "AWS_ACCESS_KEY_ID": "AKIAPATCHOPSLOCALAWS",
            "AWS_SECRET_ACCESS_KEY": "local-aws",
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
        }

    def status(self) -> dict[str, Any]:
        """Return its clock, its nodes and what is deployed."""
        return self._ask("status")

    def events(self) -> list[tuple[datetime, str]]:
        """Return what happened in it, in order."""
        return [(at, text) for at, text, _ in self.events_after(-1)]

    def events_after(self, number: int) -> list[tuple[datetime, str, int]]:
        """Return what happened in it after the event of a number, in order, with the numbers."""
        found = self._ask(f"events?after={number}")["events"]
        return [(datetime.fromisoformat(one["at"]), one["text"], one["number"]) for one in found]

    def chaos(self, rates: Mapping[str, float] | None = None) -> dict[str, Any]:
        """Return how nodes differ, and how many of them; with rates, set these before.

        Args:
            rates: shares from 0 to 1, and a seed; see `lab.nodes.chaos.Chaos`. None for no change, empty for no chaos.

        Raises:
            LabError: a rate that makes no sense.
        """
        return self._ask("chaos", None if rates is None else dict(rates))

    def advance(self, to: datetime) -> dict[str, Any]:
        """Move its clock, letting everything happen on the way.

        Raises:
            LabError: the time has passed, or is more than a year ahead.
        """
        return self._ask("advance", {"to": to.isoformat()})

    def populate(self, nodes: int, *, systems: Sequence[str] = ()) -> int:
        """Add nodes to its Region, with tags and of several operating systems, and return how many.

        Args:
            nodes: how many.
            systems: the operating systems that they have, by the names of the API; all that it knows by default.

        Raises:
            LabError: too many nodes, or a system that it does not know.
        """
        region = self.environment()["AWS_REGION"]
        made: int = self._ask("populate", {"region": region, "nodes": nodes, "systems": list(systems)})["nodes"]
        return made

    def register(self, activation_id: str, code: str, *, image: str, computer_name: str = "") -> str:
        """Register a simulated machine outside of EC2, and return the id of the node that it becomes.

        Args:
            activation_id: the activation that it registers with.
            code: the activation's code.
            image: what is installed on it: an operating system, such as UBUNTU, or the name of one of the lab's images.
            computer_name: its host name; one is made up by default.

        Raises:
            LabError: the activation does not let it, or there is no such system or image.
        """
        body = {
            "region": self.environment()["AWS_REGION"],
            "activation_id": activation_id,
            "activation_code": code,
            "image": image,
            "computer_name": computer_name,
        }
        return str(self._ask("register", body)["node"])

    def pace(self, *, speed: float | None = None, running: bool | None = None) -> dict[str, Any]:
        """Choose how fast its time goes by, and whether it does while nothing runs; return its status."""
        given = {"speed": speed, "running": running}
        return self._ask("pace", {name: value for name, value in given.items() if value is not None})

    def save(self, path: Path) -> datetime:
        """Save its whole state to a file, and return the time that its clock shows there.

        What runs comes to its end before: the clock moves on until then.

        Raises:
            LabError: the file cannot be written; the last save in it stays whole.
        """
        data = self._ask_bytes("save", b"{}", timeout=None)
        header, _ = saved_file.header_of(data)
        saved_file.write(path, data)
        return datetime.fromisoformat(header["now"])

    def faults(self) -> list[dict[str, Any]]:
        """Return what goes wrong at which calls."""
        found: list[dict[str, Any]] = self._ask("faults")["faults"]
        return found

    def set_faults(self, faults: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Let this go wrong, and nothing else; each of these begins to count its calls anew.

        Args:
            faults: objects with `calls` and `do`, and where they are needed `first`, `times` and `milliseconds`.

        Raises:
            LabError: one of them makes no sense.
        """
        wanted = [{key: value for key, value in one.items() if key != "seen"} for one in faults]
        found: list[dict[str, Any]] = self._ask("faults", {"faults": wanted})["faults"]
        return found

    def permit(self, access_key: str, policy: Mapping[str, Any] | None) -> None:
        """Allow what is signed with an access key only what a policy allows; None checks nothing any more.

        Raises:
            LabError: a policy that the lab cannot read.
        """
        self._ask("permissions", {"access_key": access_key, "policy": policy})

    def calls(self, *, reset: bool = False) -> dict[str, int]:
        """Return how often each operation was called since the start, or since the last reset."""
        counted: dict[str, int] = self._ask("calls", {} if reset else None)["calls"]
        return counted

    def _ask(self, what: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = json.loads(
                self._ask_bytes(what, None if body is None else json.dumps(body).encode())
            )
        except ValueError as error:
            raise LabError(f"the local AWS at {self.url} does not answer: {error}") from None
        return answer

    def _ask_bytes(self, what: str, body: bytes | None, timeout: float | None = _PATIENCE) -> bytes:
        request = urllib.request.Request(  # noqa: S310 our own server's address
            f"{self.url}/lab/{what}", data=body, headers={"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=timeout) as reply:  # noqa: S310
                answer: bytes = reply.read()
                return answer
        except urllib.error.HTTPError as error:
            try:
                message = json.load(error)["error"]
            except (ValueError, KeyError, TypeError):
                message = f"the local AWS at {self.url} answers with {error.code}"
            raise LabError(message) from None
        except (OSError, HTTPException) as error:
            raise LabError(f"the local AWS at {self.url} does not answer: {error}") from None


@contextmanager
def running(*, port: int = 0, speed: float | None = None) -> Iterator[LocalAws]:
    """Run a local AWS as long as the context lasts; it also ends if this process is killed.

    Raises:
        LabError: it does not start.
    """
    process = _start(port, speed, ["--with-parent"], stdin=subprocess.PIPE)
    try:
        yield _announced(process)
    finally:
        # The end of its standard input tells it to stop.
        for stream in (process.stdin, process.stdout):
            if stream:
                stream.close()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def up(
    *, port: int = 0, speed: float | None = None, catalogue: str = "", running: bool = False, load: str = ""
) -> tuple[LocalAws, bool]:
    """Return the local AWS that runs in the background, and whether it had to be started.

    Args:
        port: where it listens on the loopback interface; 0 for any free port.
        speed: lab seconds that go by in a second while something runs.
        catalogue: a file with catalogues that take the place of the built-in ones of the same operating system.
        running: whether time also goes by while nothing runs.
        load: a file with a saved state to go on from.

    Raises:
        LabError: it does not start, for instance because the port is taken.
    """
    found = find()
    if found:
        return found, False
    arguments = ["--running"] if running else []
    for option, file in (("--catalogue", catalogue), ("--load", load)):
        arguments += [option, str(Path(file).resolve())] if file else []
    process = _start(port, speed, arguments, stdin=subprocess.DEVNULL)
    started = _announced(process)
    if process.stdout:
        process.stdout.close()
    BUILD.mkdir(parents=True, exist_ok=True)
    _STATE.write_text(json.dumps({"url": started.url, "pid": started.pid}), encoding="utf-8")
    return started, True


def find() -> LocalAws | None:
    """Return the local AWS that runs in the background, if one does."""
    try:
        known = LocalAws(**json.loads(_STATE.read_text(encoding="utf-8")))
        if known.status()["pid"] == known.pid:
            return known
    except (OSError, ValueError, TypeError, KeyError, LabError):
        pass
    _STATE.unlink(missing_ok=True)
    return None


def required() -> LocalAws:
    """Return the local AWS that runs in the background.

    Raises:
        LabError: none does.
    """
    found = find()
    if found is None:
        raise LabError('no local AWS is running; start one with: eval "$(patchops lab up)"')
    return found


def down() -> bool:
    """Stop the local AWS that runs in the background, and tell whether there was one."""
    found = find()
    if found is None:
        return False
    os.kill(found.pid, signal.SIGTERM)
    deadline = time.monotonic() + _STOP_SECONDS
    while _alive(found.pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    _STATE.unlink(missing_ok=True)
    return True


def deploy(aws: LocalAws, policy: str, environment: str | None, output: IO[str] | int | None) -> None:
    """Bootstrap the local AWS and deploy a policy to it with the CDK CLI, as to any account.

    Args:
        aws: where to.
        policy: the policy file.
        environment: takes the place of the file's own environment.
        output: where what the CDK says goes.

    Raises:
        LabError: the CDK is not installed, or fails.
    """
    region = aws.environment()["AWS_REGION"]
    with tempfile.TemporaryDirectory() as elsewhere:
        # Where there is no app, bootstrapping does not synthesize one.
        _cdk(aws, ["bootstrap", f"aws://{_ACCOUNT}/{region}"], Path(elsewhere), output)
        # An assembly of its own: two deployments may go on at one time.
        chosen = [*_context(policy, environment), "--output", f"{elsewhere}/cdk.out", "--require-approval", "never"]
        _cdk(aws, ["deploy", "**", *chosen], ROOT, output)


def destroy(aws: LocalAws, policy: str, environment: str | None, output: IO[str] | int | None) -> None:
    """Destroy what a policy deployed to the local AWS; see `deploy`."""
    with tempfile.TemporaryDirectory() as elsewhere:
        chosen = [*_context(policy, environment), "--output", f"{elsewhere}/cdk.out", "--force"]
        _cdk(aws, ["destroy", "**", *chosen], ROOT, output, CDK_VALIDATION="false")  # templates that are to go are fine


def duration(text: str) -> timedelta:
    """Read a span of time such as 7d, 12h or 1w2d.

    Raises:
        LabError: it is none.
    """
    match = _DURATION.fullmatch(text)
    if not match or not any(match.groups()):
        raise LabError(f"{text!r} is not a span of time; expected one like 30m, 12h, 7d or 2w")
    weeks, days, hours, minutes = (int(one or 0) for one in match.groups())
    return timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes)


def _context(policy: str, environment: str | None) -> list[str]:
    path = Path(policy)
    context = ["--context", f"config={path if path.is_absolute() else path.resolve()}"]
    return [*context, "--context", f"environment={environment}"] if environment else context


def _cdk(aws: LocalAws, arguments: list[str], folder: Path, output: IO[str] | int | None, **settings: str) -> None:
    cdk = ROOT / "node_modules" / ".bin" / "cdk"
    if not cdk.exists():
        raise LabError("the CDK CLI is not installed; run: make setup")
    # Nothing of the person's own account may reach this: not their keys, their profile or their Region.
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
    path = f"{Path(sys.executable).parent}{os.pathsep}{inherited.get('PATH', '')}"
    result = subprocess.run(  # noqa: S603 our own tool, our own arguments
        [cdk, *arguments],
        cwd=folder,
        env={**inherited, **aws.environment(), "PATH": path, **settings},
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output if output is None or isinstance(output, int) else subprocess.STDOUT,
        check=False,
    )
    if result.returncode:
        where = f"; see {output.name}" if output is not None and not isinstance(output, int) else ""
        raise LabError(f"cdk {arguments[0]} failed with exit code {result.returncode}{where}")


def _start(port: int, speed: float | None, arguments: list[str], *, stdin: int) -> subprocess.Popen[str]:
    BUILD.mkdir(parents=True, exist_ok=True)
    chosen = [] if speed is None else ["--speed", str(speed)]
    with _LOG.open("w", encoding="utf-8") as log:
        return subprocess.Popen(  # noqa: S603 this program, our own arguments
            [sys.executable, "-m", "lab.aws.server", "--port", str(port), *chosen, *arguments],
            cwd=ROOT,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            # Ctrl-C is for this process, which then stops the other one in order.
            start_new_session=True,
        )


def _announced(process: subprocess.Popen[str]) -> LocalAws:
    """Wait until a server says where it listens."""
    line = process.stdout.readline() if process.stdout else ""
    if not line:
        process.wait(_START_SECONDS)
        last = _LOG.read_text(encoding="utf-8").strip().splitlines()[-1:]
        raise LabError(f"the local AWS does not start: {last[0] if last else 'it says nothing'}")
    said = json.loads(line)
    return LocalAws(said["url"], said["pid"])


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A child that has ended is there until somebody asks for how it ended.
    return not _reaped(pid)


def _reaped(pid: int) -> bool:
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:
        return False


def empty(folder: Path) -> Path:
    """Return a folder with nothing in it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder
