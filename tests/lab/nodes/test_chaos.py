"""Nodes that are not as they should be."""

from __future__ import annotations

from typing import Any

import pytest

from lab.nodes.chaos import FAULT, RATES, Chaos
from patching.rate_control import RateControl
from patching.run_patch_baseline import RunPatchBaseline
from tests.lab.simulated import Lab, details, ended, invocations, reported, started

ALL_AT_ONCE = RateControl("100%", "100%")
IDS = [f"i-{number:017x}" for number in range(2_000)]


@pytest.mark.parametrize("rate", RATES)
def test_a_rate_hits_its_share_of_the_nodes(rate: str) -> None:
    hit = [Chaos.from_json({rate: 0.1}, Chaos()).hits(rate, one) for one in IDS]
    assert sum(hit) / len(IDS) == pytest.approx(0.1, abs=0.02)


def test_the_same_seed_hits_the_same_nodes_and_a_higher_rate_more() -> None:
    few = {one for one in IDS if Chaos(fail=0.05, seed=3).hits("fail", one)}
    many = {one for one in reversed(IDS) if Chaos(fail=0.2, seed=3, slow=0.5).hits("fail", one)}
    others = {one for one in IDS if Chaos(fail=0.05, seed=4).hits("fail", one)}
    assert few < many
    assert few != others


def test_no_rate_hits_nobody_and_a_whole_one_everybody() -> None:
    assert not any(Chaos().hits(rate, one) for rate in RATES for one in IDS)
    assert all(Chaos(slow=1).hits("slow", one) for one in IDS)


def upset(lab: Lab, **rates: float) -> None:
    lab.approve()
    lab.engine.fleet.upset(Chaos.from_json(rates, Chaos()))


def test_installations_fail_and_scans_do_not(lab: Lab) -> None:
    node = lab.launch()
    upset(lab, fail=1)
    assert lab.scan(node)["tool"] == "Missing"
    command = lab.run(RunPatchBaseline.install())
    assert details(command) == ["Failed"]
    assert reported(node)["tool"] == "Failed"
    assert FAULT in next(step.error for step in invocations(command)[0].steps if step.error)


def test_slow_nodes_take_ten_times_as_long(lab: Lab) -> None:
    node = lab.launch()
    lab.approve()
    (before,) = invocations(lab.run(RunPatchBaseline.scan()))
    upset(lab, slow=1)
    (after,) = invocations(lab.run(RunPatchBaseline.scan()))
    assert ended(after) - started(after) == 10 * (ended(before) - started(before))
    assert node.traits.slowness == 10


def test_a_node_that_does_not_answer_is_lost_and_comes_back(lab: Lab) -> None:
    node = lab.launch()
    upset(lab, unreachable=1)
    assert not node.online
    assert lab.engine.fleet.unmanaged == {node.id: "its agent does not answer"}
    assert details(lab.run(delivery_timeout_seconds=60)) == ["DeliveryTimedOut"]
    upset(lab)
    assert node.online
    assert details(lab.run()) == ["Success"]


def test_a_second_reboot_is_needed(lab: Lab) -> None:
    node = lab.launch()
    upset(lab, two_reboots=1)
    lab.run(RunPatchBaseline.install())
    assert reported(node)["tool"] == "InstalledPendingReboot"
    booted = node.booted
    lab.run(RunPatchBaseline.install())
    assert reported(node)["tool"] == "Installed"
    assert node.booted > booted


def test_nodes_that_come_later_differ_as_well(lab: Lab) -> None:
    upset(lab, fail=1)
    assert lab.launch().problem == FAULT


def test_without_chaos_nodes_are_as_they_should_be(lab: Lab) -> None:
    node = lab.launch()
    upset(lab, fail=1, slow=1, two_reboots=1)
    upset(lab)
    lab.run(RunPatchBaseline.install())
    assert reported(node)["tool"] == "Installed"
    assert "chaos: fail 1, slow 1, two reboots 1, seed 0" in lab.log
    assert "chaos: none" in lab.log


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"fail": 2}, "fail 2 is not a share from 0 to 1"),
        ({"slow": "5%"}, "slow '5%' is not a share from 0 to 1"),
        ({"slow": True}, "slow True is not a share from 0 to 1"),
        ({"seed": 0.5}, "seed 0.5 is not a whole number"),
        ({"meteors": 1}, "there is no rate meteors; there are fail, slow, unreachable, two_reboots, stopped"),
    ],
)
def test_rates_that_make_no_sense_are_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Chaos.from_json(given, Chaos())


def test_what_is_not_given_stays() -> None:
    assert Chaos.from_json({"slow": 0.1}, Chaos(fail=0.5, seed=7)) == Chaos(fail=0.5, slow=0.1, seed=7)
