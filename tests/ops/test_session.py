"""How many requests are under way at one time: as many as are allowed, and not one more."""

from __future__ import annotations

from io import BytesIO
from threading import Event, Lock
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.httpsession import URLLib3Session
from urllib3 import HTTPResponse

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
