from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import lab.aws.server  # noqa: F401 with all that it makes
from lab.aws import tags_api
from lab.aws.cloudformation_completed import Completed
from lab.aws.moto_corrections import _is_known
from lab.aws.operation import OPERATIONS
from lab.aws.own_documents import CORRECTED
from lab.aws.resource import Resource
from lab.aws.ssm_service import _OF_AWS
from lab.local_aws import ROOT


def first_column(section: str, following: str) -> list[str]:
    page = (ROOT / "docs" / "local-aws.md").read_text()
    table = page.partition(f"## {section}")[2].partition(f"## {following}")[0]
    return re.findall(r"^\| (.*?) \|", table, re.MULTILINE)


def test_the_table_of_operations_names_what_is_emulated_and_nothing_else() -> None:
    column = first_column("Operations", "Not as AWS")
    named = set(re.findall(r"\b[A-Z][a-z]+(?:[A-Z][a-z]+)+\b", "\n".join(column)))
    answered = {"".join(word.capitalize() for word in name.split("_")) for name in (*OPERATIONS, *CORRECTED)}
    assert named - {"AwsRunPatchBaseline"} == answered | {"ListDocuments", *_OF_AWS, *tags_api.OPERATIONS}


def types_named() -> Iterator[str]:
    """Yield the types of the table; `…` stands for the service of the type before it."""
    service = ""
    for row in first_column("Resources of CloudFormation", "Operations"):
        for name in re.findall(r"`(.*?)`", row):
            full = name.replace("…", service)
            service = full.rpartition("::")[0] + "::"
            yield full


def types_of(kind: type) -> Iterator[str]:
    """Yield the types that classes stand for which have no subclasses."""
    subclasses: list[Any] = kind.__subclasses__()
    for one in subclasses:
        yield from types_of(one) if one.__subclasses__() else [one.cloudformation_type()]


def test_the_table_of_resources_names_what_the_lab_adds_and_only_what_is_made() -> None:
    named = set(types_named())
    assert {*types_of(Resource), *types_of(Completed)} <= named
    assert [one for one in named if not _is_known(one)] == []
