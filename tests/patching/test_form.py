from __future__ import annotations

import pytest

from patching import form
from patching.errors import InvalidValueError
from tests.rows import each_row


@each_row(
    ("kind", "text"),
    [
        (form.EMAIL, "ops@example.com"),
        (form.QUEUE, "arn:aws:sqs:eu-west-1:123456789012:patching"),
        (form.FUNCTION, "arn:aws-cn:lambda:cn-north-1:123456789012:function:patching:live"),
        (form.URL, "https://hooks.example.com:8443/a?b=c"),
        (form.PRINCIPAL, "arn:aws:iam::123456789012:role/path/to/ops"),
        (form.CALENDAR, "arn:aws:ssm:eu-west-1:123456789012:document/freeze"),
        (form.QUEUE, "${Token[QUEUE.1]}"),
    ],
)
def test_a_text_of_the_form_passes_and_so_does_a_token(kind: form.Form, text: str) -> None:
    kind.check(text)


@each_row(
    ("kind", "text", "message"),
    [
        (form.EMAIL, "ops", "'ops' is not an e-mail address"),
        (form.QUEUE, "arn:aws:sqs:eu-west-1:123456789012:a.fifo", "is not the ARN of an SQS queue (a standard one"),
        (form.FUNCTION, "patching", "'patching' is not the ARN of a Lambda function"),
        (form.URL, "http://example.com", "'http://example.com' is not an https:// address"),
        (form.PRINCIPAL, "*", "'*' is not the ARN of an IAM role or user, or of an account's root"),
        (form.CALENDAR, "ab", "'ab' is not the name or the ARN of a Change Calendar"),
    ],
)
def test_another_text_is_refused(kind: form.Form, text: str, message: str) -> None:
    with pytest.raises(InvalidValueError) as refused:
        kind.check(text)
    assert message in str(refused.value)
