"""A small policy that keeps every rule; tests break one of them."""

from __future__ import annotations

from patching.policy import Policy
from patching.policy_file import PolicyError, parse_policy

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
  schedule_utc: cron(0 20 * * ? *)
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


def policy(*changes: tuple[str, str]) -> Policy:
    return parse_policy(changed(*changes), name="p.yaml")


def problems(text: str) -> list[str]:
    """Return the lines of the error that this text causes; none if it is a policy."""
    try:
        parse_policy(text, name="p.yaml")
    except PolicyError as error:
        return str(error).splitlines()
    return []
