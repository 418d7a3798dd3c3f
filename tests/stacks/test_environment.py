from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from constructs.operator_policy import READ_ANYTHING

from patching.policy_file import parse_policy
from tests.cdk import ROOT, Resources, Stacks, synthesize
from tests.patching.policies import SMALL

pytestmark = pytest.mark.xdist_group("stacks")

NAMES = {
    "AWS::KMS::Alias": "AliasName",
    "AWS::SNS::Topic": "TopicName",
    "AWS::SSM::PatchBaseline": "Name",
    "AWS::SSM::Association": "AssociationName",
    "AWS::SSM::MaintenanceWindow": "Name",
    "AWS::SSM::MaintenanceWindowTarget": "Name",
    "AWS::SSM::MaintenanceWindowTask": "Name",
}
GENERATED = {
    "AWS::IAM::Role": "RoleName",
    "AWS::S3::Bucket": "BucketName",
    "AWS::IAM::InstanceProfile": "InstanceProfileName",
}
FOLLOWING = ("ssm:CancelCommand", "ssm:GetCommandInvocation", "ssm:ListCommandInvocations", "ssm:ListCommands")
# Acknowledged where they stand: a key's policy is about that key alone; the others take no resource.
ANY_RESOURCE = {
    ("Key", "kms:*"),
    *(
        (role, action)
        for role in ("Scan/DispatchRole/Policy", "WindowRole/Policy", "Operators")
        for action in FOLLOWING
    ),
    *(("Operators", action) for action in READ_ANYTHING),
}


def statements(resources: Resources) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every policy statement of a template, wherever it stands, with its resource's path."""

    def within(node: Any) -> Iterator[dict[str, Any]]:
        if isinstance(node, dict):
            if "Effect" in node and ("Action" in node or "NotAction" in node):
                yield node
            node = list(node.values())
        if isinstance(node, list):
            for one in node:
                yield from within(one)

    for path, resource in resources.items():
        for statement in within(resource.properties):
            yield path, statement


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def test_no_statement_is_about_every_resource_but_the_acknowledged_ones(lab: Stacks) -> None:
    found = {
        (path, action)
        for stack in lab.all
        for path, statement in statements(stack)
        if "*" in listed(statement.get("Resource", []))
        for action in listed(statement.get("Action", "all but some"))
    }
    assert found == ANY_RESOURCE


def test_no_statement_allows_by_exclusion_or_every_action(lab: Stacks) -> None:
    allowed = [(path, one) for stack in lab.all for path, one in statements(stack) if one["Effect"] == "Allow"]
    assert len(allowed) > 10
    assert all("NotAction" not in one and "NotResource" not in one for _, one in allowed)
    assert {path for path, one in allowed if any("*" in action for action in listed(one["Action"]))} == {"Key"}


def test_every_name_holds_the_environment(lab: Stacks, alice: Stacks) -> None:
    for stacks, environment in ((lab, "lab"), (alice, "alice")):
        for kind, key in NAMES.items():
            named = stacks.patching.of(kind)
            assert named, f"there is no {kind}"
            for path, properties in named.items():
                assert f"patchops-{environment}-" in properties[key], path
        policies = stacks.patching.of("AWS::IAM::ManagedPolicy")
        assert {path: one["ManagedPolicyName"] for path, one in policies.items() if "ManagedPolicyName" in one} == {
            "NodePolicy": f"patchops-{environment}-node",
            "Operators": f"patchops-{environment}-operator",
        }


def test_what_no_one_looks_up_by_name_gets_its_name_from_the_stack(lab: Stacks, fleet: Resources) -> None:
    for kind, key in GENERATED.items():
        named = lab.patching.of(kind) | fleet.of(kind)
        assert named, f"there is no {kind}"
        assert all(key not in properties for properties in named.values())


def test_nothing_of_one_environment_is_left_in_another(lab: Stacks, alice: Stacks) -> None:
    assert "patchops-lab-scan" in json.dumps(lab.patching.template)
    for stack in alice.all:
        text = json.dumps(stack.template).replace('patchops-lab"', "").replace("patching lab", "")
        assert "patchops-lab-" not in text
        assert '"lab' not in text


def test_another_environment_has_other_targets_and_the_same_logical_ids(lab: Stacks, alice: Stacks) -> None:
    assert alice.patching["Scan"].properties["Targets"] == [{"Key": "tag:Environment", "Values": ["alice"]}]
    assert alice.patching["Install-prod/Target"].properties["Targets"] == [
        {"Key": "tag:Workload", "Values": ["Prod"]},
        {"Key": "tag:Environment", "Values": ["alice"]},
    ]
    for role in ("WindowRole", "Scan/DispatchRole"):
        conditions = [one["Condition"] for one in alice.patching.statements(f"{role}/Policy") if "Condition" in one]
        assert {"StringEquals": {"ssm:resourceTag/Environment": "alice"}} in conditions
    assert alice.patching.template["Resources"].keys() == lab.patching.template["Resources"].keys()


def test_everything_that_takes_tags_has_the_policys_and_the_environments(lab: Stacks) -> None:
    tagged = {
        path: one.properties["Tags"] for stack in lab.all for path, one in stack.items() if "Tags" in one.properties
    }
    assert {"Key", "Output", "Notifications", "Baseline-ubuntu", "Scan", "Install-prod", "Node-prod-1"} <= tagged.keys()
    for path, tags in tagged.items():
        pairs = {tag["Key"]: tag["Value"] for tag in tags}
        assert (pairs.get("Environment"), pairs.get("Project")) == ("lab", "patchops-lab"), path


def test_a_policy_without_a_fleet_makes_one_stack_only() -> None:
    text = SMALL.replace(SMALL[SMALL.index("fleet:") : SMALL.index("baselines:")], "")
    stacks = synthesize(parse_policy(text))
    assert stacks.fleet is None
    assert not [one for one in stacks.patching.values() if one.type.startswith("AWS::EC2::")]
    assert "Exports" not in json.dumps(stacks.patching.template)


def test_a_policy_without_a_window_has_no_role_for_windows() -> None:
    stacks = synthesize(parse_policy(SMALL[: SMALL.index("install:")]))
    roles = stacks.patching.of("AWS::IAM::Role")
    assert sorted(roles) == ["Events/Role", "Notifications/PublishRole", "Scan/DispatchRole"]


def test_a_stack_defines_no_resource_of_its_own() -> None:
    for path in (ROOT / "stacks").glob("*.py"):
        text = path.read_text(encoding="utf-8").replace("CfnOutput", "")
        assert "Cfn" not in text
        assert set(re.findall(r"import (aws_\w+)", text)) <= {"aws_iam"}, "but for the types of arguments"
