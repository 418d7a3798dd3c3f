"""The parameters of AWS-RunPatchBaseline.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-aws-runpatchbaseline.html.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Self, TypeVar

from patching.errors import InvalidValueError, is_token
from patching.operating_system import PlatformType

DOCUMENT_NAME = "AWS-RunPatchBaseline"
STEPS = {
    PlatformType.WINDOWS: "PatchWindows",
    PlatformType.LINUX: "PatchLinux",
    PlatformType.MACOS: "PatchMacOS",
}
"""The step that does the work on each platform; the others are skipped there."""

_SNAPSHOT_ID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

_E = TypeVar("_E", bound=StrEnum)


class Operation(StrEnum):
    """What the document does on a node."""

    SCAN = "Scan"
    """Compare the node with its baseline and report compliance; nothing is changed."""

    INSTALL = "Install"
    """Install what the baseline approves and the node lacks, then report."""


class RebootOption(StrEnum):
    """What an installation does at its end."""

    REBOOT_IF_NEEDED = "RebootIfNeeded"
    """Reboot after any installation of a patch. AWS's own default."""

    NO_REBOOT = "NoReboot"
    """Never reboot: patches that need it stay INSTALLED_PENDING_REBOOT, which is not compliant."""


@dataclass(frozen=True)
class RunPatchBaseline:
    """One use of AWS-RunPatchBaseline. Make one with `RunPatchBaseline.scan` or `RunPatchBaseline.install`.

    Attributes:
        operation: scan or install.
        reboot: what happens at the end of an installation.
        snapshot_id: a GUID that makes all nodes of one operation use one snapshot of the baseline, which lives three
            days. Empty by default: every node takes its own. A maintenance window gives its own.

    Raises:
        InvalidValueError: an operation, reboot option or snapshot id that the document would refuse.
    """

    operation: Operation
    reboot: RebootOption = RebootOption.REBOOT_IF_NEEDED
    snapshot_id: str = ""

    def __post_init__(self) -> None:
        if self.snapshot_id and not is_token(self.snapshot_id) and not _SNAPSHOT_ID.fullmatch(self.snapshot_id):
            message = f"snapshot id {self.snapshot_id!r} is not a GUID; leave it out or give one made by uuidgen"
            raise InvalidValueError(message)

    @classmethod
    def scan(cls, *, snapshot_id: str = "") -> Self:
        """Report compliance; change nothing."""
        return cls(Operation.SCAN, snapshot_id=snapshot_id)

    @classmethod
    def install(cls, *, reboot: str = RebootOption.REBOOT_IF_NEEDED, snapshot_id: str = "") -> Self:
        """Install what is approved and missing, and reboot as `reboot` says."""
        return cls(Operation.INSTALL, reboot=_choice(RebootOption, "reboot option", reboot), snapshot_id=snapshot_id)

    @classmethod
    def from_api(cls, parameters: dict[str, list[str]]) -> Self:
        """Read the document's parameters as the API writes them."""
        first = {name: values[0] if values else "" for name, values in parameters.items()}
        if "Operation" not in first:
            message = f"{DOCUMENT_NAME} needs the parameter Operation: Scan or Install"
            raise InvalidValueError(message)
        return cls(
            _choice(Operation, "operation", first["Operation"]),
            _choice(RebootOption, "reboot option", first.get("RebootOption", RebootOption.REBOOT_IF_NEEDED)),
            first.get("SnapshotId", ""),
        )

    def to_api(self) -> dict[str, list[str]]:
        """Write the document's parameters as the API takes them; what is left at its default is left out."""
        parameters = {"Operation": [str(self.operation)]}
        if self.operation is Operation.INSTALL:
            parameters["RebootOption"] = [str(self.reboot)]
        if self.snapshot_id:
            parameters["SnapshotId"] = [self.snapshot_id]
        return parameters


def _choice(kind: type[_E], name: str, value: str) -> _E:
    try:
        return kind(value)
    except ValueError:
        message = f"{name} {value!r} is not one of {', '.join(kind)}"
        raise InvalidValueError(message) from None
