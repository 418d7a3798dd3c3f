"""The instances that targets select and that are no managed nodes, on which nothing can be installed.

Follows https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeTags.html: to list the tags of a large fleet
takes a fraction of what it takes to describe its instances.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator

from ops.nodes import IDS_IN_A_FILTER, TAGS_PAGE, Node, batches
from ops.permissions import Need, On
from ops.session import Session
from patching.targets import IDS_KEY, Targets

NEEDS = (Need(On.ANYTHING, "ec2:DescribeInstances", "ec2:DescribeTags"),)

_DEAD = ("terminated", "shutting-down")


def unmanaged(session: Session, targeted: Callable[[], Iterable[str]], managed: Container[str]) -> Iterator[Node]:
    """Yield the instances that are targeted, without those that are known to be managed.

    Args:
        session: the connection.
        targeted: gives the ids of the instances that are targeted.
        managed: the ids of the managed nodes.

    Raises:
        ClientError: they could not be read.
    """
    for batch in batches((one for one in targeted() if one not in managed), IDS_IN_A_FILTER):
        pages = session.ec2.get_paginator("describe_instances").paginate(
            Filters=[{"Name": "instance-id", "Values": batch}]
        )
        for page in pages:
            for reservation in page["Reservations"]:
                for one in reservation["Instances"]:
                    # The tags of an instance outlive it for a while.
                    if one["State"]["Name"] not in _DEAD:
                        tags = {tag["Key"]: tag["Value"] for tag in one.get("Tags", [])}
                        name = tags.get("Name", "")
                        yield Node(one["InstanceId"], name, one["State"]["Name"], "", "", "", None, tags)


def targeted_instances(session: Session, targets: Targets) -> Iterable[str]:
    """Return the ids of the instances that match every key; of a resource group only the managed nodes are known.

    Raises:
        ClientError: they could not be read.
    """
    found: dict[str, None] | None = None
    for key, values in targets.keys:
        if key == IDS_KEY:
            matching: Iterable[str] = (one for one in values if one.startswith("i-"))
        elif key.startswith("tag:"):
            matching = _with_tag(session, key, values)
        else:
            return ()
        found = dict.fromkeys(one for one in matching if found is None or one in found)
    return found or ()


def _with_tag(session: Session, key: str, values: tuple[str, ...]) -> Iterator[str]:
    pages = session.ec2.get_paginator("describe_tags").paginate(
        Filters=[{"Name": "resource-type", "Values": ["instance"]}, {"Name": key, "Values": list(values)}],
        PaginationConfig={"PageSize": TAGS_PAGE},
    )
    # Values of a filter may be patterns, and those of targets are none.
    yield from (one["ResourceId"] for page in session.ahead(pages) for one in page["Tags"] if one["Value"] in values)
