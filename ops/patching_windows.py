"""The windows that patch: whom they select, what they do, and when they open next.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/maintenance-windows.html.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ops.permissions import Need, On
from ops.schedules import next_opening
from ops.session import Session
from patching.deployment import Deployment
from patching.rate_control import RateControl
from patching.run_patch_baseline import DOCUMENT_NAME, DOCUMENT_WITH_HOOKS
from patching.targets import Targets

NEEDS = (
    Need(On.ANYTHING, "ssm:DescribeMaintenanceWindows"),
    Need(On.WINDOWS, "ssm:DescribeMaintenanceWindowTargets", "ssm:DescribeMaintenanceWindowTasks"),
    Need(On.WINDOW_TASKS, "ssm:GetMaintenanceWindowTask"),
)
_BY_ID = "WindowTargetIds"


@dataclass(frozen=True)
class PatchingWindow:
    """A window with a task that patches.

    Attributes:
        name: its name.
        enabled: whether it opens at all.
        targets: the groups of nodes that the task selects.
        operation: Scan or Install.
        rate_control: how many nodes at one time.
        next_run: when it opens next; None if it does not.
        open_hours: how long it starts tasks: its duration without the cutoff.
    """

    name: str
    enabled: bool
    targets: tuple[Targets, ...]
    operation: str
    rate_control: RateControl
    next_run: datetime | None
    open_hours: int

    def selects(self, node_id: str, tags: Mapping[str, str]) -> bool:
        """Tell whether it selects a node."""
        return any(group.match(node_id, tags) for group in self.targets)


def read(session: Session, deployment: Deployment | None = None) -> list[PatchingWindow]:
    """Read the windows that patch: those of an environment; of the whole Region by default."""
    prefix = deployment.name("") if deployment else ""
    pages = session.ssm.get_paginator("describe_maintenance_windows").paginate(PaginationConfig={"PageSize": 100})
    found = [one for page in pages for one in page["WindowIdentities"] if one["Name"].startswith(prefix)]

    def of_window(identity: Any) -> list[PatchingWindow]:  # noqa: ANN401 botocore's own structure
        return list(_of_window(session, identity))

    return [one for several in session.each(of_window, found) for one in several]


def _of_window(session: Session, identity: Any) -> Iterator[PatchingWindow]:  # noqa: ANN401 botocore's own structure
    window_id = identity["WindowId"]
    tasks = session.ssm.get_paginator("describe_maintenance_window_tasks").paginate(WindowId=window_id)
    patching = [
        task for page in tasks for task in page["Tasks"] if task.get("TaskArn") in (DOCUMENT_NAME, DOCUMENT_WITH_HOOKS)
    ]
    if not patching:
        return
    pages = session.ssm.get_paginator("describe_maintenance_window_targets").paginate(WindowId=window_id)
    targets: dict[str, Any] = {one["WindowTargetId"]: one["Targets"] for page in pages for one in page["Targets"]}
    for task in patching:
        details: Any = session.ssm.get_maintenance_window_task(WindowId=window_id, WindowTaskId=task["WindowTaskId"])
        parameters = details.get("TaskInvocationParameters", {}).get("RunCommand", {}).get("Parameters", {})
        yield PatchingWindow(
            name=identity["Name"],
            enabled=identity["Enabled"],
            targets=tuple(_groups(details["Targets"], targets)),
            operation=next(iter(parameters.get("Operation", ())), ""),
            rate_control=RateControl(details.get("MaxConcurrency", "1"), details.get("MaxErrors", "0")),
            next_run=next_opening(identity),
            open_hours=identity["Duration"] - identity["Cutoff"],
        )


def _groups(targets: Iterable[Any], known: Mapping[str, Any]) -> Iterator[Targets]:
    ids = [value for one in targets if one["Key"] == _BY_ID for value in one["Values"]]
    if not ids:
        yield Targets.from_api(targets)
    for one in ids:
        if one in known:
            yield Targets.from_api(known[one])
