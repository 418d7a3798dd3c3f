"""What AWS's own baselines approve on the built-in systems.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-predefined-and-custom-patch-baselines.html.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from lab.nodes.evaluation import evaluate
from lab.nodes.node import Heartbeat, ManagedNode
from lab.patches.baselines import Baselines
from lab.patches.catalogue import Catalogue
from lab.patches.catalogue_file import built_in
from lab.world.ids import Ids
from patching.baseline import Patch, PatchBaseline
from patching.compliance import PatchState
from patching.operating_system import OperatingSystem, PatchFamily
from tests.lab.simulated import day

NOW = day("2026-11-25")
WEEK = timedelta(days=7)
CATALOGUES = {one.system: one for one in built_in()}
BASELINES = Baselines(Ids(), NOW)
RPM = [one for one in OperatingSystem if one.family is PatchFamily.RPM and one is not OperatingSystem.CENTOS]
APT = [one for one in OperatingSystem if one.family is PatchFamily.APT]


def default(system: OperatingSystem) -> PatchBaseline:
    return BASELINES.default(system).baseline


def node_of(catalogue: Catalogue) -> ManagedNode:
    image = min(catalogue.images, key=lambda one: one.built)
    return ManagedNode(
        id="i-00000001",
        catalogue=catalogue,
        image_built=image.built,
        installed=catalogue.installed_on(image),
        ip="10.0.0.1",
        computer_name="one",
        role="",
        tags={},
        registered=NOW,
        booted=NOW,
        heartbeat=Heartbeat(NOW),
    )


def in_state(system: OperatingSystem, state: PatchState) -> list[Patch]:
    reports, _ = evaluate(node_of(CATALOGUES[system]), default(system), NOW)
    return [one.patch for one in reports if one.state is state]


@pytest.mark.parametrize("system", OperatingSystem)
def test_the_oldest_image_of_every_system_lacks_something_that_its_default_baseline_approves(
    system: OperatingSystem,
) -> None:
    assert in_state(system, PatchState.MISSING)


@pytest.mark.parametrize("system", [one for one in OperatingSystem if one.dates_patches])
def test_what_is_approved_is_a_week_old(system: OperatingSystem) -> None:
    assert all(one.released <= NOW - WEEK for one in in_state(system, PatchState.MISSING))


@pytest.mark.parametrize("system", RPM)
def test_a_repository_with_notices_has_serious_security_updates_and_bug_fixes_approved(
    system: OperatingSystem,
) -> None:
    severities = {
        OperatingSystem.ORACLE_LINUX: ("Important", "Moderate"),
    }.get(system, ("Critical", "Important"))
    missing = in_state(system, PatchState.MISSING)
    for patch in missing:
        assert patch.has_notice
        if patch.classification == "Security":
            assert patch.severity in severities
        else:
            assert (patch.classification, system is OperatingSystem.SUSE) == ("Bugfix", False)
    assert any(patch.classification == "Security" for patch in missing)


@pytest.mark.parametrize("system", APT)
def test_an_apt_repository_has_the_security_archive_approved_at_once(system: OperatingSystem) -> None:
    missing = in_state(system, PatchState.MISSING)
    assert all(patch.security for patch in missing)
    node, tomorrow = node_of(CATALOGUES[system]), NOW + timedelta(days=1)
    for package in CATALOGUES[system].packages:
        newest = package.newest(tomorrow)
        wanted = next((one for one in range(newest, -1, -1) if package.releases[one].security), -1)
        reports, _ = evaluate(node, default(system), tomorrow)
        lacks = any(one.key == package.key and one.state is PatchState.MISSING for one in reports)
        assert lacks is (wanted > node.installed.get(package.key, newest))


def test_centos_has_everything_approved_also_what_is_not_for_security() -> None:
    system = OperatingSystem.CENTOS
    node = node_of(CATALOGUES[system])
    missing = {one.name: one for one in in_state(system, PatchState.MISSING)}
    for package in CATALOGUES[system].packages:
        newest = package.newest(NOW - WEEK)
        if package.key in node.installed:
            assert (package.releases[newest].name in missing) is (newest > node.installed[package.key])


def test_windows_has_serious_security_and_critical_updates_approved() -> None:
    for patch in in_state(OperatingSystem.WINDOWS, PatchState.MISSING):
        assert patch.classification in ("CriticalUpdates", "SecurityUpdates")
        assert patch.severity in ("Critical", "Important")
    assert [one.name for one in in_state(OperatingSystem.WINDOWS, PatchState.NOT_APPLICABLE)] == ["KB9100001"]


def test_macos_has_security_updates_approved() -> None:
    assert {one.classification for one in in_state(OperatingSystem.MACOS, PatchState.MISSING)} == {"Security"}
