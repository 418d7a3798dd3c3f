"""What is found out once for nodes alike is what is found out for each of them."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from ops.alike import Alike
from ops.nodes import Node
from patching.targets import Targets

IDS = [f"i-{number:017}" for number in range(6)]
PROD, TEAM, TWO = Targets.tag("Workload", "Prod"), Targets.tag("Team", "web", "data"), Targets.instances(IDS[0], IDS[2])
EVERY = Targets.from_api([{"Key": "InstanceIds", "Values": ["*"]}])
TAGS: tuple[Mapping[str, str], ...] = (
    {},
    {"Workload": "Prod"},
    {"Workload": "Prod", "Owner": "me"},
    {"Workload": "Test", "Team": "web"},
    {"Workload": "Prod", "Team": "data"},
    {"Team": "web"},
)
NODES = [Node(name, "", "Online", "", "", "", None, dict(tags)) for name, tags in zip(IDS, TAGS, strict=True)]


@pytest.mark.parametrize(
    ("targets", "asked"),
    [
        pytest.param((), 1, id="no targets"),
        pytest.param((PROD,), 3, id="a tag"),
        pytest.param((PROD, TEAM), 5, id="two tags"),
        pytest.param((PROD, TWO), 6, id="a tag and ids"),
        pytest.param((PROD, EVERY), 3, id="a tag and every node"),
        pytest.param((Targets.tag("Workload", "*"),), 3, id="a tag with a star for its value"),
    ],
)
def test_it_is_found_out_once_for_nodes_that_differ_in_no_target(targets: tuple[Targets, ...], asked: int) -> None:
    looked_at: list[str] = []

    def matching(node: Node) -> list[Targets]:
        looked_at.append(node.id)
        return [one for one in targets if one.match(node.id, node.tags)]

    alike = Alike(targets, matching)
    assert [alike.of(node) for node in NODES] == [
        [one for one in targets if one.match(node.id, node.tags)] for node in NODES
    ]
    assert len(looked_at) == asked
