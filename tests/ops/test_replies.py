"""Replies are read as botocore reads them, whatever they have in them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import botocore.session
import pytest
from botocore.parsers import JSONParser

from ops.replies import Parsers, moment

MODELS = {name: botocore.session.get_session().get_service_model(name) for name in ("ssm", "kms", "resource-groups")}
SAMPLES = {
    "string": "text",
    "integer": 3,
    "long": 2**40,
    "double": 0.5,
    "float": 1.5,
    "boolean": False,
    "timestamp": 1763251200.25,
    "blob": "YWJj",
}


def sample(shape: Any, depth: int = 0) -> Any:
    """Make a value of a shape with all members, some of them null, and one that the model does not have."""
    match shape.type_name:
        case "structure":
            if depth > 8 or shape.is_tagged_union:
                return {name: sample(member, depth + 1) for name, member in list(shape.members.items())[:1]}
            made = {name: sample(member, depth + 1) for name, member in shape.members.items()}
            return {**made, "NotInTheModel": 1, **dict.fromkeys(list(made)[3:4])}
        case "list":
            return [sample(shape.member, depth + 1), None, sample(shape.member, depth + 1)]
        case "map":
            return {"key": sample(shape.value, depth + 1)}
        case kind:
            return SAMPLES[kind]


@pytest.mark.parametrize("service", MODELS)
def test_a_reply_is_read_as_botocore_reads_it(service: str) -> None:
    theirs, own = JSONParser(timestamp_parser=moment), Parsers().create_parser("json")
    for name in MODELS[service].operation_names:
        shape = MODELS[service].operation_model(name).output_shape
        if shape is None:
            continue
        for given in (sample(shape), {}, dict.fromkeys(shape.members)):
            reply = {"status_code": 200, "headers": {}, "body": json.dumps(given).encode()}
            assert own.parse(reply, shape) == theirs.parse(reply, shape), name


def test_times_are_in_utc() -> None:
    assert moment(1763251200.25) == datetime(2025, 11, 16, 0, 0, 0, 250_000, UTC)
    assert moment(1763251200).tzinfo is UTC
    assert moment("2025-11-16T00:00:00Z") == datetime(2025, 11, 16, tzinfo=UTC)
