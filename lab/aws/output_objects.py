"""Objects with the output of commands: as moto's own, at a twentieth of their size. There is one for every scan."""

from __future__ import annotations

import hashlib
import threading
from typing import Any, SupportsBytes
from uuid import uuid4

from moto.core.utils import utcnow
from moto.s3 import notifications
from moto.s3.models import FakeBucket, FakeKey, LowercaseDict

_LOCK = threading.RLock()
_ABSENT = (
    "website_redirect_location",
    "checksum_algorithm",
    "checksum_value",
    "checksum_type",
    "checksum_parts",
    "multipart",
    "lock_mode",
    "lock_legal_status",
    "lock_until",
    "_expiry",
    "_etag",
)


class OutputObject(FakeKey):
    """An object of which nothing is kept but its name and what it is put together from.

    Everything else is as moto's own has it at first, until somebody changes it.
    """

    lock = _LOCK
    disposed = False
    bucket_key_enabled: Any = None
    _storage_class = "STANDARD"

    def __new__(cls, *_: Any) -> OutputObject:  # noqa: ANN401, PYI034 as object's
        # Not as moto makes its objects, which keeps them for ever.
        return object.__new__(cls)

    def __init__(self, bucket: FakeBucket, name: str, body: SupportsBytes) -> None:
        self.name = name
        self.body = body
        self.bucket = bucket
        self.last_modified = utcnow()
        if bucket.is_versioned:
            self._version_id = str(uuid4())

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 whatever moto's own have
        if name in _ABSENT:
            return None
        if name == "_metadata":
            self._metadata = LowercaseDict()
            self._metadata["Content-Type"] = "binary/octet-stream"
            return self._metadata
        bucket = self.__dict__.get("bucket")
        if bucket is None or name.startswith("__"):
            raise AttributeError(name)
        rule = ((bucket.encryption or {}).get("Rule") or {}).get("ApplyServerSideEncryptionByDefault") or {}
        defaults = {
            "account_id": bucket.account_id,
            "region_name": bucket.region_name,
            "partition": bucket.partition,
            "bucket_name": bucket.name,
            "encryption": rule.get("SSEAlgorithm"),
            "kms_key_id": rule.get("KMSMasterKeyID"),
            "acl": None,
            "_version_id": "null",
            "_is_versioned": "_version_id" in self.__dict__,
            "_status": None,
        }
        if name not in defaults:
            raise AttributeError(name)
        return defaults[name]

    @property
    def value(self) -> bytes:
        """The content."""
        return bytes(self.body)

    @value.setter
    def value(self, content: bytes) -> None:
        self.body = content

    @property
    def contentsize(self) -> int:
        """How many bytes it has."""
        return len(bytes(self.body))

    @property
    def etag(self) -> str:
        """The MD5 of its content, in quotes, as S3 gives it."""
        return f'"{hashlib.md5(bytes(self.body), usedforsecurity=False).hexdigest()}"'

    def dispose(self, garbage: bool = False) -> None:  # noqa: FBT001, FBT002 as moto calls it
        """Have nothing to close."""

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)


def put(bucket: FakeBucket, name: str, body: SupportsBytes) -> None:
    """Put an object with the output of a command into a bucket."""
    made = OutputObject(bucket, name, body)
    before = bucket.keys.getlist(name, []) if bucket.is_versioned else []
    bucket.keys.setlist(name, [*before, made])
    if bucket.notification_configuration:
        event = notifications.S3NotificationEvent.OBJECT_CREATED_PUT_EVENT
        notifications.send_event(bucket.account_id, event, bucket, made)
