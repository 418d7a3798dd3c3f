"""Policies that between them have every key and every kind of network, each synthesized once for all who look at it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from aws_cdk import Acknowledgment, Validations
from cdk_nag import AwsSolutionsChecks, HIPAASecurityChecks, NIST80053R5Checks, PCIDSS321Checks
from constructs import IConstruct, acknowledgment

from patching.policy import Policy
from patching.policy_file import parse_policy, read_policy
from stacks import windows
from stacks.environment import Environment
from stacks.validation_report import FAIL_IN_APP
from tests.cdk import EVERYTHING, ROOT, app
from tests.patching.policies import SMALL, changed, without_fleet

TODAY = date(2026, 2, 1)
ROOM = (4, 480)
"""As if the first stack had no room for more than one window with two groups: others get a second stack."""

EXISTING = (
    "{kind: existing, vpc_id: vpc-0123456789abcdef0, subnet_ids: [subnet-0123456789abcdef0], "
    "availability_zones: [eu-west-1a], internet: true}"
)
PACKS = (AwsSolutionsChecks, NIST80053R5Checks, HIPAASecurityChecks, PCIDSS321Checks)


def _in_network(network: str) -> Policy:
    return parse_policy(changed(("fleet:\n", f"fleet:\n  network: {network}\n")))


POLICIES: dict[str, Callable[[], Policy]] = {
    "lab": lambda: read_policy(ROOT / "config" / "lab.yaml", today=TODAY),
    "everything": lambda: read_policy(EVERYTHING, today=TODAY),
    "public": lambda: _in_network("{kind: public}"),
    "existing": lambda: _in_network(EXISTING),
    "without-fleet": lambda: parse_policy(without_fleet(SMALL)),
    "without-window": lambda: parse_policy(without_fleet(SMALL[: SMALL.index("install:")] + "output: {}\n")),
}


@dataclass(frozen=True)
class Noted:
    """A rule at a construct: found there, or acknowledged there."""

    rule: str
    path: str

    def is_about(self, other: Noted) -> bool:
        """Tell whether this acknowledgement is about that finding: at its construct, or one further out."""
        return self.rule == other.rule and f"{other.path}/".startswith(f"{self.path}/")


@dataclass(frozen=True)
class Synthesized:
    """What a policy becomes.

    Attributes:
        templates: each template by its name.
        findings: what the packs and the CDK itself find, before anything is acknowledged.
        acknowledged: the reason of each acknowledgement.
    """

    templates: dict[str, dict[str, Any]]
    findings: frozenset[Noted]
    acknowledged: dict[Noted, str]


@lru_cache
def synthesized(name: str) -> Synthesized:
    """Synthesize one of the policies; acknowledgements are noted instead of made."""
    policy = POLICIES[name]()
    acknowledged: dict[Noted, str] = {}

    class Notes:
        @staticmethod
        def of(construct: IConstruct) -> mock.Mock:
            def acknowledge(*entries: Acknowledgment) -> None:
                acknowledged.update({Noted(one.id, construct.node.path): one.reason for one in entries})

            return mock.Mock(acknowledge=acknowledge)

    room = ROOM if name == "everything" else windows.ROOM
    with mock.patch.object(acknowledgment, "Validations", Notes), mock.patch.object(windows, "ROOM", room):
        made = app()
        for key, value in FAIL_IN_APP.items():
            made.node.set_context(key, value)
        Environment(made, policy.environment, policy=policy)
    Validations.of(made).add_plugins(*(pack(made) for pack in PACKS))
    with pytest.raises(RuntimeError, match="ValidationFailed"):
        made.synth()
    folder = Path(made.outdir)
    templates = (folder / f"assembly-{policy.environment}").glob("*.template.json")
    return Synthesized(
        {path.name: json.loads(path.read_text(encoding="utf-8")) for path in sorted(templates)},
        frozenset(_found(folder / "validation-report.json")),
        acknowledged,
    )


def _found(report: Path) -> Iterator[Noted]:
    """Yield what the report has; to ask the packs in Node for each thing in it takes four times as long."""
    for plugin in json.loads(report.read_text(encoding="utf-8"))["pluginReports"]:
        for violation in plugin["violations"]:
            for construct in violation["violatingConstructs"]:
                yield Noted(violation["ruleName"].removeprefix("Annotation::"), construct["constructPath"])
