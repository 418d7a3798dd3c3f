"""Cloud Custodian finds the nodes that are not compliant, has them patched, and finds none any more.

Follows https://cloudcustodian.io/docs/aws/resources/ec2.html.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.lab.aws.clients.conftest import Client, Installed
from tests.lab.aws.world import Connect

pytestmark = pytest.mark.xdist_group("local-aws")

PROD = {"tag:Workload": "Prod"}
ONLINE = {"type": "ssm", "key": "PingStatus", "value": "Online"}
NOT_COMPLIANT = {
    "type": "ssm-compliance",
    "compliance_types": ["Patch"],
    "states": ["NON_COMPLIANT"],
    "severity": ["CRITICAL", "HIGH", "MEDIUM", "LOW", "INFORMATIONAL", "UNSPECIFIED"],
}


def patch(operation: str) -> dict[str, Any]:
    """An action of Custodian that scans or installs."""
    command = {"DocumentName": "AWS-RunPatchBaseline", "Parameters": {"Operation": [operation]}}
    return {"type": "send-command", "command": command}


FILTERS: dict[str, list[Any]] = {
    "managed": [ONLINE],
    "not-managed": [{"not": [ONLINE]}],
    "not-compliant": [ONLINE, NOT_COMPLIANT],
}


def policy(name: str, *actions: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "resource": "aws.ec2", "filters": [PROD, *FILTERS[name]], "actions": list(actions)}


def run(custodian: Client, folder: Path, *policies: dict[str, Any]) -> dict[str, set[str]]:
    """Run policies; return the ids of the instances that each finds."""
    file = folder / "policies.json"
    file.write_text(json.dumps({"policies": policies}))
    custodian.run("custodian", "run", "--cache-period", "0", "-s", folder, "--region", custodian.region, file)
    return {
        one["name"]: {
            found["InstanceId"] for found in json.loads((folder / one["name"] / "resources.json").read_text())
        }
        for one in policies
    }


def test_what_is_not_compliant_is_found_and_patched(installed: Installed, connect: Connect, tmp_path: Path) -> None:
    custodian = installed("custodian", "eu-north-1")
    nodes = set(custodian.nodes)
    (unmanaged,) = [
        one["InstanceId"]
        for one in connect("ec2", custodian.region).run_instances(
            ImageId="ami-12c6146b",
            MinCount=1,
            MaxCount=1,
            TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "Workload", "Value": "Prod"}]}],
        )["Instances"]
    ]
    ssm = connect("ssm", custodian.region)

    def all_done() -> None:
        for command in ssm.list_commands()["Commands"]:
            for node in nodes:
                ssm.get_waiter("command_executed").wait(
                    CommandId=command["CommandId"], InstanceId=node, WaiterConfig={"Delay": 0}
                )

    assert run(custodian, tmp_path, policy("managed", patch("Scan")), policy("not-managed")) == {
        "managed": nodes,
        "not-managed": {unmanaged},
    }
    all_done()
    assert run(custodian, tmp_path, policy("not-compliant", patch("Install"))) == {"not-compliant": nodes}
    all_done()
    assert run(custodian, tmp_path, policy("not-compliant")) == {"not-compliant": set()}
