"""Hybrid activations, and the machines outside of EC2 that register with them.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/hybrid-activation-managed-nodes.html and
https://docs.aws.amazon.com/systems-manager/latest/userguide/hybrid-multicloud-service-role.html.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from lab.nodes.fleet import Fleet
from lab.nodes.node import Heartbeat, ManagedNode
from lab.patches.catalogue import Catalogue, Image
from lab.world.clock import Clock
from lab.world.cloud import Cloud
from lab.world.errors import ApiError
from lab.world.ids import Ids

SERVICE = "ssm.amazonaws.com"
DEFAULT_LIFETIME = timedelta(hours=24)
LONGEST_LIFETIME = timedelta(days=30)


@dataclass
class Activation:
    """An id and a code with which machines can register.

    Attributes:
        id: its id.
        code: what a machine proves with that it may register.
        role: the name of the role that machines get, with its path if it has one.
        limit: how many machines may register.
        expires: when no further one may.
        created: when it was made.
        description: for people.
        name: what machines are called.
        tags: the activation's tags, which its machines get too.
        registrations: how many machines registered so far.
    """

    id: str
    code: str
    role: str
    limit: int
    expires: datetime
    created: datetime
    description: str = ""
    name: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    registrations: int = 0


class Activations:
    """The activations of an account and Region.

    Args:
        cloud: where the roles are.
        clock: the lab's clock.
        ids: where ids and codes come from.
        fleet: takes the machines that register.
        catalogues: the operating systems that machines can have.
        log: takes what happens, in words.
    """

    def __init__(
        self,
        cloud: Cloud,
        clock: Clock,
        ids: Ids,
        fleet: Fleet,
        catalogues: Iterable[Catalogue],
        log: Callable[[str], None],
    ) -> None:
        self._cloud = cloud
        self._clock = clock
        self._ids = ids
        self._fleet = fleet
        self._catalogues = tuple(catalogues)
        self._log = log
        self._machines = 0
        self.all: dict[str, Activation] = {}

    def create(
        self,
        *,
        role: str,
        limit: int = 1,
        expires: datetime | None = None,
        description: str = "",
        name: str = "",
        tags: Mapping[str, str] | None = None,
    ) -> Activation:
        """Make an activation; without a date it expires in 24 hours.

        Raises:
            ApiError: a role that Systems Manager cannot assume, or a date that has passed or is too far away.
        """
        now = self._clock.now
        self._check_role(role)
        until = expires or now + DEFAULT_LIFETIME
        if not now < until <= now + LONGEST_LIFETIME:
            raise ApiError(
                "ValidationException",
                f"ExpirationDate {until.isoformat()} is not within {LONGEST_LIFETIME.days} days from now, "
                f"{now.isoformat()}.",
            )
        activation = Activation(
            self._ids.uuid(), self._ids.code(), role, limit, until, now, description, name, dict(tags or {})
        )
        self.all[activation.id] = activation
        return activation

    def delete(self, activation_id: str) -> None:
        """Delete an activation; the machines that registered with it stay."""
        if self.all.pop(activation_id, None) is None:
            raise ApiError("InvalidActivationId", f"There is no activation {activation_id}.")

    def expired(self, activation: Activation) -> bool:
        """Tell whether no further machine may register."""
        return self._clock.now >= activation.expires

    def register(self, activation_id: str, code: str, image: str, computer_name: str = "") -> ManagedNode:
        """Register a simulated machine, as its agent would with the id and the code.

        Args:
            activation_id: the activation.
            code: its code.
            image: name of the image whose packages the machine has, or of an operating system for its oldest image.
            computer_name: its host name; one is made up by default.

        Raises:
            ApiError: an activation that is not there, has another code, has expired, or has no room for another
                machine; a role that Systems Manager cannot assume any more; an image that the lab does not know.
        """
        activation = self.all.get(activation_id)
        if activation is None or activation.code != code:
            raise ApiError("InvalidActivation", "There is no activation with this id and this code.")
        if self.expired(activation):
            message = f"Activation {activation.id} has expired at {activation.expires.isoformat()}."
            raise ApiError("InvalidActivation", message)
        if activation.registrations >= activation.limit:
            message = f"Activation {activation.id} has its {activation.limit} machines already."
            raise ApiError("InvalidActivation", message)
        self._check_role(activation.role)
        catalogue, source = self._image(image)
        activation.registrations += 1
        self._machines += 1
        now = self._clock.now
        node = ManagedNode(
            id=self._ids.resource("mi"),
            catalogue=catalogue,
            image_built=source.built,
            installed=catalogue.installed_on(source),
            ip=f"192.168.{self._machines // 250}.{self._machines % 250 + 1}",
            computer_name=computer_name or f"machine-{self._machines}",
            role=self.role_arn(activation.role),
            features=source.features,
            tags=dict(activation.tags),
            registered=now,
            booted=now,
            heartbeat=Heartbeat(now),
            activation_id=activation.id,
            name=activation.name,
        )
        self._fleet.add(node)
        self._log(f"{node.id} registered as a managed node ({catalogue.platform_name}, activation {activation.id})")
        return node

    def deregister(self, node_id: str) -> None:
        """Take a machine from the managed nodes."""
        if not self._fleet.remove(node_id):
            raise ApiError("InvalidInstanceId", f"{node_id} is not a managed node that registered with an activation.")
        self._log(f"{node_id} is not a managed node any more")

    def change_role(self, node_id: str, role: str) -> None:
        """Give a machine another role."""
        node = self._fleet.get(node_id)
        if node is None or not node.hybrid:
            raise ApiError("InvalidInstanceId", f"{node_id} is not a managed node that registered with an activation.")
        self._check_role(role)
        node.role = self.role_arn(role)
        self._fleet.look_again()

    def role_arn(self, role: str) -> str:
        """Return the ARN of a role by its name."""
        return f"arn:aws:iam::{self._cloud.account}:role/{role}"

    def _check_role(self, role: str) -> None:
        arn, here = self.role_arn(role), f"{self._cloud.region}:{self._cloud.account}"
        context = {
            "aws:SourceAccount": self._cloud.account,
            "aws:SourceArn": f"arn:aws:ssm:{here}:managed-instance/mi-0123456789abcdef0",
        }
        if not self._cloud.trusts(arn, SERVICE, context):
            raise ApiError("ValidationException", f"There is no role {arn}, or {SERVICE} may not assume it.")

    def _image(self, name: str) -> tuple[Catalogue, Image]:
        images = [(catalogue, image) for catalogue in self._catalogues for image in catalogue.images]
        for catalogue, image in sorted(images, key=lambda one: one[1].built):
            if name in (image.name, catalogue.system):
                return catalogue, image
        known = ", ".join(sorted({str(catalogue.system) for catalogue, _ in images}))
        raise ApiError("ValidationException", f"The lab has no operating system or image {name}; it has {known}.")
