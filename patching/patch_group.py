"""Patch groups: the value of a tag by which a node gets its baseline.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-patch-groups.html.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TypeVar

from patching.deployment import PATCH_GROUP_TAG
from patching.errors import InvalidValueError, is_token
from patching.quotas import MAX_PATCH_GROUPS

PATCH_GROUP_TAGS = (PATCH_GROUP_TAG, "Patch Group")
"""The keys that Patch Manager reads. EC2 refuses the one with a space where tags are in the metadata service."""

_T = TypeVar("_T")
_GROUP = re.compile(r"[\w .:/=+\-@]{1,256}")


def patch_group(tags: Mapping[str, _T]) -> _T | None:
    """Return the patch group among the tags of a node, or of a target; None if there is none."""
    for key in PATCH_GROUP_TAGS:
        if key in tags:
            return tags[key]
    return None


def check_tag_key(key: str) -> None:
    """Refuse a tag that is meant as the patch group, and is spelt as Patch Manager does not read it.

    Raises:
        InvalidValueError: such as `patch-group`.
    """
    if re.sub(r"[\s_.-]", "", key).casefold() == PATCH_GROUP_TAG.casefold() and key not in PATCH_GROUP_TAGS:
        message = f"Patch Manager does not read the tag {key!r} as a patch group; write {PATCH_GROUP_TAG}"
        raise InvalidValueError(message)


def check_groups(groups: Sequence[str]) -> None:
    """Refuse the groups of a baseline that AWS does not take.

    Raises:
        InvalidValueError: more than 25, one twice, or one that is no value of a tag.
    """
    if len(groups) > MAX_PATCH_GROUPS:
        message = f"{len(groups)} patch groups, but AWS takes {MAX_PATCH_GROUPS} at most for one baseline"
        raise InvalidValueError(message)
    for index, group in enumerate(groups):
        if not is_token(group) and not _GROUP.fullmatch(group):
            message = f"{group!r} is not a patch group: 1 to 256 letters, digits, spaces and _.:/=+-@"
            raise InvalidValueError(message)
        if group in groups[:index]:
            message = f"{group!r} is in the patch groups twice; take one out"
            raise InvalidValueError(message)
