"""Cloud assemblies of policies, synthesized in this process."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

from patching.policy_file import parse_policy
from review.build import review
from review.cloud_assembly import CloudAssembly, read
from review.model import Review
from stacks.environment import Environment
from tests.cdk import ROOT, app

ENTERPRISE = ROOT / "config" / "enterprise.yaml"
DAY = date(2026, 10, 20)
"""The first day of calendars: the clocks of Europe and America go back in the days after it."""


def enterprise(*changes: tuple[str, str]) -> str:
    """Return the text of the large policy with the first of each piece of text replaced."""
    text = ENTERPRISE.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text, f"{old!r} is not there"
        text = text.replace(old, new, 1)
    return text


def synthesize(text: str, folder: Path = ENTERPRISE.parent) -> Path:
    """Synthesize a policy; return the directory of its cloud assembly."""
    policy = parse_policy(text, name="policy.yaml", folder=folder, today=DAY)
    made = app()
    Environment(made, policy.environment, policy=policy)
    return Path(made.synth().directory)


@lru_cache
def corp() -> CloudAssembly:
    """The large policy as it is."""
    return read(synthesize(enterprise()))


SIX = (
    ("schedule: cron(0 2 ? * TUE *)", "schedule: cron(0 2 ? * SAT *)"),
    ("approve_after_days: 3", "approve_after_days: 10"),
    ("operating_system: DEBIAN", "operating_system: RASPBIAN"),
    ("concurrency: 1\n", "concurrency: 5\n"),
    ("[platform-oncall@corp.example]", "[platform-oncall@corp.example, security@corp.example]"),
    ("role/platform-oncall", "role/contractors"),
)
"""Six changes of the large policy, one of which replaces a resource."""


@lru_cache
def six_changes() -> Review:
    """The review of the large policy with six changes."""
    return review(read(synthesize(enterprise(*SIX))), corp(), day=DAY, subject="this", against="that")


Template = dict[str, Any]


def mended(change: Callable[[Template], object], whole: CloudAssembly | None = None) -> CloudAssembly:
    """Return an assembly whose one template's resources were changed by hand; quicker than synthesizing."""
    whole = whole or corp()
    templates = copy.deepcopy(dict(whole.templates))
    (template,) = templates.values()
    change(template["Resources"])
    return CloudAssembly(whole.environment, templates, whole.acknowledgements, whole.violations, whole.told)


def find(resources: Template, path: str) -> tuple[str, Template]:
    """Return the logical id and the resource at the end of a construct path."""
    found = [
        (name, one)
        for name, one in resources.items()
        if one["Metadata"]["aws:cdk:path"].replace("/Resource", "").endswith(path)
    ]
    assert len(found) == 1, [name for name, _ in found]
    return found[0]


def properties(resources: Template, path: str) -> dict[str, Any]:
    """Return the properties of the resource at the end of a construct path."""
    found: dict[str, Any] = find(resources, path)[1]["Properties"]
    return found


def reviewed(change: Callable[[Template], object]) -> Review:
    """Return the review of the large policy's template, changed by hand."""
    return review(mended(change), corp(), day=DAY)


def told(change: Callable[[Template], object]) -> list[str]:
    """Return what the review of a change by hand says, in words."""
    return [one.text for one in reviewed(change).changes or ()]
