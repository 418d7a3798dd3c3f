"""Replies are read as botocore reads them, whatever they have in them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import botocore.session
import pytest
from botocore.parsers import EC2QueryParser, JSONParser

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


def written(shape: Any, depth: int = 0) -> str:
    """Write a value of a shape as XML, as EC2 does: with all members, and one that the model does not have."""
    match shape.type_name:
        case "structure":
            members = shape.members.items() if depth < 8 else ()
            parts = [(one.serialization.get("name", name), written(one, depth + 1)) for name, one in members]
            return "".join(f"<{name}>{value}</{name}>\n" for name, value in [*parts, ("notInTheModel", "1")])
        case "list":
            return f"<item>{written(shape.member, depth + 1)}</item> " * 2 + "<item/>"
        case "boolean":
            return "true"
        case "timestamp":
            return "2025-11-16T00:00:00.000Z"
        case "string":
            return "a &lt; b" if depth % 2 else ""
        case _:
            return "3"


@pytest.mark.parametrize("operation", ["DescribeTags", "DescribeInstances", "DescribeVpcEndpoints", "DescribeSubnets"])
def test_a_reply_of_ec2_is_read_as_botocore_reads_it(operation: str) -> None:
    theirs, own = EC2QueryParser(timestamp_parser=moment), Parsers().create_parser("ec2")
    shape = botocore.session.get_session().get_service_model("ec2").operation_model(operation).output_shape
    assert shape
    for given in (written(shape), ""):
        root = f'<Reply xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>x</requestId>{given}</Reply>'
        reply = {"status_code": 200, "headers": {}, "body": root.encode()}
        assert own.parse(reply, shape) == theirs.parse(reply, shape)


def test_times_are_in_utc() -> None:
    assert moment(1763251200.25) == datetime(2025, 11, 16, 0, 0, 0, 250_000, UTC)
    assert moment(1763251200).tzinfo is UTC
    assert moment("2025-11-16T00:00:00Z") == datetime(2025, 11, 16, tzinfo=UTC)
