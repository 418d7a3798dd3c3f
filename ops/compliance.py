"""Reviewing patch compliance: what the nodes reported last, and what it adds up to.

The states of nodes are asked for by their ids, fifty at a time: by patch group a page has a hundred, but only one page
after the other, and IAM cannot limit it to an environment's nodes. The open patches of a node are one request of its
own, by their states and a hundred a page.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-compliance-states.html.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import chain
from threading import Lock
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from ops.errors import in_words
from ops.nodes import NEEDS as NODE_NEEDS
from ops.nodes import Node, batches, nothing_matches, stream, targeted, until_it_fails
from ops.permissions import Need, On
from ops.session import Session
from patching.compliance import NodeCompliance, PatchState, severity_rank, states_not_complying
from patching.targets import Targets

MAX_IDS = 50
"""Ids that DescribeInstancePatchStates takes at one time."""

PATCHES_PAGE = 100
"""Patches that DescribeInstancePatches gives at one time."""

NEEDS = (
    *NODE_NEEDS,
    Need(On.NODES, "ssm:DescribeInstancePatchStates", "ssm:DescribeInstancePatches"),
    Need(On.BASELINES, "ssm:GetPatchBaseline"),
)

COUNTED = (
    PatchState.MISSING,
    PatchState.FAILED,
    PatchState.INSTALLED_PENDING_REBOOT,
    PatchState.INSTALLED_REJECTED,
    PatchState.INSTALLED,
    PatchState.INSTALLED_OTHER,
    PatchState.NOT_APPLICABLE,
    PatchState.AVAILABLE_SECURITY_UPDATE,
)


@dataclass(frozen=True)
class OpenPatch:
    """A patch that keeps a node from being compliant.

    Attributes:
        title: its title, for people.
        patch_id: its id: a package with its architecture, or a KB number.
        classification: what it is for, in the vendor's words.
        severity: how serious it is, in the vendor's words.
        state: Missing, Failed, InstalledPendingReboot or InstalledRejected.
        cves: the vulnerabilities that it mends.
    """

    title: str
    patch_id: str
    classification: str
    severity: str
    state: PatchState
    cves: tuple[str, ...]


@dataclass
class NodeReport:
    """What is known of one node.

    Attributes:
        node: the node.
        compliance: compliant, not, or unknown: never scanned, or not readable.
        counts: patches by their state.
        severity: the most serious severity among the open patches, in the vendor's words; empty if there is none.
        operation: what it did last, Scan or Install.
        at: when that ended.
        seconds: how long it took; 0 if that is not known.
        baseline_id: the baseline that it was held against.
        baseline_name: that baseline's name.
        patch_group: the patch group by which it got it; empty for the default.
        critical: open patches that the baseline counts as critical.
        security: open patches that the vendor counts as security.
        other: open patches that are neither.
        open: how many patches keep it from being compliant.
        open_patches: the patches that keep it from being compliant; none if they were not asked for.
        why_unknown: why its compliance is not known; empty if it is.
    """

    node: Node
    compliance: NodeCompliance
    counts: dict[PatchState, int] = field(default_factory=dict)
    severity: str = ""
    operation: str = ""
    at: datetime | None = None
    seconds: int = 0
    baseline_id: str = ""
    baseline_name: str = ""
    patch_group: str = ""
    critical: int = 0
    security: int = 0
    other: int = 0
    open: int = 0
    open_patches: tuple[OpenPatch, ...] = ()
    why_unknown: str = ""


_COUNT_FIELDS = tuple((one, one.count_field) for one in COUNTED)
NEVER_SCANNED = "never scanned"
NOT_READ = "could not be read"


@dataclass(frozen=True)
class Review:
    """The compliance of some nodes.

    Attributes:
        at: when it was read.
        nodes: a report each.
        problems: what could not be read, in words; the nodes it concerns are unknown.
    """

    at: datetime
    nodes: tuple[NodeReport, ...]
    problems: tuple[str, ...] = ()

    def count(self, compliance: NodeCompliance) -> int:
        """Return how many nodes are compliant, not compliant or unknown."""
        return sum(report.compliance is compliance for report in self.nodes)

    @property
    def compliant(self) -> bool:
        """Tell whether every node is compliant, and known to be."""
        return all(report.compliance is NodeCompliance.COMPLIANT for report in self.nodes)


def judged_since(report: NodeReport, begin: datetime) -> NodeReport:
    """Return a report as it counts from a time on: one from before says nothing, and its node is unknown."""
    if report.at is not None and report.at >= begin:
        return report
    why = report.why_unknown or f"no report since {begin.isoformat(timespec='minutes')}"
    return replace(report, compliance=NodeCompliance.UNKNOWN, why_unknown=why)


def review(session: Session, targets: Targets) -> Review:
    """Read and judge the compliance of the nodes that are targeted.

    Raises:
        OperationError: no node is targeted.
    """
    problems: list[str] = []
    reports = tuple(judge(session, targeted(session, targets), problems))
    return Review(session.now(), reports, tuple(problems))


def reports(
    session: Session, targets: Targets | None, problems: list[str], *, patches: bool = True
) -> Iterator[NodeReport]:
    """Read and judge the compliance of nodes as they come; of all of them by default.

    Args:
        session: the connection.
        targets: which nodes.
        problems: takes what could not be read.
        patches: whether the open patches of each node are read.

    Raises:
        OperationError: no node is targeted.
    """
    found = until_it_fails(stream(session, targets), "the managed nodes", problems)
    first = next(found, None)
    if first is None:
        if targets and not problems:
            raise nothing_matches(targets)
        return
    yield from judge(session, chain((first,), found), problems, patches=patches)


def judge(
    session: Session, found: Iterable[Node], problems: list[str], *, patches: bool = True
) -> Iterator[NodeReport]:
    """Read and judge the compliance of these nodes, in their order."""
    baselines = _Baselines(session, problems)

    def states(batch: Sequence[Node]) -> list[NodeReport]:
        known, problem = _states(session, batch)
        if problem:
            problems.append(problem)
        return [
            _report(node, known[node.id], baselines)
            if node.id in known
            else NodeReport(node, NodeCompliance.UNKNOWN, why_unknown=NOT_READ if problem else NEVER_SCANNED)
            for node in batch
        ]

    def complete(report: NodeReport) -> NodeReport:
        return _with_patches(session, report, baselines, problems)

    judged = chain.from_iterable(session.each(states, batches(found, MAX_IDS)))
    yield from session.each(complete, judged) if patches else judged


@dataclass(frozen=True)
class _Baseline:
    """What of a baseline counts here.

    Attributes:
        known: whether it could be read.
        name: its name; empty if it is not known.
        open_states: the states in which a patch keeps a node from being compliant.
    """

    known: bool
    name: str
    open_states: frozenset[PatchState]


class _Baselines:
    """The baselines that nodes were held against, each read once."""

    def __init__(self, session: Session, problems: list[str]) -> None:
        self._session = session
        self._problems = problems
        self._asked: dict[str, Future[_Baseline]] = {}
        self._read: dict[str, _Baseline] = {}
        self._lock = Lock()

    def get(self, baseline_id: str) -> _Baseline:
        """Return a baseline. Whoever asks for one that is being read waits, and nobody else."""
        return self._read.get(baseline_id) or self._get(baseline_id)

    def _get(self, baseline_id: str) -> _Baseline:
        with self._lock:
            first = baseline_id not in self._asked
            found = self._asked.setdefault(baseline_id, Future())
        if first:
            try:
                self._read[baseline_id] = self._ask(baseline_id)
                found.set_result(self._read[baseline_id])
            except BaseException as error:
                found.set_exception(error)
                raise
        return found.result()

    def _ask(self, baseline_id: str) -> _Baseline:
        try:
            one = self._session.ssm.get_patch_baseline(BaselineId=baseline_id)
        except (BotoCoreError, ClientError) as error:
            self._problems.append(f"name of baseline {baseline_id}: {in_words(error)}")
            return _Baseline(known=False, name="", open_states=states_not_complying(""))
        status = one.get("AvailableSecurityUpdatesComplianceStatus", "")
        return _Baseline(known=True, name=one.get("Name", ""), open_states=states_not_complying(status))


def _states(session: Session, batch: Sequence[Node]) -> tuple[dict[str, Any], str]:
    """Return the patch states of nodes by their ids, and what went wrong, in words."""
    states: dict[str, Any] = {}
    request: Any = {"InstanceIds": [node.id for node in batch], "MaxResults": MAX_IDS}
    try:
        # Without a paginator, which takes as long as reading the reply does: nearly always there is one page.
        while True:
            page = session.ssm.describe_instance_patch_states(**request)
            states |= {state["InstanceId"]: state for state in page["InstancePatchStates"]}
            if not page.get("NextToken"):
                break
            request["NextToken"] = page["NextToken"]
    except (BotoCoreError, ClientError) as error:
        return states, f"patch states of {len(batch)} nodes ({batch[0].id} to {batch[-1].id}): {in_words(error)}"
    return states, ""


def _report(node: Node, state: dict[str, Any], baselines: _Baselines) -> NodeReport:
    counts = {one: state.get(name, 0) for one, name in _COUNT_FIELDS}
    baseline = baselines.get(state["BaselineId"])
    lacking = sum(counts[one] for one in baseline.open_states)
    # Whether available security updates count is said by the baseline; it may be that it could not be read.
    unsure = not baseline.known and not lacking and bool(counts[PatchState.AVAILABLE_SECURITY_UPDATE])
    known = NodeCompliance.NON_COMPLIANT if lacking else NodeCompliance.COMPLIANT
    return NodeReport(
        node=node,
        compliance=NodeCompliance.UNKNOWN if unsure else known,
        why_unknown=NOT_READ if unsure else "",
        open=lacking,
        counts=counts,
        operation=state.get("Operation", ""),
        at=state.get("OperationEndTime"),
        seconds=_seconds(state.get("OperationStartTime"), state.get("OperationEndTime")),
        baseline_id=state["BaselineId"],
        baseline_name=baseline.name,
        patch_group=state.get("PatchGroup", ""),
        critical=state.get("CriticalNonCompliantCount", 0),
        security=state.get("SecurityNonCompliantCount", 0),
        other=state.get("OtherNonCompliantCount", 0),
    )


def _seconds(start: datetime | None, end: datetime | None) -> int:
    return max(0, int((end - start).total_seconds())) if start and end else 0


def _with_patches(session: Session, report: NodeReport, baselines: _Baselines, problems: list[str]) -> NodeReport:
    if report.compliance is not NodeCompliance.NON_COMPLIANT:
        return report
    try:
        found = open_patches(session, report, baselines.get(report.baseline_id).open_states)
    except (BotoCoreError, ClientError) as error:
        problems.append(f"patches of {report.node.id}: {in_words(error)}")
        return replace(report, compliance=NodeCompliance.UNKNOWN, why_unknown=NOT_READ)
    severity = max((patch.severity for patch in found), key=severity_rank, default="")
    return replace(report, open_patches=found, severity=severity)


def open_patches(session: Session, report: NodeReport, open_states: Collection[PatchState]) -> tuple[OpenPatch, ...]:
    """Read the open patches of one node: only the states of which it has some, as the rest is many times as much."""
    states = [str(state) for state in COUNTED if state in open_states and report.counts.get(state)]
    pages = session.ssm.get_paginator("describe_instance_patches").paginate(
        InstanceId=report.node.id,
        Filters=[{"Key": "State", "Values": states}],
        PaginationConfig={"PageSize": PATCHES_PAGE},
    )
    found = [
        OpenPatch(
            title=patch["Title"],
            patch_id=patch["KBId"],
            classification=patch.get("Classification", ""),
            severity=patch.get("Severity", ""),
            state=PatchState.parse(patch["State"]),
            cves=tuple(filter(None, patch.get("CVEIds", "").split(","))),
        )
        for page in pages
        for patch in page["Patches"]
    ]
    return tuple(sorted(found, key=lambda patch: (-severity_rank(patch.severity), patch.title)))
