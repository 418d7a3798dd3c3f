"""boto3's paginators and its waiter, in a script that patches nodes one after another.

Follows https://boto3.amazonaws.com/v1/documentation/api/latest/reference/services/ssm.html.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from botocore.exceptions import WaiterError

from tests.lab.aws.world import Connect

pytestmark = pytest.mark.xdist_group("local-aws")


def test_paginators_and_the_waiter_carry_a_script(connect: Connect, launch: Callable[..., list[str]]) -> None:
    region = "ap-south-2"
    nodes = launch(region, 3, Workload="Prod")
    ssm = connect("ssm", region)
    managed = ssm.get_paginator("describe_instance_information").paginate(
        Filters=[{"Key": "tag:Workload", "Values": ["Prod"]}], PaginationConfig={"PageSize": 5}
    )
    assert {one["InstanceId"] for page in managed for one in page["InstanceInformationList"]} == set(nodes)

    for operation in ("Scan", "Install", "Scan"):
        command = ssm.send_command(
            DocumentName="AWS-RunPatchBaseline",
            Targets=[{"Key": "tag:Workload", "Values": ["Prod"]}],
            Parameters={"Operation": [operation]},
            MaxConcurrency="1",
            MaxErrors="1",
        )["Command"]["CommandId"]
        for node in nodes:
            ssm.get_waiter("command_executed").wait(CommandId=command, InstanceId=node, WaiterConfig={"Delay": 0})
        invocations = ssm.get_paginator("list_command_invocations").paginate(
            CommandId=command, PaginationConfig={"PageSize": 1}
        )
        assert {one["InstanceId"] for page in invocations for one in page["CommandInvocations"]} == set(nodes)

    states = ssm.get_paginator("describe_instance_patch_states").paginate(InstanceIds=nodes)
    assert [one["MissingCount"] for page in states for one in page["InstancePatchStates"]] == [0, 0, 0]
    patches = ssm.get_paginator("describe_instance_patches").paginate(
        InstanceId=nodes[0], PaginationConfig={"PageSize": 10}
    )
    assert "Missing" not in {one["State"] for page in patches for one in page["Patches"]}
    summaries = ssm.get_paginator("list_resource_compliance_summaries").paginate(
        Filters=[{"Key": "ComplianceType", "Values": ["Patch"]}], PaginationConfig={"PageSize": 1}
    )
    found = {one["ResourceId"]: one["Status"] for page in summaries for one in page["ResourceComplianceSummaryItems"]}
    assert found == dict.fromkeys(nodes, "COMPLIANT")


def test_the_waiter_ends_when_a_command_fails(connect: Connect, launch: Callable[..., list[str]]) -> None:
    region = "ap-south-2"
    (node,) = launch(region, 1, Workload="Test")
    ssm = connect("ssm", region)
    command = ssm.send_command(
        DocumentName="AWS-RunShellScript", InstanceIds=[node], Parameters={"commands": ["exit 1"]}
    )["Command"]["CommandId"]
    with pytest.raises(WaiterError, match='matched expected path: "Failed"'):
        ssm.get_waiter("command_executed").wait(CommandId=command, InstanceId=node, WaiterConfig={"Delay": 0})
