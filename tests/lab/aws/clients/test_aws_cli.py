"""The AWS CLI goes through the workshop: inspect, scan, review, install, review again.

Follows https://docs.aws.amazon.com/cli/latest/reference/ssm/.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.lab.aws.clients.conftest import Aws, Client, Told

pytestmark = pytest.mark.xdist_group("local-aws")

PROD = ("--targets", "Key=tag:Workload,Values=Prod")


def send(aws: Aws, aws_cli: Client, told: Told, *settings: str) -> str:
    """Send AWS-RunPatchBaseline, and wait for it as a script does."""
    sent = aws(
        "ssm send-command --document-name AWS-RunPatchBaseline",
        *PROD,
        *settings,
        *("--output-s3-bucket-name", told.bucket, "--output-s3-key-prefix", "by-hand"),
        *("--service-role-arn", told.role),
        *("--notification-config", f"NotificationArn={told.topic},NotificationEvents=All,NotificationType=Command"),
    )
    command: str = sent["Command"]["CommandId"]
    for node in aws_cli.nodes:
        aws("ssm wait command-executed --command-id", command, "--instance-id", node)
    return command


def states(aws: Aws, aws_cli: Client) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = aws("ssm describe-instance-patch-states --instance-ids", *aws_cli.nodes)[
        "InstancePatchStates"
    ]
    return found


def statuses(aws: Aws) -> set[str]:
    """Return what the nodes' patches come to."""
    found = aws("ssm list-resource-compliance-summaries --filters Key=ComplianceType,Values=Patch")
    return {one["Status"] for one in found["ResourceComplianceSummaryItems"]}


def test_the_workshop_by_hand(aws: Aws, aws_cli: Client, told: Told) -> None:
    listed = aws("ssm list-documents --filters Key=Name,Values=AWS-RunPatchBaseline Key=Owner,Values=Amazon")
    assert "AWS-RunPatchBaseline" in {one["Name"] for one in listed["DocumentIdentifiers"]}
    described = aws("ssm describe-document --name AWS-RunPatchBaseline")["Document"]
    assert {"Operation", "RebootOption"} <= {one["Name"] for one in described["Parameters"]}

    scan = ("--parameters", "Operation=Scan", "--max-concurrency", "50%", "--max-errors", "1")
    command = send(aws, aws_cli, told, *scan)
    before = states(aws, aws_cli)
    assert all(one["MissingCount"] > 0 for one in before)
    assert statuses(aws) == {"NON_COMPLIANT"}
    node = aws_cli.nodes[0]
    missing = aws(
        "ssm describe-instance-patches --instance-id",
        node,
        "--filters",
        "Key=State,Values=Missing",
        "--page-size",
        "10",
    )["Patches"]
    assert len(missing) == before[0]["MissingCount"]

    kept = f"s3://{told.bucket}/by-hand/{command}/{node}/awsrunShellScript/PatchLinux/stdout"
    assert "Non-Compliant" in aws("s3 cp", kept, "-")
    shown = aws("ssm get-command-invocation --plugin-name PatchLinux --command-id", command, "--instance-id", node)
    assert shown["Status"] == "Success"

    install = ("--parameters", "Operation=Install,RebootOption=RebootIfNeeded", "--max-concurrency", "1")
    command = send(aws, aws_cli, told, *install, "--max-errors", "1")
    ended = aws("ssm list-command-invocations --details --command-id", command)["CommandInvocations"]
    assert {one["Status"] for one in ended} == {"Success"}

    send(aws, aws_cli, told, *scan)
    after = states(aws, aws_cli)
    assert [one["MissingCount"] for one in after] == [0, 0]
    assert [one["InstalledCount"] for one in after] == [one["MissingCount"] for one in before]
    assert statuses(aws) == {"COMPLIANT"}

    # For SQS this CLI has endpoints of its own, which only an option overrules.
    queue = ("--endpoint-url", aws_cli.environment["AWS_ENDPOINT_URL"], "--queue-url", told.queue)
    received = aws("sqs receive-message --max-number-of-messages 10", *queue)["Messages"]
    assert any(command in one["Body"] for one in received)


def test_a_mistake_is_answered_as_the_service_answers_it(aws: Aws, aws_cli: Client) -> None:
    said = aws(
        "ssm send-command --document-name AWS-RunPatchBaseline", *PROD, "--parameters", "Operation=Scann", code=255
    )
    assert "InvalidParameters" in said
    said = aws(
        "ssm get-command-invocation --command-id",
        "01234567-89ab-cdef-0123-456789abcdef",
        "--instance-id",
        aws_cli.nodes[0],
        code=255,
    )
    assert "InvocationDoesNotExist" in said or "InvalidCommandId" in said
