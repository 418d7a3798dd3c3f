from __future__ import annotations

from typing import Any

import pytest
from aws_cdk import Stack
from constructs.encryption_key import EncryptionKey
from constructs.notification_topic import NotificationTopic
from constructs.operator_policy import READ_ANYTHING, OperatorPolicy
from constructs.output_bucket import OutputBucket

from patching.errors import InvalidValueError
from tests.cdk import Resources, app

pytestmark = pytest.mark.xdist_group("constructs")

HERE = "<AWS::Region>:<AWS::AccountId>"
OWN = {"StringEquals": {"aws:ResourceTag/Environment": "demo"}}
FOLLOWING = {"ssm:CancelCommand", "ssm:GetCommandInvocation", "ssm:ListCommandInvocations", "ssm:ListCommands"}
CHANGING = ("Create", "Update", "Delete", "Put", "Register", "Deregister", "Modify", "Add", "Remove", "Start", "Label")


def actions(statement: dict[str, Any]) -> set[str]:
    found = statement["Action"]
    return {found} if isinstance(found, str) else set(found)


def allowing(watched: Resources, action: str) -> list[dict[str, Any]]:
    return [one for one in watched.statements("Operators") if action in actions(one)]


def test_an_operator_may_send_these_documents_to_the_environments_nodes(watched: Resources) -> None:
    documents, nodes = allowing(watched, "ssm:SendCommand")
    assert documents["Resource"] == [
        f"arn:<AWS::Partition>:ssm:{HERE}:document/demo-drain",
        "arn:<AWS::Partition>:ssm:<AWS::Region>::document/AWS-RunPatchBaseline",
    ]
    assert nodes["Resource"] == [
        f"arn:<AWS::Partition>:ec2:{HERE}:instance/*",
        f"arn:<AWS::Partition>:ssm:{HERE}:managed-instance/*",
    ]
    assert nodes["Condition"] == {"StringEquals": {"ssm:resourceTag/Environment": "demo"}}


def test_an_operator_hands_systems_manager_the_publish_role_and_no_other(watched: Resources) -> None:
    (passing,) = allowing(watched, "iam:PassRole")
    assert passing["Resource"] == "<Notifications/PublishRole.Arn>"
    assert passing["Condition"] == {"StringEquals": {"iam:PassedToService": "ssm.amazonaws.com"}}


def test_an_operator_reads_the_output_and_only_that(watched: Resources) -> None:
    (objects,) = allowing(watched, "s3:GetObject")
    (listing,) = allowing(watched, "s3:ListBucket")
    (key,) = allowing(watched, "kms:Decrypt")
    (overrides,) = allowing(watched, "s3:PutObject")
    assert overrides["Resource"] == "<Output.Arn>/overrides/*"
    assert objects["Resource"] == "<Output.Arn>/out/*"
    assert (listing["Resource"], listing["Condition"]) == ("<Output.Arn>", {"StringLike": {"s3:prefix": ["out/*"]}})
    assert actions(key) == {"kms:Decrypt", "kms:GenerateDataKey"}
    assert key["Resource"] == "<Key.Arn>"


@pytest.mark.parametrize(
    ("action", "resources"),
    [
        (
            "ssm:DescribeInstancePatches",
            [f"arn:<AWS::Partition>:ec2:{HERE}:instance/*", f"arn:<AWS::Partition>:ssm:{HERE}:managed-instance/*"],
        ),
        ("ssm:DescribeMaintenanceWindowExecutions", f"arn:<AWS::Partition>:ssm:{HERE}:maintenancewindow/*"),
        ("ssm:DescribeAssociation", f"arn:<AWS::Partition>:ssm:{HERE}:association/*"),
    ],
)
def test_what_a_tag_can_limit_is_limited_to_the_environment(
    watched: Resources, action: str, resources: str | list[str]
) -> None:
    (statement,) = allowing(watched, action)
    assert (statement["Resource"], statement["Condition"]) == (resources, OWN)


def test_an_operator_looks_up_the_environments_own_stack_only(watched: Resources) -> None:
    (statement,) = allowing(watched, "cloudformation:DescribeStacks")
    assert statement["Resource"] == f"arn:<AWS::Partition>:cloudformation:{HERE}:stack/demo-stack/*"


def test_what_iam_cannot_limit_is_reading_and_following_commands(watched: Resources) -> None:
    (statement,) = [one for one in watched.statements("Operators") if one["Resource"] == "*"]
    assert actions(statement) == FOLLOWING | set(READ_ANYTHING)


def test_an_operator_changes_nothing_but_by_sending_commands_and_putting_overrides(watched: Resources) -> None:
    every = {action for one in watched.statements("Operators") for action in actions(one)}
    changing = {action for action in every if action.partition(":")[2].startswith(CHANGING)}
    assert changing == {"s3:PutObject"}, "into the folder of overrides only"
    assert all("*" not in action for action in every)
    assert all(one["Effect"] == "Allow" for one in watched.statements("Operators"))


def test_those_who_are_trusted_take_on_the_role_with_a_second_factor(watched: Resources) -> None:
    role = watched["Operators/Role"].properties
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"AWS": ["arn:aws:iam::123456789012:role/ops", "arn:aws:iam::123456789012:root"]}
    assert trust["Condition"] == {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
    assert (role["RoleName"], role["ManagedPolicyArns"]) == ("demo-operators", ["<Operators>"])


def test_a_second_factor_can_be_done_without(watched: Resources) -> None:
    (trust,) = watched["Colleagues/Role"].properties["AssumeRolePolicyDocument"]["Statement"]
    assert "Condition" not in trust
    assert watched.statements("Colleagues") == watched.statements("Operators")


def test_where_nobody_is_trusted_there_is_a_policy_and_no_role(watched: Resources) -> None:
    assert watched["Nobody"].properties["ManagedPolicyName"] == "demo-nobody"
    assert "Nobody/Role" not in watched


def test_only_roles_users_and_accounts_are_trusted() -> None:
    stack = Stack(app(), "Stack")
    key = EncryptionKey(stack, "Key", alias="demo", keep_on_destroy=False).key
    with pytest.raises(InvalidValueError, match="is not the ARN of an IAM role or user, or of an account's root"):
        OperatorPolicy(
            stack,
            "Operators",
            name="demo",
            environment="demo",
            documents=["AWS-RunPatchBaseline"],
            stack_name="demo",
            output=OutputBucket(stack, "Output", key=key, prefix="out", retention_days=1, keep_on_destroy=False),
            notifications=NotificationTopic(stack, "Topic", name="demo", key=key),
            trusted=["*"],
        )
