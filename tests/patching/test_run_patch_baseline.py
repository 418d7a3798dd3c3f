from __future__ import annotations

import pytest

from patching.errors import InvalidValueError
from patching.run_patch_baseline import Operation, RebootOption, RunPatchBaseline

GUID = "3f1c2b9e-0d4a-4b7c-9a61-8e2f5d7c1b00"


def test_a_scan_says_nothing_of_reboots() -> None:
    assert RunPatchBaseline.scan().to_api() == {"Operation": ["Scan"]}


def test_an_installation_reboots_if_needed_unless_told_otherwise() -> None:
    assert RunPatchBaseline.install().to_api() == {"Operation": ["Install"], "RebootOption": ["RebootIfNeeded"]}
    assert RunPatchBaseline.install(reboot="NoReboot").to_api() == {
        "Operation": ["Install"],
        "RebootOption": ["NoReboot"],
    }


def test_a_snapshot_id_is_handed_on() -> None:
    assert RunPatchBaseline.scan(snapshot_id=GUID).to_api() == {"Operation": ["Scan"], "SnapshotId": [GUID]}


@pytest.mark.parametrize("snapshot_id", ["latest", GUID[:-1], GUID + "0", GUID.replace("-", "")])
def test_a_snapshot_id_is_a_guid(snapshot_id: str) -> None:
    with pytest.raises(InvalidValueError, match="is not a GUID"):
        RunPatchBaseline.scan(snapshot_id=snapshot_id)


def test_a_token_may_stand_for_the_snapshot_id() -> None:
    assert RunPatchBaseline.install(snapshot_id="${Token[TOKEN.3]}").snapshot_id == "${Token[TOKEN.3]}"


def test_a_misspelt_reboot_option_is_answered_with_the_known_ones() -> None:
    with pytest.raises(InvalidValueError, match="reboot option 'Never' is not one of RebootIfNeeded, NoReboot"):
        RunPatchBaseline.install(reboot="Never")


def test_a_misspelt_operation_is_answered_with_the_known_ones() -> None:
    with pytest.raises(InvalidValueError, match="operation 'Scann' is not one of Scan, Install"):
        RunPatchBaseline.from_api({"Operation": ["Scann"]})


@pytest.mark.parametrize("parameters", [{}, {"RebootOption": ["NoReboot"]}])
def test_the_operation_is_required(parameters: dict[str, list[str]]) -> None:
    with pytest.raises(InvalidValueError, match="needs the parameter Operation: Scan or Install"):
        RunPatchBaseline.from_api(parameters)


def test_an_empty_snapshot_id_is_none() -> None:
    assert RunPatchBaseline.from_api({"Operation": ["Scan"], "SnapshotId": [""]}) == RunPatchBaseline.scan()


@pytest.mark.parametrize("reboot", list(RebootOption))
def test_an_installation_survives_the_way_to_the_api_and_back(reboot: RebootOption) -> None:
    task = RunPatchBaseline(Operation.INSTALL, reboot, GUID)
    assert RunPatchBaseline.from_api(task.to_api()) == task
