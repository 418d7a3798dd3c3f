"""The local AWS as a server: `python -m lab.aws.server`. It listens on the loopback interface only."""

from __future__ import annotations

import argparse
import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import BaseWSGIServer, make_server

from lab import saved_file
from lab.aws import control, moto_corrections, saved_state, subscribers
from lab.aws.account import instance_listing
from lab.aws.account.plane import DEFAULT_SPEED, DEFAULT_START, Plane
from lab.aws.cloudformation import (  # noqa: F401 importing their modules lets moto find the types
    alarms,
    completed,
    documents,
    iam,
    instances,
    logs,
    network,
    notifications,
    resource,
    routes,
    systems_manager,
)
from lab.aws.requests.calls import Call, call_of
from lab.aws.requests.calm import Calm
from lab.aws.requests.faults import App
from lab.aws.requests.http_check import of_a_service, refusal
from lab.aws.requests.request_handler import RequestHandler
from lab.aws.requests.traffic import PATHS, Traffic
from lab.aws.ssm.ssm_service import SystemsManager
from lab.aws.tag_listing import TagListings
from lab.patches.catalogue import Catalogue
from lab.patches.catalogue_file import read, with_own
from lab.world.errors import LabError
from patching.deployment import SERVICE_TIME_HEADER

HOST = "127.0.0.1"
_POLL_SECONDS = 0.05
"""How often it looks whether it is to stop."""

_ASIDE = frozenset({"events", "kms", "logs", "cloudwatch", "s3", "sns", "sqs", "ssm", "sts"})
"""Services that change no instance, no role and no network."""

_READING = ("Describe", "Get", "List")
_HIDDEN = "/moto-api"
"""moto's own control requests, which know nothing of the lab's state."""


class LocalAws:
    """The server with everything in it.

    moto keeps its state in the process, so that one process has one of these.

    Args:
        port: where it listens on the loopback interface; 0 for any free port.
        start: what the clock shows first.
        speed: lab seconds that go by in a second while something runs; that of the saved state, or 120, by default.
        catalogues: the operating systems with their patches; the built-in ones by default.
        running: whether time also goes by while nothing runs.
        saved: a state to go on from, as `lab.aws.saved_state.save` wrote it; none by default.

    Attributes:
        plane: what the lab adds to moto.
        traffic: counts the clients' calls, and lets some of them go wrong.

    Raises:
        OSError: the port is taken.
        LabError: the saved state cannot be read.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        start: datetime = DEFAULT_START,
        speed: float | None = None,
        catalogues: tuple[Catalogue, ...] | None = None,
        running: bool = False,
        saved: bytes = b"",
    ) -> None:
        self.plane = Plane(start=start, speed=speed or DEFAULT_SPEED, catalogues=catalogues, running=running)
        self._calm = Calm()
        resource.install(self.plane)
        moto_corrections.install()
        instance_listing.install(self.plane)
        subscribers.install(self.plane)
        alarms.install(self.plane)
        self.traffic = Traffic(self.plane)
        if saved:
            saved_state.restore(self.plane, saved)
            self.plane.pace(speed=speed)
        self._moto = DomainDispatcherApplication(create_backend_app)
        # For every request moto looks through the folders of all its services.
        self._moto.get_backend_for_host = lru_cache(self._moto.get_backend_for_host)
        self._services = partial(of_a_service, self._moto)
        self._systems_manager = SystemsManager(self.plane, self._services)
        self._tags = TagListings(self.plane, self._services)
        self._tags.install()
        self._server: BaseWSGIServer = make_server(
            HOST, port, self._respond, threaded=True, request_handler=RequestHandler
        )

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{HOST}:{self._server.port}"

    def serve(self) -> None:
        """Answer requests until `stop` is called."""
        self._server.serve_forever(_POLL_SECONDS)

    def stop(self) -> None:
        """Answer no more requests."""
        self.plane.stop()
        self._server.shutdown()

    def _respond(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:  # noqa: ANN401 WSGI's own
        path = environ.get("PATH_INFO", "")
        if path in PATHS:
            return self.traffic.control(environ, start_response)
        if path == saved_state.PATH:
            return saved_state.respond(self.plane, self._calm, environ, start_response)
        if path.startswith((control.PREFIX, _HIDDEN)):
            return control.respond(self.plane, environ, start_response)
        refused = refusal(environ)
        if refused:
            return refused(environ, start_response)
        call = call_of(environ)
        if call.region:
            # The images of a Region have to be there before anything is launched from them.
            self.plane.prepare(call.region)

        def start_dated(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:  # noqa: ANN401 WSGI's own
            # Not in the Date header: from that, clients correct their own clocks, and retry what they took for skew.
            return start_response(status, [*headers, (SERVICE_TIME_HEADER, self.plane.now().isoformat())], *rest)

        try:
            return self.traffic.pass_on(call, self._application(call), environ, start_dated)
        finally:
            if call.service not in _ASIDE and not call.operation.startswith(_READING):
                self.plane.changed()

    def _application(self, call: Call) -> App:
        if call.service == "ssm":
            return self._systems_manager.answer
        return self._tags.answer if call.name == "ec2:DescribeTags" else self._services


def _stop_with_parent(server: LocalAws) -> None:
    """Stop once the standard input ends, which it does when the process that started this one is gone."""
    sys.stdin.buffer.read()
    server.stop()


def main() -> None:
    """Serve, and say on one line where, as JSON."""
    parser = argparse.ArgumentParser(description="The local AWS for patching")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--speed", type=float)
    parser.add_argument("--start", type=datetime.fromisoformat, default=DEFAULT_START)
    parser.add_argument("--catalogue", help="a file with catalogues in the place of the built-in ones")
    parser.add_argument("--running", action="store_true", help="let time go by also while nothing runs")
    parser.add_argument("--load", help="a file with a saved state to go on from")
    parser.add_argument("--with-parent", action="store_true", help="stop when the standard input ends")
    arguments = parser.parse_args()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    try:
        catalogues = with_own(read(arguments.catalogue)) if arguments.catalogue else None
        saved = saved_file.read(Path(arguments.load)) if arguments.load else b""
    except LabError as error:
        print(error, file=sys.stderr)
        sys.exit(1)
    try:
        server = LocalAws(
            port=arguments.port,
            start=arguments.start,
            speed=arguments.speed,
            catalogues=catalogues,
            running=arguments.running,
            saved=saved,
        )
    except LabError as error:
        print(f"{arguments.load}: {error}", file=sys.stderr)
        sys.exit(1)
    except (OSError, SystemExit):
        print(f"port {arguments.port} is taken; choose another one with --port", file=sys.stderr)
        sys.exit(1)
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: threading.Thread(target=server.stop, daemon=True).start())
    if arguments.with_parent:
        threading.Thread(target=_stop_with_parent, args=(server,), daemon=True).start()
    print(json.dumps({"url": server.url, "pid": os.getpid()}), flush=True)
    server.serve()
    # All that moto holds takes a second to be taken apart, which nobody needs.
    os._exit(0)


if __name__ == "__main__":
    main()
