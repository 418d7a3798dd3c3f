"""Patches that come out while a policy is rehearsed: made up, at the rates of the lab's catalogues.

The rates are said wherever their effect is shown. They are no vendor's; what counts is how two policies compare that
are given the same patches.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from lab.patches.catalogue import Catalogue, Image, Package
from lab.patches.catalogue_file import built_in
from lab.patches.catalogue_growth import SECOND_TUESDAY, Growth, Rate
from patching.baseline_words import system_in_words
from patching.operating_system import OperatingSystem
from review.errors import ReviewError
from review.rehearsal.plan import PlannedBaseline


def rates_in_words(systems: Iterable[OperatingSystem]) -> tuple[str, ...]:
    """Say from which rates the patches of these systems are made."""
    return tuple(
        f"{system_in_words(system)}, a month: {'; '.join(_in_words(rate) for rate in _growth(system).rates)}"
        for system in dict.fromkeys(systems)
    )


def catalogues(
    baselines: Iterable[PlannedBaseline], begin: datetime, end: datetime, seed: int
) -> tuple[Catalogue, ...]:
    """Return catalogues of the systems of some baselines, with what comes out between two times.

    The same seed gives the same patches for a system, whatever else there is. What is there at the beginning is
    installed on every node.

    Raises:
        ReviewError: an operating system for which the lab has no patches.
    """
    products: dict[OperatingSystem, str] = {}
    for one in baselines:
        products.setdefault(one.content.operating_system, _product(one))
    return tuple(_catalogue(system, products[system], begin, end, seed) for system in sorted(products))


def _catalogue(system: OperatingSystem, product: str, begin: datetime, end: datetime, seed: int) -> Catalogue:
    known = _known(system)
    packages = []
    for package in known.packages:
        newest = package.newest(begin)
        release = package.releases[max(newest, 0)]
        old = replace(release, product=product or release.product, released=min(release.released, begin))
        packages.append(Package(package.key, [old], [package.titles[max(newest, 0)]], package.feature))
    features = tuple(dict.fromkeys(one.feature for one in packages if one.feature))
    made = Catalogue(
        system,
        known.platform_name,
        known.platform_version,
        known.agent_version,
        (Image(f"rehearsal-{system}", system, (), begin, features),),
        tuple(packages),
        growth=Growth(seed, begin, _growth(system).rates),
    )
    made.grow(end)
    return made


def _known(system: OperatingSystem) -> Catalogue:
    found = next((one for one in built_in() if one.system is system and one.growth is not None), None)
    if found is None:
        names = ", ".join(sorted(system_in_words(one.system) for one in built_in() if one.growth is not None))
        raise ReviewError(f"{system_in_words(system)} cannot be rehearsed: the lab has patches for {names} only")
    return found


def _growth(system: OperatingSystem) -> Growth:
    growth = _known(system).growth
    assert growth is not None  # noqa: S101 it was looked for
    return growth


def _product(baseline: PlannedBaseline) -> str:
    """Return a product that the baseline lets through, so that its rules mean something; empty for the lab's own."""
    content = baseline.content
    filters = [*content.global_filters, *(one for rule in content.rules for one in rule.filters)]
    named = (value for one in filters if one.key == "PRODUCT" for value in one.values if value != "*")
    return next(named, "")


def _in_words(rate: Rate) -> str:
    kind = rate.classification or ("security" if rate.security else "without a notice")
    severity = f", {rate.severity}" if rate.severity not in ("", "None") else ""
    day = " on the second Tuesday" if rate.day == SECOND_TUESDAY else ""
    return f"{rate.a_month:g} {kind}{severity}{day}"
