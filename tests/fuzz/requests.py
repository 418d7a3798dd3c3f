"""Ask the local AWS for anything that has the shapes of the service model, or nearly: `make fuzz`.

Nothing may be answered with a 500: what is no request gets an error of the service, and what is one a reply that has
the shapes of the model. What a request leaves behind stays, so that the next ones meet it, and the clock goes on.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import traceback
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import botocore.session
from botocore.model import ListShape, MapShape, Shape, StructureShape
from werkzeug.test import Client

from tests.lab.aws.replies import problems
from tests.lab.aws.world import CALENDAR

if TYPE_CHECKING:
    from lab.aws.server import LocalAws

MODEL = botocore.session.get_session().get_service_model("ssm")
AUTHORIZATION = (
    "AWS4-HMAC-SHA256 Credential=testing/20261116/{region}/ssm/aws4_request, SignedHeaders=host, Signature=0"
)
_DOCUMENT = {
    "schemaVersion": "2.2",
    "mainSteps": [{"name": "a", "action": "aws:runShellScript", "inputs": {"runCommand": ["exit 1"]}}],
}
_ODD: tuple[Any, ...] = (
    None,
    "",
    " ",
    "a" * 5000,
    "\x00",
    "é\u2028\U0001f600",
    "\ud800",
    "../../etc/passwd",
    "%s{}$LATEST",
    "-1",
    0,
    -1,
    1.5,
    2**31,
    2**70,
    1e300,
    True,
    [],
    {},
    [None],
    [[]],
    {"a": None},
    "9999-12-31T23:59:59Z",
    "0001-01-01T00:00:00+14:00",
)
_TEXTS = (
    *("a", "Prod", "Scan", "Install", "10%", "1", "0", "100%", "$LATEST", "$DEFAULT", "tag:Fleet", "InstanceIds"),
    *("WindowTargetIds", "resource-groups:Name", "resource-groups:ResourceTypeFilters", "PatchGroup", "us-east-1"),
    *("i-0123456789abcdef0", "mi-0123456789abcdef0", "01234567-89ab-cdef-0123-456789abcdef", "mw-0123456789abcdef0"),
    *("2026-11-16T00:00:00Z", "2026-11-16", "2026-13-01", "rate(1 day)", "rate(30 minutes)", "cron(0 2 ? * SUN *)"),
    *("cron(0 0 0 31 2 ? 2027)", "at(2026-12-01T00:00:00)", "cron(bad)", "Europe/Berlin", "Mars/Olympus", "bash"),
    *("https://bucket.s3.amazonaws.com/key", "s3://bucket/key", "arn:aws:iam::123456789012:role/sender"),
    *("arn:aws:sns:us-east-1:123456789012:topic", "arn:aws:lambda:us-east-1:123456789012:function:a"),
)
_KNOWN: dict[str, tuple[Any, ...]] = {
    "DocumentName": ("AWS-RunPatchBaseline", "AWS-RunShellScript", "AWS-ConfigureAWSPackage", "Own", "Calendar"),
    "Name": ("AWS-RunPatchBaseline", "AWS-RunShellScript", "Own", "Calendar", "a-parameter"),
    "TaskArn": ("AWS-RunPatchBaseline", "AWS-RestartEC2Instance", "Own"),
    "Content": (json.dumps(_DOCUMENT), CALENDAR, "{", "[]", "schemaVersion: '2.2'", "null"),
    "Parameters": ({"Operation": ["Scan"]}, {"commands": ["exit 1"]}, {}),
    "Targets": ([{"Key": "tag:Fleet", "Values": ["a"]}], [{"Key": "InstanceIds", "Values": ["*"]}]),
    "ScheduleExpression": ("rate(1 day)", "cron(0 2 ? * SUN *)"),
    "Schedule": ("rate(1 day)", "cron(0 2 ? * SUN *)"),
    "MaxConcurrency": ("1", "50%"),
    "MaxErrors": ("0", "1", "10%"),
    "CalendarNames": (["Calendar"],),
    "Duration": (2, 24),
    "Cutoff": (0, 1),
}
_MOST = 50


class Requests:
    """A source of requests; the same seed gives the same ones, as long as the replies are the same.

    Args:
        seed: which ones.
        operations: of which operations; of all by default.
    """

    def __init__(self, seed: int, operations: tuple[str, ...] = ()) -> None:
        self._random = random.Random(seed)
        self._operations = operations or tuple(MODEL.operation_names)
        self.refused: set[str] = set()
        """Operations that are not emulated, as far as is known: hardly any of them are asked for again."""
        self._known = {name: list(values) for name, values in _KNOWN.items()}

    def next(self) -> tuple[str, str]:
        """Return an operation and a body for it."""
        name = self._random.choice(self._operations)
        if name in self.refused and self._random.random() < 0.95:
            name = self._random.choice([one for one in self._operations if one not in self.refused] or [name])
        shape = MODEL.operation_model(name).input_shape
        body = self._value(shape, "", 0) if shape else {}
        if self._random.random() < 0.3:
            body = self._broken(body)
        text = json.dumps(body)
        if self._random.random() < 0.02:
            cut = self._random.randrange(len(text) + 1)
            text = text[:cut] + self._random.choice(["", "}", '"', "NaN", "\x00", "[" * 5000])
        return name, text

    def learn(self, value: Any, name: str = "") -> None:
        """Take the identifiers of a reply for the requests to come."""
        if isinstance(value, dict):
            for key, one in value.items():
                self.learn(one, key)
        elif isinstance(value, list):
            for one in value:
                self.learn(one, name.removesuffix("s"))
        elif isinstance(value, str) and (name.endswith(("Id", "Arn")) or name in ("NextToken", "Name")):
            known = self._known.setdefault(name, [])
            if value not in known:
                known.append(value)
                del known[:-_MOST]

    def _value(self, shape: Shape, name: str, depth: int) -> Any:
        known = self._known.get(name)
        if known and self._random.random() < 0.7:
            return self._random.choice(known)
        if isinstance(shape, StructureShape):
            wanted = [
                member
                for member in shape.members
                if self._random.random() < (0.97 if member in shape.required_members else 0.25 / (1 + depth))
            ]
            return {member: self._value(shape.members[member], member, depth + 1) for member in wanted}
        if isinstance(shape, ListShape):
            least = int(shape.metadata.get("min", 0))
            count = self._random.choice([least, 1, 1, 2, least + 1])
            return [self._value(shape.member, name.removesuffix("s"), depth + 1) for _ in range(count)]
        if isinstance(shape, MapShape):
            return {
                str(self._value(shape.key, "", depth + 1)): self._value(shape.value, "", depth + 1)
                for _ in range(self._random.choice([0, 1, 2]))
            }
        return self._plain(shape)

    def _plain(self, shape: Shape) -> Any:
        match shape.type_name:
            case "boolean":
                return self._random.random() < 0.5
            case "integer" | "long":
                least, most = shape.metadata.get("min", 0), shape.metadata.get("max", 1000)
                return self._random.choice([least, most, self._random.randint(least, max(least, most)), 0, most + 1])
            case "timestamp":
                return self._random.choice([0, 1_795_000_000, 1_795_000_000.5, 4_102_444_800])
            case "string" if shape.metadata.get("enum"):
                return self._random.choice([*shape.metadata["enum"], "Nothing"])
            case _:
                text = self._random.choice(_TEXTS)
                return text[: shape.metadata.get("max", 1000)] if self._random.random() < 0.9 else text

    def _broken(self, value: Any) -> Any:
        """Return a value in which one thing is something odd."""
        if isinstance(value, dict) and value and self._random.random() < 0.85:
            key = self._random.choice(list(value))
            if self._random.random() < 0.1:
                return {**value, self._random.choice(["Unknown", "", "é"]): 1}
            return {**value, key: self._broken(value[key])}
        if isinstance(value, list) and value and self._random.random() < 0.7:
            place = self._random.randrange(len(value))
            return [*value[:place], self._broken(value[place]), *value[place + 1 :]]
        return self._random.choice(_ODD)


class Asking:
    """Sends requests to a server in this process, and keeps what it should not have answered.

    Args:
        server: the server.
        region: the Region that is asked.
    """

    def __init__(self, server: LocalAws, region: str) -> None:
        self._client = Client(server._respond)
        self._server = server
        self._headers = {
            "Authorization": AUTHORIZATION.format(region=region),
            "Content-Type": "application/x-amz-json-1.1",
        }
        self.counts: Counter[str] = Counter()
        self.failures: list[str] = []
        self.unsupported = False
        """Whether the last request was of an operation that is not emulated."""

    def ask(self, operation: str, body: str | bytes) -> Any:
        """Send a request, and return what it was answered if it was one."""
        self.unsupported = False
        headers = {**self._headers, "X-Amz-Target": f"AmazonSSM.{operation}"}
        try:
            reply = self._client.post("/", headers=headers, data=body)
        except Exception as error:  # noqa: BLE001 a server answers any of them with a 500
            self.failures.append(f"{operation} {body[:2000]!r} -> {error!r} at {_where(error)}")
            return None
        self.counts[str(reply.status_code)] += 1
        text = reply.get_data(as_text=True)
        try:
            said = json.loads(text or "{}")
        except ValueError:
            said = None
        shape = MODEL.operation_model(operation).output_shape
        if reply.status_code == 200 and said is not None:
            found = list(problems(shape, said, operation)) if shape else []
        elif 400 <= reply.status_code < 500 and said and said.get("__type"):
            self.counts[said["__type"]] += 1
            self.unsupported = said["__type"] == "UnsupportedOperationException"
            found = []
        else:
            found = [text[:300]]
        if found:
            self.failures.append(f"{operation} {body[:2000]!r} -> {reply.status_code} {'; '.join(found[:5])}")
        return said if reply.status_code == 200 else None

    def run(self, requests: Requests, number: int) -> None:
        """Send so many requests, letting time go by now and then."""
        for sent in range(number):
            operation, body = requests.next()
            said = self.ask(operation, body)
            if said:
                requests.learn(said)
            if self.unsupported:
                requests.refused.add(operation)
            if sent % 50 == 49:
                with self._server.plane.clock() as clock:
                    try:
                        clock.advance(clock.now + timedelta(minutes=20))
                    except Exception as error:  # noqa: BLE001 whatever the engine does not expect is what is looked for
                        self.failures.append(
                            f"the clock, after {operation} {body[:500]!r}: {error!r} at {_where(error)}"
                        )


def _where(error: Exception) -> str:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{frame.filename}:{frame.lineno}"


def prepare(asking: Asking) -> None:
    """Give the account documents that requests can name."""
    for name, kind, content, written in (
        ("Own", "Command", json.dumps(_DOCUMENT), "JSON"),
        ("Calendar", "ChangeCalendar", CALENDAR, "TEXT"),
    ):
        asking.ask(
            "CreateDocument",
            json.dumps({"Name": name, "DocumentType": kind, "Content": content, "DocumentFormat": written}),
        )


def main() -> None:
    """Send requests, and exit with 1 if any was answered as none should be."""
    parser = argparse.ArgumentParser(description="Send requests to the local AWS that have the shapes of the model")
    parser.add_argument("number", type=int, nargs="?", default=5000)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--operation", action="append", default=[])
    arguments = parser.parse_args()
    seed = random.SystemRandom().randrange(2**32) if arguments.seed is None else arguments.seed
    from lab.aws.server import LocalAws  # noqa: PLC0415 a test has one, and each worker of the suite imports this

    asking = Asking(LocalAws(speed=0.001), "us-east-1")
    prepare(asking)
    asking.run(Requests(seed, tuple(arguments.operation)), arguments.number)
    statuses = ", ".join(f"{count} {what}" for what, count in asking.counts.most_common(12))
    print(f"seed {seed}: {arguments.number} requests: {statuses}")
    for failure in asking.failures[:40]:
        print(failure.encode("utf-8", "backslashreplace").decode(), file=sys.stderr)
    print(f"{len(asking.failures)} of them were answered as none should be")
    sys.exit(bool(asking.failures))


if __name__ == "__main__":
    main()
