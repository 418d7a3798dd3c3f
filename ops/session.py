"""The connection to AWS: clients, retries, and what time it is at the service."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
from botocore.config import Config

from patching.deployment import SERVICE_TIME_HEADER

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_ssm import SSMClient


class Session:
    """Clients that share credentials, Region and endpoint, and retry until the account's request rate allows.

    Args:
        profile: profile of the AWS configuration; the environment's credentials by default.
        region: Region; the environment's or the profile's by default. AWS_REGION counts, too.
        endpoint_url: where AWS is, for a local one; AWS_ENDPOINT_URL by default.
    """

    def __init__(
        self, *, profile: str | None = None, region: str | None = None, endpoint_url: str | None = None
    ) -> None:
        core = botocore.session.get_session()
        core.set_config_variable("profile", profile)
        self._boto3 = boto3.Session(botocore_session=core, region_name=region or _region_of_environment())
        self._endpoint_url = endpoint_url
        self._config = Config(retries={"mode": "adaptive", "total_max_attempts": 5}, connect_timeout=5)
        self._service_time: datetime | None = None
        core.get_component("event_emitter").register("after-call", self._note_time)

    @cached_property
    def ssm(self) -> SSMClient:
        """Systems Manager."""
        return self._boto3.client("ssm", config=self._config, endpoint_url=self._endpoint_url)

    @cached_property
    def ec2(self) -> EC2Client:
        """EC2."""
        return self._boto3.client("ec2", config=self._config, endpoint_url=self._endpoint_url)

    @cached_property
    def cloudformation(self) -> CloudFormationClient:
        """CloudFormation."""
        return self._boto3.client("cloudformation", config=self._config, endpoint_url=self._endpoint_url)

    @cached_property
    def s3(self) -> S3Client:
        """S3."""
        return self._boto3.client("s3", config=self._config, endpoint_url=self._endpoint_url)

    @cached_property
    def sns(self) -> SNSClient:
        """SNS."""
        return self._boto3.client("sns", config=self._config, endpoint_url=self._endpoint_url)

    @cached_property
    def sqs(self) -> SQSClient:
        """SQS."""
        return self._boto3.client("sqs", config=self._config, endpoint_url=self._endpoint_url)

    def now(self) -> datetime:
        """Return the time at the service as of its last reply; this machine's time before the first one."""
        return self._service_time or datetime.now(UTC)

    def _note_time(self, http_response: Any, **_: Any) -> None:  # noqa: ANN401 the event's own signature
        headers = http_response.headers
        if headers.get(SERVICE_TIME_HEADER):
            self._service_time = datetime.fromisoformat(headers[SERVICE_TIME_HEADER])
        elif headers.get("date"):
            self._service_time = parsedate_to_datetime(headers["date"])


def _region_of_environment() -> str | None:
    return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
