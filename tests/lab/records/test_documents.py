"""The documents of AWS that the lab knows."""

from __future__ import annotations

import json
import re

import pytest

from lab.records.documents import SIMULATED, AwsDocument, find, owned_by_aws
from lab.world.cloud import StoredDocument
from lab.world.errors import ApiError
from patching.command_document import findings
from patching.run_patch_baseline import DOCUMENT_WITH_HOOKS, STEPS, Hooks, Operation, RebootOption, RunPatchBaseline
from tests.lab.simulated import Lab

RUN = owned_by_aws()["AWS-RunPatchBaseline"].in_region("us-east-1")
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
        RunPatchBaseline.install(override_list="s3://bucket/list.yaml"),
        RunPatchBaseline.install(hooks=Hooks(pre_install="drain", on_exit="arn:aws:ssm:a:1:document/tell")),
    ],
)
def test_what_patching_sends_is_what_the_document_takes(task: RunPatchBaseline) -> None:
    find(Lab().cloud, task.document).check(task.to_api())


def test_its_choices_are_those_of_patching() -> None:
    for name in (RUN.name, DOCUMENT_WITH_HOOKS):
        declared = owned_by_aws()[name].parameters
        assert declared["Operation"]["allowedValues"] == [*Operation]
        assert declared["RebootOption"]["allowedValues"] == [*RebootOption]
    steps = {step.name: step.platform for step in RUN.command.steps}
    assert steps == {name: str(platform) for platform, name in STEPS.items()}


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({}, "AWS-RunPatchBaseline: the parameter Operation is required"),
        ({"Operation": ["Scann"]}, "AWS-RunPatchBaseline: 'Scann' is not a value of Operation; did you mean 'Scan'?"),
        ({"Operation": ["scan"]}, "AWS-RunPatchBaseline: 'scan' is not a value of Operation"),
        (
            {"Operation": ["Scan"], "Reboot": ["No"]},
            "AWS-RunPatchBaseline: Reboot is not a parameter that the document declares",
        ),
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
    said = refused(given)
    assert said.startswith("InvalidParameters: AWS-RunPatchBaseline: ")
    assert problem in said


@pytest.mark.parametrize(
    "given",
    [{"SnapshotId": [""]}, {"InstallOverrideList": ["s3://bucket/list.yaml"]}, {"StepTimeoutSeconds": ["36000"]}],
)
def test_parameters_that_match_their_pattern_are_taken(given: dict[str, list[str]]) -> None:
    assert refused({"Operation": ["Scan"], **given}) == ""


@pytest.mark.parametrize("document", owned_by_aws().values(), ids=lambda one: one.name)
def test_every_document_holds_together(document: AwsDocument) -> None:
    assert json.loads(document.text)["schemaVersion"] == document.schema_version
    assert document.content.get("mainSteps") or document.content.get("runtimeConfig")
    if document.type == "Command":
        assert set(document.platform_types) <= set(document.command.platforms)
    assert re.fullmatch(r"[0-9a-f]{64}", document.hash)
    assert all(declared["type"] for declared in document.parameters.values())


@pytest.mark.parametrize("name", sorted(SIMULATED))
def test_every_document_that_is_simulated_is_there_and_keeps_the_rules(name: str) -> None:
    document = owned_by_aws()[name]
    if document.schema_version == "2.2":
        assert findings(document.content) == []


def test_a_command_may_take_as_long_as_the_steps_of_one_platform_together() -> None:
    assert RUN.execution_timeout({"Operation": ["Scan"]}) == 7200
    hooked = find(Lab().cloud, "AWS-RunPatchBaselineWithHooks")
    assert hooked.execution_timeout({"Operation": ["Install"]}) > 2 * 7200


def test_how_long_a_step_may_take_can_be_a_parameter() -> None:
    shell = find(Lab().cloud, "AWS-RunShellScript")
    assert shell.execution_timeout({"commands": ["ls"]}) == 3600
    assert shell.execution_timeout({"commands": ["ls"], "executionTimeout": ["60"]}) == 60


# Finding one.

OWN = "{schemaVersion: '2.2', mainSteps: [{action: aws:runShellScript, name: only, inputs: {runCommand: [ls]}}]}"


@pytest.mark.parametrize(
    ("reference", "arn"),
    [
        ("AWS-RunPatchBaseline", "arn:aws:ssm:us-east-1::document/AWS-RunPatchBaseline"),
        ("arn:aws:ssm:us-east-1::document/AWS-Noop", "arn:aws:ssm:us-east-1::document/AWS-Noop"),
        ("own", "arn:aws:ssm:us-east-1:123456789012:document/own"),
        ("arn:aws:ssm:us-east-1:123456789012:document/own", "arn:aws:ssm:us-east-1:123456789012:document/own"),
    ],
)
def test_a_document_is_found_by_its_name_or_arn(lab: Lab, reference: str, arn: str) -> None:
    lab.cloud.documents["own"] = StoredDocument("Command", "3", OWN)
    assert find(lab.cloud, reference).arn == arn


@pytest.mark.parametrize(
    ("reference", "version", "code", "problem"),
    [
        ("AWS-RunNothing", "", "InvalidDocument", "AWS-RunNothing does not exist"),
        (
            "AWS-RunInspecChecks",
            "",
            "InvalidDocument",
            "AWS-RunInspecChecks is not simulated; of AWS's documents the lab",
        ),
        ("AWS-Noop", "7", "InvalidDocumentVersion", "AWS-Noop has no version 7"),
        ("own", "7", "InvalidDocumentVersion", "own has no version 7"),
        (
            "arn:aws:ssm:eu-west-1:123456789012:document/own",
            "",
            "InvalidDocument",
            "not one of this account and Region",
        ),
        (
            "arn:aws:ssm:us-east-1:210987654321:document/own",
            "",
            "InvalidDocument",
            "not one of this account and Region",
        ),
        ("book", "", "InvalidDocument", "book is of type Automation"),
        ("broken", "", "InvalidDocumentContent", "mainSteps is missing"),
    ],
)
def test_a_document_that_cannot_be_run_is_refused_with_the_reason(
    lab: Lab, reference: str, version: str, code: str, problem: str
) -> None:
    lab.cloud.documents["own"] = StoredDocument("Command", "3", OWN)
    lab.cloud.documents["book"] = StoredDocument("Automation", "1", "{schemaVersion: '0.3'}")
    lab.cloud.documents["broken"] = StoredDocument("Command", "1", "{schemaVersion: '2.2'}")
    with pytest.raises(ApiError, match=problem) as error:
        find(lab.cloud, reference, version)
    assert error.value.code == code


def test_a_document_of_the_account_is_for_the_platforms_of_its_steps(lab: Lab) -> None:
    lab.cloud.documents["own"] = StoredDocument("Command", "3", OWN)
    found = find(lab.cloud, "own", "3")
    assert (found.version, found.platform_types) == ("3", ("Linux", "MacOS"))
