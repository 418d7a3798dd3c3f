"""Texts of a certain form, such as the ARN of a queue: one check for the policy file and for who makes constructs."""

from __future__ import annotations

import re
from dataclasses import dataclass

from patching.errors import InvalidValueError, is_token


@dataclass(frozen=True)
class Form:
    """The form of a text.

    Attributes:
        pattern: what the whole text has to match.
        expected: the form in words.
    """

    pattern: re.Pattern[str]
    expected: str

    def check(self, text: str) -> None:
        """Refuse a text of another form; raise `InvalidValueError`."""
        if not is_token(text) and not self.pattern.fullmatch(text):
            message = f"{text!r} is not {self.expected}"
            raise InvalidValueError(message)


EMAIL = Form(re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+"), "an e-mail address")
QUEUE = Form(
    re.compile(r"arn:aws[a-z-]*:sqs:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,80}"),
    "the ARN of an SQS queue (a standard one: the topic is no FIFO topic)",
)
"""Follows https://docs.aws.amazon.com/sns/latest/dg/fifo-message-delivery.html."""
FUNCTION = Form(
    re.compile(r"arn:aws[a-z-]*:lambda:[a-z0-9-]+:[0-9]{12}:function:[A-Za-z0-9_-]{1,64}(:[A-Za-z0-9_$-]+)?"),
    "the ARN of a Lambda function",
)
URL = Form(re.compile(r"https://[A-Za-z0-9.-]+(:[0-9]+)?(/[^\s]*)?"), "an https:// address")
PRINCIPAL = Form(
    re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:(root|role/[\w+=,.@/-]+|user/[\w+=,.@/-]+)"),
    "the ARN of an IAM role or user, or of an account's root",
)
CALENDAR = Form(
    re.compile(r"[a-zA-Z0-9_\-.]{3,128}|arn:aws[a-z-]*:ssm:[a-z0-9-]+:[0-9]{12}:document/[a-zA-Z0-9_\-.]{3,128}"),
    "the name or the ARN of a Change Calendar (3 to 128 of a-z A-Z 0-9 _ - .)",
)
"""Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/systems-manager-change-calendar.html."""
DOCUMENT = Form(re.compile(r"[a-zA-Z0-9_\-.]{3,128}"), "the name of a document (3 to 128 of a-z A-Z 0-9 _ - .)")
"""Follows https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_SendCommand.html."""
