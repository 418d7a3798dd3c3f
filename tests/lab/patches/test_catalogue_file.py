"""A catalogue of one's own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lab.patches.catalogue_file import built_in, read, with_own
from lab.world.errors import LabError
from patching.operating_system import OperatingSystem

IMAGE = {"name": "mine", "parameters": ["/mine/image"], "built": "2026-11-01T00:00:00Z"}
RELEASE = {"version": "1.0-1", "released": "2026-10-01T00:00:00Z"}
PACKAGE = {"name": "tool", "arch": "x86_64", "releases": [RELEASE]}
LINUX: dict[str, Any] = {
    "operating_system": "ROCKY_LINUX",
    "product": "RockyLinux9.4",
    "platform_name": "Rocky Linux",
    "platform_version": "9.4",
    "agent_version": "3.3.0.0",
    "images": [IMAGE],
    "packages": [PACKAGE],
}
RATE = {"a_month": 2, "classification": "Security", "severity": "Critical"}
GROWTH = {"source": "Mine.", "since": "2026-11-01T00:00:00Z", "rates": [RATE]}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "mine.json"


def problems(file: Path, data: Any) -> list[str]:
    file.write_text(data if isinstance(data, str) else json.dumps(data), encoding="utf-8")
    with pytest.raises(LabError) as error:
        read(str(file))
    return [line.removeprefix(f"{file}: ") for line in str(error.value).splitlines()]


def test_ones_own_takes_the_place_of_the_same_system(file: Path) -> None:
    file.write_text(json.dumps({**LINUX, "growth": GROWTH}), encoding="utf-8")
    (own,) = read(str(file))
    assert [one.key for one in own.packages] == ["tool.x86_64"]
    found = with_own([own])
    assert [one for one in found if one.system == "ROCKY_LINUX"] == [own]
    assert {one.system for one in found} == set(OperatingSystem)
    assert len(found) == len(built_in())


def test_several_come_as_a_list(file: Path) -> None:
    file.write_text(json.dumps([LINUX, {**LINUX, "operating_system": "ALMA_LINUX"}]), encoding="utf-8")
    assert [one.system for one in read(str(file))] == ["ROCKY_LINUX", "ALMA_LINUX"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"operating_system": "BEOS"}, "operating_system: input should be "),
        ({"packages": []}, "ROCKY_LINUX has packages, at least one, and no updates"),
        ({"colour": "red"}, "colour: extra inputs are not permitted; got 'red'"),
        ({"images": [{**IMAGE, "built": "yesterday"}]}, "images[0].built: input should be a valid datetime"),
        ({"images": [{**IMAGE, "built": "2026-11-01T00:00:00"}]}, "images[0].built: input should have timezone info"),
        ({"packages": [{"name": "tool", "arch": "x86_64"}]}, "packages[0].releases: field required"),
        (
            {"packages": [{**PACKAGE, "releases": [RELEASE, RELEASE]}]},
            "packages[0]: the releases of tool are not in the",
        ),
        ({"packages": [PACKAGE, PACKAGE]}, "tool.x86_64 more than once"),
        ({"agent_version": "new"}, "agent_version: string should match pattern"),
        ({"growth": {**GROWTH, "rates": [{**RATE, "a_month": 0}]}}, "growth.rates[0].a_month: input should be greater"),
        ({"growth": {**GROWTH, "rates": [{**RATE, "chain": "KB1"}]}}, "growth: chain and title are Windows' only"),
        (
            {"growth": GROWTH, "packages": [{**PACKAGE, "releases": [{**RELEASE, "version": "next"}]}]},
            "growth: the version 'next' of tool has no number to count on from",
        ),
    ],
)
def test_what_is_wrong_is_told_on_a_line_with_its_place(file: Path, changes: dict[str, Any], expected: str) -> None:
    (line,) = problems(file, {**LINUX, **changes})
    assert line.startswith(expected)


def test_all_that_is_wrong_is_told(file: Path) -> None:
    assert len(problems(file, [{**LINUX, "platform_name": "", "images": []}, 7])) == 3


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{", "no JSON: "),
        ("[]", "a list with no catalogue in it"),
        (json.dumps([LINUX, LINUX]), "ROCKY_LINUX has more than one catalogue"),
        ("7", "input should be a valid dictionary"),
    ],
)
def test_a_file_that_is_no_catalogue_is_refused(file: Path, text: str, expected: str) -> None:
    assert problems(file, text)[0].startswith(expected)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(LabError, match=r"gone.json: No such file or directory"):
        read(str(tmp_path / "gone.json"))
