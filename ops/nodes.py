"""Reading the managed nodes, with their tags.

Follows https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeInstanceInformation.html.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from ops.errors import OperationError
from ops.session import Session
from patching.targets import Targets

T = TypeVar("T")
_IDS_IN_A_FILTER = 50


@dataclass(frozen=True)
class Node:
    """A managed node.

    Attributes:
        id: instance id, or the id of a hybrid node.
        name: its Name tag, or what it was activated as.
        ping: Online, ConnectionLost or Inactive.
        platform_type: Linux, Windows or MacOS.
        platform: name and version of its operating system.
        agent_version: version of the agent.
        last_ping: when the agent was last heard of.
        tags: the instance's tags.
    """

    id: str
    name: str
    ping: str
    platform_type: str
    platform: str
    agent_version: str
    last_ping: datetime | None
    tags: dict[str, str] = field(default_factory=dict)


def request_for(targets: Targets | None) -> dict[str, Any]:
    """Return the DescribeInstanceInformation request that selects targets."""
    filters = [{"Key": key, "Values": list(values)} for key, values in targets.keys] if targets else []
    return {"Filters": filters, "MaxResults": 50}


def list_nodes(session: Session, targets: Targets | None = None) -> list[Node]:
    """Return the managed nodes that are targeted; all of them by default."""
    pages = session.ssm.get_paginator("describe_instance_information").paginate(**request_for(targets))
    found = [one for page in pages for one in page["InstanceInformationList"]]
    tags = _tags(session, [one["InstanceId"] for one in found if one["InstanceId"].startswith("i-")])
    return [
        Node(
            id=one["InstanceId"],
            name=tags.get(one["InstanceId"], {}).get("Name") or one.get("Name", ""),
            ping=one.get("PingStatus", ""),
            platform_type=one.get("PlatformType", ""),
            platform=f"{one.get('PlatformName', '')} {one.get('PlatformVersion', '')}".strip(),
            agent_version=one.get("AgentVersion", ""),
            last_ping=one.get("LastPingDateTime"),
            tags=tags.get(one["InstanceId"], {}),
        )
        for one in found
    ]


def targeted(session: Session, targets: Targets) -> list[Node]:
    """Return the managed nodes that are targeted.

    Raises:
        OperationError: there is none, which is a mistake in the target more often than not.
    """
    nodes = list_nodes(session, targets)
    if not nodes:
        message = (
            f"no managed node matches {targets.in_words()}; `patchops nodes` lists those there are, with their tags"
        )
        raise OperationError(message)
    return nodes


def in_batches(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Cut a list into pieces that a request takes."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _tags(session: Session, ids: Sequence[str]) -> dict[str, dict[str, str]]:
    tags: dict[str, dict[str, str]] = {}
    for batch in in_batches(ids, _IDS_IN_A_FILTER):
        pages: Iterable[Any] = session.ec2.get_paginator("describe_tags").paginate(
            Filters=[{"Name": "resource-id", "Values": list(batch)}]
        )
        for page in pages:
            for tag in page["Tags"]:
                tags.setdefault(tag["ResourceId"], {})[tag["Key"]] = tag["Value"]
    return tags
