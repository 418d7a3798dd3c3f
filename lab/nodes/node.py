"""A managed node of the lab: what is installed on it, and what it reported last."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from lab.nodes.inventory_types import InventoryItem
from lab.patches.catalogue import Catalogue, agent_version
from lab.patches.findings import Findings, OpenCounts, PatchReport, Severities, complies
from lab.world.cloud import Instance
from lab.world.network import Network
from patching.baseline import ComplianceLevel
from patching.compliance import PatchState
from patching.run_patch_baseline import Operation, RebootOption


@dataclass(frozen=True)
class PatchStates:
    """What a node reported at the end of its last scan or installation."""

    operation: Operation
    baseline_id: str
    patch_group: str
    snapshot_id: str
    command_id: str
    started: datetime
    ended: datetime
    findings: Findings
    reboot: RebootOption
    last_no_reboot_install: datetime | None
    available_updates_comply: bool = True
    """Whether a security update that is out but not approved leaves the node compliant: its baseline says so."""
    override_list: str = ""
    execution_type: str = "Command"
    """What the operation counts as: PatchPolicy for one with the baselines of a patch policy."""
    installed_at: Mapping[str, datetime] = field(default_factory=dict)
    """When a patching installed what is there, by the packages' keys; of what came with the image that is not known."""

    @property
    def reports(self) -> tuple[PatchReport, ...]:
        """The patches."""
        return self.findings.reports

    def count(self, state: PatchState) -> int:
        """Return how many patches are in a state."""
        return self.findings.count(state)

    @property
    def non_compliant(self) -> tuple[PatchReport, ...]:
        """The patches that keep the node from being compliant."""
        return self.findings.lacking(available_updates_comply=self.available_updates_comply)

    @property
    def severities(self) -> Severities:
        """The patches that comply, and those that do not, counted by their severities."""
        return self.findings.severities(available_updates_comply=self.available_updates_comply)

    @property
    def level(self) -> ComplianceLevel:
        """How serious it is that the node is not compliant, as its baseline sees it."""
        return self.findings.level(available_updates_comply=self.available_updates_comply)

    @property
    def open_counts(self) -> OpenCounts:
        """How many patches keep the node from being compliant, by what they count as."""
        return self.findings.open_counts(available_updates_comply=self.available_updates_comply)

    def complies(self, report: PatchReport) -> bool:
        """Tell whether a patch leaves the node compliant."""
        return complies(report, available_updates_comply=self.available_updates_comply)


@dataclass
class Heartbeat:
    """When something was last heard of: one for all nodes that are online, and one for each that no longer is."""

    at: datetime


@dataclass(frozen=True)
class Traits:
    """How a node differs from one on which all goes well.

    Attributes:
        fault: why installations fail on it; empty where they do not.
        slowness: how many times as long it takes as others.
        silent: whether its agent does not answer.
        reboots: how many reboots it takes for an installation to have its effect.
    """

    fault: str = ""
    slowness: int = 1
    silent: bool = False
    reboots: int = 1


SOUND = Traits()


@dataclass
class ManagedNode:
    """A node that registered with Systems Manager.

    Attributes:
        id: its instance id.
        catalogue: the releases of its operating system.
        image_built: when the image was built that it was launched from.
        installed: index of the installed release of each package, by the package's key.
        installed_at: when a package was installed by a patching, by its key; what came with the image is not in it.
        pending_reboot: keys of packages that a patching without a reboot put in since the last boot.
        ip: its private address.
        computer_name: its host name.
        role: ARN of the role that it acts as.
        tags: the instance's tags.
        registered: when it registered.
        booted: when it last started.
        online: whether its agent answers.
        stopped: whether the instance is stopped.
        heartbeat: when its agent was last heard of.
        fault: why installations fail on it; empty on a healthy node.
        states: its last report, if there is one.
        updated_agent: version of the agent that an update of it alone put in; empty if none did.
        network: the network around it; None for one that can reach everything.
        features: roles and features of Windows that are installed on it.
        activation_id: the activation that a machine outside of EC2 registered with; empty for an instance.
        name: what such a machine was activated as.
        instance: the instance, as it was when somebody last looked; None for a machine outside of EC2.
        association_states: what AWS-RunPatchBaselineAssociation reported, by the association that it was for.
        inventory: what was collected on it or put of it, by its type.
    """

    id: str
    catalogue: Catalogue
    image_built: datetime
    installed: dict[str, int]
    ip: str
    computer_name: str
    role: str
    tags: dict[str, str]
    registered: datetime
    booted: datetime
    heartbeat: Heartbeat
    online: bool = True
    stopped: bool = False
    installed_at: Mapping[str, datetime] = field(default_factory=dict)
    pending_reboot: set[str] = field(default_factory=set)
    last_no_reboot_install: datetime | None = None
    fault: str = ""
    states: PatchStates | None = None
    updated_agent: str = ""
    network: Network | None = None
    features: tuple[str, ...] = ()
    activation_id: str = ""
    name: str = ""
    instance: Instance | None = None
    association_states: dict[str, PatchStates] = field(default_factory=dict)
    inventory: dict[str, InventoryItem] = field(default_factory=dict)
    traits: Traits = SOUND
    """How it differs from others."""

    reboots_due: int = 0
    """How many reboots it takes until what was installed has its effect."""

    @property
    def hybrid(self) -> bool:
        """Whether it is a machine outside of EC2."""
        return bool(self.activation_id)

    def arn(self, region: str, account: str) -> str:
        """Return what permissions and events name it by."""
        return node_arn(self.id, region, account)

    @property
    def agent_version(self) -> str:
        """The version of its SSM Agent: of its package, where it comes as one, or what the last update put in."""
        package = self.catalogue.agent_package
        if package is not None and package.key in self.installed:
            return agent_version(package.releases[self.installed[package.key]].version)
        return self.updated_agent or self.catalogue.agent_version

    @property
    def problem(self) -> str:
        """Why installations fail on it; empty where they do not."""
        return self.fault or self.traits.fault

    @property
    def fingerprint(self) -> Hashable:
        """Everything about the node that decides what a scan of it finds."""
        return frozenset(self.installed.items()), frozenset(self.pending_reboot), self.features

    @property
    def last_ping(self) -> datetime:
        """When its agent was last heard of."""
        return self.heartbeat.at

    def patch_group(self) -> str:
        """Return the value of the node's patch group tag, in either spelling; empty if it has none."""
        return self.tags.get("PatchGroup", "") or self.tags.get("Patch Group", "")

    def reboot(self, at: datetime) -> None:
        """Start anew."""
        self.booted = at
        self.heartbeat.at = at
        self.reboots_due = max(0, self.reboots_due - 1)
        if not self.reboots_due:
            self.pending_reboot.clear()


def node_arn(node_id: str, region: str, account: str) -> str:
    """Return the ARN of a node: of an EC2 instance, or of a machine that registered with an activation."""
    if node_id.startswith("mi-"):
        return f"arn:aws:ssm:{region}:{account}:managed-instance/{node_id}"
    return f"arn:aws:ec2:{region}:{account}:instance/{node_id}"
