"""Running AWS-RunPatchBaseline, or a document of one's own, on nodes now.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/run-command.html.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from ops import sending
from ops.environment import NEEDS as ENVIRONMENT_NEEDS
from ops.environment import Environment
from ops.errors import OperationError
from ops.nodes import NEEDS as NODE_NEEDS
from ops.nodes import Node, targeted
from ops.session import Session
from patching.rate_control import RateControl
from patching.targets import Targets

NEEDS = (*NODE_NEEDS, *ENVIRONMENT_NEEDS, *sending.NEEDS)


class Task(Protocol):
    """What a command runs."""

    @property
    def document(self) -> str:
        """Name of the document."""

    def to_api(self) -> dict[str, list[str]]:
        """Return the document's parameters as the API takes them."""


@dataclass(frozen=True)
class RunDocument:
    """One use of a document, by its name.

    Attributes:
        document: the name.
        parameters: values by parameter.
    """

    document: str
    parameters: Mapping[str, Sequence[str]]

    def to_api(self) -> dict[str, list[str]]:
        """Return the parameters as the API takes them."""
        return {name: list(values) for name, values in self.parameters.items()}


@dataclass(frozen=True)
class Plan:
    """What is about to be sent.

    Attributes:
        task: what is run, with its options.
        targets: the nodes as they were asked for.
        nodes: the nodes as they are now.
        rate_control: how many at one time.
        environment: where output and notifications go; nowhere if None.
        comment: for people, up to 100 characters.
    """

    task: Task
    targets: Targets
    nodes: tuple[Node, ...]
    rate_control: RateControl
    environment: Environment | None
    comment: str = ""

    def at_pace(self, rate_control: RateControl) -> Plan:
        """Return the same with another rate control."""
        return replace(self, rate_control=rate_control)

    def request(self) -> dict[str, Any]:
        """Return the SendCommand request."""
        request: dict[str, Any] = {
            "DocumentName": self.task.document,
            "Parameters": self.task.to_api(),
            "Targets": self.targets.to_api(),
            "MaxConcurrency": self.rate_control.max_concurrency,
            "MaxErrors": self.rate_control.max_errors,
        }
        if self.comment:
            request["Comment"] = self.comment
        if self.environment:
            request |= {
                "OutputS3BucketName": self.environment.bucket,
                "OutputS3KeyPrefix": self.environment.prefix,
                "ServiceRoleArn": self.environment.publish_role,
                "NotificationConfig": {
                    "NotificationArn": self.environment.topic,
                    "NotificationEvents": ["All"],
                    "NotificationType": "Invocation",
                },
            }
        return request


def plan(
    session: Session,
    task: Task,
    targets: Targets,
    *,
    rate_control: RateControl,
    environment: Environment | None = None,
    comment: str = "",
) -> Plan:
    """Look which nodes are targeted now, and say what would be sent to them.

    Raises:
        OperationError: no node is targeted.
    """
    return Plan(task, targets, tuple(targeted(session, targets)), rate_control, environment, comment)


def send(session: Session, what: Plan, *, sleep: Callable[[float], None] = time.sleep) -> str:
    """Send a command, and return its id. It is sent once, or not at all; see `send_once`.

    Raises:
        OperationError: there is no such document, or it does not declare a parameter that would be sent, or one that
            it needs is not given.
    """
    request = what.request()
    name = what.task.document
    try:
        declared = session.ssm.describe_document(Name=name)["Document"].get("Parameters", [])
    except session.ssm.exceptions.InvalidDocument:
        message = f"there is no document {name} in this Region"
        raise OperationError(message) from None
    unknown = set(request["Parameters"]) - {parameter["Name"] for parameter in declared}
    if unknown:
        known = ", ".join(parameter["Name"] for parameter in declared) or "none"
        message = f"{name} has no parameter {', '.join(sorted(unknown))} in this Region; expected one of {known}"
        raise OperationError(message)
    missing = {parameter["Name"] for parameter in declared if "DefaultValue" not in parameter} - set(
        request["Parameters"]
    )
    if missing:
        message = f"{name} needs the parameter {', '.join(sorted(missing))}: it has no default"
        raise OperationError(message)
    return sending.send_once(session, request, sleep=sleep)
