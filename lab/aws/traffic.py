"""What stands between the clients and the local AWS: it counts calls, and lets go wrong what somebody asked for.

Its own requests, under /lab/ like those of the clock: `faults` and `calls`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from werkzeug.wrappers import Request, Response

from lab.aws.calls import Call, Calls
from lab.aws.faults import App, Fault, Faults

PATHS = ("/lab/faults", "/lab/calls")


class Traffic:
    """The calls of all clients.

    Attributes:
        faults: what goes wrong; nothing at first.
        calls: how often each operation was called.
    """

    def __init__(self) -> None:
        self.faults = Faults()
        self.calls = Calls()

    def pass_on(self, call: Call, app: App, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:  # noqa: ANN401 WSGI's own
        """Answer a client's request by an application, unless it is to go wrong."""
        self.calls.count(call)
        return self.faults.apply(call, app, environ, start_response)

    def control(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:  # noqa: ANN401 WSGI's own
        """Answer a request of the lab itself."""
        return self._answer(Request(environ))(environ, start_response)

    def _answer(self, request: Request) -> Response:
        if request.method == "POST" and not request.is_json:
            # Only JSON is taken, which no page of a browser may send here.
            return _json({"error": "expected application/json"}, 415)
        match (request.method, request.path):
            case ("GET", "/lab/faults"):
                return _json({"faults": self.faults.known()})
            case ("GET", "/lab/calls"):
                return _json({"calls": self.calls.counted()})
            case ("POST", "/lab/faults"):
                return self._set_faults(request.get_json(silent=True))
            case ("POST", "/lab/calls"):
                return _json({"calls": self.calls.reset()})
            case _:
                return _json({"error": f"there is no {request.method} {request.path}"}, 404)

    def _set_faults(self, body: Any) -> Response:  # noqa: ANN401 whatever somebody sent
        if not isinstance(body, dict) or not isinstance(body.get("faults"), list):
            return _json({"error": 'expected {"faults": [{"calls": "ssm:SendCommand", "do": "throttle"}]}'}, 400)
        try:
            rules = [Fault.from_json(one) for one in body["faults"]]
        except ValueError as error:
            return _json({"error": str(error)}, 400)
        self.faults.set(*rules)
        return _json({"faults": self.faults.known()})


def _json(body: dict[str, Any], status: int = 200) -> Response:
    return Response(json.dumps(body), status=status, content_type="application/json")
