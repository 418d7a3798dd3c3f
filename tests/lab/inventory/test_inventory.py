"""What is known of nodes as inventory, what somebody puts there, and where it is written to."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from lab.inventory.data_sync import DataSync
from lab.nodes.inventory_types import Entry, InventoryItem
from lab.nodes.node import ManagedNode
from lab.world.errors import ApiError
from patching.baseline import ComplianceLevel
from patching.rate_control import RateControl
from patching.schedule import Schedule
from patching.targets import Targets
from tests.lab.simulated import KEY, Lab

CAPTURED = "2026-03-15T00:00:00Z"


def gather(lab: Lab, **parameters: str) -> None:
    lab.engine.state_manager.create(
        name="inventory",
        document="AWS-GatherSoftwareInventory",
        parameters={name: [value] for name, value in parameters.items()},
        targets=Targets.tag("Fleet", "a"),
        schedule=Schedule.parse("rate(1 day)"),
        only_at_interval=False,
        rate_control=RateControl("100%", "100%"),
    )
    lab.clock.finish_work()


def entries(lab: Lab, node: ManagedNode, kind: str) -> list[Entry]:
    item = lab.engine.inventory.item(node, kind)
    return list(item.entries) if item else []


def put(lab: Lab, node: ManagedNode, kind: str = "Custom:Rack", version: str = "1.0", **entry: str) -> None:
    content = (entry,) if entry and "content_hash" not in entry else ()
    given = InventoryItem(kind, version, CAPTURED, content, entry.get("content_hash", ""))
    lab.engine.inventory.put(node, [given])


# What is collected.


def test_an_association_collects_the_packages_of_linux(lab: Lab) -> None:
    node = lab.launch()
    assert entries(lab, node, "AWS:Application") == []
    gather(lab)
    assert entries(lab, node, "AWS:Application") == [
        {
            "Name": name,
            "Publisher": "Tiny AMAZON_LINUX_2023",
            "Version": "1.0",
            "Release": "1",
            "InstalledTime": "2026-02-01T00:00:00Z",
            "Architecture": arch,
            "PackageId": f"{name}.{arch}:1.0-1",
        }
        for name, arch in (("tool", "x86_64"), ("plain", "noarch"))
    ]
    assert [one["Version"] for one in entries(lab, node, "AWS:AWSComponent")] == ["3.0.0.0"]
    assert [one["IPV4"] for one in entries(lab, node, "AWS:Network")] == [node.ip]
    assert lab.engine.inventory.item(node, "AWS:WindowsUpdate") is None


def test_what_was_patched_has_the_time_of_it(lab: Lab) -> None:
    node = lab.launch()
    lab.approve()
    lab.run()
    gather(lab)
    tool = entries(lab, node, "AWS:Application")[0]
    assert (tool["Version"], tool["InstalledTime"][:10]) == ("1.2", "2026-03-15")


def test_what_was_collected_is_what_the_node_was_like_then(lab: Lab) -> None:
    node = lab.launch()
    gather(lab)
    lab.approve()
    lab.run()
    tool, plain = entries(lab, node, "AWS:Application")
    assert tool["Version"] == plain["Version"] == "1.0"
    lab.clock.advance(lab.clock.now + timedelta(days=1))
    item = lab.engine.inventory.item(node, "AWS:Application")
    assert item
    assert (item.entries[0]["Version"], len(item.entries), item.entries[1:]) == ("1.2", 2, [plain])


def test_an_association_collects_the_updates_and_roles_of_windows(lab: Lab) -> None:
    node = lab.launch("windows")
    node.features = ("Web-Server",)
    gather(lab)
    assert [one["HotFixId"] for one in entries(lab, node, "AWS:WindowsUpdate")] == ["KB1"]
    assert [one["Name"] for one in entries(lab, node, "AWS:WindowsRole")] == ["Web-Server"]
    assert [one["Name"] for one in entries(lab, node, "AWS:Service")] == ["AmazonSSMAgent"]
    assert [one["Name"] for one in entries(lab, node, "AWS:Application")] == ["Amazon SSM Agent"]


def test_what_is_disabled_or_not_asked_for_is_not_collected(lab: Lab) -> None:
    node = lab.launch()
    gather(lab, applications="Disabled")
    assert lab.engine.inventory.item(node, "AWS:Application") is None
    assert lab.engine.inventory.item(node, "AWS:File") is None
    gather(lab, files='[{"Path": "/etc"}]')
    assert lab.engine.inventory.item(node, "AWS:File") is not None


def test_what_is_known_by_itself_needs_no_collecting(lab: Lab) -> None:
    node = lab.launch(Name="web")
    (information,) = entries(lab, node, "AWS:InstanceInformation")
    assert (information["InstanceId"], information["InstanceStatus"]) == (node.id, "Active")
    assert {"Key": "Name", "Value": "web"} in entries(lab, node, "AWS:Tag")
    assert set(lab.engine.inventory.of(node)) == {"AWS:InstanceInformation", "AWS:Tag"}
    lab.approve(compliance_level=ComplianceLevel.HIGH)
    lab.scan(node)
    (summary,) = entries(lab, node, "AWS:PatchSummary")
    assert (summary["MissingCount"], summary["OtherNonCompliantCount"], summary["OperationType"]) == ("1", "0", "Scan")
    (compliance,) = entries(lab, node, "AWS:ComplianceSummary")
    assert (compliance["Status"], compliance["NonCompliantHighCount"]) == ("NON_COMPLIANT", "1")
    assert [one["Id"] for one in entries(lab, node, "AWS:ComplianceItem")] == ["tool.x86_64", "plain.noarch"]
    assert lab.engine.inventory.values(node, "AWS:ComplianceItem.Status") == ["NON_COMPLIANT", "COMPLIANT"]
    lab.change(node, running=False)
    assert lab.engine.inventory.values(node, "AWS:InstanceInformation.InstanceStatus") == ["Stopped"]


# What somebody puts.


def test_what_is_put_is_there_until_something_else_is_put(lab: Lab) -> None:
    node = lab.launch()
    put(lab, node, Place="7")
    assert entries(lab, node, "Custom:Rack") == [{"Place": "7"}]
    put(lab, node, Place="8")
    assert entries(lab, node, "Custom:Rack") == [{"Place": "8"}]
    assert lab.engine.inventory.types()["Custom:Rack"].attributes == {"Place": "string"}


def refused(lab: Lab, node: ManagedNode, *args: str, **entry: str) -> str:
    with pytest.raises(ApiError) as error:
        put(lab, node, *args, **entry)
    return error.value.code


def test_what_cannot_be_put_is_refused(lab: Lab) -> None:
    node = lab.launch()
    assert refused(lab, node, "AWS:Fancy") == "InvalidTypeNameException"
    assert refused(lab, node, "AWS:Application", "9.0") == "UnsupportedInventorySchemaVersionException"
    assert refused(lab, node, "AWS:Application", "1.1", Fancy="1") == "InvalidItemContentException"
    assert refused(lab, node, Place="x" * 200 * 1024) == "ItemSizeLimitExceededException"
    assert refused(lab, node, content_hash="1") == "ItemContentMismatchException"
    put(lab, node, "AWS:Application", "1.1", Name="mine")
    for number in range(20):
        put(lab, node, f"Custom:{number}", Place="1")
    assert refused(lab, node, "Custom:20", Place="1") == "CustomSchemaCountLimitExceededException"
    put(lab, lab.launch(), "Custom:19", Place="1")


def test_all_items_together_have_a_limit_too(lab: Lab) -> None:
    node = lab.launch()
    items = [InventoryItem(f"Custom:{one}", "1.0", CAPTURED, ({"a": "x" * 190 * 1024},)) for one in range(6)]
    with pytest.raises(ApiError, match="bytes together"):
        lab.engine.inventory.put(node, items)


def test_a_hash_alone_captures_anew(lab: Lab) -> None:
    node = lab.launch()
    item = InventoryItem("Custom:Rack", "1.0", CAPTURED, ({"Place": "7"},), "1")
    lab.engine.inventory.put(node, [item])
    lab.engine.inventory.put(node, [replace(item, captured="2026-03-16T00:00:00Z", entries=())])
    found = lab.engine.inventory.item(node, "Custom:Rack")
    assert found
    assert (found.captured, found.entries) == ("2026-03-16T00:00:00Z", ({"Place": "7"},))


def test_a_custom_type_is_deleted_with_its_data(lab: Lab) -> None:
    nodes = [lab.launch() for _ in range(3)]
    for node, version in zip(nodes, ("1.0", "1.0", "2.0"), strict=True):
        put(lab, node, "Custom:Rack", version, Place="7")
    dry = lab.engine.inventory.delete("Custom:Rack", disable=False, dry_run=True)
    assert (dry.id, dry.counts) == ("", {"1.0": 2, "2.0": 1})
    assert entries(lab, nodes[0], "Custom:Rack")
    made = lab.engine.inventory.delete("Custom:Rack", disable=False, dry_run=False, token="one")
    assert (made.counts, lab.engine.inventory.deletions) == ({"1.0": 2, "2.0": 1}, [made])
    assert not any(entries(lab, node, "Custom:Rack") for node in nodes)
    assert "Custom:Rack" not in lab.engine.inventory.types()
    assert lab.engine.inventory.delete("Custom:Rack", disable=False, dry_run=False, token="one") == made
    for kind in ("Custom:Rack", "AWS:Application"):
        with pytest.raises(ApiError, match="is not a custom inventory type that has data"):
            lab.engine.inventory.delete(kind, disable=False, dry_run=False)


def test_a_disabled_type_needs_a_later_version(lab: Lab) -> None:
    node = lab.launch()
    put(lab, node, "Custom:Rack", "1.9", Place="7")
    lab.engine.inventory.delete("Custom:Rack", disable=True, dry_run=False)
    put(lab, node, "Custom:Rack", "1.9", Place="8")
    assert entries(lab, node, "Custom:Rack") == []
    put(lab, node, "Custom:Rack", "1.10", Place="9")
    assert entries(lab, node, "Custom:Rack") == [{"Place": "9"}]


# Where it is written to.


def allow(lab: Lab, **condition: Any) -> None:
    """Let Systems Manager write to the bucket, as AWS's documentation says."""
    service = {"Service": "ssm.amazonaws.com"}
    lab.cloud.bucket_policies["output"] = {
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": service,
                "Action": "s3:GetBucketAcl",
                "Resource": "arn:aws:s3:::output",
            },
            {
                "Effect": "Allow",
                "Principal": service,
                "Action": "s3:PutObject",
                "Resource": ["arn:aws:s3:::output/*/accountid=123456789012/*"],
                "Condition": {
                    "StringEquals": {
                        "s3:x-amz-acl": "bucket-owner-full-control",
                        "aws:SourceAccount": condition.get("account", "123456789012"),
                    },
                    "ArnLike": {"aws:SourceArn": "arn:aws:ssm:*:123456789012:resource-data-sync/*"},
                },
            },
        ]
    }


def sync(lab: Lab, name: str = "all", *, bucket: str = "output", prefix: str = "", key: str = "") -> DataSync:
    return lab.engine.data_syncs.create(name, bucket=bucket, prefix=prefix, region="us-east-1", key=key)


def at(node: ManagedNode, kind: str, prefix: str = "") -> str:
    folder = "accountid=123456789012/region=us-east-1/resourcetype=ManagedInstanceInventory"
    return f"{prefix}{kind}/{folder}/{node.id}.json"


def test_a_sync_writes_what_is_known_of_every_node_where_aws_documents_it(lab: Lab) -> None:
    node, other = lab.launch(), lab.launch()
    lab.scan(node)
    allow(lab)
    made = sync(lab, prefix="inventory/")
    written = {key for key in lab.cloud.objects if key.startswith("inventory/")}
    kinds = ("InstanceInformation", "Tag", "PatchSummary", "ComplianceItem", "ComplianceSummary")
    assert written == {
        *(at(node, f"AWS:{kind}", "inventory/") for kind in kinds),
        *(at(other, f"AWS:{kind}", "inventory/") for kind in kinds[:2]),
    }
    lines = lab.cloud.objects[at(node, "AWS:ComplianceItem", "inventory/")].splitlines()
    first = json.loads(lines[0])
    assert (first["resourceId"], first["schemaVersion"], first["Id"]) == (node.id, "1.0", "tool.x86_64")
    assert first["captureTime"].startswith("2026-03-15T")
    assert (made.problem, made.succeeded) == ("", lab.clock.now)


def test_a_sync_writes_anew_what_a_command_or_somebody_changes(lab: Lab) -> None:
    node = lab.launch()
    allow(lab)
    sync(lab)
    assert at(node, "AWS:PatchSummary") not in lab.cloud.objects
    lab.approve(delay=360)
    lab.scan(node)
    assert json.loads(lab.cloud.objects[at(node, "AWS:PatchSummary")])["MissingCount"] == "0"
    lab.approve()
    lab.scan(node)
    assert json.loads(lab.cloud.objects[at(node, "AWS:PatchSummary")])["MissingCount"] == "1"
    put(lab, node, Place="7")
    assert json.loads(lab.cloud.objects[at(node, "Custom:Rack")])["Place"] == "7"
    lab.clock.advance(lab.clock.now + timedelta(days=1))
    gather(lab)
    assert len(lab.cloud.objects[at(node, "AWS:Application")].splitlines()) == 2


def test_a_sync_that_may_not_write_any_more_fails_with_the_reason(lab: Lab) -> None:
    node = lab.launch()
    allow(lab)
    made = sync(lab)
    written, succeeded = dict(lab.cloud.objects), made.succeeded
    allow(lab, account="999999999999")
    lab.scan(node)
    assert {key: lab.cloud.objects[key] for key in written} == written
    assert "does not let ssm.amazonaws.com do s3:PutObject" in made.problem
    assert (made.succeeded, made.synced) == (succeeded, lab.clock.now)
    assert "resource data sync all did not write" in lab.log


def problem(lab: Lab, **given: Any) -> str:
    with pytest.raises(ApiError) as error:
        sync(lab, **given)
    return f"{error.value.code}: {error.value.message}"


def test_a_sync_needs_a_bucket_whose_policy_lets_the_service_write(lab: Lab) -> None:
    assert "there is no bucket gone" in problem(lab, bucket="gone")
    assert "do s3:GetBucketAcl" in problem(lab)
    allow(lab, account="999999999999")
    assert "do s3:PutObject" in problem(lab)
    allow(lab)
    assert "does not let ssm.amazonaws.com do kms:GenerateDataKey" in problem(lab, key=KEY)
    lab.cloud.key_policies[KEY] = {
        "Statement": {
            "Effect": "Allow",
            "Principal": {"Service": "ssm.amazonaws.com"},
            "Action": "kms:GenerateDataKey",
            "Resource": "*",
        }
    }
    sync(lab, key=KEY)


def test_a_name_is_given_once_and_five_syncs_are_enough(lab: Lab) -> None:
    allow(lab)
    for number in range(5):
        sync(lab, f"sync-{number}")
    assert problem(lab, name="sync-0").startswith("ResourceDataSyncAlreadyExistsException")
    assert problem(lab, name="sync-5").startswith("ResourceDataSyncCountExceededException")
    lab.engine.data_syncs.delete("sync-0")
    with pytest.raises(ApiError, match="There is no resource data sync sync-0"):
        lab.engine.data_syncs.delete("sync-0")


def test_a_deleted_sync_writes_no_more_and_keeps_what_it_wrote(lab: Lab) -> None:
    node = lab.launch()
    allow(lab)
    sync(lab)
    lab.engine.data_syncs.delete("all")
    lab.scan(node)
    assert at(node, "AWS:InstanceInformation") in lab.cloud.objects
    assert at(node, "AWS:PatchSummary") not in lab.cloud.objects
