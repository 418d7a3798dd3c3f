"""The lab's own requests, and what the server keeps to itself."""

from __future__ import annotations

import json
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.lab.aws.conftest import status
from tests.lab.aws.world import Connect, trust

if TYPE_CHECKING:
    from lab.aws.server import LocalAws

pytestmark = pytest.mark.xdist_group("local-aws")

REGION = "us-west-1"
JSON = {"Content-Type": "application/json"}


def ask(
    server: LocalAws, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
) -> tuple[int, dict[str, Any]]:
    """Return the status and the answer of a request: a POST if it has a body."""
    request = urllib.request.Request(server.url + path, body, headers or {})
    try:
        with urllib.request.urlopen(request) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_the_status_counts_what_a_region_has(
    local_aws: LocalAws, connect: Connect, launch: Callable[..., list[str]]
) -> None:
    (managed,) = launch(REGION)
    ec2, ssm = connect("ec2", REGION), connect("ssm", REGION)
    image = ec2.describe_instances(InstanceIds=[managed])["Reservations"][0]["Instances"][0]["ImageId"]
    bare = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
    ssm.create_patch_baseline(Name="one")
    answer = status(local_aws)
    assert answer["regions"][REGION] == {
        "managed": [managed],
        "unmanaged": {bare: "the instance has no instance profile"},
        "systems": {"AMAZON_LINUX_2023": 1},
        "commands_running": 0,
        "baselines": 1,
        "associations": 0,
        "windows": 0,
        "not_told": [],
    }
    assert answer["speed"] == 100_000


def test_a_node_that_is_stopped_and_started_comes_and_goes(
    local_aws: LocalAws, connect: Connect, launch: Callable[..., list[str]]
) -> None:
    region = "ap-northeast-1"
    (node,) = launch(region)
    ec2 = connect("ec2", region)
    assert status(local_aws)["regions"][region]["managed"] == [node]
    ec2.stop_instances(InstanceIds=[node])
    assert status(local_aws)["regions"][region]["unmanaged"] == {node: "the instance is stopped"}
    ssm = connect("ssm", region)
    assert ssm.describe_instance_information()["InstanceInformationList"] == []
    (lost,) = ssm.describe_instance_properties()["InstanceProperties"]
    assert (lost["PingStatus"], lost["InstanceState"]) == ("ConnectionLost", "stopped")
    assert ssm.get_connection_status(Target=node)["Status"] == "notconnected"
    ec2.start_instances(InstanceIds=[node])
    assert status(local_aws)["regions"][region]["managed"] == [node]
    ec2.terminate_instances(InstanceIds=[node])
    assert connect("ssm", region).describe_instance_information()["InstanceInformationList"] == []


def test_a_node_needs_the_policy_of_managed_nodes(local_aws: LocalAws, connect: Connect) -> None:
    region = "ap-south-1"
    iam, ec2 = connect("iam"), connect("ec2", region)
    iam.create_role(RoleName="bare", AssumeRolePolicyDocument=trust("ec2.amazonaws.com"))
    iam.create_instance_profile(InstanceProfileName="bare")
    iam.add_role_to_instance_profile(InstanceProfileName="bare", RoleName="bare")
    name = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"
    image = connect("ssm", region).get_parameter(Name=name)["Parameter"]["Value"]
    made = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1, IamInstanceProfile={"Name": "bare"})
    node = made["Instances"][0]["InstanceId"]
    reason = "its role does not allow ssm:UpdateInstanceInformation"
    assert status(local_aws)["regions"][region]["unmanaged"] == {node: reason}
    core = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"
    iam.attach_role_policy(RoleName="bare", PolicyArn=core)
    assert status(local_aws)["regions"][region]["managed"] == [node]
    iam.detach_role_policy(RoleName="bare", PolicyArn=core)
    assert status(local_aws)["regions"][region]["unmanaged"] == {node: reason}


def test_events_tell_in_order_what_happened(local_aws: LocalAws, launch: Callable[..., list[str]]) -> None:
    (node,) = launch("us-west-2")
    status(local_aws)
    code, answer = ask(local_aws, "/lab/events")
    times = [datetime.fromisoformat(event["at"]) for event in answer["events"]]
    assert code == 200
    assert times == sorted(times)
    assert sum(f"{node} registered as a managed node" in event["text"] for event in answer["events"]) == 1


def test_the_clock_moves_to_where_it_is_told(local_aws: LocalAws) -> None:
    before = datetime.fromisoformat(status(local_aws)["now"])
    to = before + timedelta(minutes=30)
    code, answer = ask(local_aws, "/lab/advance", json.dumps({"to": to.isoformat()}).encode(), JSON)
    assert (code, answer["now"]) == (200, to.isoformat())
    assert datetime.fromisoformat(status(local_aws)["now"]) == to


def test_what_is_due_on_the_way_happens(connect: Connect, advance: Callable[..., Any]) -> None:
    ssm = connect("ssm", REGION)
    window = ssm.create_maintenance_window(
        Name="soon", Schedule="rate(1 hour)", Duration=2, Cutoff=1, AllowUnassociatedTargets=False
    )["WindowId"]
    advance(hours=2)
    assert len(ssm.describe_maintenance_window_executions(WindowId=window)["WindowExecutions"]) == 2
    ssm.delete_maintenance_window(WindowId=window)


@pytest.mark.parametrize(
    ("body", "headers", "code", "problem"),
    [
        (b'{"to": "2027-01-01T00:00:00+00:00"}', {"Content-Type": "text/plain"}, 415, "expected application/json"),
        (b"{", JSON, 400, 'expected {"to":'),
        (b"[]", JSON, 400, 'expected {"to":'),
        (b"null", JSON, 400, 'expected {"to":'),
        (b"{}", JSON, 400, 'expected {"to":'),
        (b'{"to": 5}', JSON, 400, 'expected {"to":'),
        (b'{"to": "tomorrow"}', JSON, 400, 'expected {"to":'),
        (b'{"to": "2026-12-01T00:00:00"}', JSON, 400, "2026-12-01T00:00:00 has no time zone"),
        (b'{"to": "2020-01-01T00:00:00+00:00"}', JSON, 400, "2020-01-01T00:00:00+00:00 has passed: it is 2026-"),
        (b'{"to": "2099-01-01T00:00:00+00:00"}', JSON, 400, "is more than 366 days ahead"),
        (b'{"to": "9999-12-31T23:59:59-14:00"}', JSON, 400, "is more than 366 days ahead"),
    ],
)
def test_a_move_that_makes_no_sense_is_refused_in_one_line(
    local_aws: LocalAws, body: bytes, headers: dict[str, str], code: int, problem: str
) -> None:
    before = status(local_aws)["now"]
    found, answer = ask(local_aws, "/lab/advance", body, headers)
    assert (found, list(answer)) == (code, ["error"])
    assert problem in answer["error"]
    assert "\n" not in answer["error"]
    assert status(local_aws)["now"] == before


@pytest.mark.parametrize("path", ["/lab/", "/lab/gone", "/lab/advance", "/lab/status/more"])
def test_there_is_nothing_else_under_lab(local_aws: LocalAws, path: str) -> None:
    code, answer = ask(local_aws, path)
    assert (code, answer) == (404, {"error": f"there is no GET {path}"})


def test_the_status_cannot_be_posted(local_aws: LocalAws) -> None:
    assert ask(local_aws, "/lab/status", b"{}", JSON)[0] == 404


@pytest.mark.parametrize("path", ["/moto-api/reset", "/moto-api", "/moto-api/data.json", "/%6doto-api/reset"])
def test_the_control_requests_of_moto_are_hidden(local_aws: LocalAws, connect: Connect, path: str) -> None:
    sns = connect("sns", REGION)
    topic = sns.create_topic(Name="kept")["TopicArn"]
    assert ask(local_aws, path)[0] == 404
    assert ask(local_aws, path, b"{}", JSON)[0] == 404
    assert sns.get_topic_attributes(TopicArn=topic)["Attributes"]["TopicArn"] == topic


def test_no_page_of_another_site_may_read_what_is_answered(local_aws: LocalAws) -> None:
    request = urllib.request.Request(f"{local_aws.url}/lab/status", headers={"Origin": "https://example.com"})
    with urllib.request.urlopen(request) as response:
        assert "Access-Control-Allow-Origin" not in response.headers
    request = urllib.request.Request(f"{local_aws.url}/?Action=ListTopics", headers={"Origin": "https://example.com"})
    try:
        with urllib.request.urlopen(request) as response:
            headers = response.headers
    except urllib.error.HTTPError as error:
        with error:
            headers = error.headers
    assert "Access-Control-Allow-Origin" not in headers


def test_the_server_listens_on_the_loopback_interface_only(local_aws: LocalAws) -> None:
    assert local_aws._server.socket.getsockname()[0] == "127.0.0.1"
    port = local_aws._server.port
    with socket.socket() as other:
        # Another address of this machine is still free on the same port.
        other.bind(("127.0.0.2", port))


def test_time_goes_by_while_nothing_runs_if_it_is_to(local_aws: LocalAws) -> None:
    before = status(local_aws)
    assert before["running"] is False
    code, answer = ask(local_aws, "/lab/pace", b'{"running": true, "speed": 50000}', JSON)
    try:
        assert (code, answer["running"], answer["speed"]) == (200, True, 50000)
        deadline = time.monotonic() + 20
        while status(local_aws)["now"] == before["now"] and time.monotonic() < deadline:
            pass
        assert status(local_aws)["now"] > before["now"]
    finally:
        ask(local_aws, "/lab/pace", b'{"running": false, "speed": 100000}', JSON)
    after = status(local_aws)
    assert (after["running"], after["speed"]) == (False, 100_000)


@pytest.mark.parametrize(
    "body", [b"{}", b"[]", b'{"speed": 0}', b'{"speed": "1"}', b'{"running": 1}', b'{"speed": 1e9}']
)
def test_a_pace_that_makes_no_sense_is_refused(local_aws: LocalAws, body: bytes) -> None:
    assert ask(local_aws, "/lab/pace", body, JSON)[0] == 400
    assert ask(local_aws, "/lab/pace", body)[0] == 415
