"""What a scan finds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

import pytest

from lab.nodes.evaluation import evaluate
from lab.nodes.node import Heartbeat, ManagedNode
from lab.patches.catalogue import Catalogue
from lab.patches.catalogue_file import built_in
from lab.patches.findings import PatchReport, is_critical, is_other, is_security
from patching.baseline import AvailableSecurityUpdates, ComplianceLevel, PatchBaseline, RejectedPatchesAction
from patching.compliance import PatchState
from patching.operating_system import OperatingSystem
from patching.run_patch_baseline import RebootOption, RunPatchBaseline
from tests.lab.simulated import LINUX, UBUNTU, WINDOWS, Lab, baseline, day

TODAY = day("2026-03-15")


def on(catalogue: Catalogue, image: int = 0, **installed: int) -> ManagedNode:
    """Return a node as launched from an image, or with these releases."""
    source = catalogue.images[image]
    keys = {package.releases[0].name: package.key for package in catalogue.packages}
    return ManagedNode(
        id="i-00000001",
        catalogue=catalogue,
        image_built=source.built,
        installed={keys[name]: index for name, index in installed.items()} or catalogue.installed_on(source),
        ip="10.0.0.1",
        computer_name="one",
        role="",
        tags={},
        registered=TODAY,
        booted=TODAY,
        heartbeat=Heartbeat(TODAY),
    )


def found(node: ManagedNode, using: PatchBaseline, at: str = "2026-03-15") -> dict[str, str]:
    """Return the states by the names of the patches; of packages of Linux, with the version."""
    reports, _ = evaluate(node, using, day(at))
    return {" ".join(filter(None, (one.patch.name, one.patch.version))): one.state.value for one in reports}


def report_on(name: str, reports: Iterable[PatchReport]) -> PatchReport:
    return next(one for one in reports if one.patch.name == name)


# Packages of rpm.


def test_an_approved_release_that_is_not_installed_is_missing() -> None:
    assert found(on(LINUX), baseline())["tool 1.2-1"] == "Missing"


def test_an_approved_release_that_is_installed_is_installed() -> None:
    assert found(on(LINUX, tool=2), baseline()) == {"tool 1.2-1": "Installed"}


def test_an_installed_release_that_nothing_approves_is_other() -> None:
    assert found(on(LINUX), baseline())["plain 1.0-1"] == "InstalledOther"


def test_the_newest_approved_of_several_releases_is_wanted() -> None:
    node = on(LINUX, tool=0)
    assert found(node, baseline(delay=7)) == {"tool 1.1-1": "Missing"}
    assert found(node, baseline(delay=0)) == {"tool 1.2-1": "Missing"}
    assert found(node, baseline(delay=15)) == {"tool 1.0-1": "InstalledOther"}


def test_a_delay_ends_at_the_hour_of_the_release() -> None:
    node = on(LINUX, tool=0)
    assert found(node, baseline(delay=7), "2026-03-07 23:59") == {"tool 1.0-1": "InstalledOther"}
    assert found(node, baseline(delay=7), "2026-03-08") == {"tool 1.1-1": "Missing"}


def test_a_release_newer_than_the_approved_one_is_not_taken_back() -> None:
    assert found(on(LINUX, tool=2), baseline(delay=7)) == {"tool 1.2-1": "InstalledOther"}


def test_a_release_that_is_not_out_yet_is_not_missing() -> None:
    node = on(LINUX, tool=2)
    assert found(node, baseline(), "2026-04-29") == {"tool 1.2-1": "Installed"}
    assert found(node, baseline(), "2026-04-30") == {"tool 1.3-1": "Missing"}


def test_releases_without_a_notice_need_the_option_for_non_security_updates() -> None:
    node = on(LINUX, plain=0)
    assert found(node, baseline()) == {"plain 1.0-1": "InstalledOther"}
    assert found(node, baseline(enable_non_security=True)) == {"plain 1.1-1": "Missing"}


def test_a_missing_release_closes_the_vulnerabilities_of_those_that_are_skipped_too() -> None:
    reports, _ = evaluate(on(LINUX), baseline(), TODAY)
    assert report_on("tool", reports).cves == ("CVE-0000-1", "CVE-0000-2")
    reports, _ = evaluate(on(LINUX, tool=1), baseline(), TODAY)
    assert report_on("tool", reports).cves == ("CVE-0000-2",)


def test_an_approved_package_that_is_not_there_counts_as_not_applicable() -> None:
    node = on(LINUX)
    reports, not_applicable = evaluate(node, baseline(), TODAY)
    assert not_applicable == 1
    assert "absent" not in {one.patch.name for one in reports}
    assert evaluate(node, baseline(delay=60), TODAY)[1] == 0


def test_a_rejected_release_is_never_missing() -> None:
    assert found(on(LINUX, tool=0), baseline(rejected=("tool",))) == {"tool 1.0-1": "InstalledOther"}


def test_the_next_best_release_is_wanted_when_the_newest_is_rejected() -> None:
    assert found(on(LINUX, tool=0), baseline(rejected=("CVE-0000-2",))) == {"tool 1.1-1": "Missing"}


@pytest.mark.parametrize(
    ("action", "state"),
    [
        (RejectedPatchesAction.BLOCK, "InstalledRejected"),
        (RejectedPatchesAction.ALLOW_AS_DEPENDENCY, "InstalledOther"),
    ],
)
def test_a_rejected_release_that_is_installed_is_reported_as_the_action_says(
    action: RejectedPatchesAction, state: str
) -> None:
    using = baseline(rejected=("tool",), rejected_action=action)
    assert found(on(LINUX, tool=2), using) == {"tool 1.2-1": state}


def test_the_action_for_rejected_patches_is_not_for_others() -> None:
    using = baseline(rejected=("other",), rejected_action=RejectedPatchesAction.BLOCK)
    assert found(on(LINUX), using) == {"tool 1.2-1": "Missing", "plain 1.0-1": "InstalledOther"}
    assert found(on(LINUX, tool=2), using) == {"tool 1.2-1": "Installed"}


def test_rejection_beats_approval_by_name() -> None:
    using = baseline(approved=("tool",), rejected=("tool",))
    assert found(on(LINUX, tool=0), using) == {"tool 1.0-1": "InstalledOther"}


def test_approval_by_name_knows_no_delay() -> None:
    using = baseline(delay=360, approved=("tool-1.2*",), approved_level=ComplianceLevel.HIGH)
    assert found(on(LINUX, tool=0), using) == {"tool 1.2-1": "Missing"}


def test_missing_and_installed_have_the_level_of_the_rule_and_other_has_none() -> None:
    using = baseline(compliance_level=ComplianceLevel.CRITICAL)
    reports, _ = evaluate(on(LINUX), using, TODAY)
    assert report_on("tool", reports).level is ComplianceLevel.CRITICAL
    assert report_on("plain", reports).level is ComplianceLevel.UNSPECIFIED
    reports, _ = evaluate(on(LINUX, tool=2), using, TODAY)
    assert report_on("tool", reports).level is ComplianceLevel.CRITICAL


def test_what_was_put_in_without_a_reboot_is_pending_also_if_nothing_approves_it_any_more() -> None:
    node = on(LINUX, tool=2)
    node.pending_reboot.add("tool.x86_64")
    assert found(node, baseline()) == {"tool 1.2-1": "InstalledPendingReboot"}
    assert found(node, baseline(delay=360)) == {"tool 1.2-1": "InstalledPendingReboot"}


# Packages of apt.


def test_apt_ignores_the_delay() -> None:
    assert found(on(UBUNTU), baseline(OperatingSystem.UBUNTU, delay=360), "2026-03-14")["secure 2"] == "Missing"


def test_apt_takes_security_updates_only_unless_the_rule_says_otherwise() -> None:
    node = on(UBUNTU, feature=0)
    assert found(node, baseline(OperatingSystem.UBUNTU)) == {"feature 1": "InstalledOther"}
    assert found(node, baseline(OperatingSystem.UBUNTU, enable_non_security=True)) == {"feature 2": "Missing"}


# Updates of Windows.


def windows(**fields: int) -> PatchBaseline:
    return baseline(OperatingSystem.WINDOWS, delay=fields.get("delay", 0))


def test_an_update_that_another_took_the_place_of_is_never_missing() -> None:
    states = found(on(WINDOWS, KB1=0), windows())
    assert states == {"KB3": "Missing", "KB1": "InstalledOther"}


def test_a_new_update_makes_the_delay_begin_anew() -> None:
    node = on(WINDOWS, KB1=0)
    assert found(node, windows(delay=7), "2026-02-17 18:00")["KB2"] == "Missing"
    assert found(node, windows(delay=7), "2026-03-10 17:59")["KB2"] == "Missing"
    assert "Missing" not in found(node, windows(delay=7), "2026-03-10 18:00").values()
    assert found(node, windows(delay=7), "2026-03-17 18:00")["KB3"] == "Missing"


def test_a_delay_longer_than_a_month_approves_no_monthly_update() -> None:
    for at in ("2026-01-31", "2026-02-28", "2026-03-31"):
        assert "Missing" not in found(on(WINDOWS, KB1=0), windows(delay=31), at).values()


def test_a_security_update_that_is_not_approved_yet_is_available() -> None:
    reports, _ = evaluate(on(WINDOWS, KB1=0), windows(delay=30), TODAY)
    (available,) = [one for one in reports if one.patch.name == "KB3"]
    assert available.state is PatchState.AVAILABLE_SECURITY_UPDATE
    assert available.level is ComplianceLevel.UNSPECIFIED


@pytest.mark.parametrize(
    ("said", "lacking"),
    [(None, []), (AvailableSecurityUpdates.COMPLIANT, []), (AvailableSecurityUpdates.NON_COMPLIANT, ["KB3"])],
)
def test_what_an_available_update_means_is_for_its_baseline_to_say(
    said: AvailableSecurityUpdates | None, lacking: list[str]
) -> None:
    lab = Lab()
    node = lab.launch("windows")
    made = baseline(OperatingSystem.WINDOWS, delay=30, available_security_updates=said)
    lab.engine.baselines.set_default(lab.engine.baselines.create(made, lab.clock.now).id)
    lab.scan(node)
    assert node.states
    assert [one.patch.name for one in node.states.non_compliant] == lacking


def test_a_rejected_security_update_is_not_available() -> None:
    using = baseline(OperatingSystem.WINDOWS, rejected=("KB3",))
    assert found(on(WINDOWS, KB1=0), using) == {"KB1": "InstalledOther"}


def test_an_update_that_is_no_security_update_is_not_available() -> None:
    (chain,) = WINDOWS.packages
    drivers = replace(chain, releases=[replace(one, classification="Drivers") for one in chain.releases])
    node = on(replace(WINDOWS, packages=(drivers,)), KB1=0)
    assert found(node, windows(delay=30)) == {"KB1": "InstalledOther"}


def test_the_newest_approved_update_is_installed_once_it_is_there() -> None:
    assert found(on(WINDOWS, KB1=2), windows()) == {"KB3": "Installed"}


def test_an_update_of_windows_that_was_never_there_is_missing_not_inapplicable() -> None:
    node = on(WINDOWS)
    node.installed.clear()
    reports, not_applicable = evaluate(node, windows(), TODAY)
    assert [one.patch.name for one in reports if one.state is PatchState.MISSING] == ["KB3"]
    assert not_applicable == 0


def test_an_update_that_is_not_out_yet_is_neither_missing_nor_available() -> None:
    node = on(WINDOWS)
    node.installed = {}
    assert found(node, windows(delay=30), "2026-01-01") == {}
    assert found(node, windows(delay=30), "2026-01-11") == {"KB1": "AvailableSecurityUpdate"}
    named = baseline(OperatingSystem.WINDOWS, delay=30, approved=("KB1", "KB3"))
    assert found(node, named, "2026-01-01") == {}
    assert found(node, named, "2026-01-11") == {"KB1": "Missing"}


def test_an_update_that_is_installed_is_not_available_too() -> None:
    assert found(on(WINDOWS, KB1=2), windows(delay=30)) == {"KB3": "InstalledOther"}


def test_only_updates_of_windows_are_available() -> None:
    tool, *others = LINUX.packages
    releases = [replace(one, classification="SecurityUpdates") for one in tool.releases]
    node = on(replace(LINUX, packages=(replace(tool, releases=releases), *others)), tool=0)
    assert found(node, baseline(delay=360)) == {"tool 1.0-1": "InstalledOther"}


def web_server(*features: str) -> ManagedNode:
    """Return a node of Windows whose catalogue has an update of the web server too."""
    (chain,) = WINDOWS.packages
    update = replace(chain.releases[1], name="KB9")
    package = replace(chain, key="KB9", releases=[update], titles=["Web server (KB9)"], feature="Web-Server")
    node = on(replace(WINDOWS, packages=(chain, package)), KB1=2)
    node.features = features
    return node


def test_an_update_for_a_feature_that_is_not_there_does_not_apply() -> None:
    node = web_server()
    reports, not_applicable = evaluate(node, windows(), TODAY)
    assert {one.patch.name: one.state.value for one in reports} == {"KB3": "Installed", "KB9": "NotApplicable"}
    assert not_applicable == 1
    assert found(node, windows(delay=360)) == {"KB3": "InstalledOther"}


def test_an_update_for_a_feature_that_is_there_is_missing() -> None:
    reports, not_applicable = evaluate(web_server("Web-Server"), windows(), TODAY)
    assert {one.patch.name: one.state.value for one in reports} == {"KB3": "Installed", "KB9": "Missing"}
    assert not_applicable == 0


def test_an_update_named_by_the_baseline_does_not_apply_once_a_later_one_is_installed() -> None:
    named = baseline(OperatingSystem.WINDOWS, delay=360, approved=("KB1", "KB3"))
    assert found(on(WINDOWS, KB1=2), named) == {"KB1": "NotApplicable", "KB3": "Installed"}
    assert found(on(WINDOWS, KB1=0), named) == {"KB1": "InstalledOther", "KB3": "Missing"}
    rejecting = replace(named, rejected=("KB1",))
    assert found(on(WINDOWS, KB1=2), rejecting) == {"KB3": "Installed"}


def test_packages_of_linux_that_a_later_release_is_installed_of_are_not_told_as_inapplicable() -> None:
    using = baseline(approved=("tool-1.1*",))
    assert found(on(LINUX, tool=2), using) == {"tool 1.2-1": "Installed"}


# The catalogues that come with the lab.


def missing(catalogue: Catalogue, delay: int, at: str) -> set[str]:
    """Return what the oldest image of a built-in catalogue misses under a delay."""
    reports, _ = evaluate(on(catalogue), baseline(catalogue.system, delay=delay), day(at))
    return {one.title for one in reports if one.state is PatchState.MISSING}


AMAZON_LINUX, APT, MICROSOFT = (
    next(one for one in built_in() if one.system == system) for system in ("AMAZON_LINUX_2023", "UBUNTU", "WINDOWS")
)


def test_the_delays_of_the_rings_give_three_answers_for_the_built_in_amazon_linux() -> None:
    at_once, week, fortnight = (missing(AMAZON_LINUX, delay, "2026-11-16") for delay in (0, 7, 14))
    assert len(at_once) >= len(week) >= len(fortnight) > 0
    assert at_once != week != fortnight != at_once


def test_the_delays_of_the_rings_give_three_answers_for_the_built_in_windows() -> None:
    assert missing(MICROSOFT, 0, "2026-11-16") > missing(MICROSOFT, 7, "2026-11-16")
    assert missing(MICROSOFT, 7, "2026-11-18") > missing(MICROSOFT, 14, "2026-11-18")


def test_the_delays_of_the_rings_give_one_answer_for_the_built_in_ubuntu() -> None:
    at_once, week, fortnight = (missing(APT, delay, "2026-11-16") for delay in (0, 7, 14))
    assert at_once == week == fortnight != set()


# What an installation leaves.


def test_an_installation_puts_in_what_is_missing_and_nothing_else(lab: Lab) -> None:
    node = lab.launch()
    lab.approve(delay=7)
    lab.run()
    assert node.installed == {"tool.x86_64": 1, "plain.noarch": 0}
    assert lab.scan(node) == {"tool": "Installed", "plain": "InstalledOther"}


def test_a_scan_changes_nothing_on_the_node(lab: Lab) -> None:
    node = lab.launch()
    lab.approve()
    assert lab.scan(node)["tool"] == "Missing"
    assert node.installed["tool.x86_64"] == 0
    assert node.booted == day("2026-03-15")


def test_an_installation_without_reboot_is_pending_until_the_node_restarts(lab: Lab) -> None:
    node = lab.launch()
    lab.approve()
    lab.run(RunPatchBaseline.install(reboot="NoReboot"))
    assert node.states
    assert (
        node.states.last_no_reboot_install
        == node.installed_at["tool.x86_64"]
        == day("2026-03-15") + timedelta(seconds=50)
    )
    assert [one.patch.name for one in node.states.non_compliant] == ["tool"]
    assert lab.scan(node)["tool"] == "InstalledPendingReboot"
    lab.change(node, running=False)
    lab.change(node, running=True)
    assert lab.scan(node)["tool"] == "Installed"


def test_an_installation_with_reboot_also_restarts_for_what_an_earlier_one_left_pending(lab: Lab) -> None:
    node = lab.launch()
    lab.approve()
    lab.run(RunPatchBaseline.install(reboot="NoReboot"))
    lab.run()
    assert node.states
    assert not node.states.non_compliant
    assert node.booted == node.states.ended


def test_an_installation_that_finds_nothing_does_not_restart_the_node(lab: Lab) -> None:
    node = lab.launch()
    lab.approve(delay=360)
    lab.run()
    assert node.booted == day("2026-03-15")


def test_what_could_not_be_installed_has_failed_until_the_next_scan_calls_it_missing(lab: Lab) -> None:
    node = lab.launch()
    lab.approve()
    node.fault = "No space left on device"
    lab.run()
    assert node.states
    assert [(one.patch.name, one.state) for one in node.states.non_compliant] == [("tool", PatchState.FAILED)]
    assert node.states.count(PatchState.FAILED) == 1
    assert lab.scan(node)["tool"] == "Missing"


def test_a_fault_fails_nothing_where_nothing_is_missing(lab: Lab) -> None:
    node = lab.launch()
    lab.approve(delay=360)
    node.fault = "No space left on device"
    assert lab.run().status == "Success"


# Which baseline it is held against.


def test_a_node_uses_the_baseline_of_its_patch_group(lab: Lab) -> None:
    grouped, other = lab.launch(PatchGroup="late"), lab.launch()
    lab.approve(delay=0)
    lab.approve(delay=360, group="late")
    assert lab.scan(grouped)["tool"] == "InstalledOther"
    assert lab.scan(other)["tool"] == "Missing"
    assert grouped.states
    assert grouped.states.patch_group == "late"


def test_a_patch_group_that_no_baseline_knows_falls_back_to_the_default_and_says_nothing(lab: Lab) -> None:
    node = lab.launch(PatchGroup="lat")
    lab.approve(delay=0)
    lab.approve(delay=360, group="late")
    assert lab.scan(node)["tool"] == "Missing"
    assert "lat" not in lab.log.replace("tool", "").replace("late", "")


def test_both_spellings_of_the_tag_name_one_group(lab: Lab) -> None:
    node = lab.launch(**{"Patch Group": "late"})
    lab.approve(delay=0)
    lab.approve(delay=360, group="late")
    assert lab.scan(node)["tool"] == "InstalledOther"


# What counts as what.


def test_a_critical_update_that_is_not_approved_yet_is_available_too() -> None:
    (chain,) = WINDOWS.packages
    critical = replace(chain, releases=[replace(one, classification="CriticalUpdates") for one in chain.releases])
    node = on(replace(WINDOWS, packages=(critical,)), KB1=0)
    assert found(node, windows(delay=30))["KB3"] == "AvailableSecurityUpdate"


def test_an_approved_update_that_is_installed_is_reported_once() -> None:
    reports, _ = evaluate(on(WINDOWS, KB1=2), windows(), TODAY)
    assert [(one.patch.name, one.state) for one in reports] == [("KB3", PatchState.INSTALLED)]
    reports, _ = evaluate(on(WINDOWS, KB1=2), windows(delay=30), TODAY)
    assert [(one.patch.name, one.state) for one in reports] == [("KB3", PatchState.INSTALLED_OTHER)]


def test_an_update_that_was_never_there_closes_the_vulnerabilities_of_the_whole_chain() -> None:
    (chain,) = WINDOWS.packages
    releases = [replace(one, cves=(f"CVE-0000-{number}",)) for number, one in enumerate(chain.releases)]
    node = on(replace(WINDOWS, packages=(replace(chain, releases=releases),)))
    node.installed = {}
    reports, _ = evaluate(node, windows(), TODAY)
    assert report_on("KB3", reports).cves == ("CVE-0000-0", "CVE-0000-1", "CVE-0000-2")


def test_a_patch_counts_as_critical_by_its_level_and_as_security_by_its_classification(lab: Lab) -> None:
    node = lab.launch("windows")
    lab.scan(node)
    assert node.states
    report = replace(node.states.reports[0], level=ComplianceLevel.CRITICAL)
    for level, classification, expected in (
        (ComplianceLevel.CRITICAL, "Updates", (True, False, False)),
        (ComplianceLevel.HIGH, "SecurityUpdates", (False, True, False)),
        (ComplianceLevel.HIGH, "Security", (False, True, False)),
        (ComplianceLevel.CRITICAL, "Security", (True, True, False)),
        (ComplianceLevel.HIGH, "Updates", (False, False, True)),
    ):
        one = replace(report, level=level, patch=replace(report.patch, classification=classification))
        assert (is_critical(one), is_security(one), is_other(one)) == expected


def test_an_update_that_cannot_be_installed_has_failed_beside_what_is_installed(lab: Lab) -> None:
    node = lab.launch("windows")
    made = baseline(OperatingSystem.WINDOWS)
    lab.engine.baselines.set_default(lab.engine.baselines.create(made, lab.clock.now).id)
    node.fault = "0x80070070"
    lab.run()
    assert node.states
    assert [(one.patch.name, one.state.value) for one in node.states.reports] == [
        ("KB3", "Failed"),
        ("KB1", "InstalledOther"),
    ]


def test_an_installation_of_a_package_that_fails_is_reported_once(lab: Lab) -> None:
    node = lab.launch()
    lab.approve()
    node.fault = "No space left on device"
    lab.run()
    assert node.states
    assert [(one.patch.name, one.state.value) for one in node.states.reports] == [
        ("tool", "Failed"),
        ("plain", "InstalledOther"),
    ]


def test_an_installation_that_finds_nothing_is_not_one_without_a_reboot(lab: Lab) -> None:
    node = lab.launch()
    lab.approve(delay=360)
    lab.run(RunPatchBaseline.install(reboot=RebootOption.NO_REBOOT))
    assert node.states
    assert node.states.last_no_reboot_install is None
    lab.approve(name="now")
    lab.run(RunPatchBaseline.install(reboot=RebootOption.NO_REBOOT))
    assert node.states.last_no_reboot_install
