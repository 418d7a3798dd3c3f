from __future__ import annotations

import pytest

from tests.cdk import Resources

pytestmark = pytest.mark.xdist_group("constructs")


def test_a_node_can_write_under_the_prefix_and_read_overrides_and_do_nothing_else(patching: Resources) -> None:
    assert patching.statements("NodePolicy") == [
        {"Action": "s3:PutObject", "Effect": "Allow", "Resource": "<Output.Arn>/out/*"},
        {"Action": "s3:GetEncryptionConfiguration", "Effect": "Allow", "Resource": "<Output.Arn>"},
        {"Action": ["kms:Decrypt", "kms:GenerateDataKey"], "Effect": "Allow", "Resource": "<Key.Arn>"},
        {"Action": "s3:GetObject", "Effect": "Allow", "Resource": "<Output.Arn>/overrides/*"},
    ]


def test_the_policy_has_a_name_to_attach_it_by(patching: Resources) -> None:
    assert patching["NodePolicy"].properties["ManagedPolicyName"] == "demo-node"


def test_the_fleets_role_has_what_systems_manager_needs_and_that_policy(fleet: Resources) -> None:
    role = fleet["NodeRole"].properties
    assert role["ManagedPolicyArns"] == [
        "arn:<AWS::Partition>:iam::aws:policy/AmazonSSMManagedInstanceCore",
        "<NodePolicy>",
    ]
    assert [one["Principal"] for one in role["AssumeRolePolicyDocument"]["Statement"]] == [
        {"Service": "ec2.amazonaws.com"}
    ]
    assert "Policies" not in role
    assert fleet.of("AWS::IAM::Policy") == {}


def test_a_node_reads_the_override_lists_that_windows_name(watched: Resources) -> None:
    reading = [one for one in watched.statements("NodePolicy") if one["Action"] == "s3:GetObject"]
    assert [one["Resource"] for one in reading] == [["arn:aws:s3:::lists/june.yaml", "<Output.Arn>/overrides/*"]]
