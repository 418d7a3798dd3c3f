"""A fleet of any size, there at once: instances of many operating systems, with the tags that policies select by.

They are copies of a few instances that moto launched, so that 50,000 of them take seconds. What they share is kept
once: see `PopulatedInstance`. They have no volumes of their own.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from moto.ec2.models import EC2Backend, ec2_backends
from moto.ec2.models.elastic_network_interfaces import NetworkInterface
from moto.ec2.models.instances import Instance, Reservation
from moto.iam.models import iam_backends

from lab.aws.account.account import ACCOUNT, Account
from lab.patches.catalogue import Catalogue, Image
from lab.world.errors import LabError
from patching.operating_system import OperatingSystem, PlatformType

MOST = 60_000
"""How many nodes one Region takes."""

ROLE = "patchops-lab-node"
"""The role of the nodes, and the name of their instance profile."""

ENVIRONMENT = "lab"
_PROD_SHARE = 0.8
_CORE = (
    "ec2messages:*",
    "ssm:DescribeAssociation",
    "ssm:GetDeployablePatchSnapshotForInstance",
    "ssm:GetDocument",
    "ssm:ListAssociations",
    "ssm:ListInstanceAssociations",
    "ssm:PutComplianceItems",
    "ssm:PutInventory",
    "ssm:UpdateAssociationStatus",
    "ssm:UpdateInstanceAssociationStatus",
    "ssm:UpdateInstanceInformation",
    "ssmmessages:*",
)
_OUTPUT = ("kms:GenerateDataKey", "logs:*", "s3:GetEncryptionConfiguration", "s3:GetObject", "s3:PutObject")
_OWN = ("id", "nics", "launch_time", "_state", "_reason", "state_reason", "_touched", "_prototype")
"""What a populated instance has of its own while nobody has changed anything else of it."""


class PopulatedInstance(Instance):
    """An instance that is like another one but for its id, its network interface and its state.

    What it has not of its own it has of its prototype, until somebody changes it.
    """

    def __new__(cls, *_: Any) -> PopulatedInstance:  # noqa: ANN401, PYI034 as object's
        # Not as moto makes its instances, which keeps them for ever.
        return object.__new__(cls)

    def __init__(self, prototype: Instance, number: int) -> None:
        own = self.__dict__
        own["_prototype"], own["_touched"] = prototype, False
        own["id"] = f"i-{_scattered(number, 0, prototype.region_name):017x}"
        own["nics"] = {0: _interface(prototype.nics[0], self, number)}
        own["_state"] = prototype._state.__class__("running", 16)  # noqa: SLF001

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 whatever the prototype has
        if name.startswith("__") or "_prototype" not in self.__dict__:
            raise AttributeError(name)
        return getattr(self.__dict__["_prototype"], name)

    def __setattr__(self, name: str, value: Any) -> None:  # noqa: ANN401 as above
        if name not in _OWN:
            self.__dict__["_touched"] = True
        self.__dict__[name] = value

    def __del__(self) -> None:
        """Leave nothing behind: its address was never taken from its subnet."""

    @property
    def prototype(self) -> Instance:
        """The instance that it is like."""
        return self.__dict__["_prototype"]

    @property
    def plain(self) -> bool:
        """Tell whether nobody has changed anything but its tags and its state."""
        interface = self.nics[0]
        return not (
            self.__dict__["_touched"]
            or self.block_device_mapping
            or len(self.nics) != 1
            or interface._group_set is not self.prototype.nics[0]._group_set  # noqa: SLF001
            or not interface.public_ip
        )

    @property
    def block_device_mapping(self) -> dict[str, Any]:
        """Its volumes: none, until somebody attaches one."""
        found: dict[str, Any] = self.__dict__.setdefault("_volumes", {})
        return found


class _PopulatedInterface(NetworkInterface):
    """A network interface that has of its own what no two can share."""

    def __new__(cls, *_: Any) -> _PopulatedInterface:  # noqa: ANN401, PYI034 as object's
        return object.__new__(cls)

    def __init__(self, prototype: NetworkInterface, instance: PopulatedInstance, number: int) -> None:
        address = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
        name = prototype.private_dns_name.replace(prototype.private_ip_address.replace(".", "-"), "{}")
        self.__dict__ |= {
            "_prototype": prototype,
            "id": f"eni-{_scattered(number, 1, instance.region_name):017x}",
            "attachment_id": f"eni-attach-{_scattered(number, 2, instance.region_name):017x}",
            "instance": instance,
            "private_ip_address": address,
            "private_dns_name": name.format(address.replace(".", "-")),
            "mac_address": f"06:00:{number >> 24 & 255:02x}:{number >> 16 & 255:02x}:"
            f"{number >> 8 & 255:02x}:{number & 255:02x}",
            "public_ip": f"54.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}",
        }

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 whatever the prototype has
        if name.startswith("__") or "_prototype" not in self.__dict__:
            raise AttributeError(name)
        return getattr(self.__dict__["_prototype"], name)

    @property
    def network_interface_id(self) -> str:
        """Its id, which moto looks for by the name of its own class."""
        return str(self.id)

    @property
    def private_ip_addresses(self) -> list[dict[str, Any]]:
        """Its addresses: the one."""
        one = {"PrivateIpAddress": self.private_ip_address, "PrivateDnsName": self.private_dns_name}
        found: list[dict[str, Any]] = self.__dict__.get("_addresses") or [{"Primary": True, **one}]
        return found

    @private_ip_addresses.setter
    def private_ip_addresses(self, addresses: list[dict[str, Any]]) -> None:
        self.__dict__["_addresses"] = addresses


def _interface(prototype: NetworkInterface, instance: PopulatedInstance, number: int) -> NetworkInterface:
    return _PopulatedInterface(prototype, instance, number)


def _scattered(number: int, kind: int, region: str) -> int:
    """Return 68 bits that no other number of the Region leads to, so that ids look as if they were drawn."""
    return ((number * 4 + kind) * 0x9E3779B97F4A7C15D ^ _salt(region)) & (1 << 68) - 1


@cache
def _salt(region: str) -> int:
    return int.from_bytes(hashlib.sha256(region.encode()).digest()[:9], "big")


def populate(
    account: Account, catalogues: Sequence[Catalogue], count: int, *, systems: Sequence[OperatingSystem] = ()
) -> list[str]:
    """Add nodes to a Region, and return their ids.

    Of each ten, eight have the tags of production and two those of a test; the operating systems take turns.

    Args:
        account: the Region's part of the account.
        catalogues: the operating systems that the lab knows.
        count: how many nodes.
        systems: the operating systems that they have; all that the lab knows by default.

    Raises:
        LabError: too many nodes, or a system that the lab has no image of.
    """
    backend = ec2_backends[account.account][account.region]
    known = sum(isinstance(one, PopulatedInstance) for one in backend.all_instances())
    if not 1 <= count <= MOST - known:
        raise LabError(f"{count} more nodes are not from 1 to {MOST - known}; a Region of the lab takes {MOST}")
    images = [
        image for one in catalogues if one.images and (not systems or one.system in systems) for image in one.images[:1]
    ]
    missing = set(systems) - {image.system for image in images}
    if missing or not images:
        raise LabError(f"the lab has no image of {', '.join(sorted(missing)) or 'any system'}")
    profile = _profile()
    prototypes = [_prototype(backend, account, image, profile) for image in images]
    made = []
    for number in range(known + 1, known + count + 1):
        instance = PopulatedInstance(prototypes[number % len(prototypes)], number)
        reservation = Reservation(f"r-{_scattered(number, 3, account.region):017x}", ACCOUNT)
        reservation.instances.append(instance)
        backend.reservations[reservation.id] = reservation
        backend.enis[instance.nics[0].id] = instance.nics[0]
        backend.tags[instance.id] = tags_of(number)
        made.append(instance.id)
    return made


def tags_of(number: int) -> dict[str, str]:
    """Return the tags of the node of this number: those of config/lab.yaml's, and others that are like them."""
    workload = "Prod" if number % 10 < 10 * _PROD_SHARE else "Test"
    return {
        "Name": f"patchops-{ENVIRONMENT}-{number:06}",
        "Environment": ENVIRONMENT,
        "Workload": workload,
        "PatchGroup": f"{ENVIRONMENT}-{workload.lower()}",
        "Team": ("payments", "search", "platform", "data", "web")[number % 5],
    }


def _profile() -> Mapping[str, str]:
    """Return the instance profile of the nodes, which is made with its role where it is not there yet."""
    iam = iam_backends[ACCOUNT]["aws"]
    profile = next((one for one in iam.instance_profiles.values() if one.name == ROLE), None)
    if profile is None:
        principal = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
        trust = json.dumps({"Version": "2012-10-17", "Statement": [principal]})
        role = iam.create_role(ROLE, trust, "/", None, "A node of the lab", [], None)
        allowed = {"Effect": "Allow", "Action": [*_CORE, *_OUTPUT], "Resource": "*"}
        iam.put_role_policy(
            role.name, "agent-and-output", json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
        )
        profile = iam.create_instance_profile(ROLE, "/", [], [])
        iam.add_role_to_instance_profile(ROLE, ROLE)
    return {"Arn": profile.arn, "Id": profile.id}


def _prototype(backend: EC2Backend, account: Account, image: Image, profile: Mapping[str, str]) -> Instance:
    """Launch an instance that others are made like, and take it out of the account again."""
    windows = image.system.platform_type is PlatformType.WINDOWS
    launched = backend.run_instances(
        account.image_id(image.name),
        1,
        None,
        [],
        region_name=account.region,
        instance_type="t3.medium" if windows else "t3.small",
        is_instance_type_default=False,
        iam_instance_profile=dict(profile),
        block_device_mappings=[],
    )
    (instance,) = launched.instances
    del backend.reservations[launched.id]
    backend.enis.pop(instance.nics[0].id)
    return instance
