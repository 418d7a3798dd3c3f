"""Override lists: where one may lie, what may be in one, and which releases it names."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from patching.baseline import Patch
from patching.errors import InvalidValueError
from patching.findings import Location
from patching.install_override_list import InstallOverrideList, ListedPatch, OverrideListLocation, findings
from patching.operating_system import OperatingSystem
from tests.rows import each_row


@each_row(
    ("text", "bucket", "key", "public"),
    [
        ("s3://lists/prod/windows.yaml", "lists", "prod/windows.yaml", False),
        ("https://s3.eu-west-1.amazonaws.com/lists/a.yaml", "lists", "a.yaml", True),
        ("https://s3.amazonaws.com/lists/a.yaml", "lists", "a.yaml", True),
        ("https://s3-eu-west-1.amazonaws.com/lists/a.yaml", "lists", "a.yaml", True),
        ("https://s3.dualstack.eu-west-1.amazonaws.com/lists/a.yaml", "lists", "a.yaml", True),
        ("https://lists.s3.eu-west-1.amazonaws.com/prod/a.yaml", "lists", "prod/a.yaml", True),
    ],
)
def test_a_location_names_an_object(text: str, bucket: str, key: str, public: bool) -> None:
    assert OverrideListLocation.parse(text) == OverrideListLocation(bucket, key, public)


@each_row(
    ("text", "problem"),
    [
        ("list.yaml", "is not an object in S3"),
        ("http://s3.amazonaws.com/lists/a.yaml", "is not an object in S3"),
        ("https://example.com/lists/a.yaml", "is not an object in S3"),
        ("s3://lists", "is not an object in S3"),
        ("s3://lists/", "is not an object in S3"),
        ("s3://lists/prod/", "is not an object in S3"),
        ("s3://Lists/a.yaml", "is not an object in S3"),
        ("s3://lists/it's.yaml", "in its name"),
        ("s3://lists/$a.yaml", "in its name"),
        ("s3://lists/`a`.yaml", "in its name"),
        ("s3://lists/" + "a" * 246, "has 257 characters, but AWS takes 256"),
    ],
)
def test_what_is_no_location_is_refused(text: str, problem: str) -> None:
    with pytest.raises(InvalidValueError, match=problem):
        OverrideListLocation.parse(text)


def test_a_list_has_the_ids_and_titles_of_patches_and_more_that_is_for_people() -> None:
    text = "patches:\n- id: 'kernel.x86_64'\n- id: 'bash*'\n  title: '*:5.2-1'\n  severity: Critical\n"
    assert InstallOverrideList.parse(text).patches == (ListedPatch("kernel.x86_64"), ListedPatch("bash*", "*:5.2-1"))


@each_row(
    ("text", "where", "what"),
    [
        ("", (), "expected the key patches"),
        ("- id: a", (), "expected the key patches"),
        ("patches: []", ("patches",), "at least one entry"),
        ("patches: {id: a}", ("patches",), "expected a list"),
        ("patches: [kernel]", ("patches", 0), "'kernel' has no id"),
        ("patches: [{title: a}]", ("patches", 0), "has no id; write id:"),
        ("patches: [{id: 1234567}]", ("patches", 0, "id"), "1234567 is not text"),
        ("patches: [{id: a, title: 1.2}]", ("patches", 0, "title"), "1.2 is not text"),
        ("patches: [", (), "not YAML: .* in line 1 of the list"),
    ],
)
def test_what_is_no_list_is_named_with_its_place(text: str, where: Location, what: str) -> None:
    assert [one.location for one in findings(text)] == [where]
    with pytest.raises(InvalidValueError, match=what):
        InstallOverrideList.parse(text)


def patch(name: str, version: str, arch: str = "x86_64") -> Patch:
    return Patch(name=name, version=version, arch=arch, released=datetime(2026, 1, 1, tzinfo=UTC))


AMAZON = OperatingSystem.AMAZON_LINUX_2023


@each_row(
    ("entry", "named", "not_named"),
    [
        (ListedPatch("tool.x86_64"), patch("tool", "1-1"), patch("tool", "1-1", "noarch")),
        (ListedPatch("tool"), patch("tool", "1-1"), patch("tool-libs", "1-1")),
        (ListedPatch("tool*"), patch("tool-libs", "1-1"), patch("a-tool", "1-1")),
        (ListedPatch("*.noarch"), patch("tool", "1-1", "noarch"), patch("tool", "1-1")),
        (ListedPatch("tool*", "32:9.8-2"), patch("tool", "32:9.8-2"), patch("tool", "9.8-2")),
        (ListedPatch("tool*", "*32:9.8-*"), patch("tool", "32:9.8-3"), patch("tool", "32:9.9-3")),
        (ListedPatch("tool.x86_64", "tool.x86_64:0:9.8-2"), patch("tool", "9.8-2"), patch("tool", "9.8-3")),
        (ListedPatch("tool", "*.amzn2023"), patch("tool", "1-1.amzn2023"), patch("tool", "1-1")),
    ],
)
def test_on_linux_an_id_is_a_package_and_a_title_its_version(
    entry: ListedPatch, named: Patch, not_named: Patch
) -> None:
    assert entry.selects(named, AMAZON)
    assert not entry.selects(not_named, AMAZON)


def test_for_apt_a_title_is_the_version() -> None:
    entry = ListedPatch("apt.amd64", "*1.2.27")
    assert entry.selects(patch("apt", "1.2.27", "amd64"), OperatingSystem.UBUNTU)
    assert not entry.selects(patch("apt", "1.2.25", "amd64"), OperatingSystem.UBUNTU)


def test_on_windows_an_id_is_a_kb_number_whatever_the_title() -> None:
    entry = ListedPatch("kb5031364", "some other title")
    assert entry.selects(patch("KB5031364", "", ""), OperatingSystem.WINDOWS)
    assert not ListedPatch("KB50*").selects(patch("KB5031364", "", ""), OperatingSystem.WINDOWS)


def test_on_macos_an_id_is_a_name_with_or_without_a_version() -> None:
    release = patch("MRTConfigData", "1.61", "")
    for name in ("MRTConfigData", "MRTConfigData.1.61"):
        assert ListedPatch(name).selects(release, OperatingSystem.MACOS)
    assert not ListedPatch("MRTConfigData.1.62").selects(release, OperatingSystem.MACOS)


def test_a_list_names_what_one_of_its_entries_names() -> None:
    both = InstallOverrideList((ListedPatch("a"), ListedPatch("b")))
    assert [both.selects(patch(name, "1-1"), AMAZON) for name in ("a", "b", "c")] == [True, True, False]


@pytest.mark.parametrize("text", ["patches: !!bool maybe", "patches: !!int ''", "? [a\n", "\x00"])
def test_a_text_that_no_parser_reads_is_told(text: str) -> None:
    (found,) = findings(text)
    assert found.message.startswith("not YAML")
