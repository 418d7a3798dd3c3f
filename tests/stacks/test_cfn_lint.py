from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.stacks.policies import synthesized

if TYPE_CHECKING:
    from cfnlint.runner import Runner

pytestmark = pytest.mark.xdist_group("policies")

TEMPLATES = [("lab", ""), ("everything", ""), ("public", "Fleet"), ("existing", "Fleet")]
"""Policies with a part of the names of their templates; every other template has less than one of these."""


@pytest.fixture(scope="module")
def linter() -> Runner:
    """A linter for every Region that it knows: a policy names none. No rule is left out."""
    # Most of a second, and every worker imports every file.
    from cfnlint.config import ConfigMixIn  # noqa: PLC0415
    from cfnlint.runner import Runner  # noqa: PLC0415

    return Runner(ConfigMixIn(regions=["ALL_REGIONS"]))


def lint(linter: Runner, template: dict[str, Any]) -> list[str]:
    return [
        f"{one.rule.id} {one.message} ({'/'.join(map(str, one.path))})" for one in linter.validate_template(template)
    ]


@pytest.mark.parametrize(("policy", "part"), TEMPLATES)
def test_the_templates_are_clean_in_every_region(linter: Runner, policy: str, part: str) -> None:
    templates = {name: one for name, one in synthesized(policy).templates.items() if part in name}
    assert templates
    assert [line for one in templates.values() for line in lint(linter, one)] == []


def test_the_linter_asks_about_every_region(linter: Runner) -> None:
    found = lint(linter, {"Resources": {"Old": {"Type": "AWS::Cloud9::EnvironmentEC2", "Properties": {}}}})
    regions = {line.split("'")[3] for line in found if line.startswith("E3006")}
    assert {"eu-central-2", "ap-southeast-5"} <= regions
    assert "us-east-1" not in regions


def test_the_linter_warns_too(linter: Runner) -> None:
    template = {
        "Resources": {
            "Key": {"Type": "AWS::KMS::Key", "DependsOn": "Topic", "Properties": {"Description": {"Ref": "Topic"}}},
            "Topic": {"Type": "AWS::SNS::Topic"},
        }
    }
    assert [line.partition(" ")[0] for line in lint(linter, template)] == ["W3005"]
