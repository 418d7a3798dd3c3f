"""The names by which what was deployed is found again: the one thing that deploying and operating share."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from patching.errors import InvalidValueError

PRODUCT = "patchops"
ENVIRONMENT_TAG = "Environment"
NAME_TAG = "Name"
PATCH_GROUP_TAG = "PatchGroup"
"""Without a space: `Patch Group` cannot be used where instance tags are in the metadata service."""
WORKLOAD_TAG = "Workload"
OUTPUT_PREFIX = "run-command"
"""Folder of the output bucket under which Run Command writes."""
OVERRIDES_PREFIX = "overrides"
"""Folder of the output bucket from which nodes read what an installation by hand does instead of the baselines."""

SERVICE_TIME_HEADER = "x-service-time"
"""Header in which a service whose clock is not the world's, such as the local AWS, tells its time."""

ENVIRONMENT_NAME = re.compile(r"[a-z][a-z0-9-]{0,18}[a-z0-9]")


class Output(StrEnum):
    """The outputs of the Patching stack."""

    BUCKET = "OutputBucketName"
    TOPIC = "TopicArn"
    PUBLISH_ROLE = "PublishRoleArn"
    NODE_POLICY = "NodePolicyArn"
    OPERATOR_POLICY = "OperatorPolicyArn"
    ACTIVATION = "CreateActivationCommand"
    """Only with hybrid machines: the call that registers one, which CloudFormation cannot make."""


@dataclass(frozen=True)
class Deployment:
    """One environment, and the names of everything that belongs to it.

    Attributes:
        environment: 2 to 20 lower-case letters, digits and hyphens; it is part of every name and the value of the tag
            `Environment`, so that several environments share an account and Region without touching each other's nodes.

    Raises:
        InvalidValueError: not a name of this form.
    """

    environment: str

    def __post_init__(self) -> None:
        if not ENVIRONMENT_NAME.fullmatch(self.environment):
            message = (
                f"environment {self.environment!r} is not 2 to 20 lower-case letters, digits and hyphens that begin "
                "with a letter and end with a letter or a digit"
            )
            raise InvalidValueError(message)

    @property
    def patching_stack(self) -> str:
        """Name of the stack with everything that patches."""
        return self.name("patching")

    @property
    def fleet_stack(self) -> str:
        """Name of the stack with the nodes of a lab."""
        return self.name("fleet")

    def name(self, part: str) -> str:
        """Return the name of a part of this environment."""
        return f"{PRODUCT}-{self.environment}-{part}"
