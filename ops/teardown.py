"""Emptying an environment's output bucket, without which CloudFormation cannot delete it."""

from __future__ import annotations

from ops.environment import find
from ops.errors import OperationError
from ops.session import Session

_AT_A_TIME = 1_000


def bucket_of(session: Session, environment: str) -> str | None:
    """Return the output bucket of an environment, or None if the environment is not deployed."""
    try:
        return find(session, environment).bucket
    except OperationError:
        return None


def count_versions(session: Session, bucket: str) -> int:
    """Return how many versions of objects and delete markers a bucket has."""
    pages = session.s3.get_paginator("list_object_versions").paginate(Bucket=bucket)
    return sum(len(page.get("Versions", [])) + len(page.get("DeleteMarkers", [])) for page in pages)


def empty(session: Session, bucket: str) -> int:
    """Delete every version of every object in a bucket, and return how many there were.

    Raises:
        OperationError: one could not be deleted.
    """
    deleted = 0
    pages = session.s3.get_paginator("list_object_versions").paginate(
        Bucket=bucket, PaginationConfig={"PageSize": _AT_A_TIME}
    )
    for page in pages:
        found = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        if not found:
            continue
        reply = session.s3.delete_objects(
            Bucket=bucket,
            Delete={"Objects": [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in found], "Quiet": True},
        )
        if reply.get("Errors"):
            first = reply["Errors"][0]
            message = f"{first.get('Key')} in {bucket} could not be deleted: {first.get('Message')}"
            raise OperationError(message)
        deleted += len(found)
    return deleted
