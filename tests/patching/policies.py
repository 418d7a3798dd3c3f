"""A small policy that keeps every rule; tests break one of them."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

from patching.policy import Policy
from patching.policy_file import PolicyError, parse_policy

TODAY = date(2026, 1, 1)
"""The day that tests judge schedules and exceptions on: a Thursday."""

SMALL = """\
environment: lab
tags: {Project: demo}
fleet:
  nodes:
    - name: web
      operating_system: AMAZON_LINUX_2023
      tags: {PatchGroup: web}
baselines:
  linux:
    operating_system: AMAZON_LINUX_2023
    patch_groups: [web]
    rules:
      - filters: {CLASSIFICATION: [Security]}
        approve_after_days: 7
scan:
  schedule_utc: cron(0 10 * * ? *)
install:
  prod:
    targets: {Workload: Prod}
    schedule: cron(0 2 ? * SUN *)
    timezone: Asia/Seoul
    duration_hours: 4
    cutoff_hours: 1
notifications:
  emails: [ops@example.com]
output:
  retention_days: 30
"""


def changed(*changes: tuple[str, str]) -> str:
    """Return the small policy's text with each first piece of text replaced by the second."""
    text = SMALL
    for old, new in changes:
        assert text.count(old) == 1, f"{old!r} is there {text.count(old)} times"
        text = text.replace(old, new)
    return text


def without_fleet(text: str) -> str:
    """Return the text of a policy like the small one without the nodes that it makes."""
    return text[: text.index("fleet:")] + text[text.index("baselines:") :]


BARE = """\
environment: lab
baselines:
  linux: {operating_system: AMAZON_LINUX_2023, patch_groups: [web], rules: [{}]}
scan:
  schedule_utc: cron(0 10 * * ? *)
"""


def bare(*parts: str) -> str:
    """Return the text of a policy without a fleet and without windows, and with these further parts.

    What comes first of them has line 6.
    """
    return BARE + "".join(f"{part}\n" for part in parts)


def window(schedule: str, **settings: object) -> str:
    """Return a window for web servers as a line of YAML."""
    whole = {"targets": "{Role: web}", "duration_hours": 2, **settings, "schedule": f"'{schedule}'"}
    return "{" + ", ".join(f"{key}: {value}" for key, value in whole.items()) + "}"


def policy(*changes: tuple[str, str]) -> Policy:
    return parse_policy(changed(*changes), name="p.yaml", today=TODAY)


def problems(text: str, *, folder: Path | None = None, today: date = TODAY) -> list[str]:
    """Return the lines of the error that this text causes; none if it is a policy."""
    try:
        parse_policy(text, name="p.yaml", folder=folder, today=today)
    except PolicyError as error:
        return str(error).splitlines()
    return []


def warnings(text: str, *, folder: Path | None = None, today: date = TODAY) -> list[str]:
    """Return what is said of a policy although it keeps every rule."""
    said: list[str] = []
    parse_policy(text, name="p.yaml", folder=folder, today=today, warn=said.append)
    return said


def written(node: Any) -> str:
    """Write data as YAML in flow style, with a line for everything; much quicker than the library."""
    if isinstance(node, dict):
        return "{" + ",\n".join(f"{written(key)}: {written(value)}" for key, value in node.items()) + "}"
    if isinstance(node, list):
        return "[" + ",\n".join(map(written, node)) + "]"
    return node.isoformat() if isinstance(node, date) else json.dumps(node)
