from __future__ import annotations

import shlex

import pytest
from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from constructs.hybrid_role import HybridRole

from patching.errors import InvalidValueError
from tests.cdk import Resources, app

pytestmark = pytest.mark.xdist_group("constructs")


def test_systems_manager_takes_on_the_role_for_this_accounts_machines_only(watched: Resources) -> None:
    (trust,) = watched["Hybrid"].properties["AssumeRolePolicyDocument"]["Statement"]
    assert (trust["Principal"], trust["Action"]) == ({"Service": "ssm.amazonaws.com"}, "sts:AssumeRole")
    assert trust["Condition"] == {
        "StringEquals": {"aws:SourceAccount": "<AWS::AccountId>"},
        "ArnEquals": {"aws:SourceArn": "arn:<AWS::Partition>:ssm:<AWS::Region>:<AWS::AccountId>:*"},
    }


def test_a_machine_may_be_managed_and_write_its_output_as_a_node_does(watched: Resources) -> None:
    role = watched["Hybrid"].properties
    assert role["ManagedPolicyArns"] == [
        "arn:<AWS::Partition>:iam::aws:policy/AmazonSSMManagedInstanceCore",
        "<NodePolicy>",
    ]
    assert "Policies" not in role
    assert role["RoleName"] == "demo-hybrid"


def test_the_command_that_makes_the_activation_can_be_pasted_into_a_shell() -> None:
    stack = Stack(app(), "Stack")
    policy = iam.ManagedPolicy.from_managed_policy_name(stack, "Policy", "node")
    tags = {"Role": "office", "Team": "A B"}
    role = HybridRole(stack, "Hybrid", name="demo-hybrid", node_policy=policy, tags=tags)
    command = shlex.split(role.command)
    assert command[:7] == ["aws", "ssm", "create-activation", "--iam-role", "demo-hybrid", "--registration-limit", "1"]
    assert command[7:] == ["--tags", "Key=Role,Value=office", "Key=Team,Value=A B"]


@pytest.mark.parametrize(
    ("tags", "message"),
    [
        ({"aws:x": "y"}, "the prefix aws: is reserved"),
        ({"Team": 'A" --x "'}, "is not a tag"),
        ({"patch-group": "web"}, "write PatchGroup"),
        ({f"t{number}": "" for number in range(51)}, "51 tags, but AWS takes 50"),
    ],
)
def test_tags_that_no_machine_can_have_are_refused_when_it_is_made(tags: dict[str, str], message: str) -> None:
    stack = Stack(app(), "Stack")
    policy = iam.ManagedPolicy.from_managed_policy_name(stack, "Policy", "node")
    with pytest.raises(InvalidValueError, match=message):
        HybridRole(stack, "Hybrid", name="demo-hybrid", node_policy=policy, tags=tags)
