"""The lab's own requests, under /lab/: its clock, its state, what happened. AWS has nothing like them."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from werkzeug.wrappers import Request, Response

from lab.aws.account.plane import Plane
from lab.aws.account.population import populate
from lab.aws.chaos_control import chaos_of, settle, upset
from lab.engine import Engine
from lab.world.errors import ApiError, LabError
from lab.world.publishing import Delivery
from patching.errors import InvalidValueError
from patching.operating_system import operating_system

PREFIX = "/lab/"
_FASTEST = 1_000_000
_LONGEST_MOVE = timedelta(days=366)


def respond(plane: Plane, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:  # noqa: ANN401 WSGI's own
    """Answer a request under /lab/."""
    request = Request(environ)
    return _answer(plane, request)(environ, start_response)


def _answer(plane: Plane, request: Request) -> Response:
    what = request.path.removeprefix(PREFIX)
    if request.method == "POST" and what in _DOING:
        return _DOING[what](plane, request)
    match (request.method, what):
        case ("GET", "status"):
            return _json(_status(plane))
        case ("GET", "events"):
            return _events(plane, request)
        case ("GET", "chaos"):
            return _json(chaos_of(plane))
        case ("GET", "deliveries"):
            return _json({"deliveries": [_delivery(*one) for one in plane.deliveries()]})
        case ("GET", "emitted"):
            return _json({"events": plane.emitted()})
        case _:
            return _json({"error": f"there is no {request.method} {request.path}"}, 404)


def _advance(plane: Plane, request: Request) -> Response:
    """Move the clock. Only JSON is taken, which no page of a browser may send here."""
    if not request.is_json:
        return _json({"error": "expected application/json"}, 415)
    body: Any = request.get_json(silent=True)
    try:
        to = datetime.fromisoformat(body["to"])
    except (KeyError, TypeError, ValueError):
        return _json({"error": 'expected {"to": "2026-11-20T00:00:00+00:00"}'}, 400)
    if to.tzinfo is None:
        return _json({"error": f"{body['to']} has no time zone"}, 400)
    with plane.clock() as clock:
        if to < clock.now:
            return _json({"error": f"{to.isoformat()} has passed: it is {clock.now.isoformat()}"}, 400)
        if to - clock.now > _LONGEST_MOVE:
            return _json({"error": f"{to.isoformat()} is more than {_LONGEST_MOVE.days} days ahead"}, 400)
        clock.advance(to)
    return _json(_status(plane))


def _pace(plane: Plane, request: Request) -> Response:
    """Choose how time goes by. Only JSON is taken; see `_advance`."""
    if not request.is_json:
        return _json({"error": "expected application/json"}, 415)
    body: Any = request.get_json(silent=True)
    given = body if isinstance(body, dict) else {}
    speed, running = given.get("speed"), given.get("running")
    number = isinstance(speed, int | float) and not isinstance(speed, bool) and 0 < speed <= _FASTEST
    if not given or (speed is not None and not number) or not isinstance(running, bool | None):
        return _json({"error": f'expected {{"speed": 120, "running": true}}, with a speed up to {_FASTEST}'}, 400)
    plane.pace(speed=speed, running=running)
    return _json(_status(plane))


def _events(plane: Plane, request: Request) -> Response:
    """Tell what happened: all of it, or what came after something that is known already."""
    after = request.args.get("after", "-1")
    if not after.removeprefix("-").isdecimal():
        return _json({"error": f"after={after} is not the number of an event"}, 400)
    found = [one for one in plane.entries() if one.number > int(after)]
    return _json({"events": [{"at": one.at.isoformat(), "text": one.text, "number": one.number} for one in found]})


def _upset(plane: Plane, request: Request) -> Response:
    """Set the rates of chaos. Only JSON is taken; see `_advance`."""
    if not request.is_json:
        return _json({"error": "expected application/json"}, 415)
    body: Any = request.get_json(silent=True)
    if not isinstance(body, dict):
        return _json({"error": 'expected rates such as {"fail": 0.05}'}, 400)
    try:
        upset(plane, body)
    except ValueError as error:
        return _json({"error": str(error)}, 400)
    return _json(chaos_of(plane))


def _populate(plane: Plane, request: Request) -> Response:
    """Add nodes to a Region."""
    if not request.is_json:
        return _json({"error": "expected application/json"}, 415)
    body: Any = request.get_json(silent=True)
    try:
        count, region = int(body["nodes"]), str(body["region"])
        systems = [operating_system(name) for name in body.get("systems") or ()]
        with plane.engine(region) as engine:
            made = populate(plane.accounts[region], engine.catalogues, count, systems=systems)
        settle(plane, region)
    except (KeyError, TypeError, ValueError, LabError) as error:
        known = isinstance(error, (LabError, InvalidValueError))
        return _json({"error": str(error) if known else 'expected {"region": "us-east-1", "nodes": 1000}'}, 400)
    finally:
        plane.changed()
    return _json({"nodes": len(made)})


def _register(plane: Plane, request: Request) -> Response:
    """Register a simulated machine with an activation, as an agent would. Only JSON is taken; see `_advance`."""
    if not request.is_json:
        return _json({"error": "expected application/json"}, 415)
    body: Any = request.get_json(silent=True)
    names = ("region", "activation_id", "activation_code", "image", "computer_name")
    given = body if isinstance(body, dict) else {}
    if not all(isinstance(given.get(name), str) for name in names) or given["region"] not in plane.regions():
        return _json({"error": f"expected texts {', '.join(names)}, and a Region that has an activation"}, 400)
    with plane.engine(given["region"]) as engine:
        try:
            node = engine.activations.register(
                given["activation_id"], given["activation_code"], given["image"], given["computer_name"]
            )
        except ApiError as error:
            return _json({"error": error.message}, 400)
        return _json({"node": node.id, "computer_name": node.computer_name})


def _delivery(region: str, delivery: Delivery) -> dict[str, Any]:
    return {"region": region, **asdict(delivery), "at": delivery.at.isoformat()}


def _untold(engine: Engine) -> list[dict[str, Any]]:
    """Sum up what did not arrive, and why."""
    counts = Counter((one.source, one.to, one.problem) for one in engine.publishing.deliveries if one.problem)
    return [
        {"source": source, "to": to, "problem": problem, "times": times}
        for (source, to, problem), times in counts.items()
    ]


def _status(plane: Plane) -> dict[str, Any]:
    regions: dict[str, Any] = {}
    for region in plane.regions():
        with plane.engine(region) as engine:
            nodes = engine.fleet.nodes()
            regions[region] = {
                "managed": [node.id for node in nodes if node.online],
                "unmanaged": engine.fleet.unmanaged,
                "systems": dict(sorted(Counter(str(node.catalogue.system) for node in nodes).items())),
                "commands_running": sum(not one.status.final for one in engine.run_command.commands.values()),
                "baselines": sum(not one.by_aws for one in engine.baselines.all()),
                "associations": len(engine.state_manager.associations),
                "windows": len(engine.windows.windows),
                "not_told": _untold(engine),
            }
    with plane.clock() as clock:
        return {
            "pid": os.getpid(),
            "now": clock.now.isoformat(),
            "working": clock.working,
            "speed": plane.speed,
            "running": plane.running,
            "chaos": asdict(plane.chaos),
            "regions": regions,
        }


def _json(body: dict[str, Any], status: int = 200) -> Response:
    return Response(json.dumps(body), status=status, content_type="application/json")


_DOING: dict[str, Callable[[Plane, Request], Response]] = {
    "advance": _advance,
    "chaos": _upset,
    "pace": _pace,
    "populate": _populate,
    "register": _register,
}
"""What may be asked for with a POST."""
