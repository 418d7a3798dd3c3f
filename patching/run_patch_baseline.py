"""The parameters of AWS-RunPatchBaseline, and of AWS-RunPatchBaselineWithHooks.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-aws-runpatchbaseline.html and
https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-aws-runpatchbaselinewithhooks.html.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Self, TypeVar

from patching.errors import InvalidValueError, is_token
from patching.install_override_list import OverrideListLocation
from patching.operating_system import PlatformType

DOCUMENT_NAME = "AWS-RunPatchBaseline"
DOCUMENT_WITH_HOOKS = "AWS-RunPatchBaselineWithHooks"
NO_HOOK = "AWS-Noop"
"""The document that stands for no hook; AWS's own default."""

STEPS = {
    PlatformType.WINDOWS: "PatchWindows",
    PlatformType.LINUX: "PatchLinux",
    PlatformType.MACOS: "PatchMacOS",
}
"""The step that does the work on each platform; the others are skipped there."""

_DOCUMENT = re.compile(r"[A-Za-z0-9_.-]{3,128}")
_DOCUMENT_ARN = re.compile(r"arn:[a-z0-9-]+:ssm:[a-z0-9-]+:[0-9]*:document/[A-Za-z0-9_.-]{3,128}")
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
class Hooks:
    """Documents that an installation runs on each node at certain points; each by its name or ARN.

    Attributes:
        pre_install: before anything is installed; if it fails, nothing is installed.
        post_install: after the installation and before the reboot; if it fails, the node is not rebooted.
        on_exit: at the very end, after the reboot if there was one, and whatever failed before.

    Raises:
        InvalidValueError: what is no name and no ARN of a document.
    """

    pre_install: str = NO_HOOK
    post_install: str = NO_HOOK
    on_exit: str = NO_HOOK

    def __post_init__(self) -> None:
        for name in (self.pre_install, self.post_install, self.on_exit):
            if not is_token(name) and not _DOCUMENT.fullmatch(name) and not _DOCUMENT_ARN.fullmatch(name):
                message = f"hook {name!r} is not the name of a document (3 to 128 letters, digits, '_', '.' or '-')"
                raise InvalidValueError(f"{message}, nor its ARN")

    def to_api(self) -> dict[str, list[str]]:
        """Write the document's parameters as the API takes them; a hook that does nothing is left out."""
        names = {parameter: getattr(self, field) for field, parameter in _HOOK_PARAMETERS.items()}
        return {parameter: [name] for parameter, name in names.items() if name != NO_HOOK}


_HOOK_PARAMETERS = {
    "pre_install": "PreInstallHookDocName",
    "post_install": "PostInstallHookDocName",
    "on_exit": "OnExitHookDocName",
}


@dataclass(frozen=True)
class RunPatchBaseline:
    """One use of AWS-RunPatchBaseline, or of AWS-RunPatchBaselineWithHooks if there are hooks.

    Make one with `RunPatchBaseline.scan` or `RunPatchBaseline.install`.

    Attributes:
        operation: scan or install.
        reboot: what happens at the end of an installation.
        snapshot_id: a GUID that makes all nodes of one operation use one snapshot of the baseline, which lives three
            days. Empty by default: every node takes its own. A maintenance window gives its own.
        hooks: documents that an installation runs at certain points; none by default.
        override_list: where a list of patches lies (`s3://BUCKET/KEY`, or an https address in S3) that are installed
            instead of what the baseline approves. Compliance is still reported by the baseline. Empty by default.
        baseline_override: where a JSON list of baselines lies (as above) that are used instead of those that are
            registered. What is found is in the output then, and no compliance is recorded, but for a patch policy,
            which names its association. Empty by default.
        association_id: the association of a patch policy that the result is recorded for. Empty by default.

    Raises:
        InvalidValueError: an operation, reboot option, snapshot id or location that the document would refuse, hooks
            or a list for a scan, which ignores them, a list with hooks, whose document has no such parameter, or a
            list of patches and one of baselines, which exclude each other.
    """

    operation: Operation
    reboot: RebootOption = RebootOption.REBOOT_IF_NEEDED
    snapshot_id: str = ""
    hooks: Hooks | None = None
    override_list: str = ""
    baseline_override: str = ""
    association_id: str = ""

    def __post_init__(self) -> None:
        for location in (self.override_list, self.baseline_override):
            if location and not is_token(location):
                OverrideListLocation.parse(location)
        _check_one_override(self.override_list, self.baseline_override)
        if self.operation is Operation.SCAN and (self.hooks or self.override_list):
            what = "runs no hooks" if self.hooks else "ignores an override list"
            message = f"a scan {what}: only an installation does; leave it out"
            raise InvalidValueError(message)
        if self.hooks and self.override_list:
            message = f"{DOCUMENT_WITH_HOOKS} takes no override list; leave out the hooks or the list"
            raise InvalidValueError(message)
        if self.snapshot_id and not is_token(self.snapshot_id) and not _SNAPSHOT_ID.fullmatch(self.snapshot_id):
            message = f"snapshot id {self.snapshot_id!r} is not a GUID; leave it out or give one made by uuidgen"
            raise InvalidValueError(message)

    @classmethod
    def scan(cls, *, snapshot_id: str = "", baseline_override: str = "") -> Self:
        """Report compliance; change nothing."""
        return cls(Operation.SCAN, snapshot_id=snapshot_id, baseline_override=baseline_override)

    @classmethod
    def install(
        cls,
        *,
        reboot: str = RebootOption.REBOOT_IF_NEEDED,
        snapshot_id: str = "",
        hooks: Hooks | None = None,
        override_list: str = "",
        baseline_override: str = "",
    ) -> Self:
        """Install what is approved and missing, or what a list names, and reboot as `reboot` says."""
        return cls(
            Operation.INSTALL,
            reboot=_choice(RebootOption, "reboot option", reboot),
            snapshot_id=snapshot_id,
            hooks=hooks,
            override_list=override_list,
            baseline_override=baseline_override,
        )

    @classmethod
    def from_api(cls, parameters: dict[str, list[str]], document: str = DOCUMENT_NAME) -> Self:
        """Read a document's parameters as the API writes them. What a scan ignores is left out."""
        first = {name: values[0] if values else "" for name, values in parameters.items()}
        if "Operation" not in first:
            message = f"{document} needs the parameter Operation: Scan or Install"
            raise InvalidValueError(message)
        operation = _choice(Operation, "operation", first["Operation"])
        # A scan does not look at the list of patches, but there may be none beside a list of baselines all the same.
        _check_one_override(first.get("InstallOverrideList", ""), first.get("BaselineOverride", ""))
        hooks = None
        if document == DOCUMENT_WITH_HOOKS and operation is Operation.INSTALL:
            hooks = Hooks(**{field: first.get(name, NO_HOOK) for field, name in _HOOK_PARAMETERS.items()})
        return cls(
            operation,
            _choice(RebootOption, "reboot option", first.get("RebootOption", RebootOption.REBOOT_IF_NEEDED)),
            first.get("SnapshotId", ""),
            hooks,
            first.get("InstallOverrideList", "") if operation is Operation.INSTALL else "",
            first.get("BaselineOverride", ""),
            first.get("AssociationId", ""),
        )

    @property
    def document(self) -> str:
        """The name of the document that does it."""
        return DOCUMENT_WITH_HOOKS if self.hooks else DOCUMENT_NAME

    def to_api(self) -> dict[str, list[str]]:
        """Write the document's parameters as the API takes them; what is left at its default is left out."""
        parameters = {"Operation": [str(self.operation)]}
        if self.operation is Operation.INSTALL:
            parameters["RebootOption"] = [str(self.reboot)]
        if self.snapshot_id:
            parameters["SnapshotId"] = [self.snapshot_id]
        if self.hooks:
            parameters |= self.hooks.to_api()
        if self.override_list:
            parameters["InstallOverrideList"] = [self.override_list]
        if self.baseline_override:
            parameters["BaselineOverride"] = [self.baseline_override]
        if self.association_id:
            parameters["AssociationId"] = [self.association_id]
        return parameters


def _check_one_override(override_list: str, baseline_override: str) -> None:
    """Refuse two overrides at once, with which the document does nothing.

    See https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-baselineoverride-parameter.html.
    """
    if override_list and baseline_override:
        message = "InstallOverrideList and BaselineOverride exclude each other; leave one of them out"
        raise InvalidValueError(message)


def _choice(kind: type[_E], name: str, value: str) -> _E:
    try:
        return kind(value)
    except ValueError:
        message = f"{name} {value!r} is not one of {', '.join(kind)}"
        raise InvalidValueError(message) from None
