"""Compliance and inventory through the API."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.lab.aws.replies import Replies
from tests.lab.aws.world import Connect, error_code

pytestmark = pytest.mark.xdist_group("local-aws")

REGION = "ca-west-1"
Advance = Callable[..., dict[str, Any]]
EXECUTION = {"ExecutionTime": "2026-11-16T08:00:00Z", "ExecutionId": "run-1", "ExecutionType": "Custom"}
CAPTURED = "2026-11-16T08:00:00Z"


@pytest.fixture(scope="module")
def ssm(connect: Connect) -> Any:
    return connect("ssm", REGION)


@pytest.fixture(scope="module")
def nodes(ssm: Any, launch: Callable[..., list[str]], advance: Advance) -> list[str]:
    """Two nodes: scanned, with an association that fails on the second, inventory, and compliance of our own."""
    made = launch(REGION, 2, PatchGroup="web")
    for targets, document, parameters in (
        (made, "AWS-RunPatchBaseline", {"Operation": ["Scan"]}),
        (made, "AWS-GatherSoftwareInventory", {}),
        (made[1:], "AWS-RunShellScript", {"commands": ["exit 1"]}),
    ):
        ssm.create_association(
            Name=document,
            AssociationName=document,
            Parameters=parameters,
            Targets=[{"Key": "InstanceIds", "Values": targets}],
            ComplianceSeverity="HIGH",
        )
    advance(hours=1)
    virus = [
        {"Id": "one", "Title": "Virus", "Severity": "CRITICAL", "Status": "NON_COMPLIANT", "Details": {"Name": "x"}},
        {"Id": "two", "Title": "Trojan", "Severity": "LOW", "Status": "COMPLIANT"},
    ]
    ssm.put_compliance_items(**about(made[0]), ComplianceType="Custom:Virus", Items=virus)
    return made


def about(node: str) -> dict[str, Any]:
    return {"ResourceId": node, "ResourceType": "ManagedInstance", "ExecutionSummary": EXECUTION}


def filters(*given: tuple[str, str] | tuple[str, str, str]) -> list[dict[str, Any]]:
    return [{"Key": one[0], "Values": [one[1]], **({"Type": one[2]} if len(one) == 3 else {})} for one in given]


def items(ssm: Any, *given: Any, **more: Any) -> list[dict[str, Any]]:
    pages = ssm.get_paginator("list_compliance_items").paginate(Filters=filters(*given), **more)
    return list(pages.build_full_result()["ComplianceItems"])


def summaries(ssm: Any, *given: Any) -> list[tuple[str, str, str]]:
    pages = ssm.get_paginator("list_resource_compliance_summaries").paginate(Filters=filters(*given))
    found = pages.build_full_result()["ResourceComplianceSummaryItems"]
    return [(one["ResourceId"], one["ComplianceType"], one["Status"]) for one in found]


def test_an_item_is_as_it_was_put(ssm: Any, nodes: list[str]) -> None:
    replies = Replies(ssm)
    one, two = items(ssm, ("ComplianceType", "Custom:Virus"))
    assert (one["ResourceId"], one["Id"], one["Title"]) == (nodes[0], "one", "Virus")
    assert (one["Severity"], one["Status"], one["Details"]) == ("CRITICAL", "NON_COMPLIANT", {"Name": "x"})
    assert one["ExecutionSummary"]["ExecutionTime"].isoformat().startswith("2026-11-16T08:00:00")
    assert (one["ExecutionSummary"]["ExecutionId"], two["Status"]) == ("run-1", "COMPLIANT")
    assert replies.problems == []


def test_an_association_is_an_item(ssm: Any, nodes: list[str]) -> None:
    replies = Replies(ssm)
    found = items(ssm, ("ComplianceType", "Association"), ResourceIds=nodes[1:], ResourceTypes=["ManagedInstance"])
    assert {one["Title"]: one["Status"] for one in found} == {
        "AWS-RunPatchBaseline": "COMPLIANT",
        "AWS-GatherSoftwareInventory": "COMPLIANT",
        "AWS-RunShellScript": "NON_COMPLIANT",
    }
    assert {one["Severity"] for one in found} == {"HIGH"}
    assert found[0]["Details"]["DocumentName"] == "AWS-RunPatchBaseline"
    assert set(found[0]["ExecutionSummary"]) == {"ExecutionTime"}
    assert replies.problems == []


@pytest.mark.parametrize(
    ("given", "ids"),
    [
        (("Status", "NON_COMPLIANT"), {"one"}),
        (("Status", "NON_COMPLIANT", "NOT_EQUAL"), {"two"}),
        (("Severity", "CRITICAL", "EQUAL"), {"one"}),
        (("Title", "Tro", "BEGIN_WITH"), {"two"}),
        (("Id", "two", "LESS_THAN"), {"one"}),
        (("Id", "one", "GREATER_THAN"), {"two"}),
        (("ExecutionTime", "2026-11-16T08:00:01Z", "LESS_THAN"), {"one", "two"}),
        (("ExecutionTime", "2026-11-16T07:59:59Z", "LESS_THAN"), set()),
        (("AWS:ComplianceItem.Severity", "LOW"), {"two"}),
        (("AWS:InstanceInformation.PlatformType", "Linux"), {"one", "two"}),
        (("AWS:InstanceInformation.PlatformType", "Windows"), set()),
    ],
)
def test_items_are_filtered(ssm: Any, nodes: list[str], given: Any, ids: set[str]) -> None:
    assert nodes
    assert {one["Id"] for one in items(ssm, ("ComplianceType", "Custom:Virus"), given)} == ids


def test_patches_are_filtered_by_what_they_are(ssm: Any, nodes: list[str]) -> None:
    found = items(ssm, ("PatchState", "Missing"), ("PatchGroup", "web"), ResourceIds=nodes[:1])
    assert {one["Details"]["PatchState"] for one in found} == {"Missing"}
    assert (
        len(found)
        == ssm.describe_instance_patch_states(InstanceIds=nodes[:1])["InstancePatchStates"][0]["MissingCount"]
    )


def test_nodes_are_summed_up_by_type(ssm: Any, nodes: list[str]) -> None:
    replies = Replies(ssm)
    one, two = nodes
    assert summaries(ssm, ("ComplianceType", "Association")) == [
        (one, "Association", "COMPLIANT"),
        (two, "Association", "NON_COMPLIANT"),
    ]
    assert summaries(ssm, ("OverallSeverity", "CRITICAL")) == [(one, "Custom:Virus", "NON_COMPLIANT")]
    assert summaries(ssm, ("Status", "COMPLIANT"), ("ResourceId", one)) == [(one, "Association", "COMPLIANT")]
    assert {kind for _, kind, _ in summaries(ssm, ("PatchGroup", "web"))} == {"Patch"}
    assert summaries(ssm, ("ComplianceType", "Custom:", "BEGIN_WITH")) == [(one, "Custom:Virus", "NON_COMPLIANT")]
    counts = {one["ComplianceType"]: one for one in ssm.list_compliance_summaries()["ComplianceSummaryItems"]}
    assert counts["Association"]["CompliantSummary"]["CompliantCount"] == 1
    assert counts["Association"]["NonCompliantSummary"]["SeveritySummary"]["HighCount"] == 1
    assert counts["Custom:Virus"]["NonCompliantSummary"]["SeveritySummary"]["CriticalCount"] == 1
    assert counts["Patch"]["NonCompliantSummary"]["NonCompliantCount"] == 2
    assert replies.problems == []


def test_an_associations_compliance_can_be_left_to_whoever_puts_it(
    ssm: Any, nodes: list[str], advance: Advance
) -> None:
    made = ssm.create_association(
        Name="AWS-RunShellScript", Parameters={"commands": ["ls"]}, InstanceId=nodes[0], SyncCompliance="MANUAL"
    )["AssociationDescription"]
    assert made["SyncCompliance"] == "MANUAL"
    advance(hours=1)
    found = {one["Id"] for one in items(ssm, ("ComplianceType", "Association"), ResourceIds=nodes[:1])}
    assert made["AssociationId"] not in found
    ssm.delete_association(AssociationId=made["AssociationId"])


@pytest.mark.parametrize(
    ("name", "arguments", "code"),
    [
        ("list_compliance_items", {"ResourceTypes": ["Fridge"]}, "InvalidResourceType"),
        ("list_compliance_items", {"ResourceIds": ["i-00000001", "i-00000002"]}, "InvalidResourceId"),
        ("list_compliance_items", {"Filters": [{"Key": "Fancy", "Values": ["1"]}]}, "InvalidFilter"),
        ("list_compliance_items", {"Filters": [{"Key": "Status"}]}, "InvalidFilter"),
        ("list_resource_compliance_summaries", {"Filters": [{"Key": "Id", "Values": ["1"]}]}, "InvalidFilter"),
        ("list_compliance_summaries", {"Filters": [{"Key": "Fancy", "Values": ["1"]}]}, "InvalidFilter"),
    ],
)
def test_what_cannot_be_asked_for_is_refused(ssm: Any, name: str, arguments: dict[str, Any], code: str) -> None:
    assert error_code(lambda: getattr(ssm, name)(**arguments)) == code


def test_what_cannot_be_put_is_refused(ssm: Any, nodes: list[str]) -> None:
    one = {"Id": "one", "Severity": "LOW", "Status": "COMPLIANT"}
    given = {**about(nodes[0]), "ComplianceType": "Custom:Virus", "Items": [one]}
    for changes, code in (
        ({"ResourceId": "i-00000001"}, "InvalidResourceId"),
        ({"ResourceType": "Fridge"}, "InvalidResourceType"),
        ({"Items": [one, one]}, "InvalidItemContentException"),
        ({"UploadType": "PARTIAL"}, "ValidationException"),
    ):
        assert error_code(lambda changes=changes: ssm.put_compliance_items(**given | changes)) == code  # type: ignore[misc]


# Inventory.


def entities(ssm: Any, **given: Any) -> list[dict[str, Any]]:
    return list(ssm.get_paginator("get_inventory").paginate(**given).build_full_result()["Entities"])


def test_inventory_is_asked_for_node_by_node(ssm: Any, nodes: list[str]) -> None:
    replies = Replies(ssm)
    found = entities(ssm)
    assert [one["Id"] for one in found] == nodes
    (information,) = found[0]["Data"]["AWS:InstanceInformation"]["Content"]
    assert (information["InstanceId"], information["PlatformType"]) == (nodes[0], "Linux")
    (one,) = entities(
        ssm,
        Filters=filters(("AWS:InstanceInformation.InstanceId", nodes[1])),
        ResultAttributes=[{"TypeName": "AWS:Application"}],
    )
    assert {"bash", "bind-libs"} <= {one["Name"] for one in one["Data"]["AWS:Application"]["Content"]}
    assert replies.problems == []


@pytest.mark.parametrize(
    ("given", "count"),
    [
        ([("AWS:Application.Name", "bash")], 2),
        ([("AWS:Application.Name", "ba", "BeginWith")], 2),
        ([("AWS:Application.Name", "bash"), ("AWS:Application.Version", "5.2.15")], 2),
        ([("AWS:Application.Name", "bash"), ("AWS:Application.Version", "9.18.33")], 0),
        ([("AWS:Application.Name", "emacs")], 0),
        ([("AWS:PatchSummary.MissingCount", "0", "GreaterThan")], 2),
        ([("AWS:PatchSummary.MissingCount", "1", "LessThan")], 0),
        ([("AWS:InstanceInformation.PlatformType", "Linux", "NotEqual")], 0),
    ],
)
def test_nodes_are_found_by_their_inventory(ssm: Any, nodes: list[str], given: Any, count: int) -> None:
    assert nodes
    assert len(entities(ssm, Filters=filters(*given))) == count


def test_inventory_is_counted_by_values(ssm: Any, nodes: list[str]) -> None:
    replies = Replies(ssm)
    assert nodes
    (one,) = entities(ssm, Aggregators=[{"Expression": "AWS:InstanceInformation.PlatformType"}])
    assert one["Data"]["AWS:InstanceInformation"]["Content"] == [{"PlatformType": "Linux", "Count": "2"}]
    inner = {"Expression": "AWS:InstanceInformation.PlatformType"}
    version = {"Expression": "AWS:Application.Version", "Aggregators": [inner]}
    (one,) = entities(ssm, Aggregators=[{"Expression": "AWS:Application.Name", "Aggregators": [version]}])
    rows = [row for row in one["Data"]["AWS:Application"]["Content"] if row["Name"] == "bash"]
    assert rows == [{"Name": "bash", "Version": "5.2.15", "PlatformType": "Linux", "Count": "2"}]
    assert replies.problems == []


def test_inventory_is_counted_by_groups(ssm: Any, nodes: list[str]) -> None:
    replies = Replies(ssm)
    assert nodes
    both = filters(("TypeName", "AWS:Application", "Exists"), ("TypeName", "AWS:File", "Exists"))
    either = [{"Key": "TypeName", "Values": ["AWS:Application", "AWS:File"], "Type": "Exists"}]
    groups = [{"Name": "both", "Filters": both}, {"Name": "either", "Filters": either}]
    found = {
        key: one for entity in entities(ssm, Aggregators=[{"Groups": groups}]) for key, one in entity["Data"].items()
    }
    assert found["both"]["Content"] == [{"notMatchingCount": "2"}, {"matchingCount": "0"}]
    assert found["either"]["Content"] == [{"notMatchingCount": "0"}, {"matchingCount": "2"}]
    assert replies.problems == []


def test_entries_are_listed_and_filtered(ssm: Any, nodes: list[str]) -> None:
    replies = Replies(ssm)
    given = {"InstanceId": nodes[0], "TypeName": "AWS:Application"}
    listed = ssm.list_inventory_entries(**given, Filters=filters(("Name", "bash")))
    assert [one["Name"] for one in listed["Entries"]] == ["bash"]
    assert (listed["TypeName"], listed["InstanceId"], listed["SchemaVersion"]) == ("AWS:Application", nodes[0], "1.1")
    first = ssm.list_inventory_entries(**given, MaxResults=1)
    second = ssm.list_inventory_entries(**given, MaxResults=1, NextToken=first["NextToken"])
    assert first["Entries"] != second["Entries"]
    nothing = ssm.list_inventory_entries(InstanceId=nodes[0], TypeName="AWS:File")
    assert (nothing["Entries"], "CaptureTime" in nothing) == ([], False)
    assert replies.problems == []


def rack(**more: Any) -> dict[str, Any]:
    content = [{"Place": "7"}]
    return {"TypeName": "Custom:Rack", "SchemaVersion": "1.0", "CaptureTime": CAPTURED, "Content": content, **more}


def test_a_type_of_our_own_comes_and_goes(ssm: Any, nodes: list[str]) -> None:
    replies = Replies(ssm)
    for node in nodes:
        ssm.put_inventory(InstanceId=node, Items=[rack()])
    (schema,) = ssm.get_inventory_schema(TypeName="Custom:Rack")["Schemas"]
    assert schema["Attributes"] == [{"Name": "Place", "DataType": "string"}]
    (one,) = entities(
        ssm, Filters=filters(("Custom:Rack.Place", "7"), ("AWS:InstanceInformation.InstanceId", nodes[0]))
    )
    assert one["Id"] == nodes[0]
    dry = ssm.delete_inventory(TypeName="Custom:Rack", DryRun=True)
    summary = {
        "TotalCount": 2,
        "RemainingCount": 2,
        "SummaryItems": [{"Version": "1.0", "Count": 2, "RemainingCount": 2}],
    }
    assert ("DeletionId" in dry, dry["DeletionSummary"]) == (False, summary)
    deleted = ssm.delete_inventory(TypeName="Custom:Rack", SchemaDeleteOption="DeleteSchema")
    assert deleted["DeletionSummary"] == summary
    (described,) = ssm.describe_inventory_deletions(DeletionId=deleted["DeletionId"])["InventoryDeletions"]
    assert (described["LastStatus"], described["DeletionSummary"]["RemainingCount"]) == ("Complete", 0)
    assert error_code(lambda: ssm.get_inventory_schema(TypeName="Custom:Rack")) == "InvalidTypeNameException"
    assert replies.problems == []


def test_schemas_tell_the_attributes_and_what_can_be_counted(ssm: Any) -> None:
    replies = Replies(ssm)
    schemas = {one["TypeName"]: one for one in ssm.get_inventory_schema()["Schemas"]}
    assert {"Name": "MissingCount", "DataType": "number"} in schemas["AWS:PatchSummary"]["Attributes"]
    counted = ssm.get_inventory_schema(Aggregator=True)["Schemas"]
    assert {one["TypeName"] for one in counted} == {
        "AWS:Application",
        "AWS:InstanceInformation",
        "AWS:Service",
        "AWS:WindowsRole",
    }
    (one,) = ssm.get_inventory_schema(TypeName="AWS:Application", Aggregator=True)["Schemas"]
    assert [attribute["Name"] for attribute in one["Attributes"]] == ["Name", "Version"]
    assert replies.problems == []


@pytest.mark.parametrize(
    ("name", "arguments", "code"),
    [
        ("get_inventory", {"Filters": [{"Key": "AWS:Fancy.Name", "Values": ["1"]}]}, "InvalidFilter"),
        ("get_inventory", {"Filters": [{"Key": "AWS:Application.Fancy", "Values": ["1"]}]}, "InvalidFilter"),
        (
            "get_inventory",
            {"Filters": [{"Key": "AWS:Application.Name", "Values": ["true"], "Type": "Exists"}]},
            "InvalidFilter",
        ),
        ("get_inventory", {"ResultAttributes": [{"TypeName": "AWS:Fancy"}]}, "InvalidResultAttributeException"),
        ("get_inventory", {"Aggregators": [{"Expression": "AWS:Application.URL"}]}, "InvalidAggregatorException"),
        ("get_inventory", {"Aggregators": [{}]}, "InvalidAggregatorException"),
        (
            "get_inventory",
            {"Aggregators": [{"Groups": [{"Name": "a", "Filters": [{"Key": "AWS:Tag.Key", "Values": ["a"]}]}]}]},
            "InvalidInventoryGroupException",
        ),
        ("get_inventory_schema", {"TypeName": "AWS:Fancy"}, "InvalidTypeNameException"),
        ("get_inventory_schema", {"SubType": True}, "ValidationException"),
        ("list_inventory_entries", {"InstanceId": "i-00000001", "TypeName": "AWS:Tag"}, "InvalidInstanceId"),
        ("put_inventory", {"InstanceId": "i-00000001", "Items": [rack()]}, "InvalidInstanceId"),
        ("delete_inventory", {"TypeName": "AWS:Application"}, "InvalidTypeNameException"),
        (
            "describe_inventory_deletions",
            {"DeletionId": "01234567-89ab-cdef-0123-456789abcdef"},
            "InvalidDeletionIdException",
        ),
    ],
)
def test_what_inventory_has_not_is_refused(ssm: Any, name: str, arguments: dict[str, Any], code: str) -> None:
    assert error_code(lambda: getattr(ssm, name)(**arguments)) == code


def test_what_a_node_has_not_is_refused(ssm: Any, nodes: list[str]) -> None:
    given = {"InstanceId": nodes[0]}
    call = ssm.list_inventory_entries
    assert error_code(lambda: call(**given, TypeName="AWS:Fancy")) == "InvalidTypeNameException"
    fancy = filters(("Fancy", "1"))
    assert error_code(lambda: call(**given, TypeName="AWS:Tag", Filters=fancy)) == "InvalidFilter"
    context = [rack(Context={"a": "b"})]
    put = ssm.put_inventory
    assert error_code(lambda: put(**given, Items=context)) == "UnsupportedInventoryItemContextException"


# Resource data sync.


@pytest.fixture
def bucket(connect: Connect) -> str:
    s3 = connect("s3", REGION)
    s3.create_bucket(Bucket="inventories", CreateBucketConfiguration={"LocationConstraint": REGION})
    service = {"Effect": "Allow", "Principal": {"Service": "ssm.amazonaws.com"}}
    acl = {"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control"}}
    at = "arn:aws:s3:::inventories"
    policy = [
        {**service, "Action": "s3:GetBucketAcl", "Resource": at},
        {**service, "Action": "s3:PutObject", "Resource": [f"{at}/*/accountid=123456789012/*"], "Condition": acl},
    ]
    s3.put_bucket_policy(Bucket="inventories", Policy=json.dumps({"Version": "2012-10-17", "Statement": policy}))
    return "inventories"


def destination(bucket: str, **more: Any) -> dict[str, Any]:
    return {"BucketName": bucket, "SyncFormat": "JsonSerDe", "Region": REGION, **more}


def test_a_sync_writes_to_the_accounts_bucket(ssm: Any, nodes: list[str], bucket: str, connect: Connect) -> None:
    replies = Replies(ssm)
    ssm.create_resource_data_sync(SyncName="all", S3Destination=destination(bucket, Prefix="lab"))
    listed = connect("s3", REGION).list_objects_v2(Bucket=bucket)["Contents"]
    folder = f"accountid=123456789012/region={REGION}/resourcetype=ManagedInstanceInventory"
    key = f"lab/AWS:ComplianceSummary/{folder}/{nodes[0]}.json"
    assert key in {one["Key"] for one in listed}
    body = connect("s3", REGION).get_object(Bucket=bucket, Key=key)["Body"].read().decode()
    kinds = {json.loads(line)["ComplianceType"] for line in body.splitlines()}
    assert kinds == {"Patch", "Association", "Custom:Virus"}
    (described,) = ssm.list_resource_data_sync()["ResourceDataSyncItems"]
    assert (described["SyncName"], described["LastStatus"], described["SyncType"]) == (
        "all",
        "Successful",
        "SyncToDestination",
    )
    assert described["S3Destination"] == destination(bucket, Prefix="lab")
    assert ssm.list_resource_data_sync(SyncType="SyncFromSource")["ResourceDataSyncItems"] == []
    ssm.delete_resource_data_sync(SyncName="all", SyncType="SyncToDestination")
    assert ssm.list_resource_data_sync()["ResourceDataSyncItems"] == []
    assert replies.problems == []


@pytest.mark.parametrize(
    ("name", "arguments", "code"),
    [
        ("create", {}, "ResourceDataSyncInvalidConfigurationException"),
        ("create", {"S3Destination": destination("gone")}, "ResourceDataSyncInvalidConfigurationException"),
        ("create", {"SyncType": "SyncFromSource"}, "ResourceDataSyncInvalidConfigurationException"),
        ("create", {"SyncType": "Fancy"}, "ResourceDataSyncInvalidConfigurationException"),
        (
            "create",
            {
                "S3Destination": destination(
                    "gone", DestinationDataSharing={"DestinationDataSharingType": "Organization"}
                )
            },
            "ResourceDataSyncInvalidConfigurationException",
        ),
        ("delete", {}, "ResourceDataSyncNotFoundException"),
        ("delete", {"SyncType": "SyncFromSource"}, "ResourceDataSyncNotFoundException"),
    ],
)
def test_a_sync_that_cannot_be_is_refused(ssm: Any, name: str, arguments: dict[str, Any], code: str) -> None:
    call = getattr(ssm, f"{name}_resource_data_sync")
    assert error_code(lambda: call(SyncName="gone", **arguments)) == code
