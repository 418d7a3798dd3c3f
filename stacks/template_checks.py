"""The rules over whole templates, as a validation plugin that the CDK runs at the end of a synthesis.

Follows https://docs.aws.amazon.com/cdk/v2/guide/policy-validation-synthesis.html.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsii
from aws_cdk import (
    IPolicyValidationContext,
    IPolicyValidationPlugin,
    PolicyValidationPluginReport,
    PolicyValidationStack,
    PolicyViolatingResource,
    PolicyViolation,
)

from patching.template_rules import RULES, findings, rule_id

NAME = "patchops"


@jsii.implements(IPolicyValidationPlugin)
class TemplateChecks:
    """What `patching.template_rules` finds in the templates of each environment, as errors.

    A finding may stay where it is acknowledged, as those of every plugin: `constructs.acknowledgment` does it, by the
    id `patchops::RULE`.
    """

    @property
    def name(self) -> str:
        """The plugin's name, which begins the ids of its rules."""
        return NAME

    @property
    def version(self) -> str | None:
        """None: it is a part of the app, and has no version of its own."""
        return None

    @property
    def rule_ids(self) -> list[str] | None:
        """The rules' ids."""
        return [rule_id(rule) for rule in RULES]

    def validate(self, context: IPolicyValidationContext) -> PolicyValidationPluginReport:
        """Look at all templates for one account and Region together, as references between them mean something."""
        together: dict[tuple[object, ...], list[PolicyValidationStack]] = {}
        for stack in context.stack_templates:
            key = (Path(stack.template_path).parent, stack.account_id, stack.region)
            together.setdefault(key, []).append(stack)
        violations = [violation for stacks in together.values() for violation in _violations(stacks)]
        return PolicyValidationPluginReport(success=not violations, violations=violations)


def _violations(stacks: list[PolicyValidationStack]) -> Iterator[PolicyViolation]:
    templates: dict[str, dict[str, Any]] = {
        stack.template_path: json.loads(Path(stack.template_path).read_text(encoding="utf-8")) for stack in stacks
    }
    for found in findings(templates):
        yield PolicyViolation(
            rule_name=f"{NAME}::{found.rule}",
            description=found.message,
            fix=found.page,
            severity="error",
            violating_resources=[
                PolicyViolatingResource(
                    resource_logical_id=found.logical_id,
                    template_path=found.template,
                    locations=[f"Properties/{found.at.replace('.', '/')}"] if found.at else [],
                )
            ],
        )
