"""Faults on request: each at the calls that were chosen, in the form of each protocol, and the counts of calls."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError
from typer.testing import CliRunner

from cli.lab import app
from lab import local_aws as commands
from lab.aws.requests.faults import Fault
from lab.local_aws import LocalAws as Client
from lab.world.errors import LabError
from tests.lab.aws.test_control import JSON, ask
from tests.lab.aws.world import Connect

if TYPE_CHECKING:
    from lab.aws.server import LocalAws

pytestmark = pytest.mark.xdist_group("local-aws")

REGION = "eu-west-3"


@pytest.fixture(autouse=True)
def nothing_left(local_aws: LocalAws) -> Iterator[None]:
    local_aws.traffic.calls.reset()
    yield
    local_aws.traffic.faults.clear()


def outcome(call: Callable[[], Any]) -> tuple[str, int]:
    """Return the code and the HTTP status of a call; ("", 200) if it went well."""
    try:
        call()
    except ClientError as error:
        return error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]
    return "", 200


CALLS: dict[str, Callable[[Connect], Callable[[], Any]]] = {
    "json": lambda connect: connect("ssm", REGION).list_commands,
    "query": lambda connect: connect("iam").list_roles,
    "ec2": lambda connect: connect("ec2", REGION).describe_instances,
    "rest-xml": lambda connect: connect("s3").list_buckets,
    "rest-json": lambda connect: connect("lambda", REGION).list_functions,
}
EXPECTED = {
    ("throttle", "json"): ("ThrottlingException", 400),
    ("throttle", "query"): ("Throttling", 400),
    ("throttle", "ec2"): ("RequestLimitExceeded", 503),
    ("throttle", "rest-xml"): ("SlowDown", 503),
    ("throttle", "rest-json"): ("TooManyRequestsException", 429),
    ("expired-token", "json"): ("ExpiredTokenException", 400),
    ("expired-token", "query"): ("ExpiredToken", 403),
    ("access-denied", "json"): ("AccessDeniedException", 400),
    ("access-denied", "ec2"): ("UnauthorizedOperation", 403),
    ("access-denied", "rest-xml"): ("AccessDenied", 403),
    ("internal-error", "json"): ("InternalServerError", 500),
    ("internal-error", "rest-xml"): ("InternalError", 500),
    ("unavailable", "json"): ("ServiceUnavailable", 503),
    ("unavailable", "rest-json"): ("ServiceUnavailable", 503),
}


@pytest.mark.parametrize(("kind", "protocol"), EXPECTED)
def test_an_error_has_the_words_of_the_protocol(
    local_aws: LocalAws, connect: Connect, kind: str, protocol: str
) -> None:
    local_aws.traffic.faults.set(Fault("*", kind))
    assert outcome(CALLS[protocol](connect)) == EXPECTED[kind, protocol]
    local_aws.traffic.faults.clear()
    assert outcome(CALLS[protocol](connect)) == ("", 200)


def test_a_fault_happens_to_the_calls_that_were_chosen(local_aws: LocalAws, connect: Connect) -> None:
    ssm = connect("ssm", REGION)
    local_aws.traffic.faults.set(Fault("ssm:ListCommand*", "throttle", first=2, times=2))
    found = []
    for _ in range(2):
        found += [outcome(ssm.list_commands)[0], outcome(ssm.list_command_invocations)[0]]
        assert outcome(ssm.describe_patch_baselines) == ("", 200)
    assert found == ["", "ThrottlingException", "ThrottlingException", ""]
    assert [one["seen"] for one in local_aws.traffic.faults.known()] == [4]


def test_a_delay_is_as_long_as_it_says_and_adds_to_another_fault(local_aws: LocalAws, connect: Connect) -> None:
    local_aws.traffic.faults.set(Fault("*", "delay", milliseconds=60), Fault("ssm:*", "access-denied"))
    before = time.perf_counter()
    assert outcome(connect("ssm", REGION).list_commands) == ("AccessDeniedException", 400)
    assert time.perf_counter() - before >= 0.06


@pytest.mark.parametrize(
    ("kind", "made"), [("cut-before", []), ("cut-after", ["cut-after"]), ("cut-within", ["cut-within"])]
)
def test_a_connection_is_cut_before_or_after_the_request_had_its_effect(
    local_aws: LocalAws, connect: Connect, kind: str, made: list[str]
) -> None:
    ssm = connect("ssm", REGION)
    local_aws.traffic.faults.set(Fault("ssm:CreatePatchBaseline", kind))
    if kind == "cut-within":
        # botocore takes half a reply for a whole one that says nothing, as it does with AWS: no exception tells of it.
        assert "BaselineId" not in ssm.create_patch_baseline(Name=kind)
    else:
        with pytest.raises(ConnectionClosedError):
            ssm.create_patch_baseline(Name=kind)
    filters = [{"Key": "NAME_PREFIX", "Values": [kind]}]
    baselines = ssm.describe_patch_baselines(Filters=filters)["BaselineIdentities"]
    assert [one["BaselineName"] for one in baselines] == made


def test_a_reply_that_is_cut_within_has_begun(local_aws: LocalAws) -> None:
    local_aws.traffic.faults.set(Fault("ssm:*", "cut-within"))
    client = local_aws.url.removeprefix("http://").split(":")
    body = b"{}"
    with socket.create_connection((client[0], int(client[1]))) as raw:
        raw.sendall(
            b"POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: AmazonSSM.ListCommands\r\n"
            b"Content-Type: application/x-amz-json-1.1\r\nContent-Length: 2\r\n"
            b"Authorization: AWS4-HMAC-SHA256 Credential=testing/20261116/eu-west-3/ssm/aws4_request, x\r\n\r\n" + body
        )
        said = b""
        while part := raw.recv(4096):
            said += part
    head, _, text = said.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK")
    whole = b'{"Commands":[]}'
    assert f"Content-Length: {len(whole)}".encode() in head
    assert text == whole[: len(whole) // 2]


def test_calls_are_counted_by_operation_whatever_the_protocol(local_aws: LocalAws, connect: Connect) -> None:
    connect("ssm", REGION).list_commands()
    connect("ssm", REGION).list_commands()
    connect("iam").list_roles()
    connect("ec2", REGION).describe_instances()
    connect("sts").get_caller_identity()
    connect("cloudwatch", REGION).describe_alarms()
    s3 = connect("s3")
    s3.create_bucket(Bucket="counted")
    s3.put_object(Bucket="counted", Key="a/b", Body=b"c")
    s3.list_objects_v2(Bucket="counted")
    s3.get_object(Bucket="counted", Key="a/b")
    s3.head_bucket(Bucket="counted")
    s3.get_bucket_location(Bucket="counted")
    s3.delete_objects(Bucket="counted", Delete={"Objects": [{"Key": "a/b"}]})
    s3.delete_bucket(Bucket="counted")
    expected = {
        "cloudwatch:DescribeAlarms": 1,
        "ec2:DescribeInstances": 1,
        "iam:ListRoles": 1,
        "s3:CreateBucket": 1,
        "s3:DeleteBucket": 1,
        "s3:DeleteObjects": 1,
        "s3:GetBucketLocation": 1,
        "s3:GetObject": 1,
        "s3:HeadBucket": 1,
        "s3:ListObjectsV2": 1,
        "s3:PutObject": 1,
        "ssm:ListCommands": 2,
        "sts:GetCallerIdentity": 1,
    }
    client = Client(local_aws.url, 0)
    assert client.calls() == expected
    assert client.calls(reset=True) == expected
    assert client.calls() == {}


def test_faults_are_set_and_cleared_by_the_labs_own_client(local_aws: LocalAws, connect: Connect) -> None:
    client = Client(local_aws.url, 0)
    (known,) = client.set_faults([{"calls": "ssm:*", "do": "unavailable", "times": 1}])
    assert known == {
        "calls": "ssm:*",
        "do": "unavailable",
        "first": 1,
        "times": 1,
        "milliseconds": 0,
        "seen": 0,
    }
    assert outcome(connect("ssm", REGION).list_commands) == ("ServiceUnavailable", 503)
    assert client.faults() == [{**known, "seen": 1}]
    assert client.set_faults(client.faults()) == [known]
    assert client.set_faults([]) == []


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"{", 'expected {"faults":'),
        (b"[]", 'expected {"faults":'),
        (b'{"faults": [1]}', 'expected {"calls":'),
        (b'{"faults": [{"calls": "ssm:*"}]}', 'expected {"calls":'),
        (b'{"faults": [{"calls": "ssm", "do": "throttle"}]}', "calls: 'ssm' is no pattern like ssm:SendCommand"),
        (b'{"faults": [{"calls": 1, "do": "throttle"}]}', "calls: 1 is no pattern"),
        (b'{"faults": [{"calls": "*", "do": "explode"}]}', "do: 'explode' is none of throttle, "),
        (b'{"faults": [{"calls": "*", "do": ["delay"]}]}', "do: ['delay'] is none of throttle, "),
        (b'{"faults": [{"calls": "*", "do": "throttle", "first": 0}]}', "first: 0 is not a whole number of at least 1"),
        (b'{"faults": [{"calls": "*", "do": "throttle", "times": true}]}', "times: True is not a whole number"),
        (b'{"faults": [{"calls": "*", "do": "delay"}]}', "milliseconds: 0 is not between 1 and 60000"),
        (b'{"faults": [{"calls": "*", "do": "throttle", "when": 1}]}', "a fault has no when; it has calls, do, first"),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused_in_one_line(local_aws: LocalAws, body: bytes, problem: str) -> None:
    code, answer = ask(local_aws, "/lab/faults", body, JSON)
    assert (code, list(answer)) == (400, ["error"])
    assert problem in answer["error"]
    assert "\n" not in answer["error"]
    assert local_aws.traffic.faults.known() == []


def test_the_labs_own_client_says_what_is_wrong_with_a_fault(local_aws: LocalAws) -> None:
    with pytest.raises(LabError, match="do: 'explode' is none of throttle"):
        Client(local_aws.url, 0).set_faults([{"calls": "*", "do": "explode"}])


def test_only_json_sets_faults(local_aws: LocalAws) -> None:
    body = b'{"faults": [{"calls": "*", "do": "throttle"}]}'
    assert ask(local_aws, "/lab/faults", body, {"Content-Type": "text/plain"})[0] == 415
    assert local_aws.traffic.faults.known() == []


# By the command line.


def patchops(monkeypatch: pytest.MonkeyPatch, server: LocalAws, *arguments: str) -> Any:
    monkeypatch.setattr(commands, "required", lambda: Client(server.url, 0))
    return CliRunner().invoke(app, arguments)


def test_the_command_line_adds_shows_and_clears_faults(
    local_aws: LocalAws, monkeypatch: pytest.MonkeyPatch, connect: Connect
) -> None:
    patchops(monkeypatch, local_aws, "faults", "ssm:List*", "throttle", "--times", "1")
    shown = patchops(monkeypatch, local_aws, "faults", "iam:*", "access-denied", "--output", "json")
    assert [one["calls"] for one in json.loads(shown.stdout)["faults"]] == ["ssm:List*", "iam:*"]
    assert outcome(connect("ssm", REGION).list_commands)[0] == "ThrottlingException"
    assert "ssm:List*" in patchops(monkeypatch, local_aws, "faults").stdout
    cleared = patchops(monkeypatch, local_aws, "faults", "--clear")
    assert (cleared.stdout, cleared.stderr) == ("", "nothing goes wrong\n")
    assert local_aws.traffic.faults.known() == []


def test_the_command_line_counts_calls(local_aws: LocalAws, monkeypatch: pytest.MonkeyPatch, connect: Connect) -> None:
    connect("ssm", REGION).list_commands()
    shown = patchops(monkeypatch, local_aws, "calls", "--reset", "--output", "json")
    assert json.loads(shown.stdout) == {"calls": {"ssm:ListCommands": 1}}
    assert json.loads(patchops(monkeypatch, local_aws, "calls", "--output", "json").stdout) == {"calls": {}}


@pytest.mark.parametrize("arguments", [("ssm:*",), ("ssm:*", "throttle", "--clear")])
def test_half_a_fault_is_wrong_usage(
    local_aws: LocalAws, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    assert patchops(monkeypatch, local_aws, "faults", *arguments).exit_code == 2
