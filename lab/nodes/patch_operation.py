"""What AWS-RunPatchBaseline does to a node: how long it takes, what it changes, what it reports.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-aws-runpatchbaseline.html.
The durations are made up.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from lab.nodes.evaluation import listed
from lab.nodes.evaluations import Evaluations
from lab.nodes.node import ManagedNode, PatchStates
from lab.patches.findings import Findings, PatchReport
from lab.patches.snapshots import Snapshot
from patching.baseline import AvailableSecurityUpdates
from patching.compliance import PatchState
from patching.install_override_list import InstallOverrideList
from patching.operating_system import PatchFamily, PlatformType
from patching.run_patch_baseline import Operation, RebootOption, RunPatchBaseline


@dataclass(frozen=True)
class Durations:
    """How long things take on a platform."""

    scan: timedelta
    install_each: timedelta
    reboot: timedelta


DURATIONS = {
    PlatformType.LINUX: Durations(timedelta(seconds=40), timedelta(seconds=8), timedelta(seconds=60)),
    PlatformType.WINDOWS: Durations(timedelta(seconds=150), timedelta(seconds=240), timedelta(seconds=180)),
    PlatformType.MACOS: Durations(timedelta(seconds=60), timedelta(seconds=30), timedelta(seconds=120)),
}


class PatchOperation:
    """One scan or installation on one node, from its start to its report.

    Args:
        node: the node.
        task: what is done.
        snapshot: the baseline that the node uses.
        evaluations: what scans find.
        snapshot_id: the id of the snapshot.
        command_id: the command that it belongs to.
        started: when it starts.
        override_list: what is installed instead of what the baseline approves; None for what it approves.
        association_id: the association that the report is for, and not for the node's patch compliance; empty for none.
    """

    def __init__(
        self,
        node: ManagedNode,
        task: RunPatchBaseline,
        snapshot: Snapshot,
        evaluations: Evaluations,
        *,
        snapshot_id: str,
        command_id: str,
        started: datetime,
        override_list: InstallOverrideList | None = None,
        association_id: str = "",
    ) -> None:
        self._node = node
        self._task = task
        self._snapshot = snapshot
        self._evaluations = evaluations
        self._snapshot_id = snapshot_id
        self._command_id = command_id
        self._started = started
        self._override_list = override_list
        self._association_id = association_id
        self._missing: tuple[PatchReport, ...] = ()
        self.not_found: tuple[str, ...] = ()
        """Ids of the override list that no release on offer has."""

        self.failed = False
        self.rebooted = False
        self.installed: list[str] = []

    @property
    def _durations(self) -> Durations:
        return DURATIONS[self._node.catalogue.system.platform_type]

    def work(self) -> timedelta:
        """Look what is missing, and return how long it takes up to a reboot or, without one, to the report."""
        duration = self._durations.scan
        if self._task.operation is Operation.INSTALL:
            self._missing = self._wanted()
            duration += len(self._missing) * self._durations.install_each
        return duration * self._node.traits.slowness

    def _wanted(self) -> tuple[PatchReport, ...]:
        if self._override_list is not None:
            found = listed(self._node, self._snapshot.baseline, self._override_list, self._snapshot.taken)
            self.not_found = tuple(
                one.id
                for one in self._override_list.patches
                if not any(one.selects(report.patch, self._node.catalogue.system) for report in found)
            )
            return found
        looked = self._evaluations.find(self._node, self._snapshot.baseline, self._snapshot.taken)
        return tuple(report for report in looked.reports if report.state is PatchState.MISSING)

    def install(self, now: datetime) -> timedelta:
        """Put in what is missing, and return how long the reboot takes that follows; zero if none does."""
        node = self._node
        if self._task.operation is Operation.SCAN:
            return timedelta()
        if node.problem:
            self.failed = bool(self._missing)
            return timedelta()
        packages = {package.key: package for package in node.catalogue.packages}
        for report in self._missing:
            node.installed[report.key] = packages[report.key].releases.index(report.patch)
            node.pending_reboot.add(report.key)
            self.installed.append(report.title)
        if self._missing:
            node.reboots_due = node.traits.reboots
        node.installed_at = {**node.installed_at, **dict.fromkeys((one.key for one in self._missing), now)}
        if self._task.reboot is RebootOption.NO_REBOOT:
            if self._missing:
                node.last_no_reboot_install = now
            return timedelta()
        # AWS reboots after any installation, whether the patches need it or not, and for what an earlier one left open.
        self.rebooted = bool(node.pending_reboot)
        return self._durations.reboot if self.rebooted else timedelta()

    def report(self, now: datetime) -> PatchStates:
        """Come up again if there was a reboot, and report what is there now.

        The report becomes the node's compliance, but for baselines that override the registered ones outside of a
        patch policy: see https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-baselineoverride-parameter.html.
        """
        node = self._node
        if self.rebooted:
            node.reboot(now)
        found = self._evaluations.find(node, self._snapshot.baseline, self._snapshot.taken)
        if self.failed:
            found = Findings(self._with_failures(found.reports), found.not_applicable)
        policy = bool(self._task.baseline_override and self._task.association_id)
        states = PatchStates(
            operation=self._task.operation,
            baseline_id=self._snapshot.baseline_id,
            patch_group=node.patch_group(),
            snapshot_id=self._snapshot_id,
            command_id=self._command_id,
            started=self._started,
            ended=now,
            findings=found,
            reboot=self._task.reboot,
            last_no_reboot_install=node.last_no_reboot_install,
            available_updates_comply=self._snapshot.baseline.available_security_updates
            is not AvailableSecurityUpdates.NON_COMPLIANT,
            override_list=self._task.override_list,
            execution_type="PatchPolicy" if policy else "Command",
            installed_at=node.installed_at,
        )
        if self._association_id:
            node.association_states[self._association_id] = states
        elif policy or not self._task.baseline_override:
            node.states = states
        return states

    def _with_failures(self, reports: tuple[PatchReport, ...]) -> tuple[PatchReport, ...]:
        """Report what could not be put in as failed, where its package is reported; only a scan calls it missing."""
        failed = {one.key: replace(one, state=PatchState.FAILED) for one in self._missing}
        # On Linux there is one report a package; on Windows what is installed is reported beside what is not.
        about_updates = (PatchState.MISSING, PatchState.AVAILABLE_SECURITY_UPDATE)
        windows = self._node.catalogue.system.family is PatchFamily.WINDOWS
        told = [
            failed.pop(one.key) if one.key in failed and (one.state in about_updates or not windows) else one
            for one in reports
        ]
        return (*told, *failed.values())
