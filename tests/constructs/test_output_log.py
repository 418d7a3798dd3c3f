from __future__ import annotations

import pytest
from aws_cdk import Stack
from constructs.encryption_key import EncryptionKey
from constructs.output_log import OutputLog

from tests.cdk import Resources, build

pytestmark = pytest.mark.xdist_group("constructs")

GROUP = "arn:<AWS::Partition>:logs:<AWS::Region>:<AWS::AccountId>:log-group:"


def log(retention_days: int, *, keep: bool = False) -> Resources:
    def make(stack: Stack) -> None:
        key = EncryptionKey(stack, "Key", alias="demo", keep_on_destroy=keep).key
        OutputLog(stack, "Log", name="/demo", key=key, retention_days=retention_days, keep_on_destroy=keep)

    return build(make)


def test_the_group_is_encrypted_with_the_key_that_it_is_given(watched: Resources) -> None:
    assert watched["Log"].properties == {"LogGroupName": "/demo", "KmsKeyId": "<Key.Arn>", "RetentionInDays": 60}


def test_cloudwatch_logs_may_use_the_key_for_this_group_only(watched: Resources) -> None:
    (statement,) = [
        one for one in watched["Key"].properties["KeyPolicy"]["Statement"] if "logs." in str(one["Principal"])
    ]
    assert statement["Principal"] == {"Service": "logs.<AWS::Region>.amazonaws.com"}
    assert statement["Condition"] == {"ArnEquals": {"kms:EncryptionContext:aws:logs:arn": f"{GROUP}/demo"}}
    assert "kms:*" not in statement["Action"]


@pytest.mark.parametrize(("asked", "kept"), [(1, 1), (2, 3), (45, 60), (60, 60), (366, 400), (3650, 3653)])
def test_output_is_kept_as_long_as_it_is_asked_for_or_a_little_longer(asked: int, kept: int) -> None:
    assert log(asked)["Log"].properties["RetentionInDays"] == kept


def test_the_group_goes_with_its_stack_or_stays() -> None:
    policies = ("DeletionPolicy", "UpdateReplacePolicy")
    assert [log(1)["Log"].whole[policy] for policy in policies] == ["Delete", "Delete"]
    assert [log(1, keep=True)["Log"].whole[policy] for policy in policies] == ["Retain", "Retain"]


def test_a_node_may_write_streams_of_this_group_and_list_groups(watched: Resources) -> None:
    assert [one for one in watched.statements("NodePolicy") if "logs:" in str(one["Action"])] == [
        {
            "Action": ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
            "Effect": "Allow",
            "Resource": [f"{GROUP}/demo", f"{GROUP}/demo:log-stream:*"],
        },
        {"Action": "logs:DescribeLogGroups", "Effect": "Allow", "Resource": f"{GROUP}*"},
    ]
