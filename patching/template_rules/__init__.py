"""Rules over CloudFormation templates, for what only the whole of them shows: whether patching will work at all.

`findings` takes the templates that are deployed together into one account and Region, from the CDK or from anywhere
else. A rule never guesses: where something is not known before the deployment (a parameter, a value that is imported
from elsewhere, a policy of another account's), it finds nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from patching.template_rules import (
    baseline_rules,
    document_rules,
    meeting_windows,
    network_rules,
    notification_rules,
    output_rules,
    sender_rules,
    window_rules,
)
from patching.template_rules.assembly import Assembly
from patching.template_rules.finding import Rule, TemplateFinding, Whole, page, rule_id

__all__ = ["RULES", "TemplateFinding", "findings", "page", "rule_id"]

RULES: tuple[Rule, ...] = (
    *window_rules.RULES,
    *meeting_windows.RULES,
    *sender_rules.RULES,
    *notification_rules.RULES,
    *output_rules.RULES,
    *baseline_rules.RULES,
    *document_rules.RULES,
    *network_rules.RULES,
)


def findings(templates: Mapping[str, Mapping[str, Any]], rules: Iterable[Rule] = RULES) -> list[TemplateFinding]:
    """Return all that the rules find, in the order of templates and resources.

    Args:
        templates: templates by any names, all for one account and Region.
        rules: what is looked for; everything by default.
    """
    assembly = Assembly(templates)
    whole = Whole(assembly)
    order = {(one.template, one.logical_id): index for index, one in enumerate(assembly.resources)}
    found = {
        TemplateFinding(
            one.resource.template,
            one.resource.logical_id,
            rule_id(rule),
            assembly.shown(one.message),
            one.resource.path,
            one.at,
            page(rule),
        )
        for rule in rules
        for one in rule(whole)
    }
    return sorted(found, key=lambda one: (order[one.template, one.logical_id], one))
