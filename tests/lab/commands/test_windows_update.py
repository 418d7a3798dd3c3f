"""AWS's documents for updates of Windows, beside patch baselines."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from lab.nodes.node import ManagedNode
from lab.nodes.patch_operation import DURATIONS
from lab.records.command import StepRun
from patching.operating_system import PlatformType
from tests.lab.simulated import Lab, day, step_of

PICK_UP = timedelta(seconds=2)
TITLE = "2026-03 Cumulative Update (KB3)"
NAMES = {
    "AWS-InstallWindowsUpdates": "InstallWindowsUpdates",
    "AWS-FindWindowsUpdates": "aws:runPowerShellScript",
    "AWS-InstallMissingWindowsUpdates": "aws:runPowerShellScript",
}


@pytest.fixture
def node(lab: Lab) -> ManagedNode:
    return lab.launch("windows")


def run(lab: Lab, document: str = "AWS-InstallWindowsUpdates", **parameters: str) -> StepRun:
    given = {name: [value] for name, value in parameters.items()}
    return step_of(lab.run_document(document, given), NAMES[document])


def found(lab: Lab, **parameters: str) -> bool:
    """Tell whether the only update that the node lacks, KB3 of 10 March, is found on 15 March."""
    return "Found: 2026-03 Cumulative Update (KB3)" in run(lab, Action="Scan", **parameters).output


def test_an_installation_puts_in_what_the_node_lacks_and_restarts_whatever_a_baseline_says(
    lab: Lab, node: ManagedNode
) -> None:
    before = lab.clock.now
    assert "Installed: 2026-03 Cumulative Update (KB3)" in run(lab, Action="Install").output
    assert (node.installed, node.states) == ({"KB1": 2}, None)
    assert node.booted > before
    assert not node.pending_reboot
    assert "None." in run(lab, Action="Install").output


def test_without_a_restart_it_stays_pending(lab: Lab, node: ManagedNode) -> None:
    before = node.booted
    run(lab, Action="Install", AllowReboot="False")
    assert (node.installed, node.booted) == ({"KB1": 2}, before)
    assert lab.scan(node)["KB3"] == "InstalledPendingReboot"


def test_a_scan_changes_nothing(lab: Lab, node: ManagedNode) -> None:
    assert found(lab)
    assert node.installed == {"KB1": 0}


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"IncludeKbs": "KB3"}, True),
        ({"IncludeKbs": "1, 3"}, True),
        ({"IncludeKbs": "KB4"}, False),
        ({"ExcludeKbs": "kb3"}, False),
        ({"ExcludeKbs": "KB4"}, True),
        ({"Categories": "CriticalUpdates,SecurityUpdates"}, True),
        ({"Categories": "Drivers"}, False),
        ({"SeverityLevels": "Critical"}, True),
        ({"SeverityLevels": "Low"}, False),
        ({"PublishedDaysOld": "4"}, True),
        ({"PublishedDaysOld": "5"}, False),
        ({"PublishedDateAfter": "2026-03-10"}, True),
        ({"PublishedDateAfter": "2026-03-11"}, False),
        ({"PublishedDateBefore": "2026-03-11"}, True),
        ({"PublishedDateBefore": "2026-03-10"}, False),
    ],
)
def test_updates_are_chosen(lab: Lab, node: ManagedNode, parameters: dict[str, str], expected: bool) -> None:
    assert node
    assert found(lab, **parameters) is expected


def test_a_date_that_is_none_fails_the_step(lab: Lab, node: ManagedNode) -> None:
    step = run(lab, Action="Install", PublishedDateAfter="yesterday")
    assert (step.code, step.error) == (1, "'yesterday' is not a day such as 2026-11-16.\n")
    assert node.installed == {"KB1": 0}


def test_a_node_that_cannot_install_says_so(lab: Lab, node: ManagedNode) -> None:
    node.fault = "No space left on device"
    step = run(lab, Action="Install")
    assert (step.code, step.error, node.installed) == (1, "No space left on device\n", {"KB1": 0})


def test_an_update_for_a_feature_that_is_not_there_is_not_found(lab: Lab, node: ManagedNode) -> None:
    (chain,) = node.catalogue.packages
    node.catalogue = replace(node.catalogue, packages=(replace(chain, feature="Web-Server"),))
    assert not found(lab)
    node.features = ("Web-Server",)
    assert found(lab)


@pytest.mark.parametrize(
    ("level", "expected"), [("All", True), ("Important", True), ("Optional", False), ("None", False)]
)
def test_updates_are_found_by_their_level(lab: Lab, node: ManagedNode, level: str, expected: bool) -> None:
    output = run(lab, "AWS-FindWindowsUpdates", UpdateLevel=level).output
    assert ("Found: 2026-03 Cumulative Update (KB3)" in output) is expected
    run(lab, "AWS-InstallMissingWindowsUpdates", UpdateLevel=level)
    assert node.installed == {"KB1": 2 if expected else 0}


def test_an_update_without_a_severity_is_optional(lab: Lab, node: ManagedNode) -> None:
    (chain,) = node.catalogue.packages
    releases = [replace(one, severity="Unspecified") for one in chain.releases]
    node.catalogue = replace(node.catalogue, packages=(replace(chain, releases=releases),))
    assert "KB3" in run(lab, "AWS-FindWindowsUpdates", UpdateLevel="Optional").output
    assert "KB3" not in run(lab, "AWS-FindWindowsUpdates", UpdateLevel="Important").output


def test_the_older_document_for_baselines_does_what_the_newer_one_does(lab: Lab, node: ManagedNode) -> None:
    lab.clock.advance(lab.clock.now + timedelta(days=7))
    command = lab.run_document("AWS-ApplyPatchBaseline", {"Operation": ["Scan"]})
    assert command.status == "Success"
    assert node.states
    assert [one.patch.name for one in node.states.non_compliant] == ["KB3"]


def took(step: StepRun) -> timedelta:
    assert step.started
    assert step.ended
    return step.ended - step.started


def test_it_takes_its_scan_its_updates_and_its_restart(lab: Lab, node: ManagedNode) -> None:
    assert node
    takes = DURATIONS[PlatformType.WINDOWS]
    assert took(run(lab, "AWS-FindWindowsUpdates", UpdateLevel="All")) == takes.scan
    assert took(run(lab, Action="Scan")) == takes.scan
    assert took(run(lab, Action="Install", AllowReboot="False")) == takes.scan + takes.install_each


def test_what_installs_what_is_missing_restarts_too(lab: Lab, node: ManagedNode) -> None:
    before = node.booted
    step = run(lab, "AWS-InstallMissingWindowsUpdates", UpdateLevel="All")
    takes = DURATIONS[PlatformType.WINDOWS]
    assert took(step) == takes.scan + takes.install_each + takes.reboot
    assert step.code == 0
    assert step.output == f"[simulated] Updates of {node.id}, beside any patch baseline.\nInstalled: {TITLE}\n"
    assert (node.booted > before, node.pending_reboot) == (True, set())
    assert node.installed_at == {"KB1": node.booted - takes.reboot}


def test_output_says_what_was_found(lab: Lab, node: ManagedNode) -> None:
    head = f"[simulated] Updates of {node.id}, beside any patch baseline.\n"
    for step in (run(lab, Action="Scan"), run(lab, "AWS-FindWindowsUpdates", UpdateLevel="All")):
        assert (step.code, step.output) == (0, f"{head}Found: {TITLE}\n")
    assert run(lab, Action="Scan", IncludeKbs="KB4").output == f"{head}None.\n"


def test_a_day_with_an_offset_begins_there(lab: Lab, node: ManagedNode) -> None:
    assert node
    assert found(lab, PublishedDateAfter="2026-03-10T19:00:00+02:00")  # it came out at 18:00 UTC
    assert not found(lab, PublishedDateAfter="2026-03-10T21:00:00+02:00")
    assert not found(lab, PublishedDateAfter="2026-03-10T18:00:00")
    assert not found(lab, PublishedDateBefore="2026-03-10T18:00:00")


def test_a_node_that_cannot_install_and_lacks_nothing_is_well(lab: Lab, node: ManagedNode) -> None:
    node.fault = "0x80070070"
    step = run(lab, Action="Install", IncludeKbs="KB4")
    assert (step.code, step.error) == (0, "")


def test_the_first_update_of_a_chain_that_was_never_there_is_found(lab: Lab, node: ManagedNode) -> None:
    (chain,) = node.catalogue.packages
    only = replace(chain, releases=chain.releases[:1], titles=chain.titles[:1])
    node.catalogue, node.installed = replace(node.catalogue, packages=(only,)), {}
    run(lab, Action="Install")
    assert node.installed == {"KB1": 0}


def test_an_update_without_a_severity_is_chosen_as_unspecified(lab: Lab, node: ManagedNode) -> None:
    (chain,) = node.catalogue.packages
    releases = [replace(one, severity="") for one in chain.releases]
    node.catalogue = replace(node.catalogue, packages=(replace(chain, releases=releases),))
    assert found(lab, SeverityLevels="Unspecified")
    assert not found(lab, SeverityLevels="Critical")


def test_an_update_is_as_old_as_it_is_to_the_second(lab: Lab, node: ManagedNode) -> None:
    assert node
    lab.clock.advance(day("2026-03-15 18:00") - PICK_UP)
    assert found(lab, PublishedDaysOld="5")
