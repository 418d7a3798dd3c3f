from __future__ import annotations

import pytest

from tests.cdk import Resources
from tests.constructs.conftest import EVERYTHING

pytestmark = pytest.mark.xdist_group("constructs")


def test_the_template_says_what_the_api_would_be_told(patching: Resources) -> None:
    properties = patching["Baseline"].properties
    assert properties == EVERYTHING.to_api() | {"PatchGroups": ["one", "two"]}


def test_what_is_empty_is_left_out(kept: Resources) -> None:
    assert kept["Baseline"].properties == {
        "Name": "demo-little",
        "OperatingSystem": "UBUNTU",
        "PatchGroups": ["one", "two"],
    }
