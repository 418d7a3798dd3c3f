"""Command output in CloudWatch Logs."""

from __future__ import annotations

from typing import Any

import pytest

from lab.command import Command, Invocation
from patching.run_patch_baseline import RunPatchBaseline
from tests.lab.simulated import NODE_ROLE, Lab, fleet, invocations, work_of

GROUP = "/aws/ssm/AWS-RunPatchBaseline"
LOGS = "arn:aws:logs:us-east-1:123456789012:log-group"


def scan(lab: Lab, group: str = GROUP, **more: Any) -> Command:
    return lab.run(RunPatchBaseline.scan(), log_group=group, **more)


def stream(command: Command, invocation: Invocation, name: str = "stdout") -> str:
    return f"{command.id}/{invocation.node_id}/PatchLinux/{name}"


def test_the_output_of_a_step_goes_to_a_stream_of_its_own() -> None:
    lab = Lab()
    lab.launch()
    command = scan(lab)
    (invocation,) = invocations(command)
    assert lab.cloud.logs == {GROUP: {stream(command, invocation): work_of(invocation).output.splitlines()}}


def test_an_error_has_a_stream_of_its_own() -> None:
    lab = Lab()
    fleet(lab, 1, broken=(0,))
    command = lab.run(log_group=GROUP)
    (invocation,) = invocations(command)
    assert lab.cloud.logs[GROUP][stream(command, invocation, "stderr")] == ["No space left on device"]


def test_a_command_that_names_no_group_logs_nothing() -> None:
    lab = Lab()
    lab.launch()
    scan(lab, group="")
    assert lab.cloud.logs == {}


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("logs:DescribeLogGroups", f"{LOGS}::log-stream:"),
        ("logs:CreateLogGroup", f"{LOGS}:{GROUP}:log-stream:"),
        ("logs:CreateLogStream", f"{LOGS}:{GROUP}:log-stream:*/PatchLinux/stdout"),
        ("logs:DescribeLogStreams", f"{LOGS}:{GROUP}:log-stream:"),
        ("logs:PutLogEvents", f"{LOGS}:{GROUP}:log-stream:*/PatchLinux/stdout"),
    ],
)
def test_a_node_whose_role_may_not_write_logs_nothing_and_its_command_succeeds(action: str, resource: str) -> None:
    lab = Lab()
    lab.launch()
    lab.cloud.forbid(NODE_ROLE, action, resource)
    command = scan(lab)
    assert (lab.cloud.logs, command.details) == ({}, "Success")
    assert f"not logged: {NODE_ROLE} does not allow {action} on {resource.partition('*')[0]}" in lab.log


def test_a_group_that_is_there_need_not_be_made() -> None:
    lab = Lab()
    lab.launch()
    lab.cloud.forbid(NODE_ROLE, "logs:CreateLogGroup")
    lab.cloud.logs[GROUP] = {}
    scan(lab)
    assert len(lab.cloud.logs[GROUP]) == 1


def test_the_documented_policy_is_enough() -> None:
    lab = Lab()
    lab.launch()
    streams = ["CreateLogGroup", "CreateLogStream", "DescribeLogStreams", "PutLogEvents"]
    lab.cloud.policies[NODE_ROLE] = [
        {"Statement": [{"Effect": "Allow", "Action": ["ssm:*", "ssmmessages:*"], "Resource": "*"}]},
        {
            "Statement": [
                {"Effect": "Allow", "Action": "logs:DescribeLogGroups", "Resource": "*"},
                {
                    "Effect": "Allow",
                    "Action": [f"logs:{name}" for name in streams],
                    "Resource": "arn:aws:logs:*:*:log-group:/aws/ssm/*",
                },
            ]
        },
    ]
    scan(lab)
    assert len(lab.cloud.logs[GROUP]) == 1
    scan(lab, group="elsewhere")
    assert "elsewhere" not in lab.cloud.logs


def test_a_policy_on_the_arn_of_a_log_group_as_cloudformation_gives_it_is_enough() -> None:
    lab = Lab()
    lab.launch()
    lab.cloud.logs[GROUP] = {}
    lab.cloud.policies[NODE_ROLE] = [
        {
            "Statement": [
                {"Effect": "Allow", "Action": ["ssm:*", "ssmmessages:*", "logs:DescribeLogGroups"], "Resource": "*"},
                {"Effect": "Allow", "Action": "logs:*", "Resource": f"{LOGS}:{GROUP}:*"},
            ]
        }
    ]
    scan(lab)
    assert len(lab.cloud.logs[GROUP]) == 1
