"""Rules about what commands run: the parameters of documents, hooks, and installations at a time that nobody chose."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from patching.command_document import CommandDocument
from patching.errors import InvalidValueError
from patching.run_patch_baseline import DOCUMENT_NAME, DOCUMENT_WITH_HOOKS, Operation, RunPatchBaseline
from patching.template_rules.assembly import Resource, listed
from patching.template_rules.commands import (
    ASSOCIATION,
    DOCUMENT,
    PATCHING,
    RUN_COMMAND,
    TASK,
    Command,
)
from patching.template_rules.finding import Found, Rule, Whole
from patching.template_rules.text import is_known

_HOOKS = ("PreInstallHookDocName", "PostInstallHookDocName", "OnExitHookDocName")


def association_installs_at_creation(whole: Whole) -> Iterator[Found]:
    """Find associations that install patches as soon as they are made or changed.

    An association runs when it is made, when it is changed and when a node begins to match its targets, but for
    ApplyOnlyAtCronInterval, which a rate does not have: so a deployment patches and reboots every node at once. See
    https://docs.aws.amazon.com/systems-manager/latest/userguide/state-manager-about.html.
    """
    for command in whole.commands:
        association = command.sender
        if association.type != ASSOCIATION or not _installs(command):
            continue
        only = str(association.properties.get("ApplyOnlyAtCronInterval", False)).lower()
        schedule = str(association.properties.get("ScheduleExpression", ""))
        if only == "false" or (only == "true" and not schedule):
            message = (
                "the association installs, and reboots, as soon as it is made or changed; give it a cron expression "
                "and ApplyOnlyAtCronInterval: true, or install by a maintenance window"
            )
            yield Found(association, message, "ApplyOnlyAtCronInterval")


def parameters_refused(whole: Whole) -> Iterator[Found]:
    """Find commands whose document refuses their parameters, which is known only when they are sent.

    See https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-aws-runpatchbaseline.html and
    https://docs.aws.amazon.com/systems-manager/latest/userguide/documents-syntax-data-elements-parameters.html.
    """
    for command in whole.commands:
        known, document = command.known_parameters, _content(command.of_assembly())
        all_known = known.keys() == command.parameters.keys()
        try:
            if command.document in {DOCUMENT_NAME, DOCUMENT_WITH_HOOKS} and ("Operation" in known or all_known):
                RunPatchBaseline.from_api(known, command.document)
            elif document is not None and all_known:
                document.check_parameters(known)
        except InvalidValueError as error:
            at = f"{RUN_COMMAND}.Parameters" if command.sender.type == TASK else "Parameters"
            yield Found(command.sender, f"the document refuses its parameters: {error}", at)


def hook_not_runnable(whole: Whole) -> Iterator[Found]:
    """Find hooks of an installation that are documents of the assembly, and cannot be run as hooks.

    A hook is run by its name alone: it has to be a Command document whose parameters all have defaults. See
    https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-aws-runpatchbaselinewithhooks.html.
    """
    for command in whole.commands:
        if command.document != DOCUMENT_WITH_HOOKS:
            continue
        for name in (one for key in _HOOKS for one in command.parameters.get(key, ())):
            hook = whole.assembly.find(name, DOCUMENT)
            if hook is None:
                continue
            if _type(hook) != "Command":
                message = f"the document is named as a hook of an installation, and is of type {_type(hook)}"
                yield Found(hook, f"{message}; a hook has to be of type Command", "DocumentType")
            for missing in (_content(hook) or _NOTHING).required_parameters:
                message = (
                    f"the document is named as a hook of an installation, which gives it no parameters, and {missing} "
                    "has no default; add a default, or take the parameter out"
                )
                yield Found(hook, message, "Content")


def document_not_a_command(whole: Whole) -> Iterator[Found]:
    """Find Run Command tasks that name a document of the assembly that is none for commands.

    See https://docs.aws.amazon.com/systems-manager/latest/userguide/documents.html.
    """
    for command in whole.commands:
        document = command.of_assembly()
        if document is not None and command.sender.type == TASK and _type(document) != "Command":
            message = (
                f"{document.logical_id} is of type {_type(document)}, and a Run Command task runs documents of type "
                "Command; name another document, or make it a task of another type"
            )
            yield Found(command.sender, message, "TaskArn")


RULES: tuple[Rule, ...] = (
    association_installs_at_creation,
    parameters_refused,
    hook_not_runnable,
    document_not_a_command,
)

_NOTHING = CommandDocument({}, "", {}, ())


def _installs(command: Command) -> bool:
    """Tell whether a command surely installs patches: by a document of AWS's, or one of the assembly that runs it."""
    if _is_installation(command.document, command.parameters):
        return True
    document = _content(command.of_assembly())
    if document is None:
        return False
    steps = document.resolved_steps(command.parameters)
    return any(
        step.action == "aws:runDocument"
        and _is_installation(str(step.inputs.get("documentPath")), step.inputs.get("documentParameters"))
        for step in steps
    )


def _is_installation(document: str, parameters: object) -> bool:
    operation = parameters.get("Operation") if isinstance(parameters, Mapping) else None
    return document in PATCHING and listed(operation) == [Operation.INSTALL]


def _type(document: Resource) -> str:
    found = document.properties.get("DocumentType", "Command")
    return found if is_known(found) else "Command"


def _content(document: Resource | None) -> CommandDocument | None:
    """Return what a document of the assembly holds; None if it is not known, or no Command document of schema 2.2."""
    content = document.properties.get("Content") if document is not None and _type(document) == "Command" else None
    if not isinstance(content, str | Mapping):
        return None
    try:
        return CommandDocument.parse(content)
    except InvalidValueError:
        return None
