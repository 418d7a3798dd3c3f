"""A fortnight of a small fleet in which everything happens, and an account of it that can be compared."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from lab.records.command import Command
from lab.records.window import WindowTask
from patching.rate_control import RateControl
from patching.run_patch_baseline import RunPatchBaseline
from patching.schedule import Schedule
from patching.targets import Targets
from tests.lab.simulated import NODE_ROLE, SENDER, TOPIC, Lab, notification

FLEET = Targets.tag("Fleet", "a")
_TOLD = (
    "EC2 Command Status-change Notification",
    "EC2 Command Invocation Status-change Notification",
    "EC2 State Manager Association State Change",
    "EC2 State Manager Instance Association State Change",
    "Configuration Compliance State Change",
    "Maintenance Window Execution State-change Notification",
)


def live(lab: Lab, size: int = 30) -> None:
    """Let a fortnight go by: daily scans, installations in windows and by hand, nodes that fail, stop, come and go."""
    nodes = [lab.launch(("linux", "ubuntu", "windows")[number % 3], PatchGroup="web") for number in range(size)]
    lab.approve(group="web")
    for number in (3, 9):
        nodes[number].fault = "No space left on device"
    engine, clock = lab.engine, lab.clock
    engine.state_manager.create(
        name="scan",
        document="AWS-RunPatchBaseline",
        parameters=RunPatchBaseline.scan().to_api(),
        targets=FLEET,
        schedule=Schedule.cron("0 2 * * ? *"),
        only_at_interval=True,
        rate_control=RateControl("30%", "100%"),
        bucket="output",
        prefix="scans",
        dispatch_role=SENDER,
    )
    window = engine.windows.create(
        name="install",
        schedule=Schedule.cron("0 3 ? * SAT *"),
        duration_hours=3,
        cutoff_hours=1,
        allow_unassociated_targets=True,
    )
    for priority, rate in enumerate((RateControl("20%", "50%"), RateControl("5", "0"))):
        engine.windows.add_task(
            WindowTask(
                id=engine.windows.new_task_id(),
                window_id=window.id,
                document="AWS-RunPatchBaseline",
                target_ids=(),
                direct_targets=FLEET,
                rate_control=rate,
                service_role=SENDER,
                parameters=(RunPatchBaseline.scan() if priority else RunPatchBaseline.install()).to_api(),
                bucket="output",
                prefix="windows",
                notification=notification(per_invocation=bool(priority)),
                priority=priority,
                cancel_at_cutoff=True,
            )
        )
    clock.advance(clock.now + timedelta(days=3))
    lab.change(nodes[4], running=False)
    lab.change(nodes[5], tags={"Fleet": "b"})
    lab.send(RunPatchBaseline.install(), RateControl("3", "1"), bucket="output", delivery_timeout_seconds=600)
    clock.advance(clock.now + timedelta(minutes=20))
    lab.change(nodes[4], running=True)
    clock.advance(clock.now + timedelta(days=2))
    del lab.cloud.running[nodes[6].id]
    lab.launch("linux")
    lab.change(nodes[7], role="")
    command = lab.send(RunPatchBaseline.install(), RateControl("50%", "100%"), bucket="output")
    clock.advance(clock.now + timedelta(minutes=3))
    engine.run_command.cancel(command)
    clock.advance(clock.now + timedelta(days=2))
    lab.change(nodes[7], role=NODE_ROLE)
    lab.cloud.forbid(SENDER, "ssm:SendCommand", f"*{nodes[8].id}")
    lab.cloud.forbid(NODE_ROLE, "s3:PutObject", "*windows*")
    clock.advance(clock.now + timedelta(days=7))
    assert lab.cloud.messages, TOPIC


def account(lab: Lab) -> dict[str, Any]:
    """Tell what became of every command and node, and when, without ids and without words for people."""
    engine = lab.engine
    return {
        "commands": [_command(one) for one in engine.run_command.commands.values()],
        "nodes": {
            node.id: {
                "states": [[one.patch.name, one.patch.version, str(one.state)] for one in node.states.reports]
                if node.states
                else [],
                "ended": node.states.ended.isoformat() if node.states else "",
                "booted": node.booted.isoformat(),
                "registered": node.registered.isoformat(),
            }
            for node in engine.fleet.nodes()
        },
        "events": [
            f"{event['time']} {event['detail-type']}: {event['detail'].get('status', '')}"
            for event in engine.event_bus.events
            if event["detail-type"] in _TOLD
        ],
        "objects": sorted(f"{key.split('/')[0]} {key.split('/')[-1]}" for key in lab.cloud.objects),
        "messages": len(lab.cloud.messages),
    }


def _command(command: Command) -> dict[str, Any]:
    return {
        "requested": command.requested.isoformat(),
        "details": command.details,
        "invocations": {
            one.node_id: f"{one.details} {min(began):%d %H:%M:%S} {max(ended):%d %H:%M:%S}"
            if (began := [step.started for step in one.steps if step.started])
            and (ended := [step.ended for step in one.steps if step.ended])
            else one.details
            for one in command.invocations.values()
        },
    }
