from __future__ import annotations

from typing import Any

import pytest
from aws_cdk import Stack
from constructs import Construct
from constructs.encryption_key import EncryptionKey
from constructs.node_association import NodeAssociation
from constructs.output_bucket import OutputBucket

from patching.baseline import ComplianceLevel
from patching.errors import InvalidValueError
from patching.rate_control import RateControl
from patching.schedule import Schedule
from patching.targets import Targets
from tests.cdk import Resources, app, build

pytestmark = pytest.mark.xdist_group("constructs")


def test_the_association_scans_on_schedule_only(patching: Resources) -> None:
    scan = patching["Scan"].properties
    assert scan["ApplyOnlyAtCronInterval"] is True
    assert scan["ScheduleExpression"] == "cron(0 20 * * ? *)"
    assert (scan["Name"], scan["Parameters"]) == ("AWS-RunPatchBaseline", {"Operation": ["Scan"]})
    assert "DocumentVersion" not in scan


def test_a_scan_at_deployment_leaves_the_cron_interval_alone(kept: Resources) -> None:
    assert kept["Scan"].properties["ScheduleExpression"] == "rate(1 day)"
    assert "ApplyOnlyAtCronInterval" not in kept["Scan"].properties


def test_the_association_is_for_the_environments_nodes(patching: Resources) -> None:
    scan = patching["Scan"].properties
    assert scan["AssociationName"] == "demo-scan"
    assert scan["Targets"] == [{"Key": "tag:Environment", "Values": ["demo"]}]
    assert (scan["MaxConcurrency"], scan["MaxErrors"], scan["ComplianceSeverity"]) == ("30%", "20%", "HIGH")


def test_the_output_goes_under_the_prefix_of_the_bucket(patching: Resources) -> None:
    assert patching["Scan"].properties["OutputLocation"] == {
        "S3Location": {"OutputS3BucketName": "<Output>", "OutputS3KeyPrefix": "out"}
    }


def test_the_association_is_dispatched_as_its_own_role_which_is_ready_before_it(patching: Resources) -> None:
    assert patching["Scan"].properties["AssociationDispatchAssumeRole"] == "<Scan/DispatchRole.Arn>"
    policy = next(name for name in patching.template["Resources"] if name.startswith("ScanDispatchRolePolicy"))
    assert policy in patching["Scan"].whole["DependsOn"]


def association(scope: Construct, child: str, **settings: Any) -> NodeAssociation:
    stack = Stack.of(scope)
    key = EncryptionKey(stack, f"Key{child}", alias=child, keep_on_destroy=False).key
    kept: dict[str, Any] = {
        "name": "scan",
        "document": "AWS-RunPatchBaseline",
        "parameters": {"Operation": ["Scan"]},
        "schedule": Schedule.cron("0 2 ? * TUE#2 *", offset_days=3),
        "targets": Targets.tags({"Environment": "demo", "Role": "web"}),
        "rate_control": RateControl(),
        "environment": "demo",
        "output": OutputBucket(stack, f"Output{child}", key=key, prefix="out", retention_days=1, keep_on_destroy=False),
        "run_at_deployment": False,
        "compliance_severity": ComplianceLevel.UNSPECIFIED,
    }
    return NodeAssociation(scope, child, **(kept | settings))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"schedule": Schedule.cron("0/5 * * * ? *")}, "is not a schedule that an association takes"),
        ({"schedule": Schedule.cron("24 0 2 * * ? *")}, "an association runs at second 0"),
        ({"schedule": Schedule.cron("0 2 * * ? *", timezone="Asia/Seoul")}, "write its schedule in UTC instead of"),
        ({"schedule": Schedule.rate(1, "day")}, "AWS runs an association with a rate when it is made"),
        ({"run_at_deployment": True}, "an offset of 3 days needs run_at_deployment: false"),
        ({"compliance_severity": ComplianceLevel.INFORMATIONAL}, "not INFORMATIONAL"),
        ({"calendars": ["ab"]}, "'ab' is not the name or the ARN of a Change Calendar"),
        ({"name": "a b"}, "'a b' is not the name of an association"),
        ({"document": "AWS-*", "parameters": {}}, "is not the name of a document"),
        ({"parameters": {"Operation": ["Scann"]}}, "operation 'Scann' is not one of Scan, Install"),
        ({"parameters": {}}, "AWS-RunPatchBaseline needs the parameter Operation"),
        (
            {
                "parameters": {"Operation": ["Install"]},
                "run_at_deployment": True,
                "schedule": Schedule.rate(1, "day"),
            },
            "installs, and reboots, as soon as it is made or changed",
        ),
    ],
)
def test_what_no_association_takes_is_refused_when_it_is_made(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        association(Stack(app(), "Stack"), "Scan", **settings)


def test_an_association_waits_for_days_and_for_calendars() -> None:
    inventory: dict[str, Any] = {"document": "AWS-GatherSoftwareInventory", "parameters": {}}
    made = build(lambda stack: association(stack, "Scan", calendars=["freeze"], **inventory))["Scan"].properties
    assert (made["ScheduleOffset"], made["CalendarNames"], made["ApplyOnlyAtCronInterval"]) == (3, ["freeze"], True)
    assert [one["Key"] for one in made["Targets"]] == ["tag:Environment", "tag:Role"]
    assert "Parameters" not in made
