"""Tags of resources, among them those that machines are found by.

Follows https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from patching.errors import InvalidValueError, is_token
from patching.patch_group import check_tag_key
from patching.quotas import MAX_TAGS

TAG = re.compile(r"[\w .:/=+\-@]*")
TAG_FORM = "a tag: letters, digits, spaces and _.:/=+-@"
MAX_KEY = 128
MAX_VALUE = 256


def check_own(key: str) -> None:
    """Refuse a key that AWS keeps to itself; raise `InvalidValueError`."""
    if key.lower().startswith("aws:"):
        message = f"{key!r} is not a tag of yours: the prefix aws: is reserved"
        raise InvalidValueError(message)


def check_tags(tags: Mapping[str, str]) -> None:
    """Refuse the tags of a machine that AWS does not take, or that do not mean what they seem to.

    Raises:
        InvalidValueError: more than 50, a key or a value of another form, or a patch group in another spelling than
            Patch Manager reads.
    """
    if len(tags) > MAX_TAGS:
        message = f"{len(tags)} tags, but AWS takes {MAX_TAGS}; take some out"
        raise InvalidValueError(message)
    for key, value in tags.items():
        for text, least, most in ((key, 1, MAX_KEY), (value, 0, MAX_VALUE)):
            if not is_token(text) and not (TAG.fullmatch(text) and least <= len(text) <= most):
                message = f"{text!r} is not {TAG_FORM}; {least} to {most} of them"
                raise InvalidValueError(message)
        check_own(key)
        check_tag_key(key)


def check_instance_tags(tags: Mapping[str, str]) -> None:
    """Refuse also a patch group that EC2 refuses where the metadata service has tags; raise `InvalidValueError`."""
    check_tags(tags)
    if "Patch Group" in tags:
        message = "write PatchGroup without a space: EC2 refuses the other where tags are in the metadata service"
        raise InvalidValueError(message)
