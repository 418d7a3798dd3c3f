from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from patching.baseline import Patch
from patching.operating_system import OperatingSystem
from patching.policy_file import read_policy
from review.rehearsal.arrivals import catalogues, rates_in_words
from review.rehearsal.plan import PlannedBaseline, of_policy
from review.rehearsal.population import dealt, shapes
from tests.review.assemblies import DAY, ENTERPRISE
from tests.review.rehearsal.plans import plan

BEGIN = datetime(2026, 12, 1, tzinfo=UTC)
ENTERPRISE_PLAN = of_policy(read_policy(ENTERPRISE, today=DAY), "corp")


def test_patches_come_out_at_the_rates_that_are_said() -> None:
    months = 120
    (found,) = catalogues(plan().baselines, BEGIN, datetime(2036, 11, 30, tzinfo=UTC), seed=1)
    assert found.growth is not None
    released = [one for package in found.packages for one in package.releases if one.released > BEGIN]
    for rate in found.growth.rates:
        count = sum((one.classification, one.severity) == (rate.classification, rate.severity) for one in released)
        assert count / months == pytest.approx(rate.a_month, rel=0.2, abs=0.1)
    (words,) = rates_in_words([OperatingSystem.AMAZON_LINUX_2023])
    assert words.startswith("Amazon Linux 2023, a month: ")
    assert "0.5 Security, Critical" in words


def test_updates_of_windows_come_out_on_patch_tuesday() -> None:
    found = catalogues(ENTERPRISE_PLAN.baselines, BEGIN, BEGIN + timedelta(days=90), seed=0)
    windows = next(one for one in found if one.system is OperatingSystem.WINDOWS)
    cumulative = {
        one.released
        for package in windows.packages
        for one in package.releases
        if one.released > BEGIN
        and one.classification == "SecurityUpdates"
        and one.released < BEGIN + timedelta(days=90)
    }
    assert {f"{one:%a %d}" for one in cumulative} >= {"Tue 08", "Tue 12", "Tue 09"}
    assert {one.product for package in windows.packages for one in package.releases} == {"WindowsServer2019"}


def test_nodes_have_everything_at_the_beginning() -> None:
    for one in catalogues(ENTERPRISE_PLAN.baselines, BEGIN, BEGIN + timedelta(days=60), seed=0):
        (image,) = one.images
        assert one.installed_on(image) == {package.key: package.newest(BEGIN) for package in one.packages}


def test_a_system_gets_the_same_patches_whatever_else_there_is() -> None:
    def released(baselines: tuple[PlannedBaseline, ...], seed: int) -> list[list[Patch]]:
        found = catalogues(baselines, BEGIN, BEGIN + timedelta(days=90), seed)
        linux = next(one for one in found if one.system is OperatingSystem.AMAZON_LINUX_2023)
        return [list(package.releases) for package in linux.packages]

    alone = released(plan().baselines, 5)
    assert alone == released(ENTERPRISE_PLAN.baselines, 5)
    assert alone != released(plan().baselines, 6)


def test_releases_of_a_package_are_in_order() -> None:
    for one in catalogues(ENTERPRISE_PLAN.baselines, BEGIN, BEGIN + timedelta(days=300), seed=0):
        for package in one.packages:
            assert list(package.releases) == sorted(package.releases, key=lambda release: release.released)


def test_nodes_are_made_for_every_window_and_every_patch_group() -> None:
    kinds = shapes(ENTERPRISE_PLAN)
    assert {one.window for one in kinds} == {"web-a", "web-b", "back-office", "databases", "office"}
    groups = {dict(one.tags)["PatchGroup"] for one in kinds}
    assert groups == {group for baseline in ENTERPRISE_PLAN.baselines for group in baseline.groups}
    for window in ENTERPRISE_PLAN.windows:
        own = [one for one in kinds if one.window == window.name]
        assert all(any(group.match("", dict(one.tags)) for group in window.groups) for one in own)


def test_nodes_are_dealt_out_evenly() -> None:
    kinds = shapes(plan(targets="{PatchGroup: [web, db]}"))
    assert [dict(one.tags)["PatchGroup"] for one in dealt(kinds, 5)] == ["web", "db", "web", "db", "web"]
