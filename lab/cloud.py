"""What the engine needs of the rest of AWS: instances, roles, a bucket, a topic."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Instance:
    """An EC2 instance, as far as Systems Manager sees it.

    Attributes:
        id: its instance id.
        image: name of its image.
        running: whether it runs; a stopped one can come back.
        role: ARN of its profile's role, or empty.
        tags: its tags.
        ip: its private address.
    """

    id: str
    image: str
    running: bool
    role: str
    tags: Mapping[str, str]
    ip: str


@dataclass(frozen=True)
class StoredDocument:
    """A document of the account.

    Attributes:
        type: such as Command.
        version: its version.
        content: its text; empty if there is a document, but not this version of it.
    """

    type: str
    version: str
    content: str


class Cloud(Protocol):
    """The account and Region around the engine."""

    account: str
    region: str

    def instances(self) -> Iterable[Instance]:
        """Return the instances that are not terminated, in the order of their launch."""

    def allowed(self, role: str, action: str, resource: str, context: Mapping[str, str] | None = None) -> bool:
        """Tell whether a role's policies allow an action on a resource."""

    def trusts(self, role: str, service: str) -> bool:
        """Tell whether there is such a role and a service may assume it."""

    def bucket_key(self, bucket: str) -> str | None:
        """Return the ARN of the key that encrypts a bucket's objects by default, or None if there is no such key."""

    def topic_key(self, topic: str) -> str | None:
        """Return the ARN of the key that encrypts a topic's messages, or None if there is no such key."""

    def put_object(self, bucket: str, key: str, body: bytes) -> None:
        """Write an object; raise KeyError if there is no such bucket."""

    def get_object(self, bucket: str, key: str) -> bytes:
        """Read an object; raise KeyError if there is no such bucket or object."""

    def is_public(self, bucket: str, key: str) -> bool:
        """Tell whether the bucket's policy lets everybody read an object."""

    def document(self, name: str, version: str) -> StoredDocument | None:
        """Return a document of the account, or None if there is none of this name."""

    def publish(self, topic: str, subject: str, message: str) -> None:
        """Publish to a topic; raise KeyError if there is no such topic."""
