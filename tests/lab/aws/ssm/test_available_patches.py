"""Patches that no node is asked about: what there is, what a baseline says of it, and how nodes are counted by it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.lab.aws.replies import Replies
from tests.lab.aws.world import Connect, World, error_code

pytestmark = pytest.mark.xdist_group("local-aws")

REGION = "sa-east-1"
DAY = 24 * 60 * 60


@pytest.fixture(scope="module")
def ssm(connect: Connect) -> Any:
    return connect("ssm", REGION)


def available(ssm: Any, **filters: str) -> list[dict[str, Any]]:
    wanted = [{"Key": key, "Values": [value]} for key, value in filters.items()]
    pages = ssm.get_paginator("describe_available_patches").paginate(Filters=wanted)
    return list(pages.build_full_result()["Patches"])


def test_without_a_product_the_patches_of_windows_are_available(ssm: Any) -> None:
    replies = Replies(ssm)
    found = available(ssm)
    assert {one["Vendor"] for one in found} == {"Microsoft"}
    assert replies.problems == []
    newest = [one for one in found if "Cumulative Update for Microsoft server" in one["Title"]]
    assert len(newest) == 1
    assert newest[0]["ReleaseDate"].isoformat().startswith("2026-11-")


@pytest.mark.parametrize(
    ("key", "field", "value"),
    [
        ("CLASSIFICATION", "Classification", "SecurityUpdates"),
        ("MSRC_SEVERITY", "MsrcSeverity", "Critical"),
        ("PRODUCT", "Product", "WindowsServer2022"),
        ("PRODUCT_FAMILY", "ProductFamily", "Windows"),
    ],
)
def test_available_patches_are_filtered(ssm: Any, key: str, field: str, value: str) -> None:
    everything, found = available(ssm), available(ssm, **{key: value})
    assert found == [one for one in everything if one[field] == value] != []


def test_an_available_patch_is_found_by_its_number(ssm: Any) -> None:
    one = available(ssm)[0]
    assert available(ssm, PATCH_ID=one["KbNumber"]) == [one]
    assert available(ssm, PATCH_ID=one["KbNumber"], PATCH_SET="APPLICATION") == []
    assert available(ssm, PATCH_ID=one["KbNumber"], PATCH_SET="OS") == [one]


def test_patches_of_systems_that_aws_does_not_list_are_not_listed(ssm: Any) -> None:
    assert available(ssm, PRODUCT="AmazonLinux2023") == []


def effective(ssm: Any, **baseline: Any) -> dict[str, dict[str, Any]]:
    """Make a baseline, and return what it says of each patch by the patch's number."""
    made = ssm.create_patch_baseline(Name="effective", OperatingSystem="WINDOWS", **baseline)["BaselineId"]
    pages = ssm.get_paginator("describe_effective_patches_for_patch_baseline").paginate(BaselineId=made)
    return {one["Patch"]["KbNumber"]: one["PatchStatus"] for one in pages.build_full_result()["EffectivePatches"]}


def rule(delay: int, level: str = "HIGH") -> dict[str, Any]:
    filters = [{"Key": "CLASSIFICATION", "Values": ["SecurityUpdates"]}]
    return {
        "PatchRules": [
            {"PatchFilterGroup": {"PatchFilters": filters}, "ApproveAfterDays": delay, "ComplianceLevel": level}
        ]
    }


def test_a_rule_approves_a_patch_some_days_after_its_release(ssm: Any) -> None:
    replies = Replies(ssm)
    released = {one["KbNumber"]: one["ReleaseDate"] for one in available(ssm, CLASSIFICATION="SecurityUpdates")}
    at_once, late = effective(ssm, ApprovalRules=rule(0)), effective(ssm, ApprovalRules=rule(360))
    assert set(at_once) == set(late) == set(released)
    for number, status in at_once.items():
        assert status["DeploymentStatus"] == "APPROVED"
        assert status["ComplianceLevel"] == "HIGH"
        assert status["ApprovalDate"] == released[number]
        assert late[number]["DeploymentStatus"] == "PENDING_APPROVAL"
        assert (late[number]["ApprovalDate"] - released[number]).days == 360
    assert replies.problems == []


def test_a_list_says_more_than_a_rule(ssm: Any) -> None:
    first, second, *_ = sorted(effective(ssm, ApprovalRules=rule(0)))
    found = effective(
        ssm,
        ApprovalRules=rule(0),
        ApprovedPatches=[first, second],
        ApprovedPatchesComplianceLevel="CRITICAL",
        RejectedPatches=[second],
    )
    assert found[first] == {"DeploymentStatus": "EXPLICIT_APPROVED", "ComplianceLevel": "CRITICAL"}
    assert found[second]["DeploymentStatus"] == "EXPLICIT_REJECTED"


def test_a_pending_patch_has_the_level_of_the_rule_that_approves_it_first(ssm: Any) -> None:
    (early,), (late,) = rule(300, "LOW")["PatchRules"], rule(360, "CRITICAL")["PatchRules"]
    found = effective(ssm, ApprovalRules={"PatchRules": [late, early]})
    assert {one["ComplianceLevel"] for one in found.values()} == {"LOW"}


def test_the_effective_patches_of_linux_are_not_known(ssm: Any) -> None:
    baseline = ssm.get_default_patch_baseline(OperatingSystem="SUSE")["BaselineId"]
    call = ssm.describe_effective_patches_for_patch_baseline
    assert error_code(lambda: call(BaselineId=baseline)) == "UnsupportedOperatingSystem"


def properties(ssm: Any, system: str, key: str, **more: str) -> list[str]:
    pages = ssm.get_paginator("describe_patch_properties").paginate(OperatingSystem=system, Property=key, **more)
    return [one["Name"] for one in pages.build_full_result()["Properties"]]


def test_properties_are_those_that_filters_take(ssm: Any) -> None:
    assert "SecurityUpdates" in properties(ssm, "WINDOWS", "CLASSIFICATION")
    assert properties(ssm, "UBUNTU", "PRIORITY") == ["Extra", "Important", "Optional", "Required", "Standard"]
    assert properties(ssm, "AMAZON_LINUX_2023", "PRODUCT") == ["AmazonLinux2023"]
    assert "WindowsServer2022" in properties(ssm, "WINDOWS", "PRODUCT", PatchSet="OS")
    assert properties(ssm, "WINDOWS", "PRODUCT", PatchSet="APPLICATION") == []


def test_a_snapshot_is_of_a_nodes_system(ssm: Any, launch: Callable[..., list[str]]) -> None:
    (node,) = launch(REGION)
    snapshot = "01234567-89ab-cdef-0123-456789abcdef"
    found = ssm.get_deployable_patch_snapshot_for_instance(InstanceId=node, SnapshotId=snapshot)
    assert (found["InstanceId"], found["SnapshotId"], found["Product"]) == (node, snapshot, "AmazonLinux2023")
    assert found["SnapshotDownloadUrl"].startswith(f"https://patch-baseline-snapshot-{REGION}.s3.")
    given = {"InstanceId": node, "SnapshotId": snapshot, "BaselineOverride": {"OperatingSystem": "WINDOWS"}}
    with pytest.raises(ClientError, match="UnsupportedOperatingSystem"):
        ssm.get_deployable_patch_snapshot_for_instance(**given)


# Which nodes of a group have how many patches in a state.


@pytest.mark.parametrize(
    ("key", "comparison", "value", "everybody"),
    [
        ("MissingCount", "GreaterThan", "0", True),
        ("MissingCount", "Equal", "0", False),
        ("MissingCount", "LessThan", "1", False),
        ("FailedCount", "Equal", "0", True),
        ("FailedCount", "NotEqual", "0", False),
        ("InstalledRejectedCount", "Equal", "1", True),
        ("InstalledRejectedCount", "LessThan", "1", False),
        ("InstalledRejectedCount", "GreaterThan", "1", False),
    ],
)
def test_the_nodes_of_a_group_are_filtered_by_counts(
    world: World, key: str, comparison: str, value: str, everybody: bool
) -> None:
    given = {"PatchGroup": "prod", "Filters": [{"Key": key, "Values": [value], "Type": comparison}]}
    found = world.ssm.describe_instance_patch_states_for_patch_group(**given)["InstancePatchStates"]
    whole = world.ssm.describe_instance_patch_states_for_patch_group(PatchGroup="prod")["InstancePatchStates"]
    assert found == (whole if everybody else [])
    assert whole
