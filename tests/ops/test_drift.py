from __future__ import annotations

from dataclasses import replace

import pytest

from ops import drift
from ops.compliance import NodeReport
from ops.drift import Deployed
from ops.effective_baselines import Baselines
from ops.nodes import Node
from ops.patching_windows import PatchingWindow
from patching.compliance import NodeCompliance
from patching.rate_control import RateControl
from patching.targets import Targets

TAGS = {"Environment": "lab", "Workload": "Prod", "PatchGroup": "lab-prod"}
NODE = Node("i-00000001", "web-1", "Online", "Linux", "Amazon Linux 2023", "3.3", None, TAGS)
BASELINES = Baselines(
    names={"pb-own": "own", "pb-default": "default"},
    registered={("AMAZON_LINUX_2023", "lab-prod"): "pb-own"},
    defaults={"AMAZON_LINUX_2023": "pb-default"},
)
PACE = RateControl(1, 0)


def window(name: str = "prod", *, enabled: bool = True, operation: str = "Install") -> PatchingWindow:
    return PatchingWindow(name, enabled, (Targets.tag("Workload", "Prod"),), operation, PACE, None, 3)


SCAN = ("daily", Targets.tag("Environment", "lab"))


def found(
    node: Node = NODE, reported: str = "pb-own", *, windows: tuple[PatchingWindow, ...] = (window(),), scans: int = 1
) -> list[tuple[str, str]]:
    report = NodeReport(node, NodeCompliance.COMPLIANT, baseline_id=reported)
    deployed = Deployed(BASELINES, windows, (SCAN,) * scans)
    return [(one.check, one.text) for one in drift.of_node(report, deployed)]


def tagged(**tags: str) -> Node:
    return replace(NODE, tags={key: value for key, value in {**TAGS, **tags}.items() if value})


def test_a_node_that_is_as_deployed_has_no_finding() -> None:
    assert found() == []
    assert found(reported="arn:aws:ssm:us-east-1:1:patchbaseline/pb-own") == []


def test_a_node_that_reported_against_another_baseline_is_found() -> None:
    (one,) = found(reported="pb-default")
    assert one == ("baseline", "reported against default, and gets own now (patch group lab-prod)")


def test_a_group_without_a_baseline_falls_back_silently_and_the_near_one_is_named() -> None:
    (one,) = found(tagged(PatchGroup="lab-prd"), reported="pb-default")
    assert one[0] == "silent fallback"
    assert "no baseline of it is registered for the patch group lab-prd; was 'lab-prod' meant?" in one[1]


def test_a_node_without_a_group_is_found() -> None:
    (one,) = found(tagged(PatchGroup=""), reported="pb-default")
    assert one[0] == "patch group"
    assert one[1].startswith("has no tag PatchGroup, and gets default")


def test_a_mistyped_tag_is_found_beside_what_follows_from_it() -> None:
    mistyped = tagged(PatchGroup="", **{"patch-group": "lab-prod"})
    checks = [check for check, _ in found(mistyped, reported="pb-default")]
    assert checks == ["patch group", "patch group"]


@pytest.mark.parametrize("windows", [(), (window(operation="Scan"),), (window(enabled=False),)])
def test_a_node_that_no_enabled_window_installs_on_is_found(windows: tuple[PatchingWindow, ...]) -> None:
    assert ("no window", "no enabled window installs on it") in [
        (check, text.partition(";")[0]) for check, text in found(windows=windows, scans=0)
    ]


def test_a_node_in_two_windows_is_found() -> None:
    assert found(windows=(window("a"), window("b"))) == [("two windows", "2 windows install on it: a, b")]


def test_a_node_that_two_scan_is_found() -> None:
    (one,) = found(scans=2)
    assert one[0] == "scans overwrite"
    (one,) = found(windows=(window(), window("nightly", operation="Scan")))
    assert one[1].startswith("daily, nightly all report on it")
