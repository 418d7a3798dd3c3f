"""What an assembly's windows and associations run, in one form for the rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from patching.run_patch_baseline import DOCUMENT_NAME, DOCUMENT_WITH_HOOKS
from patching.template_rules.assembly import Assembly, Resource, listed, texts
from patching.template_rules.text import UNKNOWN, is_known

WINDOW = "AWS::SSM::MaintenanceWindow"
TARGET = "AWS::SSM::MaintenanceWindowTarget"
TASK = "AWS::SSM::MaintenanceWindowTask"
ASSOCIATION = "AWS::SSM::Association"
DOCUMENT = "AWS::SSM::Document"

RUN_COMMAND = "TaskInvocationParameters.MaintenanceWindowRunCommandParameters"

PATCHING = (DOCUMENT_NAME, DOCUMENT_WITH_HOOKS, "AWS-RunPatchBaselineAssociation", "AWS-ApplyPatchBaseline")
"""Documents of AWS's whose parameter Operation says whether they scan or install."""


@dataclass(frozen=True)
class Command:
    """What a Run Command task or an association sends.

    Attributes:
        sender: the task or association.
        document: name or ARN of the document; of one of AWS's, its name.
        parameters: the document's parameters, as lists of text; `UNKNOWN` is one if not all of them are known.
        bucket: name of the bucket for its output; empty for none.
        prefix: prefix in the bucket; empty for none.
        log_group: name of the log group for its output; empty for none, or for AWS's own.
    """

    sender: Resource
    document: str
    parameters: Mapping[str, list[str]]
    bucket: str = ""
    prefix: str = ""
    log_group: str = ""

    @property
    def known_parameters(self) -> dict[str, list[str]]:
        """Those parameters whose values are known."""
        return {name: values for name, values in self.parameters.items() if all(is_known(one) for one in values)}

    def of_assembly(self) -> Resource | None:
        """Return the document where it is one of the assembly's own."""
        return self.sender.assembly.find(self.document, DOCUMENT)


def run_command_tasks(assembly: Assembly) -> list[Resource]:
    """Return the window tasks that send a command."""
    return [one for one in assembly.of(TASK) if one.properties.get("TaskType") == "RUN_COMMAND"]


def run_command(task: Resource) -> Mapping[str, Any] | None:
    """Return what a Run Command task is sent with; None if that is not known."""
    found: Any = task.properties.get("TaskInvocationParameters", {})
    if isinstance(found, Mapping):
        found = found.get("MaintenanceWindowRunCommandParameters", {})
    return found if isinstance(found, Mapping) else None


def commands(assembly: Assembly) -> Iterator[Command]:
    """Yield what the windows' Run Command tasks and the associations send, as far as it is known."""
    for task in run_command_tasks(assembly):
        sent = run_command(task)
        if sent is None:
            continue
        log: Any = sent.get("CloudWatchOutputConfig") or {}
        logged = isinstance(log, Mapping) and str(log.get("CloudWatchOutputEnabled", "")).lower() == "true"
        yield Command(
            task,
            _document(task.properties.get("TaskArn")),
            _parameters(sent.get("Parameters", {})),
            _text(sent.get("OutputS3BucketName")),
            _text(sent.get("OutputS3KeyPrefix")),
            _text(log.get("CloudWatchLogGroupName")) if logged else "",
        )
    for association in assembly.of(ASSOCIATION):
        properties = association.properties
        location: Any = properties.get("OutputLocation") or {}
        location = location.get("S3Location") or {} if isinstance(location, Mapping) else {}
        location = location if isinstance(location, Mapping) else {}
        yield Command(
            association,
            _document(properties.get("Name")),
            _parameters(properties.get("Parameters", {})),
            _text(location.get("OutputS3BucketName")),
            _text(location.get("OutputS3KeyPrefix")),
        )


def target_groups(sender: Resource) -> list[list[Any]]:
    """Return the targets of a task or association, group by group; a window's own groups in the place of their ids."""
    own = [one for one in sender.listed("Targets") if isinstance(one, Mapping)]
    ids = [text for one in own if one.get("Key") == "WindowTargetIds" for text in texts(listed(one.get("Values")))]
    if not ids:
        return [own] if own else []
    groups = (sender.assembly.find(one, TARGET) for one in ids)
    return [group.listed("Targets") for group in groups if group is not None]


def _text(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else UNKNOWN


def _document(value: object) -> str:
    """Return a document's name or ARN; one of AWS's own has no account in its ARN."""
    text = _text(value)
    return text.rpartition("::document/")[2]


def _parameters(value: object) -> dict[str, list[str]]:
    if not isinstance(value, Mapping):
        return {UNKNOWN: [UNKNOWN]}
    return {str(key): list(texts(listed(entry))) for key, entry in value.items()}
