"""Command output in CloudWatch Logs."""

from __future__ import annotations

from typing import Any

import pytest

from lab.records.command import Command, Invocation
from lab.world.log_output import default_group
from patching.run_patch_baseline import Hooks, RunPatchBaseline
from tests.lab.simulated import NODE_ROLE, Lab, fleet, invocations, shell, work_of

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


def steps_logged(lab: Lab) -> list[str]:
    return [name.split("/", 2)[2] for name in lab.cloud.logs[GROUP]]


def test_each_step_of_an_own_document_has_a_stream_and_what_is_skipped_has_none() -> None:
    lab = Lab()
    lab.launch()
    skipped = shell("elsewhere", precondition=("platformType", "MacOS"))
    lab.add_document("own", shell("first"), skipped, shell("second", "exit 3"))
    lab.run_document("own", log_group=GROUP)
    assert steps_logged(lab) == ["first/stdout", "second/stdout", "second/stderr"]


def test_the_hooks_of_an_installation_have_streams() -> None:
    lab = Lab()
    fleet(lab, 1)
    lab.add_document("before", shell("only"))
    lab.run(RunPatchBaseline.install(hooks=Hooks(pre_install="before")), log_group=GROUP)
    assert {"PreInstallHook/stdout", "InstallWithNoReboot/stdout"} <= set(steps_logged(lab))


def test_a_colon_in_the_name_of_a_step_becomes_a_hyphen() -> None:
    lab = Lab()
    lab.launch()
    lab.run_document("AWS-RunShellScript", {"commands": ["ls"]}, log_group=GROUP)
    assert steps_logged(lab) == ["aws-runShellScript/stdout"]


def test_output_goes_to_a_bucket_and_to_a_group_at_once() -> None:
    lab = Lab()
    lab.launch()
    lab.cloud.forbid(NODE_ROLE, "s3:PutObject")
    scan(lab, bucket="output")
    assert (len(lab.cloud.logs[GROUP]), lab.cloud.objects) == (1, {})
    lab.cloud.policies.clear()
    scan(lab, group="", bucket="output")
    assert (len(lab.cloud.logs[GROUP]), len(lab.cloud.objects)) == (1, 1)


@pytest.mark.parametrize("document", ["own", "arn:aws:ssm:us-east-1:123456789012:document/own"])
def test_a_group_that_is_not_named_is_called_like_the_document(document: str) -> None:
    assert default_group(document) == "/aws/ssm/own"


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
