"""What a scan finds: a node's packages held against its baseline, at a time.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-selecting-patches.html and
https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-compliance-states.html.
"""

from __future__ import annotations

from datetime import datetime

from lab.nodes.node import ManagedNode
from lab.patches.catalogue import Package
from lab.patches.findings import PatchReport
from patching.baseline import ComplianceLevel, PatchBaseline, RejectedPatchesAction
from patching.compliance import PatchState
from patching.install_override_list import InstallOverrideList
from patching.operating_system import PatchFamily

_SECURITY_CLASSIFICATIONS = ("SecurityUpdates", "CriticalUpdates")


def evaluate(node: ManagedNode, baseline: PatchBaseline, now: datetime) -> tuple[tuple[PatchReport, ...], int]:
    """Return the reports on a node's packages, and the number of approved patches that do not apply to it.

    Which ones these are is told on Windows only.
    """
    reports: list[PatchReport] = []
    not_applicable = 0
    for package in node.catalogue.packages:
        if node.catalogue.system.family is PatchFamily.WINDOWS:
            found = _inapplicable(node, package, baseline, now)
            not_applicable += len(found)
            reports += found
            if _lacks_feature(node, package):
                continue
        found = _reports(node, package, baseline, now)
        reports += found
        if not found and _newest_approved(node, package, baseline, now) is not None:
            not_applicable += 1
    return tuple(reports), not_applicable


def listed(
    node: ManagedNode, baseline: PatchBaseline, override_list: InstallOverrideList, now: datetime
) -> tuple[PatchReport, ...]:
    """Return reports on what an override list would put on a node: of each package the newest release that it names.

    The baseline's rules, filters and lists have no say in it; only how serious a patch is comes from there. See
    https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-installing-patches.html.
    """
    reports = []
    for package in node.catalogue.packages:
        installed = node.installed.get(package.key)
        if installed is None and node.catalogue.system.family is not PatchFamily.WINDOWS:
            continue  # an installation updates packages of Linux, and adds none
        if _lacks_feature(node, package):
            continue
        for index in _released(node, package, now):
            release = package.releases[index]
            if (installed is None or index > installed) and override_list.selects(release, node.catalogue.system):
                level = baseline.decide(release, now).level
                reports.append(PatchReport(package.key, release, package.titles[index], PatchState.MISSING, level))
                break
    return tuple(reports)


def _released(node: ManagedNode, package: Package, now: datetime) -> range:
    """Return the releases of a package that a node could take, the newest first.

    Of Windows' updates only the newest exists at all: one that another takes the place of leaves the list, and the
    approval delay begins anew.
    """
    newest = package.newest(now)
    oldest = newest if node.catalogue.system.family is PatchFamily.WINDOWS else 0
    return range(newest, oldest - 1, -1) if newest >= 0 else range(0)


def _reports(node: ManagedNode, package: Package, baseline: PatchBaseline, now: datetime) -> list[PatchReport]:
    """Report on one package: one item on Linux, up to two on Windows, where an old update and its successor differ."""
    windows = node.catalogue.system.family is PatchFamily.WINDOWS
    installed = node.installed.get(package.key)
    if installed is None and not windows:
        return []
    reports = []
    wanted = _newest_approved(node, package, baseline, now)
    newest = package.newest(now)
    if wanted is not None and (installed is None or wanted > installed):
        release = package.releases[wanted]
        closes = package.releases[0 if installed is None else installed + 1 : wanted + 1]
        reports.append(
            PatchReport(
                package.key,
                release,
                package.titles[wanted],
                PatchState.MISSING,
                baseline.decide(release, now).level,
                cves=tuple(cve for one in closes for cve in one.cves),
            )
        )
    elif windows and newest >= 0 and (installed is None or installed < newest):
        available = package.releases[newest]
        if available.classification in _SECURITY_CLASSIFICATIONS and not baseline.decide(available, now).rejected:
            reports.append(
                PatchReport(
                    package.key,
                    available,
                    package.titles[newest],
                    PatchState.AVAILABLE_SECURITY_UPDATE,
                    ComplianceLevel.UNSPECIFIED,
                )
            )
    if installed is not None and (windows or not reports):
        reports.append(_installed_report(node, package, installed, baseline, now))
    return reports


def _lacks_feature(node: ManagedNode, package: Package) -> bool:
    """Tell whether an update of Windows is for a role or feature that the node does not have."""
    return bool(package.feature) and package.feature not in node.features


def _inapplicable(node: ManagedNode, package: Package, baseline: PatchBaseline, now: datetime) -> list[PatchReport]:
    """Report approved updates of Windows that a node has no use for: it lacks what they update, or has a later one.

    What a later update took the place of is on no list any more; only a baseline that names it approves it still.
    """
    if _lacks_feature(node, package):
        wanted = _newest_approved(node, package, baseline, now)
        indices = [] if wanted is None else [wanted]
    else:
        before = range(node.installed.get(package.key, 0))
        named = [index for index in before if baseline.approves_by_name(package.releases[index])]
        indices = [index for index in named if not baseline.rejects(package.releases[index])]
    return [
        PatchReport(
            package.key,
            package.releases[index],
            package.titles[index],
            PatchState.NOT_APPLICABLE,
            baseline.decide(package.releases[index], now).level,
        )
        for index in indices
    ]


def _installed_report(
    node: ManagedNode, package: Package, installed: int, baseline: PatchBaseline, now: datetime
) -> PatchReport:
    release = package.releases[installed]
    decision = baseline.decide(release, now)
    if decision.rejected and baseline.rejected_action is RejectedPatchesAction.BLOCK:
        state, level = PatchState.INSTALLED_REJECTED, ComplianceLevel.UNSPECIFIED
    elif package.key in node.pending_reboot:
        state, level = PatchState.INSTALLED_PENDING_REBOOT, decision.level
    elif decision.approved and not _superseded(node, package, installed, now):
        state, level = PatchState.INSTALLED, decision.level
    else:
        state, level = PatchState.INSTALLED_OTHER, ComplianceLevel.UNSPECIFIED
    return PatchReport(package.key, release, package.titles[installed], state, level)


def _newest_approved(node: ManagedNode, package: Package, baseline: PatchBaseline, now: datetime) -> int | None:
    """Return the index of the release that would be installed: the newest approved one."""
    for index in _released(node, package, now):
        if baseline.decide(package.releases[index], now).approved:
            return index
    return None


def _superseded(node: ManagedNode, package: Package, installed: int, now: datetime) -> bool:
    """Tell whether an update of Windows has left the list because a newer one took its place."""
    return node.catalogue.system.family is PatchFamily.WINDOWS and installed < package.newest(now)
