from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import boto3
from botocore.stub import Stubber

from ops import teardown
from ops.session import Session
from patching.operating_system import OperatingSystem


def test_only_the_environments_own_baselines_are_its_defaults() -> None:
    """The names of the environment lab-b begin like those of lab."""
    ssm = boto3.Session("x", "y", region_name="us-east-1").client("ssm")
    stub = Stubber(ssm)
    found: list[dict[str, Any]] = [
        {"BaselineId": "pb-00000000000000001", "BaselineName": "patchops-lab-ubuntu", "OperatingSystem": "UBUNTU"},
        {
            "BaselineId": "pb-00000000000000002",
            "BaselineName": "patchops-lab-suse",
            "OperatingSystem": "SUSE",
            "DefaultBaseline": True,
        },
        {
            "BaselineId": "pb-00000000000000003",
            "BaselineName": "patchops-lab-b-x",
            "OperatingSystem": "DEBIAN",
            "DefaultBaseline": True,
        },
    ]
    filters = [{"Key": "OWNER", "Values": ["Self"]}, {"Key": "NAME_PREFIX", "Values": ["patchops-lab-"]}]
    stub.add_response("describe_patch_baselines", {"BaselineIdentities": found}, {"Filters": filters})
    for baseline, environment in (("pb-00000000000000002", "lab"), ("pb-00000000000000003", "lab-b")):
        stub.add_response(
            "list_tags_for_resource",
            {"TagList": [{"Key": "Environment", "Value": environment}]},
            {"ResourceType": "PatchBaseline", "ResourceId": baseline},
        )
    with stub:
        defaults = teardown.default_baselines(cast("Session", SimpleNamespace(ssm=ssm)), "lab")
    assert defaults == {OperatingSystem.SUSE: "patchops-lab-suse"}
    stub.assert_no_pending_responses()
