"""The engine: one account and Region of Systems Manager, on a virtual clock.

It knows nodes, baselines, commands, associations and windows, and nothing of HTTP or of the server that it runs in.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from lab.associations.compliance import Compliance
from lab.associations.state_manager import StateManager
from lab.automation.automation import Automations
from lab.commands.command_course import CommandCourse
from lab.commands.command_results import CommandResults
from lab.commands.run_command import RunCommand
from lab.inventory.data_sync import DataSyncs
from lab.inventory.inventory import Inventory
from lab.nodes.activations import Activations
from lab.nodes.fleet import Fleet
from lab.patches.baselines import Baselines
from lab.patches.catalogue import Catalogue, agent_versions
from lab.patches.catalogue_file import built_in
from lab.records.service_events import ServiceEvents
from lab.windows.windows import MaintenanceWindows
from lab.world.alarms import Alarms
from lab.world.change_calendar import Calendars
from lab.world.clock import Clock
from lab.world.cloud import Cloud
from lab.world.event_bus import EventBus
from lab.world.ids import Ids
from lab.world.metrics import Metrics
from lab.world.publishing import Publishing
from lab.world.tags import Tags

_KEPT_ENTRIES = 10_000
_AHEAD = timedelta(days=62)
"""How far ahead of the clock patches are made up."""


@dataclass(frozen=True)
class LogEntry:
    """Something that happened in the lab.

    Attributes:
        at: when.
        text: what.
        number: how many things had happened in all Regions before it.
    """

    at: datetime
    text: str
    number: int = 0


class Engine:
    """Everything of Systems Manager that has to do with patching.

    Args:
        cloud: the rest of the account.
        clock: the clock, which several Regions share.
        catalogues: the operating systems with their patches; the built-in ones by default.
        seed: the same seed gives the same identifiers.
    """

    def __init__(
        self, cloud: Cloud, clock: Clock, *, catalogues: Sequence[Catalogue] | None = None, seed: int = 0
    ) -> None:
        self.cloud = cloud
        self.clock = clock
        self.catalogues = tuple(built_in() if catalogues is None else catalogues)
        self.entries: deque[LogEntry] = deque(maxlen=_KEPT_ENTRIES)
        ids = Ids(seed)
        self.fleet = Fleet(cloud, clock, self.catalogues, self.log)
        self.activations = Activations(cloud, clock, ids, self.fleet, self.catalogues, self.log)
        self.tags = Tags()
        self.baselines = Baselines(ids, clock.now, self.tags)
        self.publishing = Publishing(cloud, clock, self.log)
        # Events have a source of ids of their own: those of commands do not depend on how much is told.
        self.metrics = Metrics(cloud, clock)
        self.alarms = Alarms(cloud, clock, self.metrics, self.publishing, self.log)
        self.event_bus = EventBus(cloud, clock, Ids(-1 - seed), self.publishing, self.metrics)
        events = ServiceEvents(self.event_bus, self.metrics, cloud.account, cloud.region)
        course = CommandCourse(
            cloud=cloud,
            clock=clock,
            ids=ids,
            fleet=self.fleet,
            baselines=self.baselines,
            catalogues=self.catalogues,
            events=events,
            results=CommandResults(cloud, clock, self.publishing, self.log),
            log=self.log,
        )
        self.run_command = RunCommand(cloud=cloud, clock=clock, ids=ids, fleet=self.fleet, course=course, log=self.log)
        self.calendars = Calendars(cloud)
        self.state_manager = StateManager(
            cloud=cloud,
            clock=clock,
            ids=ids,
            run_command=self.run_command,
            calendars=self.calendars,
            events=events,
            fleet=self.fleet,
            log=self.log,
        )
        self.fleet.watchers.append(self.state_manager.look)
        self.compliance = Compliance(self.state_manager)
        self.inventory = Inventory(clock, ids, self.fleet, self.compliance)
        self.data_syncs = DataSyncs(cloud, clock, self.fleet, self.inventory, self.log)
        self.run_command.after.append(self.inventory.changed)
        self.inventory.watchers.append(self.data_syncs.changed)
        self.automations = Automations(
            cloud=cloud, clock=clock, ids=ids, fleet=self.fleet, run_command=self.run_command, log=self.log
        )
        self.windows = MaintenanceWindows(
            automations=self.automations,
            cloud=cloud,
            clock=clock,
            ids=ids,
            fleet=self.fleet,
            run_command=self.run_command,
            events=events,
            log=self.log,
        )
        if any(one.growth for one in self.catalogues):
            self._grow()

    def newest_agent(self) -> str:
        """Return the newest version of SSM Agent that there is now."""
        return agent_versions(self.catalogues, self.clock.now)[-1]

    def _grow(self) -> None:
        """Have the patches of the months to come, before anybody needs them, and again a month from now."""
        for one in self.catalogues:
            one.grow(self.clock.now + _AHEAD)
        self.clock.at(self.clock.now + _AHEAD / 2, self._grow)

    def log(self, text: str) -> None:
        """Note that something happened."""
        self.entries.append(LogEntry(self.clock.now, text, self.clock.count()))
