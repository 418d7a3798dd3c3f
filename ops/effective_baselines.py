"""Which baseline a node gets, and why: by its patch group, or the default of its system.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-patch-groups.html.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from ops.nodes import Node
from ops.permissions import Need, On
from ops.session import Session
from patching.operating_system import of_platform
from patching.patch_group import patch_group

NEEDS = (Need(On.ANYTHING, "ssm:DescribePatchBaselines", "ssm:DescribePatchGroups"),)


@dataclass(frozen=True)
class EffectiveBaseline:
    """The baseline that a node gets.

    Attributes:
        id: the baseline's id; empty if it is not known.
        name: its name; empty if it is not known.
        group: the node's patch group; empty if it has none.
        fallback: whether it is the default of the system although the node has a patch group.
        reason: why it gets this one, in words.
    """

    id: str
    name: str
    group: str
    fallback: bool
    reason: str


@dataclass(frozen=True)
class Baselines:
    """The baselines of an account and Region, by what gives them to nodes.

    Attributes:
        names: names of baselines by their ids.
        registered: ids of baselines by operating system and patch group.
        defaults: ids of the default baselines by operating system.
    """

    names: dict[str, str]
    registered: dict[tuple[str, str], str]
    defaults: dict[str, str]
    _found: dict[tuple[str, str], EffectiveBaseline] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    """What was found for a platform and a patch group, of which a fleet has few."""

    @cached_property
    def groups(self) -> frozenset[str]:
        """The patch groups for which a baseline is registered."""
        return frozenset(group for _, group in self.registered)

    def of(self, node: Node) -> EffectiveBaseline:
        """Return the baseline that a node gets now."""
        key = (node.platform, patch_group(node.tags) or "")
        found = self._found.get(key)
        if found is None:
            found = self._found[key] = self._of(*key)
        return found

    def _of(self, platform: str, group: str) -> EffectiveBaseline:
        system = of_platform(platform)
        if system is None:
            return EffectiveBaseline("", "", group, fallback=False, reason=f"unknown system {platform or '(none)'}")
        found = self.registered.get((system, group))
        if group and found:
            return EffectiveBaseline(
                found, self.names.get(found, ""), group, fallback=False, reason=f"patch group {group}"
            )
        default = self.defaults.get(system, "")
        why = (
            f"default of {system}: no baseline of it is registered for the patch group {group}"
            if group
            else f"default of {system}: no patch group"
        )
        return EffectiveBaseline(default, self.names.get(default, ""), group, fallback=bool(group), reason=why)


def read(session: Session) -> Baselines:
    """Read the baselines, and what gives them to nodes."""
    names, defaults, registered = {}, {}, {}
    for page in session.ssm.get_paginator("describe_patch_baselines").paginate(PaginationConfig={"PageSize": 100}):
        for one in page["BaselineIdentities"]:
            names[one["BaselineId"]] = one["BaselineName"]
            if one.get("DefaultBaseline"):
                defaults[str(one["OperatingSystem"])] = one["BaselineId"]
    for mappings in session.ssm.get_paginator("describe_patch_groups").paginate(PaginationConfig={"PageSize": 100}):
        for mapping in mappings["Mappings"]:
            identity = mapping["BaselineIdentity"]
            registered[str(identity["OperatingSystem"]), mapping["PatchGroup"]] = identity["BaselineId"]
            names.setdefault(identity["BaselineId"], identity.get("BaselineName", ""))
    return Baselines(names, registered, defaults)
