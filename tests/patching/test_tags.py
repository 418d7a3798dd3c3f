from __future__ import annotations

import pytest

from patching.errors import InvalidValueError
from patching.tags import check_instance_tags, check_tags
from tests.rows import each_row


@pytest.mark.parametrize(
    "tags",
    [
        {},
        {"k" * 128: "v" * 256, "Ort": "Köln", "Patch Group": "web", "empty": ""},
        {"${Token[KEY.1]}": "${Token[VALUE.1]}"},
        {f"t{number}": "" for number in range(50)},
    ],
)
def test_tags_that_aws_takes_are_taken(tags: dict[str, str]) -> None:
    check_tags(tags)


@each_row(
    ("tags", "message"),
    [
        ({"k" * 129: ""}, "1 to 128 of them"),
        ({"": "x"}, "'' is not a tag"),
        ({"k": "v" * 257}, "0 to 256 of them"),
        ({"k": "a;b"}, "'a;b' is not a tag: letters, digits, spaces and"),
        ({"AWS:k": ""}, "'AWS:k' is not a tag of yours: the prefix aws: is reserved"),
        ({"patch_group": "web"}, "Patch Manager does not read the tag 'patch_group' as a patch group"),
        ({f"t{number}": "" for number in range(51)}, "51 tags, but AWS takes 50; take some out"),
    ],
)
def test_tags_that_aws_does_not_take_are_refused(tags: dict[str, str], message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        check_tags(tags)


def test_an_instance_has_its_patch_group_without_a_space() -> None:
    check_instance_tags({"PatchGroup": "web"})
    with pytest.raises(InvalidValueError, match="write PatchGroup without a space"):
        check_instance_tags({"Patch Group": "web"})
