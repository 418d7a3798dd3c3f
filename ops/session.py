"""The connection to AWS: clients, retries, how many requests at one time, and what time it is at the service."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from itertools import islice
from threading import BoundedSemaphore
from typing import TYPE_CHECKING, Any, TypeVar

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError
from urllib3.exceptions import HTTPError
from urllib3.exceptions import ReadTimeoutError as URLLib3ReadTimeoutError

from ops import aws_cli
from ops.replies import Parsers
from patching.deployment import SERVICE_TIME_HEADER

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_ssm import SSMClient

T = TypeVar("T")
R = TypeVar("R")

CONCURRENCY = 10
"""Requests under way at one time: enough to hide the way to the Region, few enough for an account's request rate."""

_WAITING = 6
"""Threads beside those whose request is under way: while one of these reads its reply, another sends the next."""

_END = object()
_ATTEMPTS = 5
_CONNECT_SECONDS = 5
_READ_SECONDS = 30


class Session:
    """Clients that share credentials, Region and endpoint, and retry until the account's request rate allows.

    Args:
        profile: profile of the AWS configuration; the environment's credentials by default.
        region: Region; the environment's or the profile's by default. AWS_REGION counts, too.
        endpoint_url: where AWS is, for a local one; AWS_ENDPOINT_URL by default.
        explain: told the `aws` command that makes each request, before it is made; nobody by default.
    """

    def __init__(
        self,
        *,
        profile: str | None = None,
        region: str | None = None,
        endpoint_url: str | None = None,
        explain: Callable[[str], None] | None = None,
    ) -> None:
        core = botocore.session.get_session()
        core.set_config_variable("profile", profile)
        self._boto3 = boto3.Session(botocore_session=core, region_name=region or _region_of_environment())
        self._endpoint_url = endpoint_url
        self.service_time: datetime | None = None
        """The time at the service as of its last reply; None before the first one."""
        self._under_way = BoundedSemaphore(CONCURRENCY)
        core.register_component("response_parser_factory", Parsers())
        events = core.get_component("event_emitter")
        events.register("after-call", self._note_time)
        if explain:
            explaining = aws_cli.Explanation(core, explain)
            events.register("provide-client-params", explaining.note)

    @cached_property
    def ssm(self) -> SSMClient:
        """Systems Manager."""
        client: SSMClient = self._client("ssm")
        return client

    @cached_property
    def ssm_once(self) -> SSMClient:
        """Systems Manager, for requests that must not be made twice: none of them is ever repeated by itself."""
        client: SSMClient = self._client("ssm", attempts=1)
        return client

    @cached_property
    def ec2(self) -> EC2Client:
        """EC2."""
        client: EC2Client = self._client("ec2")
        return client

    @cached_property
    def iam(self) -> Any:  # noqa: ANN401 no stubs for what few requests are made
        """IAM."""
        return self._client("iam")

    @cached_property
    def kms(self) -> Any:  # noqa: ANN401 no stubs for what few requests are made
        """KMS."""
        return self._client("kms")

    @cached_property
    def cloudformation(self) -> CloudFormationClient:
        """CloudFormation."""
        client: CloudFormationClient = self._client("cloudformation")
        return client

    @cached_property
    def s3(self) -> S3Client:
        """S3."""
        client: S3Client = self._client("s3")
        return client

    @cached_property
    def resource_groups(self) -> Any:  # noqa: ANN401 no stubs for what few requests are made
        """Resource groups."""
        return self._client("resource-groups")

    @cached_property
    def sns(self) -> SNSClient:
        """SNS."""
        client: SNSClient = self._client("sns")
        return client

    @cached_property
    def sqs(self) -> SQSClient:
        """SQS."""
        client: SQSClient = self._client("sqs")
        return client

    @property
    def region(self) -> str:
        """The Region; empty if none is known."""
        return self._boto3.region_name or ""

    def now(self) -> datetime:
        """Return the time at the service as of its last reply; this machine's time before the first one."""
        return self.service_time or datetime.now(UTC)

    def each(self, work: Callable[[T], R], items: Iterable[T], *, under_way: int = 4 * CONCURRENCY) -> Iterator[R]:
        """Do some work for every item, several at one time, and yield what it returns in the order of the items.

        Items are taken as they come: while one page of a list is worked on, the next is read. No more of them are
        under way than make sense, so that memory does not grow with the list.

        Args:
            work: what is done for an item.
            items: the items.
            under_way: for how many items it is done, or about to be, at one time.
        """
        source = iter(items)
        waiting: deque[Future[R]] = deque(self._pool.submit(work, one) for one in islice(source, under_way))
        try:
            while waiting:
                yield waiting.popleft().result()
                waiting.extend(self._pool.submit(work, one) for one in islice(source, 1))
        finally:
            for one in waiting:
                one.cancel()

    def ahead(self, items: Iterable[T]) -> Iterator[T]:
        """Yield items as they come, while the next one is being read: a page, as long as its nodes are asked for."""
        source = iter(items)
        following = self._pool.submit(next, source, _END)
        while (one := following.result()) is not _END:
            following = self._pool.submit(next, source, _END)
            yield one  # type: ignore[misc]  # the end is no item

    def begun(self, items: Iterable[T]) -> Iterator[T]:
        """Begin to read items now, and yield them when they are asked for."""
        source = iter(items)
        first = self._pool.submit(next, source, _END)

        def found() -> Iterator[T]:
            one = first.result()
            while one is not _END:
                yield one  # type: ignore[misc]  # the end is no item
                one = next(source, _END)

        return found()

    def meanwhile(self, work: Callable[[], R]) -> Future[R]:
        """Begin to do some work beside what else is done."""
        return self._pool.submit(work)

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        """The threads of all work of this session."""
        return ThreadPoolExecutor(CONCURRENCY + _WAITING, thread_name_prefix="patchops")

    def _client(self, service: Any, *, attempts: int = _ATTEMPTS) -> Any:  # noqa: ANN401 as many types as services
        retries: Mapping[str, Any] = {"mode": "adaptive", "total_max_attempts": attempts}
        config = Config(
            retries=retries,  # type: ignore[arg-type]
            connect_timeout=_CONNECT_SECONDS,
            read_timeout=_READ_SECONDS,
            max_pool_connections=CONCURRENCY,
        )
        client = self._boto3.client(service, config=config, endpoint_url=self._endpoint_url)
        _send_by(client, self._under_way)
        return client

    def _note_time(self, http_response: Any, **_: Any) -> None:  # noqa: ANN401 the event's own signature
        headers = http_response.headers
        if headers.get(SERVICE_TIME_HEADER):
            self.service_time = datetime.fromisoformat(headers[SERVICE_TIME_HEADER])
        elif headers.get("date"):
            self.service_time = parsedate_to_datetime(headers["date"])


def _send_by(client: Any, under_way: BoundedSemaphore) -> None:  # noqa: ANN401 as many types as services
    """Have a client send no more requests at one time than are allowed, and expect whole replies.

    A request is under way until its reply begins to come: while a thread reads one, another thread may send. A reply
    that ends before its end is taken for a connection that broke: the parsers take half of one for an empty one.

    botocore has no event between the transport and the parser whose error would count as one of the transport.
    """
    transport = client._endpoint.http_session  # noqa: SLF001
    send = transport.send

    def whole(request: Any) -> Any:  # noqa: ANN401 botocore's own structures
        streamed, request.stream_output = request.stream_output, True
        with under_way:
            reply = send(request)
        request.stream_output = streamed
        if not streamed:
            _read(reply, request)
        return reply

    transport.send = whole


def _read(reply: Any, request: Any) -> None:  # noqa: ANN401 botocore's own structures
    """Read a reply to its end, with the errors that botocore's transport would have."""
    try:
        content = reply.content
    except URLLib3ReadTimeoutError as error:
        raise ReadTimeoutError(endpoint_url=request.url, error=error) from error
    except HTTPError as error:
        raise ConnectionClosedError(endpoint_url=request.url, error=error, request=request) from error
    expected = reply.headers.get("content-length")
    cut = expected is not None and int(expected) != len(content)
    if cut and request.method != "HEAD" and not reply.headers.get("content-encoding"):
        raise ConnectionClosedError(endpoint_url=request.url)


def _region_of_environment() -> str | None:
    return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
