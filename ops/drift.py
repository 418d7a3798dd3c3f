"""What is deployed against what nodes are and report: wrong baselines, nodes in no window, nodes in two.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-patch-groups.html and, for scans that
overwrite each other, https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-compliance-data-overwrites.html.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from functools import lru_cache, partial

from ops import compliance, effective_baselines, patching_windows
from ops.alike import Alike
from ops.compliance import NodeReport
from ops.effective_baselines import Baselines, EffectiveBaseline
from ops.finding import Finding, Verdict
from ops.guards import PATCHING_DOCUMENTS
from ops.nodes import Node, nothing_matches, stream, until_it_fails, with_tags
from ops.patching_windows import PatchingWindow
from ops.permissions import Need, On
from ops.session import Session
from patching.errors import InvalidValueError
from patching.patch_group import check_tag_key
from patching.targets import Targets

NEEDS = (
    *compliance.NEEDS,
    *effective_baselines.NEEDS,
    *patching_windows.NEEDS,
    Need(On.ANYTHING, "ssm:ListAssociations"),
)

BASELINE, FALLBACK, GROUP, WINDOW, TWICE, SCANS = (
    "baseline",
    "silent fallback",
    "patch group",
    "no window",
    "two windows",
    "scans overwrite",
)


@dataclass(frozen=True)
class Drift:
    """What differs from what is deployed.

    Attributes:
        findings: what differs, node by node.
        nodes: how many nodes were looked at.
        at: when it was read.
        problems: what could not be read, in words; there may be more to find.
    """

    findings: tuple[Finding, ...]
    nodes: int
    at: datetime
    problems: tuple[str, ...]


@dataclass(frozen=True)
class Deployed:
    """What is deployed, as far as it concerns nodes.

    Attributes:
        baselines: the baselines, and what gives them to nodes.
        windows: the windows that patch.
        scans: what else patches by itself: associations, with the nodes that they select.
    """

    baselines: Baselines
    windows: tuple[PatchingWindow, ...]
    scans: tuple[tuple[str, Targets], ...]

    def targets(self) -> Iterator[Targets]:
        """Yield everything that selects nodes."""
        yield from (targets for one in self.windows for targets in one.targets)
        yield from (targets for _, targets in self.scans)


def read(session: Session) -> Deployed:
    """Read what is deployed in the Region: who else patches the same nodes is the question."""
    pages = session.ssm.get_paginator("list_associations").paginate(PaginationConfig={"PageSize": 50})
    scans = [
        (one.get("AssociationName") or one["AssociationId"], Targets.from_api(one["Targets"]))  # type: ignore[arg-type]
        for page in pages
        for one in page["Associations"]
        if one.get("Name") in PATCHING_DOCUMENTS and one.get("Targets")
    ]
    return Deployed(effective_baselines.read(session), tuple(patching_windows.read(session)), tuple(scans))


def drift(
    session: Session, targets: Targets | None, problems: list[str], counted: Callable[[], None] = lambda: None
) -> Iterator[Finding]:
    """Yield what differs, node by node as they come.

    Args:
        session: the connection.
        targets: which nodes; all of them by default.
        problems: takes what could not be read.
        counted: called for every node that was looked at.

    Raises:
        OperationError: no node is targeted.
    """
    found = session.begun(with_tags(session, until_it_fails(stream(session, targets), "the managed nodes", problems)))
    deployed = read(session)
    seen = 0
    by_tags = Alike(deployed.targets(), partial(_by_tags, deployed))
    for report in compliance.judge(session, found, problems, patches=False):
        seen += 1
        counted()
        yield from _findings(report, deployed.baselines, by_tags.of(report.node))
    if not seen and targets and not problems:
        raise nothing_matches(targets)


def of_node(report: NodeReport, deployed: Deployed) -> Iterator[Finding]:
    """Yield what differs on one node."""
    yield from _findings(report, deployed.baselines, _by_tags(deployed, report.node))


_Row = tuple[str, str, str]


def _findings(report: NodeReport, baselines: Baselines, by_tags: Sequence[_Row]) -> Iterator[Finding]:
    node = report.node
    baseline = baselines.of(node)
    for check, text, remedy in (
        *_baseline(report, baseline, baselines),
        *_misspelt(node),
        *_group(baseline, baselines.groups),
        *by_tags,
    ):
        yield Finding(check, node.id, node.name, Verdict.PROBLEM, text, remedy)


def _by_tags(deployed: Deployed, node: Node) -> list[_Row]:
    return [*_windows(node, deployed.windows), *_scans(node, deployed)]


def _baseline(report: NodeReport, baseline: EffectiveBaseline, known: Baselines) -> Iterator[_Row]:
    used, gets = report.baseline_id.rpartition("/")[2], baseline.id.rpartition("/")[2]
    if used and gets and used != gets:
        name = report.baseline_name or known.names.get(report.baseline_id, used)
        yield (
            BASELINE,
            f"reported against {name}, and gets {baseline.name or gets} now ({baseline.reason})",
            "scan it again; if it stays so, another scan uses a baseline of its own (a patch policy, BaselineOverride)",
        )


def _misspelt(node: Node) -> Iterator[_Row]:
    for key, value in node.tags.items():
        problem = _problem_of(key)
        if problem:
            yield GROUP, problem, f"give it the tag PatchGroup={value} instead of {key}"


@lru_cache(maxsize=1_000)
def _problem_of(key: str) -> str:
    try:
        check_tag_key(key)
    except InvalidValueError as error:
        return str(error)
    return ""


@lru_cache(maxsize=1_000)
def _group(baseline: EffectiveBaseline, groups: frozenset[str]) -> tuple[_Row, ...]:
    if baseline.fallback:
        near = get_close_matches(baseline.group, sorted(groups), n=1)
        meant = f"; was {near[0]!r} meant?" if near and near[0] != baseline.group else ""
        fallback = (
            FALLBACK,
            f"silently gets {baseline.name or 'the default of AWS'}: {baseline.reason}{meant}",
            "register a baseline of its system for this group (patch_groups in the policy), or mend the tag PatchGroup",
        )
        return (fallback,)
    if not baseline.group and groups:
        lacking = (
            GROUP,
            f"has no tag PatchGroup, and gets {baseline.name or 'no known baseline'} ({baseline.reason})",
            "give it the tag PatchGroup with a group of the policy, if the default is not what it is to have",
        )
        return (lacking,)
    return ()


def _windows(node: Node, windows: Sequence[PatchingWindow]) -> Iterator[_Row]:
    selecting = [one for one in windows if one.operation == "Install" and one.selects(node.id, node.tags)]
    enabled = [one.name for one in selecting if one.enabled]
    if not enabled:
        disabled = f"; {', '.join(one.name for one in selecting)} would, and is disabled" if selecting else ""
        yield (
            WINDOW,
            f"no enabled window installs on it{disabled}",
            "enable the window (`patchops windows enable`)" if selecting else "give it the tags that a window selects",
        )
    elif len(enabled) > 1:
        yield (
            TWICE,
            f"{len(enabled)} windows install on it: {', '.join(sorted(enabled))}",
            "narrow the targets of one of them down, so that a node is in one window only",
        )


def _scans(node: Node, deployed: Deployed) -> Iterator[_Row]:
    names = [name for name, targets in deployed.scans if targets.match(node.id, node.tags)]
    names += [one.name for one in deployed.windows if one.operation == "Scan" and one.selects(node.id, node.tags)]
    if len(names) > 1:
        yield (
            SCANS,
            f"{', '.join(sorted(names))} all report on it, and the last one to run overwrites what the others said",
            "let one of them scan it; if they use different baselines, its compliance changes from run to run",
        )
