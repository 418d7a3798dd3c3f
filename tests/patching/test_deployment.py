from __future__ import annotations

import pytest

from patching.deployment import Deployment
from patching.errors import InvalidValueError
from tests.rows import each_row


@pytest.mark.parametrize("environment", ["lab", "p1", "eu-prod-2", "a" * 20])
def test_an_environment_is_a_short_lower_case_name(environment: str) -> None:
    assert Deployment(environment).environment == environment


@each_row("environment", ["", "a", "a" * 21, "Lab", "1st", "-lab", "lab-", "my_lab", "lab prod", "lab\n"])
def test_any_other_name_is_refused_with_the_form_that_is_expected(environment: str) -> None:
    with pytest.raises(InvalidValueError, match="is not 2 to 20 lower-case letters, digits and hyphens"):
        Deployment(environment)


def test_every_name_holds_the_product_and_the_environment() -> None:
    deployment = Deployment("lab")
    assert deployment.patching_stack == "patchops-lab-patching"
    assert deployment.fleet_stack == "patchops-lab-fleet"
    assert deployment.name("scan") == "patchops-lab-scan"
