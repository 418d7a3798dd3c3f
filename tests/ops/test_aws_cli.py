from __future__ import annotations

import pytest

from ops.aws_cli import command


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
