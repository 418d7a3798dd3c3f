"""State Manager."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from lab.errors import ApiError
from lab.state_manager import Association
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
        parameters=RunPatchBaseline.scan().to_api(),
        targets=Targets.tag("Fleet", "a"),
        schedule=schedule,
        only_at_interval=only_at_interval,
        rate_control=RateControl("100%", "100%"),
        **more,
    )


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


def test_one_that_takes_the_place_of_another_keeps_its_id_and_its_history(lab: Lab) -> None:
    old = associate(lab)
    lab.clock.advance(day("2026-03-15 01:00"))
    new = associate(lab, Schedule.cron("0 4 * * ? *"))
    kept = old.id
    lab.engine.state_manager.rename(new.id, kept)
    lab.clock.advance(day("2026-03-15 05:00"))
    assert lab.engine.state_manager.associations == {kept: new}
    assert runs(new) == ["03-15 00:00", "03-15 01:00", "03-15 04:00"]
    assert runs(old) == ["03-15 00:00"]


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
