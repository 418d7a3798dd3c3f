from __future__ import annotations

import pytest
from aws_cdk import Stack
from constructs.encryption_key import EncryptionKey
from constructs.node_association import NodeAssociation
from constructs.output_bucket import OutputBucket

from patching.baseline import ComplianceLevel
from patching.errors import InvalidValueError
from patching.rate_control import RateControl
from patching.schedule import Schedule
from patching.targets import Targets
from tests.cdk import Resources, app

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


def test_a_schedule_that_no_association_takes_is_refused_when_it_is_made() -> None:
    stack = Stack(app(), "Stack")
    key = EncryptionKey(stack, "Key", alias="k", keep_on_destroy=False).key
    output = OutputBucket(stack, "Output", key=key, prefix="out", retention_days=1, keep_on_destroy=False)
    with pytest.raises(InvalidValueError, match="is not a schedule that an association takes"):
        NodeAssociation(
            stack,
            "Scan",
            name="scan",
            document="AWS-RunPatchBaseline",
            parameters={},
            schedule=Schedule.cron("0/5 * * * ? *"),
            targets=Targets.tag("Environment", "demo"),
            rate_control=RateControl(),
            environment="demo",
            output=output,
            run_at_deployment=False,
            compliance_severity=ComplianceLevel.UNSPECIFIED,
        )
