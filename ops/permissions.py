"""What an operation needs to be allowed, declared beside it, and the IAM policy that allows it.

What IAM can limit follows
https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssystemsmanager.html.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from patching.deployment import ENVIRONMENT_TAG, Deployment


class On(Enum):
    """What an action is asked for: the most that IAM can limit it to."""

    ANYTHING = "anything"
    """IAM cannot limit it."""
    NODES = "nodes"
    """Managed nodes: limited by their tag `Environment`."""
    WINDOWS = "windows"
    """Maintenance windows: limited by their tag `Environment`."""
    WINDOW_TASKS = "window tasks"
    """Windows and their tasks, which have no tags."""
    ASSOCIATIONS = "associations"
    """Associations: limited by their tag `Environment`."""
    DOCUMENTS = "documents"
    """Documents: AWS's and the environment's own."""
    CALENDARS = "calendars"
    """Change Calendars, which are documents of any name."""
    BASELINES = "baselines"
    """Patch baselines, anybody's."""
    STACK = "stack"
    """The environment's stacks."""
    ROLES = "roles"
    """The environment's roles: those that Systems Manager takes on."""
    ANY_ROLE = "any role"
    """Roles, whatever they are called, and instance profiles."""
    TOPIC = "topic"
    """The environment's topic."""
    BUCKET = "bucket"
    """The environment's bucket."""
    OBJECTS = "objects"
    """The objects in it."""
    KEY = "key"
    """The key of the environment's bucket and topic."""


@dataclass(frozen=True)
class Need:
    """Actions that an operation needs.

    Attributes:
        on: what for.
        actions: the actions, as IAM names them.
    """

    on: On
    actions: tuple[str, ...]

    def __init__(self, on: On, *actions: str) -> None:
        object.__setattr__(self, "on", on)
        object.__setattr__(self, "actions", actions)


Needs = tuple[Need, ...]

_TAGGED = {On.NODES, On.WINDOWS, On.ASSOCIATIONS}
_KINDS = {
    On.NODES: ("ec2:*:*:instance/*", "ssm:*:*:managed-instance/*"),
    On.WINDOWS: ("ssm:*:*:maintenancewindow/*",),
    On.WINDOW_TASKS: ("ssm:*:*:maintenancewindow/*", "ssm:*:*:windowtask/*"),
    On.ASSOCIATIONS: ("ssm:*:*:association/*",),
    On.CALENDARS: ("ssm:*:*:document/*",),
    On.BASELINES: ("ssm:*:*:patchbaseline/*",),
    On.ANY_ROLE: ("iam::*:role/*", "iam::*:instance-profile/*", "iam::*:policy/*", "iam::aws:policy/*"),
    On.KEY: ("kms:*:*:key/*",),
}
_BY_TAG_OF_ITS_OWN = "ssm:SendCommand"
"""The one action whose condition on a node's tag has a name of its own."""


def statements(needs: Iterable[Need], environment: str | None = None) -> list[dict[str, Any]]:
    """Return the statements of a policy that allows this, limited to one environment if it is given."""
    wanted: dict[tuple[On, str], set[str]] = {}
    for need in needs:
        for action in need.actions:
            special = action if action in (_BY_TAG_OF_ITS_OWN, "iam:PassRole") else ""
            wanted.setdefault((need.on, special), set()).add(action)
    return [
        _statement(on, special, sorted(actions), environment)
        for (on, special), actions in sorted(wanted.items(), key=lambda one: (one[0][0].name, one[0][1]))
    ]


def policy(needs: Iterable[Need], environment: str | None = None) -> dict[str, Any]:
    """Return a policy that allows this and nothing else, as far as IAM can limit it."""
    return {"Version": "2012-10-17", "Statement": statements(needs, environment)}


def _statement(on: On, special: str, actions: list[str], environment: str | None) -> dict[str, Any]:
    statement: dict[str, Any] = {
        "Effect": "Allow",
        "Action": actions,
        "Resource": [f"arn:*:{one}" for one in _resources(on, environment)] if on is not On.ANYTHING else ["*"],
    }
    if special == "iam:PassRole":
        statement["Condition"] = {"StringEquals": {"iam:PassedToService": "ssm.amazonaws.com"}}
    elif on in _TAGGED and environment:
        key = "ssm:resourceTag" if special == _BY_TAG_OF_ITS_OWN else "aws:ResourceTag"
        statement["Condition"] = {"StringEquals": {f"{key}/{ENVIRONMENT_TAG}": environment}}
    return statement


def _resources(on: On, environment: str | None) -> tuple[str, ...]:
    # Names without an environment: whatever a deployment of ours is called.
    own = Deployment(environment).name("") if environment else "patchops-"
    match on:
        case On.DOCUMENTS:
            return ("ssm:*::document/AWS-*", f"ssm:*:*:document/{own}*")
        case On.STACK:
            return (f"cloudformation:*:*:stack/{own}*/*",)
        case On.ROLES:
            return (f"iam::*:role/{own}*",)
        case On.TOPIC:
            return (f"sns:*:*:{own}*",)
        case On.BUCKET:
            return (f"s3:::{own}*",)
        case On.OBJECTS:
            return (f"s3:::{own}*/*",)
        case _:
            return _KINDS[on]
