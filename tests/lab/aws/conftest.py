from __future__ import annotations

import json
import threading
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
import pytest
from botocore.config import Config

from tests.lab.aws.replies import problems
from tests.lab.aws.stacks import REGION, Stack
from tests.lab.aws.world import Connect, World, build, launching, make_roles

if TYPE_CHECKING:
    from lab.aws.server import LocalAws
else:
    LocalAws = Any  # imports moto, which takes seconds: only the process that runs these tests is to wait for it


MODEL = botocore.session.get_session().get_service_model("ssm")


@pytest.fixture(scope="session")
def local_aws() -> Iterator[LocalAws]:
    """The server, in this process; moto keeps its state in the process too, so there is one for all tests."""
    from lab.aws.server import LocalAws  # noqa: PLC0415 as above

    server = LocalAws(speed=100_000)
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    yield server
    server.stop()
    thread.join(5)


def hold_to_the_model(event_name: str, response_dict: dict[str, Any] | None, **_: Any) -> None:
    """Fail the test in which Systems Manager answers anything that its model does not have."""
    if response_dict is None or len(response_dict["body"]) < int(response_dict["headers"].get("Content-Length", 0)):
        return  # cut on the way
    shape = MODEL.operation_model(event_name.rpartition(".")[2]).output_shape
    if response_dict["status_code"] == 200 and shape is not None:
        assert list(problems(shape, json.loads(response_dict["body"] or b"{}"), event_name)) == []


@pytest.fixture(scope="session")
def connect(local_aws: LocalAws) -> Connect:
    """Make a client: `connect("ssm", region="eu-west-1")`. A Region of its own is a test's own account."""

    @cache
    def client(service: str, region: str = "us-east-1", **config: Any) -> Any:
        made = boto3.client(  # type: ignore[call-overload]
            service,
            endpoint_url=local_aws.url,
            region_name=region,
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
            config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}, **config),
        )
        if service == "ssm":
            made.meta.events.register("response-received.ssm", hold_to_the_model)
        return made

    return client


@pytest.fixture(scope="session")
def advance(local_aws: LocalAws) -> Callable[..., dict[str, Any]]:
    """Move the lab's clock by a time such as `hours=2`, and return the lab's status."""

    def move(**by: float) -> dict[str, Any]:
        now = datetime.fromisoformat(status(local_aws)["now"])
        to = (now.astimezone(UTC) + timedelta(**by)).isoformat()
        request = urllib.request.Request(
            f"{local_aws.url}/lab/advance", json.dumps({"to": to}).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request) as response:
            answer: dict[str, Any] = json.load(response)
        return answer

    return move


def status(server: LocalAws) -> dict[str, Any]:
    with urllib.request.urlopen(f"{server.url}/lab/status") as response:
        answer: dict[str, Any] = json.load(response)
    return answer


@pytest.fixture(scope="session")
def register(local_aws: LocalAws) -> Callable[..., str]:
    """Register a simulated machine with an activation, and return its id."""

    def ask(activation: str, code: str, region: str = "us-east-1", image: str = "AMAZON_LINUX_2023") -> str:
        body = {
            "region": region,
            "activation_id": activation,
            "activation_code": code,
            "image": image,
            "computer_name": "",
        }
        request = urllib.request.Request(
            f"{local_aws.url}/lab/register", json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request) as response:
            return str(json.load(response)["node"])

    return ask


@pytest.fixture(scope="session")
def roles(connect: Connect) -> dict[str, str]:
    return make_roles(connect)


@pytest.fixture(scope="session")
def launch(connect: Connect, roles: dict[str, str]) -> Callable[..., list[str]]:
    return launching(connect)


@pytest.fixture(scope="session")
def world(
    connect: Connect,
    roles: dict[str, str],
    launch: Callable[..., list[str]],
    advance: Callable[..., dict[str, Any]],
    register: Callable[..., str],
) -> World:
    return build(connect, roles, launch, advance, register)


@pytest.fixture
def stack(connect: Connect, request: pytest.FixtureRequest) -> Iterator[Stack]:
    """A stack of the test's own, which goes with it."""
    made = Stack(connect, "".join(char if char.isalnum() else "-" for char in request.node.name)[:100])
    yield made
    if made.exists:
        made.delete()


@pytest.fixture
def ssm(connect: Connect) -> Any:
    """A client of the Region of the stacks."""
    return connect("ssm", REGION)
