"""Every policy of the repository deploys to the local AWS, changes nothing when it is deployed again, and goes.

Where it keeps its output it comes again.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from patching.policy_file import read_policy
from tests.cdk import ROOT, synthesize
from tests.lab.aws.deployed import Deployed
from tests.lab.aws.world import Connect

pytestmark = pytest.mark.xdist_group("local-aws")

REGION = "eu-central-1"
TODAY = date(2026, 11, 23)
POLICIES = sorted([*(ROOT / "config").glob("*.yaml"), *(ROOT / "tests" / "policies").glob("*.yaml")])


@pytest.mark.parametrize("path", POLICIES, ids=lambda path: path.stem)
def test_a_policy_deploys_and_goes(path: Path, connect: Connect) -> None:
    policy = read_policy(path, today=TODAY)
    deployed = Deployed(connect("cloudformation", REGION), connect("ssm", REGION), policy, synthesize(policy))
    assert deployed.deploy()
    assert deployed.deploy() == []
    deployed.destroy()
    if path.stem == "everything":
        # What was kept, which is all that can be, is in nobody's way.
        assert deployed.deploy()
        deployed.destroy()
