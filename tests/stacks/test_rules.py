"""The rule packs and the rules of our own, over policies that have every key and every kind of network."""

from __future__ import annotations

import re

import pytest

from patching.template_rules import findings
from tests.cdk import ROOT
from tests.stacks.policies import POLICIES, synthesized

pytestmark = pytest.mark.xdist_group("policies")

MOST_CHARACTERS = 200


@pytest.mark.parametrize("name", POLICIES)
def test_every_finding_is_acknowledged_where_it_is(name: str) -> None:
    made = synthesized(name)
    assert made.findings
    assert {one for one in made.findings if not any(known.is_about(one) for known in made.acknowledged)} == set()


@pytest.mark.parametrize("name", POLICIES)
def test_every_acknowledgement_is_about_something_that_is_found(name: str) -> None:
    made = synthesized(name)
    assert {one for one in made.acknowledged if not any(one.is_about(finding) for finding in made.findings)} == set()


@pytest.mark.parametrize("name", POLICIES)
def test_every_acknowledgement_has_a_reason_that_is_a_sentence(name: str) -> None:
    for reason in synthesized(name).acknowledged.values():
        assert reason[0].isupper()
        assert reason.endswith(".")
        assert len(reason.split()) > 4
        assert len(reason) < MOST_CHARACTERS


def test_nothing_is_acknowledged_elsewhere_than_beside_its_resource() -> None:
    asked = {
        str(path.relative_to(ROOT))
        for room in ("constructs", "stacks")
        for path in (ROOT / room).glob("*.py")
        if re.search(r"\backnowledge\(|\bAcknowledgment\(", path.read_text(encoding="utf-8"))
    }
    assert {path.partition("/")[0] for path in asked} == {"constructs"}
    direct = {path for path in asked if "Validations" in (ROOT / path).read_text(encoding="utf-8")}
    assert direct == {"constructs/acknowledgment.py"}
    assert "acknowledge" not in (ROOT / "app.py").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", POLICIES)
def test_nothing_of_ours_is_found_in_what_we_make(name: str) -> None:
    assert [one.text for one in findings(synthesized(name).templates)] == []
