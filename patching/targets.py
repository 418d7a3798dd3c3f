"""Which managed nodes an operation is for.

Follows https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_Target.html and, for what several keys
mean together, https://docs.aws.amazon.com/systems-manager/latest/userguide/send-commands-multiple.html.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self, TypedDict

from patching.errors import InvalidValueError, is_token

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

EVERY_NODE = "*"
"""The id that stands for every node, which associations take."""

IDS_KEY = "InstanceIds"
GROUP_KEY = "resource-groups:Name"
MAX_KEYS = 5
MAX_VALUES = 50
_MAX_KEY = 163
_TAG_KEY = re.compile(r"tag:[\w .:/=@-]+")
_INSTANCE_ID = re.compile(r"i-([0-9a-f]{8}|[0-9a-f]{17})|mi-[0-9a-f]{17}")


class Target(TypedDict):
    """A target as the API takes it."""

    Key: str
    Values: list[str]


@dataclass(frozen=True)
class Targets:
    """Managed nodes by their tags, by their ids, or by a resource group. A node has to match every key, with one value.

    Make one with `Targets.tag`, `Targets.tags`, `Targets.instances` or `Targets.resource_group`.

    Raises:
        InvalidValueError: no key, more than 5 keys, a tag that no target can name, more than 50 values for a key, or
            not an instance id.
    """

    keys: tuple[tuple[str, tuple[str, ...]], ...]

    def __post_init__(self) -> None:
        if not self.keys:
            message = "no target: give at least one tag (KEY=VALUE) or one instance id"
            raise InvalidValueError(message)
        if len(self.keys) > MAX_KEYS:
            message = f"{len(self.keys)} target keys, but AWS takes {MAX_KEYS} at most"
            raise InvalidValueError(message)
        for key, values in self.keys:
            if not 1 <= len(values) <= MAX_VALUES:
                message = f"target {key!r} has {len(values)} values, but AWS takes 1 to {MAX_VALUES}"
                raise InvalidValueError(message)
            named = len(key) <= _MAX_KEY and bool(_TAG_KEY.fullmatch(key))
            if key.startswith("tag:") and not named and not is_token(key):
                message = (
                    f"{key.removeprefix('tag:')!r} is no tag that a target can name: letters, digits, spaces and "
                    "_.:/=-@, without +"
                )
                raise InvalidValueError(message)
            if key == IDS_KEY:
                for value in values if values != (EVERY_NODE,) else ():
                    if not is_token(value) and not _INSTANCE_ID.fullmatch(value):
                        message = f"{value!r} is not an instance id; expected one like i-0123456789abcdef0"
                        raise InvalidValueError(message)

    @classmethod
    def tag(cls, key: str, *values: str) -> Self:
        """Nodes whose tag `key` has one of these values."""
        return cls(((f"tag:{key}", values),))

    @classmethod
    def tags(cls, tags: Mapping[str, str | Iterable[str]]) -> Self:
        """Nodes that have every one of these tags, each with its value or one of its values."""
        return cls(
            tuple(
                (f"tag:{key}", (values,) if isinstance(values, str) else tuple(values)) for key, values in tags.items()
            )
        )

    @classmethod
    def instances(cls, *ids: str) -> Self:
        """Nodes by their ids."""
        if EVERY_NODE in ids:
            message = f"{EVERY_NODE!r} is not an instance id; expected one like i-0123456789abcdef0"
            raise InvalidValueError(message)
        return cls(((IDS_KEY, ids),))

    @classmethod
    def resource_group(cls, name: str) -> Self:
        """Nodes that are in a resource group."""
        return cls(((GROUP_KEY, (name,)),))

    @classmethod
    def from_api(cls, targets: Iterable[Target]) -> Self:
        """Read targets as the API writes them."""
        targets = list(targets)
        for target in targets:
            if not target.get("Key") or not target.get("Values"):
                message = (
                    f"target {dict(target)} has no Key or no Values; expected one like Key=tag:Workload,Values=Prod"
                )
                raise InvalidValueError(message)
        return cls(tuple((target["Key"], tuple(target["Values"])) for target in targets))

    def to_api(self) -> list[Target]:
        """Write the targets as the API takes them."""
        return [{"Key": key, "Values": list(values)} for key, values in self.keys]

    def match(self, instance_id: str, tags: Mapping[str, str]) -> bool:
        """Tell whether a node with this id and these tags is one of the targets."""
        for key, values in self.keys:
            if key == IDS_KEY:
                found = values == (EVERY_NODE,) or instance_id in values
            else:
                found = key.startswith("tag:") and tags.get(key.removeprefix("tag:")) in values
            if not found:
                return False
        return True

    def in_words(self) -> str:
        """Say the targets in short, as the command line takes them."""
        return " and ".join(
            ", ".join(values)
            if key == IDS_KEY
            else f"the resource group {values[0]}"
            if key == GROUP_KEY
            else f"{key.removeprefix('tag:')}={','.join(values)}"
            for key, values in self.keys
        )


def value_set(values: str | Iterable[str]) -> set[str]:
    """Return the values of a tag, which may be written as one or as several."""
    return {values} if isinstance(values, str) else set(values)


def matches(tags: Mapping[str, str], group: Mapping[str, str | Iterable[str]]) -> bool:
    """Tell whether a node with these tags is one of a group of tags."""
    return all(tags.get(key) in value_set(values) for key, values in group.items())


def may_share(these: Mapping[str, str | Iterable[str]], those: Mapping[str, str | Iterable[str]]) -> bool:
    """Tell whether two groups of tags name a tag in common and can both be those of one node.

    Groups without a key in common may share nodes as well; whether they do, only the nodes know.
    """
    keys = these.keys() & those.keys()
    return bool(keys) and all(value_set(these[key]) & value_set(those[key]) for key in keys)
