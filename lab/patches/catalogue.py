"""The lab's patches: what was released when, for each operating system, and what an image came with.

The catalogue is made up, as its files say of themselves: the names of packages are real, everything else is not.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from lab.patches.catalogue_growth import Growth, months, next_month
from patching.baseline import Patch
from patching.operating_system import OperatingSystem

_AGENT = "amazon-ssm-agent"


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


@dataclass(frozen=True, eq=False)
class Package:
    """A package, or a chain of updates of Windows of which each takes the place of the one before.

    Attributes:
        key: what identifies it.
        releases: in order of time and of version.
        titles: what each release is called in reports.
        feature: role or feature of Windows that it updates; empty for one that every node has.
    """

    key: str
    releases: list[Patch]
    titles: list[str]
    feature: str = ""

    def newest(self, at: datetime) -> int:
        """Return the index of the newest release at a time, or -1 if there was none yet."""
        return bisect_right(self.releases, at, key=lambda release: release.released) - 1


@dataclass(eq=False)
class Catalogue:
    """The releases of one operating system.

    Attributes:
        system: the operating system.
        platform_name: what the agent calls it.
        platform_version: its version.
        agent_version: version of the agent, where it does not come as a package.
        images: what nodes are launched from.
        packages: its packages, or chains of updates.
        growth: how patches come out after those that are listed; None if none do.
    """

    system: OperatingSystem
    platform_name: str
    platform_version: str
    agent_version: str
    images: tuple[Image, ...]
    packages: tuple[Package, ...]
    growth: Growth | None = None
    revision: int = 0
    """How often patches were added to it."""

    known_until: datetime | None = None
    """Up to when its growth has been worked out."""

    def grow(self, until: datetime) -> None:
        """Have all patches that come out up to a time, and those of the rest of its month."""
        if self.growth is None or (self.known_until is not None and until < self.known_until):
            return
        keys = [package.key for package in self.packages]
        for month in months(self.known_until or self.growth.since, until + timedelta(minutes=1)):
            releases = [package.releases for package in self.packages]
            made = list(self.growth.releases(self.system, self.system.family, releases, keys, month))
            for place, release, title in made:
                self.packages[place].releases.append(release)
                self.packages[place].titles.append(title)
            self.known_until = next_month(month)
            self.revision += 1

    @cached_property
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
