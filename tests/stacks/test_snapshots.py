from __future__ import annotations

from datetime import date

import pytest

from patching.policy_file import read_policy
from tests.cdk import ROOT, normalised, synthesize
from tests.conftest import Snapshot

pytestmark = pytest.mark.xdist_group("stacks")

TODAY = date(2026, 11, 23)
"""The exceptions of the policies are judged on this day, whenever the test runs."""


@pytest.mark.parametrize(
    ("policy", "stacks"), [("lab", ["patching", "fleet"]), ("enterprise", ["patching"]), ("minimal", ["patching"])]
)
def test_the_stacks_are_as_they_were_last_reviewed(policy: str, stacks: list[str], snapshot: Snapshot) -> None:
    made = synthesize(read_policy(ROOT / "config" / f"{policy}.yaml", today=TODAY)).all
    for name, resources in zip(stacks, made, strict=True):
        snapshot(f"{policy}-{name}", normalised(resources))
