"""What only the policy as a whole shows: parts that contradict each other, or that never come to anything.

What a check refuses or warns of, its docstring lists by the keys that it is about; `*` stands for a name. The policy
reference (docs/policy.md) repeats it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from patching.command_document import hook_findings
from patching.deployment import ENVIRONMENT_TAG, NAME_TAG, PATCH_GROUP_TAG
from patching.operating_system import OperatingSystem
from patching.patch_group import PATCH_GROUP_TAGS, patch_group
from patching.policy import exception_checks, size_checks, window_checks
from patching.policy.baselines import Action
from patching.policy.content import PolicyContent
from patching.policy.fleet import NetworkKind
from patching.policy.part import Findings, Place, PolicyFinding, Reading
from patching.quotas import MAX_TAGS
from patching.targets import value_set


def check(policy: PolicyContent, findings: Findings, reading: Reading) -> None:
    """Find what is wrong with the policy as a whole."""
    for _, look in _CHECKS:
        look(policy, findings, reading)


def among_sound_parts(plain: Mapping[str, Any], broken: Collection[str], reading: Reading) -> list[PolicyFinding]:
    """Return what is wrong with the policy as a whole, as far as that does not depend on parts that are broken.

    Args:
        plain: what the file holds.
        broken: the keys whose parts are broken or missing.
        reading: what the policy is read with; what would be warned of is left out.
    """
    sound = {key: value for key, value in plain.items() if key in PolicyContent.model_fields and key not in broken}
    # Of a part that stands in for a broken one nothing is asked.
    needed = {key: value for key, value in _STANDING_IN.items() if key not in sound}
    aside = Reading(reading.folder, reading.today)
    policy, findings = PolicyContent.model_validate({**needed, **sound}, context=aside), Findings()
    for parts, look in _CHECKS:
        if parts.isdisjoint(broken):
            look(policy, findings, aside)
    return findings.found


def _check_tags(policy: PolicyContent, findings: Findings) -> None:
    """A node has 50 tags at most; see https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html.

    Refused:
    - `tags`: `Environment`, which is set by `environment`; a patch group, which is a matter of each node
    - `fleet.nodes.tags`, `hybrid.tags`: more than 50 with those of `tags` and `environment`
    """
    if ENVIRONMENT_TAG in policy.tags:
        findings.add(("tags", ENVIRONMENT_TAG), f"the tag {ENVIRONMENT_TAG} is set by environment; take it out")
    for key in policy.tags:
        if key in PATCH_GROUP_TAGS:
            findings.add(("tags", key), f"{key} is a tag of nodes, by which they get their baselines; give it to them")
    tagged: list[tuple[Place, int]] = [
        (("fleet", "nodes", index, "tags"), len({**policy.node_tags(node), NAME_TAG: node.name}))
        for index, node in enumerate(policy.fleet.nodes if policy.fleet else ())
    ]
    if policy.hybrid:
        tagged.append((("hybrid", "tags"), len(policy.hybrid_tags)))
    for at, number in tagged:
        if number > MAX_TAGS:
            findings.add(
                at, f"{number} tags with those of tags and environment, but AWS takes {MAX_TAGS}; take some out"
            )


def _check_quotas(policy: PolicyContent, findings: Findings) -> None:
    """Count what AWS counts; see https://docs.aws.amazon.com/general/latest/gr/ssm.html.

    Refused:
    - `install`, `baselines`, `documents`: more of them than AWS allows in an account and Region, or than `quotas` says
    """
    for key, quota, parts in (
        ("install", "windows", policy.install),
        ("baselines", "baselines", policy.baselines),
        ("documents", "documents", policy.documents),
    ):
        limit = getattr(policy.quotas, quota)
        if len(parts) > limit:
            message = (
                f"{len(parts)} {quota}, but AWS allows {limit} in an account and Region; if it has raised that for "
                f"you, say so in quotas.{quota}"
            )
            findings.add((key,), message)


def _check_baselines(policy: PolicyContent, findings: Findings) -> None:
    """A group has one baseline of each system, and a system one default.

    Refused:
    - `baselines.*.patch_groups`: a group that another baseline of the same system has, as AWS takes one
    - `baselines.*.default`: a second default baseline of a system, as there is one

    Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-patch-groups.html.
    """
    groups: dict[tuple[OperatingSystem, str], str] = {}
    defaults: dict[OperatingSystem, str] = {}
    for name, baseline in policy.baselines.items():
        for index, group in enumerate(baseline.patch_groups):
            other = groups.setdefault((baseline.operating_system, group), name)
            if other != name:
                message = (
                    f"baseline {other} has the patch group {group!r} of {baseline.operating_system} already; a "
                    "group has one baseline of each operating system"
                )
                findings.add(("baselines", name, "patch_groups", index), message)
        if baseline.default and defaults.setdefault(baseline.operating_system, name) != name:
            message = (
                f"baseline {defaults[baseline.operating_system]} is the default of {baseline.operating_system} "
                "already; a system has one default"
            )
            findings.add(("baselines", name, "default"), message)


def _check_without_effect(policy: PolicyContent, reading: Reading) -> None:
    """What is said of listed patches has an effect only where there are some, be it by an exception.

    Warned of:
    - `baselines.*.approved_patches_compliance_level`, `baselines.*.approved_patches_enable_non_security`,
      `baselines.*.rejected_patches_action`: one of them where no patch is approved, or rejected, by name

    Follows https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CreatePatchBaseline.html.
    """
    for name, baseline in policy.baselines.items():
        actions = {one.action for one in policy.exceptions.values() if name in one.baselines}
        approved = bool(baseline.approved_patches) or Action.APPROVE in actions
        rejected = bool(baseline.rejected_patches) or Action.REJECT in actions
        for key, listed, what in (
            ("approved_patches_compliance_level", approved, "approved"),
            ("approved_patches_enable_non_security", approved, "approved"),
            ("rejected_patches_action", rejected, "rejected"),
        ):
            if key in baseline.model_fields_set and not listed:
                reading.warn(("baselines", name, key), f"no patch is {what} by name here: it has no effect")


def _check_groups(policy: PolicyContent, findings: Findings) -> None:
    """No node falls back to a default baseline of AWS's in silence, and no baseline is there for nobody.

    Refused:
    - `fleet.nodes.tags`: no patch group, or one that no baseline of the node's system has: AWS would silently use its
      own baseline; unless there is a default baseline of the system here
    - `hybrid.tags`: no patch group, or one that no baseline has: AWS would silently use its own baseline; unless there
      is a default baseline here
    - `install.*.targets`, `services.*.groups`: a patch group that no baseline has: AWS would silently use its own
      baseline; unless there is a default baseline here

    Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-patch-groups.html.
    """
    known = {(one.operating_system, group) for one in policy.baselines.values() for group in one.patch_groups}
    defaults = {one.operating_system for one in policy.baselines.values() if one.default}
    for index, node in enumerate(policy.fleet.nodes if policy.fleet else ()):
        group = patch_group(node.tags) or ""
        if (node.operating_system, group) not in known and node.operating_system not in defaults:
            names = sorted(name for system, name in known if system is node.operating_system)
            where = ("fleet", "nodes", index, "tags", *((PATCH_GROUP_TAG,) if group else ()))
            message = (
                f"no baseline of {node.operating_system} has the patch group {group!r}: AWS would silently use its "
                f"default baseline; expected one of {', '.join(names) or 'none, for there is no such baseline'}"
            )
            findings.add(where, message)
    groups = {group for _, group in known}
    for where, group in _named_groups(policy):
        # What a default baseline of the policy's own is for, is not known here: a group does not tell its system.
        if group not in groups and not defaults:
            message = (
                f"no baseline has the patch group {group!r}: AWS would silently use its default baseline for such "
                f"nodes; expected one of {', '.join(sorted(groups)) or 'none, for no baseline has a group'}"
            )
            findings.add(where, message)
    if policy.fleet is not None:
        _check_reached(policy, findings)


def _named_groups(policy: PolicyContent) -> Iterator[tuple[Place, str]]:
    """Yield the patch groups that other parts than baselines and nodes name, with their places."""
    parts: list[tuple[Place, Mapping[str, str | list[str]]]] = []
    if policy.hybrid:
        if patch_group(policy.hybrid.tags) is None:
            yield ("hybrid", "tags"), ""
        parts.append((("hybrid", "tags"), policy.hybrid.tags))
    for name, install in policy.install.items():
        many = isinstance(install.targets, list)
        for index, group in enumerate(install.target_groups):
            parts.append((("install", name, "targets", *((index,) if many else ())), group))
    for name, service in policy.services.items():
        parts += [(("services", name, "groups", index), group) for index, group in enumerate(service.groups)]
    for at, tags in parts:
        for key in PATCH_GROUP_TAGS:
            for value in sorted(value_set(tags.get(key, ()))):
                yield (*at, key), value


def _check_reached(policy: PolicyContent, findings: Findings) -> None:
    """Where the policy makes the nodes itself, every baseline has to be for one of them.

    Refused:
    - `baselines.*`: with a fleet, a baseline that neither one of its nodes nor a hybrid machine can ever get

    Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-patch-groups.html.
    """
    nodes = policy.fleet.nodes if policy.fleet else []
    for name, baseline in policy.baselines.items():
        reached = baseline.default or any(
            node.operating_system is baseline.operating_system and patch_group(node.tags) in baseline.patch_groups
            for node in nodes
        )
        if not reached and not (policy.hybrid and patch_group(policy.hybrid.tags) in baseline.patch_groups):
            message = (
                f"no node can ever get this baseline: the fleet has no {baseline.operating_system} node of the patch "
                f"groups {', '.join(baseline.patch_groups)}; take it out, or add such a node"
            )
            findings.add(("baselines", name), message)


def _check_sources(policy: PolicyContent, findings: Findings) -> None:
    """Nodes reach the repositories that their baseline names instead of their own.

    Refused:
    - `baselines.*.sources.*.configuration`: an address that is not in S3, or not by HTTPS, for a node in an isolated
      network: nothing else can be reached from there

    Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-alternative-source-repository.html.
    """
    if policy.fleet is None or policy.fleet.network.kind is not NetworkKind.ISOLATED:
        return
    for (name, source), content in policy.fleet_sources.items():
        for address, bucket in content.addresses.items():
            if not bucket:
                message = (
                    f"a network of kind isolated leads to S3 only, by HTTPS: nodes do not reach {address} from there; "
                    "put the repository into a bucket, or take a network of another kind"
                )
                findings.add(("baselines", name, "sources", source, "configuration"), message)


def _check_documents(policy: PolicyContent, findings: Findings) -> None:
    """A hook is a document of the policy, and runs without parameters.

    Refused:
    - `install.*.hooks`: a name that no document of the policy has
    - `install.*.hooks`: a document with a parameter that has no default

    Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-aws-runpatchbaselinewithhooks.html.
    """
    hooks = [
        (("install", name, "hooks", key), document)
        for name, install in policy.install.items()
        for key, document in (install.hooks.named() if install.hooks else {}).items()
    ]
    used = {document for _, document in hooks}
    unfit = {name: hook_findings(one.content) for name, one in policy.documents.items() if name in used}
    for at, document in hooks:
        if document not in policy.documents:
            known = ", ".join(policy.documents) or "none, for there are no documents"
            findings.add(at, f"there is no document {document!r}; expected one of {known}")
        for found in unfit.get(document, ()):
            findings.add(at, f"document {document} cannot be a hook: {found.message}")


_STANDING_IN: Mapping[str, Any] = {
    "environment": "sound",
    "baselines": {"sound": {"operating_system": "WINDOWS", "default": True, "approved_patches": ["KB1000000"]}},
    "scan": {"schedule_utc": "cron(0 0 * * ? *)"},
}
"""What every policy has."""

_CHECKS: tuple[tuple[frozenset[str], Callable[[PolicyContent, Findings, Reading], None]], ...] = (
    (frozenset({"tags", "fleet", "hybrid"}), lambda policy, findings, _: _check_tags(policy, findings)),
    (
        frozenset({"install", "baselines", "documents", "quotas"}),
        lambda policy, findings, _: _check_quotas(policy, findings),
    ),
    (frozenset({"baselines"}), lambda policy, findings, _: _check_baselines(policy, findings)),
    (
        frozenset({"baselines", "fleet", "hybrid", "install", "services", "tags"}),
        lambda policy, findings, _: _check_groups(policy, findings),
    ),
    (frozenset({"baselines", "fleet"}), lambda policy, findings, _: _check_sources(policy, findings)),
    (frozenset({"exceptions", "baselines"}), exception_checks.check),
    (frozenset({"exceptions", "baselines"}), lambda policy, _, reading: _check_without_effect(policy, reading)),
    (frozenset({"documents", "install"}), lambda policy, findings, _: _check_documents(policy, findings)),
    (
        frozenset({"environment", "baselines", "exceptions", "documents", "install", "notifications", "operators"}),
        lambda policy, findings, _: size_checks.check(policy, findings),
    ),
    (
        frozenset({"install", "services", "scan", "inventory", "agent_updates", "fleet", "hybrid", "tags", "quotas"}),
        window_checks.check,
    ),
)
"""Each check, with the parts that it looks at."""
