"""That the lab's virtual time gives what it gave before anything in it was made quicker."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.lab.simulated import Lab
from tests.lab.story import account, live

KNOWN = json.loads((Path(__file__).parent / "data" / "story.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def told() -> dict[str, object]:
    lab = Lab()
    live(lab)
    return account(lab)


@pytest.mark.parametrize("what", KNOWN)
def test_a_fortnight_goes_by_as_it_always_did(told: dict[str, object], what: str) -> None:
    assert told[what] == KNOWN[what]
