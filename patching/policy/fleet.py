"""The nodes of a lab's fleet, and the network that they are in.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/setup-create-vpc.html.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from patching.deployment import ENVIRONMENT_TAG, NAME_TAG
from patching.errors import InvalidValueError
from patching.form import Form
from patching.instance_type import IMAGE_PARAMETER, INSTANCE_TYPE, VOLUME_GIB, check_processors, check_virtual
from patching.operating_system import OperatingSystem
from patching.policy import pages
from patching.policy.part import Findings, Key, Matching, Part, Tag, TagKey
from patching.tags import check_instance_tags

_VPC = re.compile(r"vpc-([0-9a-f]{8}|[0-9a-f]{17})")
_ZONE = re.compile(r"[a-z]{2}(-[a-z0-9]+)+")
_SUBNET = re.compile(r"subnet-([0-9a-f]{8}|[0-9a-f]{17})")


class NetworkKind(StrEnum):
    """How the nodes of a fleet reach Systems Manager and their repositories."""

    NAT = "nat"
    """Private subnets with a NAT gateway: everything on the internet can be reached, nothing reaches the nodes."""

    ISOLATED = "isolated"
    """Private subnets without a way out, with the endpoints that patching needs, for Amazon Linux 1, 2 and 2023."""

    PUBLIC = "public"
    """Public subnets: the nodes have public addresses, and their security group lets nothing in."""

    EXISTING = "existing"
    """Subnets that are there already, which have to reach Systems Manager."""


class Network(Part, json_schema_extra=pages.VPC_ENDPOINTS):
    """How the nodes of the fleet reach Systems Manager and their repositories. Nothing reaches the nodes.

    The last four keys are for the kind `existing`, which needs all of them; no other kind takes them.
    """

    kind: Annotated[NetworkKind, Field(strict=False)] = Field(
        default=NetworkKind.NAT, description="Which network is made, or that one is there already."
    )
    vpc_id: Annotated[str, Matching(Form(_VPC, "the id of a VPC like vpc-0123456789abcdef0"))] | None = Field(
        default=None, description="`existing` only: the VPC.", json_schema_extra=pages.SUBNETS
    )
    subnet_ids: list[Annotated[str, Matching(Form(_SUBNET, "the id of a subnet like subnet-0123456789abcdef0"))]] = (
        Field(
            default_factory=list,
            description="`existing` only: the subnets, in the order of `availability_zones`.",
            json_schema_extra=pages.SUBNETS,
        )
    )
    availability_zones: list[Annotated[str, Matching(Form(_ZONE, "an availability zone like eu-west-1a"))]] = Field(
        default_factory=list,
        description="`existing` only: the zone of each subnet, such as `eu-west-1a`.",
        json_schema_extra=pages.SUBNETS,
    )
    internet: bool | None = Field(
        default=None,
        description="`existing` only: whether the nodes reach the internet from these subnets. Nobody checks it; it "
        "decides which systems are taken, and whether the nodes may speak HTTP.",
        json_schema_extra=pages.INTERNET_GATEWAY,
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        """Find keys that do not fit the kind of network.

        Refused:
        - `vpc_id`, `subnet_ids`, `availability_zones`, `internet`: one that is missing from the kind `existing`, or
          given to another kind
        - `availability_zones`: more or fewer than there are subnets, as each has one

        Follows https://docs.aws.amazon.com/vpc/latest/userguide/configure-subnets.html.
        """
        findings = Findings()
        own = ("vpc_id", "subnet_ids", "availability_zones", "internet")
        for key in own:
            given = getattr(self, key) not in (None, [])
            if self.kind is NetworkKind.EXISTING and not given:
                findings.add((), f"{key} is missing: a network of kind existing needs {', '.join(own)}")
            elif self.kind is not NetworkKind.EXISTING and given:
                findings.add((key,), f"{key} is for the kind existing only, not for {self.kind}; take one of them out")
        if len(self.subnet_ids) != len(self.availability_zones) and self.kind is NetworkKind.EXISTING:
            message = (
                f"{len(self.availability_zones)} zones for {len(self.subnet_ids)} subnets; name the zone of each "
                "subnet, in their order"
            )
            findings.add(("availability_zones",), message)
        findings.add_repeated(("subnet_ids",), self.subnet_ids)
        findings.report()
        return self

    @property
    def reaches_internet(self) -> bool:
        """Tell whether the nodes reach repositories on the internet."""
        return self.kind in (NetworkKind.NAT, NetworkKind.PUBLIC) or bool(self.internet)

    def check_reaches(self, system: OperatingSystem) -> None:
        """Check that nodes of a system reach their repositories; see `OperatingSystem.repository_buckets`.

        Raises:
            InvalidValueError: they do not.

        Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/setup-create-vpc.html.
        """
        if not self.reaches_internet and not system.has_repositories_in_aws:
            message = (
                f"{system} has its repositories on the internet, which a network of kind {self.kind} does not reach "
                "from here; take a network of kind nat or public, or another system (the repositories of Amazon Linux "
                "1, 2 and 2023 are in S3)"
            )
            raise InvalidValueError(message)


class Node(Part, json_schema_extra=pages.INSTANCE_TYPES):
    """An EC2 instance of the lab's fleet: IMDSv2, an encrypted volume, no key pair."""

    name: Key = Field(
        description="Its name, after `patchops-ENVIRONMENT-`. A node with another name is another node.",
        json_schema_extra=pages.EC2_TAGS,
    )
    operating_system: Annotated[OperatingSystem, Field(strict=False)] = Field(
        description="What its image holds.", json_schema_extra=pages.SUPPORTED_SYSTEMS
    )
    image: Annotated[str, Matching(IMAGE_PARAMETER)] | None = Field(
        default=None,
        description="Public SSM parameter that holds the image's id: the newest image of Amazon Linux 2023, Ubuntu "
        "24.04 or Windows Server 2022 by default; other systems need one. It is read at every deployment, and a new "
        "id replaces the node.",
        examples=[
            "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64",
            "/aws/service/canonical/ubuntu/server/24.04/stable/20251022/amd64/hvm/ebs-gp3/ami-id",
        ],
        json_schema_extra=pages.PUBLIC_IMAGES,
    )
    instance_type: Annotated[str, Matching(INSTANCE_TYPE)] = Field(
        default="t3.small", description="Type of the instance; its architecture has to be the image's."
    )
    volume_gib: int = Field(
        default=30,
        ge=VOLUME_GIB[0],
        le=VOLUME_GIB[1],
        description="Size of the root volume (gp3) in GiB; not below that of the image.",
        json_schema_extra=pages.VOLUME_TYPES,
    )
    tags: dict[TagKey, Tag] = Field(
        default_factory=dict,
        description="Its tags besides `Environment` and `Name`, which are set: those that a window selects, such as "
        "`Workload`, and `PatchGroup`, which says whose baseline it gets.",
        json_schema_extra=pages.EC2_TAGS,
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        """Find nodes that cannot be made, or not as they are written.

        Refused:
        - `image`: none, for a system whose newest image is not known here
        - `operating_system`: MACOS, as a Mac needs a dedicated host, which a lab does not make
        - `tags`: `Environment` and `Name`, which are set already
        - `tags`: `Patch Group` with a space, which EC2 refuses where tags are in the instance metadata
        - `tags`: a patch group in another spelling than `PatchGroup`, which Patch Manager does not read

        Follows https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html,
        https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-mac-instances.html and
        https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-patch-groups.html.
        """
        findings = Findings()
        if self.image is None and self.operating_system not in LATEST_IMAGES:
            known = ", ".join(sorted(LATEST_IMAGES))
            message = f"no newest image is known for {self.operating_system} (only for {known}); name one"
            findings.add(("image",), message)
        findings.make(("operating_system",), check_virtual, self.operating_system)
        image = self.image or LATEST_IMAGES.get(self.operating_system, "")
        findings.make(("instance_type",), check_processors, self.instance_type, image)
        for reserved in (ENVIRONMENT_TAG, NAME_TAG):
            if reserved in self.tags:
                source = "environment" if reserved == ENVIRONMENT_TAG else "name"
                message = f"the tag {reserved} is set by {source}; take it out"
                findings.add(("tags", reserved), message)
        for key in self.tags:
            findings.make(("tags", key), check_instance_tags, {key: ""})
        findings.report()
        return self

    @property
    def image_parameter(self) -> str:
        """The public parameter that holds the image's id."""
        return self.image or LATEST_IMAGES[self.operating_system]


LATEST_IMAGES: Mapping[OperatingSystem, str] = {
    OperatingSystem.AMAZON_LINUX_2023: "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64",
    OperatingSystem.UBUNTU: "/aws/service/canonical/ubuntu/server/24.04/stable/current/amd64/hvm/ebs-gp3/ami-id",
    OperatingSystem.WINDOWS: "/aws/service/ami-windows-latest/Windows_Server-2022-English-Full-Base",
}
"""Public parameters with the newest image, for the systems that the lab has nodes of."""


class Fleet(Part, json_schema_extra=pages.OWN):
    """Nodes that are made for a lab. A policy without a fleet patches nodes that exist already, by their tags."""

    network: Network = Field(
        default_factory=Network,
        description="Where the nodes are; by default private subnets with a NAT gateway.",
        json_schema_extra=pages.VPC_ENDPOINTS,
    )
    nodes: list[Node] = Field(
        min_length=1,
        max_length=50,
        description="The instances to make.",
        json_schema_extra=pages.SUPPORTED_SYSTEMS,
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        """Find nodes that could not be told apart, or never patched.

        Refused:
        - `nodes`: two of one name, as a node is told from another by it
        - `nodes`: a system whose repositories are on the internet, in a network that does not reach it: nothing could
          be installed
        """
        findings = Findings()
        seen: dict[str, int] = {}
        for index, node in enumerate(self.nodes):
            if node.name in seen:
                message = f"{node.name!r} is the name of node {seen[node.name] + 1} already; names are unique"
                findings.add(("nodes", index, "name"), message)
            seen[node.name] = index
            findings.make(("nodes", index, "operating_system"), self.network.check_reaches, node.operating_system)
        findings.report()
        return self
