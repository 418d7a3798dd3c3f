"""The `aws` command that makes a request."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import botocore.session
from botocore import xform_name
from botocore.exceptions import DataNotFoundError

_SECRET = re.compile(r"secret|passw|token|credential|private|api.?key", re.IGNORECASE)
_HIDDEN = "***"
_TOKENS = {"NextToken", "Marker", "ContinuationToken", "KeyMarker", "VersionIdMarker"}
"""Where a request goes on with a list: the AWS CLI does so by itself."""
_COMMANDS = {"s3": "s3api"}


class Explanation:
    """Tells the `aws` command of every request that is made, once for a list of many pages.

    Args:
        core: the session that makes the requests.
        tell: told each command.
    """

    def __init__(self, core: botocore.session.Session, tell: Callable[[str], None]) -> None:
        self._core = core
        self._tell = tell

    def note(self, params: Mapping[str, Any], model: Any, **_: Any) -> None:  # noqa: ANN401 the event's own signature
        """Take a request that is about to be made."""
        if _TOKENS & params.keys():
            return
        service = model.service_model.service_name
        shown = dict(params)
        size = shown.pop(self._page_size(service, model.name), None)
        text = command(_COMMANDS.get(service, service), xform_name(model.name), _without_secrets(shown))
        self._tell(text if size is None else f"{text} --page-size {size}")

    def _page_size(self, service: str, operation: str) -> str:
        """Return the parameter that says how long a page is, for which the AWS CLI has a name of its own."""
        try:
            return str(self._core.get_paginator_model(service).get_paginator(operation).get("limit_key", ""))
        except (DataNotFoundError, ValueError):
            return ""


def command(service: str, operation: str, request: Mapping[str, Any]) -> str:
    """Write a request as a command line of the AWS CLI.

    Args:
        service: such as `ssm`.
        operation: the operation as boto3 has it: `send_command`.
        request: its parameters, as boto3 takes them.
    """
    words = ["aws", service, operation.replace("_", "-")]
    for name, value in request.items():
        if isinstance(value, bool):
            words.append(f"--{'' if value else 'no-'}{_kebab(name)}")
        elif value not in ({}, [], "", None):
            words += [f"--{_kebab(name)}", *_values(value)]
    return " ".join(words)


def _without_secrets(request: Mapping[str, Any]) -> dict[str, Any]:
    """Return a request whose secrets are hidden: values whose names sound like one, and the bodies of objects."""
    shown: dict[str, Any] = {}
    for name, value in request.items():
        if name == "Body":
            shown[name] = "FILE"
        elif _SECRET.search(name):
            shown[name] = _HIDDEN
        elif isinstance(value, Mapping):
            shown[name] = _without_secrets(value)
        else:
            shown[name] = value
    return shown


def _kebab(name: str) -> str:
    """Write SendCommand's OutputS3BucketName as the CLI does: output-s3-bucket-name."""
    words = re.findall(r"[A-Z]+[0-9]+|[A-Z]+(?![a-z])|[A-Z][a-z]+", name)
    return "-".join(word.lower() for word in words)


def _values(value: Any) -> list[str]:  # noqa: ANN401 a parameter is anything
    if isinstance(value, str | int | float | bytes):
        return [shlex.quote(value.decode(errors="replace") if isinstance(value, bytes) else str(value))]
    if isinstance(value, Mapping):
        simple = _shorthand(value)
        return [shlex.quote(simple or json.dumps(value, default=str))]
    items: Sequence[Any] = value
    if all(isinstance(item, str) for item in items):
        return [shlex.quote(item) for item in items]
    return [shlex.quote(_shorthand(item) or json.dumps(item, default=str)) for item in items]


def _shorthand(value: Mapping[str, Any]) -> str:
    """Write a structure as Key=tag:Workload,Values=Prod; empty if that could not be read back."""
    parts = []
    for name, one in value.items():
        items = one if isinstance(one, list) else [one]
        if not all(isinstance(item, str) and not re.search(r"[,=\s\"']", item) for item in items):
            return ""
        parts.append(f"{name}={','.join(items)}")
    return ",".join(parts)
