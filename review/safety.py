"""Whether a deployment is safe, as far as rules tell: what they find, what may stay and why, and what ends when."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from patching.template_rules import findings
from review.cloud_assembly import Acknowledgement, CloudAssembly, Violation
from review.exceptions import open_exceptions
from review.model import Accepted, Finding, Safety

OWN = "patchops"


def safety(before: CloudAssembly | None, after: CloudAssembly, day: date) -> Safety:
    """Return what the report of the CDK's validation and our own rules over templates say.

    Our own rules are asked here as well: an assembly may come from an app that does not run them.
    """
    return Safety(
        validated=after.violations is not None,
        findings=tuple(_findings(after)),
        accepted=tuple(_accepted(before, after)),
        exceptions=open_exceptions(after, day),
    )


def _findings(whole: CloudAssembly) -> Iterator[Finding]:
    reported = whole.violations or ()
    for one in reported:
        yield _finding(one)
    known = {one.message for one in reported}
    accepted = {(one.rule.removeprefix(f"{OWN}::"), one.path) for one in whole.acknowledgements}
    for found in findings(whole.templates):
        at = f"{found.path}/"
        acknowledged = any(rule == found.rule and at.startswith(f"{path}/") for rule, path in accepted)
        if found.message not in known and not acknowledged:
            where = found.path or f"{found.template}: {found.logical_id}"
            rule = f"{OWN}::{found.rule}"
            yield Finding(rule=rule, severity="error", where=where, message=found.message, page=found.page)


def _finding(one: Violation) -> Finding:
    return Finding(
        rule=one.rule or one.plugin,
        severity=one.severity,
        where=one.path,
        message=one.message,
        page=one.page if one.page.startswith("https://") else "",
    )


def _accepted(before: CloudAssembly | None, after: CloudAssembly) -> Iterator[Accepted]:
    """Yield the acknowledgements by their reasons, new ones first."""
    known = None if before is None else {_key(one) for one in before.acknowledgements}
    found: dict[tuple[bool, str], list[Acknowledgement]] = {}
    for one in after.acknowledgements:
        found.setdefault((known is not None and _key(one) not in known, one.reason), []).append(one)
    for (is_new, reason), several in sorted(found.items(), key=lambda entry: (not entry[0][0], entry[0][1])):
        yield Accepted(
            reason=reason,
            rules=tuple(dict.fromkeys(one.rule for one in several)),
            where=tuple(dict.fromkeys(one.path for one in several)),
            is_new=is_new,
        )


def _key(one: Acknowledgement) -> tuple[str, str]:
    return one.rule, one.path
