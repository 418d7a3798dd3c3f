"""The documents of AWS that the lab knows."""

from __future__ import annotations

import json
import re

import pytest

from lab.documents import Document, owned_by_aws
from lab.errors import ApiError
from patching.run_patch_baseline import STEPS, Operation, RebootOption, RunPatchBaseline

RUN = owned_by_aws()["AWS-RunPatchBaseline"]
GUID = "01234567-89ab-cdef-0123-456789abcdef"


def refused(given: dict[str, list[str]]) -> str:
    """Return why the document refuses these parameters; empty if it takes them."""
    try:
        RUN.check(given)
    except ApiError as error:
        return f"{error.code}: {error.message}"
    return ""


@pytest.mark.parametrize(
    "task",
    [
        RunPatchBaseline.scan(),
        RunPatchBaseline.scan(snapshot_id=GUID),
        RunPatchBaseline.install(),
        RunPatchBaseline.install(reboot="NoReboot", snapshot_id=GUID),
    ],
)
def test_what_patching_sends_is_what_the_document_takes(task: RunPatchBaseline) -> None:
    assert refused(task.to_api()) == ""


def test_its_choices_are_those_of_patching() -> None:
    assert RUN.parameters["Operation"]["allowedValues"] == [*Operation]
    assert RUN.parameters["RebootOption"]["allowedValues"] == [*RebootOption]
    assert sorted(step.name for step in RUN.steps) == sorted(STEPS.values())
    assert {step.name: step.platform for step in RUN.steps} == {name: str(platform) for platform, name in STEPS.items()}


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({}, "Parameter Operation of AWS-RunPatchBaseline is required"),
        ({"Operation": ["Scann"]}, "'Scann' is not a value of Operation; expected Scan, Install"),
        ({"Operation": ["scan"]}, "'scan' is not a value of Operation"),
        ({"Operation": ["Scan"], "Reboot": ["No"]}, "Parameter Reboot is not one that AWS-RunPatchBaseline declares"),
        ({"Operation": ["Scan"], "RebootOption": ["Never"]}, "'Never' is not a value of RebootOption"),
        ({"Operation": ["Scan"], "SnapshotId": ["1"]}, "'1' does not match SnapshotId's pattern"),
        ({"Operation": ["Scan"], "SnapshotId": [f"{GUID}\n"]}, f"'{GUID}\\n' does not match"),
        ({"Operation": ["Scan"], "InstallOverrideList": ["file:///a"]}, "'file:///a' does not match"),
        ({"Operation": ["Scan"], "StepTimeoutSeconds": ["0"]}, "'0' does not match"),
    ],
)
def test_parameters_that_the_document_does_not_take_are_refused_with_the_reason(
    given: dict[str, list[str]], problem: str
) -> None:
    assert f"InvalidParameters: {problem}" in refused(given)


@pytest.mark.parametrize(
    "given",
    [{"SnapshotId": [""]}, {"InstallOverrideList": ["s3://bucket/list.yaml"]}, {"StepTimeoutSeconds": ["36000"]}],
)
def test_parameters_that_match_their_pattern_are_taken(given: dict[str, list[str]]) -> None:
    assert refused({"Operation": ["Scan"], **given}) == ""


@pytest.mark.parametrize("document", owned_by_aws().values(), ids=lambda one: one.name)
def test_every_document_holds_together(document: Document) -> None:
    assert json.loads(document.text)["schemaVersion"] == document.schema_version
    assert document.steps
    assert re.fullmatch(r"[0-9a-f]{64}", document.hash)
    assert all(declared["type"] for declared in document.parameters.values())


def test_a_command_may_take_as_long_as_its_steps_together() -> None:
    assert RUN.execution_timeout() == 3 * 7200
