"""How the local AWS speaks HTTP: a connection stays for the next request, as it does at AWS.

werkzeug's own handler closes it after each reply, so that every request takes a connection and a thread anew: a third
of all that a small request takes here.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Callable
from typing import Any

from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.exceptions import InternalServerError

_LONGEST_BODY = 10_000_000
_BODILESS = ("1", "204", "304")
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_log = logging.getLogger(__name__)


class RequestHandler(MotoRequestHandler):
    """Answers the requests of one connection, without a line in the log for each of a lab's thousands of them.

    A connection is closed after a request that has no length, or too large a one, and after a reply without a length.
    """

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 65_536

    def run_wsgi(self) -> None:
        """Answer a request."""
        length = self.headers.get("Content-Length", "0")
        known = length.isascii() and length.isdecimal() and int(length) <= _LONGEST_BODY
        if not known or self.headers.get("Transfer-Encoding"):
            super().run_wsgi()
            self.close_connection = True
            return
        if self.headers.get("Expect", "").strip().lower() == "100-continue":
            self.wfile.write(_CONTINUE)
            self.wfile.flush()
        self.environ = self.make_environ()
        # All of it is read, also what nobody looks at: after it comes the next request.
        self.environ["wsgi.input"] = io.BytesIO(self.rfile.read(int(length)))
        try:
            self._answer(self.server.app)
        except ConnectionError:
            self.close_connection = True

    def handle_expect_100(self) -> bool:
        """Leave it to `run_wsgi`, as werkzeug does."""
        return True

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""

    def _answer(self, application: Any) -> None:  # noqa: ANN401 WSGI's own
        reply = _Reply(self)
        try:
            parts = application(self.environ, reply.start)
            try:
                reply.end(b"".join(parts))
            finally:
                getattr(parts, "close", lambda: None)()
        except ConnectionError:
            raise
        except Exception:  # noqa: BLE001 whatever the application raises is an internal error to its client
            _log.exception("the local AWS failed at %s %s", self.command, self.path)
            if reply.begun:
                self.close_connection = True
            else:
                self._answer(InternalServerError())


class _Reply:
    """What is sent for one request."""

    def __init__(self, handler: RequestHandler) -> None:
        self._handler = handler
        self._head: tuple[str, list[tuple[str, str]]] = ("", [])
        self.begun = False
        """Whether something of it was sent."""

    def start(self, status: str, headers: list[tuple[str, str]], *_: object) -> Callable[[bytes], None]:
        """Take the status and the headers."""
        self._head = (status, headers)
        return self._write

    def end(self, body: bytes) -> None:
        """Send all of it."""
        status, headers = self._head
        bodiless = self._handler.command == "HEAD" or status.startswith(_BODILESS)
        if not bodiless and not any(name.lower() == "content-length" for name, _ in headers):
            self._head = (status, [*headers, ("Content-Length", str(len(body)))])
        self._write(b"" if bodiless else body)

    def _write(self, data: bytes) -> None:
        handler = self._handler
        if not self.begun:
            self.begun = True
            status, headers = self._head
            code, _, message = status.partition(" ")
            handler.send_response(int(code), message)
            for name, value in headers:
                handler.send_header(name, value)
            handler.end_headers()
        handler.wfile.write(data)
        handler.wfile.flush()
