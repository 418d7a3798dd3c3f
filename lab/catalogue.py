"""The lab's patches: what was released when, for each operating system, and what an image came with.

The catalogue is made up, as its files say of themselves: the names of packages are real, everything else is not.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from patching.baseline import Patch
from patching.operating_system import OperatingSystem, PatchFamily

_AGENT = "amazon-ssm-agent"
_FOLDER = Path(__file__).parent / "data" / "catalogue"


@dataclass(frozen=True)
class Image:
    """A machine image: whatever was released when it was built is installed.

    Attributes:
        name: the image's name.
        system: its operating system.
        parameters: public SSM parameters that hold its id.
        built: when.
        features: roles and features of Windows that are installed, such as Web-Server.
    """

    name: str
    system: OperatingSystem
    parameters: tuple[str, ...]
    built: datetime
    features: tuple[str, ...] = ()


@dataclass(frozen=True)
class Package:
    """A package, or a chain of updates of Windows of which each takes the place of the one before.

    Attributes:
        key: what identifies it.
        releases: in order of time and of version.
        titles: what each release is called in reports.
        feature: role or feature of Windows that it updates; empty for one that every node has.
    """

    key: str
    releases: tuple[Patch, ...]
    titles: tuple[str, ...]
    feature: str = ""

    def newest(self, at: datetime) -> int:
        """Return the index of the newest release at a time, or -1 if there was none yet."""
        newest = -1
        for index, release in enumerate(self.releases):
            if release.released > at:
                break
            newest = index
        return newest


@dataclass(frozen=True)
class Catalogue:
    """The releases of one operating system."""

    system: OperatingSystem
    platform_name: str
    platform_version: str
    agent_version: str
    images: tuple[Image, ...]
    packages: tuple[Package, ...]
    revision: int = 0
    """How often patches were added to it."""

    @property
    def agent_package(self) -> Package | None:
        """The package that SSM Agent comes as, if it comes as one."""
        return next((one for one in self.packages if one.releases[0].name == _AGENT), None)

    def installed_on(self, image: Image) -> dict[str, int]:
        """Return the release of each package that a node has when it is launched from an image."""
        installed = {
            package.key: package.newest(image.built)
            for package in self.packages
            if not package.feature or package.feature in image.features
        }
        return {key: index for key, index in installed.items() if index >= 0}


def agent_version(package_version: str) -> str:
    """Return the agent's version that a version of its package is: 3.3.2958.0 of 3.3.2958.0-1.amzn2023."""
    return package_version.partition("-")[0]


def agent_versions(catalogues: Iterable[Catalogue], at: datetime) -> list[str]:
    """Return the versions of SSM Agent that there were at a time, as far as the catalogues tell, the oldest first."""
    found = set()
    for one in catalogues:
        package = one.agent_package
        packaged = package.releases[: package.newest(at) + 1] if package else ()
        found |= {one.agent_version, *(agent_version(release.version) for release in packaged)}
    return sorted(found, key=lambda version: [int(part) for part in version.split(".")])


def parse(data: dict[str, Any]) -> Catalogue:
    """Read a catalogue from its JSON form."""
    system = OperatingSystem(data["operating_system"])
    packages = (
        _update_chains(data["updates"])
        if system.family is PatchFamily.WINDOWS
        else tuple(_package(entry, data["product"], system) for entry in data["packages"])
    )
    return Catalogue(
        system=system,
        platform_name=data["platform_name"],
        platform_version=data["platform_version"],
        agent_version=data["agent_version"],
        images=tuple(
            Image(
                image["name"],
                system,
                tuple(image["parameters"]),
                datetime.fromisoformat(image["built"]),
                tuple(image.get("features", ())),
            )
            for image in data["images"]
        ),
        packages=packages,
    )


@lru_cache
def built_in() -> tuple[Catalogue, ...]:
    """Return the catalogues that come with the lab."""
    return tuple(parse(json.loads(path.read_text(encoding="utf-8"))) for path in sorted(_FOLDER.glob("*.json")))


def _package(entry: dict[str, Any], product: str, system: OperatingSystem) -> Package:
    apt = system.family is PatchFamily.APT
    name, arch = entry["name"], entry["arch"]
    releases = tuple(
        Patch(
            name=name,
            version=release["version"],
            arch=arch,
            released=datetime.fromisoformat(release["released"]),
            # Of an apt package the archive tells only where it came from; its priority stands in for a severity.
            classification=("Security" if release.get("security") else "")
            if apt
            else release.get("classification", ""),
            severity=entry["priority"] if apt else release.get("severity", ""),
            product=product,
            section=entry.get("section", ""),
            advisory=release.get("advisory", ""),
            cves=tuple(release.get("cves", ())),
            security=release.get("security", False),
        )
        for release in entry["releases"]
    )
    return Package(f"{name}.{arch}", releases, tuple(f"{name}.{arch}:{release.version}" for release in releases))


def _update_chains(updates: list[dict[str, Any]]) -> tuple[Package, ...]:
    """Put updates that supersede each other into one chain, in order."""
    chains: dict[str, list[dict[str, Any]]] = {}
    chain_of: dict[str, str] = {}
    for update in sorted(updates, key=lambda one: str(one["released"])):
        chain = next((chain_of[kb] for kb in update.get("supersedes", ()) if kb in chain_of), update["kb"])
        chains.setdefault(chain, []).append(update)
        chain_of[update["kb"]] = chain
    return tuple(
        Package(
            chain,
            tuple(
                Patch(
                    name=update["kb"],
                    version="",
                    arch="",
                    released=datetime.fromisoformat(update["released"]),
                    classification=update["classification"],
                    severity=update["severity"],
                    product=update["product"],
                    family=update["family"],
                    cves=tuple(update.get("cves", ())),
                )
                for update in members
            ),
            tuple(update["title"] for update in members),
            members[0].get("feature", ""),
        )
        for chain, members in chains.items()
    )
