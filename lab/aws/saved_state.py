"""The whole state of a local AWS as bytes, and back: moto's backends and the engines with their clock.

A save is made of Python's own serialization. What is read back is held to what is part of the lab, of moto or of
Python's own data types; still, a save is to be trusted like a program: load none that you would not run.
"""

from __future__ import annotations

import hashlib
import io
import json
import pickle
import threading
import types
import weakref
import zlib
from collections import defaultdict
from collections.abc import Iterable
from functools import partial
from typing import Any

import moto
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from moto.core.base_backend import BackendDict
from moto.ec2.models.subnets import Subnet
from moto.ssm.models import Document
from werkzeug.wrappers import Request, Response

from lab.aws.account.plane import Plane
from lab.aws.requests.calm import Calm
from lab.saved_file import FORMAT, header_of
from lab.world.errors import LabError

PATH = "/lab/save"
_MODULES = ("lab", "moto", "patching")
_TYPES = {
    "_codecs": {"encode"},
    "builtins": {
        "bytearray",
        "complex",
        "frozenset",
        "getattr",
        "list",
        "dict",
        "object",
        "range",
        "set",
        "slice",
        "tuple",
    },
    "collections": {"Counter", "OrderedDict", "defaultdict", "deque"},
    "copyreg": {"_reconstructor", "__newobj__"},
    "datetime": {"date", "datetime", "time", "timedelta", "timezone"},
    "decimal": {"Decimal"},
    "functools": {"partial"},
    "ipaddress": {"IPv4Address", "IPv4Network", "IPv6Address", "IPv6Network"},
    "itertools": {"count"},
    "pathlib": {"PosixPath", "PurePosixPath"},
    "random": {"Random"},
    "re": {"_compile"},
    "threading": {"Condition", "Event"},
    "uuid": {"UUID"},
    "zoneinfo": {"ZoneInfo", "ZoneInfo._unpickle"},
}


class _Reader(pickle.Unpickler):
    """Reads what a save may consist of, and nothing else."""

    def find_class(self, module: str, name: str) -> Any:  # noqa: ANN401 whatever a save names
        if module.partition(".")[0] in _MODULES or name in _TYPES.get(module, ()):
            return super().find_class(module, name)
        message = f"{module}.{name} is nothing that a save consists of"
        raise pickle.UnpicklingError(message)


class _Writer(pickle.Pickler):
    """Writes what Python cannot write by itself."""

    def reducer_override(self, obj: Any) -> Any:  # noqa: ANN401 pickle's own contract
        if isinstance(obj, types.GeneratorType):
            # moto keeps a subnet's unused addresses as a generator; another one skips what is used.
            return (_nothing, ())
        if isinstance(obj, types.FunctionType) and _makes_empty_ones(obj):
            # What moto's dictionaries have for what is not in them: an empty one, or one that makes empty ones.
            made = obj()
            inner = (made.default_factory,) if isinstance(made, defaultdict) else ()
            return (partial, (type(made), *inner))
        if obj is _DOCUMENT:
            return (_document_class, ())
        if hasattr(type(obj), "private_bytes"):
            text = obj.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            return (_private_key, (text,))
        if isinstance(obj, defaultdict) and type(obj) is not defaultdict:
            # One of moto's own kinds, which takes more to be made than pickle would give it.
            return (_own_dict, (type(obj), obj.default_factory), obj.__dict__, None, iter(obj.items()))
        if isinstance(obj, weakref.WeakValueDictionary):
            return (_weak_values, (dict(obj),))
        if isinstance(obj, _LOCKS):
            return (_lock, (isinstance(obj, _LOCKS[1]),))
        return NotImplemented


_LOCKS = (type(threading.Lock()), type(threading.RLock()))


def _makes_empty_ones(function: types.FunctionType) -> bool:
    """Tell whether a function is one of moto's that make what a dictionary has for what is not in it."""
    moto_s = function.__module__.startswith("moto.") and function.__qualname__.endswith("<lambda>")
    return moto_s and not function.__code__.co_argcount and not function.__closure__


_DOCUMENT = Document
"""moto's own class of documents, in the place of which the lab puts a function."""


def _document_class() -> Any:  # noqa: ANN401 moto is not typed
    return _DOCUMENT


def _nothing() -> None:
    return None


def _own_dict(kind: type[defaultdict[Any, Any]], factory: Any) -> defaultdict[Any, Any]:  # noqa: ANN401 as it is saved
    made = kind.__new__(kind)
    defaultdict.__init__(made, factory)
    return made


def _weak_values(values: dict[Any, Any]) -> weakref.WeakValueDictionary[Any, Any]:
    return weakref.WeakValueDictionary(values)


def _lock(again: bool) -> Any:  # noqa: ANN401, FBT001 either kind of lock; as it is saved
    return threading.RLock() if again else threading.Lock()


def _private_key(text: bytes) -> Any:  # noqa: ANN401 any kind of key
    return load_pem_private_key(text, None)


def _install() -> None:
    """Have subnets make their addresses anew when they are read."""

    def read(subnet: Subnet, state: dict[str, Any]) -> None:
        subnet.__dict__.update(state)
        if subnet.__dict__.get("_subnet_ip_generator", ()) is None:
            addresses = subnet.cidr.hosts()
            for _ in range(3):  # what AWS keeps for itself, as moto does
                next(addresses, None)
            subnet._subnet_ip_generator = addresses  # noqa: SLF001 moto's own

    Subnet.__setstate__ = read


_install()


def save(plane: Plane) -> bytes:
    """Return the state of everything, at a moment when nothing runs."""
    with plane.at_rest() as state:
        backends = {
            (one.service_name, account): dict(regions.items())
            for one in list(BackendDict._instances)  # noqa: SLF001 moto tells it nowhere else
            for account, regions in one.items()
        }
        written = io.BytesIO()
        _Writer(written, protocol=5).dump({"lab": state, "moto": backends})
        now = state["clock"].now
    body = zlib.compress(written.getvalue(), 1)
    header = {
        "format": FORMAT,
        "moto": moto.__version__,
        "now": now.isoformat(),
        "size": len(body),
        "sha256": hashlib.sha256(body).hexdigest(),
    }
    return json.dumps(header).encode() + b"\n" + body


def respond(plane: Plane, calm: Calm, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:  # noqa: ANN401
    """Answer a request for the state with the bytes of a save. Only JSON is taken; see `control`."""
    request = Request(environ)
    if request.method != "POST" or not request.is_json:
        return Response("expected a POST with application/json", status=405)(environ, start_response)
    with calm.kept():
        data = save(plane)
    return Response(data, content_type="application/octet-stream")(environ, start_response)


def restore(plane: Plane, data: bytes) -> None:
    """Have a plane that has just been made, and moto, be as they were when they were saved.

    Raises:
        LabError: it is no save, a damaged one, or one of another version.
    """
    header, body = header_of(data)
    if header["moto"] != moto.__version__:
        raise LabError(f"the save was made with moto {header['moto']}; this lab has {moto.__version__}")
    try:
        state = _Reader(io.BytesIO(zlib.decompress(body))).load()
        parts = state["moto"].items(), state["lab"]
    except Exception as error:  # noqa: BLE001 whatever a foreign file makes of it
        raise LabError(f"the save cannot be read: {type(error).__name__}: {error}") from None
    known = {one.service_name: one for one in _all_backends()}
    for (service, account), regions in parts[0]:
        for region, backend in regions.items():
            dict.__setitem__(known[service][account], region, backend)
    plane.resume(parts[1])


def _all_backends() -> list[BackendDict[Any]]:
    """Return moto's backends, those that nobody has used among them: importing a service makes its own."""
    import gc  # noqa: PLC0415 moto has no list of them

    return [one for one in gc.get_objects() if isinstance(one, BackendDict)]
