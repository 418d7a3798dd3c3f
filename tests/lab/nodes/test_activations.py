"""Machines outside of EC2 that register with an activation."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from lab.nodes.activations import Activation
from lab.nodes.fleet import REGISTRATION_ACTIONS
from lab.nodes.node import ManagedNode
from lab.world.errors import ApiError
from patching.targets import Targets
from tests.lab.simulated import NODE_ROLE, SENDER, Lab, reported


def activation(lab: Lab, **given: Any) -> Activation:
    return lab.engine.activations.create(**{"role": "node", **given})


def register(lab: Lab, made: Activation | None = None, image: str = "linux") -> ManagedNode:
    made = made or activation(lab)
    return lab.engine.activations.register(made.id, made.code, image)


def problem(lab: Lab, made: Activation, **given: str) -> str:
    """Return the code with which a registration is refused."""
    with pytest.raises(ApiError) as error:
        lab.engine.activations.register(
            given.get("id", made.id), given.get("code", made.code), given.get("image", "linux")
        )
    assert made.registrations <= made.limit
    return error.value.code


def test_a_machine_is_a_managed_node_with_the_role_the_name_and_the_tags_of_its_activation(lab: Lab) -> None:
    made = activation(lab, name="rack 7", tags={"Fleet": "a", "Site": "Bonn"})
    node = register(lab, made)
    assert lab.engine.fleet.nodes() == [node]
    assert lab.engine.fleet.get(node.id) is node
    assert node.id.startswith("mi-0")
    assert len(node.id) == 20
    assert (node.hybrid, node.name, node.role, node.activation_id) == (True, "rack 7", NODE_ROLE, made.id)
    assert (node.tags, node.online) == ({"Fleet": "a", "Site": "Bonn"}, True)
    assert f"{node.id} registered as a managed node" in lab.log


def test_a_machine_has_what_is_installed_on_an_image_or_the_oldest_of_a_system(lab: Lab) -> None:
    assert register(lab, image="windows").catalogue.system == "WINDOWS"
    assert register(lab, image="UBUNTU").installed == {"secure.amd64": 0, "feature.amd64": 0}


def test_machines_are_patched_like_other_nodes(lab: Lab) -> None:
    lab.approve()
    node = register(lab, activation(lab, tags={"Fleet": "a"}))
    assert lab.run().status == "Success"
    assert reported(node) == {"tool": "Installed", "plain": "InstalledOther"}
    assert lab.run(targets=Targets.instances(node.id)).status == "Success"


def test_what_happens_on_a_machine_is_told_by_its_own_arn(lab: Lab) -> None:
    node = register(lab, activation(lab, tags={"Fleet": "a"}))
    lab.run()
    told = {one for event in lab.engine.event_bus.events for one in event["resources"]}
    assert told == {f"arn:aws:ssm:us-east-1:123456789012:managed-instance/{node.id}"}


def test_a_sender_needs_permission_for_the_machine_by_its_own_arn(lab: Lab) -> None:
    node = register(lab, activation(lab, tags={"Fleet": "a"}))
    lab.cloud.forbid(SENDER, "ssm:SendCommand", f"arn:aws:ssm:us-east-1:123456789012:managed-instance/{node.id}")
    command = lab.run(sender_role=SENDER)
    assert [one.details for one in command.invocations.values()] == ["AccessDenied"]


def test_an_activation_has_room_for_one_machine_unless_it_says_otherwise(lab: Lab) -> None:
    made = activation(lab)
    register(lab, made)
    assert problem(lab, made) == "InvalidActivation"
    more = activation(lab, limit=2)
    register(lab, more)
    register(lab, more)
    assert problem(lab, more) == "InvalidActivation"
    assert (made.registrations, more.registrations) == (1, 2)


def test_an_activation_expires_after_a_day_unless_it_says_otherwise(lab: Lab) -> None:
    made, longer = activation(lab), activation(lab, expires=lab.clock.now + timedelta(days=30))
    lab.clock.advance(lab.clock.now + timedelta(hours=24))
    assert lab.engine.activations.expired(made)
    assert problem(lab, made) == "InvalidActivation"
    register(lab, longer)


@pytest.mark.parametrize("away", [timedelta(days=30, seconds=1), timedelta(), timedelta(days=-1)])
def test_an_activation_lasts_thirty_days_at_most(lab: Lab, away: timedelta) -> None:
    with pytest.raises(ApiError, match="is not within 30 days"):
        activation(lab, expires=lab.clock.now + away)


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"code": "x" * 20}, "InvalidActivation"),
        ({"id": "gone"}, "InvalidActivation"),
        ({"image": "solaris"}, "ValidationException"),
    ],
)
def test_a_machine_that_proves_nothing_is_refused(lab: Lab, given: dict[str, str], code: str) -> None:
    assert problem(lab, activation(lab), **given) == code


def test_a_deleted_activation_lets_no_further_machine_register_and_keeps_those_that_are_there(lab: Lab) -> None:
    made = activation(lab, limit=2)
    node = register(lab, made)
    lab.engine.activations.delete(made.id)
    assert problem(lab, made) == "InvalidActivation"
    assert lab.engine.fleet.nodes() == [node]


def test_a_role_that_systems_manager_cannot_assume_is_refused(lab: Lab) -> None:
    made = activation(lab)
    lab.cloud.distrusted.add(NODE_ROLE)
    with pytest.raises(ApiError, match="may not assume it"):
        activation(lab)
    assert problem(lab, made) == "ValidationException"


@pytest.mark.parametrize("action", REGISTRATION_ACTIONS)
def test_a_machine_whose_role_allows_too_little_loses_its_connection_with_the_reason(lab: Lab, action: str) -> None:
    node = register(lab)
    lab.cloud.forbid(NODE_ROLE, action)
    assert lab.engine.fleet.get(node.id) is node
    assert not node.online
    assert lab.engine.fleet.unmanaged == {node.id: f"its role does not allow {action}"}


def test_a_machine_with_another_role_is_back(lab: Lab) -> None:
    node = register(lab)
    lab.cloud.forbid(NODE_ROLE, REGISTRATION_ACTIONS[0])
    lab.engine.fleet.nodes()
    lab.engine.activations.change_role(node.id, "sender")
    lab.engine.fleet.nodes()
    assert (node.role, node.online) == (SENDER, True)


def test_only_a_machine_outside_of_ec2_can_be_deregistered_or_given_a_role(lab: Lab) -> None:
    instance, machine = lab.launch(), register(lab)
    for call in (lab.engine.activations.deregister, lambda one: lab.engine.activations.change_role(one, "node")):
        with pytest.raises(ApiError, match="is not a managed node that registered"):
            call(instance.id)
    lab.engine.activations.deregister(machine.id)
    assert lab.engine.fleet.nodes() == [instance]
