"""That what was worked out once is what would be worked out again."""

from __future__ import annotations

from datetime import timedelta

import pytest

from lab.nodes.evaluation import evaluate
from lab.nodes.evaluations import Evaluations
from lab.patches.catalogue import Catalogue
from lab.patches.catalogue_file import built_in
from patching.operating_system import OperatingSystem
from tests.lab.nodes.test_evaluation import on
from tests.lab.simulated import LINUX, WINDOWS, baseline, day


@pytest.mark.parametrize("catalogue", [LINUX, WINDOWS, *built_in()], ids=lambda one: f"{one.platform_name}")
def test_on_every_day_the_findings_are_those_of_an_evaluation(catalogue: Catalogue) -> None:
    evaluations = Evaluations()
    using = baseline(OperatingSystem(catalogue.system), delay=7)
    node, other = on(catalogue), on(catalogue)
    at = day("2026-02-20") + timedelta(hours=5)
    for step in range(60):
        for one in (node, other, node):
            found = evaluations.find(one, using, at)
            assert (found.reports, found.not_applicable) == evaluate(one, using, at)
        if step % 20 == 10:
            for report in evaluations.find(node, using, at).lacking(available_updates_comply=True):
                package = next(one for one in catalogue.packages if one.key == report.key)
                node.installed[report.key] = package.releases.index(report.patch)
                node.pending_reboot.add(report.key)
        if step % 20 == 15:
            node.pending_reboot.clear()
        at += timedelta(days=1)


def test_nodes_that_are_alike_share_what_is_found() -> None:
    evaluations, using = Evaluations(), baseline()
    assert evaluations.find(on(LINUX), using, day("2026-03-15")) is evaluations.find(
        on(LINUX), using, day("2026-03-16")
    )
    assert evaluations.find(on(LINUX, tool=1), using, day("2026-03-16")) is not evaluations.find(
        on(LINUX), using, day("2026-03-16")
    )


def test_another_baseline_of_the_same_name_is_another_one() -> None:
    evaluations = Evaluations()
    before = evaluations.find(on(LINUX), baseline(), day("2026-03-15"))
    after = evaluations.find(on(LINUX), baseline(rejected=("tool",)), day("2026-03-15"))
    assert len(before.lacking(available_updates_comply=True)) == 1
    assert not after.lacking(available_updates_comply=True)
