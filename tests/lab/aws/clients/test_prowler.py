"""Prowler's checks of managed patching fail for what is not managed or not compliant, and pass for the rest.

Follows https://hub.prowler.com/check/ssm_managed_compliant_patching.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.lab.aws.clients.conftest import Client, Installed
from tests.lab.aws.world import Connect

pytestmark = pytest.mark.xdist_group("local-aws")

CHECKS = ("ec2_instance_managed_by_ssm", "ssm_managed_compliant_patching")


def findings(prowler: Client, folder: Path) -> dict[tuple[str, str], str]:
    """Run the checks; return how each ends for each instance."""
    prowler.run(
        "prowler",
        *("aws", "--no-banner", "--no-color", "--region", prowler.region, "--checks", *CHECKS),
        *("--output-directory", folder, "--output-formats", "json-ocsf", "--output-filename", "found"),
        codes=(0, 3),
    )
    found = json.loads((folder / "found.ocsf.json").read_text(encoding="utf-8"))
    return {
        (one["metadata"]["event_code"], one["resources"][0]["uid"].rpartition("/")[2]): one["status_code"]
        for one in found
    }


def test_the_checks_of_managed_patching(installed: Installed, connect: Connect, tmp_path: Path) -> None:
    prowler = installed("prowler", "il-central-1")
    patched, behind = prowler.nodes
    ssm = connect("ssm", prowler.region)
    for node, operation in ((patched, "Install"), (behind, "Scan")):
        command = ssm.send_command(
            DocumentName="AWS-RunPatchBaseline", InstanceIds=[node], Parameters={"Operation": [operation]}
        )["Command"]["CommandId"]
        ssm.get_waiter("command_executed").wait(CommandId=command, InstanceId=node, WaiterConfig={"Delay": 0})
    (unmanaged,) = [
        one["InstanceId"]
        for one in connect("ec2", prowler.region).run_instances(ImageId="ami-12c6146b", MinCount=1, MaxCount=1)[
            "Instances"
        ]
    ]
    assert findings(prowler, tmp_path) == {
        ("ec2_instance_managed_by_ssm", patched): "PASS",
        ("ec2_instance_managed_by_ssm", behind): "PASS",
        ("ec2_instance_managed_by_ssm", unmanaged): "FAIL",
        ("ssm_managed_compliant_patching", patched): "PASS",
        ("ssm_managed_compliant_patching", behind): "FAIL",
    }
