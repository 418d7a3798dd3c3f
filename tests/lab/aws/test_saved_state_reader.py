"""What may be in a save, and what may not."""

from __future__ import annotations

import hashlib
import json
import pickle
import zlib
from typing import Any

import pytest

from lab.saved_file import FORMAT
from lab.world.errors import LabError

pytestmark = pytest.mark.xdist_group("local-aws")


class Program:
    def __reduce__(self) -> Any:
        return (exec, ("raise SystemExit('a program ran')",))


def packed(value: Any, **header: Any) -> bytes:
    from moto import __version__  # noqa: PLC0415 imports moto, which takes seconds

    body = zlib.compress(pickle.dumps(value))
    said = {
        "format": FORMAT,
        "moto": __version__,
        "size": len(body),
        "sha256": hashlib.sha256(body).hexdigest(),
        **header,
    }
    return json.dumps(said).encode() + b"\n" + body


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (lambda: packed(Program()), "builtins.exec is nothing that a save consists of"),
        (lambda: packed(print), "builtins.print is nothing that a save consists of"),
        (lambda: packed(json.loads), "json.loads is nothing that a save consists of"),
        (lambda: packed({}, moto="1.0"), "the save was made with moto 1.0; this lab has"),
        (lambda: packed([]), "the save cannot be read"),
    ],
)
def test_a_save_with_something_else_in_it_is_refused(local_aws: Any, data: Any, message: str) -> None:
    from lab.aws.saved_state import restore  # noqa: PLC0415 as above

    with pytest.raises(LabError, match=message):
        restore(local_aws.plane, data())


def test_the_server_takes_only_json_for_a_save(local_aws: Any) -> None:
    from tests.lab.aws.test_control import ask  # noqa: PLC0415 as above

    with pytest.raises(ValueError, match="Expecting value"):
        ask(local_aws, "/lab/save")
