"""Patches that come out as time goes on."""

from __future__ import annotations

import json
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import lab
from lab.patches.catalogue import Catalogue
from lab.patches.catalogue_file import parse
from lab.patches.catalogue_growth import following
from patching.operating_system import PatchFamily
from tests.lab.simulated import Lab, day

FILES = sorted((Path(lab.__file__).parent / "data" / "catalogue").glob("*.json"))


def read(file: Path, **growth: Any) -> Catalogue:
    data = json.loads(file.read_text(encoding="utf-8"))
    data["growth"] |= growth
    return parse(data)


def told(catalogue: Catalogue, until: str) -> list[tuple[Any, ...]]:
    return [
        (package.key, title, release)
        for package in catalogue.packages
        for release, title in zip(package.releases, package.titles, strict=True)
        if release.released < day(until)
    ]


@pytest.mark.parametrize("file", FILES, ids=lambda one: one.stem)
def test_patches_come_out_every_month_for_years(file: Path) -> None:
    grown = read(file)
    grown.grow(day("2031-01-01"))
    months = Counter(f"{release.released:%Y-%m}" for package in grown.packages for release in package.releases)
    # What is out of support gets one now and then.
    quiet = [f"{year}-{month:02}" for year in range(2027, 2031) for month in range(1, 13)]
    assert grown.growth
    often = sum(one.a_month for one in grown.growth.rates) > 1
    assert len([one for one in quiet if months[one]]) >= (40 if often else 20)
    for package in grown.packages:
        assert all(one.released < after.released for one, after in pairwise(package.releases)), package.key
    assert len({title for package in grown.packages for title in package.titles}) == sum(months.values())


@pytest.mark.parametrize("file", FILES, ids=lambda one: one.stem)
def test_the_same_seed_gives_the_same_patches_however_they_are_asked_for(file: Path) -> None:
    at_once, by_steps, others = read(file), read(file), read(file, seed=999)
    at_once.grow(day("2028-06-01"))
    for month in range(1, 13):
        by_steps.grow(day(f"2027-{month:02}-17"))
    by_steps.grow(day("2028-06-01"))
    by_steps.grow(day("2028-02-01"))
    others.grow(day("2028-06-01"))
    assert told(at_once, "2028-06-01") == told(by_steps, "2028-06-01")
    assert told(at_once, "2028-06-01") != told(others, "2028-06-01")


@pytest.mark.parametrize("file", FILES, ids=lambda one: one.stem)
def test_as_many_come_out_as_the_rates_say(file: Path) -> None:
    grown = read(file)
    assert grown.growth
    grown.grow(day("2037-02-27"))
    made = [
        release for package in grown.packages for release in package.releases if release.released > day("2027-02-28")
    ]
    months = 120
    assert len(made) / months == pytest.approx(sum(one.a_month for one in grown.growth.rates), rel=0.15, abs=0.2)
    for rate in grown.growth.rates:
        if rate.severity and grown.system.family is PatchFamily.RPM:
            found = [one for one in made if (one.classification, one.severity) == (rate.classification, rate.severity)]
            assert len(found) / months == pytest.approx(rate.a_month, abs=0.15)


@pytest.mark.parametrize("file", FILES, ids=lambda one: one.stem)
def test_every_rate_says_where_it_comes_from(file: Path) -> None:
    source = json.loads(file.read_text(encoding="utf-8"))["growth"]["source"]
    assert "https://" in source or "http://" in source or "ssumed" in source or "ounted" in source


def test_windows_updates_come_on_the_second_tuesday_and_follow_each_other() -> None:
    (file,) = (one for one in FILES if one.stem.startswith("windows"))
    grown = read(file)
    grown.grow(day("2028-03-01"))
    cumulative = next(one for one in grown.packages if "Cumulative Update for Microsoft" in one.titles[-1])
    later = [one for one in cumulative.releases if one.released > day("2027-03-01")]
    assert [one.released.date().isoformat() for one in later[:3]] == ["2027-03-09", "2027-04-13", "2027-05-11"]
    assert len(later) == 13
    assert len({one.name for one in cumulative.releases}) == len(cumulative.releases)


def test_the_clock_brings_new_patches_a_year_ahead() -> None:
    (file,) = (one for one in FILES if one.stem.startswith("debian"))
    lab = Lab(read(file), start="2026-11-16")
    node = lab.launch(lab.engine.catalogues[0].images[1].name)
    lab.clock.advance(day("2028-11-16"))
    lab.scan(node)
    assert node.states
    newest = max(one.patch.released for one in node.states.reports)
    assert day("2028-10-01") < newest <= lab.clock.now
    assert len([one for one in node.states.reports if one.state == "Missing"]) > 10


@pytest.mark.parametrize(
    ("version", "after"),
    [
        ("1.2.11-33.amzn2023.0.7", "1.2.11-33.amzn2023.0.8"),
        ("3.3.3843.0-1.amzn2023", "3.3.3843.0-2.amzn2023"),
        ("1:9.18.39-0ubuntu0.24.04.1", "1:9.18.39-0ubuntu0.24.04.2"),
        ("2.8.9", "2.8.10"),
    ],
)
def test_a_version_is_followed_by_the_next_one(version: str, after: str) -> None:
    assert following(version) == after
