"""What is known of the compliance of nodes, and what somebody puts."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from lab.associations.compliance import NodeCompliance, count_nodes
from lab.associations.put_compliance import PutCompliance, PutItem
from lab.nodes.node import ManagedNode
from lab.world.cloud import StoredDocument
from lab.world.errors import ApiError
from patching.baseline import ComplianceLevel
from patching.rate_control import RateControl
from patching.targets import Targets
from tests.lab.simulated import Lab, shell

HIGH, LOW = ComplianceLevel.HIGH, ComplianceLevel.LOW


def put(lab: Lab, node: ManagedNode, kind: str, *items: PutItem, partial: bool = False, **more: Any) -> None:
    now = lab.clock.now
    lab.engine.compliance.put.put(node.id, PutCompliance(kind, items, now, now, **more), partial=partial)


def item(key: str = "one", *, compliant: bool = False, severity: ComplianceLevel = HIGH) -> PutItem:
    return PutItem(key, key, severity, compliant)


def known(lab: Lab, node: ManagedNode) -> dict[str, NodeCompliance]:
    return {one.type: one for one in lab.engine.compliance.of(node)}


def statuses(lab: Lab, node: ManagedNode, kind: str) -> dict[str, str]:
    return {one.id: one.status for one in known(lab, node)[kind].items}


def associate(lab: Lab, node: ManagedNode, command: str = "ls", **more: Any) -> str:
    content = {"schemaVersion": "2.2", "mainSteps": [shell("only", command)]}
    lab.cloud.documents[command] = StoredDocument("Command", "1", json.dumps(content))
    made = lab.engine.state_manager.create(
        name="mine",
        document=command,
        parameters={},
        targets=Targets.instances(node.id),
        schedule=None,
        only_at_interval=False,
        rate_control=RateControl("100%", "100%"),
        **more,
    )
    lab.clock.finish_work()
    return made.id


def again(lab: Lab, association: str) -> None:
    lab.clock.advance(lab.clock.now + timedelta(minutes=1))
    lab.engine.state_manager.apply(lab.engine.state_manager.get(association))
    lab.clock.finish_work()


def test_a_node_of_which_nothing_is_known_has_no_compliance(lab: Lab) -> None:
    assert known(lab, lab.launch()) == {}


def test_patches_are_compliance_once_they_are_scanned(lab: Lab) -> None:
    node = lab.launch()
    lab.approve(compliance_level=HIGH)
    lab.scan(node)
    patches = known(lab, node)["Patch"]
    assert {one.id: one.status for one in patches.items} == {
        "tool.x86_64": "NON_COMPLIANT",
        "plain.noarch": "COMPLIANT",
    }
    assert (patches.compliant, patches.severity, patches.overall_severity) == (False, HIGH, HIGH)
    lab.run()
    patches = known(lab, node)["Patch"]
    assert (patches.compliant, patches.severity, patches.overall_severity) == (True, HIGH, ComplianceLevel.UNSPECIFIED)


def test_a_patch_that_does_not_apply_is_neither_compliant_nor_not(lab: Lab) -> None:
    node = lab.launch("windows")
    (chain,) = node.catalogue.packages
    node.catalogue = replace(node.catalogue, packages=(replace(chain, feature="Web-Server"),))
    lab.clock.advance(lab.clock.now + timedelta(days=7))
    lab.scan(node)
    patches = known(lab, node)["Patch"]
    assert [(one.id, one.status) for one in patches.items] == [("KB3", "")]
    assert patches.compliant
    assert not patches.levels(compliant=True)


def test_an_association_complies_if_it_succeeded(lab: Lab) -> None:
    node = lab.launch()
    well, badly = associate(lab, node, severity="LOW"), associate(lab, node, "exit 1", severity="HIGH")
    associations = known(lab, node)["Association"]
    assert {one.id: (one.status, one.severity) for one in associations.items} == {
        well: ("COMPLIANT", LOW),
        badly: ("NON_COMPLIANT", HIGH),
    }
    assert associations.items[0].details == {"DocumentName": "ls", "DocumentVersion": "$DEFAULT"}
    assert associations.items[0].title == "mine"


def test_an_association_that_runs_has_the_compliance_of_its_last_run(lab: Lab) -> None:
    node = lab.launch()
    made = associate(lab, node)
    lab.engine.state_manager.apply(lab.engine.state_manager.get(made))
    assert statuses(lab, node, "Association") == {made: "COMPLIANT"}


def test_what_somebody_puts_is_compliance_of_its_own(lab: Lab) -> None:
    node, other = lab.launch(), lab.launch()
    put(lab, node, "Custom:Virus", item(), item("two", compliant=True))
    assert statuses(lab, node, "Custom:Virus") == {"one": "NON_COMPLIANT", "two": "COMPLIANT"}
    assert known(lab, other) == {}
    put(lab, node, "Custom:Virus", item(compliant=True))
    assert statuses(lab, node, "Custom:Virus") == {"one": "COMPLIANT"}


def test_what_is_put_of_patches_holds_until_the_next_scan(lab: Lab) -> None:
    node = lab.launch()
    lab.scan(node)
    lab.clock.advance(lab.clock.now + timedelta(minutes=1))
    put(lab, node, "Patch", item("KB1"))
    assert statuses(lab, node, "Patch") == {"KB1": "NON_COMPLIANT"}
    lab.scan(node)
    assert set(statuses(lab, node, "Patch")) == {"tool.x86_64", "plain.noarch"}


def test_what_is_put_of_an_association_holds_until_it_runs_again(lab: Lab) -> None:
    node = lab.launch()
    made, other = associate(lab, node), associate(lab, node, "exit 1")
    lab.clock.advance(lab.clock.now + timedelta(minutes=1))
    put(lab, node, "Association", item(made))
    assert statuses(lab, node, "Association") == {made: "NON_COMPLIANT", other: "NON_COMPLIANT"}
    again(lab, made)
    assert statuses(lab, node, "Association") == {made: "COMPLIANT", other: "NON_COMPLIANT"}


def test_an_association_whose_compliance_is_put_by_hand_has_none_of_its_own(lab: Lab) -> None:
    node = lab.launch()
    made = associate(lab, node, sync_manually=True)
    assert known(lab, node) == {}
    put(lab, node, "Association", item(made))
    again(lab, made)
    assert statuses(lab, node, "Association") == {made: "NON_COMPLIANT"}


def test_a_part_of_the_associations_is_put_without_the_others(lab: Lab) -> None:
    node = lab.launch()
    put(lab, node, "Association", item("one"), item("two"))
    put(lab, node, "Association", item("two", compliant=True), partial=True)
    assert statuses(lab, node, "Association") == {"one": "NON_COMPLIANT", "two": "COMPLIANT"}
    put(lab, node, "Association", item("two"))
    assert statuses(lab, node, "Association") == {"two": "NON_COMPLIANT"}


def test_what_has_the_hash_of_what_is_there_changes_nothing(lab: Lab) -> None:
    node = lab.launch()
    put(lab, node, "Custom:Virus", item(), content_hash="1")
    put(lab, node, "Custom:Virus", item(compliant=True), content_hash="1")
    assert statuses(lab, node, "Custom:Virus") == {"one": "NON_COMPLIANT"}
    put(lab, node, "Custom:Virus", item(compliant=True), content_hash="2")
    assert statuses(lab, node, "Custom:Virus") == {"one": "COMPLIANT"}


def refused(lab: Lab, node: ManagedNode, kind: str, *, partial: bool = False) -> str:
    with pytest.raises(ApiError) as error:
        put(lab, node, kind, item(), partial=partial)
    return error.value.code


def test_what_is_no_type_or_too_many_is_refused(lab: Lab) -> None:
    node = lab.launch()
    assert refused(lab, node, "Virus") == "ValidationException"
    assert refused(lab, node, "Custom:Virus", partial=True) == "ValidationException"
    for number in range(10):
        put(lab, node, f"Custom:{number}", item())
    assert refused(lab, node, "Custom:10") == "ComplianceTypeCountLimitExceededException"
    put(lab, node, "Custom:9", item(compliant=True))
    put(lab, node, "Patch", item())


def test_nodes_are_counted_once_a_type_by_their_most_serious_item(lab: Lab) -> None:
    one, two = lab.launch(), lab.launch()
    put(lab, one, "Custom:Virus", item(severity=LOW), item("two"), item("three", compliant=True))
    put(lab, two, "Custom:Virus", item(severity=LOW, compliant=True))
    counts = count_nodes(compliance for node in (one, two) for compliance in lab.engine.compliance.of(node))
    assert counts == {"Custom:Virus": ({LOW: 1}, {HIGH: 1})}


def test_the_compliance_of_patches_says_where_it_comes_from(lab: Lab) -> None:
    node = lab.launch(PatchGroup="prod")
    lab.approve(group="prod")
    lab.scan(node)
    assert node.states
    baseline_id = node.states.baseline_id
    patches = known(lab, node)["Patch"]
    assert patches.details == {"PatchGroup": "prod", "PatchBaselineId": baseline_id}
    assert (patches.executed, patches.execution_type) == (node.states.ended, "Command")
    about = {"PatchGroup": "prod", "PatchBaselineId": baseline_id}
    assert {one.id: one.details for one in patches.items} == {
        "tool.x86_64": {
            **about,
            "PatchState": "Missing",
            "Classification": "Security",
            "PatchSeverity": "Important",
            "CVEIds": "CVE-0000-1,CVE-0000-2",
        },
        "plain.noarch": {**about, "PatchState": "InstalledOther"},
    }


def test_what_is_counted_is_what_the_items_say(lab: Lab) -> None:
    nodes = [lab.launch(), lab.launch("windows"), lab.launch("ubuntu")]
    lab.approve(compliance_level=HIGH)
    put(lab, nodes[0], "Custom:Backup", item("a"), item("b", compliant=True), item("c", severity=LOW))
    for node in nodes:
        lab.scan(node)
        for one in known(lab, node).values():
            for compliant in (True, False):
                by_items = Counter(it.severity for it in one.items if it.compliant is compliant)
                assert one.levels(compliant=compliant) == by_items


def test_the_compliance_of_associations_is_as_old_as_the_youngest_of_them(lab: Lab) -> None:
    node = lab.launch()
    associate(lab, node)
    lab.clock.advance(lab.clock.now + timedelta(hours=1))
    associate(lab, node, "exit 1")
    associations = known(lab, node)["Association"]
    older, younger = (one.executed for one in associations.items)
    assert older < younger == associations.executed


def test_an_association_of_a_version_says_which(lab: Lab) -> None:
    node = lab.launch()
    associate(lab, node, document_version="1")
    (only,) = known(lab, node)["Association"].items
    assert only.details["DocumentVersion"] == "1"


def test_an_association_without_a_name_is_titled_by_its_document(lab: Lab) -> None:
    node = lab.launch()
    made = associate(lab, node)
    lab.engine.state_manager.get(made).name = ""
    (only,) = known(lab, node)["Association"].items
    assert only.title == "ls"


def test_what_is_put_at_the_time_of_a_scan_or_a_run_takes_its_place(lab: Lab) -> None:
    node = lab.launch()
    made = associate(lab, node)
    lab.scan(node)
    put(lab, node, "Patch", item("KB1"))
    put(lab, node, "Association", item(made))
    assert statuses(lab, node, "Patch") == {"KB1": "NON_COMPLIANT"}
    assert statuses(lab, node, "Association") == {made: "NON_COMPLIANT"}


def test_what_is_put_of_patches_of_a_node_that_was_never_scanned_holds(lab: Lab) -> None:
    node = lab.launch()
    put(lab, node, "Patch", item("KB1"))
    assert statuses(lab, node, "Patch") == {"KB1": "NON_COMPLIANT"}


def test_what_is_put_when_an_association_ends_takes_its_place(lab: Lab) -> None:
    node = lab.launch()
    made = associate(lab, node)
    put(lab, node, "Association", item(made))
    assert statuses(lab, node, "Association") == {made: "NON_COMPLIANT"}
