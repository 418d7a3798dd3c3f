"""What stands between the clients and the local AWS: it counts calls, and lets go wrong what somebody asked for.

Its own requests, under /lab/ like those of the clock: `faults`, `calls` and `permissions`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import partial
from typing import Any

from werkzeug.wrappers import Request, Response

from lab.aws.account.plane import Plane
from lab.aws.requests.calls import Call, Calls
from lab.aws.requests.client_permissions import ClientPermissions
from lab.aws.requests.faults import App, Fault, Faults

PATHS = ("/lab/faults", "/lab/calls", "/lab/permissions")


class Traffic:
    """The calls of all clients.

    Attributes:
        faults: what goes wrong; nothing at first.
        calls: how often each operation was called.
        permissions: what which clients may; at first, everybody everything.

    Args:
        plane: the lab.
    """

    def __init__(self, plane: Plane) -> None:
        self.faults = Faults()
        self.calls = Calls()
        self.permissions = ClientPermissions(plane)

    def pass_on(self, call: Call, app: App, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:  # noqa: ANN401 WSGI's own
        """Answer a client's request by an application, unless it is to go wrong."""
        self.calls.count(call)
        return self.faults.apply(call, partial(self._allowed, call, app), environ, start_response)

    def _allowed(self, call: Call, app: App, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:  # noqa: ANN401 WSGI's own
        refused = self.permissions.refusal(call, environ)
        return (refused or app)(environ, start_response)

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
            case ("GET", "/lab/permissions"):
                return _json({"permissions": self.permissions.known()})
            case ("POST", "/lab/permissions"):
                return self._set_permissions(request.get_json(silent=True))
            case ("POST", "/lab/calls"):
                return _json({"calls": self.calls.reset()})
            case _:
                return _json({"error": f"there is no {request.method} {request.path}"}, 404)

    def _set_permissions(self, body: Any) -> Response:  # noqa: ANN401 whatever somebody sent
        given = body if isinstance(body, dict) else {}
        key, policy = given.get("access_key"), given.get("policy")
        if not isinstance(key, str) or not key or not isinstance(policy, dict | None):
            return _json({"error": 'expected {"access_key": "AKIA...", "policy": {"Statement": [...]}}'}, 400)
        try:
            self.permissions.set(key, policy)
        except ValueError as error:
            return _json({"error": str(error)}, 400)
        return _json({"permissions": self.permissions.known()})

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
