from __future__ import annotations

import pytest

from patching.policy_file import read_policy
from tests.cdk import ROOT, Resources, Stacks, synthesize

LAB = ROOT / "config" / "lab.yaml"


@pytest.fixture(scope="session")
def lab() -> Stacks:
    """What config/lab.yaml becomes."""
    return synthesize(read_policy(LAB))


@pytest.fixture(scope="session")
def alice() -> Stacks:
    """The same file for another environment."""
    return synthesize(read_policy(LAB, environment="alice"))


@pytest.fixture(scope="session")
def fleet(lab: Stacks) -> Resources:
    assert lab.fleet is not None
    return lab.fleet
