"""Acknowledging what the rule packs find, where it stands and with its reason."""

from __future__ import annotations

import json

from aws_cdk import Acknowledgment, Stack, Validations
from constructs import IConstruct

NIST, HIPAA, PCI = "NIST.800.53.R5", "HIPAA.Security", "PCI.DSS.321"


def acknowledge(construct: IConstruct, reason: str, *rules: str) -> None:
    """Say that the findings of these rules about a construct are known, and why they may stay."""
    Validations.of(construct).acknowledge(*(Acknowledgment(id=rule, reason=reason) for rule in rules))


def in_packs(rule: str, *packs: str) -> tuple[str, ...]:
    """Return the ids of a rule that several packs have under one name."""
    return tuple(f"{pack}-{rule}" for pack in packs)


def as_in_findings(construct: IConstruct, text: str) -> str:
    """Write a text as the packs write it in their findings: functions of CloudFormation in it as JSON."""
    resolved = Stack.of(construct).resolve(text)
    parts = [resolved] if isinstance(resolved, str) else resolved["Fn::Join"][1]
    return "".join(part if isinstance(part, str) else json.dumps(part, separators=(",", ":")) for part in parts)
