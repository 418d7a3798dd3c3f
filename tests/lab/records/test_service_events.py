"""The events of Systems Manager: when they come, and in the shapes that AWS documents."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lab.records.window import Window, WindowTask
from patching.baseline import ComplianceLevel
from patching.rate_control import RateControl
from patching.run_patch_baseline import DOCUMENT_NAME, RunPatchBaseline
from patching.schedule import Schedule
from patching.targets import Targets
from tests.lab.simulated import SENDER, Lab, day, fleet, shell

COMMAND = "EC2 Command Status-change Notification"
INVOCATION = "EC2 Command Invocation Status-change Notification"
COMPLIANCE = "Configuration Compliance State Change"
ASSOCIATION = "EC2 State Manager Association State Change"
ASSOCIATED = "EC2 State Manager Instance Association State Change"
WINDOW = "Maintenance Window State-change Notification"
EXECUTION = "Maintenance Window Execution State-change Notification"
TASK = "Maintenance Window Task Execution State-change Notification"
TARGET = "Maintenance Window Target Registration Notification"
INVOKED = "Maintenance Window Task Target Invocation State-change Notification"


def resources(lab: Lab, kind: str) -> list[list[str]]:
    return [event["resources"] for event in lab.engine.event_bus.events if event["detail-type"] == kind]


# Run Command.


def test_a_command_and_its_invocations_tell_every_change_of_their_status() -> None:
    lab = Lab()
    first, second = fleet(lab, 2, broken=(1,))
    command = lab.run(rate=RateControl(2, 5))
    assert [one["status"] for one in lab.emitted(COMMAND)] == ["InProgress", "Failed"]
    told = [(one["instance-id"], one["status"]) for one in lab.emitted(INVOCATION)]
    assert sorted(told) == sorted(
        [(first.id, "InProgress"), (first.id, "Success"), (second.id, "InProgress"), (second.id, "Failed")]
    )
    assert lab.emitted(COMMAND)[-1] == {
        "command-id": command.id,
        "document-name": DOCUMENT_NAME,
        "expire-after": lab.emitted(COMMAND)[0]["expire-after"],
        "parameters": command.parameters,
        "requested-date-time": "2026-03-15T00:00:00.000Z",
        "status": "Failed",
    }
    assert set(lab.emitted(INVOCATION)[0]) == {
        "command-id", "document-name", "instance-id", "requested-date-time", "status",
    }  # fmt: skip
    arns = [f"arn:aws:ec2:us-east-1:123456789012:instance/{one.id}" for one in (first, second)]
    assert resources(lab, COMMAND)[0] == arns
    assert resources(lab, INVOCATION)[0] == arns[:1]


def test_what_waits_and_what_is_being_cancelled_is_not_told() -> None:
    lab = Lab()
    fleet(lab, 2)
    command = lab.send()
    lab.clock.advance(day("2026-03-15 00:00:10"))
    lab.engine.run_command.cancel(command)
    lab.clock.finish_work()
    assert [one["status"] for one in lab.emitted(COMMAND)] == ["InProgress", "Cancelled"]
    assert sorted(one["status"] for one in lab.emitted(INVOCATION)) == ["Cancelled", "InProgress", "Success"]


def test_the_commands_of_own_documents_tell_their_changes_too() -> None:
    lab = Lab()
    node = lab.launch()
    lab.add_document("own", shell("only", "exit 3"))
    lab.run_document("own")
    for kind in (COMMAND, INVOCATION):
        told = [(one["document-name"], one["status"]) for one in lab.emitted(kind)]
        assert told == [("own", "InProgress"), ("own", "Failed")]
    assert lab.emitted(COMPLIANCE) == []
    assert node.states is None


# Compliance.


def test_compliance_is_told_when_it_changes_and_only_then() -> None:
    lab = Lab()
    lab.approve(compliance_level=ComplianceLevel.CRITICAL)
    node = lab.launch()
    for _ in range(2):
        lab.scan(node)
    assert [one["compliance-status"] for one in lab.emitted(COMPLIANCE)] == ["non_compliant"]
    lab.run()
    lab.scan(node)
    lacking, complying = lab.emitted(COMPLIANCE)
    assert node.states
    assert lacking == {
        "resource-type": "managed-instance",
        "resource-id": node.id,
        "compliance-status": "non_compliant",
        "compliance-type": "Patch",
        "patch-baseline-id": node.states.baseline_id,
        "severity": "critical",
    }
    assert (complying["compliance-status"], complying["severity"]) == ("compliant", "unspecified")
    arn = f"arn:aws:ssm:us-east-1:123456789012:managed-instance/{node.id}"
    assert resources(lab, COMPLIANCE) == [[arn], [arn]]


# State Manager.


def associate(lab: Lab, task: RunPatchBaseline | None = None, document: str = DOCUMENT_NAME) -> str:
    made = lab.engine.state_manager.create(
        name="scan",
        document=document,
        parameters=(task or RunPatchBaseline.scan()).to_api() if document == DOCUMENT_NAME else {},
        targets=Targets.tag("Fleet", "a"),
        schedule=Schedule.rate(1, "day"),
        only_at_interval=False,
        rate_control=RateControl("100%", "100%"),
    )
    lab.clock.finish_work()
    return made.id


def test_an_association_tells_when_it_starts_and_how_it_ends() -> None:
    lab = Lab()
    node = lab.launch()
    made = associate(lab)
    started, ended = lab.emitted(ASSOCIATION)
    assert (started["status"], ended["status"]) == ("Pending", "Success")
    assert ended == {
        "association-id": made,
        "document-name": DOCUMENT_NAME,
        "association-version": "1",
        "document-version": "Optional.empty",
        "targets": '[{"key":"tag:Fleet","values":["a"]}]',
        "creation-date": "2026-03-15T00:00:00.000Z",
        "last-successful-execution-date": "2026-03-15T00:00:00Z",
        "last-execution-date": "2026-03-15T00:00:00Z",
        "last-updated-date": "2026-03-15T00:00:00.000Z",
        "status": "Success",
        "association-status-aggregated-count": '{"Success":1}',
        "schedule-expression": "rate(1 day)",
        "association-cwe-version": "1.0",
    }
    document = "arn:aws:ssm:us-east-1::document/AWS-RunPatchBaseline"
    assert resources(lab, ASSOCIATION)[0] == [document]
    assert [(one["instance-id"], one["status"]) for one in lab.emitted(ASSOCIATED)] == [
        (node.id, "InProgress"),
        (node.id, "Success"),
    ]
    assert resources(lab, ASSOCIATED)[0] == [f"arn:aws:ec2:us-east-1:123456789012:instance/{node.id}", document]


@pytest.mark.parametrize("reference", ["own", "arn:aws:ssm:us-east-1:123456789012:document/own"])
def test_the_events_of_an_association_name_its_document_by_its_arn(reference: str) -> None:
    lab = Lab()
    lab.launch()
    lab.add_document("own", shell("only"))
    associate(lab, document=reference)
    arn = "arn:aws:ssm:us-east-1:123456789012:document/own"
    assert resources(lab, ASSOCIATION) == [[arn], [arn]]
    assert resources(lab, ASSOCIATED)[0][1] == arn
    assert {one["document-name"] for one in lab.emitted(ASSOCIATED)} == {reference}


def test_an_association_that_fails_on_a_node_leaves_it_not_compliant_with_it() -> None:
    lab = Lab()
    fleet(lab, 1, broken=(0,))
    associate(lab, RunPatchBaseline.install())
    told = [one for one in lab.emitted(COMPLIANCE) if one["compliance-type"] == "Association"]
    assert [(one["compliance-status"], one["last-runtime"][:10]) for one in told] == [("non_compliant", "2026-03-15")]
    assert lab.emitted(ASSOCIATION)[-1]["status"] == "Failed"


def test_an_association_that_cannot_send_tells_so_at_once() -> None:
    lab = Lab()
    lab.launch()
    lab.cloud.forbid(SENDER, "ssm:SendCommand")
    lab.engine.state_manager.create(
        name="scan",
        document=DOCUMENT_NAME,
        parameters=RunPatchBaseline.scan().to_api(),
        targets=Targets.tag("Fleet", "a"),
        schedule=None,
        only_at_interval=False,
        rate_control=RateControl(1, 0),
        dispatch_role=SENDER,
    )
    assert [one["status"] for one in lab.emitted(ASSOCIATION)] == ["Failed"]


# Maintenance windows.


def window(lab: Lab, **task: Any) -> Window:
    """Make a window whose one task scans the fleet."""
    made = lab.engine.windows.create(
        name="patch",
        schedule=Schedule.cron("0 2 * * ? *"),
        duration_hours=3,
        cutoff_hours=1,
        allow_unassociated_targets=False,
    )
    target = lab.engine.windows.add_target(made.id, Targets.tag("Fleet", "a"), owner_information="Operations")
    fields = {"parameters": RunPatchBaseline.scan().to_api(), **task}
    lab.engine.windows.add_task(
        WindowTask(
            id="task",
            window_id=made.id,
            document=DOCUMENT_NAME,
            target_ids=(target.id,),
            direct_targets=None,
            rate_control=RateControl(1, 0),
            service_role=SENDER,
            **fields,
        )
    )
    return made


def test_an_opening_tells_its_way_and_so_do_its_tasks() -> None:
    lab = Lab()
    lab.launch()
    made = window(lab)
    lab.clock.advance(day("2026-03-15 12:00"))
    (execution,) = made.executions
    assert [one["status"] for one in lab.emitted(EXECUTION)] == ["IN_PROGRESS", "SUCCESS"]
    assert [one["status"] for one in lab.emitted(TASK)] == ["IN_PROGRESS", "SUCCESS"]
    assert [one["status"] for one in lab.emitted(INVOKED)] == ["IN_PROGRESS", "SUCCESS"]
    ended = lab.emitted(EXECUTION)[-1]
    assert ended == {
        "start-time": "2026-03-15T02:00:00.000Z",
        "end-time": ended["end-time"],
        "window-id": made.id,
        "window-execution-id": execution.id,
        "status": "SUCCESS",
    }
    (task,) = execution.tasks
    about = {"window-id": made.id, "window-execution-id": execution.id, "task-execution-id": task.id}
    for kind in (TASK, INVOKED):
        assert about.items() <= lab.emitted(kind)[-1].items()
        assert "end-time" in lab.emitted(kind)[-1]
        assert "end-time" not in lab.emitted(kind)[0]
    assert lab.emitted(INVOKED)[0]["owner-information"] == "Operations"
    assert lab.emitted(INVOKED)[0]["window-target-id"] == task.task.target_ids[0]
    assert resources(lab, EXECUTION)[0] == [f"arn:aws:ssm:us-east-1:123456789012:maintenancewindow/{made.id}"]


def test_a_task_that_cannot_start_and_one_that_is_cut_off_tell_so() -> None:
    lab = Lab()
    node = lab.launch()
    lab.cloud.forbid(SENDER, "ssm:SendCommand")
    window(lab)
    lab.clock.advance(day("2026-03-15 12:00"))
    assert [one["status"] for one in lab.emitted(TASK)] == ["FAILED"]
    assert lab.emitted(EXECUTION)[-1]["status"] == "FAILED"
    lab.cloud.policies.clear()
    lab.change(node, running=False)
    for one in list(lab.engine.windows.windows):
        lab.engine.windows.delete(one)
    window(lab, cancel_at_cutoff=True, delivery_timeout_seconds=86400)
    lab.clock.advance(day("2026-03-16 12:00"))
    assert [one["status"] for one in lab.emitted(TASK)] == ["FAILED", "IN_PROGRESS", "TIMED_OUT"]
    assert lab.emitted(EXECUTION)[-1]["status"] == "TIMED_OUT"


def test_a_target_tells_when_it_is_registered_and_taken_away() -> None:
    lab = Lab()
    made = window(lab)
    (target,) = made.targets
    lab.engine.windows.remove_target(made.id, target)
    lab.engine.windows.remove_target(made.id, target)
    assert lab.emitted(TARGET) == [
        {"window-target-id": target, "window-id": made.id, "status": status}
        for status in ("REGISTERED", "DEREGISTERED")
    ]
    window_arn, target_arn = resources(lab, TARGET)[0]
    assert window_arn.endswith(f":maintenancewindow/{made.id}")
    assert target_arn.endswith(f":windowtarget/{target}")


def test_a_window_tells_when_it_is_enabled_or_disabled() -> None:
    lab = Lab()
    made = window(lab)
    for enabled in (True, False, False, True):
        lab.engine.windows.enable(made, enabled=enabled)
    assert [one["status"] for one in lab.emitted(WINDOW)] == ["DISABLED", "ENABLED"]


def test_every_event_can_be_written_as_json() -> None:
    lab = Lab()
    lab.launch()
    window(lab)
    associate(lab)
    lab.clock.advance(day("2026-03-15 12:00"))
    assert {event["source"] for event in json.loads(json.dumps(list(lab.engine.event_bus.events)))} == {"aws.ssm"}
