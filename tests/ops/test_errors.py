from __future__ import annotations

import pytest
from botocore import exceptions as aws

from ops.errors import in_words


def refusal(code: str, message: str = "no") -> aws.ClientError:
    return aws.ClientError({"Error": {"Code": code, "Message": message}}, "SendCommand")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (refusal("ExpiredTokenException"), "SendCommand: the credentials have expired; sign in again"),
        (refusal("UnrecognizedClientException"), "SendCommand: AWS does not know these credentials"),
        (refusal("ThrottlingException"), "SendCommand: AWS throttled the requests, also after retries"),
        (refusal("AccessDeniedException", "you may\nnot"), "SendCommand: no permission: you may not"),
        (refusal("InvalidRole", "bad role"), "SendCommand: InvalidRole: bad role"),
        (refusal("InvalidSignatureException", "Signature expired: x is now earlier than y"), "set the clock"),
        (refusal("RequestTimeTooSkewed"), "set the clock"),
        (refusal("RequestExpired"), "the credentials have expired; sign in again, and set this machine's clock"),
        (refusal("InvalidSignatureException", "does not match"), "AWS does not know these credentials"),
        (aws.ConnectionClosedError(endpoint_url="https://x"), "is the Region right, the network there"),
        (aws.NoCredentialsError(), "no credentials found; set AWS_PROFILE"),
        (aws.NoRegionError(), "no Region given; set AWS_REGION or give --region"),
        (aws.ProfileNotFound(profile="x"), "aws configure list-profiles"),
    ],
)
def test_what_aws_refuses_is_said_in_one_line_with_what_mends_it(error: Exception, said: str) -> None:
    words = in_words(error)
    assert said in words
    assert "\n" not in words
