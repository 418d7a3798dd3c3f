"""AWS-RunPatchBaselineAssociation: patching with a baseline that has a tag, reported for an association."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from lab.associations.compliance import NodeCompliance
from lab.nodes.node import ManagedNode
from patching.rate_control import RateControl
from patching.targets import Targets
from tests.lab.simulated import NODE_ROLE, Lab, baseline, step_of

DOCUMENT = "AWS-RunPatchBaselineAssociation"
GUID = "01234567-89ab-cdef-0123-456789abcdef"


def associate(lab: Lab, node: ManagedNode, **parameters: str) -> str:
    made = lab.engine.state_manager.create(
        name="patches",
        document=DOCUMENT,
        parameters={"Operation": ["Scan"], **{name: [value] for name, value in parameters.items()}},
        targets=Targets.instances(node.id),
        schedule=None,
        only_at_interval=False,
        rate_control=RateControl("100%", "100%"),
    )
    lab.clock.finish_work()
    return made.id


def known(lab: Lab, node: ManagedNode) -> dict[str, NodeCompliance]:
    return {one.type: one for one in lab.engine.compliance.of(node)}


def tagged(lab: Lab, value: str = "late", **given: Any) -> str:
    stored = lab.engine.baselines.create(baseline(**given), lab.clock.now)
    lab.engine.tags.add("PatchBaseline", stored.id, {"Ring": value})
    return stored.id


def test_what_is_found_is_compliance_of_the_association_and_not_of_patches(lab: Lab) -> None:
    node = lab.launch()
    lab.approve()
    made = associate(lab, node)
    assert node.states is None
    (item,) = known(lab, node)["Association"].items
    assert (item.id, item.status, item.title) == (made, "NON_COMPLIANT", "patches")
    assert item.details == {
        "DocumentName": DOCUMENT,
        "DocumentVersion": "$DEFAULT",
        "PatchBaselineId": lab.engine.baselines.default(node.catalogue.system).id,
    }
    assert "Patch" not in known(lab, node)


def test_a_node_that_has_all_patches_complies(lab: Lab) -> None:
    node = lab.launch()
    lab.approve()
    associate(lab, node, Operation="Install")
    assert node.installed["tool.x86_64"] == 2
    assert known(lab, node)["Association"].compliant


def test_patches_that_a_scan_reported_stay_as_they_are(lab: Lab) -> None:
    node = lab.launch()
    lab.approve(delay=360)
    before = lab.scan(node)
    lab.approve()
    associate(lab, node)
    assert {one.id: one.status for one in known(lab, node)["Patch"].items}["tool.x86_64"] == "COMPLIANT"
    assert before["tool"] == "InstalledOther"


@pytest.mark.parametrize("values", ["late", "early,late"])
def test_the_baseline_that_has_the_tag_is_used(lab: Lab, values: str) -> None:
    node = lab.launch(PatchGroup="group")
    lab.approve(group="group")
    made = tagged(lab, delay=360)
    associate(lab, node, BaselineTags=f"Key=Ring,Values={values}")
    (item,) = known(lab, node)["Association"].items
    assert (item.status, item.details["PatchBaselineId"]) == ("COMPLIANT", made)


def test_without_a_baseline_that_has_the_tag_it_is_the_one_of_the_group(lab: Lab) -> None:
    node = lab.launch(PatchGroup="group")
    lab.approve(group="group")
    tagged(lab, "other", delay=360)
    associate(lab, node, BaselineTags="Key=Ring,Values=late")
    assert not known(lab, node)["Association"].compliant


def problem(lab: Lab, node: ManagedNode, **parameters: str) -> str:
    given = {"Operation": "Scan", "AssociationId": GUID, **parameters}
    command = lab.run_document(DOCUMENT, {name: [value] for name, value in given.items()})
    assert node.association_states == {}
    return step_of(command, "PatchLinux").error


def test_several_baselines_that_have_the_tag_are_an_error(lab: Lab) -> None:
    node = lab.launch()
    tagged(lab)
    tagged(lab)
    assert "only one patch baseline may have the tag" in problem(lab, node, BaselineTags="Key=Ring,Values=late")


def test_baselines_of_other_systems_do_not_count(lab: Lab) -> None:
    node = lab.launch()
    made = tagged(lab, delay=360)
    other = lab.engine.baselines.create(baseline(lab.engine.catalogues[1].system), lab.clock.now)
    lab.engine.tags.add("PatchBaseline", other.id, {"Ring": "late"})
    associate(lab, node, BaselineTags="Key=Ring,Values=late")
    assert known(lab, node)["Association"].items[0].details["PatchBaselineId"] == made


@pytest.mark.parametrize("action", ["ssm:DescribePatchBaselines", "tag:GetResources", "ssm:GetPatchBaseline"])
def test_the_nodes_role_has_to_be_let_look_for_it(lab: Lab, action: str) -> None:
    node = lab.launch()
    tagged(lab)
    lab.cloud.forbid(NODE_ROLE, action)
    assert f"does not allow {action}" in problem(lab, node, BaselineTags="Key=Ring,Values=late")


def test_what_is_no_tag_or_no_association_fails_the_node(lab: Lab) -> None:
    node = lab.launch()
    assert "is not of the form Key=KEY,Values=VALUE" in problem(lab, node, BaselineTags="Ring=late")
    assert "AssociationId names no association" in problem(lab, node, AssociationId="")


def test_machines_outside_of_ec2_are_not_patched_by_it(lab: Lab) -> None:
    made = lab.engine.activations.create(role="node", tags={"Fleet": "a"})
    node = lab.engine.activations.register(made.id, made.code, "linux")
    assert "not for machines outside of EC2" in problem(lab, node)


def test_run_document_runs_a_document_by_its_name(lab: Lab) -> None:
    lab.launch()
    given = {"sourceType": ["SSMDocument"], "sourceInfo": ['{"name": "AWS-Noop"}']}
    assert lab.run_document("AWS-RunDocument", given).status == "Success"
    given["sourceInfo"] = ['{"name": "AWS-Gone"}']
    assert (
        "Document AWS-Gone does not exist" in step_of(lab.run_document("AWS-RunDocument", given), "runDocument").error
    )
    given["sourceType"] = ["S3"]
    assert "there is no document on a path" in step_of(lab.run_document("AWS-RunDocument", given), "runDocument").error


def test_an_association_that_is_gone_has_no_compliance_any_more(lab: Lab) -> None:
    node = lab.launch()
    lab.approve()
    made = associate(lab, node)
    assert "Association" in known(lab, node)
    lab.engine.state_manager.delete(made)
    assert "Association" not in known(lab, node)


def test_a_run_that_ended_without_a_report_is_when_the_association_was_executed_last(lab: Lab) -> None:
    node = lab.launch()
    tagged(lab)
    made = associate(lab, node, BaselineTags="Key=Ring,Values=late")
    (first,) = known(lab, node)["Association"].items
    lab.cloud.forbid(NODE_ROLE, "ssm:GetPatchBaseline")
    lab.clock.advance(lab.clock.now + timedelta(days=1))
    lab.engine.state_manager.apply(lab.engine.state_manager.get(made))
    lab.clock.finish_work()
    (second,) = known(lab, node)["Association"].items
    assert second.executed > first.executed + timedelta(hours=23)
