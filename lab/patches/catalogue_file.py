"""Catalogues as JSON files: those that come with the lab, and those of whoever has their own.

`docs/local-aws.md` describes the format. The built-in ones say of themselves that they are made up.
"""

from __future__ import annotations

import json
from datetime import UTC
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from lab.patches.catalogue import Catalogue, Image, Package
from lab.patches.catalogue_growth import Growth, Rate, has_number
from lab.world.errors import LabError
from patching.baseline import Patch
from patching.operating_system import OperatingSystem, PatchFamily

_FOLDER = Path(__file__).parents[1] / "data" / "catalogue"
_LARGEST = 50_000_000
Name = Annotated[str, Field(min_length=1, max_length=300)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Image(_Part):
    name: Name
    parameters: tuple[Name, ...] = ()
    built: AwareDatetime
    features: tuple[Name, ...] = ()


class _Release(_Part):
    version: Name
    released: AwareDatetime
    classification: str = ""
    severity: str = ""
    advisory: str = ""
    cves: tuple[Name, ...] = ()
    security: bool = False


class _Package(_Part):
    name: Name
    arch: Name
    section: str = ""
    priority: str = ""
    releases: Annotated[tuple[_Release, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        times = [one.released for one in self.releases]
        if sorted(set(times)) != times:
            message = f"the releases of {self.name} are not in the order of their dates, each on its own"
            raise ValueError(message)
        return self


class _Update(_Part):
    kb: Name
    title: Name
    released: AwareDatetime
    classification: Name
    severity: str = ""
    family: str = "Windows"
    product: Name
    supersedes: tuple[Name, ...] = ()
    cves: tuple[Name, ...] = ()
    feature: str = ""


class _Rate(_Part):
    a_month: Annotated[float, Field(gt=0, le=500)]
    classification: str = ""
    severity: str = ""
    security: bool = False
    chain: str = ""
    title: str = ""
    day: Literal["", "second-tuesday"] = ""


class _Growth(_Part):
    source: Annotated[str, Field(min_length=1, max_length=2_000)]
    seed: int = 0
    since: AwareDatetime
    rates: Annotated[tuple[_Rate, ...], Field(min_length=1)]


class _Catalogue(_Part):
    notice: str = ""
    operating_system: OperatingSystem
    product: str = ""
    platform_name: Name
    platform_version: Name
    agent_version: Annotated[str, Field(pattern=r"^\d+(\.\d+)*$")]
    images: Annotated[tuple[_Image, ...], Field(min_length=1)]
    packages: tuple[_Package, ...] = ()
    updates: tuple[_Update, ...] = ()
    growth: _Growth | None = None

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        windows = self.operating_system.family is PatchFamily.WINDOWS
        wanted, other = ("updates", "packages") if windows else ("packages", "updates")
        if not getattr(self, wanted) or getattr(self, other):
            message = f"{self.operating_system} has {wanted}, at least one, and no {other}"
            raise ValueError(message)
        names = [f"{one.name}.{one.arch}" for one in self.packages] + [one.kb for one in self.updates]
        double = sorted({one for one in names if names.count(one) > 1}) if len(set(names)) < len(names) else []
        if double:
            message = f"{', '.join(double)} more than once"
            raise ValueError(message)
        first = {one.kb for one in self.updates if not set(one.supersedes) & set(names)}
        for rate in self.growth.rates if self.growth else ():
            if windows and (rate.chain not in first or not rate.title):
                what = "a title and, as its chain, a KB of the list that supersedes no other"
                message = f"growth: a rate of Windows needs {what}; got {rate.chain!r}"
                raise ValueError(message)
            if not windows and (rate.chain or rate.title):
                message = "growth: chain and title are Windows' only"
                raise ValueError(message)
        for one in self.packages if self.growth else ():
            if not has_number(one.releases[-1].version):
                message = (
                    f"growth: the version {one.releases[-1].version!r} of {one.name} has no number to count on from"
                )
                raise ValueError(message)
        return self


def parse(data: Any) -> Catalogue:  # noqa: ANN401 what a JSON file holds
    """Read a catalogue from its JSON form.

    Raises:
        ValidationError: it is none.
    """
    return _made(_Catalogue.model_validate(data))


def read(path: str) -> list[Catalogue]:
    """Read a file with a catalogue, or with a list of them.

    Raises:
        LabError: it cannot be read, or is no catalogue. Its text has one line for each thing that is wrong.
    """
    try:
        text = Path(path).read_bytes()[: _LARGEST + 1]
        if len(text) > _LARGEST:
            raise LabError(f"{path}: larger than {_LARGEST // 1_000_000} MB")
        data = json.loads(text)
    except OSError as error:
        raise LabError(f"{path}: {error.strerror or error}") from None
    except (ValueError, RecursionError) as error:
        raise LabError(f"{path}: no JSON: {error}") from None
    found, problems = [], []
    several = isinstance(data, list)
    for place, one in enumerate(data if several else [data]):
        try:
            found.append(parse(one))
        except ValidationError as error:
            # A list whose only member is wrong is, to pydantic, too short as well.
            told = [one for one in error.errors() if one["type"] != "too_short" or not one["input"]]
            problems += [_problem(path, one, f"[{place}]" if several else "") for one in told]
    systems = [one.system for one in found]
    problems += [
        f"{path}: {one} has more than one catalogue" for one in sorted({x for x in systems if systems.count(x) > 1})
    ]
    if not found and not problems:
        problems.append(f"{path}: a list with no catalogue in it")
    if problems:
        raise LabError("\n".join(problems))
    return found


@lru_cache
def built_in() -> tuple[Catalogue, ...]:
    """Return the catalogues that come with the lab, one for each operating system that Patch Manager knows."""
    return tuple(parse(json.loads(path.read_text(encoding="utf-8"))) for path in sorted(_FOLDER.glob("*.json")))


def with_own(own: list[Catalogue]) -> tuple[Catalogue, ...]:
    """Return the catalogues that come with the lab, those of somebody's own in the place of the same system's."""
    theirs = {one.system for one in own}
    return (*own, *(one for one in built_in() if one.system not in theirs))


def _problem(path: str, error: Any, before: str) -> str:  # noqa: ANN401 pydantic's description of an error
    where = before + "".join(f"[{one}]" if isinstance(one, int) else f".{one}" for one in error["loc"])
    got = "" if error["type"] in ("missing", "value_error") else f"; got {str(error['input'])[:80]!r}"
    message = str(error["msg"])
    own = message.removeprefix("Value error, ")
    message = own if own != message else f"{message[:1].lower()}{message[1:]}"
    return f"{path}: {where.lstrip('.') + ': ' if where else ''}{message}{got}"


def _made(data: _Catalogue) -> Catalogue:
    system = data.operating_system
    made = Catalogue(
        system=system,
        platform_name=data.platform_name,
        platform_version=data.platform_version,
        agent_version=data.agent_version,
        images=tuple(
            Image(one.name, system, one.parameters, one.built.astimezone(UTC), one.features) for one in data.images
        ),
        packages=_update_chains(data.updates)
        if system.family is PatchFamily.WINDOWS
        else tuple(_package(one, data.product, system) for one in data.packages),
        growth=Growth(
            data.growth.seed,
            data.growth.since.astimezone(UTC),
            tuple(Rate(**one.model_dump()) for one in data.growth.rates),
        )
        if data.growth
        else None,
    )
    made.grow(max(one.built for one in data.images))
    return made


def _package(entry: _Package, product: str, system: OperatingSystem) -> Package:
    apt = system.family is PatchFamily.APT
    releases = [
        Patch(
            name=entry.name,
            version=release.version,
            arch=entry.arch,
            released=release.released.astimezone(UTC),
            # Of an apt package the archive tells only where it came from; its priority stands in for a severity.
            classification=("Security" if release.security else "") if apt else release.classification,
            severity=entry.priority if apt else release.severity,
            product=product,
            section=entry.section,
            advisory=release.advisory,
            cves=release.cves,
            security=release.security,
        )
        for release in entry.releases
    ]
    key = f"{entry.name}.{entry.arch}"
    return Package(key, releases, [f"{key}:{release.version}" for release in releases])


def _update_chains(updates: tuple[_Update, ...]) -> tuple[Package, ...]:
    """Put updates that supersede each other into one chain, in order."""
    chains: dict[str, list[_Update]] = {}
    chain_of: dict[str, str] = {}
    for update in sorted(updates, key=lambda one: one.released):
        chain = next((chain_of[kb] for kb in update.supersedes if kb in chain_of), update.kb)
        chains.setdefault(chain, []).append(update)
        chain_of[update.kb] = chain
    return tuple(
        Package(
            chain,
            [
                Patch(
                    name=update.kb,
                    version="",
                    arch="",
                    released=update.released.astimezone(UTC),
                    classification=update.classification,
                    severity=update.severity,
                    product=update.product,
                    family=update.family,
                    cves=update.cves,
                )
                for update in members
            ],
            [update.title for update in members],
            members[0].feature,
        )
        for chain, members in chains.items()
    )
