from __future__ import annotations

import pytest

from tests.cdk import Resources, Stacks, normalised
from tests.conftest import Snapshot

pytestmark = pytest.mark.xdist_group("stacks")


def test_the_patching_stack_is_as_it_was_last_reviewed(lab: Stacks, snapshot: Snapshot) -> None:
    snapshot("patching", normalised(lab.patching))


def test_the_fleet_stack_is_as_it_was_last_reviewed(fleet: Resources, snapshot: Snapshot) -> None:
    snapshot("fleet", normalised(fleet))
