"""What has to be out of the way before CloudFormation can delete an environment.

It deletes no bucket that holds something, and no baseline that is the default of its system; see
https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DeletePatchBaseline.html.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ops.environment import find
from ops.errors import OperationError
from ops.session import Session
from patching.deployment import ENVIRONMENT_TAG, Deployment
from patching.operating_system import PREDEFINED_DEFAULTS, OperatingSystem, operating_system

if TYPE_CHECKING:
    from mypy_boto3_ssm.type_defs import PatchBaselineIdentityTypeDef

_AT_A_TIME = 1_000


def default_baselines(session: Session, environment: str) -> dict[OperatingSystem, str]:
    """Return the names of the environment's baselines that are the default of their system."""
    prefix = Deployment(environment).name("")
    return {
        operating_system(one["OperatingSystem"]): one["BaselineName"]
        for one in _baselines(session, {"OWNER": "Self", "NAME_PREFIX": prefix})
        # The names of lab-b begin like those of lab.
        if one.get("DefaultBaseline") and _environment_of(session, one["BaselineId"]) == environment
    }


def restore_default(session: Session, system: OperatingSystem) -> str:
    """Make AWS's own baseline the default of a system again, and return its name.

    Raises:
        OperationError: there is none in this Region.
    """
    name = PREDEFINED_DEFAULTS[system]
    for one in _baselines(session, {"OWNER": "AWS", "NAME_PREFIX": name}):
        if one["BaselineName"] == name:
            session.ssm.register_default_patch_baseline(BaselineId=one["BaselineId"])
            return name
    message = f"AWS has no baseline {name} in this Region; make another one the default of {system}"
    raise OperationError(message)


def _environment_of(session: Session, baseline_id: str) -> str:
    """Return the environment that a baseline is tagged with; empty for none."""
    tags = session.ssm.list_tags_for_resource(ResourceType="PatchBaseline", ResourceId=baseline_id)["TagList"]
    return next((one["Value"] for one in tags if one["Key"] == ENVIRONMENT_TAG), "")


def _baselines(session: Session, filters: dict[str, str]) -> Iterator[PatchBaselineIdentityTypeDef]:
    pages = session.ssm.get_paginator("describe_patch_baselines").paginate(
        Filters=[{"Key": key, "Values": [value]} for key, value in filters.items()]
    )
    for page in pages:
        yield from page["BaselineIdentities"]


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
