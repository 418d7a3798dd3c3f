from __future__ import annotations

import pytest

from tests.lab.simulated import Lab


@pytest.fixture
def lab() -> Lab:
    return Lab()
