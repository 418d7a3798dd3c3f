"""What a change of config/lab.yaml changes in the lab: nothing of the outcome is written down anywhere."""

from __future__ import annotations

from datetime import datetime

import pytest

from lab.local_aws import ROOT
from lab.nodes.evaluation import evaluate
from lab.nodes.node import Heartbeat, ManagedNode
from lab.patches.catalogue import Catalogue, Image
from lab.patches.catalogue_file import built_in
from patching.compliance import PatchState
from patching.operating_system import OperatingSystem
from patching.policy_file import parse_policy

LAB = (ROOT / "config" / "lab.yaml").read_text()
START = datetime.fromisoformat("2026-11-16T00:00:00+00:00")


def image_of(parameter: str) -> tuple[Catalogue, Image]:
    return next(
        (catalogue, image) for catalogue in built_in() for image in catalogue.images if parameter in image.parameters
    )


def missing(text: str, node: int = 0) -> int:
    policy = parse_policy(text)
    assert policy.fleet
    launched = policy.fleet.nodes[node]
    catalogue, image = image_of(launched.image_parameter)
    managed = ManagedNode(
        id="i-0123456789abcdef0",
        catalogue=catalogue,
        image_built=image.built,
        installed=catalogue.installed_on(image),
        ip="10.0.0.1",
        computer_name="node",
        role="",
        tags={},
        registered=START,
        booted=START,
        heartbeat=Heartbeat(START),
    )
    baseline = next(one for one in policy.baselines.values() if one.operating_system is launched.operating_system)
    reports, _ = evaluate(managed, baseline.patch_baseline("checked"), START)
    return sum(report.state is PatchState.MISSING for report in reports)


@pytest.mark.parametrize("node", range(4))
def test_every_node_of_the_lab_starts_out_of_date(node: int) -> None:
    assert missing(LAB, node) > 0


def test_a_longer_approval_delay_approves_fewer_patches() -> None:
    delays = [LAB.replace("approve_after_days: 7", f"approve_after_days: {days}") for days in (0, 7, 360)]
    immediately, after_a_week, after_a_year = map(missing, delays)
    assert immediately > after_a_week > after_a_year


def test_a_narrower_severity_filter_approves_fewer_patches() -> None:
    severities = ("Critical, Important, Medium, Low", "Critical, Important", "Critical")
    texts = [LAB.replace(" SEVERITY: [Critical, Important]", f" SEVERITY: [{one}]") for one in severities]
    everything, serious, critical = map(missing, texts)
    assert everything > serious > critical


def test_windows_waits_for_its_approval_delay_too() -> None:
    windows = 3
    assert parse_policy(LAB).fleet.nodes[windows].operating_system is OperatingSystem.WINDOWS  # type: ignore[union-attr]
    assert missing(LAB, windows) > missing(LAB.replace("approve_after_days: 3", "approve_after_days: 30"), windows)
