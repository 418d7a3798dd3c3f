from __future__ import annotations

import pytest

from tests.cdk import Resources, synthesize
from tests.stacks.policies import POLICIES

pytestmark = pytest.mark.xdist_group("stacks")


def test_every_node_of_the_policy_is_there_with_the_tags_it_is_found_by(fleet: Resources) -> None:
    found = {
        path: {tag["Key"]: tag["Value"] for tag in one["Tags"]} for path, one in fleet.of("AWS::EC2::Instance").items()
    }
    assert found == {
        f"Node-{name}": {
            "Name": f"patchops-lab-{name}",
            "Environment": "lab",
            "Project": "patchops-lab",
            "Workload": workload,
            "PatchGroup": f"lab-{workload.lower()}",
        }
        for name, workload in (
            ("prod-1", "Prod"),
            ("prod-2", "Prod"),
            ("test-ubuntu", "Test"),
            ("test-windows", "Test"),
        )
    }


def test_all_nodes_share_one_profile(fleet: Resources) -> None:
    profiles = [one["IamInstanceProfile"] for one in fleet.of("AWS::EC2::Instance").values()]
    assert profiles == ["<NodeRole/Profile>"] * 4


def test_the_nodes_role_has_the_patching_stacks_node_policy(fleet: Resources) -> None:
    _, node_policy = fleet["NodeRole"].properties["ManagedPolicyArns"]
    assert str(node_policy).startswith("<patchops-lab-patching:ExportsOutputRefNodePolicy")


def test_in_a_public_network_nodes_ask_for_addresses_and_subnets_hand_out_none() -> None:
    fleet = synthesize(POLICIES["public"]()).fleet
    assert fleet is not None
    kinds = {kind: list(fleet.of(f"AWS::EC2::{kind}").values()) for kind in KINDS}
    assert [one["MapPublicIpOnLaunch"] for one in kinds["Subnet"]] == [False]
    (interfaces,) = [one["NetworkInterfaces"] for one in kinds["Instance"]]
    assert [one["AssociatePublicIpAddress"] for one in interfaces] == [True]
    assert "SecurityGroupIngress" not in kinds["SecurityGroup"][0]


def test_in_an_isolated_network_nodes_reach_override_lists_and_mirrors() -> None:
    fleet = synthesize(POLICIES["everything"]()).fleet
    assert fleet is not None
    (policy,) = [
        one["Properties"]["PolicyDocument"]
        for one in fleet.template["Resources"].values()
        if one["Type"] == "AWS::EC2::VPCEndpoint" and "PolicyDocument" in one["Properties"]
    ]
    (read,) = [one for one in policy["Statement"] if one["Action"] == "s3:GetObject"]
    (overrides,) = [one["Fn::Join"][1] for one in read["Resource"] if "overrides" in str(one)]
    assert "Output" in overrides[0]["Fn::ImportValue"]
    own = [one["Fn::Join"][1][-1] for one in read["Resource"] if len(one["Fn::Join"][1]) == 3]
    assert own == [":s3:::patch-lists/batch.yaml", ":s3:::patch-mirror/*", ":s3:::public-lists/later.yaml"]
    assert "Condition" not in read


KINDS = ("Instance", "SecurityGroup", "Subnet")
