"""What no part of the local AWS has is refused by name, in the form of the service, and never with an empty success."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.lab.aws.world import Connect

pytestmark = pytest.mark.xdist_group("local-aws")


@pytest.mark.parametrize(
    ("service", "operation", "arguments", "code"),
    [
        ("cloudformation", "detect_stack_drift", {"StackName": "a"}, "UnsupportedOperation"),
        ("ec2", "describe_fpga_images", {}, "UnsupportedOperation"),
        (
            "iam",
            "generate_organizations_access_report",
            {"EntityPath": "o-a1b2c3d4e5/r-f6g7h8"},
            "UnsupportedOperation",
        ),
        ("kms", "describe_custom_key_stores", {}, "UnsupportedOperationException"),
        ("sns", "list_sms_sandbox_phone_numbers", {}, "UnsupportedOperation"),
        ("logs", "list_anomalies", {}, "UnsupportedOperationException"),
    ],
)
def test_what_moto_does_not_have_is_refused_by_name(
    connect: Connect, service: str, operation: str, arguments: dict[str, Any], code: str
) -> None:
    with pytest.raises(ClientError) as error:
        getattr(connect(service), operation)(**arguments)
    name = error.value.operation_name
    assert error.value.response["Error"]["Message"] == f"The local AWS does not emulate {service}:{name}."
    assert (error.value.response["Error"]["Code"], error.value.response["ResponseMetadata"]["HTTPStatusCode"]) == (
        code,
        400,
    )
