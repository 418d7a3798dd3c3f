"""What an installation would do, without touching a node: which patches on which nodes, by which baseline, how long.

What a node lacks is what its last report says: Patch Manager computes it on the node, and nowhere else.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-aws-runpatchbaseline.html.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import chain

from ops import compliance, effective_baselines, patching_windows
from ops import unmanaged as unmanaged_instances
from ops.alike import Alike
from ops.compliance import NodeReport, OpenPatch
from ops.effective_baselines import Baselines
from ops.nodes import Node, nothing_matches, stream, until_it_fails, with_tags
from ops.patching_windows import PatchingWindow
from ops.session import Session
from ops.unmanaged import targeted_instances, unmanaged
from patching.compliance import NodeCompliance, PatchState
from patching.deployment import Deployment
from patching.rate_control import RateControl
from patching.run_patch_baseline import RebootOption
from patching.targets import Targets

NEEDS = (
    *compliance.NEEDS,
    *effective_baselines.NEEDS,
    *patching_windows.NEEDS,
    *unmanaged_instances.NEEDS,
)

ASSUMED_MINUTES = 15
"""How long an installation on a node is taken to last if none of the nodes has ever reported one."""


@dataclass
class NodePlan:
    """What an installation would do on one node.

    Attributes:
        node: the node, or an instance that is not one.
        managed: whether Systems Manager knows it; nothing can be installed on others.
        ping: whether its agent was heard of lately: Online, ConnectionLost or Inactive.
        baseline: name of the baseline that it gets now; empty if it is not known.
        baseline_reason: why it gets that one.
        scanned: when it reported last; null if it never did, and what it lacks is not known.
        missing: how many patches it lacks; null if that is not known.
        patches: the patches that would be installed; none if they were not asked for.
        reboots: whether it would reboot; null if that is not known.
        windows: the enabled windows that install on it.
        next_window: when the first of them opens next; null if none does.
        seconds: how long its last installation took; 0 if that is not known.
    """

    node: Node
    managed: bool
    ping: str
    baseline: str
    baseline_reason: str
    scanned: datetime | None
    missing: int | None
    patches: tuple[OpenPatch, ...]
    reboots: bool | None
    windows: tuple[str, ...]
    next_window: datetime | None
    seconds: int


@dataclass(frozen=True)
class PlanSummary:
    """What an installation would do altogether.

    Attributes:
        nodes: how many nodes are targeted.
        unmanaged: how many instances match, and are no managed nodes.
        offline: how many managed nodes are not online.
        unknown: of how many managed nodes it is not known what they lack.
        to_patch: on how many nodes something would be installed.
        patches: how many installations of patches that is.
        reboots: how many nodes would reboot.
        without_window: how many nodes no enabled window installs on.
        pace: the rate control, in words.
        rounds: after how many rounds of that pace every node was patched.
        minutes_per_node: how long one node takes.
        measured: whether that is the mean of the nodes' last installations; otherwise it is assumed.
        minutes: how long it would take altogether.
        windows: how many nodes each window installs on, by its name.
    """

    nodes: int
    unmanaged: int
    offline: int
    unknown: int
    to_patch: int
    patches: int
    reboots: int
    without_window: int
    pace: str
    rounds: int
    minutes_per_node: float
    measured: bool
    minutes: float
    windows: dict[str, int]


@dataclass(frozen=True)
class PatchPlan:
    """What an installation would do.

    Attributes:
        nodes: what it would do on each node.
        summary: what that is altogether.
        at: when it was read.
        problems: what could not be read, in words; what it concerns is unknown.
    """

    nodes: tuple[NodePlan, ...]
    summary: PlanSummary
    at: datetime
    problems: tuple[str, ...]


def plans(
    session: Session,
    targets: Targets,
    problems: list[str],
    *,
    reboot: RebootOption = RebootOption.REBOOT_IF_NEEDED,
    deployment: Deployment | None = None,
    patches: bool = True,
) -> Iterator[NodePlan]:
    """Yield what an installation would do on each node that is targeted, as the nodes come.

    Args:
        session: the connection.
        targets: which nodes.
        problems: takes what could not be read.
        reboot: what the installation does at its end.
        deployment: the environment whose windows are looked at; those of the Region by default.
        patches: whether the patches are read, a request for each node that lacks some.

    Raises:
        OperationError: no node and no instance is targeted.
    """
    # All of it is under way at one time: of a large fleet, each of the two lists takes seconds.
    instances = session.meanwhile(lambda: targeted_instances(session, targets))
    nodes = session.begun(with_tags(session, until_it_fails(stream(session, targets), "the managed nodes", problems)))
    baselines = effective_baselines.read(session)
    windows = [one for one in patching_windows.read(session, deployment) if one.enabled and one.operation == "Install"]
    coming = Alike(chain.from_iterable(one.targets for one in windows), partial(_coming, windows))
    seen: set[str] = set()

    def managed() -> Iterator[Node]:
        for node in nodes:
            seen.add(node.id)
            yield node

    for report in compliance.judge(session, managed(), problems, patches=patches):
        yield _of_report(report, baselines, coming.of(report.node), reboot)
    others = 0
    for one in until_it_fails(unmanaged(session, instances.result, seen), "the instances", problems):
        others += 1
        yield NodePlan(one, False, one.ping, "", "not a managed node", None, None, (), None, (), None, 0)  # noqa: FBT003
    if not seen and not others and not problems:
        raise nothing_matches(targets)


class Adding:
    """Adds plans up one by one, and keeps none of them.

    Args:
        rate_control: how many nodes at one time.
    """

    def __init__(self, rate_control: RateControl) -> None:
        self._rate_control = rate_control
        self._counts: Counter[str] = Counter()
        self._windows: Counter[str] = Counter()
        self._seconds: list[int] = []

    def add(self, plan: NodePlan) -> None:
        """Add a node."""
        count = self._counts
        count["nodes"] += 1
        if not plan.managed:
            count["unmanaged"] += 1
            return
        count["offline"] += plan.ping != "Online"
        count["unknown"] += plan.missing is None
        count["to_patch"] += bool(plan.missing)
        count["patches"] += plan.missing or 0
        count["reboots"] += bool(plan.reboots)
        count["without_window"] += not plan.windows
        self._windows.update(plan.windows)
        if plan.seconds:
            self._seconds.append(plan.seconds)

    def summary(self) -> PlanSummary:
        """Return what it adds up to so far."""
        count = self._counts
        managed = count["nodes"] - count["unmanaged"]
        rounds = -(-managed // self._rate_control.concurrent(managed)) if managed else 0
        measured = bool(self._seconds)
        minutes = sum(self._seconds) / len(self._seconds) / 60 if measured else float(ASSUMED_MINUTES)
        return PlanSummary(
            nodes=count["nodes"],
            unmanaged=count["unmanaged"],
            offline=count["offline"],
            unknown=count["unknown"],
            to_patch=count["to_patch"],
            patches=count["patches"],
            reboots=count["reboots"],
            without_window=count["without_window"],
            pace=self._rate_control.in_words(),
            rounds=rounds,
            minutes_per_node=round(minutes, 1),
            measured=measured,
            minutes=round(rounds * minutes, 1),
            windows=dict(sorted(self._windows.items())),
        )


@dataclass(frozen=True)
class _Coming:
    """The windows that install on a node, and when the first of them opens next."""

    names: tuple[str, ...]
    opens: datetime | None


def _coming(windows: Sequence[PatchingWindow], node: Node) -> _Coming:
    selecting = [one for one in windows if one.selects(node.id, node.tags)]
    opening = [one.next_run for one in selecting if one.next_run]
    return _Coming(tuple(one.name for one in selecting), min(opening, default=None))


def _of_report(report: NodeReport, baselines: Baselines, coming: _Coming, reboot: RebootOption) -> NodePlan:
    node = report.node
    baseline = baselines.of(node)
    known = report.compliance is not NodeCompliance.UNKNOWN or bool(report.counts)
    missing = report.counts.get(PatchState.MISSING, 0) if known else None
    pending = report.counts.get(PatchState.INSTALLED_PENDING_REBOOT, 0)
    reboots = bool(missing or pending) and reboot is RebootOption.REBOOT_IF_NEEDED if known else None
    return NodePlan(
        node=node,
        managed=True,
        ping=node.ping,
        baseline=baseline.name or baseline.id,
        baseline_reason=baseline.reason,
        scanned=report.at,
        missing=missing,
        patches=tuple(one for one in report.open_patches if one.state is PatchState.MISSING),
        reboots=reboots,
        windows=coming.names,
        next_window=coming.opens,
        seconds=report.seconds if report.operation == "Install" else 0,
    )


def fits(summary: PlanSummary, windows: Sequence[PatchingWindow]) -> list[str]:
    """Say of which windows the estimate is longer than they start tasks."""
    found = []
    for window in windows:
        nodes = summary.windows.get(window.name, 0)
        if nodes:
            rounds = -(-nodes // window.rate_control.concurrent(nodes))
            needed = timedelta(minutes=rounds * summary.minutes_per_node)
            if needed > timedelta(hours=window.open_hours):
                found.append(
                    f"{window.name} starts tasks for {window.open_hours} h, and {nodes} nodes would take about "
                    f"{needed.total_seconds() / 3600:.1f} h at its pace"
                )
    return found
