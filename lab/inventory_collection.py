"""What AWS-GatherSoftwareInventory finds on a simulated node.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/inventory-schema.html. Packages and updates are
those of the node; its network and its processor are made up, and it has neither files nor a registry.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from lab.inventory_types import Entry, InventoryItem, aws_item, stamp
from lab.node import ManagedNode
from patching.operating_system import PatchFamily

_PUBLISHER = "Amazon Web Services"
_DISABLED = ("", "Disabled")


def collect(node: ManagedNode, wanted: Mapping[str, str], at: datetime) -> list[InventoryItem]:
    """Collect the types of inventory that are asked for, as far as the node's system has them.

    Args:
        node: the node.
        wanted: the parameters of the document; empty ones and those that say Disabled are left out.
        at: when.
    """
    windows = node.catalogue.system.family is PatchFamily.WINDOWS
    return [
        aws_item(name, at, find(node))
        for parameter, (name, find, only_windows) in _COLLECTED.items()
        if wanted.get(parameter, "") not in _DISABLED and (windows or not only_windows)
    ]


def _installed(node: ManagedNode, key: str) -> datetime:
    return node.installed_at.get(key, node.image_built)


def _applications(node: ManagedNode) -> Iterable[Entry]:
    if node.catalogue.system.family is PatchFamily.WINDOWS:
        yield {"Name": "Amazon SSM Agent", "Version": node.agent_version, **_of_agent(node)}
        return
    for package in node.catalogue.packages:
        index = node.installed.get(package.key)
        if index is not None:
            release = package.releases[index]
            epoch, _, rest = release.version.rpartition(":")
            version, _, number = rest.rpartition("-")
            yield {
                "Name": release.name,
                "ApplicationType": release.section,
                "Publisher": node.catalogue.platform_name,
                "Version": version or rest,
                "Release": number if version else "",
                "Epoch": epoch,
                "InstalledTime": stamp(_installed(node, package.key)),
                "Architecture": release.arch,
                "PackageId": package.titles[index],
            }


def _of_agent(node: ManagedNode) -> Entry:
    return {"Publisher": _PUBLISHER, "InstalledTime": stamp(node.image_built), "Architecture": "x86_64"}


def _components(node: ManagedNode) -> Iterable[Entry]:
    yield {"Name": "amazon-ssm-agent", "Version": node.agent_version, **_of_agent(node)}


def _network(node: ManagedNode) -> Iterable[Entry]:
    octets = [int(part) for part in node.ip.split(".")] if node.ip else [0, 0, 0, 0]
    yield {
        "Name": "Ethernet" if node.catalogue.system.family is PatchFamily.WINDOWS else "eth0",
        "MacAddress": "02:00:" + ":".join(f"{octet:02x}" for octet in octets),
        "IPV4": node.ip,
    }


def _windows_updates(node: ManagedNode) -> Iterable[Entry]:
    for package in node.catalogue.packages:
        index = node.installed.get(package.key)
        if index is not None:
            yield {
                "HotFixId": package.releases[index].name,
                "Description": package.releases[index].classification,
                "InstalledTime": stamp(_installed(node, package.key)),
                "InstalledBy": "NT AUTHORITY\\SYSTEM",
            }


def _details(node: ManagedNode) -> Iterable[Entry]:  # noqa: ARG001 as all that are collected
    yield {
        "CPUModel": "[simulated] processor",
        "CPUs": "2",
        "CPUCores": "1",
        "CPUSockets": "1",
        "CPUSpeedMHz": "2500",
        "CPUHyperThreadEnabled": "true",
    }


def _services(node: ManagedNode) -> Iterable[Entry]:
    yield {
        "Name": "AmazonSSMAgent",
        "DisplayName": "Amazon SSM Agent",
        "ServiceType": "Win32OwnProcess",
        "Status": "Running" if node.online else "Stopped",
        "StartType": "Automatic",
    }


def _roles(node: ManagedNode) -> Iterable[Entry]:
    for feature in node.features:
        yield {
            "Name": feature,
            "DisplayName": feature,
            "FeatureType": "Role",
            "Installed": "True",
            "InstalledState": "Installed",
        }


def _nothing(node: ManagedNode) -> Iterable[Entry]:  # noqa: ARG001 as all that are collected
    return ()


_COLLECTED: dict[str, tuple[str, Callable[[ManagedNode], Iterable[Entry]], bool]] = {
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
