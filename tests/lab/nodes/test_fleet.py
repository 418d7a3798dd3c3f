"""Which instances are managed nodes."""

from __future__ import annotations

from typing import Any

import pytest

from lab.nodes.fleet import REGISTRATION_ACTIONS
from lab.world.cloud import Instance
from patching.targets import Targets
from tests.lab.simulated import NODE_ROLE, TOPIC, Lab, day, seconds, trusting


def instance(lab: Lab, **changes: Any) -> str:
    """Start an instance, and return why it is not managed."""
    fields: dict[str, Any] = {"image": "linux", "running": True, "role": NODE_ROLE, "tags": {}, "ip": "10.0.0.1"}
    lab.cloud.running["i-00000001"] = Instance("i-00000001", **{**fields, **changes})
    lab.engine.fleet.nodes()
    return lab.engine.fleet.unmanaged.get("i-00000001", "")


def test_an_instance_that_can_register_is_a_managed_node(lab: Lab) -> None:
    assert instance(lab, tags={"Name": "one"}) == ""
    (node,) = lab.engine.fleet.nodes()
    assert (node.id, node.tags, node.online) == ("i-00000001", {"Name": "one"}, True)
    assert node.computer_name == "ip-10-0-0-1.us-east-1.compute.internal"
    assert "i-00000001 registered as a managed node" in lab.log


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"role": ""}, "the instance has no instance profile"),
        ({"running": False}, "the instance is stopped"),
        ({"image": "solaris"}, "the lab does not know what is on the image solaris"),
    ],
)
def test_an_instance_that_cannot_register_is_unmanaged_with_the_reason(
    lab: Lab, changes: dict[str, Any], reason: str
) -> None:
    assert instance(lab, **changes) == reason
    assert lab.engine.fleet.nodes() == []
    assert lab.engine.fleet.get("i-00000001") is None


@pytest.mark.parametrize("action", REGISTRATION_ACTIONS)
def test_a_role_that_does_not_let_the_agent_register_leaves_it_unmanaged(lab: Lab, action: str) -> None:
    lab.cloud.forbid(NODE_ROLE, action)
    assert instance(lab) == f"its role does not allow {action}"


def test_a_role_that_ec2_cannot_assume_leaves_it_unmanaged(lab: Lab) -> None:
    lab.cloud.trust[NODE_ROLE] = trusting("ssm.amazonaws.com")
    assert instance(lab) == "ec2.amazonaws.com cannot assume its role"


def test_an_instance_registers_once_it_can(lab: Lab) -> None:
    instance(lab, role="")
    lab.clock.advance(day("2026-03-16"))
    assert instance(lab) == ""
    (node,) = lab.engine.fleet.nodes()
    assert node.registered == day("2026-03-16")


def test_a_node_that_stops_keeps_its_place_and_loses_its_connection(lab: Lab) -> None:
    node = lab.launch()
    lab.change(node, running=False)
    assert lab.engine.fleet.nodes() == [node]
    assert not node.online
    assert lab.engine.fleet.unmanaged == {node.id: "the instance is stopped"}
    assert f"{node.id} lost its connection: the instance is stopped" in lab.log


def test_the_last_ping_of_a_stopped_node_stays(lab: Lab) -> None:
    node = lab.launch()
    lab.clock.advance(day("2026-03-16"))
    lab.engine.fleet.nodes()
    lab.change(node, running=False)
    lab.clock.advance(day("2026-03-17"))
    lab.engine.fleet.nodes()
    assert node.last_ping == day("2026-03-16")


def test_a_node_that_starts_again_has_booted_and_keeps_what_was_installed(lab: Lab) -> None:
    node = lab.launch()
    node.installed["tool.x86_64"] = 2
    lab.change(node, running=False)
    lab.clock.advance(day("2026-03-16"))
    lab.change(node, running=True)
    assert (node.online, node.booted, node.installed["tool.x86_64"]) == (True, day("2026-03-16"), 2)
    assert f"{node.id} is online again" in lab.log


def test_a_role_that_is_mended_restarts_nothing(lab: Lab) -> None:
    node = lab.launch()
    node.pending_reboot.add("tool.x86_64")
    lab.change(node, role="")
    lab.clock.advance(day("2026-03-16"))
    lab.change(node, role=NODE_ROLE)
    assert node.online
    assert node.pending_reboot == {"tool.x86_64"}


def test_a_node_whose_instance_is_terminated_is_gone(lab: Lab) -> None:
    node = lab.launch()
    lab.cloud.running.clear()
    assert lab.engine.fleet.nodes() == []
    assert lab.engine.fleet.get(node.id) is None
    assert lab.engine.fleet.unmanaged == {}


def test_tags_and_role_are_those_of_the_instance_now(lab: Lab) -> None:
    node = lab.launch(Stage="test")
    lab.change(node, tags={"Stage": "prod"}, role=TOPIC)
    assert (node.tags, node.role) == ({"Stage": "prod"}, TOPIC)


def test_nodes_are_selected_by_all_keys_and_one_of_the_values(lab: Lab) -> None:
    nodes = [lab.launch(Stage=stage, App=app) for stage, app in (("prod", "web"), ("test", "web"), ("prod", "db"))]
    selected = lab.engine.fleet.select(Targets.tags({"Stage": "prod", "App": ["web", "mail"]}))
    assert selected == [nodes[0]]


def test_a_node_does_not_ping_while_nobody_looks(lab: Lab) -> None:
    node = lab.launch()
    lab.clock.advance(lab.clock.now + seconds(600))
    assert node.last_ping == day("2026-03-15")
    lab.engine.fleet.nodes()
    assert node.last_ping == lab.clock.now
