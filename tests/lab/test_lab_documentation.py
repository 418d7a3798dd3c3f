from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from lab.local_aws import ROOT

# One worker of the suite has moto, whose import takes seconds.
pytestmark = pytest.mark.xdist_group("local-aws")


def first_column(section: str, following: str) -> list[str]:
    page = (ROOT / "docs" / "local-aws.md").read_text()
    table = page.partition(f"## {section}")[2].partition(f"## {following}")[0]
    return re.findall(r"^\| (.*?) \|", table, re.MULTILINE)


def rows_of_operations() -> list[tuple[list[str], str]]:
    """Return the operations of each row of the table, and what it says of them."""
    page = (ROOT / "docs" / "local-aws.md").read_text()
    table = page.partition("| operation | emulated")[2].partition("\n\n")[0]
    rows = re.findall(r"^\| ([A-Z].*?) \| (.*) \|$", table, re.MULTILINE)
    return [(re.findall(r"\w+", operations), said) for operations, said in rows]


def operations() -> dict[str, bool]:
    from lab.aws.ssm import ssm_service  # noqa: PLC0415

    return ssm_service.operations()


def test_every_operation_of_the_service_is_in_one_row_of_the_table() -> None:
    named = Counter(name for operations, _ in rows_of_operations() for name in operations)
    assert [name for name, times in named.items() if times > 1] == []
    assert set(named) == set(operations())


def test_the_table_says_of_every_operation_whether_it_is_emulated() -> None:
    said = {name: re.split("[:;]", text)[0] for operations, text in rows_of_operations() for name in operations}
    assert set(said.values()) == {"yes", "partly", "no"}
    assert {name: text != "no" for name, text in said.items()} == operations()


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
    import lab.aws.server  # noqa: F401, PLC0415 with all that it makes
    from lab.aws.cloudformation.completed import Completed  # noqa: PLC0415
    from lab.aws.cloudformation.resource import Resource  # noqa: PLC0415
    from lab.aws.moto_corrections import _is_known  # noqa: PLC0415

    named = set(types_named())
    assert {*types_of(Resource), *types_of(Completed)} <= named
    assert [one for one in named if not _is_known(one)] == []
