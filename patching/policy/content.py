"""What a policy says, and what follows from it: all that the checks of the policy as a whole look at."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, WithJsonSchema

from patching.baseline import PatchBaseline
from patching.deployment import ENVIRONMENT_NAME, ENVIRONMENT_TAG, Deployment
from patching.patch_group import patch_group
from patching.patch_source import PatchSource
from patching.policy import pages
from patching.policy.access import Hybrid, Operators
from patching.policy.associations import AgentUpdates, Inventory, Scan
from patching.policy.baselines import Action, Baseline, PatchException
from patching.policy.document import DocumentFile
from patching.policy.fleet import Fleet, Node
from patching.policy.install import Install, Service
from patching.policy.notifications import Monitoring, Notifications, Retention
from patching.policy.part import Key, Part, Tag, TagKey, for_editors
from patching.policy.quotas import Quotas
from patching.run_patch_baseline import RunPatchBaseline
from patching.targets import Targets


def _environment(value: str) -> str:
    return Deployment(value).environment


EnvironmentName = Annotated[
    str,
    AfterValidator(_environment),
    WithJsonSchema(
        {"type": "string", **for_editors(ENVIRONMENT_NAME, "2 to 20 lower-case letters, digits and hyphens")}
    ),
]


class PolicyContent(Part):
    """The parts of a patch policy, each of which is right by itself. That they fit together, `Policy` checks."""

    environment: EnvironmentName = Field(
        description="Part of every name, and the value of the tag `Environment`, by which everything finds its nodes. "
        "It begins with a letter and ends with a letter or a digit.",
        examples=["lab", "prod"],
        json_schema_extra=pages.OWN,
    )
    description: str = Field(
        default="",
        max_length=400,
        description="What the environment is, for people.",
        json_schema_extra=pages.OWN,
    )
    tags: dict[TagKey, Tag] = Field(
        default_factory=dict,
        max_length=20,
        description="Tags of every resource that takes tags, besides `Environment`.",
        examples=[{"Project": "shop"}],
        json_schema_extra=pages.RESOURCE_TAGS,
    )
    fleet: Fleet | None = Field(
        default=None,
        description="Nodes to make for a lab. Without it, nodes that exist already are patched, by their tags.",
        json_schema_extra=pages.OWN,
    )
    hybrid: Hybrid | None = Field(
        default=None,
        description="Machines outside of AWS: the role and the tags of their activation. None by default.",
        json_schema_extra=pages.HYBRID_ACTIVATION,
    )
    baselines: dict[Key, Baseline] = Field(
        min_length=1,
        description="Patch baselines by their names: what is approved when.",
        json_schema_extra=pages.BASELINES,
    )
    exceptions: dict[Key, PatchException] = Field(
        default_factory=dict,
        description="Patches that are treated otherwise than the rules say, for a while, by names of yours.",
        json_schema_extra=pages.OWN,
    )
    scan: Scan = Field(
        description="When every node of the environment is scanned.", json_schema_extra=pages.ASSOCIATIONS
    )
    inventory: Inventory | None = Field(
        default=None,
        description="When it is collected what is installed on every node; not at all by default.",
        json_schema_extra=pages.INVENTORY,
    )
    agent_updates: AgentUpdates | None = Field(
        default=None,
        description="When the SSM Agent of every node is brought up to date; not at all by default.",
        json_schema_extra=pages.AGENT_UPDATES,
    )
    documents: dict[Key, DocumentFile] = Field(
        default_factory=dict,
        description="Command documents of your own (YAML, schema 2.2) by their names, each the path of a file below "
        "the policy's folder. Windows use them as hooks, `patchops run document` runs them.",
        json_schema_extra=pages.DOCUMENTS,
    )
    install: dict[Key, Install] = Field(
        default_factory=dict,
        description="Maintenance windows that install, by their names.",
        json_schema_extra=pages.WINDOWS,
    )
    services: dict[Key, Service] = Field(
        default_factory=dict,
        description="Services of which one group of nodes has to be up at any time, by their names.",
        json_schema_extra=pages.OWN,
    )
    notifications: Notifications = Field(
        default_factory=Notifications,
        description="Who is told what.",
        json_schema_extra=pages.COMMAND_NOTIFICATIONS,
    )
    monitoring: Monitoring | None = Field(
        default=None,
        description="Alarms and a dashboard in CloudWatch; neither by default.",
        json_schema_extra=pages.COMMAND_METRICS,
    )
    operators: Operators = Field(
        default_factory=Operators,
        description="Who may scan and install by hand.",
        json_schema_extra=pages.OPERATORS,
    )
    output: Retention = Field(
        default_factory=Retention,
        description="What becomes of the output of commands.",
        json_schema_extra=pages.EXPIRATION,
    )
    quotas: Quotas = Field(
        default_factory=Quotas,
        description="What AWS allows in this account and Region, where that was raised.",
        json_schema_extra=pages.QUOTAS,
    )

    @property
    def deployment(self) -> Deployment:
        """The names of what the policy deploys."""
        return Deployment(self.environment)

    @property
    def document_names(self) -> dict[str, str]:
        """The names by which the policy's documents are deployed."""
        return {name: self.deployment.name(name) for name in self.documents}

    def patch_baseline(self, name: str) -> PatchBaseline:
        """Return the baseline of this name, with what the exceptions add to it."""
        listed = {
            action: tuple(
                dict.fromkeys(
                    one.patch for one in self.exceptions.values() if one.action is action and name in one.baselines
                )
            )
            for action in Action
        }
        return self.baselines[name].patch_baseline(
            self.deployment.name(name), approved=listed[Action.APPROVE], rejected=listed[Action.REJECT]
        )

    def baseline_of(self, node: Node) -> str | None:
        """Return the name of the baseline that a node of the fleet gets, or None if it is none of the policy's."""
        of_system = [name for name, one in self.baselines.items() if one.operating_system is node.operating_system]
        group = patch_group(node.tags)
        by_group = [name for name in of_system if group in self.baselines[name].patch_groups]
        return next(iter([*by_group, *(name for name in of_system if self.baselines[name].default)]), None)

    @property
    def fleet_sources(self) -> dict[tuple[str, str], PatchSource]:
        """The alternative sources that nodes of the fleet use, by the names of their baseline and of themselves."""
        names = dict.fromkeys(self.baseline_of(node) for node in self.fleet.nodes) if self.fleet else {}
        return {(name, one.name): one for name in names if name for one in self.baselines[name].patch_sources}

    def install_targets(self, name: str) -> list[Targets]:
        """Return the groups of nodes that a window patches: each its tags, and the environment's."""
        return [
            Targets.tags({**group, ENVIRONMENT_TAG: self.environment}) for group in self.install[name].target_groups
        ]

    def install_task(self, name: str) -> RunPatchBaseline:
        """Return what a window runs on its nodes."""
        return self.install[name].task(self.document_names)

    @property
    def scan_targets(self) -> Targets:
        """Every node of the environment."""
        return Targets.tag(ENVIRONMENT_TAG, self.environment)

    def node_tags(self, node: Node) -> dict[str, str]:
        """Return the tags by which a node of the fleet is found: those of every resource are its own as well."""
        return {**self.tags, **node.tags, ENVIRONMENT_TAG: self.environment}

    @property
    def hybrid_tags(self) -> dict[str, str]:
        """The tags that a hybrid activation gives its machines."""
        return {**(self.hybrid.tags if self.hybrid else {}), ENVIRONMENT_TAG: self.environment}
