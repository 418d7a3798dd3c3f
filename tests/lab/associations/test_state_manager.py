"""State Manager."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from lab.records.association import Association
from lab.world.errors import ApiError
from lab.world.stop_alarms import StopAlarms
from patching.errors import InvalidValueError
from patching.rate_control import RateControl
from patching.run_patch_baseline import RunPatchBaseline
from patching.schedule import Schedule
from patching.targets import Targets
from tests.lab.simulated import SENDER, Lab, day, reported, shell

DAILY = Schedule.cron("0 2 * * ? *")


def associate(
    lab: Lab, schedule: Schedule | None = DAILY, *, only_at_interval: bool = False, **more: Any
) -> Association:
    return lab.engine.state_manager.create(
        name="scan",
        document="AWS-RunPatchBaseline",
        **settings(schedule, only_at_interval=only_at_interval, **more),
    )


def settings(schedule: Schedule | None = DAILY, *, only_at_interval: bool = False, **more: Any) -> dict[str, Any]:
    given = {
        "parameters": RunPatchBaseline.scan().to_api(),
        "targets": Targets.tag("Fleet", "a"),
        "schedule": schedule,
        "only_at_interval": only_at_interval,
        "rate_control": RateControl("100%", "100%"),
    }
    return {**given, **more}


def runs(association: Association) -> list[str]:
    return [f"{execution.created:%m-%d %H:%M}" for execution in association.executions]


def test_an_association_runs_when_it_is_made(lab: Lab) -> None:
    node = lab.launch()
    lab.approve()
    association = associate(lab)
    lab.clock.finish_work()
    assert runs(association) == ["03-15 00:00"]
    assert reported(node)["tool"] == "Missing"


def test_an_association_that_runs_at_its_interval_only_waits_for_it(lab: Lab) -> None:
    association = associate(lab, only_at_interval=True)
    assert runs(association) == []
    lab.clock.advance(day("2026-03-15 02:00"))
    assert runs(association) == ["03-15 02:00"]


def test_an_association_runs_again_and_again(lab: Lab) -> None:
    association = associate(lab)
    lab.clock.advance(day("2026-03-17 12:00"))
    assert runs(association) == ["03-15 00:00", "03-15 02:00", "03-16 02:00", "03-17 02:00"]


def test_a_rate_counts_from_the_creation(lab: Lab) -> None:
    lab.clock.advance(day("2026-03-15 00:10"))
    association = associate(lab, Schedule.rate(12, "hours"))
    lab.clock.advance(day("2026-03-16 00:10"))
    assert runs(association) == ["03-15 00:10", "03-15 12:10", "03-16 00:10"]


def test_an_association_without_a_schedule_runs_once(lab: Lab) -> None:
    association = associate(lab, None)
    lab.clock.advance(day("2026-04-15"))
    assert runs(association) == ["03-15 00:00"]


@pytest.mark.parametrize("schedule", [None, Schedule.rate(1, "day")])
def test_an_interval_only_needs_a_cron_expression(lab: Lab, schedule: Schedule | None) -> None:
    with pytest.raises(ApiError, match="ApplyOnlyAtCronInterval") as error:
        associate(lab, schedule, only_at_interval=True)
    assert error.value.code == "ValidationException"


def test_a_schedule_that_associations_do_not_take_is_refused(lab: Lab) -> None:
    with pytest.raises(InvalidValueError, match="30 minutes"):
        associate(lab, Schedule.rate(10, "minutes"))
    assert lab.engine.state_manager.associations == {}


def test_a_dispatch_role_that_may_not_send_makes_a_run_with_a_problem(lab: Lab) -> None:
    node = lab.launch()
    lab.cloud.forbid(SENDER, "ssm:SendCommand")
    (execution,) = associate(lab, dispatch_role=SENDER).executions
    lab.clock.finish_work()
    assert execution.command is None
    assert f"{SENDER} is not authorized to perform ssm:SendCommand" in execution.problem
    assert node.states is None
    assert f"association scan ran: {execution.problem}" in lab.log


def test_an_association_goes_on_after_a_run_with_a_problem(lab: Lab) -> None:
    node = lab.launch()
    lab.cloud.forbid(SENDER, "ssm:SendCommand")
    association = associate(lab, dispatch_role=SENDER)
    del lab.cloud.policies[SENDER]
    lab.clock.advance(day("2026-03-15 03:00"))
    assert [bool(execution.problem) for execution in association.executions] == [True, False]
    assert node.states


def test_its_output_goes_where_it_says(lab: Lab) -> None:
    lab.launch()
    associate(lab, bucket="output", prefix="scans")
    lab.clock.finish_work()
    assert all(key.startswith("scans/") for key in lab.cloud.objects)
    assert lab.cloud.objects


def test_a_deleted_association_runs_no_more(lab: Lab) -> None:
    association = associate(lab)
    lab.engine.state_manager.delete(association.id)
    lab.clock.advance(day("2026-03-15") + timedelta(days=3))
    assert runs(association) == ["03-15 00:00"]


def test_an_association_that_does_not_exist_is_not_found(lab: Lab) -> None:
    with pytest.raises(ApiError) as error:
        lab.engine.state_manager.get("gone")
    assert error.value.code == "AssociationDoesNotExist"


# Versions.


def test_another_version_keeps_the_id_and_the_history_and_runs_at_once(lab: Lab) -> None:
    association = associate(lab)
    lab.clock.advance(day("2026-03-15 01:00"))
    given = settings(Schedule.cron("0 4 * * ? *"))
    changed = lab.engine.state_manager.update(association.id, name="new", document="AWS-RunPatchBaseline", **given)
    lab.clock.advance(day("2026-03-15 05:00"))
    assert changed is association
    assert (association.name, association.version) == ("new", 2)
    assert [(one.name, one.version) for one in association.versions] == [("scan", 1)]
    assert runs(association) == ["03-15 00:00", "03-15 01:00", "03-15 04:00"]
    assert [one.version for one in association.executions] == [1, 2, 2]


def test_another_version_that_runs_at_its_interval_only_does_not_run_at_once(lab: Lab) -> None:
    association = associate(lab)
    lab.clock.advance(day("2026-03-15 01:00"))
    given = settings(Schedule.cron("0 4 * * ? *"), only_at_interval=True)
    lab.engine.state_manager.update(association.id, name="", document="AWS-RunPatchBaseline", **given)
    lab.clock.advance(day("2026-03-15 05:00"))
    assert runs(association) == ["03-15 00:00", "03-15 04:00"]


def test_a_version_that_is_refused_changes_nothing(lab: Lab) -> None:
    association = associate(lab)
    given = settings(None, only_at_interval=True)
    with pytest.raises(ApiError, match="needs a cron expression"):
        lab.engine.state_manager.update(association.id, name="new", document="AWS-RunPatchBaseline", **given)
    assert (association.name, association.version, association.versions) == ("scan", 1, [])
    lab.clock.advance(day("2026-03-15 03:00"))
    assert runs(association) == ["03-15 00:00", "03-15 02:00"]


# Nodes that come to its targets.


def nodes_of(association: Association) -> list[list[str]]:
    return [list(one.command.invocations) for one in association.executions if one.command]


def test_a_node_that_comes_to_the_targets_gets_the_association_by_itself(lab: Lab) -> None:
    first = lab.launch()
    lab.approve()
    association = associate(lab, Schedule.rate(1, "day"))
    lab.clock.finish_work()
    lab.clock.advance(day("2026-03-15 06:00"))
    second = lab.launch()
    lab.launch(Fleet="b")
    lab.clock.finish_work()
    assert nodes_of(association) == [[first.id], [second.id]]
    assert reported(second)["tool"] == "Missing"
    lab.clock.advance(day("2026-03-16 01:00"))
    assert nodes_of(association)[2] == [first.id, second.id]


def test_a_tag_brings_a_node_to_the_targets_and_takes_it_away(lab: Lab) -> None:
    node = lab.launch(Fleet="b")
    association = associate(lab)
    lab.clock.finish_work()
    for fleet in ("a", "b", "a"):
        lab.change(node, tags={"Fleet": fleet})
        lab.clock.finish_work()
    assert nodes_of(association) == [[], [node.id], [node.id]]


def test_an_association_that_runs_at_its_interval_only_does_not_look_who_comes(lab: Lab) -> None:
    association = associate(lab, only_at_interval=True)
    lab.launch()
    assert not lab.clock.working
    lab.clock.advance(day("2026-03-15 01:00"))
    assert runs(association) == []


def test_nodes_that_come_together_get_it_together(lab: Lab) -> None:
    association = associate(lab)
    lab.clock.finish_work()
    nodes = [lab.launch() for _ in range(3)]
    lab.clock.finish_work()
    assert nodes_of(association) == [[], [node.id for node in nodes]]


def test_an_association_with_all_nodes_gets_every_node(lab: Lab) -> None:
    node = lab.launch(Fleet="b")
    association = associate(lab, targets=Targets((("InstanceIds", ("*",)),)))
    lab.clock.finish_work()
    assert nodes_of(association) == [[node.id]]


def test_an_alarm_stops_an_association(lab: Lab) -> None:
    lab.launch()
    association = associate(lab, alarms=StopAlarms(("gone",)))
    lab.clock.finish_work()
    assert [one.status for one in association.executions] == ["Cancelled"]


def test_there_is_one_association_of_the_old_kind_between_a_document_and_a_node(lab: Lab) -> None:
    node = lab.launch()
    given: dict[str, Any] = {"targets": Targets.instances(node.id), "instance_id": node.id}
    association = associate(lab, **given)
    with pytest.raises(ApiError) as error:
        associate(lab, **given)
    assert error.value.code == "AssociationAlreadyExists"
    assert lab.engine.state_manager.of_instance("AWS-RunPatchBaseline", node.id) is association


def test_an_association_runs_a_document_of_the_account_in_the_version_that_it_names(lab: Lab) -> None:
    lab.launch()
    lab.add_document("own", shell("only"))
    given: dict[str, Any] = {
        "name": "own",
        "document": "own",
        "parameters": {},
        "targets": Targets.tag("Fleet", "a"),
        "schedule": DAILY,
        "only_at_interval": False,
        "rate_control": RateControl("100%", "100%"),
    }
    made = lab.engine.state_manager.create(**given, document_version="1")
    lab.clock.finish_work()
    assert made.executions[0].command
    assert made.executions[0].command.status == "Success"
    with pytest.raises(ApiError, match="Document own has no version 2"):
        lab.engine.state_manager.create(**given, document_version="2")


@pytest.mark.parametrize(
    ("document", "parameters", "code"),
    [("gone", {}, "InvalidDocument"), ("AWS-RunPatchBaseline", {}, "InvalidParameters")],
)
def test_an_association_of_what_cannot_be_run_is_not_made(
    lab: Lab, document: str, parameters: dict[str, list[str]], code: str
) -> None:
    with pytest.raises(ApiError) as error:
        lab.engine.state_manager.create(
            name="scan",
            document=document,
            parameters=parameters,
            targets=Targets.tag("Fleet", "a"),
            schedule=DAILY,
            only_at_interval=False,
            rate_control=RateControl("100%", "100%"),
        )
    assert error.value.code == code
    assert lab.engine.state_manager.associations == {}


# What there is at most, and what is kept.


def test_there_are_only_so_many_associations(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lab.associations.state_manager.MAX_ASSOCIATIONS", 2)
    associate(lab)
    associate(lab)
    with pytest.raises(ApiError) as error:
        associate(lab)
    assert error.value.code == "AssociationLimitExceeded"
    assert len(lab.engine.state_manager.associations) == 2


def test_an_association_has_only_so_many_versions(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lab.associations.state_manager.MAX_VERSIONS", 2)
    association = associate(lab)
    given = {"name": "scan", "document": "AWS-RunPatchBaseline", **settings()}
    lab.engine.state_manager.update(association.id, **given)
    with pytest.raises(ApiError) as error:
        lab.engine.state_manager.update(association.id, **given)
    assert (error.value.code, association.version) == ("AssociationVersionLimitExceeded", 2)


def test_another_version_is_known_by_when_it_was_made(lab: Lab) -> None:
    association = associate(lab)
    made = association.created
    lab.clock.advance(day("2026-03-15 01:00"))
    given = {"name": "scan", "document": "AWS-RunPatchBaseline", **settings()}
    lab.engine.state_manager.update(association.id, **given)
    assert (association.created, association.changed) == (made, day("2026-03-15 01:00"))
    assert lab.engine.state_manager.get(association.id) is association


def test_a_node_has_the_associations_whose_targets_it_is_among(lab: Lab) -> None:
    one, other = lab.launch(), lab.launch(Fleet="b")
    first = associate(lab)
    second = associate(lab, targets=Targets.instances(one.id, other.id))
    assert lab.engine.state_manager.on(one) == [first, second]
    assert lab.engine.state_manager.on(other) == [second]


def test_a_node_that_was_there_when_an_association_was_made_does_not_get_it_twice(lab: Lab) -> None:
    first = lab.launch()
    association = associate(lab)
    lab.clock.finish_work()
    lab.clock.advance(day("2026-03-15 01:00"))
    second = lab.launch()
    lab.clock.finish_work()
    lab.change(first, tags={"Fleet": "a", "Other": "tag"})
    lab.clock.finish_work()
    assert nodes_of(association) == [[first.id], [second.id]]


def test_who_comes_is_looked_at_for_the_associations_beside_one_that_does_not_look(lab: Lab) -> None:
    waits = associate(lab, only_at_interval=True)
    looks = associate(lab)
    lab.clock.finish_work()
    node = lab.launch()
    lab.clock.advance(day("2026-03-15 00:20"))
    assert (nodes_of(waits), nodes_of(looks)) == ([], [[], [node.id]])


def test_the_old_kind_is_told_apart_by_document_and_by_node(lab: Lab) -> None:
    one, other = lab.launch(), lab.launch()
    made = associate(lab, targets=Targets.instances(one.id), instance_id=one.id)
    known = lab.engine.state_manager
    assert known.of_instance("AWS-RunPatchBaseline", one.id) is made
    assert known.of_instance("AWS-RunPatchBaseline", other.id) is None
    assert known.of_instance("AWS-RunShellScript", one.id) is None
