"""Objects with the output of commands: as moto's own, at a twentieth of their size. There is one for every scan."""

from __future__ import annotations

import hashlib
import json
from copy import deepcopy
from typing import Any, SupportsBytes
from uuid import uuid4

from moto.core.utils import utcnow
from moto.s3 import notifications
from moto.s3.models import FakeBucket, FakeKey


class OutputObject(FakeKey):
    """An object of which nothing is kept but its name and what it is put together from.

    Everything else it has of its prototype, an empty object of moto's own in the bucket, until somebody changes it.
    """

    disposed = False

    def __new__(cls, *_: Any) -> OutputObject:  # noqa: ANN401, PYI034 as object's
        # Not as moto makes its objects, which keeps them for ever.
        return object.__new__(cls)

    def __init__(self, prototype: FakeKey, name: str, body: SupportsBytes) -> None:
        self.prototype = prototype
        self.name = name
        self.body = body
        self.last_modified = utcnow()
        if prototype._is_versioned:  # noqa: SLF001 moto tells it nowhere else
            self._version_id = str(uuid4())

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 whatever moto's own have
        if name.startswith("__") or "prototype" not in self.__dict__:
            raise AttributeError(name)
        if name == "_metadata":  # changed in place, unlike the rest
            self._metadata = deepcopy(self.prototype._metadata)  # noqa: SLF001
            return self._metadata
        return getattr(self.prototype, name)

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
    made = OutputObject(_prototype(bucket), name, body)
    before = bucket.keys.getlist(name, []) if bucket.is_versioned else []
    bucket.keys.setlist(name, [*before, made])
    if bucket.notification_configuration:
        event = notifications.S3NotificationEvent.OBJECT_CREATED_PUT_EVENT
        notifications.send_event(bucket.account_id, event, bucket, made)


def _prototype(bucket: FakeBucket) -> FakeKey:
    """Return the object that others of the bucket are like: another one once the bucket has another encryption."""
    kind = (json.dumps(bucket.encryption), bucket.is_versioned)
    known = bucket.__dict__.get("_output_prototype")
    if known is None or known[0] != kind:
        rule = ((bucket.encryption or {}).get("Rule")) or {}
        default = rule.get("ApplyServerSideEncryptionByDefault") or {}
        known = bucket.__dict__["_output_prototype"] = (
            kind,
            FakeKey(
                name="",
                value=b"",
                account_id=bucket.account_id,
                region_name=bucket.region_name,
                bucket_name=bucket.name,
                is_versioned=bucket.is_versioned,
                version_id="null",
                encryption=default.get("SSEAlgorithm"),
                kms_key_id=default.get("KMSMasterKeyID"),
                bucket_key_enabled=rule.get("BucketKeyEnabled", False) if rule else None,
            ),
        )
    return known[1]
