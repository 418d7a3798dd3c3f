"""The `aws` command that makes a request."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Any


def command(service: str, operation: str, request: Mapping[str, Any]) -> str:
    """Write a request as a command line of the AWS CLI.

    Args:
        service: such as `ssm`.
        operation: the operation as boto3 has it: `send_command`.
        request: its parameters, as boto3 takes them.
    """
    words = ["aws", service, operation.replace("_", "-")]
    for name, value in request.items():
        if value in ({}, [], "", None):
            continue
        words += [f"--{_kebab(name)}", *_values(value)]
    return " ".join(words)


def _kebab(name: str) -> str:
    """Write SendCommand's OutputS3BucketName as the CLI does: output-s3-bucket-name."""
    words = re.findall(r"[A-Z]+[0-9]+|[A-Z]+(?![a-z])|[A-Z][a-z]+", name)
    return "-".join(word.lower() for word in words)


def _values(value: Any) -> list[str]:  # noqa: ANN401 a parameter is anything
    if isinstance(value, str | int | float):
        return [shlex.quote(str(value))]
    if isinstance(value, Mapping):
        simple = _shorthand(value)
        return [shlex.quote(simple or json.dumps(value))]
    items: Sequence[Any] = value
    if all(isinstance(item, str) for item in items):
        return [shlex.quote(item) for item in items]
    return [shlex.quote(_shorthand(item) or json.dumps(item)) for item in items]


def _shorthand(value: Mapping[str, Any]) -> str:
    """Write a structure as Key=tag:Workload,Values=Prod; empty if that could not be read back."""
    parts = []
    for name, one in value.items():
        items = one if isinstance(one, list) else [one]
        if not all(isinstance(item, str) and not re.search(r"[,=\s\"']", item) for item in items):
            return ""
        parts.append(f"{name}={','.join(items)}")
    return ",".join(parts)
