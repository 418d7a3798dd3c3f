"""The operations on resource data syncs."""

from __future__ import annotations

from lab.aws.ssm.operation import Reply, Request, operation, page, without_empty
from lab.engine import Engine
from lab.inventory.data_sync import DataSync
from lab.world.errors import ApiError

_TO_DESTINATION = "SyncToDestination"
_TYPES = (_TO_DESTINATION, "SyncFromSource")
_INVALID = "ResourceDataSyncInvalidConfigurationException"


@operation
def create_resource_data_sync(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CreateResourceDataSync.html.

    Only syncs to a bucket are made: those from a source are for Explorer.
    """
    kind, destination = _type(request) or _TO_DESTINATION, request.get("S3Destination")
    if kind != _TO_DESTINATION or request.get("SyncSource"):
        raise ApiError(_INVALID, "The local AWS makes syncs of the type SyncToDestination only.")
    if not destination:
        raise ApiError(_INVALID, "A sync of the type SyncToDestination needs S3Destination.")
    if destination.get("DestinationDataSharing"):
        raise ApiError(_INVALID, "The local AWS has no organization: DestinationDataSharing is not emulated.")
    engine.data_syncs.create(
        request["SyncName"],
        bucket=destination["BucketName"],
        prefix=destination.get("Prefix") or "",
        region=destination["Region"],
        key=destination.get("AWSKMSKeyARN") or "",
    )
    return {}


@operation
def list_resource_data_sync(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ListResourceDataSync.html."""
    listed = list(engine.data_syncs.all.values()) if _type(request) in (None, _TO_DESTINATION) else []
    return page(request, "ResourceDataSyncItems", [_described(one) for one in listed])


@operation
def delete_resource_data_sync(engine: Engine, request: Request) -> Reply:
    """Follow https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DeleteResourceDataSync.html."""
    if _type(request) not in (None, _TO_DESTINATION):
        raise ApiError("ResourceDataSyncNotFoundException", f"There is no sync of the type {request['SyncType']}.")
    engine.data_syncs.delete(request["SyncName"])
    return {}


def _type(request: Request) -> str | None:
    kind = request.get("SyncType")
    if kind is not None and kind not in _TYPES:
        raise ApiError(_INVALID, f"{kind} is none of {', '.join(_TYPES)}.")
    return kind


def _described(sync: DataSync) -> Reply:
    return without_empty(
        {
            "SyncName": sync.name,
            "SyncType": _TO_DESTINATION,
            "S3Destination": without_empty(
                {
                    "BucketName": sync.bucket,
                    "Prefix": sync.prefix,
                    "SyncFormat": "JsonSerDe",
                    "Region": sync.region,
                    "AWSKMSKeyARN": sync.key,
                }
            ),
            "LastSyncTime": sync.synced,
            "LastSuccessfulSyncTime": sync.succeeded,
            "SyncLastModifiedTime": sync.created,
            "LastStatus": "Failed" if sync.problem else "Successful" if sync.synced else "InProgress",
            "SyncCreatedTime": sync.created,
            "LastSyncStatusMessage": sync.problem,
        }
    )
