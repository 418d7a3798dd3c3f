"""Reading the managed nodes, with their tags.

Two operations list them. DescribeInstanceProperties gives a thousand a page, DescribeInstanceInformation fifty; of the
former AWS documents only in general that nodes are selected by tags, so that whatever changes nodes asks the latter.

Follows https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeInstanceInformation.html and
https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeInstanceProperties.html.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain, islice
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from ops.errors import OperationError, in_words
from ops.permissions import Need, On
from ops.session import Session
from patching.targets import GROUP_KEY, IDS_KEY, Targets

T = TypeVar("T")
PAGE = 1_000
"""Nodes that DescribeInstanceProperties gives at one time."""
_MAX_VALUES = 40
"""Values that a filter of DescribeInstanceProperties takes."""
_INFORMATION_PAGE = 50
IDS_IN_A_FILTER = 200
"""Ids by which DescribeTags takes a filter."""
TAGS_PAGE = 1_000
_TAGGED_AHEAD = 8
"""Requests for tags at one time: what is done with the nodes takes several requests for each of these."""

NEEDS = (
    Need(
        On.ANYTHING,
        "ssm:DescribeInstanceInformation",
        "ssm:DescribeInstanceProperties",
        "ec2:DescribeTags",
    ),
)
GROUP_NEEDS = (Need(On.ANYTHING, "resource-groups:ListGroupResources", "tag:GetResources"),)
"""In addition, if nodes are targeted by a resource group."""


# Not frozen, nor are the others of which a large fleet has one for each node: it takes longer than making them does.
@dataclass
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
    return {"Filters": filters, "MaxResults": _INFORMATION_PAGE}


def stream(session: Session, targets: Targets | None = None) -> Iterator[Node]:
    """Yield the managed nodes that are targeted as their pages come, without their tags; all of them by default.

    Raises:
        ClientError: a page could not be read; the nodes before it were.
    """
    if targets and targets.keys[0][0] == GROUP_KEY:
        ids = group_members(session, targets.keys[0][1][0])
        for batch in batches(ids, _MAX_VALUES):
            yield from stream(session, Targets.instances(*batch))
    elif targets and any(key == IDS_KEY or len(values) > _MAX_VALUES for key, values in targets.keys):
        pages = session.ssm.get_paginator("describe_instance_information").paginate(**request_for(targets))
        yield from (_node(one) for page in session.ahead(pages) for one in page["InstanceInformationList"])
    else:
        filters = [{"Key": key, "Values": list(values), "Operator": "Equal"} for key, values in _keys(targets)]
        request: dict[str, Any] = {"FiltersWithOperator": filters} if filters else {}
        properties = session.ssm.get_paginator("describe_instance_properties").paginate(
            **request, PaginationConfig={"PageSize": PAGE}
        )
        yield from (_node(one) for page in session.ahead(properties) for one in page["InstanceProperties"])


def with_tags(session: Session, found: Iterable[Node]) -> Iterator[Node]:
    """Yield nodes with their tags, as they come."""

    def tagged(batch: Sequence[Node]) -> list[Node]:
        tags = _tags(session, [one.id for one in batch if one.id.startswith("i-")])
        return [_tagged(one, tags.get(one.id, {})) for one in batch]

    return chain.from_iterable(session.each(tagged, batches(found, IDS_IN_A_FILTER), under_way=_TAGGED_AHEAD))


def list_nodes(session: Session, targets: Targets | None = None) -> list[Node]:
    """Return the managed nodes that are targeted, with their tags; all of them by default."""
    return list(with_tags(session, stream(session, targets)))


def targeted(session: Session, targets: Targets) -> list[Node]:
    """Return the managed nodes that a command with these targets would be sent to.

    Raises:
        OperationError: there is none, which is a mistake in the target more often than not.
    """
    if targets.keys[0][0] == GROUP_KEY:
        found: Iterable[Node] = stream(session, targets)
    else:
        pages = session.ssm.get_paginator("describe_instance_information").paginate(**request_for(targets))
        found = (_node(one) for page in session.ahead(pages) for one in page["InstanceInformationList"])
    nodes = list(with_tags(session, found))
    if not nodes:
        raise nothing_matches(targets)
    return nodes


def nothing_matches(targets: Targets) -> OperationError:
    """Return the error that says that targets match no managed node."""
    return OperationError(
        f"no managed node matches {targets.in_words()}; `patchops nodes` lists those there are, with their tags"
    )


def group_members(session: Session, group: str) -> list[str]:
    """Return the ids of the nodes of a resource group.

    Follows https://docs.aws.amazon.com/ARG/latest/APIReference/API_ListGroupResources.html.

    Raises:
        OperationError: there is no such group.
    """
    try:
        pages = session.resource_groups.get_paginator("list_group_resources").paginate(Group=group)
        arns = [one["Identifier"]["ResourceArn"] for page in pages for one in page.get("Resources", [])]
    except ClientError as error:
        if error.response["Error"].get("Code") != "NotFoundException":
            raise
        message = f"there is no resource group {group} in this Region; `aws resource-groups list-groups` lists them"
        raise OperationError(message) from None
    return [arn.rpartition("/")[2] for arn in arns if ":instance/" in arn or ":managed-instance/" in arn]


def batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Cut what comes into pieces that a request takes."""
    source = iter(items)
    while batch := list(islice(source, size)):
        yield batch


def until_it_fails(found: Iterable[T], what: str, problems: list[str]) -> Iterator[T]:
    """Yield what comes; if reading it fails on the way, name that and end, so that nobody takes it for the whole."""
    count = 0
    try:
        for one in found:
            count += 1
            yield one
    except (BotoCoreError, ClientError) as error:
        problems.append(f"{what} after the first {count}: {in_words(error)}" if count else f"{what}: {in_words(error)}")


def _keys(targets: Targets | None) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return targets.keys if targets else ()


def _node(one: Mapping[str, Any]) -> Node:
    """Make a node of what either of the two operations says of it."""
    return Node(
        id=one["InstanceId"],
        name=one.get("Name") or ("" if one["InstanceId"].startswith("i-") else one.get("ComputerName", "")),
        ping=one.get("PingStatus", ""),
        platform_type=one.get("PlatformType", ""),
        platform=f"{one.get('PlatformName', '')} {one.get('PlatformVersion', '')}".strip(),
        agent_version=one.get("AgentVersion", ""),
        last_ping=one.get("LastPingDateTime"),
    )


def _tagged(one: Node, tags: dict[str, str]) -> Node:
    """Return a node with its tags. `dataclasses.replace` takes four times as long, for each of a large fleet."""
    return Node(
        one.id,
        tags.get("Name") or one.name,
        one.ping,
        one.platform_type,
        one.platform,
        one.agent_version,
        one.last_ping,
        tags,
    )


def _tags(session: Session, ids: Sequence[str]) -> dict[str, dict[str, str]]:
    tags: dict[str, dict[str, str]] = {}
    if not ids:
        return tags
    pages: Iterable[Any] = session.ec2.get_paginator("describe_tags").paginate(
        Filters=[{"Name": "resource-id", "Values": list(ids)}], PaginationConfig={"PageSize": TAGS_PAGE}
    )
    for page in pages:
        for tag in page["Tags"]:
            tags.setdefault(tag["ResourceId"], {})[tag["Key"]] = tag["Value"]
    return tags
