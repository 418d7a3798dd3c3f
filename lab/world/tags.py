"""The tags of what Systems Manager has, but for documents and parameters, which the server keeps with their tags.

Follows https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_AddTagsToResource.html.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from lab.world.errors import ApiError

MAX_TAGS = 50


class Tags:
    """Tags by the kind and the id of what has them."""

    def __init__(self) -> None:
        self._tags: dict[tuple[str, str], dict[str, str]] = {}

    def of(self, kind: str, resource_id: str) -> dict[str, str]:
        """Return the tags of a resource."""
        return dict(self._tags.get((kind, resource_id), {}))

    def add(self, kind: str, resource_id: str, tags: Mapping[str, str]) -> None:
        """Add tags to a resource; one that it has gets the new value."""
        self._tags[kind, resource_id] = merged(self.of(kind, resource_id), tags)

    def replace(self, kind: str, resource_id: str, tags: Mapping[str, str]) -> None:
        """Give a resource these tags, and no others."""
        self._tags[kind, resource_id] = merged({}, tags)

    def remove(self, kind: str, resource_id: str, keys: Iterable[str]) -> None:
        """Take tags from a resource; one that it does not have is no error."""
        gone = set(keys)
        self._tags[kind, resource_id] = {
            key: value for key, value in self.of(kind, resource_id).items() if key not in gone
        }


def merged(before: Mapping[str, str], more: Mapping[str, str]) -> dict[str, str]:
    """Return tags with further ones; raise `ApiError` if they are too many, or AWS keeps one for itself."""
    reserved = [key for key in more if key.casefold().startswith("aws:")]
    if reserved:
        raise ApiError("ValidationException", f"{reserved[0]} begins with aws:, which AWS keeps for itself.")
    tags = {**before, **more}
    if len(tags) > MAX_TAGS:
        raise ApiError("TooManyTagsError", f"A resource has {MAX_TAGS} tags at most.")
    return tags
