from __future__ import annotations

import botocore.session
import pytest

from ops.aws_cli import Explanation, command


@pytest.mark.parametrize(
    ("service", "operation", "request_", "expected"),
    [
        ("ssm", "describe_maintenance_windows", {}, "aws ssm describe-maintenance-windows"),
        (
            "ssm",
            "send_command",
            {
                "DocumentName": "AWS-RunPatchBaseline",
                "Targets": [{"Key": "tag:Workload", "Values": ["Prod", "Test"]}],
                "OutputS3BucketName": "output",
                "MaxErrors": "1",
            },
            (
                "aws ssm send-command --document-name AWS-RunPatchBaseline --targets Key=tag:Workload,Values=Prod,Test "
                "--output-s3-bucket-name output --max-errors 1"
            ),
        ),
        (
            "ssm",
            "describe_instance_patch_states",
            {"InstanceIds": ["i-1", "i-2"]},
            "aws ssm describe-instance-patch-states --instance-ids i-1 i-2",
        ),
        (
            "ssm",
            "send_command",
            {"Parameters": {"Operation": ["Scan"]}, "Comment": "it's time"},
            "aws ssm send-command --parameters Operation=Scan --comment 'it'\"'\"'s time'",
        ),
        (
            "ssm",
            "send_command",
            {"Parameters": {"commands": ["echo a, b"]}},
            'aws ssm send-command --parameters \'{"commands": ["echo a, b"]}\'',
        ),
    ],
)
def test_a_request_is_written_as_the_aws_cli_takes_it(
    service: str, operation: str, request_: dict[str, object], expected: str
) -> None:
    assert command(service, operation, request_) == expected


def test_flags_are_written_as_flags() -> None:
    assert command("ssm", "list", {"Details": True, "Enabled": False}) == "aws ssm list --details --no-enabled"


def explained(*calls: tuple[str, str, dict[str, object]]) -> list[str]:
    core = botocore.session.get_session()
    told: list[str] = []
    explanation = Explanation(core, told.append)
    for service, operation, params in calls:
        explanation.note(params=params, model=core.get_service_model(service).operation_model(operation))
    return told


def test_a_list_of_many_pages_is_explained_once_with_the_aws_clis_own_option() -> None:
    first: tuple[str, str, dict[str, object]] = ("ssm", "ListCommands", {"MaxResults": 50})
    assert explained(first, ("ssm", "ListCommands", {"MaxResults": 50, "NextToken": "x"})) == [
        "aws ssm list-commands --page-size 50"
    ]


def test_secrets_and_bodies_are_hidden() -> None:
    parameters = {"commands": ["x"], "dbPassword": ["hunter2"], "ApiKey": ["hunter2"]}
    (send, put) = explained(
        ("ssm", "SendCommand", {"DocumentName": "d", "Parameters": parameters}),
        ("s3", "PutObject", {"Bucket": "b", "Key": "k", "Body": b"hunter2"}),
    )
    assert "hunter2" not in send + put
    assert put == "aws s3api put-object --bucket b --key k --body FILE"
