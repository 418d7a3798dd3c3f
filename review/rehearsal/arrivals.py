"""Patches that come out while a policy is rehearsed: made up, at rates that are said wherever their effect is shown.

No vendor publishes such rates. These are round numbers of the size that a server sees in a month; only how they compare
matters for a rehearsal, as two policies are given the same patches.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from lab.catalogue import Catalogue, Image, Package
from patching.baseline import Patch
from patching.baseline_words import system_in_words
from patching.operating_system import OperatingSystem, PatchFamily
from review.rehearsal.plan import PlannedBaseline

A_MONTH = timedelta(days=30)
_BEFORE = timedelta(days=60)
_PACKAGES = 40
_TUESDAY = 1


@dataclass(frozen=True)
class Rate:
    """How often patches of a kind come out for one operating system.

    Attributes:
        classification: the vendor's.
        severity: the vendor's.
        a_month: how many come out in 30 days, on average; at any time.
        on_patch_tuesday: how many come out on the second Tuesday of a month instead.
    """

    classification: str
    severity: str
    a_month: float = 0
    on_patch_tuesday: int = 0

    def in_words(self) -> str:
        """Say it."""
        what = f"{self.classification} patches" + (f" ({self.severity})" if self.severity not in ("", "None") else "")
        if self.on_patch_tuesday:
            return f"{self.on_patch_tuesday} {what} on every second Tuesday of a month"
        return f"{self.a_month:g} {what} in 30 days"


RATES: dict[PatchFamily, tuple[Rate, ...]] = {
    PatchFamily.RPM: (
        Rate("Security", "Critical", 1),
        Rate("Security", "Important", 5),
        Rate("Security", "Moderate", 5),
        Rate("Security", "Low", 2),
        Rate("Bugfix", "None", 3),
    ),
    PatchFamily.APT: (
        Rate("Security", "Required", 1),
        Rate("Security", "Important", 3),
        Rate("Security", "Optional", 6),
    ),
    PatchFamily.WINDOWS: (
        Rate("SecurityUpdates", "Critical", on_patch_tuesday=1),
        Rate("SecurityUpdates", "Important", on_patch_tuesday=1),
        Rate("CriticalUpdates", "Critical", 0.25),
    ),
    PatchFamily.MACOS: (Rate("Security", "", 1),),
}
_PRODUCTS = {
    OperatingSystem.AMAZON_LINUX_2: "AmazonLinux2",
    OperatingSystem.AMAZON_LINUX_2023: "AmazonLinux2023",
    OperatingSystem.UBUNTU: "Ubuntu24.04",
    OperatingSystem.WINDOWS: "WindowsServer2022",
}


def rates_in_words(systems: Iterable[OperatingSystem]) -> tuple[str, ...]:
    """Say from which rates the patches of these systems are made."""
    found: dict[PatchFamily, list[str]] = {}
    for system in dict.fromkeys(systems):
        found.setdefault(system.family, []).append(system_in_words(system))
    return tuple(
        f"{', '.join(names)}: {'; '.join(rate.in_words() for rate in RATES[family])}" for family, names in found.items()
    )


def catalogues(
    baselines: Iterable[PlannedBaseline], begin: datetime, end: datetime, seed: int
) -> tuple[Catalogue, ...]:
    """Return made-up catalogues of the systems of some baselines, with what comes out between two times.

    The same seed gives the same patches for a system, whatever else there is.
    """
    products: dict[OperatingSystem, str] = {}
    for one in baselines:
        system = one.content.operating_system
        products.setdefault(system, _product(one) or _PRODUCTS.get(system, str(system)))
    return tuple(_catalogue(system, products[system], begin, end, seed) for system in sorted(products))


def _product(baseline: PlannedBaseline) -> str:
    """Return a product that the baseline lets through, so that its rules mean something."""
    content = baseline.content
    filters = [*content.global_filters, *(one for rule in content.rules for one in rule.filters)]
    named = (value for one in filters if one.key == "PRODUCT" for value in one.values if value != "*")
    return next(named, "")


def _catalogue(system: OperatingSystem, product: str, begin: datetime, end: datetime, seed: int) -> Catalogue:
    chance = random.Random(f"{seed} {system}")  # noqa: S311 made-up patches, not secrets
    releases: dict[int, list[Patch]] = {}
    for number, (at, rate) in enumerate(sorted(_moments(system, begin, end, chance), key=lambda one: one[0])):
        package = number % _PACKAGES if system.family is PatchFamily.WINDOWS else chance.randrange(_PACKAGES)
        releases.setdefault(package, []).append(
            _patch(system, product, package, len(releases.get(package, ())) + 1, at, rate)
        )
    old = begin - _BEFORE
    packages = []
    for number, patches in sorted(releases.items()):
        # Every node has the version that was there before; it is long installed when the rehearsal begins.
        first = _patch(system, product, number, 0, old, RATES[system.family][-1])
        chain = [first, *patches]
        titles = [f"{one.name} {one.version}".strip() for one in chain]
        packages.append(Package(f"package-{number:02}", chain, titles))
    image = Image(f"rehearsal-{system}", system, (), begin)
    return Catalogue(system, system_in_words(system), "rehearsal", "3.3.0.0", (image,), tuple(packages))


def _moments(
    system: OperatingSystem, begin: datetime, end: datetime, chance: random.Random
) -> Iterator[tuple[datetime, Rate]]:
    for rate in RATES[system.family]:
        if rate.a_month:
            at = begin
            while True:
                at += A_MONTH * chance.expovariate(rate.a_month)
                if at >= end:
                    break
                yield at, rate
        for day in _second_tuesdays(begin, end):
            for _ in range(rate.on_patch_tuesday):
                yield day, rate


def _second_tuesdays(begin: datetime, end: datetime) -> Sequence[datetime]:
    days = ((begin + timedelta(days=number)) for number in range((end - begin).days + 1))
    evenings = (day.astimezone(UTC).replace(hour=17, minute=0, second=0, microsecond=0) for day in days)
    return [one for one in evenings if one.weekday() == _TUESDAY and 8 <= one.day <= 14 and begin <= one < end]  # noqa: PLR2004


def _patch(system: OperatingSystem, product: str, package: int, number: int, at: datetime, rate: Rate) -> Patch:
    windows = system.family is PatchFamily.WINDOWS
    apt = system.family is PatchFamily.APT
    return Patch(
        name=f"KB{9_000_000 + package * 1000 + number}" if windows else f"package-{package:02}",
        version="" if windows else f"1.{number}-1",
        arch="" if windows else "x86_64",
        released=at.replace(microsecond=0),
        classification=rate.classification,
        severity=rate.severity,
        product=product,
        family="Windows" if windows else "",
        advisory="" if windows or apt else f"MADE-UP-{package:02}-{number}",
        security=apt,
    )
