from __future__ import annotations

import json
from typing import Any

import pytest
from cfnlint.config import ConfigMixIn
from cfnlint.runner import Runner

from tests.stacks.policies import POLICIES, synthesized

pytestmark = pytest.mark.xdist_group("policies")


@pytest.fixture(scope="module")
def linter() -> Runner:
    """A linter for every Region that it knows: a policy names none. No rule is left out."""
    return Runner(ConfigMixIn(regions=["ALL_REGIONS"]))


def lint(linter: Runner, template: dict[str, Any]) -> list[str]:
    return [
        f"{one.rule.id} {one.message} ({'/'.join(map(str, one.path))})" for one in linter.validate_template(template)
    ]


@pytest.mark.parametrize("name", POLICIES)
def test_the_templates_are_clean_in_every_region(linter: Runner, name: str) -> None:
    found = {template: lint(linter, content) for template, content in synthesized(name).templates.items()}
    assert found == {template: [] for template in found}


def test_the_linter_asks_about_every_region(linter: Runner) -> None:
    found = lint(linter, {"Resources": {"Old": {"Type": "AWS::Cloud9::EnvironmentEC2", "Properties": {}}}})
    regions = {one.split("'")[3] for one in found if one.startswith("E3006")}
    assert {"eu-central-2", "ap-southeast-5"} <= regions
    assert len(regions) > 10
    assert json.dumps(found).count("us-east-1'") == 0
