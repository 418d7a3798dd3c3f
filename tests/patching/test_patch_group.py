from __future__ import annotations

import pytest

from patching.errors import InvalidValueError
from patching.patch_group import check_groups, check_tag_key, patch_group
from tests.rows import each_row


@each_row("key", ["patchgroup", "PATCHGROUP", "Patch-Group", "patch_group", "Patch  Group", "patch group"])
def test_a_key_that_patch_manager_does_not_read_is_told(key: str) -> None:
    with pytest.raises(InvalidValueError, match=f"does not read the tag '{key}' as a patch group; write PatchGroup"):
        check_tag_key(key)


@each_row("key", ["PatchGroup", "Patch Group", "PatchGroups", "Patch", "Group", "MyPatchGroup"])
def test_a_key_that_it_reads_or_that_is_another_passes(key: str) -> None:
    check_tag_key(key)


def test_the_group_is_under_either_key() -> None:
    assert patch_group({"PatchGroup": "web"}) == patch_group({"Patch Group": "web"}) == "web"
    assert patch_group({"patchgroup": "web"}) is None


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ([f"g{number}" for number in range(26)], "26 patch groups, but AWS takes 25 at most for one baseline"),
        ([""], "'' is not a patch group: 1 to 256 letters, digits, spaces and _.:/=+-@"),
        (["x" * 257], "is not a patch group"),
        (["a;b"], "'a;b' is not a patch group"),
        (["a", "b", "a"], "'a' is in the patch groups twice; take one out"),
    ],
)
def test_groups_that_aws_does_not_take_are_refused(groups: list[str], message: str) -> None:
    with pytest.raises(InvalidValueError) as refused:
        check_groups(groups)
    assert message in str(refused.value)


@pytest.mark.parametrize("groups", [[], [f"g{n}" for n in range(25)], ["x" * 256], ["a b+c"], ["${Token[GROUP.1]}"]])
def test_groups_that_aws_takes_pass(groups: list[str]) -> None:
    check_groups(groups)
