"""Whatever has the shapes of the service model, or nearly, is answered in these shapes, and never with a 500.

In the suite it is always the same few hundred requests. `make fuzz` sends thousands of others: see
`tests/fuzz/requests.py`.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from tests.fuzz.requests import AUTHORIZATION, MODEL, Asking, Requests, prepare

if TYPE_CHECKING:
    from lab.aws.server import LocalAws

pytestmark = pytest.mark.xdist_group("local-aws")

REGION = "ca-central-1"


def test_anything_that_looks_like_a_request_is_answered_or_refused(local_aws: LocalAws) -> None:
    asking = Asking(local_aws, REGION)
    prepare(asking)
    asking.run(Requests(2026), 300)
    assert asking.failures == []
    assert asking.counts["200"] > 20
    assert asking.counts["400"] > 100


def test_every_operation_refuses_a_request_without_what_it_requires(local_aws: LocalAws) -> None:
    asking = Asking(local_aws, REGION)
    for name in MODEL.operation_names:
        asking.ask(name, "{}")
        asking.ask(name, '{"Unknown": 1}')
    assert asking.failures == []
    assert asking.counts["400"] > 1.5 * len(MODEL.operation_names)


SIGNED = f"Authorization: {AUTHORIZATION.format(region=REGION)}"
TARGET = "X-Amz-Target: AmazonSSM.ListCommands"
RAW = {
    "no target": ("POST / HTTP/1.1", [SIGNED], "{}"),
    "another method": ("GET / HTTP/1.1", [SIGNED, TARGET], ""),
    "a query instead of a target": ("POST /?Action=ListCommands HTTP/1.1", [SIGNED], "{}"),
    "a query beside the target": ("POST /?MaxResults=1 HTTP/1.1", [SIGNED, TARGET], "{}"),
    "a target of another service": ("POST / HTTP/1.1", [SIGNED, "X-Amz-Target: AmazonEC2.ListCommands"], "{}"),
    "an operation that is not there": ("POST / HTTP/1.1", [SIGNED, "X-Amz-Target: AmazonSSM.ListAll"], "{}"),
    "an operation in another spelling": ("POST / HTTP/1.1", [SIGNED, "X-Amz-Target: AmazonSSM.list_commands"], "{}"),
    "another path": ("POST /a/b HTTP/1.1", [SIGNED, TARGET], "{}"),
    "a path outside": ("POST /../../etc/passwd HTTP/1.1", [SIGNED, TARGET], "{}"),
    "no signature": ("POST / HTTP/1.1", [TARGET], "{}"),
    "half a signature": ("POST / HTTP/1.1", ["Authorization: AWS4-HMAC-SHA256 Credential=a/b", TARGET], "{}"),
    "an odd signature": ("POST / HTTP/1.1", ["Authorization: \x7f", TARGET], "{}"),
    "a Region that is not there": (
        "POST / HTTP/1.1",
        [f"Authorization: {AUTHORIZATION.format(region='mars-north-1')}", TARGET],
        "{}",
    ),
    "a service that is not there": ("POST / HTTP/1.1", [SIGNED.replace("/ssm/", "/mars/"), TARGET], "{}"),
    "a length that is none": ("POST / HTTP/1.1", [SIGNED, TARGET, "Content-Length: x"], ""),
    "a length below zero": ("POST / HTTP/1.1", [SIGNED, TARGET, "Content-Length: -5"], ""),
    "a form": ("POST / HTTP/1.1", [SIGNED, TARGET, "Content-Type: application/x-www-form-urlencoded"], "a=%ff&b"),
    "several parts": ("POST / HTTP/1.1", [SIGNED, TARGET, "Content-Type: multipart/form-data; boundary=x"], "--x"),
    "an odd method": ("BREW / HTTP/1.1", [SIGNED, TARGET], "{}"),
    "no HTTP": ("hello", [], ""),
    "an odd version": ("POST / HTTP/9.9", [SIGNED, TARGET], "{}"),
    "a long header": ("POST / HTTP/1.1", [SIGNED, TARGET, "X-Long: " + "a" * 70_000], "{}"),
}


@pytest.mark.parametrize("case", RAW)
def test_what_is_no_request_at_all_gets_an_error_of_the_client(local_aws: LocalAws, case: str) -> None:
    line, headers, body = RAW[case]
    if not any(one.startswith("Content-Length") for one in headers):
        headers = [*headers, f"Content-Length: {len(body)}"]
    host, _, port = local_aws.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall("\r\n".join([line, "Host: localhost", *headers, "", body]).encode("latin-1"))
        connection.shutdown(socket.SHUT_WR)
        said = b""
        while part := connection.recv(65536):
            said += part
    assert b" 4" in said.partition(b"\r\n")[0] or b"Error code: 4" in said or b"Error code: 505" in said, said[:500]
