from __future__ import annotations

import pytest

from tests.cdk import Resources

pytestmark = pytest.mark.xdist_group("constructs")


def test_the_key_is_rotated_and_has_an_alias(patching: Resources) -> None:
    assert patching["Key"].properties["EnableKeyRotation"] is True
    assert patching["Key/Alias"].properties == {"AliasName": "alias/demo-key", "TargetKeyId": "<Key.Arn>"}


def test_only_the_account_itself_is_named_in_the_keys_policy(patching: Resources) -> None:
    assert patching["Key"].properties["KeyPolicy"]["Statement"] == [
        {
            "Action": "kms:*",
            "Effect": "Allow",
            "Principal": {"AWS": "arn:<AWS::Partition>:iam::<AWS::AccountId>:root"},
            "Resource": "*",
        }
    ]


def test_the_key_goes_within_a_week_or_stays(patching: Resources, kept: Resources) -> None:
    assert patching["Key"].whole["DeletionPolicy"] == "Delete"
    assert patching["Key"].properties["PendingWindowInDays"] == 7
    assert (kept["Key"].whole["DeletionPolicy"], kept["Key"].whole["UpdateReplacePolicy"]) == ("Retain", "Retain")
