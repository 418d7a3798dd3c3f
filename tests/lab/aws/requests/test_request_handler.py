"""A connection stays for the next request, whatever became of the one before it."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

if TYPE_CHECKING:
    from lab.aws.server import LocalAws

pytestmark = pytest.mark.xdist_group("local-aws")

SIGNED = {
    "Authorization": "AWS4-HMAC-SHA256 Credential=testing/20261116/eu-west-3/ssm/aws4_request, x",
    "X-Amz-Target": "AmazonSSM.ListCommands",
    "Content-Type": "application/x-amz-json-1.1",
}


@pytest.fixture
def connection(local_aws: LocalAws) -> Iterator[HTTPConnection]:
    where = urlsplit(local_aws.url)
    made = HTTPConnection(str(where.hostname), where.port, timeout=10)
    made.auto_open = 0  # it is an error to need a second one
    made.connect()
    yield made
    made.close()


def answered(connection: HTTPConnection) -> tuple[int, bytes]:
    """Make a request that goes well."""
    connection.request("POST", "/", body=b"{}", headers=SIGNED)
    reply = connection.getresponse()
    return reply.status, reply.read()


def test_many_requests_come_by_one_connection(connection: HTTPConnection) -> None:
    assert {answered(connection) for _ in range(3)} == {(200, b'{"Commands":[]}')}


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        # Nobody looks at the bodies of these.
        ("POST", "/", {"X-Amz-Target": "AmazonSSM.ListCommands"}, 400),
        ("POST", "/lab/nothing", {}, 404),
        ("HEAD", "/lab/status", {}, 404),
        ("HEAD", "/no-such-bucket", {}, 404),
        ("POST", "/", {**SIGNED, "Expect": "100-continue"}, 200),
    ],
)
def test_the_next_request_is_answered_after(
    connection: HTTPConnection, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    connection.request(method, path, body=b"{}".ljust(5_000), headers=headers)
    reply = connection.getresponse()
    reply.read()
    assert reply.status == status
    assert answered(connection) == (200, b'{"Commands":[]}')


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"Connection": "close", "Content-Length": "2"}, id="that asks for it"),
        pytest.param({"Transfer-Encoding": "chunked"}, id="of no length"),
        pytest.param({"Content-Length": "two"}, id="of a length that is no number"),
    ],
)
def test_the_connection_is_closed_after_a_request(connection: HTTPConnection, headers: dict[str, str]) -> None:
    connection.putrequest("POST", "/")
    for name, value in (SIGNED | headers).items():
        connection.putheader(name, value)
    connection.endheaders(b"2\r\n{}\r\n0\r\n\r\n" if "Transfer-Encoding" in headers else b"{}")
    raw = connection.sock
    # What comes after a request of no known length is read to its end.
    raw.shutdown(socket.SHUT_WR)
    with HTTPResponse(raw) as reply:
        reply.begin()
        reply.read()
    assert raw.recv(1) == b""


def test_a_request_that_fails_within_the_lab_is_an_internal_error(
    connection: HTTPConnection, local_aws: LocalAws, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(local_aws.traffic, "pass_on", None)
        assert answered(connection)[0] == 500
    assert answered(connection) == (200, b'{"Commands":[]}')


def test_a_request_that_ends_before_its_end_is_not_waited_for(local_aws: LocalAws) -> None:
    where = urlsplit(local_aws.url)
    with socket.create_connection((where.hostname, where.port or 0), timeout=10) as raw:
        raw.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        raw.shutdown(socket.SHUT_WR)
        while raw.recv(4096):
            pass
