"""The documents that commands can be sent with: AWS's, whose scripts are not there, and the account's own."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from lab.world.cloud import Cloud
from lab.world.errors import ApiError
from patching.command_document import CommandDocument, Step
from patching.errors import InvalidValueError
from patching.operating_system import PlatformType

_FILE = Path(__file__).parents[1] / "data" / "documents.json"
_DEFAULT_TIMEOUT = 3600
_SHORTEST_TIMEOUT, _LONGEST_TIMEOUT = 5, 172_800
_NEWEST = ("", "$DEFAULT", "$LATEST")
SIMULATED = frozenset(
    {
        "AWS-ApplyAnsiblePlaybooks",
        "AWS-ApplyPatchBaseline",
        "AWS-ConfigureAWSPackage",
        "AWS-FindWindowsUpdates",
        "AWS-GatherSoftwareInventory",
        "AWS-InstallMissingWindowsUpdates",
        "AWS-InstallWindowsUpdates",
        "AWS-Noop",
        "AWS-RunAnsiblePlaybook",
        "AWS-RunDockerAction",
        "AWS-RunDocument",
        "AWS-RunPatchBaseline",
        "AWS-RunPatchBaselineAssociation",
        "AWS-RunPatchBaselineWithHooks",
        "AWS-RunPowerShellScript",
        "AWS-RunRemoteScript",
        "AWS-RunSaltState",
        "AWS-RunShellScript",
        "AWS-UpdateSSMAgent",
    }
)
"""The documents of AWS that run. Of the others the lab knows what they take, and not what they do."""


def timeout_of(step: Step) -> int:
    """Return the seconds that a step may take; like the agent, take the default for what is no such number.

    Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/documents-command-ssm-plugin-reference.html.
    """
    given = str(step.inputs.get("timeoutSeconds") or "")
    sensible = given.isascii() and given.isdecimal() and _SHORTEST_TIMEOUT <= int(given) <= _LONGEST_TIMEOUT
    return int(given) if sensible else _DEFAULT_TIMEOUT


@dataclass(frozen=True)
class Document:
    """A command document.

    Attributes:
        name: its name.
        arn: what permissions name it by.
        schema_version: the schema of its content.
        platform_types: the platforms that it is for.
        version: its version.
        command: its parameters and steps. What has schema 1.2 is read as if it had a step a plugin.
    """

    name: str
    arn: str
    schema_version: str
    platform_types: tuple[str, ...]
    version: str
    command: CommandDocument

    def check(self, given: Mapping[str, list[str]]) -> None:
        """Refuse parameters that the document does not declare, lacks, or does not allow."""
        try:
            self.command.check_parameters(given)
        except InvalidValueError as error:
            raise ApiError("InvalidParameters", f"{self.name}: {error}.") from None

    def supports(self, platform: PlatformType) -> bool:
        """Tell whether the document is for a platform."""
        return platform in self.platform_types

    def execution_timeout(self, given: Mapping[str, list[str]]) -> int:
        """Return the seconds that it may take: those of the steps that a node of one platform runs, at the most."""
        steps = self.command.resolved_steps(given)
        return max(
            sum(timeout_of(step) for step in steps if step.platform in ("", platform))
            for platform in self.platform_types or ("",)
        )


@dataclass(frozen=True)
class AwsDocument:
    """A document as AWS publishes it, the same in every Region."""

    name: str
    schema_version: str
    platform_types: tuple[str, ...]
    version: str
    created: datetime
    description: str
    content: dict[str, Any]
    type: str = "Command"
    target_type: str = ""
    """The kind of resource that it is for, such as /AWS::EC2::Instance; empty for any."""

    @cached_property
    def text(self) -> str:
        """The content as GetDocument gives it."""
        return json.dumps(self.content, indent=2)

    @property
    def hash(self) -> str:
        """The SHA-256 of the content."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def parameters(self) -> dict[str, dict[str, Any]]:
        """The declared parameters, by name."""
        return dict(self.content.get("parameters", {}))

    @cached_property
    def command(self) -> CommandDocument:
        """Its parameters and steps."""
        return CommandDocument.trusted({**self.content, "mainSteps": self._steps()})

    def _steps(self) -> list[dict[str, Any]]:
        if "mainSteps" in self.content:
            return list(self.content["mainSteps"])
        return [
            {"name": action, "action": action, "inputs": properties}
            for action, plugin in self.content["runtimeConfig"].items()
            for properties in plugin["properties"]
        ]

    def in_region(self, region: str) -> Document:
        """Return it as commands of a Region are sent with it."""
        arn = f"arn:aws:ssm:{region}::document/{self.name}"
        return Document(self.name, arn, self.schema_version, self.platform_types, self.version, self.command)


@lru_cache
def owned_by_aws() -> dict[str, AwsDocument]:
    """Return the documents of AWS, by name."""
    return {
        entry["name"]: AwsDocument(
            entry["name"],
            entry["schema_version"],
            tuple(entry["platform_types"]),
            entry["document_version"],
            datetime.fromisoformat(entry["created"]),
            entry["description"],
            entry["content"],
            entry.get("type", "Command"),
            entry.get("target_type", ""),
        )
        for entry in json.loads(_FILE.read_text(encoding="utf-8"))
    }


def find(cloud: Cloud, reference: str, version: str = "") -> Document:
    """Return the document that a name or an ARN stands for.

    Args:
        cloud: the account, whose own documents come after AWS's.
        reference: its name, or its ARN.
        version: the version of it; the default one if it is empty or `$DEFAULT`.

    Raises:
        ApiError: there is no such document or version, it is of another account or Region, or the lab cannot run it.
    """
    owner, _, name = reference.rpartition(":document/")
    if owner and owner not in (
        f"arn:aws:ssm:{cloud.region}:",
        f"arn:aws:ssm:{cloud.region}:{cloud.account}",
    ):
        raise ApiError("InvalidDocument", f"Document {reference} is not one of this account and Region.")
    name = name or reference
    by_aws = owned_by_aws().get(name)
    if by_aws is None:
        return _own(cloud, name, version)
    if by_aws.type != "Command":
        raise ApiError(
            "InvalidDocument", f"Document {name} is of type {by_aws.type}; commands need one of type Command."
        )
    if name not in SIMULATED:
        runs = ", ".join(sorted(SIMULATED))
        raise ApiError("InvalidDocument", f"Document {name} is not simulated; of AWS's documents the lab runs {runs}.")
    if version not in (*_NEWEST, by_aws.version):
        raise ApiError("InvalidDocumentVersion", f"Document {name} has no version {version}.")
    return by_aws.in_region(cloud.region)


def content_of(cloud: Cloud, reference: str, version: str = "") -> str:
    """Return the text of a document, or nothing if it is not there."""
    name = reference.rpartition("/")[2]
    by_aws = owned_by_aws().get(name)
    if by_aws is not None:
        return by_aws.text
    stored = cloud.document(name, version)
    return stored.content if stored else ""


def _own(cloud: Cloud, name: str, version: str) -> Document:
    stored = cloud.document(name, version)
    if stored is None:
        raise ApiError("InvalidDocument", f"Document {name} does not exist.")
    if not stored.content:
        raise ApiError("InvalidDocumentVersion", f"Document {name} has no version {version}.")
    if stored.type != "Command":
        raise ApiError(
            "InvalidDocument", f"Document {name} is of type {stored.type}; commands need one of type Command."
        )
    command = _parsed(stored.content)
    return Document(
        name,
        f"arn:aws:ssm:{cloud.region}:{cloud.account}:document/{name}",
        str(command.content["schemaVersion"]),
        tuple(sorted(command.platforms)),
        stored.version,
        command,
    )


@lru_cache(maxsize=256)
def _parsed(content: str) -> CommandDocument:
    try:
        return CommandDocument.parse(content)
    except InvalidValueError as error:
        raise ApiError("InvalidDocumentContent", str(error)) from None
