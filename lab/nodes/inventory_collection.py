"""What AWS-GatherSoftwareInventory finds on a simulated node.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/inventory-schema.html. Packages and updates are
those of the node; its network and its processor are made up, and it has neither files nor a registry.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import overload

from lab.nodes.inventory_types import Entry, InventoryItem, aws_types, stamp
from lab.nodes.node import ManagedNode
from lab.patches.catalogue import Catalogue
from patching.operating_system import PatchFamily

_PUBLISHER = "Amazon Web Services"
_DISABLED = ("", "Disabled")


@dataclass(frozen=True)
class NodeFacts:
    """What a node is like when its inventory is collected: kept in the place of the entries, which are many."""

    catalogue: Catalogue
    image_built: datetime
    installed: Mapping[str, int]
    installed_at: Mapping[str, datetime]
    ip: str
    agent_version: str
    features: tuple[str, ...]

    def since(self, key: str) -> datetime:
        """Return when a package was installed."""
        return self.installed_at.get(key, self.image_built)


class CollectedEntries(Sequence[Entry]):
    """The entries of a type, made from what the node was like when somebody asks for them.

    Args:
        facts: what the node was like.
        find: makes the entries.
    """

    def __init__(self, facts: NodeFacts, find: Callable[[NodeFacts], Iterable[Entry]]) -> None:
        self._facts = facts
        self._find = find

    def _made(self) -> list[Entry]:
        return [{key: value for key, value in entry.items() if value} for entry in self._find(self._facts)]

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._made())

    def __len__(self) -> int:
        return len(self._made())

    @overload
    def __getitem__(self, place: int) -> Entry: ...

    @overload
    def __getitem__(self, place: slice) -> Sequence[Entry]: ...

    def __getitem__(self, place: int | slice) -> Entry | Sequence[Entry]:
        return self._made()[place]


def collect(node: ManagedNode, wanted: Mapping[str, str], at: datetime) -> list[InventoryItem]:
    """Collect the types of inventory that are asked for, as far as the node's system has them.

    Args:
        node: the node.
        wanted: the parameters of the document; empty ones and those that say Disabled are left out.
        at: when.
    """
    windows = node.catalogue.system.family is PatchFamily.WINDOWS
    facts = NodeFacts(
        node.catalogue,
        node.image_built,
        dict(node.installed),
        node.installed_at,
        node.ip,
        node.agent_version,
        node.features,
    )
    return [
        InventoryItem(name, aws_types()[name].version, stamp(at), CollectedEntries(facts, find))
        for parameter, (name, find, only_windows) in _COLLECTED.items()
        if wanted.get(parameter, "") not in _DISABLED and (windows or not only_windows)
    ]


def _applications(facts: NodeFacts) -> Iterable[Entry]:
    if facts.catalogue.system.family is PatchFamily.WINDOWS:
        yield {"Name": "Amazon SSM Agent", "Version": facts.agent_version, **_of_agent(facts)}
        return
    for package in facts.catalogue.packages:
        index = facts.installed.get(package.key)
        if index is not None:
            release = package.releases[index]
            epoch, _, rest = release.version.rpartition(":")
            version, _, number = rest.rpartition("-")
            yield {
                "Name": release.name,
                "ApplicationType": release.section,
                "Publisher": facts.catalogue.platform_name,
                "Version": version or rest,
                "Release": number if version else "",
                "Epoch": epoch,
                "InstalledTime": stamp(facts.since(package.key)),
                "Architecture": release.arch,
                "PackageId": package.titles[index],
            }


def _of_agent(facts: NodeFacts) -> Entry:
    return {"Publisher": _PUBLISHER, "InstalledTime": stamp(facts.image_built), "Architecture": "x86_64"}


def _components(facts: NodeFacts) -> Iterable[Entry]:
    yield {"Name": "amazon-ssm-agent", "Version": facts.agent_version, **_of_agent(facts)}


def _network(facts: NodeFacts) -> Iterable[Entry]:
    octets = [int(part) for part in facts.ip.split(".")] if facts.ip else [0, 0, 0, 0]
    yield {
        "Name": "Ethernet" if facts.catalogue.system.family is PatchFamily.WINDOWS else "eth0",
        "MacAddress": "02:00:" + ":".join(f"{octet:02x}" for octet in octets),
        "IPV4": facts.ip,
    }


def _windows_updates(facts: NodeFacts) -> Iterable[Entry]:
    for package in facts.catalogue.packages:
        index = facts.installed.get(package.key)
        if index is not None:
            yield {
                "HotFixId": package.releases[index].name,
                "Description": package.releases[index].classification,
                "InstalledTime": stamp(facts.since(package.key)),
                "InstalledBy": "NT AUTHORITY\\SYSTEM",
            }


def _details(facts: NodeFacts) -> Iterable[Entry]:  # noqa: ARG001 as all that are collected
    yield {
        "CPUModel": "[simulated] processor",
        "CPUs": "2",
        "CPUCores": "1",
        "CPUSockets": "1",
        "CPUSpeedMHz": "2500",
        "CPUHyperThreadEnabled": "true",
    }


def _services(facts: NodeFacts) -> Iterable[Entry]:  # noqa: ARG001 as all that are collected
    yield {
        "Name": "AmazonSSMAgent",
        "DisplayName": "Amazon SSM Agent",
        "ServiceType": "Win32OwnProcess",
        "Status": "Running",
        "StartType": "Automatic",
    }


def _roles(facts: NodeFacts) -> Iterable[Entry]:
    for feature in facts.features:
        yield {
            "Name": feature,
            "DisplayName": feature,
            "FeatureType": "Role",
            "Installed": "True",
            "InstalledState": "Installed",
        }


def _nothing(facts: NodeFacts) -> Iterable[Entry]:  # noqa: ARG001 as all that are collected
    return ()


_COLLECTED: dict[str, tuple[str, Callable[[NodeFacts], Iterable[Entry]], bool]] = {
    "applications": ("AWS:Application", _applications, False),
    "awsComponents": ("AWS:AWSComponent", _components, False),
    "networkConfig": ("AWS:Network", _network, False),
    "instanceDetailedInformation": ("AWS:InstanceDetailedInformation", _details, False),
    "windowsUpdates": ("AWS:WindowsUpdate", _windows_updates, True),
    "services": ("AWS:Service", _services, True),
    "windowsRoles": ("AWS:WindowsRole", _roles, True),
    "windowsRegistry": ("AWS:WindowsRegistry", _nothing, True),
    "files": ("AWS:File", _nothing, False),
}
"""What each parameter of the document collects, and whether it is for Windows only."""
