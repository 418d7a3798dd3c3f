"""What the task of a deployed maintenance window does, to be done now.

Follows https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetMaintenanceWindowTask.html.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from ops import environment as environments
from ops.errors import OperationError
from ops.nodes import targeted
from ops.permissions import Need, On
from ops.run import Plan, RunDocument, Task
from ops.session import Session
from patching.deployment import Deployment
from patching.rate_control import RateControl
from patching.run_patch_baseline import DOCUMENT_NAME, DOCUMENT_WITH_HOOKS, RunPatchBaseline
from patching.targets import MAX_VALUES, Targets

NEEDS = (
    Need(On.ANYTHING, "ssm:DescribeMaintenanceWindows"),
    Need(On.WINDOWS, "ssm:DescribeMaintenanceWindowTargets", "ssm:DescribeMaintenanceWindowTasks"),
    Need(On.WINDOW_TASKS, "ssm:GetMaintenanceWindowTask"),
)
_BY_ID = "WindowTargetIds"


def find_window(session: Session, environment: str, name: str) -> Any:  # noqa: ANN401 botocore's own structure
    """Return a window of an environment by its name in the policy, or by its whole name.

    Raises:
        OperationError: there is none of this name.
    """
    prefix = Deployment(environment).name("")
    wanted = name if name.startswith(prefix) else prefix + name
    pages = session.ssm.get_paginator("describe_maintenance_windows").paginate(PaginationConfig={"PageSize": 100})
    found = {one["Name"]: one for page in pages for one in page["WindowIdentities"] if one["Name"].startswith(prefix)}
    if wanted not in found:
        known = ", ".join(one.removeprefix(prefix) for one in sorted(found)) or "none"
        message = f"the environment {environment} has no window {name!r} in this Region; it has {known}"
        raise OperationError(message)
    return found[wanted]


def plan(session: Session, environment: str, name: str, *, instead: RunPatchBaseline | None = None) -> Plan:
    """Return what a window's task does, as a command to be sent now.

    Args:
        session: the connection.
        environment: the window's environment.
        name: the window's name.
        instead: what is done on the window's nodes at its pace instead of what the task does.

    Raises:
        OperationError: there is no such window, it has no task that patches or several, or no node is targeted.
    """
    window_id = find_window(session, environment, name)["WindowId"]
    tasks = session.ssm.describe_maintenance_window_tasks(WindowId=window_id)["Tasks"]
    patching = [one for one in tasks if one.get("TaskArn") in (DOCUMENT_NAME, DOCUMENT_WITH_HOOKS)]
    if len(patching) != 1:
        message = f"the window {name} has {len(patching)} tasks that patch; expected one"
        raise OperationError(message)
    details: Any = session.ssm.get_maintenance_window_task(WindowId=window_id, WindowTaskId=patching[0]["WindowTaskId"])
    groups = _targets(session, window_id, details["Targets"])
    sent = details.get("TaskInvocationParameters", {}).get("RunCommand", {})
    task: Task = instead or _now(details["TaskArn"], sent.get("Parameters", {}))
    nodes = {node.id: node for group in groups for node in targeted(session, group)}
    whole = groups[0] if len(groups) == 1 else Targets.instances(*nodes)
    return Plan(
        task=task,
        targets=whole,
        nodes=tuple(nodes.values()),
        rate_control=RateControl(details.get("MaxConcurrency", "1"), details.get("MaxErrors", "0")),
        environment=environments.find(session, environment),
        comment=f"Window {name}",
    )


def _now(document: str, parameters: dict[str, list[str]]) -> RunDocument:
    """Return what a task runs, with a snapshot of its own: that of the window is made as it opens."""
    return RunDocument(document, {**parameters, "SnapshotId": [str(uuid.uuid4())]})


def _targets(session: Session, window_id: str, targets: Sequence[Any]) -> list[Targets]:
    ids = {value for one in targets if one["Key"] == _BY_ID for value in one["Values"]}
    if not ids:
        return [Targets.from_api(targets)]
    pages = session.ssm.get_paginator("describe_maintenance_window_targets").paginate(WindowId=window_id)
    found = [
        Targets.from_api(one["Targets"])  # type: ignore[arg-type]
        for page in pages
        for one in page["Targets"]
        if one["WindowTargetId"] in ids
    ]
    if len(found) > 1:
        _check_size(session, found)
    return found


def _check_size(session: Session, groups: Sequence[Targets]) -> None:
    """Refuse several groups of nodes that are too many for one command, which takes 50 ids at most."""
    count = len({node.id for group in groups for node in targeted(session, group)})
    if count > MAX_VALUES:
        message = (
            f"the window has {len(groups)} groups of targets with {count} nodes, and a command takes {MAX_VALUES} ids "
            f"at most; run one group at a time: --tag of {'; or of '.join(group.in_words() for group in groups)}"
        )
        raise OperationError(message)
