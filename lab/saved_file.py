"""The file that a local AWS is saved to: its header, and how it is written so that the last one stays whole."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any

from lab.world.errors import LabError

FORMAT = 2
_LONGEST_HEADER = 10_000


def header_of(data: bytes) -> tuple[dict[str, Any], bytes]:
    """Return what a save says of itself, and its body.

    Raises:
        LabError: it is no save, one of another format, or not whole.
    """
    line, newline, body = data[:_LONGEST_HEADER].partition(b"\n")
    try:
        header = json.loads(line)
        given = header["format"]
        size, checksum = int(header["size"]), str(header["sha256"])
        str(header["moto"])
    except (ValueError, TypeError, KeyError):
        raise LabError("not a save of the lab; expected one that `patchops lab save` wrote") from None
    if given != FORMAT:
        raise LabError(f"a save of format {given}; this version of patchops reads format {FORMAT}")
    body = data[len(line) + len(newline) :]
    if len(body) != size or hashlib.sha256(body).hexdigest() != checksum:
        raise LabError(f"the save is damaged: {len(body)} bytes of {size}, or not those that were written")
    return header, body


def write(path: Path, data: bytes) -> None:
    """Write a file so that there is always a whole one: the last one, or this one.

    Raises:
        LabError: it cannot be written.
    """
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise LabError(f"{path}: cannot be written: {error.strerror or error}") from None


def read(path: Path) -> bytes:
    """Return what was saved in a file.

    Raises:
        LabError: it cannot be read, or is not a whole save.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise LabError(f"{path}: {error.strerror or error}") from None
    try:
        header_of(data)
    except LabError as error:
        raise LabError(f"{path}: {error}") from None
    return data
