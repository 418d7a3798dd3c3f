"""Documents through the API: the account's own are made, changed, deleted and run, and AWS's are run with them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.lab.aws.replies import Replies
from tests.lab.aws.world import Connect, error_code

pytestmark = pytest.mark.xdist_group("local-aws")

REGION = "ca-central-1"
EVERYBODY = [{"Key": "tag:Fleet", "Values": ["a"]}]
Advance = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def ssm(connect: Connect) -> Any:
    return connect("ssm", REGION)


@pytest.fixture(scope="module")
def node(launch: Callable[..., list[str]]) -> str:
    (made,) = launch(REGION)
    return made


def content(*commands: str, **parameters: Any) -> str:
    step = {"action": "aws:runShellScript", "name": "only", "inputs": {"runCommand": list(commands) or ["ls"]}}
    return json.dumps({"schemaVersion": "2.2", "parameters": parameters, "mainSteps": [step]})


def make(ssm: Any, name: str, text: str = "", **more: Any) -> dict[str, Any]:
    made = ssm.create_document(Name=name, Content=text or content(), DocumentType="Command", **more)
    return dict(made["DocumentDescription"])


def run(ssm: Any, node: str, advance: Advance, document: str, **more: Any) -> dict[str, Any]:
    """Send a document to the node, wait, and return how it went there."""
    command = ssm.send_command(DocumentName=document, InstanceIds=[node], **more)["Command"]["CommandId"]
    advance(hours=1)
    return dict(ssm.get_command_invocation(CommandId=command, InstanceId=node))


# Making, changing and deleting one.


def test_a_document_is_described_with_its_parameters_and_platforms(ssm: Any) -> None:
    replies = Replies(ssm)
    text = content("echo {{ What }}", What={"type": "String", "default": "a", "description": "What to say"})
    made = make(ssm, "described", text)
    assert made["PlatformTypes"] == ["Linux", "MacOS"]
    described = ssm.describe_document(Name="described")["Document"]
    assert described["Parameters"] == [
        {"Name": "What", "Type": "String", "Description": "What to say", "DefaultValue": "a"}
    ]
    assert (described["DocumentVersion"], described["DocumentType"], described["Owner"]) == (
        "1",
        "Command",
        "123456789012",
    )
    assert described["CreatedDate"].isoformat().startswith("2026-1")
    assert ssm.get_document(Name="described", DocumentVersion="$DEFAULT")["Content"] == text
    assert replies.problems == []


def test_a_document_can_be_yaml(ssm: Any, node: str, advance: Advance) -> None:
    text = (
        "schemaVersion: '2.2'\nmainSteps:\n- action: aws:runShellScript\n  name: only\n  inputs: {runCommand: [ls]}\n"
    )
    make(ssm, "in-yaml", text, DocumentFormat="YAML")
    assert run(ssm, node, advance, "in-yaml")["Status"] == "Success"


@pytest.mark.parametrize(
    ("name", "text", "code", "problem"),
    [
        ("broken", "{", "InvalidDocumentContent", "not JSON"),
        ("broken", '{"schemaVersion": "2.2"}', "InvalidDocumentContent", "mainSteps is missing"),
        ("broken", content("{{ Nobody }}"), "InvalidDocumentContent", "{{ Nobody }} is not a parameter"),
        ("broken", '{"schemaVersion": "1.2", "runtimeConfig": {}}', "InvalidDocumentSchemaVersion", "2.2"),
        ("broken", content("x" * 65536), "MaxDocumentSizeExceeded", "64 KB"),
        ("AWS-Mine", content(), "ValidationException", "which AWS keeps for itself"),
    ],
)
def test_a_document_that_breaks_a_rule_is_not_made(ssm: Any, name: str, text: str, code: str, problem: str) -> None:
    with pytest.raises(ClientError) as error:
        make(ssm, name, text)
    assert error.value.response["Error"]["Code"] == code
    assert problem in error.value.response["Error"]["Message"]
    assert error_code(lambda: ssm.describe_document(Name=name)) == "InvalidDocument"


def test_a_document_of_another_type_is_none_of_our_business(ssm: Any) -> None:
    text = json.dumps({"schemaVersion": "0.3", "mainSteps": []})
    ssm.create_document(Name="runbook", Content=text, DocumentType="Automation")
    assert ssm.describe_document(Name="runbook")["Document"]["DocumentType"] == "Automation"
    assert error_code(lambda: ssm.send_command(DocumentName="runbook", Targets=EVERYBODY)) == "InvalidDocument"


def test_a_name_is_given_once(ssm: Any) -> None:
    make(ssm, "once")
    assert error_code(lambda: make(ssm, "once")) == "DocumentAlreadyExists"


def test_the_default_version_runs_until_another_one_is_the_default(ssm: Any, node: str, advance: Advance) -> None:
    make(ssm, "changing")
    changed = ssm.update_document(Name="changing", Content=content("exit 4"), DocumentVersion="$LATEST")
    assert changed["DocumentDescription"]["DocumentVersion"] == "2"
    assert changed["DocumentDescription"]["PlatformTypes"] == ["Linux", "MacOS"]
    assert run(ssm, node, advance, "changing")["ResponseCode"] == 0
    assert run(ssm, node, advance, "changing", DocumentVersion="2")["ResponseCode"] == 4
    assert run(ssm, node, advance, "changing", DocumentVersion="$LATEST")["ResponseCode"] == 4
    ssm.update_document_default_version(Name="changing", DocumentVersion="2")
    assert run(ssm, node, advance, "changing")["ResponseCode"] == 4


def test_a_change_that_breaks_a_rule_is_refused(ssm: Any) -> None:
    make(ssm, "unchanged")
    broken = {"Name": "unchanged", "Content": '{"schemaVersion": "2.2"}', "DocumentVersion": "$LATEST"}
    assert error_code(lambda: ssm.update_document(**broken)) == "InvalidDocumentContent"
    assert ssm.describe_document(Name="unchanged")["Document"]["LatestVersion"] == "1"


def test_a_version_that_is_not_there_is_named(ssm: Any, node: str) -> None:
    make(ssm, "versioned")
    assert error_code(lambda: ssm.get_document(Name="versioned", DocumentVersion="7")) == "InvalidDocumentVersion"
    given = {"DocumentName": "versioned", "DocumentVersion": "7", "InstanceIds": [node]}
    assert error_code(lambda: ssm.send_command(**given)) == "InvalidDocumentVersion"


def test_a_document_that_an_association_uses_is_not_deleted(ssm: Any, node: str) -> None:
    make(ssm, "used")
    made = ssm.create_association(Name="used", InstanceId=node)["AssociationDescription"]
    assert error_code(lambda: ssm.delete_document(Name="used")) == "AssociatedInstances"
    ssm.delete_association(AssociationId=made["AssociationId"])
    ssm.delete_document(Name="used")
    assert error_code(lambda: ssm.describe_document(Name="used")) == "InvalidDocument"


# Running one.


def test_the_output_of_an_only_step_needs_no_name(ssm: Any, node: str, advance: Advance) -> None:
    make(ssm, "failing", content("ls", "exit {{ Code }}", Code={"type": "String"}))
    went = run(ssm, node, advance, "failing", Parameters={"Code": ["9"]})
    assert (went["Status"], went["ResponseCode"], went["PluginName"]) == ("Failed", 9, "only")
    assert went["StandardOutputContent"].startswith("[simulated]")
    assert "exit status 9" in went["StandardErrorContent"]


def test_a_document_is_sent_by_its_arn_too(ssm: Any, node: str, advance: Advance) -> None:
    make(ssm, "by-arn")
    arn = f"arn:aws:ssm:{REGION}:123456789012:document/by-arn"
    assert run(ssm, node, advance, arn)["Status"] == "Success"


def test_what_a_document_cannot_take_is_refused(ssm: Any, node: str) -> None:
    make(ssm, "needy", content("exit {{ Code }}", Code={"type": "String"}))
    windows = {"action": "aws:psModule", "name": "only", "inputs": {"source": "https://example.com/a.zip"}}
    make(ssm, "on-windows", json.dumps({"schemaVersion": "2.2", "mainSteps": [windows]}))
    for name, code in (("needy", "InvalidParameters"), ("on-windows", "UnsupportedPlatformType")):
        given = {"DocumentName": name, "InstanceIds": [node]}
        assert error_code(lambda given=given: ssm.send_command(**given)) == code  # type: ignore[misc]


@pytest.mark.parametrize(
    ("document", "parameters", "code"),
    [("gone", {}, "InvalidDocument"), ("AWS-RunPatchBaseline", {"Operation": ["Scann"]}, "InvalidParameters")],
)
def test_an_association_is_made_of_what_can_be_run(
    ssm: Any, node: str, document: str, parameters: dict[str, list[str]], code: str
) -> None:
    given = {"Name": document, "Parameters": parameters, "InstanceId": node}
    assert error_code(lambda: ssm.create_association(**given)) == code


# AWS's documents beside it.


def test_an_installation_runs_the_accounts_documents_as_hooks(ssm: Any, node: str, advance: Advance) -> None:
    make(ssm, "drain", content("systemctl stop web", "exit 5"))
    parameters = {"Operation": ["Install"], "PreInstallHookDocName": ["drain"]}
    command = ssm.send_command(DocumentName="AWS-RunPatchBaselineWithHooks", InstanceIds=[node], Parameters=parameters)[
        "Command"
    ]["CommandId"]
    advance(hours=1)
    (invocation,) = ssm.list_command_invocations(CommandId=command, Details=True)["CommandInvocations"]
    plugins = {one["Name"]: one for one in invocation["CommandPlugins"]}
    assert [name for name, one in plugins.items() if one["Status"] == "Failed"] == ["PreInstallHook"]
    assert "exit status 5" in plugins["PreInstallHook"]["Output"]
    (state,) = ssm.describe_instance_patch_states(InstanceIds=[node])["InstancePatchStates"]
    assert state["Operation"] == "Scan"
    assert state["MissingCount"] > 0


def test_an_override_list_is_read_from_the_accounts_bucket(
    ssm: Any, node: str, advance: Advance, connect: Connect
) -> None:
    s3 = connect("s3", REGION)
    s3.create_bucket(Bucket="lists", CreateBucketConfiguration={"LocationConstraint": REGION})
    given = {"Operation": ["Install"], "InstallOverrideList": ["s3://lists/prod.yaml"]}
    went = run(ssm, node, advance, "AWS-RunPatchBaseline", Parameters=given)
    assert went["Status"] == "Failed"
    s3.put_object(Bucket="lists", Key="prod.yaml", Body=b"patches: [{id: 'bash*'}]")
    assert run(ssm, node, advance, "AWS-RunPatchBaseline", Parameters=given)["Status"] == "Success"
    replies = Replies(ssm)
    (state,) = ssm.describe_instance_patch_states(InstanceIds=[node])["InstancePatchStates"]
    assert state["InstallOverrideList"] == "s3://lists/prod.yaml"
    assert replies.problems == []


def test_an_override_list_by_https_has_to_be_public(ssm: Any, node: str, advance: Advance, connect: Connect) -> None:
    s3 = connect("s3", REGION)
    s3.create_bucket(Bucket="open-lists", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(Bucket="open-lists", Key="prod.yaml", Body=b"patches: [{id: 'bash*'}]")
    at = f"https://s3.{REGION}.amazonaws.com/open-lists/prod.yaml"
    given = {"Operation": ["Install"], "InstallOverrideList": [at]}
    assert run(ssm, node, advance, "AWS-RunPatchBaseline", Parameters=given)["Status"] == "Failed"
    allow = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::open-lists/*"}
    s3.put_bucket_policy(Bucket="open-lists", Policy=json.dumps({"Version": "2012-10-17", "Statement": [allow]}))
    assert run(ssm, node, advance, "AWS-RunPatchBaseline", Parameters=given)["Status"] == "Success"


def test_an_agent_that_is_updated_is_the_newest(ssm: Any, node: str, advance: Advance) -> None:
    (before,) = ssm.describe_instance_information()["InstanceInformationList"]
    assert run(ssm, node, advance, "AWS-UpdateSSMAgent")["Status"] == "Success"
    (after,) = ssm.describe_instance_information()["InstanceInformationList"]
    assert (before["IsLatestVersion"], after["IsLatestVersion"]) == (False, True)
    assert before["AgentVersion"] != after["AgentVersion"]
