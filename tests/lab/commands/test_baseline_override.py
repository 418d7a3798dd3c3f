"""Patching with baselines that lie in S3, instead of those that are registered."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from lab.patches.snapshots import Snapshot, Snapshots
from lab.records.command import Command
from patching.operating_system import OperatingSystem
from tests.lab.simulated import NODE_ROLE, Lab, baseline, day, invocations, reported, step_of, work_of

AT = "s3://output/baselines.json"
SNAPSHOT = "01234567-89ab-cdef-0123-456789abcdef"


def put(lab: Lab, *baselines: dict[str, Any], text: str = "") -> None:
    lab.cloud.objects["baselines.json"] = text or json.dumps(baselines)


def approving(delay: int = 0, **fields: Any) -> dict[str, Any]:
    """Return what GetPatchBaseline gives of a baseline for Linux, without its name."""
    api = baseline(delay=delay, **fields).to_api()
    return {key: value for key, value in api.items() if key != "Name"}


def run(lab: Lab, operation: str = "Scan", **parameters: str) -> Command:
    given = {"Operation": operation, "BaselineOverride": AT, **parameters}
    return lab.run_document("AWS-RunPatchBaseline", {name: [value] for name, value in given.items()})


def test_the_override_decides_what_is_installed(lab: Lab) -> None:
    lab.approve(delay=360)
    node = lab.launch()
    put(lab, approving(delay=7))
    assert run(lab, "Install").status == "Success"
    assert node.installed["tool.x86_64"] == 1


def test_the_recorded_compliance_stays_that_of_the_registered_baseline(lab: Lab) -> None:
    lab.approve(delay=360)
    node = lab.launch()
    put(lab, approving())
    output = work_of(invocations(run(lab))[0]).output
    assert f"Baseline Override: {AT}" in output
    assert "Missing: tool.x86_64:1.2-1" in output
    assert node.states is None
    assert lab.scan(node)["tool"] == "InstalledOther"
    run(lab)
    assert reported(node)["tool"] == "InstalledOther"


def test_output_tells_all_that_is_not_compliant(lab: Lab) -> None:
    lab.launch()
    put(lab, approving())
    run(lab, "Install", RebootOption="NoReboot")
    assert "InstalledPendingReboot: tool.x86_64:1.2-1" in work_of(invocations(run(lab))[0]).output
    put(lab, approving(rejected=("tool*",), rejected_action="BLOCK"))
    assert "InstalledRejected: tool.x86_64:1.2-1" in work_of(invocations(run(lab))[0]).output


def test_a_patch_policy_records_compliance_for_its_association(lab: Lab) -> None:
    node = lab.launch()
    put(lab, {**approving(), "BaselineId": "pb-0123456789abcdef0"})
    run(lab, AssociationId=SNAPSHOT)
    assert node.states
    assert (node.states.execution_type, node.states.baseline_id) == ("PatchPolicy", "pb-0123456789abcdef0")
    assert reported(node)["tool"] == "Missing"
    lab.run_document("AWS-RunPatchBaseline", {"Operation": ["Scan"], "AssociationId": [SNAPSHOT]})
    assert node.states.execution_type == "Command"


def test_a_baseline_without_an_id_goes_by_that_of_the_registered_one(lab: Lab) -> None:
    node = lab.launch()
    put(lab, approving())
    run(lab, AssociationId=SNAPSHOT)
    assert node.states
    assert node.states.baseline_id == lab.engine.baselines.default(node.catalogue.system).id


def test_each_system_has_its_baseline(lab: Lab) -> None:
    linux, windows = lab.launch(), lab.launch("windows")
    windows_baseline = baseline(OperatingSystem.WINDOWS).to_api()
    put(lab, windows_baseline, approving())
    command = run(lab, "Install")
    assert command.status == "Success"
    assert (linux.installed["tool.x86_64"], windows.installed) == (2, {"KB1": 2})


def failed(lab: Lab, **parameters: str) -> str:
    """Return why a node could not be patched; nothing was done to it."""
    node = lab.launch()
    before = dict(node.installed)
    command = run(lab, "Install", **parameters)
    step = step_of(command, "PatchLinux")
    assert (command.status, step.code, node.installed, node.states) == ("Failed", 1, before, None)
    assert "Nothing was scanned or installed" in step.output
    return step.error


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[", "not JSON"),
        ("{}", "not a list of baselines"),
        ("[]", "not a list of baselines"),
        ("[1]", "not a list of baselines"),
        ('[{"OperatingSystem": "SUSE"}, 1]', "not a list of baselines"),
        ('[{"OperatingSystem": "OS2"}]', "baseline 1: 'OS2' is not an operating system"),
        ('[{"OperatingSystem": "SUSE"}, {"OperatingSystem": "SUSE"}]', "two baselines are for SUSE"),
        ('[{"OperatingSystem": "SUSE"}]', "no baseline in it is for AMAZON_LINUX_2023; it has SUSE"),
        ('[{"ApprovalRules": 1}]', "baseline 1 is not as GetPatchBaseline gives one"),
    ],
)
def test_what_is_no_list_of_baselines_fails_the_node(lab: Lab, text: str, problem: str) -> None:
    put(lab, text=text)
    assert problem in failed(lab)


def test_a_list_that_is_not_there_fails_the_node(lab: Lab) -> None:
    assert "there is no object baselines.json" in failed(lab)


def test_a_list_that_the_nodes_role_may_not_read_fails_it(lab: Lab) -> None:
    put(lab, approving())
    lab.cloud.forbid(NODE_ROLE, "s3:GetObject", "arn:aws:s3:::output/*")
    assert f"{NODE_ROLE} does not allow s3:GetObject" in failed(lab)


@pytest.mark.parametrize("operation", ["Scan", "Install"])
def test_a_list_of_patches_and_one_of_baselines_exclude_each_other(lab: Lab, operation: str) -> None:
    node = lab.launch()
    put(lab, approving())
    command = run(lab, operation, InstallOverrideList="s3://output/list.yaml")
    assert "exclude each other" in step_of(command, "PatchLinux").error
    assert node.states is None


# Snapshots.


def test_under_a_snapshot_the_list_is_read_once(lab: Lab) -> None:
    first = lab.launch()
    put(lab, approving(delay=7))
    run(lab, "Install", SnapshotId=SNAPSHOT)
    put(lab, approving())
    second = lab.launch()
    run(lab, "Install", SnapshotId=SNAPSHOT)
    assert (first.installed["tool.x86_64"], second.installed["tool.x86_64"]) == (1, 1)
    run(lab, "Install")
    assert second.installed["tool.x86_64"] == 2


def scan(lab: Lab, snapshot: str) -> str:
    lab.run_document("AWS-RunPatchBaseline", {"Operation": ["Scan"], "SnapshotId": [snapshot]})
    (node,) = lab.engine.fleet.nodes()
    assert node.states is not None
    (report,) = [one for one in node.states.reports if one.patch.name == "tool"]
    return f"{report.state} {report.patch.version}"


def test_a_snapshot_keeps_what_was_approved_when_it_was_taken_for_three_days(lab: Lab) -> None:
    lab.launch()
    lab.approve(delay=2, approved=("tool-1.1-1",))
    assert scan(lab, SNAPSHOT) == "Missing 1.2-1"
    lab.approve(delay=360)
    assert scan(lab, SNAPSHOT) == "Missing 1.2-1"
    assert scan(lab, "") == "InstalledOther 1.0-1"
    lab.clock.advance(lab.clock.now + timedelta(days=3))
    assert scan(lab, SNAPSHOT) == "InstalledOther 1.0-1"


def test_a_snapshot_has_no_patch_that_comes_out_after_it(lab: Lab) -> None:
    lab.clock.advance(lab.clock.now.replace(month=4, day=29))
    lab.launch()
    lab.approve()
    assert scan(lab, SNAPSHOT) == "Missing 1.2-1"
    lab.clock.advance(lab.clock.now + timedelta(days=2))
    assert scan(lab, SNAPSHOT) == "Missing 1.2-1"
    assert scan(lab, "") == "Missing 1.3-1"


def test_a_snapshot_is_of_one_patch_group(lab: Lab) -> None:
    lab.launch(PatchGroup="late")
    lab.approve()
    lab.approve(delay=360, group="late")
    assert scan(lab, SNAPSHOT) == "InstalledOther 1.0-1"
    (node,) = lab.engine.fleet.nodes()
    lab.change(node, tags={"Fleet": "a"})
    assert scan(lab, SNAPSHOT) == "Missing 1.2-1"


def test_snapshots_are_kept_for_three_days_and_not_longer() -> None:
    snapshots, taken = Snapshots(), day("2026-03-15")

    def find(key: str, after: timedelta) -> datetime:
        now = taken + after
        return snapshots.find((key,), now, lambda: Snapshot("pb-1", baseline(), now)).taken

    assert find("one", timedelta()) == taken
    assert find("one", timedelta(days=3) - timedelta(seconds=1)) == taken
    assert find("two", timedelta(days=1)) == taken + timedelta(days=1)
    assert find("one", timedelta(days=3)) == taken + timedelta(days=3)
    assert find("two", timedelta(days=3)) == taken + timedelta(days=1)
    assert find("three", timedelta(days=4)) == taken + timedelta(days=4)
    assert set(snapshots._taken) == {("one",), ("three",)}
