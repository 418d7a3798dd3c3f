from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patching.errors import InvalidValueError
from patching.targets import Targets, matches, may_share
from tests.rows import each_row

names = st.text("abcXYZ019_.:/=-", min_size=1, max_size=12)
tags = st.dictionaries(names, st.lists(names, min_size=1, max_size=4), min_size=1, max_size=5)


def test_a_tag_is_written_as_the_api_takes_it() -> None:
    assert Targets.tag("Workload", "Prod", "Test").to_api() == [{"Key": "tag:Workload", "Values": ["Prod", "Test"]}]


def test_instances_are_written_as_the_api_takes_them() -> None:
    assert Targets.instances("i-0123456789abcdef0").to_api() == [
        {"Key": "InstanceIds", "Values": ["i-0123456789abcdef0"]}
    ]


def test_a_single_string_is_one_value_and_not_its_letters() -> None:
    assert Targets.tags({"Workload": "Prod"}) == Targets.tag("Workload", "Prod")


@given(tags)
def test_targets_survive_the_way_to_the_api_and_back(tags: dict[str, list[str]]) -> None:
    targets = Targets.tags(tags)
    assert Targets.from_api(targets.to_api()) == targets


def test_no_key_at_all_would_be_no_target() -> None:
    with pytest.raises(InvalidValueError, match="no target: give at least one tag"):
        Targets.tags({})


def test_five_keys_are_taken_and_a_sixth_is_refused() -> None:
    assert len(Targets.tags({str(key): "x" for key in range(5)}).keys) == 5
    with pytest.raises(InvalidValueError, match="6 target keys, but AWS takes 5"):
        Targets.tags({str(key): "x" for key in range(6)})


def test_a_key_takes_one_to_fifty_values() -> None:
    assert len(Targets.tag("Name", *map(str, range(50))).keys[0][1]) == 50
    with pytest.raises(InvalidValueError, match="'tag:Name' has 51 values"):
        Targets.tag("Name", *map(str, range(51)))
    with pytest.raises(InvalidValueError, match="'tag:Name' has 0 values"):
        Targets.tag("Name")


@pytest.mark.parametrize("key", ["A+B", "a;b", "", "k" * 160, "a*"])
def test_a_tag_that_no_target_can_name_is_refused(key: str) -> None:
    with pytest.raises(InvalidValueError, match="is no tag that a target can name: letters, digits, spaces and "):
        Targets.tag(key, "x")


@each_row("key", ["Workload", "Patch Group", "k" * 159, "a_b.c:d/e=f-g@h", "Ünicode", "${Token[K.1]}"])
def test_a_tag_that_a_target_can_name_is_taken(key: str) -> None:
    assert Targets.tag(key, "a+b").match("", {key: "a+b"})


@each_row(
    ("these", "those", "may"),
    [
        ({"A": "x"}, {"A": "x"}, True),
        ({"A": "x"}, {"A": ["w", "x"]}, True),
        ({"A": "x", "B": "y"}, {"A": "x"}, True),
        ({"A": "x", "B": "y"}, {"A": "x", "B": "z"}, False),
        ({"A": "x"}, {"A": "y"}, False),
        ({"A": "x"}, {"B": "x"}, False),
    ],
)
def test_groups_may_share_nodes_if_what_they_both_name_agrees(these: Any, those: Any, may: bool) -> None:
    assert may_share(these, those) is may
    assert may_share(those, these) is may


def test_a_node_is_of_a_group_if_it_has_all_of_its_tags() -> None:
    tags = {"A": "x", "B": "y"}
    assert [matches(tags, one) for one in ({"A": "x"}, {"A": ["w", "x"], "B": "y"}, {})] == [True, True, True]
    assert [matches(tags, one) for one in ({"A": "y"}, {"A": "x", "C": "z"})] == [False, False]


@pytest.mark.parametrize("instance", ["i-01234567", "i-0123456789abcdef0", "mi-0123456789abcdef0", "${Token[TOKEN.7]}"])
def test_an_instance_id_is_ec2s_or_a_hybrid_nodes(instance: str) -> None:
    assert Targets.instances(instance).in_words() == instance


@each_row("instance", ["web-1", "i-0123", "i-0123456789ABCDEF0", "mi-01234567", "*", ""])
def test_anything_else_is_no_instance_id(instance: str) -> None:
    with pytest.raises(InvalidValueError, match="is not an instance id; expected one like i-0123456789abcdef0"):
        Targets.instances(instance)


def test_a_node_has_to_match_every_key_with_one_of_its_values() -> None:
    targets = Targets.tags({"Workload": ["Prod", "Test"], "Environment": "lab"})
    assert targets.match("i-01234567", {"Workload": "Test", "Environment": "lab", "Name": "a"})
    assert not targets.match("i-01234567", {"Workload": "Test"})
    assert not targets.match("i-01234567", {"Workload": "Dev", "Environment": "lab"})
    assert not targets.match("i-01234567", {"Workload": "Test", "Environment": "Lab"})


def test_instances_match_by_id_whatever_their_tags() -> None:
    assert Targets.instances("i-01234567").match("i-01234567", {})
    assert not Targets.instances("i-01234567").match("i-76543210", {})


def test_targets_are_said_as_the_command_line_takes_them() -> None:
    assert Targets.tags({"Workload": ["Prod", "Test"], "Team": "a"}).in_words() == "Workload=Prod,Test and Team=a"
    assert Targets.instances("i-01234567", "i-76543210").in_words() == "i-01234567, i-76543210"
