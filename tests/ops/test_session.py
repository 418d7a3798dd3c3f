"""How requests are made: as many at one time as are allowed, and anew where a reply did not come whole."""

from __future__ import annotations

import time
from collections.abc import Generator
from io import BytesIO
from threading import Event, Lock
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError
from botocore.httpsession import URLLib3Session
from urllib3 import HTTPResponse
from urllib3.exceptions import HTTPError, ProtocolError
from urllib3.exceptions import ReadTimeoutError as URLLib3ReadTimeoutError

from ops.session import CONCURRENCY, Session


class Service:
    """Answers once as many requests are under way as are allowed, and no further one has come in a while.

    Attributes:
        most: how many were under way at one time at most.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._full, self._too_many = Event(), Event()
        self._now = 0
        self.most = 0

    def send(self, request: Any) -> AWSResponse:
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
            last = self._now == CONCURRENCY and not self._full.is_set()
            if self._now > CONCURRENCY:
                self._too_many.set()
        if last:
            self._too_many.wait(0.1)
            self._full.set()
        self._full.wait(10)
        with self._lock:
            self._now -= 1
        return AWSResponse(request.url, 200, HTTPHeaders(), HTTPResponse(BytesIO(b"{}"), preload_content=False))


def test_as_many_requests_are_under_way_as_are_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    service = Service()
    monkeypatch.setattr(URLLib3Session, "send", lambda _, request: service.send(request))
    session = Session(region="eu-west-3", endpoint_url="http://127.0.0.1:1")
    found = session.each(lambda _: session.ssm.list_commands(), range(5 * CONCURRENCY), under_way=4 * CONCURRENCY)
    assert sum(1 for _ in found) == 5 * CONCURRENCY
    assert service.most == CONCURRENCY


class Breaking(HTTPResponse):
    """A reply whose body breaks off after its headers."""

    def __init__(self, error: HTTPError) -> None:
        super().__init__(BytesIO(), preload_content=False)
        self._error = error

    def stream(self, *_: Any, **__: Any) -> Generator[bytes, None, None]:
        yield b"{"
        raise self._error


@pytest.mark.parametrize(
    ("error", "becomes"),
    [
        (ProtocolError("reset"), ConnectionClosedError),
        (URLLib3ReadTimeoutError(None, None, "late"), ReadTimeoutError),  # type: ignore[arg-type]
    ],
)
def test_a_reply_that_breaks_off_is_asked_for_again(
    monkeypatch: pytest.MonkeyPatch, error: HTTPError, becomes: type[Exception]
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    asked: list[str] = []

    def send(_: URLLib3Session, request: Any) -> AWSResponse:
        asked.append(request.url)
        whole = HTTPResponse(BytesIO(b"{}"), preload_content=False)
        return AWSResponse(request.url, 200, HTTPHeaders(), Breaking(error) if len(asked) == 1 else whole)

    monkeypatch.setattr(URLLib3Session, "send", send)
    monkeypatch.setattr(time, "sleep", lambda _: None)
    session = Session(region="eu-west-3", endpoint_url="http://127.0.0.1:1")
    with pytest.raises(becomes):
        session.ssm_once.list_commands()
    asked.clear()
    session.ssm.list_commands()
    assert len(asked) == 2
