from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from aws_cdk import Stack
from constructs.patch_baseline import PatchBaseline

from patching.baseline import ApprovalRule, PatchFilter
from patching.baseline import PatchBaseline as Baseline
from patching.errors import InvalidValueError
from patching.operating_system import OperatingSystem
from patching.patch_source import PatchSource
from tests.cdk import Resources, app
from tests.constructs.examples import EVERYTHING

pytestmark = pytest.mark.xdist_group("constructs")


def test_the_template_says_what_the_api_would_be_told(patching: Resources) -> None:
    properties = patching["Baseline"].properties
    assert properties == EVERYTHING.to_api() | {"PatchGroups": ["one", "two"]}


def test_what_is_empty_is_left_out(kept: Resources) -> None:
    assert kept["Baseline"].properties == {
        "Name": "demo-little",
        "OperatingSystem": "UBUNTU",
        "ApprovedPatches": ["curl"],
        "ApprovedPatchesComplianceLevel": "UNSPECIFIED",
        "PatchGroups": ["one", "two"],
    }


UBUNTU = Baseline("demo-ubuntu", OperatingSystem.UBUNTU, rules=(ApprovalRule(),))


def baseline(made: Baseline, *groups: str) -> PatchBaseline:
    return PatchBaseline(Stack(app(), "Stack"), "Baseline", baseline=made, patch_groups=groups)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"rules": (ApprovalRule((PatchFilter("PRODUCT", ("Ubuntu-22.04",)),)),)},
            "PRODUCT 'Ubuntu-22.04' is none of UBUNTU: it would match nothing; did you mean 'Ubuntu22.04'",
        ),
        ({"global_filters": (PatchFilter("PRIORITY", ("High",)),)}, "PRIORITY 'High' is none of UBUNTU"),
        ({"rules": (ApprovalRule(approve_after_days=7),)}, "UBUNTU does not support approval by date"),
        ({"rules": (ApprovalRule(approve_until_date=date(2026, 1, 1)),)}, "UBUNTU does not support approval by date"),
        ({"approved": ("openssl=1.0",)}, "'openssl=1.0' is not a package name of UBUNTU"),
        ({"approved": ("curl",), "rejected": ("cur*",)}, "'curl' is rejected as well, by 'cur"),
        ({"sources": (PatchSource("mirror", ("AmazonLinux2",), "deb x"),)}, "is one of AMAZON_LINUX_2, not of UBUNTU"),
        ({"rules": ()}, "a baseline without rules and approved_patches approves nothing"),
    ],
)
def test_a_baseline_that_has_no_effect_somewhere_is_refused_when_it_is_made(
    changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidValueError, match=message):
        baseline(replace(UBUNTU, **changes), "one")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"rules": (ApprovalRule((PatchFilter("SEVERITY", ("Low",)),)),)},
            "filter SEVERITY is not one that UBUNTU has",
        ),
        ({"global_filters": (PatchFilter("SECTION", ()),)}, "filter SECTION has 0 values, but AWS takes 1 to 20"),
        ({"description": "x" * 1025}, "a description of 1025 characters, but AWS takes 1,024 at most"),
    ],
)
def test_a_baseline_that_aws_would_refuse_is_refused_when_it_is_made(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        replace(UBUNTU, **changes)


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ([], "no node can ever get the baseline demo-ubuntu: name a patch group, or make it the default"),
        ([f"group-{number}" for number in range(26)], "26 patch groups, but AWS takes 25 at most"),
        (["a;b"], "'a;b' is not a patch group"),
        (["a", "a"], "'a' is in the patch groups twice"),
    ],
)
def test_a_baseline_is_for_groups_that_aws_takes(groups: list[str], message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        baseline(UBUNTU, *groups)


def test_a_default_baseline_and_one_with_25_groups_are_made() -> None:
    baseline(replace(UBUNTU, default=True))
    baseline(UBUNTU, *(f"group-{number}" for number in range(25)))
