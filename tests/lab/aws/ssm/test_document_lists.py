"""Which documents there are: lists with filters, formats, versions, and whom documents are shared with."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.lab.aws.replies import Replies
from tests.lab.aws.ssm.test_documents import content
from tests.lab.aws.world import Connect, error_code

pytestmark = pytest.mark.xdist_group("local-aws")

REGION = "ap-east-1"
Advance = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def ssm(connect: Connect) -> Any:
    """A client of a Region with two documents of our own: drain, with a tag and a target type, and a runbook."""
    made = connect("ssm", REGION)
    tags = [{"Key": "Team", "Value": "a"}]
    made.create_document(
        Name="drain", Content=content(), DocumentType="Command", TargetType="/AWS::EC2::Instance", Tags=tags
    )
    runbook = json.dumps({"schemaVersion": "0.3", "mainSteps": []})
    made.create_document(Name="repair", Content=runbook, DocumentType="Automation")
    return made


def names(ssm: Any, **filters: str | list[str]) -> list[str]:
    wanted = [
        {"Key": key.replace("__", ":"), "Values": [values] if isinstance(values, str) else values}
        for key, values in filters.items()
    ]
    pages = ssm.get_paginator("list_documents").paginate(Filters=wanted)
    return [one["Name"] for one in pages.build_full_result()["DocumentIdentifiers"]]


def test_every_document_that_a_patching_person_meets_is_there(ssm: Any) -> None:
    replies = Replies(ssm)
    assert {
        "AWS-ApplyAnsiblePlaybooks",
        "AWS-ApplyPatchBaseline",
        "AWS-ConfigureAWSPackage",
        "AWS-FindWindowsUpdates",
        "AWS-GatherSoftwareInventory",
        "AWS-InstallWindowsUpdates",
        "AWS-PatchAsgInstance",
        "AWS-PatchInstanceWithRollback",
        "AWS-RestartEC2Instance",
        "AWS-RunAnsiblePlaybook",
        "AWS-RunDocument",
        "AWS-RunPatchBaseline",
        "AWS-RunPatchBaselineAssociation",
        "AWS-RunPatchBaselineWithHooks",
        "AWS-RunPowerShellScript",
        "AWS-RunRemoteScript",
        "AWS-RunShellScript",
        "AWS-StartEC2Instance",
        "AWS-StopEC2Instance",
        "AWS-UpdateSSMAgent",
    } <= set(names(ssm))
    assert replies.problems == []


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"Owner": "Self"}, {"drain", "repair"}),
        ({"Owner": "Private"}, set()),
        ({"Owner": "ThirdParty"}, set()),
        (
            {"Name": "AWS-RunP"},
            {
                "AWS-RunPatchBaseline",
                "AWS-RunPatchBaselineAssociation",
                "AWS-RunPatchBaselineWithHooks",
                "AWS-RunPowerShellScript",
            },
        ),
        ({"Name": ["dr", "re"]}, {"drain", "repair"}),
        ({"Name": "d", "DocumentType": "Automation"}, set()),
        (
            {"SearchKeyword": "windows"},
            {
                "AWS-FindWindowsUpdates",
                "AWS-InstallMissingWindowsUpdates",
                "AWS-InstallWindowsUpdates",
            },
        ),
        ({"Owner": "Self", "DocumentType": "Automation"}, {"repair"}),
        ({"Owner": "Self", "PlatformTypes": "Linux"}, {"drain"}),
        ({"Owner": "Self", "PlatformTypes": "Windows"}, set()),
        ({"Owner": "Self", "TargetType": "/AWS::EC2::Instance"}, {"drain"}),
        (
            {"Owner": "Amazon", "TargetType": "/AWS::EC2::Instance", "Name": "AWS-St"},
            {
                "AWS-StartEC2Instance",
                "AWS-StopEC2Instance",
            },
        ),
        ({"tag__Team": ["a", "b"]}, {"drain"}),
        ({"tag__Team": "b"}, set()),
    ],
)
def test_documents_are_filtered(ssm: Any, filters: dict[str, str | list[str]], expected: set[str]) -> None:
    assert set(names(ssm, **filters)) == expected


def test_the_documents_of_an_owner_are_those_of_amazon_or_of_the_account(ssm: Any) -> None:
    assert set(names(ssm, Owner="Amazon")) | {"drain", "repair"} == set(names(ssm)) == set(names(ssm, Owner="All"))


def test_the_older_filters_work_too(ssm: Any) -> None:
    given = [{"key": "Owner", "value": "Self"}, {"key": "Name", "value": "dr"}]
    found = ssm.list_documents(DocumentFilterList=given)["DocumentIdentifiers"]
    assert [one["Name"] for one in found] == ["drain"]


def test_a_document_of_our_own_is_listed_with_its_tags_and_its_type(ssm: Any) -> None:
    replies = Replies(ssm)
    (one,) = ssm.list_documents(Filters=[{"Key": "Name", "Values": ["drain"]}])["DocumentIdentifiers"]
    assert (one["Tags"], one["TargetType"]) == ([{"Key": "Team", "Value": "a"}], "/AWS::EC2::Instance")
    assert one["CreatedDate"].isoformat().startswith("2026-")
    assert replies.problems == []


@pytest.mark.parametrize(
    ("filters", "code"),
    [
        ([{"Key": "Fancy", "Values": ["1"]}], "InvalidFilterKey"),
        ([{"Key": "Owner", "Values": ["Self", "Amazon"]}], "ValidationException"),
        ([{"Key": "Owner", "Values": ["Me"]}], "ValidationException"),
        ([{"Key": "tag:a", "Values": ["1"]}, {"Key": "tag:b", "Values": ["1"]}], "ValidationException"),
    ],
)
def test_a_filter_that_there_is_not_is_refused(ssm: Any, filters: list[dict[str, Any]], code: str) -> None:
    assert error_code(lambda: ssm.list_documents(Filters=filters)) == code


# What AWS's documents take.


def test_a_runbook_is_described_and_no_command_is_sent_with_it(ssm: Any) -> None:
    replies = Replies(ssm)
    described = ssm.describe_document(Name="AWS-RestartEC2Instance")["Document"]
    assert (described["DocumentType"], described["SchemaVersion"]) == ("Automation", "0.3")
    assert described["TargetType"] == "/AWS::EC2::Instance"
    parameters = {one["Name"]: one for one in described["Parameters"]}
    assert parameters["InstanceId"]["Type"] == "StringList"
    assert "DefaultValue" not in parameters["InstanceId"]
    assert parameters["AutomationAssumeRole"]["DefaultValue"] == ""
    targets = [{"Key": "tag:a", "Values": ["b"]}]
    assert (
        error_code(lambda: ssm.send_command(DocumentName="AWS-RestartEC2Instance", Targets=targets))
        == "InvalidDocument"
    )
    assert replies.problems == []


@pytest.mark.parametrize(
    ("document", "parameters"),
    [
        ("AWS-InstallWindowsUpdates", {"Action": ["Uninstall"]}),
        ("AWS-InstallWindowsUpdates", {"Action": ["Scan"], "PublishedDaysOld": ["-1"]}),
        ("AWS-InstallWindowsUpdates", {}),
        ("AWS-FindWindowsUpdates", {"UpdateLevel": ["Some"]}),
        ("AWS-ApplyPatchBaseline", {"Operation": ["Scan"], "SnapshotId": ["1"]}),
        ("AWS-ConfigureAWSPackage", {"action": ["Install"]}),
        ("AWS-ConfigureAWSPackage", {"action": ["Update"], "name": ["AmazonCloudWatchAgent"]}),
        ("AWS-ApplyAnsiblePlaybooks", {"PlaybookFile": ["play.txt"]}),
        ("AWS-RunPatchBaselineAssociation", {"Operation": ["Scan"], "SnapshotId": [""]}),
    ],
)
def test_a_value_that_a_parameter_does_not_take_is_refused(
    ssm: Any, document: str, parameters: dict[str, list[str]]
) -> None:
    given = {"DocumentName": document, "Parameters": parameters, "Targets": [{"Key": "tag:a", "Values": ["b"]}]}
    assert error_code(lambda: ssm.send_command(**given)) == "InvalidParameters"


# Content and versions.


@pytest.mark.parametrize("name", ["AWS-RunPatchBaseline", "drain"])
def test_content_comes_as_json_or_yaml(ssm: Any, name: str) -> None:
    replies = Replies(ssm)
    as_json = ssm.get_document(Name=name, DocumentFormat="JSON")
    as_yaml = ssm.get_document(Name=name, DocumentFormat="YAML")
    assert (as_json["DocumentFormat"], as_yaml["DocumentFormat"]) == ("JSON", "YAML")
    assert as_yaml["Content"].count("\n") > 5
    assert YAML(typ="safe", pure=True).load(as_yaml["Content"]) == json.loads(as_json["Content"])
    assert as_json["CreatedDate"]
    assert replies.problems == []


def test_a_document_of_aws_has_one_version_and_no_other_format(ssm: Any) -> None:
    replies = Replies(ssm)
    (only,) = ssm.list_document_versions(Name="AWS-RunPatchBaseline")["DocumentVersions"]
    assert (only["DocumentVersion"], only["IsDefaultVersion"]) == ("1", True)
    given = {"Name": "AWS-RunPatchBaseline"}
    assert error_code(lambda: ssm.get_document(**given, DocumentFormat="TEXT")) == "ValidationException"
    assert error_code(lambda: ssm.get_document(**given, VersionName="first")) == "InvalidDocumentVersion"
    call = ssm.update_document_default_version
    assert error_code(lambda: call(**given, DocumentVersion="1")) == "InvalidDocument"
    assert replies.problems == []


def test_versions_are_listed_the_newest_first(ssm: Any) -> None:
    replies = Replies(ssm)
    ssm.create_document(Name="versioned", Content=content(), DocumentType="Command", VersionName="first")
    for code in range(1, 11):
        ssm.update_document(Name="versioned", Content=content(f"exit {code}"), DocumentVersion="$LATEST")
    pages = ssm.get_paginator("list_document_versions").paginate(Name="versioned", PaginationConfig={"PageSize": 4})
    found = pages.build_full_result()["DocumentVersions"]
    assert [one["DocumentVersion"] for one in found] == [str(number) for number in range(11, 0, -1)]
    assert (found[-1]["VersionName"], found[-1]["IsDefaultVersion"], found[0]["IsDefaultVersion"]) == (
        "first",
        True,
        False,
    )
    chosen = ssm.update_document_default_version(Name="versioned", DocumentVersion="11")["Description"]
    assert (chosen["Name"], chosen["DefaultVersion"]) == ("versioned", "11")
    default = [
        one["DocumentVersion"]
        for one in ssm.list_document_versions(Name="versioned")["DocumentVersions"]
        if one["IsDefaultVersion"]
    ]
    assert default == ["11"]
    given = {"Name": "versioned", "DocumentVersion": "12"}
    assert error_code(lambda: ssm.update_document_default_version(**given)) == "InvalidDocumentVersion"
    assert error_code(lambda: ssm.list_document_versions(Name="gone")) == "InvalidDocument"
    assert replies.problems == []


def test_an_association_runs_when_another_version_becomes_the_default(
    ssm: Any, launch: Callable[..., list[str]], advance: Advance
) -> None:
    (node,) = launch(REGION)
    ssm.create_document(Name="followed", Content=content(), DocumentType="Command")
    ssm.update_document(Name="followed", Content=content("exit 3"), DocumentVersion="$LATEST")
    targets = [{"Key": "InstanceIds", "Values": [node]}]
    following, fixed = (
        ssm.create_association(Name="followed", Targets=targets, **more)["AssociationDescription"]["AssociationId"]
        for more in ({}, {"DocumentVersion": "1"})
    )
    advance(hours=1)
    for _ in range(2):
        ssm.update_document_default_version(Name="followed", DocumentVersion="2")
        advance(hours=1)
    runs = {
        one: [run["Status"] for run in ssm.describe_association_executions(AssociationId=one)["AssociationExecutions"]]
        for one in (following, fixed)
    }
    assert runs == {following: ["Failed", "Success"], fixed: ["Success"]}


# Sharing.


def shared_with(ssm: Any, name: str) -> dict[str, str]:
    described = ssm.describe_document_permission(Name=name, PermissionType="Share")
    assert sorted(described["AccountIds"]) == sorted(one["AccountId"] for one in described["AccountSharingInfoList"])
    return {one["AccountId"]: one["SharedDocumentVersion"] for one in described["AccountSharingInfoList"]}


def test_a_document_of_our_own_is_shared_and_not_shared_any_more(ssm: Any) -> None:
    replies = Replies(ssm)
    one, two = "111111111111", "222222222222"
    share = {"Name": "drain", "PermissionType": "Share"}
    assert shared_with(ssm, "drain") == {}
    ssm.modify_document_permission(**share, AccountIdsToAdd=[one, two], SharedDocumentVersion="$LATEST")
    assert shared_with(ssm, "drain") == {one: "$LATEST", two: "$LATEST"}
    ssm.modify_document_permission(**share, AccountIdsToAdd=[one], AccountIdsToRemove=[one])
    assert shared_with(ssm, "drain") == {two: "$LATEST"}
    assert error_code(lambda: ssm.delete_document(Name="drain")) == "InvalidDocumentOperation"
    ssm.modify_document_permission(**share, AccountIdsToAdd=["all"])
    assert shared_with(ssm, "drain") == {"all": "$DEFAULT"}
    assert "drain" in names(ssm, Owner="Public")
    ssm.modify_document_permission(**share, AccountIdsToRemove=["all"])
    assert shared_with(ssm, "drain") == {}
    assert "drain" not in names(ssm, Owner="Public")
    assert replies.problems == []


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"Name": "drain"}, "ValidationException"),
        ({"Name": "gone", "AccountIdsToAdd": ["111111111111"]}, "InvalidDocument"),
        ({"Name": "AWS-RunPatchBaseline", "AccountIdsToAdd": ["111111111111"]}, "InvalidDocument"),
        ({"Name": "drain", "AccountIdsToAdd": ["all", "111111111111"]}, "DocumentPermissionLimit"),
        ({"Name": "drain", "AccountIdsToAdd": ["nobody"]}, "ValidationException"),
    ],
)
def test_what_cannot_be_shared_is_refused(ssm: Any, given: dict[str, Any], code: str) -> None:
    assert error_code(lambda: ssm.modify_document_permission(PermissionType="Share", **given)) == code
