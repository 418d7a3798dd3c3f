"""The catalogue of made-up patches."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest

import lab
from lab.patches.catalogue import Catalogue
from lab.patches.catalogue_file import built_in, parse
from patching.operating_system import OperatingSystem
from tests.lab.simulated import LINUX, WINDOWS, day

FILES = sorted((Path(lab.__file__).parent / "data" / "catalogue").glob("*.json"))


def _name(one: Catalogue | Path) -> str:
    return one.stem if isinstance(one, Path) else str(one.system)


@pytest.mark.parametrize("file", FILES, ids=_name)
def test_every_file_says_that_it_is_made_up(file: Path) -> None:
    assert "made up" in json.loads(file.read_text(encoding="utf-8"))["notice"]


@pytest.mark.parametrize("file", FILES, ids=_name)
def test_vulnerabilities_have_numbers_that_no_real_one_can_have(file: Path) -> None:
    data = json.loads(file.read_text(encoding="utf-8"))
    releases = data.get("updates") or [one for package in data["packages"] for one in package["releases"]]
    cves = [cve for one in releases for cve in one.get("cves", ())]
    cves += [cve for package in parse(data).packages for release in package.releases for cve in release.cves]
    assert all(cve.startswith("CVE-0000-") for cve in cves)


def test_there_is_a_catalogue_of_each_operating_system() -> None:
    assert sorted(one.system for one in built_in()) == sorted(OperatingSystem)


@pytest.mark.parametrize("catalogue", built_in(), ids=_name)
def test_releases_are_in_the_order_of_their_dates(catalogue: Catalogue) -> None:
    assert catalogue.packages
    for package in catalogue.packages:
        assert all(one.released < following.released for one, following in pairwise(package.releases)), package.key


@pytest.mark.parametrize("catalogue", built_in(), ids=_name)
def test_packages_and_releases_have_names_of_their_own(catalogue: Catalogue) -> None:
    keys = [package.key for package in catalogue.packages]
    titles = [title for package in catalogue.packages for title in package.titles]
    assert len(set(keys)) == len(keys)
    assert len(set(titles)) == len(titles)


@pytest.mark.parametrize("catalogue", built_in(), ids=_name)
def test_an_image_lacks_what_was_released_after_it_was_built(catalogue: Catalogue) -> None:
    catalogue.grow(day("2027-06-01"))
    for image in catalogue.images:
        installed = catalogue.installed_on(image)
        releases = {package.key: package.releases for package in catalogue.packages}
        assert all(releases[key][index].released <= image.built for key, index in installed.items())
        assert any(index + 1 < len(releases[key]) for key, index in installed.items()), "there is nothing to patch"


def test_images_and_their_parameters_are_not_shared() -> None:
    images = [image for catalogue in built_in() for image in catalogue.images]
    parameters = [parameter for image in images for parameter in image.parameters]
    assert len({image.name for image in images}) == len(images)
    assert len(set(parameters)) == len(parameters)
    assert all(image.parameters for image in images)


def test_the_newest_release_is_the_last_one_that_is_out() -> None:
    tool = next(package for package in LINUX.packages if package.key == "tool.x86_64")
    assert [tool.newest(day(at)) for at in ("2025-12-31", "2026-01-01", "2026-03-10", "2026-03-11", "2027-01-01")] == [
        -1,
        0,
        1,
        2,
        3,
    ]


def test_a_package_that_came_out_after_the_image_is_not_on_it() -> None:
    assert LINUX.installed_on(LINUX.images[0]) == {"tool.x86_64": 0, "plain.noarch": 0}


def test_updates_that_take_the_place_of_each_other_are_one_chain() -> None:
    (chain,) = WINDOWS.packages
    assert chain.key == "KB1"
    assert [release.name for release in chain.releases] == ["KB1", "KB2", "KB3"]
