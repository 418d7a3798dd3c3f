from __future__ import annotations

from typing import Any

import pytest

from patching.errors import InvalidValueError
from patching.run_patch_baseline import DOCUMENT_WITH_HOOKS, Hooks, Operation, RebootOption, RunPatchBaseline

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


ARN = "arn:aws:ssm:eu-west-1:123456789012:document/drain"


def test_hooks_make_it_the_document_with_hooks() -> None:
    task = RunPatchBaseline.install(hooks=Hooks(pre_install="drain", on_exit=ARN))
    assert task.document == DOCUMENT_WITH_HOOKS == "AWS-RunPatchBaselineWithHooks"
    assert task.to_api() == {
        "Operation": ["Install"],
        "RebootOption": ["RebootIfNeeded"],
        "PreInstallHookDocName": ["drain"],
        "OnExitHookDocName": [ARN],
    }
    assert RunPatchBaseline.from_api(task.to_api(), task.document) == task


def test_without_hooks_it_is_the_plain_document() -> None:
    assert RunPatchBaseline.install().document == RunPatchBaseline.scan().document == "AWS-RunPatchBaseline"


@pytest.mark.parametrize("name", ["", "a", "drain it", "aws:arn:ssm:eu-west-1:1:document/drain", "x" * 129])
def test_a_hook_is_the_name_or_the_arn_of_a_document(name: str) -> None:
    with pytest.raises(InvalidValueError, match="is not the name of a document"):
        Hooks(post_install=name)


def test_a_token_may_stand_for_a_hook() -> None:
    assert Hooks(pre_install="${Token[TOKEN.5]}").to_api() == {"PreInstallHookDocName": ["${Token[TOKEN.5]}"]}


def test_an_override_list_is_handed_on() -> None:
    task = RunPatchBaseline.install(override_list="s3://bucket/list.yaml")
    assert task.to_api()["InstallOverrideList"] == ["s3://bucket/list.yaml"]
    assert RunPatchBaseline.from_api(task.to_api()) == task


def test_the_location_of_an_override_list_is_looked_at() -> None:
    with pytest.raises(InvalidValueError, match=r"'list\.yaml' is not an object in S3"):
        RunPatchBaseline.install(override_list="list.yaml")
    assert RunPatchBaseline.install(override_list="s3://${Token[TOKEN.3]}/list.yaml").override_list


def test_hooks_and_an_override_list_do_not_go_together() -> None:
    with pytest.raises(InvalidValueError, match="AWS-RunPatchBaselineWithHooks takes no override list"):
        RunPatchBaseline.install(hooks=Hooks(), override_list="s3://bucket/list.yaml")


@pytest.mark.parametrize(
    ("more", "problem"),
    [({"hooks": Hooks()}, "a scan runs no hooks"), ({"override_list": "s3://bucket/a"}, "a scan ignores an override")],
)
def test_a_scan_takes_nothing_that_it_would_ignore(more: dict[str, Any], problem: str) -> None:
    with pytest.raises(InvalidValueError, match=problem):
        RunPatchBaseline(Operation.SCAN, **more)


def test_what_a_scan_ignores_is_left_out_of_what_the_api_says() -> None:
    given = {"Operation": ["Scan"], "InstallOverrideList": ["s3://bucket/a"], "PreInstallHookDocName": ["drain"]}
    assert RunPatchBaseline.from_api(given, DOCUMENT_WITH_HOOKS) == RunPatchBaseline.scan()


@pytest.mark.parametrize("reboot", list(RebootOption))
def test_an_installation_survives_the_way_to_the_api_and_back(reboot: RebootOption) -> None:
    task = RunPatchBaseline(Operation.INSTALL, reboot, GUID)
    assert RunPatchBaseline.from_api(task.to_api()) == task
