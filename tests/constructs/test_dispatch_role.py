from __future__ import annotations

import pytest
from aws_cdk import Stack
from constructs.dispatch_role import DispatchRole

from patching.errors import InvalidValueError
from tests.cdk import Resources, app
from tests.constructs.test_notification_topic import TRUST_IN_SYSTEMS_MANAGER

pytestmark = pytest.mark.xdist_group("constructs")

DISPATCH = [
    {
        "Action": "ssm:SendCommand",
        "Effect": "Allow",
        "Resource": "arn:<AWS::Partition>:ssm:<AWS::Region>::document/AWS-RunPatchBaseline",
    },
    {
        "Action": "ssm:SendCommand",
        "Condition": {"StringEquals": {"ssm:resourceTag/Environment": "demo"}},
        "Effect": "Allow",
        "Resource": [
            "arn:<AWS::Partition>:ec2:<AWS::Region>:<AWS::AccountId>:instance/*",
            "arn:<AWS::Partition>:ssm:<AWS::Region>:<AWS::AccountId>:managed-instance/*",
        ],
    },
    {
        "Action": ["ssm:CancelCommand", "ssm:GetCommandInvocation", "ssm:ListCommandInvocations", "ssm:ListCommands"],
        "Effect": "Allow",
        "Resource": "*",
    },
]


def test_a_scan_may_send_one_document_to_the_environments_nodes_and_follow_it(patching: Resources) -> None:
    assert patching.statements("Scan/DispatchRole/Policy") == DISPATCH


def test_a_window_may_besides_hand_the_publish_role_to_systems_manager(patching: Resources) -> None:
    assert patching.statements("WindowRole/Policy") == [
        *DISPATCH,
        {
            "Action": "iam:PassRole",
            "Condition": {"StringEquals": {"iam:PassedToService": "ssm.amazonaws.com"}},
            "Effect": "Allow",
            "Resource": "<Notifications/PublishRole.Arn>",
        },
    ]


@pytest.mark.parametrize("path", ["Scan/DispatchRole", "WindowRole"])
def test_systems_manager_alone_can_be_the_role(patching: Resources, path: str) -> None:
    role = patching[path].properties
    assert role["AssumeRolePolicyDocument"]["Statement"] == TRUST_IN_SYSTEMS_MANAGER
    assert role.keys() == {"AssumeRolePolicyDocument", "Description"}
    assert patching[f"{path}/Policy"].properties["Roles"] == [f"<{path}>"]


@pytest.mark.parametrize("document", ["*", "AWS-Run*", "a b", "ab"])
def test_what_is_no_document_cannot_be_sent(document: str) -> None:
    with pytest.raises(InvalidValueError, match="is not the name of a document"):
        DispatchRole(Stack(app(), "Stack"), "Role", environment="demo", documents=[document], description="demo")
