"""Log groups in a stack, and what commands leave in them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.lab.aws.stacks import REGION, Properties, Resource, Stack, gone, target, task, window
from tests.lab.aws.world import FLEET, SCAN, Connect

pytestmark = pytest.mark.xdist_group("local-aws")

LOGS = {"Service": f"logs.{REGION}.amazonaws.com"}
ACTIONS = ["kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"]


def group(**changes: Any) -> Resource:
    return "AWS::Logs::LogGroup", {"LogGroupName": "patching", **changes}


def key(principal: Properties = LOGS, name: str = "patching", actions: list[str] = ACTIONS) -> Resource:
    arn = f"arn:aws:logs:{REGION}:123456789012:log-group:{name}"
    statement = {
        "Effect": "Allow",
        "Principal": principal,
        "Action": actions,
        "Resource": "*",
        "Condition": {"ArnEquals": {"kms:EncryptionContext:aws:logs:arn": arn}},
    }
    return "AWS::KMS::Key", {"KeyPolicy": {"Version": "2012-10-17", "Statement": [statement]}}


ENCRYPTED = {"KmsKeyId": {"Fn::GetAtt": ["Key", "Arn"]}}


def test_a_log_group_comes_changes_in_place_is_replaced_and_goes(stack: Stack, connect: Connect) -> None:
    logs = connect("logs", REGION)

    def described(name: str = "patching") -> dict[str, Any]:
        (found,) = logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
        return dict(found)

    arn = f"arn:aws:logs:{REGION}:123456789012:log-group:patching"
    stack.deploy(Key=key(), Group=group(RetentionInDays=30, Tags=[{"Key": "Stage", "Value": "test"}], **ENCRYPTED))
    assert (described()["retentionInDays"], ":key/" in described()["kmsKeyId"]) == (30, True)
    assert logs.list_tags_for_resource(resourceArn=arn)["tags"] == {"Stage": "test"}
    logs.create_log_stream(logGroupName="patching", logStreamName="kept")
    stack.deploy(Key=key(), Group=group())
    assert ("retentionInDays" in described(), "kmsKeyId" in described()) == (False, False)
    assert logs.list_tags_for_resource(resourceArn=arn)["tags"] == {}
    assert len(logs.describe_log_streams(logGroupName="patching")["logStreams"]) == 1
    stack.deploy(Key=key(), Group=group(LogGroupName="renamed", RetentionInDays=1))
    assert described("renamed")["retentionInDays"] == 1
    stack.delete()
    assert logs.describe_log_groups()["logGroups"] == []


def test_a_log_group_without_a_name_gets_one(stack: Stack, connect: Connect) -> None:
    made = stack.deploy(Group=("AWS::Logs::LogGroup", {}))["Group"]
    assert stack.deploy(Group=("AWS::Logs::LogGroup", {"RetentionInDays": 7}))["Group"] == made
    assert not gone(connect("logs", REGION).describe_log_streams, logGroupName=made)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"principal": {"Service": "logs.amazonaws.com"}}, "does not let logs.eu-west-1.amazonaws.com kms:Encrypt"),
        ({"name": "other"}, "does not let logs.eu-west-1.amazonaws.com kms:Encrypt"),
        ({"actions": ["kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:Describe*"]}, "kms:GenerateDataKey"),
    ],
)
def test_a_key_that_the_logs_may_not_use_fails_the_stack(stack: Stack, changes: Properties, why: str) -> None:
    assert stack.attempt(Key=key(**changes), Group=group(**ENCRYPTED)) == "ROLLBACK_COMPLETE"
    assert "The specified KMS key does not exist or is not allowed to be used with LogGroup" in stack.reasons
    assert why in stack.reasons


def test_what_would_have_no_effect_is_refused(stack: Stack) -> None:
    assert stack.attempt(Group=group(DeletionProtectionEnabled=True)) == "ROLLBACK_COMPLETE"
    assert "does not emulate the parameter DeletionProtectionEnabled" in stack.reasons


# Run Command.


@pytest.fixture
def node(launch: Callable[..., list[str]], connect: Connect) -> Any:
    (made,) = launch(REGION)
    yield made
    connect("ec2", REGION).terminate_instances(InstanceIds=[made])


def streams(connect: Connect, name: str) -> list[str]:
    return [
        one["logStreamName"] for one in connect("logs", REGION).describe_log_streams(logGroupName=name)["logStreams"]
    ]


def test_a_command_logs_its_output_where_it_says(
    ssm: Any, connect: Connect, node: str, advance: Callable[..., Any]
) -> None:
    config = {"CloudWatchOutputEnabled": True}
    command = ssm.send_command(**SCAN, Targets=FLEET, CloudWatchOutputConfig=config)["Command"]
    told = {"CloudWatchOutputEnabled": True, "CloudWatchLogGroupName": "/aws/ssm/AWS-RunPatchBaseline"}
    assert command["CloudWatchOutputConfig"] == told
    advance(minutes=5)
    (stream,) = streams(connect, "/aws/ssm/AWS-RunPatchBaseline")
    assert stream == f"{command['CommandId']}/{node}/PatchLinux/stdout"
    events = connect("logs", REGION).get_log_events(logGroupName="/aws/ssm/AWS-RunPatchBaseline", logStreamName=stream)[
        "events"
    ]
    invocation = {"CommandId": command["CommandId"], "InstanceId": node, "PluginName": "PatchLinux"}
    reply = ssm.get_command_invocation(**invocation)
    assert [one["message"] for one in events] == reply["StandardOutputContent"].splitlines()
    assert reply["CloudWatchOutputConfig"] == told
    # By the lab's clock, not the world's.
    assert all(one["timestamp"] / 1000 >= command["RequestedDateTime"].timestamp() for one in events)
    (listed,) = ssm.list_command_invocations(CommandId=command["CommandId"])["CommandInvocations"]
    assert listed["CloudWatchOutputConfig"] == told


def test_a_task_of_a_window_logs_its_output_where_it_says(
    stack: Stack, ssm: Any, connect: Connect, roles: dict[str, str], node: str, advance: Callable[..., Any]
) -> None:
    config = {"CloudWatchOutputEnabled": True, "CloudWatchLogGroupName": {"Ref": "Group"}}
    run_command = {"Parameters": {"Operation": ["Scan"]}, "CloudWatchOutputConfig": config}
    made = stack.deploy(
        Group=group(),
        Window=window(Schedule="rate(1 hour)"),
        Target=target(),
        Task=task(roles["sender"], TaskInvocationParameters={"MaintenanceWindowRunCommandParameters": run_command}),
    )
    described = ssm.get_maintenance_window_task(WindowId=made["Window"], WindowTaskId=made["Task"])
    found = described["TaskInvocationParameters"]["RunCommand"]["CloudWatchOutputConfig"]
    assert found == {"CloudWatchOutputEnabled": True, "CloudWatchLogGroupName": "patching"}
    advance(hours=1, minutes=5)
    assert [one.split("/")[1:] for one in streams(connect, "patching")] == [[node, "PatchLinux", "stdout"]]
