"""Letting the days of a plan go by on the lab's engine, and noting what happens."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from lab.engine import Engine
from lab.nodes.evaluations import Evaluations
from lab.nodes.node import ManagedNode
from lab.nodes.patch_operation import DURATIONS
from lab.records.command import Invocation, Status
from lab.records.window import WindowTask
from lab.world.clock import Clock
from lab.world.cloud import Instance
from patching.baseline import AvailableSecurityUpdates
from patching.run_patch_baseline import Operation
from review.rehearsal.account import ROLE, RehearsedAccount
from review.rehearsal.arrivals import catalogues
from review.rehearsal.plan import Plan, PlannedAssociation, PlannedWindow
from review.rehearsal.population import Shape, dealt, shapes

_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
FAULT = "No space left on device (chaos)"


@dataclass(frozen=True)
class Setting:
    """How a plan is rehearsed.

    Attributes:
        first: the first day (UTC).
        days: how many days.
        nodes: how many nodes.
        chaos: the share of nodes, 0 to 1, on which an installation fails; others every day.
        seed: the same seed gives the same patches and the same faults.
    """

    first: date
    days: int
    nodes: int
    chaos: float = 0
    seed: int = 0

    @property
    def begin(self) -> datetime:
        """When it begins."""
        return datetime.combine(self.first, time(), UTC)

    @property
    def end(self) -> datetime:
        """When it ends."""
        return self.begin + self.days * _DAY


@dataclass
class Noted:
    """What happened.

    Attributes:
        compliant: for each day how many nodes were compliant, not compliant, and not known, at its end.
        reboots: when nodes came up again, and how long that took.
        patched: when installations began and ended, for each node.
        outcomes: how installations ended on nodes, by Run Command's word for it.
        had_window: nodes that an installation began on.
        installed: for each node and package, when it got which release.
        windows_ended: how openings of windows ended, by status.
    """

    compliant: list[tuple[date, int, int, int]] = field(default_factory=list)
    reboots: list[tuple[datetime, timedelta]] = field(default_factory=list)
    patched: list[tuple[datetime, datetime]] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)
    had_window: set[str] = field(default_factory=set)
    installed: dict[str, list[tuple[datetime, str, int]]] = field(default_factory=dict)
    windows_ended: Counter[str] = field(default_factory=Counter)


class Course:
    """One rehearsal.

    Args:
        plan: what is rehearsed.
        setting: how.
    """

    def __init__(self, plan: Plan, setting: Setting) -> None:
        self.plan, self.setting = plan, setting
        self.noted = Noted()
        self.shapes = shapes(plan)
        self.catalogues = catalogues(plan.baselines, setting.begin, setting.end, setting.seed)
        self._of_node: dict[str, Shape] = {}
        account = RehearsedAccount(self._instances(), plan.documents)
        self._clock = Clock(setting.begin)
        self.engine = Engine(account, self._clock, catalogues=self.catalogues, seed=setting.seed)
        self._nodes: list[ManagedNode] = self.engine.fleet.nodes()
        self._booted = {node.id: node.booted for node in self._nodes}
        self._had = {node.id: dict(node.installed) for node in self._nodes}
        self._chance = random.Random(f"{setting.seed} chaos")  # noqa: S311 made-up faults, not secrets
        self._evaluations = Evaluations()
        self._scanned: dict[str, tuple[datetime, bool]] = {}

    def run(self, progress: Callable[[date], None] | None = None) -> Noted:
        """Let all days go by."""
        self._deploy()
        for number in range(self.setting.days):
            self._a_day(self.setting.begin + number * _DAY)
            if progress:
                progress(self.setting.first + timedelta(days=number))
        return self.noted

    @property
    def nodes(self) -> list[tuple[ManagedNode, Shape]]:
        """The nodes, with their kinds."""
        return [(node, self._of_node[node.id]) for node in self._nodes]

    def _instances(self) -> list[Instance]:
        made = []
        for number, shape in enumerate(dealt(self.shapes, self.setting.nodes), 1):
            ip = f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"
            name = f"i-{number:017x}"
            self._of_node[name] = shape
            made.append(Instance(name, f"rehearsal-{shape.system}", True, ROLE, dict(shape.tags), ip))  # noqa: FBT003
        return made

    def _deploy(self) -> None:
        """Make what the plan has, as a deployment would on the first day."""
        now = self._clock.now
        for one in self.plan.baselines:
            stored = self.engine.baselines.create(one.content, now)
            for group in one.groups:
                self.engine.baselines.register(stored.id, group)
            if one.content.default:
                self.engine.baselines.set_default(stored.id)
        for window in self.plan.windows:
            self._make_window(window)
        for association in self.plan.associations:
            self._make_association(association)

    def _make_window(self, one: PlannedWindow) -> None:
        times = one.times
        made = self.engine.windows.create(
            name=one.name,
            schedule=times.schedule,
            duration_hours=times.duration_hours,
            cutoff_hours=one.cutoff_hours,
            allow_unassociated_targets=False,
            start_date=times.active_from.isoformat() if times.active_from else "",
            end_date=times.active_until.isoformat() if times.active_until else "",
        )
        groups = [self.engine.windows.add_target(made.id, group) for group in one.groups]
        self.engine.windows.add_task(
            WindowTask(
                id=self.engine.windows.new_task_id(),
                window_id=made.id,
                document=one.task.document,
                target_ids=tuple(group.id for group in groups),
                direct_targets=None,
                rate_control=one.rate,
                service_role=ROLE,
                parameters=one.task.to_api(),
                cancel_at_cutoff=one.cancels,
            )
        )

    def _make_association(self, one: PlannedAssociation) -> None:
        if one.task.operation is Operation.SCAN:
            self._plan_scans(one)
            return
        self.engine.state_manager.create(
            name=one.name,
            document=one.task.document,
            parameters=one.task.to_api(),
            targets=one.targets,
            schedule=one.schedule,
            only_at_interval=one.only_at_interval,
            rate_control=one.rate,
        )

    def _plan_scans(self, one: PlannedAssociation) -> None:
        """Look at the nodes whenever an association scans, instead of sending commands that change nothing."""
        begin = self.setting.begin
        moments = [] if one.only_at_interval else [begin]
        for at in one.schedule.runs(begin, anchor=begin) if one.schedule else ():
            if at >= self.setting.end:
                break
            moments.append(at)
        nodes = [node for node in self._nodes if one.targets.match(node.id, node.tags)]
        for at in moments:
            self._clock.at(at, lambda: self._scan(nodes))

    def _scan(self, nodes: list[ManagedNode]) -> None:
        now = self._clock.now
        for node in nodes:
            baseline = self.engine.baselines.effective(node.catalogue.system, node.patch_group()).baseline
            comply = baseline.available_security_updates is not AvailableSecurityUpdates.NON_COMPLIANT
            found = self._evaluations.find(node, baseline, now)
            self._scanned[node.id] = now, not found.lacking(available_updates_comply=comply)

    def _a_day(self, begin: datetime) -> None:
        """Let a day go by, hour by hour, as a node may come up again more than once a day."""
        self._spread_faults()
        for hour in range(24):
            self._clock.advance(begin + (hour + 1) * _HOUR)
            self._note_reboots()
        self._note_windows()
        self._note_installed()
        states = Counter(self._state(node) for node in self._nodes)
        self.noted.compliant.append((begin.date(), states["yes"], states["no"], states["unknown"]))
        for association in self.engine.state_manager.associations.values():
            association.executions.clear()  # or every scan of every node would be kept

    def _spread_faults(self) -> None:
        if self.setting.chaos:
            for node in self._nodes:
                node.fault = FAULT if self._chance.random() < self.setting.chaos else ""

    def _state(self, node: ManagedNode) -> str:
        """Return what the last scan or installation of a node reported."""
        at, complies = self._scanned.get(node.id, (None, False))
        if node.states is not None and (at is None or node.states.ended > at):
            complies = not node.states.non_compliant
        elif at is None:
            return "unknown"
        return "yes" if complies else "no"

    def _note_reboots(self) -> None:
        for node in self._nodes:
            if node.booted != self._booted[node.id]:
                self._booted[node.id] = node.booted
                took = DURATIONS[node.catalogue.system.platform_type].reboot
                self.noted.reboots.append((node.booted, took))

    def _note_windows(self) -> None:
        for window in self.engine.windows.windows.values():
            ended = [one for one in window.executions if one.ended is not None]
            for execution in ended:
                self.noted.windows_ended[execution.status] += 1
                for run in execution.tasks:
                    if run.command is not None:
                        for invocation in run.command.invocations.values():
                            self._note_invocation(invocation)
            window.executions[:] = [one for one in window.executions if one.ended is None]

    def _note_invocation(self, invocation: Invocation) -> None:
        self.noted.outcomes[invocation.details] += 1
        begun = [step.started for step in invocation.steps if step.started is not None]
        ended = [step.ended for step in invocation.steps if step.ended is not None]
        if begun:
            self.noted.had_window.add(invocation.node_id)
            self.noted.patched.append((min(begun), max(ended, default=min(begun))))

    def _note_installed(self) -> None:
        for node in self._nodes:
            had = self._had[node.id]
            if node.installed == had:
                continue
            for key, release in node.installed.items():
                if release != had.get(key):
                    at = node.installed_at.get(key, self._clock.now)
                    self.noted.installed.setdefault(node.id, []).append((at, key, release))
            self._had[node.id] = dict(node.installed)


def failed(outcomes: Counter[str]) -> int:
    """Return how many installations failed on a node."""
    return outcomes[str(Status.FAILED)] + outcomes["ExecutionTimedOut"]
