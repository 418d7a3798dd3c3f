"""How the associations of a node went on it."""

from __future__ import annotations

import json

from lab.associations.association_results import overall, results_on
from lab.nodes.node import ManagedNode
from lab.world.cloud import StoredDocument
from patching.rate_control import RateControl
from patching.targets import Targets
from tests.lab.simulated import Lab, shell


def associate(lab: Lab, node: ManagedNode, *commands: str) -> str:
    """Make an association that runs these commands on a node."""
    name = f"document-{len(lab.cloud.documents)}"
    content = {"schemaVersion": "2.2", "mainSteps": [shell("only", *commands)]}
    lab.cloud.documents[name] = StoredDocument("Command", "1", json.dumps(content))
    made = lab.engine.state_manager.create(
        name=name,
        document=name,
        parameters={},
        targets=Targets.instances(node.id),
        schedule=None,
        only_at_interval=False,
        rate_control=RateControl("100%", "100%"),
    )
    return made.id


def status(lab: Lab, node: ManagedNode) -> str:
    return overall(results_on(node, lab.engine.state_manager.associations.values()))


def test_a_node_that_no_association_ran_on_has_no_status(lab: Lab) -> None:
    node, other = lab.launch(), lab.launch()
    associate(lab, other)
    lab.clock.finish_work()
    assert (status(lab, node), status(lab, other)) == ("", "Success")


def test_one_that_is_not_over_makes_it_pending_and_one_that_failed_makes_it_failed(lab: Lab) -> None:
    node = lab.launch()
    associate(lab, node)
    lab.clock.finish_work()
    assert status(lab, node) == "Success"
    associate(lab, node, "exit 1")
    assert status(lab, node) == "Pending"
    lab.clock.finish_work()
    assert status(lab, node) == "Failed"


def test_only_the_last_execution_counts(lab: Lab) -> None:
    node = lab.launch()
    made = associate(lab, node, "exit 1")
    lab.clock.finish_work()
    lab.cloud.documents["document-0"] = StoredDocument(
        "Command", "1", json.dumps({"schemaVersion": "2.2", "mainSteps": [shell("only", "ls")]})
    )
    lab.engine.state_manager.apply(lab.engine.state_manager.get(made))
    lab.clock.finish_work()
    assert status(lab, node) == "Success"
