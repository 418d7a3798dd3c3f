"""Resource data syncs: inventory and compliance, written to a bucket whenever they change.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/inventory-create-resource-data-sync.html; the keys
are those that https://docs.aws.amazon.com/systems-manager/latest/userguide/systems-manager-inventory-query.html reads.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from lab.inventory.inventory import Inventory
from lab.nodes.fleet import Fleet
from lab.nodes.inventory_types import InventoryItem
from lab.nodes.node import ManagedNode
from lab.world import access
from lab.world.clock import Clock
from lab.world.cloud import Cloud
from lab.world.errors import ApiError

SERVICE = "ssm.amazonaws.com"
MAX_SYNCS = 5


@dataclass
class DataSync:
    """A resource data sync to a bucket.

    Attributes:
        name: its name.
        bucket: the bucket.
        prefix: the folder in it; none if it is empty.
        region: the Region that the bucket is in, as whoever made it says.
        key: ARN of the key that encrypts what is written; the bucket's own if it is empty.
        created: when it was made.
        synced: when something was written last, or could not be.
        succeeded: when something was written last.
        problem: why the last write failed; empty if it did not.
    """

    name: str
    bucket: str
    prefix: str
    region: str
    key: str
    created: datetime
    synced: datetime | None = None
    succeeded: datetime | None = None
    problem: str = ""


class DataSyncs:
    """The resource data syncs of an account and Region."""

    def __init__(
        self, cloud: Cloud, clock: Clock, fleet: Fleet, inventory: Inventory, log: Callable[[str], None]
    ) -> None:
        self._cloud = cloud
        self._clock = clock
        self._fleet = fleet
        self._inventory = inventory
        self._log = log
        self.all: dict[str, DataSync] = {}

    def create(self, name: str, *, bucket: str, prefix: str, region: str, key: str) -> DataSync:
        """Make a sync, which writes what is known of all nodes.

        Raises:
            ApiError: a name that is taken, too many syncs, or a bucket that Systems Manager cannot write to.
        """
        if name in self.all:
            raise ApiError("ResourceDataSyncAlreadyExistsException", f"There is a resource data sync {name} already.")
        if len(self.all) >= MAX_SYNCS:
            message = f"There are {MAX_SYNCS} resource data syncs already."
            raise ApiError("ResourceDataSyncCountExceededException", message)
        sync = DataSync(name, bucket, prefix.strip("/"), region, key, self._clock.now)
        problem = self._refusal(sync, self._key(sync, "AWS:InstanceInformation", "i-00000001"))
        if problem:
            raise ApiError("ResourceDataSyncInvalidConfigurationException", f"S3 write failed: {problem}.")
        self.all[name] = sync
        for node in self._fleet.nodes():
            self._write(sync, node)
        return sync

    def delete(self, name: str) -> None:
        """Delete a sync; what it wrote stays."""
        if self.all.pop(name, None) is None:
            raise ApiError("ResourceDataSyncNotFoundException", f"There is no resource data sync {name}.")

    def changed(self, node: ManagedNode) -> None:
        """Write what is known of a node."""
        for sync in self.all.values():
            self._write(sync, node)

    def _write(self, sync: DataSync, node: ManagedNode) -> None:
        for item in self._inventory.of(node).values():
            key = self._key(sync, item.type, node.id)
            problem = self._refusal(sync, key)
            if not problem:
                self._cloud.put_object(sync.bucket, key, _lines(node, item))
            if problem and problem != sync.problem:
                self._log(f"resource data sync {sync.name} did not write: {problem}")
            sync.problem, sync.synced = problem, self._clock.now
            sync.succeeded = sync.succeeded if problem else self._clock.now

    def _key(self, sync: DataSync, kind: str, node_id: str) -> str:
        folder = f"{sync.prefix}/" if sync.prefix else ""
        return (
            f"{folder}{kind}/accountid={self._cloud.account}/region={self._cloud.region}"
            f"/resourcetype=ManagedInstanceInventory/{node_id}.json"
        )

    def _refusal(self, sync: DataSync, key: str) -> str:
        """Say why Systems Manager may not write to the bucket; empty if it may."""
        policy = self._cloud.bucket_policy(sync.bucket)
        if policy is None:
            return f"there is no bucket {sync.bucket}"
        context = {
            "s3:x-amz-acl": "bucket-owner-full-control",
            "aws:SourceAccount": self._cloud.account,
            "aws:SourceArn": f"arn:aws:ssm:{self._cloud.region}:{self._cloud.account}:resource-data-sync/{sync.name}",
            "aws:SecureTransport": "true",
        }
        bucket = f"arn:aws:s3:::{sync.bucket}"
        for action, resource in (("s3:GetBucketAcl", bucket), ("s3:PutObject", f"{bucket}/{key}")):
            if not access.permits(policy, SERVICE, action, resource, context):
                return f"the policy of the bucket {sync.bucket} does not let {SERVICE} do {action} on {resource}"
        if sync.key:
            of_key = self._cloud.key_policy(sync.key)
            if of_key is None or not access.permits(of_key, SERVICE, "kms:GenerateDataKey", sync.key, context):
                return f"the policy of the key {sync.key} does not let {SERVICE} do kms:GenerateDataKey"
        return ""


def _lines(node: ManagedNode, item: InventoryItem) -> bytes:
    """Write an item as an object has it: an entry a line, each with where it comes from."""
    about = {"resourceId": node.id, "captureTime": item.captured, "schemaVersion": item.version}
    return "".join(json.dumps({**entry, **about}) + "\n" for entry in item.entries).encode()
