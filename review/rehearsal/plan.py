"""What is rehearsed: the baselines, windows and associations of a policy, or of the templates that it became."""

from __future__ import annotations

from dataclasses import dataclass

from patching.baseline import PatchBaseline
from patching.open_times import OpenTimes
from patching.operating_system import OperatingSystem
from patching.policy import Policy
from patching.policy.install import CutoffBehavior
from patching.rate_control import RateControl
from patching.run_patch_baseline import RunPatchBaseline
from patching.schedule import Schedule
from patching.targets import Targets
from review.costs import image_name
from review.errors import ReviewError
from review.facts import Facts


@dataclass(frozen=True)
class PlannedBaseline:
    """A baseline with the patch groups that use it."""

    name: str
    content: PatchBaseline
    groups: tuple[str, ...]


@dataclass(frozen=True)
class PlannedWindow:
    """A window that patches."""

    name: str
    times: OpenTimes
    cutoff_hours: int
    cancels: bool
    groups: tuple[Targets, ...]
    rate: RateControl
    task: RunPatchBaseline


@dataclass(frozen=True)
class PlannedAssociation:
    """An association that patches."""

    name: str
    schedule: Schedule | None
    targets: Targets
    rate: RateControl
    task: RunPatchBaseline
    only_at_interval: bool


@dataclass(frozen=True)
class Plan:
    """What is rehearsed.

    Attributes:
        name: what it is called.
        environment: the environment, whose tag all targets have.
        baselines: what is approved, and for whom.
        windows: when it is installed.
        associations: when nodes are scanned.
        documents: names of the account's own documents, which run as hooks.
        fleet: the nodes that are made with the policy, by system and tags; none if they are there already.
        left_out: what is not rehearsed, and why.
    """

    name: str
    environment: str
    baselines: tuple[PlannedBaseline, ...]
    windows: tuple[PlannedWindow, ...]
    associations: tuple[PlannedAssociation, ...]
    documents: tuple[str, ...]
    fleet: tuple[tuple[OperatingSystem, dict[str, str]], ...] = ()
    left_out: tuple[str, ...] = ()


def of_policy(policy: Policy, name: str) -> Plan:
    """Return the plan of a policy."""
    return Plan(
        name,
        policy.environment,
        tuple(
            PlannedBaseline(key, policy.patch_baseline(key), tuple(one.patch_groups))
            for key, one in policy.baselines.items()
        ),
        tuple(
            PlannedWindow(
                key,
                one.open_times,
                one.cutoff_hours,
                one.cutoff_behavior is CutoffBehavior.CANCEL_TASK,
                tuple(policy.install_targets(key)),
                one.rate_control,
                policy.install_task(key),
            )
            for key, one in policy.install.items()
            if one.enabled
        ),
        (
            PlannedAssociation(
                "scan",
                policy.scan.schedule,
                policy.scan_targets,
                policy.scan.rate_control,
                RunPatchBaseline.scan(),
                only_at_interval=not policy.scan.run_at_deployment,
            ),
        ),
        tuple(policy.document_names.values()),
        tuple((node.operating_system, policy.node_tags(node)) for node in policy.fleet.nodes) if policy.fleet else (),
    )


def of_facts(facts: Facts, name: str) -> Plan:
    """Return the plan of an environment's templates.

    Raises:
        ReviewError: no baseline that can be read.
    """
    left_out = []
    baselines = []
    for one in facts.baselines:
        if one.content is None:
            left_out.append(f"baseline {one.name}: what it approves is not known before the deployment")
        else:
            baselines.append(PlannedBaseline(one.name, one.content, one.groups))
    if not baselines:
        raise ReviewError(f"{name}: there is no patch baseline in it that could be rehearsed")
    windows = []
    for window in facts.windows:
        for task in window.tasks:
            if window.times is None or task.sent.rate is None or task.sent.patching is None or not task.sent.groups:
                left_out.append(
                    f"window {window.name}: not all of it is known before the deployment, or it does not patch"
                )
                continue
            windows.append(
                PlannedWindow(
                    window.name,
                    window.times,
                    window.cutoff_hours,
                    task.cutoff_behavior == "CANCEL_TASK",
                    task.sent.groups,
                    task.sent.rate,
                    task.sent.patching,
                )
            )
    associations = []
    for association in facts.associations:
        sent = association.sent
        if sent.patching is None or sent.rate is None or not sent.groups:
            continue  # what does not patch has no effect on what is measured
        associations.append(
            PlannedAssociation(
                association.name,
                association.schedule,
                sent.groups[0],
                sent.rate,
                sent.patching,
                only_at_interval=not association.runs_when_made,
            )
        )
    return Plan(
        name,
        facts.whole.environment,
        tuple(baselines),
        tuple(windows),
        tuple(associations),
        tuple(facts.shown(one.properties.get("Name")) for one in facts.assembly.of("AWS::SSM::Document")),
        tuple((system, tags) for one, tags in facts.nodes if (system := _system(image_name(facts, one))) is not None),
        tuple(left_out),
    )


def _system(image: str) -> OperatingSystem | None:
    """Return the operating system that the name of an image speaks of; None if it does not."""
    return next((system for word, system in _IMAGES.items() if word in image.lower()), None)


_IMAGES = {
    "windows": OperatingSystem.WINDOWS,
    "ubuntu": OperatingSystem.UBUNTU,
    "al2023": OperatingSystem.AMAZON_LINUX_2023,
    "amzn2": OperatingSystem.AMAZON_LINUX_2,
}
