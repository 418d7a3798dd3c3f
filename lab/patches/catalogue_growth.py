"""Patches that come out as time goes on, without end: made up from a seed and rates, the same in every run.

A month's patches follow from the seed, the operating system and the month alone. It does not matter who asks, nor up to
when: whoever asks for more gets what is there, and what follows.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from patching.baseline import Patch
from patching.operating_system import PatchFamily

_NUMBER = re.compile(r"(?<![A-Za-z\d])\d+")
_TUESDAY = 1
SECOND_TUESDAY = "second-tuesday"
"""The day of a month on which Microsoft publishes."""


@dataclass(frozen=True)
class Rate:
    """How many patches of one kind come out.

    Attributes:
        a_month: how many a month on average.
        classification: their classification.
        severity: their severity.
        security: whether they are for security.
        chain: key of the chain of Windows' updates that each of them is the next one of; empty for a package by lot.
        title: what an update of Windows is called, with {month}, {kb} and {number} for what differs.
        day: `second-tuesday`, or empty for any day of the month.
    """

    a_month: float
    classification: str = ""
    severity: str = ""
    security: bool = False
    chain: str = ""
    title: str = ""
    day: str = ""


@dataclass(frozen=True)
class Growth:
    """How a catalogue grows.

    Attributes:
        seed: the same seed gives the same patches.
        since: the first month in which patches are made up.
        rates: how many of which kind.
    """

    seed: int
    since: datetime
    rates: tuple[Rate, ...]

    def releases(
        self,
        system: str,
        family: PatchFamily,
        packages: Sequence[Sequence[Patch]],
        keys: Sequence[str],
        month: datetime,
    ) -> Iterator[tuple[int, Patch, str]]:
        """Yield what comes out in a month, in order: of which package, the release, and what it is called.

        Args:
            system: the operating system.
            family: how it is patched.
            packages: the releases of each package so far, the newest last.
            keys: the packages' keys.
            month: the first moment of the month.
        """
        drawn = random.Random(f"{self.seed}:{system}:{month:%Y-%m}")  # noqa: S311 no secrets
        planned = [
            (self._moment(drawn, rate, month), rate)
            for rate in self.rates
            for _ in range(int(rate.a_month) + (drawn.random() < rate.a_month % 1))
        ]
        planned.sort(key=lambda one: one[0])
        newest = {place: one[-1] for place, one in enumerate(packages)}
        for number, (moment, rate) in enumerate(planned, 1):
            place = keys.index(rate.chain) if rate.chain else drawn.randrange(len(packages))
            # No two of one package come out at one time: their order would be anybody's guess.
            at = max(moment, newest[place].released + timedelta(minutes=1))
            made, title = _next(drawn, newest[place], rate, family, at, number)
            newest[place] = made
            yield place, made, title

    def _moment(self, drawn: random.Random, rate: Rate, month: datetime) -> datetime:
        if rate.day == SECOND_TUESDAY:
            day = 8 + (_TUESDAY - month.replace(day=8).weekday()) % 7
            return month.replace(day=day, hour=18)
        return month.replace(day=drawn.randint(1, 28), hour=drawn.randint(9, 20), minute=drawn.randint(0, 59))


def months(since: datetime, until: datetime) -> Iterator[datetime]:
    """Yield the first moment of each month from that of one time to that of another one, which is left out."""
    at = datetime(since.year, since.month, 1, tzinfo=UTC)
    while at < until:
        yield at
        at = next_month(at)


def next_month(at: datetime) -> datetime:
    """Return the first moment of the month after."""
    return datetime(at.year + at.month // 12, at.month % 12 + 1, 1, tzinfo=UTC)


def _next(
    drawn: random.Random, last: Patch, rate: Rate, family: PatchFamily, at: datetime, number: int
) -> tuple[Patch, str]:
    """Return the release that follows another one, and what it is called."""
    security = rate.security or rate.classification in ("Security", "SecurityUpdates", "CriticalUpdates")
    # The numbers of CVEs begin with a year that there was none in; those of updates with one that Microsoft has not.
    count = drawn.randint(1, 4) if security else 0
    cves = tuple(f"CVE-0000-{at:%y%m}{number:02}{place}" for place in range(1, count + 1))
    if family is PatchFamily.WINDOWS:
        name = f"KB95{at:%y%m}{number:02}"
        title = rate.title.format(month=f"{at:%Y-%m}", kb=name, number=f"{at:%y%m}{number:02}")
        made = Patch(
            name=name,
            version="",
            arch="",
            released=at,
            classification=rate.classification,
            severity=rate.severity,
            product=last.product,
            family=last.family,
            cves=cves,
        )
        return made, title
    version = following(last.version)
    apt = family is PatchFamily.APT
    made = Patch(
        name=last.name,
        version=version,
        arch=last.arch,
        released=at,
        classification=("Security" if security else "") if apt else rate.classification,
        severity=last.severity if apt else rate.severity,
        product=last.product,
        section=last.section,
        advisory="" if apt or not rate.classification else f"LABSA-{at:%Y}-{at:%m}{number:03}",
        cves=() if apt else cves,
        security=security,
    )
    return made, f"{made.name}.{made.arch}:{version}"


def has_number(version: str) -> bool:
    """Tell whether a version has a number that one could count on from."""
    return _NUMBER.search(version) is not None


def following(version: str) -> str:
    """Return the version after another one: its last number that is no part of a word is one higher."""
    (*_, match) = _NUMBER.finditer(version)
    return f"{version[: match.start()]}{int(match[0]) + 1}{version[match.end() :]}"
