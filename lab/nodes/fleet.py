"""Which instances are managed nodes, and why the others are not.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/setup-instance-permissions.html and
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_switch-role-ec2.html; what the network has to do with it
is in `network`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from lab.nodes.chaos import SILENT, Chaos
from lab.nodes.node import Heartbeat, ManagedNode
from lab.patches.catalogue import Catalogue, Image
from lab.world.clock import Clock
from lab.world.cloud import Cloud, Instance
from lab.world.network import agent_services, unreachable
from patching.targets import Targets

_SERVICE = "ec2.amazonaws.com"
"""By which an instance gets the credentials of its profile's role."""

_ASKED = {
    "ssm": ("ssm:UpdateInstanceInformation",),
    "ssmmessages": ("ssmmessages:CreateControlChannel", "ssmmessages:OpenControlChannel"),
    "ec2messages": ("ec2messages:GetEndpoint", "ec2messages:GetMessages"),
}
"""What the agent asks of each service that it talks to."""

REGISTRATION_ACTIONS = (
    "ssm:UpdateInstanceInformation",
    "ssmmessages:CreateControlChannel",
    "ssmmessages:OpenControlChannel",
)
"""What the agent does first; a profile that does not allow these leaves an instance unmanaged."""


class Fleet:
    """The managed nodes, kept in step with the account's instances whenever somebody looks.

    All of them are looked at anew only when something in the account may have changed: a fleet can be large.

    Args:
        cloud: where the instances are.
        clock: the lab's clock.
        catalogues: the operating systems that the lab knows, with their images.
        log: takes what happens, in words.
    """

    def __init__(self, cloud: Cloud, clock: Clock, catalogues: Iterable[Catalogue], log: Callable[[str], None]) -> None:
        self._cloud = cloud
        self._clock = clock
        self._log = log
        self._images: dict[str, tuple[Catalogue, Image]] = {
            image.name: (catalogue, image) for catalogue in catalogues for image in catalogue.images
        }
        self._nodes: dict[str, ManagedNode] = {}
        self._hybrid: dict[str, ManagedNode] = {}
        self._seen: int | None = None
        self._known_roles: dict[str, str] = {}
        self._heartbeat = Heartbeat(clock.now)
        self.watchers: list[Callable[[], None]] = []
        """Called when a node has come, or has other tags."""

        self.chaos = Chaos()
        self.unmanaged: dict[str, str] = {}
        """Instances that are not managed, with the reason, as of the last look."""

    def nodes(self) -> list[ManagedNode]:
        """Return the managed nodes, also those whose connection is lost, in the order of their launch."""
        self._refresh()
        return list(self._nodes.values())

    def get(self, node_id: str) -> ManagedNode | None:
        """Return a managed node by its id."""
        self._refresh()
        return self._nodes.get(node_id)

    def select(self, targets: Targets) -> list[ManagedNode]:
        """Return the nodes that are targeted."""
        return [node for node in self.nodes() if targets.match(node.id, node.tags)]

    def add(self, node: ManagedNode) -> None:
        """Have a machine outside of EC2 among the managed nodes."""
        node.heartbeat = self._heartbeat
        node.traits = self.chaos.traits(node.id)
        self._hybrid[node.id] = node
        self.look_again()

    def remove(self, node_id: str) -> bool:
        """Take a machine outside of EC2 from the managed nodes, and tell whether it was one."""
        known = self._hybrid.pop(node_id, None) is not None
        self.look_again()
        return known

    def upset(self, chaos: Chaos) -> None:
        """Make nodes differ as these rates say, those that come later too."""
        self.chaos = chaos
        for node in self.nodes():
            node.traits = chaos.traits(node.id)
        self._log(f"chaos: {chaos.in_words()}")
        self.look_again()
        self._refresh()

    def look_again(self) -> None:
        """Look at all nodes the next time that somebody asks, whether the account has changed or not."""
        self._seen = None

    def _refresh(self) -> None:
        changes = self._cloud.changes()
        if changes != self._seen:
            # Noted before looking: what changes meanwhile is looked at the next time.
            self._seen = changes
            self._look_at_all()
        self._heartbeat.at = self._clock.now

    def _look_at_all(self) -> None:
        self._known_roles.clear()
        self.unmanaged = {}
        before = {node.id: node.tags for node in self._nodes.values()}
        seen = {}
        for instance in self._cloud.instances():
            reason = self._unable(instance)
            node = self._nodes.get(instance.id)
            if node is None and not reason:
                node = self._register(instance)
            if node is None:
                self.unmanaged[instance.id] = reason
                continue
            node.instance = instance
            node.tags = dict(instance.tags)
            node.role = instance.role
            node.network = instance.network
            self._hear_of(node, reason)
            if node.stopped and instance.running:
                node.reboot(self._clock.now)
            node.stopped = not instance.running
            seen[instance.id] = node
        for node in self._hybrid.values():
            self._hear_of(node, self._forbidden(node.role))
            seen[node.id] = node
        self._nodes = seen
        if any(before.get(node.id) != node.tags for node in seen.values()):
            for watch in self.watchers:
                watch()

    def _hear_of(self, node: ManagedNode, reason: str) -> None:
        """Note whether a node's agent reaches Systems Manager; it does if there is no reason against it."""
        reason = reason or (SILENT if node.traits.silent else "")
        if node.online and reason:
            self._log(f"{node.id} lost its connection: {reason}")
            node.heartbeat = Heartbeat(self._heartbeat.at)
        elif not reason and not node.online:
            self._log(f"{node.id} is online again")
            node.heartbeat = self._heartbeat
        node.online = not reason
        if reason:
            self.unmanaged[node.id] = reason

    def _unable(self, instance: Instance) -> str:
        """Say why an instance cannot talk to Systems Manager; empty if it can."""
        if not instance.running:
            return "the instance is stopped"
        if instance.image not in self._images:
            return f"the lab does not know what is on the image {instance.image}"
        if not instance.role:
            return "the instance has no instance profile"
        if not self._cloud.trusts(instance.role, _SERVICE):
            return f"{_SERVICE} cannot assume its role"
        forbidden = self._forbidden(instance.role)
        if forbidden:
            return forbidden
        catalogue, _ = self._images[instance.image]
        problems = (
            unreachable(instance.network, service, instance.role, _ASKED[service])
            for service in agent_services(catalogue.agent_version)
        )
        return next(filter(None, problems), "")

    def _forbidden(self, role: str) -> str:
        """Say what of the things that an agent does first its role does not allow; empty if it allows all."""
        # Asked once in each look: nearly all nodes have the same role.
        if role not in self._known_roles:
            refused = (one for one in REGISTRATION_ACTIONS if not self._cloud.allowed(role, one, "*"))
            action = next(refused, "")
            self._known_roles[role] = f"its role does not allow {action}" if action else ""
        return self._known_roles[role]

    def _register(self, instance: Instance) -> ManagedNode:
        catalogue, image = self._images[instance.image]
        now = self._clock.now
        self._log(f"{instance.id} registered as a managed node ({catalogue.platform_name}, image {image.name})")
        return ManagedNode(
            id=instance.id,
            catalogue=catalogue,
            image_built=image.built,
            installed=catalogue.installed_on(image),
            ip=instance.ip,
            computer_name=f"ip-{instance.ip.replace('.', '-')}.{self._cloud.region}.compute.internal",
            role=instance.role,
            network=instance.network,
            features=image.features,
            tags=dict(instance.tags),
            registered=now,
            booted=now,
            heartbeat=self._heartbeat,
            traits=self.chaos.traits(instance.id),
        )
