"""What the lab's policy becomes; see tests/constructs/conftest.py for why the CDK is only imported by who asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cdk import Resources, Stacks


def _synthesized(environment: str | None = None) -> Stacks:
    from patching.policy_file import read_policy  # noqa: PLC0415 see above
    from tests.cdk import ROOT, synthesize  # noqa: PLC0415 see above

    return synthesize(read_policy(ROOT / "config" / "lab.yaml", environment=environment))


@pytest.fixture(scope="session")
def lab() -> Stacks:
    """What config/lab.yaml becomes."""
    return _synthesized()


@pytest.fixture(scope="session")
def alice() -> Stacks:
    """The same file for another environment."""
    return _synthesized("alice")


@pytest.fixture(scope="session")
def fleet(lab: Stacks) -> Resources:
    assert lab.fleet is not None
    return lab.fleet
